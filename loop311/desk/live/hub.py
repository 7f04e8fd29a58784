"""What has happened a moment ago in every city, in this process's memory. See docs/adr/0027-live-updates.md."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile

from loop311.kit.clock import now
from loop311.kit.listening import Listener
from loop311.ledger.announcing import CHANNEL, Announcement, read

KEPT = 2_000
"""Events of one city that are remembered."""

SKEW = 2_000
"""Milliseconds by which two processes may hear of the same event at different times: so much is told again."""


def stamp() -> int:
    """Now, in milliseconds."""
    return int(now().timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Heard:
    at: int
    what: Announcement


class Hub:
    """Listens from the first question on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = 0
        """When it began to listen; 0 while it does not."""
        self._heard: dict[int, deque[Heard]] = {}
        self._listener = Listener(CHANNEL, on_begin=self._begin, on_words=self._hear)

    def since(self, city: int, at: int, topics: Collection[str]) -> list[Announcement] | None:
        """What happened in the city after `at` and concerns one of the topics; None when that cannot be known."""
        self._listener.ensure()
        with self._lock:
            heard = self._heard.get(city) or deque()
            if not self._begun or at < self._begun or (len(heard) == KEPT and at < heard[0].at):
                return None
            late = [each.what for each in takewhile(lambda each: each.at > at - SKEW, reversed(heard))]
        return [each for each in reversed(late) if not each.topics.isdisjoint(topics)]

    @property
    def is_listening(self) -> bool:
        return bool(self._begun)

    def close(self) -> None:
        self._listener.close()
        with self._lock:
            self._begun = 0
            self._heard.clear()

    def _begin(self) -> None:
        with self._lock:
            self._heard.clear()
            self._begun = stamp()

    def _hear(self, words: str) -> None:
        what = read(words)
        if what is not None:
            with self._lock:
                self._heard.setdefault(what.city, deque(maxlen=KEPT)).append(Heard(stamp(), what))


HUB = Hub()
"""The process's own."""
