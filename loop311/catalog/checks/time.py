"""Promises, calendars, escalations and stopped clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time, timedelta
from functools import cache

from holidays.utils import list_supported_countries

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.definitions import (
    OF_CITY,
    Calendar,
    Catalogue,
    Duration,
    Escalation,
    EscalationLevel,
    Hours,
    PromisePolicy,
    Unit,
)
from loop311.catalog.index import CatalogueIndex

_DAY = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1)}


def check_time(catalogue: Catalogue, index: CatalogueIndex) -> Iterator[Finding]:
    for calendar in catalogue.calendars:
        yield from _calendar(f"calendars.{calendar.code}", calendar)
    for reason in catalogue.stop_reasons:
        if reason.longest is not None and reason.longest <= timedelta():
            yield error(f"stop_reasons.{reason.code}.longest", "The clock must be able to stop for some time.")
    for promise in catalogue.promises:
        yield from _promise(f"promises.{promise.code}", promise, index)
    for service in catalogue.services:
        if service.promise is None and not service.historical:
            yield error(f"services.{service.code}.promise", "A service that can be asked for needs a promise.")


def _calendar(path: str, calendar: Calendar) -> Iterator[Finding]:
    if calendar.code == "always" and not calendar.always:
        yield error(path, "The calendar 'always' is open at all times; give this one another code.")
    if calendar.always:
        return
    if not any(calendar.weekdays.values()):
        yield error(f"{path}.weekdays", "This calendar is never open, so a promise by it would never be due.")
    for weekday, hours in calendar.weekdays.items():
        yield from _hours(f"{path}.weekdays.{weekday}", hours)
    days = [day.on for day in calendar.special_days]
    for number, day in enumerate(calendar.special_days, start=1):
        yield from _hours(f"{path}.special_days[{number}]", day.hours)
        if days.count(day.on) > 1 and days.index(day.on) == number - 1:
            yield error(f"{path}.special_days", f"{day.on.isoformat()} stands here more than once.")
    if calendar.holidays and not _known_holidays(calendar.holidays):
        yield error(
            f"{path}.holidays", f"No holidays are known for {calendar.holidays!r}; write them like US-TX, or city."
        )


def _hours(path: str, hours: Sequence[Hours]) -> Iterator[Finding]:
    """Intervals in order, none empty, none overlapping; an end of 00:00 is the end of the day."""
    last = -1.0
    for number, interval in enumerate(hours, start=1):
        here = f"{path}[{number}]"
        if interval.start.tzinfo or interval.end.tzinfo:
            yield error(here, "Hours are the city's own time, without a zone.")
        start, end = _seconds(interval.start), _seconds(interval.end) or 86400.0
        if end <= start:
            yield error(here, "These hours end before they start.")
        if start < last:
            yield error(here, "These hours begin before the ones above have ended.")
        last = max(last, end)


def _seconds(moment: time) -> float:
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


def _known_holidays(written: str) -> bool:
    if written == OF_CITY:
        return True
    country, _, subdivision = written.partition("-")
    known = _countries()
    return country in known and (not subdivision or subdivision in known[country])


@cache
def _countries() -> dict[str, list[str]]:
    return list_supported_countries(include_aliases=True)


def _promise(path: str, promise: PromisePolicy, index: CatalogueIndex) -> Iterator[Finding]:
    steps = {
        "resolution": promise.resolution,
        "first_response": promise.first_response,
        "urgent_resolution": promise.urgent_resolution,
    }
    for name, duration in steps.items():
        if duration and duration.amount == 0:
            yield error(f"{path}.{name}", "This promise would be due the moment it is made.")
        if duration and _longer(duration, promise.resolution):
            yield error(f"{path}.{name}", "This takes longer than the resolution.")
        if duration and duration.unit is Unit.CALENDAR_DAYS and duration.calendar != "always":
            yield warning(f"{path}.{name}", "Calendar days pass whether or not anybody works: leave out the calendar.")
    yield from _escalations(f"{path}.escalations", promise, index)


def _longer(one: Duration, other: Duration) -> bool:
    """Whether it surely is: in one unit and calendar."""
    return one.unit == other.unit and one.calendar == other.calendar and one.amount > other.amount


def _escalations(path: str, promise: PromisePolicy, index: CatalogueIndex) -> Iterator[Finding]:
    if EscalationLevel.LATE not in {escalation.level for escalation in promise.escalations}:
        yield warning(path, "Nobody is told when this promise is broken: add an escalation of level late.")
    reached = timedelta(-1)
    seen: set[EscalationLevel] = set()
    for number, escalation in enumerate(promise.escalations, start=1):
        here = f"{path}[{number}]"
        yield from _escalation(here, escalation)
        if escalation.level in seen and escalation.level is not EscalationLevel.LATER:
            yield error(here, f"There is an escalation of level {escalation.level} already.")
        seen.add(escalation.level)
        after = escalation.after_due
        if after is not None and escalation.level is not EscalationLevel.AT_RISK:
            if after <= reached:
                yield error(here, "This comes no later than the escalation above it.")
            reached = max(reached, after)
        if escalation.before_due and _whole(promise.resolution, index) <= escalation.before_due:
            yield warning(here, "This promise is at risk from the moment it is made.")


def _escalation(path: str, escalation: Escalation) -> Iterator[Finding]:
    if not escalation.tell:
        yield error(path, "This escalation tells nobody.")
    if escalation.level is EscalationLevel.AT_RISK:
        if not escalation.before_due or escalation.before_due < timedelta() or escalation.after_due is not None:
            yield error(path, "At risk is told some time before the due time: give before_due alone.")
    elif escalation.after_due is None or escalation.after_due < timedelta() or escalation.before_due is not None:
        yield error(path, f"{escalation.level.capitalize()} is told at or after the due time: give after_due alone.")


def _whole(duration: Duration, index: CatalogueIndex) -> timedelta:
    """How long it surely lasts by the clock; unknown for working time, which is never shorter."""
    unit = _DAY.get(duration.unit, timedelta(days=1))
    calendar = index.calendars.get(duration.calendar)
    return unit * duration.amount if calendar and calendar.always else timedelta.max
