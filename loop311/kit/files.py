"""Files kept by their content: written whole or not at all, found by their SHA-256, a city's apart from another's.

`put` comes before the row that names the file, `settle` after it has committed: what was put and never settled is swept away,
whoever died in between. Every process of a deployment must see the same folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loop311.kit.problems import NotFound, Unavailable

GRACE = 600.0
"""Seconds between putting a file and committing its row that nobody needs; younger files are never removed."""

_FULL = (
    "The file could not be kept: the disk is full or cannot be written. Nothing was changed; tell your administrator."
)


class Store:
    """The files of one city."""

    def __init__(self, home: Path, city: int) -> None:
        self._root = home / "files" / str(city)

    def put(self, data: bytes) -> bytes:
        """Its digest, once it is safely on the disk. Raises Unavailable, with nothing half written, when it cannot be."""
        digest = hashlib.sha256(data).digest()
        final = self.path(digest)
        try:
            for folder in (final.parent, self._root / "pending", self._root / "drafts"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._pending(digest).touch()
            self._write(data, final)
        except OSError as error:
            raise Unavailable(_FULL) from error
        return digest

    def _write(self, data: bytes, final: Path) -> None:
        draft = self._root / "drafts" / secrets.token_hex(8)
        try:
            with draft.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with self._alone():
                draft.replace(final)
            _keep_names(final.parent)
        finally:
            draft.unlink(missing_ok=True)

    def settle(self, digest: bytes) -> None:
        """A committed row names it now."""
        with suppress(OSError):  # the sweep will find the row
            self._pending(digest).unlink(missing_ok=True)

    def read(self, digest: bytes) -> bytes:
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound("This file is not here any more.") from None

    def discard(self, digest: bytes) -> bool:
        """Remove it, which nobody names any more, unless it was put so lately that a row for it may be on its way."""
        path = self.path(digest)
        try:
            with self._alone():
                if time.time() - path.stat().st_mtime < GRACE:
                    return False
                path.unlink()
                self._pending(digest).unlink(missing_ok=True)
        except FileNotFoundError:
            return True
        return True

    def sweep(self, is_named: Callable[[bytes], bool]) -> int:
        """Remove what was put and never named, and drafts of the dead; returns how many. Costs what is unsettled only."""
        removed = 0
        for marker in self._older("pending"):
            digest = bytes.fromhex(marker.name)
            if is_named(digest):
                self.settle(digest)
            elif self.discard(digest):
                marker.unlink(missing_ok=True)
                removed += 1
        for draft in self._older("drafts"):
            draft.unlink(missing_ok=True)
            removed += 1
        return removed

    def _older(self, folder: str) -> Iterator[Path]:
        for path in list((self._root / folder).glob("*")):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= GRACE:
                    yield path

    def path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._root / name[:2] / name

    def _pending(self, digest: bytes) -> Path:
        return self._root / "pending" / digest.hex()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Putting and removing take turns, so that nothing is removed while it is put again."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _keep_names(folder: Path) -> None:
    """The folder's own entries reach the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
