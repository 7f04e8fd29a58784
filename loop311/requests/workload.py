"""How much lies with a team: the same figures on its queue and in its lead's daily e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE

SOON = timedelta(days=1)
"""A promise within this time is at risk."""


@dataclass(frozen=True, slots=True)
class Load:
    """Of what is open: how much, past its promise, within a day of it, and nobody's yet."""

    open: int = 0
    late: int = 0
    soon: int = 0
    unassigned: int = 0


def workloads(jurisdiction_id: int, team_ids: Sequence[int], *, at: datetime) -> dict[int, Load]:
    """Team id -> its load; teams with nothing open are left out. One query."""
    rows = Request.objects.filter(
        jurisdiction_id=jurisdiction_id, team_id__in=list(team_ids), state__in=sorted(WORKABLE)
    )
    counted = rows.values("team_id").annotate(
        open=Count("pk"),
        late=Count("pk", filter=Q(due_at__lt=at)),
        soon=Count("pk", filter=Q(due_at__gte=at, due_at__lt=at + SOON)),
        unassigned=Count("pk", filter=Q(assignee=None)),
    )
    return {row.pop("team_id"): Load(**row) for row in counted.order_by()}
