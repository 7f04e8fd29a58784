"""Windows of time for servers that answer at most 90 days and at most a page: cut into pieces, halved when full. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from loop311.georeport.sending import Value

USUAL_PAGES = frozenset({25, 50, 100, 200, 500, 1000})
"""An answer of exactly so many may be cut off."""
SHORTEST = timedelta(seconds=2)
"""A window that is not halved any more."""


class Window(Value, frozen=True, kw_only=True):
    """Both ends belong to it: neighbours share an instant, so that none falls between servers' readings of the bounds."""

    start: datetime
    end: datetime

    @property
    def can_be_halved(self) -> bool:
        return self.end - self.start > SHORTEST

    def halves(self) -> tuple[Window, Window]:
        middle = self.start + (self.end - self.start) / 2
        middle = middle.replace(microsecond=0)
        return Window(start=self.start, end=middle), Window(start=middle, end=self.end)


def sliced(start: datetime, end: datetime, longest: timedelta) -> Iterator[Window]:
    """Newest first, none longer than `longest`; nothing when the end lies before the start."""
    upper = end
    while upper > start:
        lower = max(start, upper - longest)
        yield Window(start=lower, end=upper)
        upper = lower


def is_full(count: int, most: int) -> bool:
    """Whether an answer of so many rows may have been cut off; `most` 0: the server's page size is not known."""
    return count >= most if most else count in USUAL_PAGES
