"""Using the embedded server: the first command that needs it starts it, the last one that leaves stops it.

Every user holds a shared lock on `users.lock` while it works. Coming and going happen one at a time, under `start.lock`.
A killed user's lock is let go by the kernel; the server it leaves running is found or stopped by the next one.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loop311.kit.database import binaries, cluster, postmaster
from loop311.kit.database.locks import Say, alone, open_lock, take
from loop311.kit.database.place import ELSEWHERE, Place, account_of, can_enter, place_of
from loop311.kit.database.problem import DatabaseUnavailable


def tell(sentence: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


class Server:
    """The embedded server of one home folder, as one process uses it."""

    def __init__(self, home: Path, *, durable: bool = True, elsewhere: Path = ELSEWHERE, say: Say = tell) -> None:
        self.place: Place = place_of(home, elsewhere=elsewhere)
        self._durable = durable
        self._say = say
        self._lock: int | None = None

    def join(self) -> None:
        """Be a user of the server; it runs when this returns."""
        with _in_one_sentence(self.place):
            self._make_base()
            with alone(self._start_lock, self._say):
                lock = open_lock(self.place.base / "users.lock")
                take(lock, fcntl.LOCK_SH)  # whoever wants it alone holds the start lock, which is ours now
                try:
                    self._ensure()
                except BaseException:
                    os.close(lock)
                    raise
                self._lock = lock

    def ensure(self) -> None:
        """Start it again if it has died. For users that live long."""
        if not self.is_ready():
            with _in_one_sentence(self.place), alone(self._start_lock, self._say):
                self._ensure()

    def is_ready(self) -> bool:
        return postmaster.is_ready(self.place.data)

    def leave(self) -> None:
        """Use it no longer; the last user stops it."""
        if self._lock is None:
            return
        with alone(self._start_lock, self._say):
            try:
                if take(self._lock, fcntl.LOCK_EX):
                    postmaster.stop(self.place.data, self._say)
            finally:
                os.close(self._lock)
                self._lock = None

    @property
    def _start_lock(self) -> Path:
        return self.place.base / "start.lock"

    def _make_base(self) -> None:
        account = account_of(self.place.base)
        if account.uid != os.geteuid() and os.geteuid() != 0:
            raise DatabaseUnavailable(
                f"The data in {self.place.base} belong to {account.name}: run this as {account.name}."
            )
        cluster.make_base(self.place)
        if not can_enter(self.place.base, account):
            raise DatabaseUnavailable(
                f"The user {account.name}, who runs the database, can no longer reach {self.place.base}: "
                "a folder above it has been closed to others."
            )

    def _ensure(self) -> None:
        data = self.place.data
        process = postmaster.find(data)
        if process is not None and postmaster.is_stopping(data):
            postmaster.wait_until_gone(process, self._say)
            process = None
        if process is not None:
            postmaster.wait_until_ready(self.place, process, self._say)
            return
        cluster.make_folders(self.place, account_of(self.place.base))
        programs = binaries.find(self.place.base, account_of(self.place.base))
        cluster.make_cluster(self.place, programs)
        cluster.check_version(self.place, programs)
        cluster.write_rules(self.place, programs.account)
        postmaster.start(self.place, programs, durable=self._durable, say=self._say)


@contextmanager
def running(home: Path, *, durable: bool = True, elsewhere: Path = ELSEWHERE, say: Say = tell) -> Iterator[Server]:
    """The embedded server of `home`, running for as long as the block."""
    server = Server(home, durable=durable, elsewhere=elsewhere, say=say)
    server.join()
    try:
        yield server
    finally:
        server.leave()


@contextmanager
def optional(home: Path, *, wanted: bool) -> Iterator[None]:
    """`running` when it is `wanted`, else nothing: with a DATABASE_URL the server is somebody else's."""
    if not wanted:
        yield
        return
    with running(home):
        yield


@contextmanager
def _in_one_sentence(place: Place) -> Iterator[None]:
    """What the system refuses, said without a traceback."""
    try:
        yield
    except PermissionError as error:
        raise DatabaseUnavailable(
            f"The database's folder may not be used: {error.strerror}: {error.filename}."
        ) from error
    except OSError as error:
        raise DatabaseUnavailable(f"The database's folder {place.base} cannot be used: {error.strerror}.") from error
