"""LISTEN: one connection of a process hears what all transactions announce, and tells a function. Starts by itself, and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog
from django.db import connection

log = structlog.get_logger(__name__)

PAUSES = (0.2, 1.0, 3.0)
"""Seconds before it is tried again, the last for ever."""
_A_WHILE = 0.5
"""Seconds of listening after which it looks whether it should stop."""


class Listener:
    """A thread that listens to one channel. `on_begin` is called whenever listening begins (again): what was announced
    before may have been missed. Both functions are called in the thread and must not raise.
    """

    def __init__(self, channel: str, *, on_begin: Callable[[], None], on_words: Callable[[str], None]) -> None:
        self._channel = channel
        self._on_begin = on_begin
        self._on_words = on_words
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def ensure(self) -> None:
        """Start unless it runs; costs nothing when it does."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                settings = {name: value for name, value in _address().items() if value}
                self._thread = threading.Thread(target=self._run, args=(settings,), name="listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the connection."""
        with self._lock:
            if self._thread is not None:
                self._stop.set()
                self._thread.join()
                self._thread = None

    def _run(self, address: dict[str, str]) -> None:
        tried = 0
        while not self._stop.is_set():
            try:
                with psycopg.connect(**address, autocommit=True, connect_timeout=5) as heard:  # type: ignore[arg-type]
                    tried = 0
                    self._listen(heard)
            except psycopg.Error as error:
                log.warning("listening was interrupted", exc_info=error)
            self._stop.wait(PAUSES[min(tried, len(PAUSES) - 1)])
            tried += 1

    def _listen(self, heard: psycopg.Connection[tuple[object, ...]]) -> None:
        heard.execute(f"LISTEN {self._channel}")
        self._on_begin()
        while not self._stop.is_set():
            for words in heard.notifies(timeout=_A_WHILE, stop_after=1):
                self._on_words(words.payload)


def _address() -> dict[str, str]:
    settings = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {name: str(settings[key] or "") for name, key in names.items()}
