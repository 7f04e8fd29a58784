"""Long lists from servers that cut them short: pages turned, windows halved, what breaks an answer left out and named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
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
_LOOSE = timedelta(days=1)
"""How far outside its window a row may lie: zones are mistaken for one another."""
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
        number = f"HTTP {status}"
        said = " ".join(error.description for error in errors)
        super().__init__(number if said in ("", number) else f"{number}: {said}")
        self.status, self.errors = status, tuple(errors)


class Gap(Value, frozen=True, kw_only=True):
    """What could not be read although all around it could."""

    what: str
    """A window of time, or an id."""
    reason: str


class Harvest(Generic[T]):
    """Rows of one kind. `ask` answers one question, or raises Unreached or Declined; `when` tells a row's time."""

    def __init__(
        self,
        profile: Profile,
        ask: Callable[[list[Pair]], list[T]],
        gaps: list[Gap],
        when: Callable[[T], datetime | None],
    ) -> None:
        self._profile, self._ask, self._gaps, self._when = profile, ask, gaps, when
        self._is_heeded = True

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
        """`names` are those of the two ends of a window. Ends early when the server pays no heed to them."""
        for window in windows:
            if self._is_heeded:
                yield from self._within(window, query, names)

    def _within(self, window: Window, query: list[Pair], names: tuple[str, str]) -> Iterator[T]:
        waiting, failures = [window], 0
        while waiting and self._is_heeded:
            part = waiting.pop()
            try:
                found, is_cut = self._pages([*query, *self._ends(part, names)])
            except Unreached as failed:
                failures = self._counted(failures, failed)
                waiting += self._narrowed(part, str(failed))
                continue
            failures = 0
            if is_cut and self._halves(part, found):
                waiting += part.halves()
            else:
                yield from found

    def _narrowed(self, part: Window, reason: str) -> Sequence[Window]:
        if part.end - part.start > _NARROWEST:
            return part.halves()
        self._gap(part, reason)
        return ()

    def _halves(self, part: Window, found: list[T]) -> bool:
        """Whether halving a window that was cut off can show more; else it is a gap."""
        at_once = f"the server shows {len(found)} at once"
        inside = sum(part.start - _LOOSE <= at <= part.end + _LOOSE for row in found if (at := self._when(row)))
        if inside * 2 < len(found):
            self._is_heeded = False
            self._gap(part, f"{at_once} and pays no heed to dates")
        elif not part.can_be_halved:
            self._gap(part, f"there are more, and {at_once}")
        return self._is_heeded and part.can_be_halved

    def _counted(self, failures: int, failed: Unreached) -> int:
        if not failed.answered or failures + 1 >= _GIVE_UP:
            raise failed
        return failures + 1

    def _gap(self, window: Window, reason: str) -> None:
        self._gaps.append(Gap(what=f"{window.start.isoformat()} to {window.end.isoformat()}", reason=reason))

    def _ends(self, window: Window, names: tuple[str, str]) -> list[Pair]:
        widened = _STRICT if names[0].startswith("updated") else timedelta()
        start, end = window.start - widened, _up(window.end) + widened
        return [(names[0], self._profile.date(start)), (names[1], self._profile.date(end))]

    def _pages(self, query: list[Pair]) -> tuple[list[T], bool]:
        """All that there is, and whether it may have been cut off."""
        paging = self._profile.paging
        if not paging.page:
            size = [(paging.size, str(paging.size_value))] if paging.size and paging.size_value else []
            found = self._ask([*query, *size])
            return found, is_full(len(found), paging.most or paging.size_value)
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
            if page == 1 and (not full or is_full(len(rows), 0)):  # some show fewer at once than they are asked for
                full = len(rows)
            if len(rows) < full:
                break
            last = rows
        return found


def _up(at: datetime) -> datetime:
    """To the whole second: dates are sent without fractions."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)
