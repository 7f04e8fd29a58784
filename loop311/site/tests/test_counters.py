"""Where the web processes count: never where a full disk would kill them, and in nobody else's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from loop311.site import operations


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(operations, "MEMORY", folder)
    return folder


def test_in_memory_new_at_each_start_and_closed_to_others(memory: Path, tmp_path: Path) -> None:
    first = operations._counters(tmp_path / "home")
    (first / "old.db").touch()
    again = operations._counters(tmp_path / "home")
    assert (again, list(again.iterdir()), again.parent) == (first, [], memory)
    assert again.stat().st_mode & 0o777 == 0o700
    assert operations._counters(tmp_path / "other") != again


def test_under_the_home_when_the_name_is_taken_or_there_is_no_such_place(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = operations._counters(tmp_path / "home")
    ours.rmdir()
    ours.symlink_to(tmp_path)
    assert operations._counters(tmp_path / "home") == tmp_path / "home" / "run" / "metrics"
    monkeypatch.setattr(operations, "MEMORY", Path("/proc/none"))
    assert operations._counters(tmp_path / "home") == tmp_path / "home" / "run" / "metrics"
