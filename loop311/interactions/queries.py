"""Reading contacts: the last ones of several people at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

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


def _ask(sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())
