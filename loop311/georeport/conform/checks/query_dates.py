"""Group 7, second part: from when to when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from loop311.georeport.conform.checks.query import WINDOW, holds, within
from loop311.georeport.conform.registry import OURS, SPEC, Level, check
from loop311.georeport.conform.strict import moment
from loop311.georeport.conform.target import Target
from loop311.georeport.render import instant
from loop311.kit.clock import now

_HOUR = timedelta(hours=1)


@check("query.between", SPEC, "start_date and end_date narrow the list by requested_datetime.")
def between(at: Target) -> None:
    known = at.known()
    found = at.ask(known.around())
    holds(found, known.id)
    within(found, known.at - _HOUR, known.at + _HOUR)


@check("query.start-only", SPEC, "start_date alone: nothing earlier, and 90 days from it at most.")
def start_only(at: Target) -> None:
    known = at.all_known()[0]
    found = at.ask([("start_date", instant(known.at - _HOUR))])
    holds(found, known.id)
    within(found, known.at - _HOUR, known.at - _HOUR + WINDOW)


@check("query.end-only", OURS, "end_date alone: the 90 days before it.")
def end_only(at: Target) -> None:
    known = at.all_known()[-1]
    found = at.ask([("end_date", instant(known.at + _HOUR))])
    holds(found, known.id)
    within(found, known.at + _HOUR - WINDOW, known.at + _HOUR)


@check("query.bounds", OURS, "Both dates belong to the window.")
def bounds(at: Target) -> None:
    known = at.known()
    second = known.at.replace(microsecond=0)
    holds(at.ask([("start_date", instant(second)), ("end_date", instant(second))]), known.id)


@check("query.over-90-days", OURS, "A window of more than 90 days is 400, or cut to 90 days.")
def over_90_days(at: Target) -> None:
    query = [("start_date", instant(now() - timedelta(days=400))), ("end_date", instant(now()))]
    reply = at.queried(query)
    if reply.status != 200:
        reply.must_be(400)
        return
    found = at.ask(query)
    times = [at_ for row in found.rows if (at_ := moment(row, "requested_datetime"))]
    if times and max(times) - min(times) > WINDOW:
        raise found.wrong(f"requests of {(max(times) - min(times)).days} days", "400, or those of 90 days")


@check("query.start-after-end", OURS, "A start after the end is 400, never everything.")
def start_after_end(at: Target) -> None:
    query = [("start_date", instant(now() - _HOUR)), ("end_date", instant(now() - 2 * _HOUR))]
    at.queried(query).must_be(400)


@check("query.bad-date", OURS, "What is no date is 400, never everything.")
def bad_date(at: Target) -> None:
    for query in ([("start_date", "yesterday")], [("end_date", "2026-13-45T00:00:00Z")]):
        at.queried(query).must_be(400)


def _written(id_: str, level: Level, says: str, write: Callable[[datetime], str], margin: timedelta = _HOUR) -> None:
    """A check that the window of a known request is understood when its dates are written like this."""

    @check(id_, level, says)
    def written(at: Target) -> None:
        known = at.known()
        query = [("start_date", write(known.at - margin)), ("end_date", write(known.at + margin))]
        found = at.ask(query)
        holds(found, known.id)
        within(found, known.at - margin - _WIDEST, known.at + margin + _WIDEST)


_WIDEST = timedelta(hours=38)
"""How far a date without a zone, or without a time, may be meant from where we mean it."""
_EAST = timezone(timedelta(hours=2))

_written(
    "query.date-with-offset", SPEC, "A date may have an offset such as +02:00.",
    lambda at: at.astimezone(_EAST).isoformat(timespec="seconds"),
)  # fmt: skip
_written(
    "query.date-with-space", OURS, "An offset whose plus sign came as a space is understood.",
    lambda at: at.astimezone(_EAST).isoformat(timespec="seconds").replace("+", " "),
)  # fmt: skip
_written(
    "query.date-with-fraction", OURS, "A date may have fractions of seconds.",
    lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.250Z"),
)  # fmt: skip
_written(
    "query.date-without-zone", OURS, "A date without an offset is that of the city.",
    lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), timedelta(hours=30),
)  # fmt: skip
_written(
    "query.date-without-time", OURS, "A date may come without a time.",
    lambda at: at.astimezone(UTC).strftime("%Y-%m-%d"), timedelta(hours=54),
)  # fmt: skip
