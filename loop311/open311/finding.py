"""The one query behind lists and single requests. What of a request is hidden is decided here, before anything of it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from loop311.catalog.definitions import Open311Type, Publicity, Step
from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.open311 import nearness
from loop311.open311.nearness import Box, Circle
from loop311.open311.policies import MOST, Window
from loop311.requests.models import Request
from loop311.requests.policies import AttachmentRole
from loop311.requests.publicity import CLOSED
from loop311.requests.services.access import SUBJECT

MOST_COUNTED = 10_000
"""Requests that are counted; of more it is only said that there are more."""

_REST_OF_SECOND = timedelta(microseconds=999_999)
"""Times are given out in whole seconds: what is asked for until one of them may lie later in it."""
_LATELY = timedelta(days=7)
"""What changed since then is looked up in the diary; what changed since longer ago is nearly everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is narrowed to. Ids override all else."""

    numbers: Sequence[str] = ()
    service_codes: Sequence[str] = ()
    statuses: frozenset[str] = frozenset({"open", "closed"})
    window: Window | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    where: Box | Circle | None = None
    page: int = 1
    page_size: int = MOST
    extensions: bool = False


class Row(NamedTuple):
    """A request as the query gives it: tuples of its columns cost a tenth of Django's objects. Not yet fit to be shown."""

    pk: int
    version: int
    number: str
    state: str
    publicity: str
    """The stricter of its own and its service's today."""
    service_code: str
    service_names: str
    """JSON, as the team's."""
    team_code: str
    team_names: str
    catalogue_version_id: int
    description: str
    address: str
    latitude: float | None
    longitude: float | None
    received_at: datetime
    """As all times here in whole seconds: some clients answer fractions with an error."""
    due_at: datetime | None
    closed_at: datetime | None
    """As `requests.publicity.closed_at` has it."""
    updated_at: datetime
    outcome: str
    waiting_reason: str
    handed_to: str
    handed_reference: str
    reporter: str | None
    """Their name, to be removed from the words."""
    photo: int | None
    first_promise: datetime | None = None
    """This and all below only with extensions."""
    ended_at: datetime | None = None
    channel: str = ""
    priority: str = ""
    joined_count: int = 0
    reopened_count: int = 0
    areas: str = ""
    """JSON."""


_LAST_ID = 2**63 - 1
_ENDS = ", ".join(f"'{state}'" for state in sorted(CLOSED))


def _whole(column: str) -> str:
    return f"date_trunc('second', r.{column})"


_COLUMNS = f"""
r.id, r.version, r.number, r.state, {nearness.PUBLICITY}, s.code, s.names::text, t.code, t.names::text, r.catalogue_version_id,
r.description, r.address, r.latitude, r.longitude, {_whole("received_at")}, {_whole("due_at")}, CASE WHEN r.state IN ({_ENDS})
    THEN date_trunc('second', coalesce(r.done_at, r.ended_at, r.updated_at)) END, {_whole("updated_at")},
r.outcome, r.waiting_reason, r.handed_to, r.handed_reference, who.name,
(SELECT a.id FROM requests_attachment a WHERE a.jurisdiction_id = r.jurisdiction_id AND a.request_id = r.id
    AND a.role = '{AttachmentRole.PHOTO}' AND a.evidence_id IS NULL AND a.erased_at IS NULL
    AND a.actor_kind <> '{ActorKind.STAFF}' ORDER BY a.id LIMIT 1)
"""
_EXTENSIONS = f"""
, (SELECT date_trunc('second', p.due_at) FROM requests_promise p WHERE p.jurisdiction_id = r.jurisdiction_id AND p.request_id = r.id
    AND p.step = '{Step.RESOLUTION}' AND p.sequence = 1), {_whole("ended_at")},
r.channel, r.priority, r.joined_count, r.reopened_count, r.areas::text
"""
_FROM = """
FROM requests_request r JOIN catalog_service s ON s.jurisdiction_id = r.jurisdiction_id AND s.id = r.service_id
"""
_JOINS = """
JOIN accounts_team t ON t.jurisdiction_id = r.jurisdiction_id AND t.id = r.team_id
LEFT JOIN residents_resident who ON who.jurisdiction_id = r.jurisdiction_id AND who.id = r.resident_id
"""


def found(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> list[Row]:
    """One page, newest first, and one more when another page follows; one query whatever its length."""
    where, values = _conditions(city, index, asked)
    first = (asked.page - 1) * asked.page_size
    extensions = _EXTENSIONS if asked.extensions else ""
    # Both numbers stand in the text: a plan that is kept for any limit would sort all rows.
    limit = f"ORDER BY r.received_at DESC, r.id DESC LIMIT {asked.page_size + 1:d} OFFSET {first:d}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} {extensions} {_FROM} {_JOINS} WHERE {where} {limit}", values)
        return [Row(*row) for row in cursor.fetchall()]


