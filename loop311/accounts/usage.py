"""How much a token is used: counted by day and call, and limited by the minute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from loop311.accounts.models import TokenUse
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now

PER_MINUTE = 600
"""Calls of one kind that a token may make in a minute, unless it was given another limit."""


@dataclass(frozen=True, slots=True)
class Used:
    in_minute: int
    """Calls of this kind in the present minute, this one included."""
    limit: int
    seconds_left: int
    """Until the next minute begins."""

    @property
    def is_too_much(self) -> bool:
        return self.in_minute > self.limit


_COUNT = """
INSERT INTO accounts_tokenuse AS u (jurisdiction_id, token_id, day, call, count, refused, minute, in_minute)
SELECT t.jurisdiction_id, t.id, %(day)s, %(call)s, 1, 0, %(minute)s, 1 FROM accounts_token t WHERE t.digest = %(digest)s
ON CONFLICT (jurisdiction_id, token_id, day, call) DO UPDATE SET
    count = u.count + 1,
    in_minute = CASE WHEN u.minute = EXCLUDED.minute THEN u.in_minute + 1 ELSE 1 END,
    refused = u.refused + (u.minute = EXCLUDED.minute AND u.in_minute >= coalesce(
        (SELECT t.per_minute FROM accounts_token t WHERE t.id = u.token_id), %(usual)s))::int,
    minute = EXCLUDED.minute
RETURNING in_minute, (SELECT t.per_minute FROM accounts_token t WHERE t.id = u.token_id)
"""


def count(secret: str, call: str, *, at: datetime | None = None) -> Used:
    """One more call with this known token. Call it outside of a transaction: it commits, whatever becomes of the call.

    Calls of one token wait here for each other, for as long as one statement takes.
    """
    at = at or now()
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    digest = hashlib.sha256(secret.encode()).digest()
    values: dict[str, Any] = {
        "day": minute.date(),
        "call": call,
        "minute": minute,
        "digest": digest,
        "usual": PER_MINUTE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        in_minute, limit = cursor.fetchone()
    left = minute + timedelta(minutes=1) - at
    return Used(in_minute, PER_MINUTE if limit is None else limit, max(1, round(left.total_seconds())))


@dataclass(frozen=True, slots=True)
class Day:
    """What a token was used for on one day."""

    token: int
    day: str
    call: str
    count: int
    refused: int


def days_of(jurisdiction: Jurisdiction, *, since: datetime) -> list[Day]:
    """The newest day first; one query."""
    rows = TokenUse.objects.filter(jurisdiction=jurisdiction, day__gte=since.astimezone(UTC).date())
    return [
        Day(row.token_id, row.day.isoformat(), row.call, row.count, row.refused)
        for row in rows.order_by("-day", "token_id", "call")
    ]


def by_token(days: Iterable[Day]) -> dict[int, list[Day]]:
    found: dict[int, list[Day]] = {}
    for day in days:
        found.setdefault(day.token, []).append(day)
    return found
