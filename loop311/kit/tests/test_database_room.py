"""A full disk is recognised, however it is said."""

from __future__ import annotations

import errno
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError

from loop311.kit.database import room


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (caused(OperationalError("could not extend file"), psycopg.errors.DiskFull("could not extend file")), True),
        (OperationalError("connection failed: FATAL:  could not write init file: No space left on device"), True),
        (OSError(errno.ENOSPC, "voll"), True),
        (OperationalError("server closed the connection unexpectedly"), False),
        (PermissionError(errno.EACCES, "Permission denied"), False),
    ],
)
def test_a_full_disk_is_told_from_other_troubles(error: Exception, full: bool) -> None:
    assert room.is_full(error) is full


def test_room_is_asked_where_the_folder_is_or_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert room.left(tmp_path / "not" / "there") > 0
    monkeypatch.setattr(room, "LEAST", 2**62)
    assert room.is_short(tmp_path / "not")