def counted(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> int:
    """How many there are on all pages together, MOST_COUNTED + 1 standing for any number beyond."""
    where, values = _conditions(city, index, asked)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 {_FROM} WHERE {where} LIMIT {MOST_COUNTED + 1:d}) AS few", values
        )
        return int(cursor.fetchone()[0])


def one(city: Jurisdiction, index: CatalogueIndex, number: str, *, extensions: bool = False) -> Row:
    """Raises NotFound, also for a hidden one."""
    rows = found(city, index, Asked(numbers=[number[:40]], extensions=extensions))
    if not rows:
        raise NotFound(f"There is no service_request_id {number[:40]!r}.")
    return rows[0]


def public(city: Jurisdiction, index: CatalogueIndex) -> QuerySet[Request]:
    """Without the hidden ones, also those of services that are hidden today or answered nothing over Open311."""
    rows = Request.objects.filter(jurisdiction=city).exclude(publicity=Publicity.HIDDEN.value)
    silent = _silent(index)
    return rows.exclude(service__code__in=silent) if silent else rows


def _conditions(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> tuple[str, dict[str, Any]]:
    where, values = _public(city, index)
    if asked.numbers:
        values["numbers"] = list(asked.numbers)[:MOST]
        return f"{where} AND r.number = ANY(%(numbers)s)", values
    parts = [where, *_narrowed(asked, values), *_changed(asked, values)]
    if asked.where:
        parts.append(nearness.within(asked.where, values))
    return " AND ".join(parts), values


def _public(city: Jurisdiction, index: CatalogueIndex) -> tuple[str, dict[str, Any]]:
    """As `public`."""
    by_block = [each.code for each in index.catalogue.services if each.publicity is Publicity.BLOCK]
    silent = _silent(index)
    where = f"r.jurisdiction_id = %(city)s AND r.publicity <> '{Publicity.HIDDEN}'"
    if silent:
        where += " AND s.code <> ALL(%(silent)s)"
    return where, {"city": city.pk, "silent": silent, "by_block": by_block}


def _silent(index: CatalogueIndex) -> list[str]:
    """Services that are hidden today, whatever they were, and those that are answered nothing over Open311."""
    return [
        each.code
        for each in index.catalogue.services
        if each.open311 is Open311Type.BLACKBOX or each.publicity is Publicity.HIDDEN
    ]


def _narrowed(asked: Asked, values: dict[str, Any]) -> list[str]:
    where = []
    if asked.window:
        where += _received(asked.window, values)
    if asked.service_codes:
        where.append("s.code = ANY(%(codes)s)")
        values["codes"] = list(asked.service_codes)
    if len(asked.statuses) == 1:
        where.append(f"r.state {'' if 'closed' in asked.statuses else 'NOT'} IN ({_ENDS})")
    return where


def _received(window: Window, values: dict[str, Any]) -> list[str]:
    """From the first to the last instant of the window; one that ends in the future has no last one.

    Not BETWEEN: of a range whose ends are not known yet PostgreSQL expects so few rows that it would plan each list anew, which
    takes as long as the list. Of one end, or of two that it does not take for a pair, it expects more, and keeps the plan.
    """
    end = window.end + _REST_OF_SECOND
    values["start"] = window.start
    where = ["r.received_at >= %(start)s"]
    if end < now():
        values["end"] = end
        where.append(f"(r.received_at, r.id) <= (%(end)s, {_LAST_ID})")
    return where


def _changed(asked: Asked, values: dict[str, Any]) -> list[str]:
    """By the time of the last change. Each change stands in the diary, which is read by time; the requests are not."""
    where = []
    if asked.updated_after:
        where.append("r.updated_at >= %(after)s")
        values["after"] = asked.updated_after
        if now() - asked.updated_after < _LATELY:
            where.append(
                # An array, so that it is made first: joined, each event was tried with every service.
                "r.id = ANY (ARRAY(SELECT DISTINCT e.subject_id FROM ledger_event e WHERE e.jurisdiction_id = %(city)s"
                f" AND e.subject_type = '{SUBJECT}' AND e.recorded_at >= %(after)s))"
            )
    if asked.updated_before:
        where.append("r.updated_at <= %(before)s")
        values["before"] = asked.updated_before + _REST_OF_SECOND
    return where
