"""The slow, obvious clock: it looks at the wall every minute. The fast one must agree with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from loop311.catalog.definitions import Calendar, Hours

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "America/Chicago",
    "America/Phoenix",
    "America/St_Johns",
    "America/Havana",  # midnight itself is skipped
    "Australia/Lord_Howe",  # half an hour
    "Europe/London",
    "Asia/Kathmandu",
    "Pacific/Apia",  # a whole day was skipped in 2011
    "UTC",
)


def office(**more: object) -> Calendar:
    """Monday to Friday, 8 to 12 and 13 to 17."""
    day = (Hours(start=time(8), end=time(12)), Hours(start=time(13), end=time(17)))
    return Calendar(code="office", weekdays=dict.fromkeys(WEEK[:5], day), **more)  # type: ignore[arg-type]


def shows(local: datetime, zone: ZoneInfo) -> datetime:
    """The first minute at which the wall clock shows `local` or later."""
    at = local.replace(tzinfo=UTC) - timedelta(hours=16)
    while at.astimezone(zone).replace(tzinfo=None) < local:
        at += MINUTE
    return at


def hours_on(calendar: Calendar, day: date) -> tuple[Hours, ...]:
    for special in calendar.special_days:
        if special.on == day:
            return special.hours
    return calendar.weekdays.get(WEEK[day.weekday()], ())


class Stepper:
    """Knows the days from `first` for `days` days, minute by minute."""

    def __init__(self, calendar: Calendar, zone: ZoneInfo, first: date, days: int) -> None:
        self.open: set[datetime] = set()
        self.closings: dict[date, datetime] = {}
        for number in range(days):
            self._learn(first + number * DAY, hours_on(calendar, first + number * DAY), zone)

    def _learn(self, day: date, hours: tuple[Hours, ...], zone: ZoneInfo) -> None:
        for each in hours:
            begin = at = shows(datetime.combine(day, each.start), zone)
            end = shows(datetime.combine(day if each.end > each.start else day + DAY, each.end), zone)
            while at < end:
                self.open.add(at)
                at += MINUTE
            if end > begin:
                self.closings[day] = max([end, *self.closings.values()])

    def add(self, start: datetime, minutes: int) -> datetime:
        while minutes:
            minutes -= start in self.open
            start += MINUTE
        return start

    def elapsed(self, start: datetime, end: datetime) -> int:
        return sum(start <= minute < end for minute in self.open)

    def closing(self, day: date, number: int) -> datetime:
        return [end for open_day, end in sorted(self.closings.items()) if open_day >= day][number - 1]
