"""The two shapes in which Texan cities publish their 311 requests: the columns and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pyproj

from loop311.catalog.definitions import Duration, Priority, Unit
from loop311.interactions.policies import Channel
from loop311.opendata.rows import Published
from loop311.promises.hours import last_day
from loop311.requests.policies import State

Cells = Sequence[str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a file says of itself and of all its rows."""

    city: str
    """Its slug."""
    zone: ZoneInfo
    first: date
    last: date
    """Local days of the first and the last requests that may be in it."""
    at: datetime
    """When it is written: what is late is late then."""


@dataclass(frozen=True, slots=True)
class Shape:
    columns: tuple[str, ...]
    cells: Callable[[Iterable[Published], About], Iterator[Cells]]


# --- Dallas ------------------------------------------------------------------------------------------------------------

_DALLAS = (
    "Service Request Number", "Address", "City Council District", "Department", "Service Request Type",
    "ERT (Estimated Response Time)", "Overall Service Request Due Date", "Status", "Created Date", "Update Date",
    "Closed Date", "Outcome", "Priority", "Method Received Description", "Unique Key", "Lat_Long Location",
)  # fmt: skip
_DALLAS_PRIORITIES = {
    Priority.EMERGENCY: "Emergency",
    Priority.URGENT: "Priority",
    Priority.STANDARD: "Standard",
    Priority.LOW: "Other",
}
_DALLAS_CHANNELS = {
    Channel.PHONE: "Phone",
    Channel.WEB: "Web",
    Channel.APP: "Mobile",
    Channel.COUNTER: "Walk-In",
    Channel.EMAIL: "Email",
    Channel.MESSAGE: "Message",
    Channel.API: "API",
    Channel.STAFF: "Proactive",
    Channel.LETTER: "Mail",
}
_DALLAS_UNITS = {
    Unit.MINUTES: "Minutes",
    Unit.HOURS: "Hours",
    Unit.BUSINESS_DAYS: "Business Days",
    Unit.CALENDAR_DAYS: "Calendar Days",
}


def _dallas(rows: Iterable[Published], about: About) -> Iterator[Cells]:
    for row in rows:
        yield (
            row.number,
            row.address,
            row.areas[0],
            row.department,
            row.service,
            _response_time(row.resolution),
            _american(row.due_at, about.zone),
            _dallas_status(row),
            _american(row.received_at, about.zone),
            _american(row.updated_at, about.zone),
            _american(row.closed_at, about.zone),
            row.outcome,
            _DALLAS_PRIORITIES[Priority(row.priority)],
            _DALLAS_CHANNELS[Channel(row.channel)],
            f"{about.city}-{row.number}",
            f"({row.latitude:.7f},{row.longitude:.7f})" if row.latitude is not None else "(,)",
        )


def _response_time(promised: Duration | None) -> str:
    return f"{promised.amount} {_DALLAS_UNITS[promised.unit]}" if promised else ""


def _american(at: datetime | None, zone: ZoneInfo) -> str:
    """04/06/2021 11:18:01 AM, by the city's clock."""
    return at.astimezone(zone).strftime("%m/%d/%Y %I:%M:%S %p") if at else ""


def _dallas_status(row: Published) -> str:
    if row.state == State.RECEIVED:
        return "New"
    word = "Closed" if row.closed_at else "In Progress"
    if row.joined:
        return f"{word} (Duplicate)"
    return f"{word} (Transferred)" if row.handed_over and row.closed_at else word


# --- San Antonio -------------------------------------------------------------------------------------------------------

_SAN_ANTONIO = (
    "Category", "CASEID", "OPENEDDATETIME", "SLA_Date", "CLOSEDDATETIME", "Late (Yes/No)", "Dept", "REASONNAME", "TYPENAME",
    "CaseStatus", "SourceID", "OBJECTDESC", "Council District", "XCOORD", "YCOORD", "Report Starting Date",
    "Report Ending Date",
)  # fmt: skip
_SAN_ANTONIO_CHANNELS = _DALLAS_CHANNELS | {
    Channel.PHONE: "Constituent Call",
    Channel.WEB: "Web Portal",
    Channel.APP: "311 Mobile App",
    Channel.STAFF: "Internal Services Requests",
}
_FEET = "EPSG:2278"
"""Texas State Plane, South Central."""
_NO_DATE = "NaT"
_AT_ONCE = 2_000
"""Positions projected in one go."""


def _san_antonio(rows: Iterable[Published], about: About) -> Iterator[Cells]:
    feet = pyproj.Transformer.from_crs("EPSG:4326", _FEET, always_xy=True)
    source = iter(rows)
    while batch := list(islice(source, _AT_ONCE)):
        placed = [row for row in batch if row.latitude is not None]
        xs, ys = feet.transform([row.longitude for row in placed], [row.latitude for row in placed])
        where = {row.number: (f"{x:.1f}", f"{y:.1f}") for row, x, y in zip(placed, xs, ys, strict=True)}
        for row in batch:
            yield _san_antonio_cells(row, about, where.get(row.number, ("", "")))


def _san_antonio_cells(row: Published, about: About, feet: tuple[str, str]) -> Cells:
    return (
        row.group,
        row.number,
        _day(row.received_at, about.zone),
        last_day(row.due_at, about.zone).isoformat() if row.due_at else _NO_DATE,
        _day(row.closed_at, about.zone),
        "YES" if row.due_at and (row.closed_at or about.at) > row.due_at else "NO",
        row.department,
        row.team,
        row.service,
        "Closed" if row.closed_at else "Open",
        _SAN_ANTONIO_CHANNELS[Channel(row.channel)],
        row.address,
        row.areas[0],
        *feet,
        _short(about.first),
        _short(about.last),
    )


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).date().isoformat() if at else _NO_DATE


def _short(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


DALLAS = Shape(_DALLAS, _dallas)
SAN_ANTONIO = Shape(_SAN_ANTONIO, _san_antonio)
