"""Long lists from servers that cut them short: pages turned, windows halved, what breaks an answer left out and named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

from loop311.georeport.model import ErrorItem
from loop311.georeport.profile import Profile
from loop311.georeport.sending import Pair, Value
from loop311.georeport.windows import Window, is_full

T = TypeVar("T")
_AT_ONCE = 50
"""Ids in one question."""
_MOST_PAGES = 10_000
_NARROWEST = timedelta(hours=1)
"""How closely a row that breaks the answer is looked for."""
_GIVE_UP = 12
"""Failures one after the other after which a server is down, not merely odd about some rows."""
_STRICT = timedelta(seconds=1)
"""Some leave out both ends of a window of updates."""


class Unreached(Exception):
    """The server could not be asked, or what it said cannot be understood: try later. The message says why."""

    def __init__(self, reason: str, *, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered
        """Something came back: other questions may fare better."""


class Declined(Exception):
    """The server answered that it will not (4xx); the same again would meet the same."""

    def __init__(self, status: int, errors: Sequence[ErrorItem]) -> None:
        super().__init__(f"HTTP {status}: {' '.join(error.description for error in errors)}")
        self.status, self.errors = status, tuple(errors)


class Gap(Value, frozen=True, kw_only=True):
    """What could not be read although all around it could."""

    what: str
    """A window of time, or an id."""
    reason: str


class Harvest(Generic[T]):
    """Rows of one kind. `ask` answers one question, or raises Unreached or Declined."""

    def __init__(self, profile: Profile, ask: Callable[[list[Pair]], list[T]], gaps: list[Gap]) -> None:
        self._profile, self._ask, self._gaps = profile, ask, gaps

    def by_ids(self, ids: Sequence[str]) -> Iterator[T]:
        waiting = [ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE)][::-1]
        failures = 0
        while waiting:
            part = waiting.pop()
            try:
                found = self._ask([("service_request_id", ",".join(part))])
            except Unreached as failed:
                failures = self._counted(failures, failed)
                if len(part) == 1:
                    self._gaps.append(Gap(what=part[0], reason=str(failed)))
                else:
                    waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
                continue
            failures = 0
            yield from found

    def by_time(self, windows: Iterator[Window], query: list[Pair], names: tuple[str, str]) -> Iterator[T]:
        """`names` are those of the two ends of a window."""
        for window in windows:
            yield from self._within(window, query, names)

    def _within(self, window: Window, query: list[Pair], names: tuple[str, str]) -> Iterator[T]:
        waiting, failures = [window], 0
        while waiting:
            part = waiting.pop()
            try:
                found, is_cut = self._pages([*query, *self._ends(part, names)])
            except Unreached as failed:
                failures = self._counted(failures, failed)
                if part.end - part.start > _NARROWEST:
                    waiting += part.halves()
                else:
                    self._gap(part, str(failed))
                continue
            failures = 0
            if is_cut and part.can_be_halved:
                waiting += part.halves()
                continue
            if is_cut:
                self._gap(part, f"more requests than the {len(found)} that the server shows at once")
            yield from found

    def _counted(self, failures: int, failed: Unreached) -> int:
        if not failed.answered or failures + 1 >= _GIVE_UP:
            raise failed
        return failures + 1

    def _gap(self, window: Window, reason: str) -> None:
        self._gaps.append(Gap(what=f"{window.start.isoformat()} to {window.end.isoformat()}", reason=reason))

    def _ends(self, window: Window, names: tuple[str, str]) -> list[Pair]:
        widened = _STRICT if names[0].startswith("updated") else timedelta()
        start, end = window.start - widened, window.end + widened
        return [(names[0], self._profile.date(start)), (names[1], self._profile.date(end))]

    def _pages(self, query: list[Pair]) -> tuple[list[T], bool]:
        """All that there is, and whether it may have been cut off."""
        paging = self._profile.paging
        if not paging.page:
            size = [(paging.size, str(paging.size_value))] if paging.size and paging.size_value else []
            found = self._ask([*query, *size])
            return found, is_full(len(found), paging.most)
        return self._turned(query), False

    def _turned(self, query: list[Pair]) -> list[T]:
        """Page by page to a short one, an empty one, an error, or one that was seen already."""
        paging = self._profile.paging
        size = [(paging.size, str(paging.size_value))] if paging.size and paging.size_value else []
        found: list[T] = []
        full = paging.size_value or paging.most
        last: list[T] = []
        for page in range(1, _MOST_PAGES + 1):
            try:
                rows = self._ask([*query, *size, (paging.page, str(page))])
            except Declined:
                if page == 1:
                    raise
                break
            if not rows or rows == last:
                break
            found += rows
            full = full or len(rows)
            if len(rows) < full:
                break
            last = rows
        return found
