"""Reading requests: querysets that read as sentences, and the hot list as plain tuples."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from loop311.catalog.definitions import Joining
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.planning import ask
from loop311.kit.problems import FieldProblem, Invalid
from loop311.places.policies import box_around, distance_metres
from loop311.requests.models import Comment, Request
from loop311.requests.policies import OPEN_STATES

LIST_COLUMNS = (
    "number", "state", "priority", "channel", "service_code", "team", "assignee_id", "address", "latitude",
    "longitude", "areas", "received_at", "due_at", "done_at", "ended_at", "outcome", "joined_count", "reopened_count",
    "version", "updated_at",
)  # fmt: skip
"""The fields of a request in a list, in this order."""

_LIST = """
SELECT r.number, r.state, r.priority, r.channel, s.code, t.code, r.assignee_id, r.address, r.latitude, r.longitude,
       r.areas::text, r.received_at, r.due_at, r.done_at, r.ended_at, r.outcome, r.joined_count, r.reopened_count,
       r.version, r.updated_at, r.id
FROM requests_request r
JOIN catalog_service s ON s.id = r.service_id
JOIN accounts_team t ON t.id = r.team_id
WHERE {where}
ORDER BY r.received_at DESC, r.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which requests of one city; None and empty mean any. `before` is a cursor given with an earlier page."""

    states: Sequence[str] = ()
    team_id: int | None = None
    service_id: int | None = None
    assignee_id: int | None = None
    resident_ids: Sequence[int] = ()
    area: tuple[str, str] | None = None
    """(layer code, area key)."""
    overdue_at: datetime | None = None
    """Open and due before this instant."""
    text: str = ""
    """A number, or the beginning of an address."""
    before: str = ""
    limit: int = 100


def comments_of(request: Request) -> list[Comment]:
    """Words on it and on the reports joined to it, oldest first, each with its request: their team works on this one."""
    family = Request.objects.filter(jurisdiction_id=request.jurisdiction_id, leading_id=request.pk)
    ids = [request.pk, *family.values_list("pk", flat=True)]
    found = Comment.objects.filter(jurisdiction_id=request.jurisdiction_id, request_id__in=ids)
    return list(found.select_related("request").order_by("pk"))


def newest(jurisdiction_id: int, wanted: Wanted) -> list[tuple[object, ...]]:
    """Rows of LIST_COLUMNS plus the id, newest first; one query whatever the length."""
    where, values = _conditions(jurisdiction_id, wanted)
    with connection.cursor() as cursor:
        cursor.execute(_LIST.format(where=" AND ".join(where)), values)
        return list(cursor.fetchall())


def _conditions(jurisdiction_id: int, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    where = ["r.jurisdiction_id = %(jurisdiction)s"]
    values: dict[str, Any] = {"jurisdiction": jurisdiction_id, "limit": wanted.limit}
    equal = {"team_id": wanted.team_id, "service_id": wanted.service_id, "assignee_id": wanted.assignee_id}
    for column, value in equal.items():
        if value is not None:
            where.append(f"r.{column} = %({column})s")
            values[column] = value
    if wanted.states:
        where.append("r.state = ANY(%(states)s)")
        values["states"] = list(wanted.states)
    if wanted.resident_ids:
        where.append("r.resident_id = ANY(%(residents)s)")
        values["residents"] = list(wanted.resident_ids)
    _by_place_and_time(wanted, where, values)
    return where, values


def _by_place_and_time(wanted: Wanted, where: list[str], values: dict[str, Any]) -> None:
    if wanted.area:
        where.append("r.areas @> jsonb_build_object(%(layer)s::text, %(area)s::text)")
        values["layer"], values["area"] = wanted.area
    if wanted.overdue_at:
        open_states = ", ".join(f"'{state}'" for state in sorted(OPEN_STATES))
        where.append(f"r.state IN ({open_states}) AND r.due_at < %(overdue_at)s")
        values["overdue_at"] = wanted.overdue_at
    if wanted.text:
        where.append("(r.number = %(text)s OR starts_with(lower(r.address), lower(%(text)s)))")
        values["text"] = wanted.text
    if wanted.before:
        where.append("(r.received_at, r.id) < (%(before_at)s, %(before_id)s)")
        values["before_at"], values["before_id"] = read_cursor(wanted.before)


def cursor_after(received_at: datetime, request_id: int) -> str:
    """An opaque mark of this row, to ask for what comes after it."""
    return base64.urlsafe_b64encode(f"{received_at.isoformat()}|{request_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """Raises Invalid for anything that `cursor_after` did not make."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        at, _, number = text.partition("|")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None or not 0 <= int(number) < 2**63:
            raise ValueError(cursor)
        return when, int(number)
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise Invalid(
            "The cursor is not one this city gave.", fields=[FieldProblem("cursor", "Start without one.")]
        ) from error


