"""Room on the database's disk: recognising that there is none, and how much is left."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import psycopg

FULL = "The system's disk is full, so what you sent was not stored. Whoever runs it must make room; then send it again."
"""To residents, staff and programs. What was acknowledged before is safe."""

FULL_FOR_COMMANDS = "The database's disk is full: make room, then run this again. What was stored before is kept."

LEAST = 40 * 2**20
"""Bytes; with less than two segments of its log left PostgreSQL is about to stop, or has."""

_SAID = "No space left on device"


def is_full(error: BaseException | None) -> bool:
    """Whether this error, or one that it came of, says so. A new connection is refused with the system's words only."""
    while error is not None:
        if isinstance(error, psycopg.errors.DiskFull) or _SAID in str(error):
            return True
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return True
        error = error.__cause__ or error.__context__
    return False


def left(folder: Path) -> int:
    """Bytes that can still be written where this folder is, or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def is_short(folder: Path) -> bool:
    """So little that the database cannot go on, though nobody was told yet."""
    return left(folder) < LEAST
