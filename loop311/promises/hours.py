"""When a calendar is open, as instants: local hours, zones, daylight saving, holidays and special days end here.

The hours of a day belong to the day they begin on, also where they
run past midnight. One wall clock is believed: a local time that is skipped means the moment of the jump, a local time
that comes twice means the first. So later local times never become earlier instants.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

from loop311.catalog.definitions import Calendar, Hours
from loop311.kit.problems import Invalid

_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Opening(NamedTuple):
    """The day (`date.toordinal()`) and one stretch of its open time. Sorted by day they are also sorted by start."""

    day: int
    start: datetime
    end: datetime


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC; a naive datetime is no instant."""
    if at.tzinfo is None:
        raise TypeError("time is counted between aware datetimes only")
    return at.astimezone(UTC)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a naive local time: of one that comes twice the first, of a skipped one the jump itself."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first if first <= second else _jump(second, first, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The one change of offset between two instants, found by halving; changes happen on whole seconds."""
    low, high = int(before.timestamp()), int(after.timestamp()) + 1
    old = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


@lru_cache(maxsize=1024)
def holidays_of(code: str, year: int) -> frozenset[date]:
    """Public holidays of a country ("US") or of a part of it ("US-TX"), with their observed days."""
    country, _, part = code.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError:
        raise Invalid(
            f'There are no holidays for "{code}"; write a country and a part of it, such as "US-TX".'
        ) from None


def openings(calendar: Calendar, zone: ZoneInfo, year: int) -> Iterator[Opening]:
    """The open stretches of every day of `year`, unmerged, day by day."""
    closed = holidays_of(calendar.holidays, year) if calendar.holidays else frozenset()
    special = {day.on: day.hours for day in calendar.special_days if day.on.year == year}
    day = date(year, 1, 1)
    while day.year == year:
        yield from _of_day(day, _hours(calendar, day, closed, special), zone)
        day += _DAY


def _hours(
    calendar: Calendar, day: date, closed: frozenset[date], special: dict[date, tuple[Hours, ...]]
) -> tuple[Hours, ...]:
    """A special day wins over a holiday, a holiday over the weekday."""
    if day in special:
        return special[day]
    return () if day in closed else calendar.weekdays.get(_WEEKDAYS[day.weekday()], ())


def _of_day(day: date, hours: tuple[Hours, ...], zone: ZoneInfo) -> Iterator[Opening]:
    for each in hours:
        start = instant(datetime.combine(day, each.start), zone)
        end = instant(datetime.combine(day if each.end > each.start else day + _DAY, each.end), zone)
        if end > start:
            yield Opening(day.toordinal(), start, end)


def last_day(due_at: datetime, zone: ZoneInfo) -> date:
    """The day to name to a resident: a promise due at midnight is due by the end of the day before."""
    return (in_utc(due_at) - timedelta(microseconds=1)).astimezone(zone).date()


def midnight(day: date) -> datetime:
    """The naive local beginning of a day."""
    return datetime.combine(day, time.min)
