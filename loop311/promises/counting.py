"""The three ways to count a duration from a filing: open time, ends of open days, returns of the same time on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from loop311.catalog.definitions import Duration, Unit
from loop311.promises.clock import Clocks, WorkingClock
from loop311.promises.hours import in_utc, instant

_UNITS = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1)}


class Count(Protocol):
    """A duration counted from a filing. `stopped` and what `spent` returns are in its own unit: microseconds or days."""

    def reach(self, stopped: int) -> datetime:
        """When it is over, if the clock stood still for `stopped` on the way."""

    def spent(self, start: datetime, end: datetime) -> int:
        """How much of it passes between two instants, neither of them before the filing."""


@dataclass(frozen=True, slots=True)
class _OpenTime:
    clock: WorkingClock
    filed_at: datetime
    amount: timedelta

    def reach(self, stopped: int) -> datetime:
        return self.clock.add(self.filed_at, self.amount + timedelta(microseconds=stopped))

    def spent(self, start: datetime, end: datetime) -> int:
        return self.clock.elapsed(start, end) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _OpenDays:
    clock: WorkingClock
    day: date
    """The first that counts."""
    number: int

    def reach(self, stopped: int) -> datetime:
        return self.clock.closing(self.day, self.number + stopped)

    def spent(self, start: datetime, end: datetime) -> int:
        return self.clock.closings_between(self.day, start, end)


@dataclass(frozen=True, slots=True)
class _WallDays:
    clock: WorkingClock
    filed_at: datetime
    number: int

    def reach(self, stopped: int) -> datetime:
        days = self.number + stopped
        return (
            instant(self.clock.wall(self.filed_at) + timedelta(days=days), self.clock.zone) if days else self.filed_at
        )

    def spent(self, start: datetime, end: datetime) -> int:
        return self.clock.returns_between(self.clock.wall(self.filed_at), start, end)


def count(duration: Duration, filed_at: datetime, clocks: Clocks) -> Count:
    """How `duration` is counted for something filed at `filed_at`, which must be aware."""
    filed_at, clock = in_utc(filed_at), clocks[duration.calendar]
    if duration.unit is Unit.BUSINESS_DAYS:
        return _open_days(clock, filed_at, duration.amount)
    if duration.unit is Unit.CALENDAR_DAYS:
        return _WallDays(clock, filed_at, duration.amount)
    return _OpenTime(clock, filed_at, duration.amount * _UNITS[duration.unit])


def _open_days(clock: WorkingClock, filed_at: datetime, days: int) -> _OpenDays:
    """From the day after filing on; for 0 days the next closing, which is today's where that is still to come."""
    today = clock.wall(filed_at).date()
    tomorrow = today + timedelta(days=1)
    if days:
        return _OpenDays(clock, tomorrow, days)
    return _OpenDays(clock, today if clock.closing(today, 1) >= filed_at else tomorrow, 1)
