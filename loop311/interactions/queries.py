"""Reading contacts: the last ones of several people at once; who has taken one over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from loop311.accounts.models import StaffMember
from loop311.ledger.models import Event

_LAST = """
SELECT who.id, c.id, c.channel, c.started_at, c.ended_at, c.outcome, c.topic, c.staff_id, c.language
FROM unnest(%(ids)s::bigint[]) AS who(id) CROSS JOIN LATERAL (
    SELECT i.* FROM interactions_interaction i
    WHERE i.jurisdiction_id = %(city)s AND i.resident_id = who.id
    ORDER BY i.started_at DESC LIMIT %(limit)s) c
ORDER BY c.started_at DESC, c.id DESC
"""
_LAST_AT = """
SELECT who.id, (
    SELECT i.started_at FROM interactions_interaction i
    WHERE i.jurisdiction_id = %(city)s AND i.resident_id = who.id ORDER BY i.started_at DESC LIMIT 1)
FROM unnest(%(ids)s::bigint[]) AS who(id)
"""


@dataclass(frozen=True, slots=True)
class LastContact:
    """One contact as a list shows it."""

    resident_id: int
    id: int
    channel: str
    at: datetime
    ended_at: datetime | None
    outcome: str
    topic: str
    staff_id: int | None
    language: str


def last_of(city: int, resident_ids: Sequence[int], *, each: int) -> list[LastContact]:
    """The last `each` contacts of every one of these residents, the newest first; one query that reads no more than those."""
    rows = _ask(_LAST, {"city": city, "ids": list(resident_ids), "limit": each})
    return [LastContact(*row) for row in rows]


def last_at(city: int, resident_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these residents was last in touch; one query. Those who never were are left out."""
    rows = _ask(_LAST_AT, {"city": city, "ids": list(resident_ids)})
    return {pk: at for pk, at in rows if at is not None}


@dataclass(frozen=True, slots=True)
class Taken:
    """A contact that went on with somebody else."""

    by: str
    at: datetime


def taken_from(staff: StaffMember, interaction_id: int) -> Taken | None:
    """Who took this contact of the staff member's over, the last time; None where nobody did."""
    city = staff.jurisdiction_id
    told = Event.objects.filter(
        jurisdiction_id=city, subject_type="interaction", subject_id=interaction_id, kind="interaction.taken_over"
    )
    for event in told.order_by("-sequence"):
        body = json.loads(event.body)
        if body["from"] == staff.pk:
            return Taken(StaffMember.objects.get(jurisdiction_id=city, pk=body["to"]).name, event.at)
    return None


def _ask(sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())