@dataclass(frozen=True, slots=True)
class Near:
    """An open request nearby and how far away it is."""

    request: Request
    metres: float


def open_near(
    jurisdiction_id: int,
    latitude: float,
    longitude: float,
    radius_metres: float,
    *,
    service_codes: Sequence[str] = (),
    since: datetime | None = None,
    limit: int = 50,
) -> list[Near]:
    """Open requests within the radius, nearest first; leading ones rather than those joined to them. One query."""
    south, west, north, east = box_around(latitude, longitude, radius_metres)
    found: QuerySet[Request] = Request.objects.filter(
        jurisdiction_id=jurisdiction_id,
        state__in=sorted(OPEN_STATES),
        leading__isnull=True,
        latitude__range=(south, north),
        longitude__range=(west, east),
    ).select_related("service", "team")
    if service_codes:
        found = found.filter(service__code__in=list(service_codes))
    if since is not None:
        found = found.filter(received_at__gte=since)
    # Ordered in the database only to know which of very many come first; the true distance is measured below.
    east_west = (F("longitude") - longitude) * math.cos(math.radians(latitude))
    found = found.annotate(away=(F("latitude") - latitude) ** 2.0 + east_west**2.0).order_by("away", "pk")
    near = [
        Near(each, distance_metres(latitude, longitude, each.latitude or 0.0, each.longitude or 0.0))
        for each in found[:1000]
    ]
    return sorted((n for n in near if n.metres <= radius_metres), key=lambda n: (n.metres, n.request.pk))[:limit]


def joinable_codes(service_code: str, joining: Joining) -> list[str]:
    """The services whose open requests may be the same thing in the world."""
    return [service_code, *joining.also]


# --- Of residents ------------------------------------------------------------------------------------------------------

_OPEN_OF = """
SELECT r.id FROM unnest(%(ids)s::bigint[]) AS who(id) CROSS JOIN LATERAL (
    SELECT r.id FROM requests_request r
    WHERE r.jurisdiction_id = %(city)s AND r.resident_id = who.id AND r.state = ANY(%(states)s)
    ORDER BY r.received_at DESC LIMIT %(each)s) r
"""


def open_of_residents(jurisdiction: Jurisdiction, resident_ids: Sequence[int], *, each: int) -> list[Request]:
    """The newest `each` open requests of every one of these residents, newest first; two queries."""
    values: dict[str, Any] = {
        "city": jurisdiction.pk,
        "ids": list(resident_ids),
        "states": sorted(OPEN_STATES),
        "each": each,
    }
    ids = [row[0] for row in ask(_OPEN_OF, values)]
    found = list(
        Request.objects.filter(jurisdiction=jurisdiction, pk__in=ids)
        .select_related("service", "team")
        .order_by("-received_at", "-pk")
    )
    for request in found:
        request.jurisdiction = jurisdiction  # known already: sentences ask for its zone
    return found


_ASKED_AT = """
SELECT near.resident_id, near.address FROM (
    SELECT r.resident_id, r.address, r.received_at{alike} FROM requests_request r
    WHERE r.jurisdiction_id = %(city)s AND r.resident_id IS NOT NULL AND lower(r.address) LIKE %(begins)s
    LIMIT %(considered)s) near
WHERE near.alike >= 0.25 ORDER BY near.alike DESC, near.received_at DESC LIMIT %(limit)s
"""
_CONSIDERED = 2000


def asked_at(jurisdiction_id: int, words: Sequence[str], *, limit: int = 60) -> list[tuple[int, str]]:
    """(resident, address) of requests at an address with these words, the likeliest and newest first; one query.

    The first word begins the address (a house number, whole; or the name of a street); the others are compared with slips.
    """
    if not words:
        return []
    first, *others = words
    scores = " + ".join(f"word_similarity(%(w{n})s, lower(r.address))" for n in range(len(others)))
    alike = f", ({scores}) / {len(others)} AS alike" if others else ", 1.0 AS alike"
    begins = re.sub(r"([\\%_])", r"\\\1", first) + (" %" if first[0].isdigit() and others else "%")
    values: dict[str, Any] = {"city": jurisdiction_id, "begins": begins, "considered": _CONSIDERED, "limit": limit}
    values |= {f"w{n}": word for n, word in enumerate(others)}
    return [(pk, address) for pk, address in ask(_ASKED_AT.format(alike=alike), values)]
