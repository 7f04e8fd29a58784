"""Locks between processes: the kernel lets go of them when a process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]
"""Tells the person who waits."""

PATIENCE = 3.0
"""Seconds of waiting before a word is said about it."""


class Waiting:
    """Sleeps a little longer each time and says once, after some seconds, what is waited for."""

    def __init__(self, say: Say, sentence: str) -> None:
        self._say, self._sentence = say, sentence
        self._since = time.monotonic()
        self._pause = 0.005
        self._said = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def a_moment(self) -> None:
        if not self._said and self.seconds > PATIENCE:
            self._say(self._sentence)
            self._said = True
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, 0.1)


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take(descriptor: int, kind: int) -> bool:
    """Try once for LOCK_SH or LOCK_EX."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone(path: Path, say: Say) -> Iterator[None]:
    """Only one process at a time; the others wait, for as long as it takes."""
    descriptor = open_lock(path)
    waiting = Waiting(say, "Another command is starting or stopping the database; waiting for it.")
    try:
        while not take(descriptor, fcntl.LOCK_EX):
            waiting.a_moment()
        yield
    finally:
        os.close(descriptor)
