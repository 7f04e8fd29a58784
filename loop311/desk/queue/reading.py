"""What stands in a team's queue, the earliest promise first, with a fixed number of queries whatever its length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.timezone import localtime

from loop311.accounts.models import Team
from loop311.desk.access import Desk
from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE
from loop311.requests.queries import cursor_after, read_cursor
from loop311.requests.sentences import say
from loop311.requests.workload import SOON, Load, workloads

PAGE = 50
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""In cursors: where imported requests without any promise stand, at the end."""

Chosen = Mapping[str, Any]
"""The cleaned choices of a `QueueForm`."""


@dataclass(frozen=True, slots=True)
class Queue:
    team: Team
    name: str
    requests: tuple[Request, ...]
    after: str
    """Cursor of the next page; empty on the last."""
    load: Load


def queue(desk: Desk, whose: Team, chosen: Chosen, *, at: datetime) -> Queue:
    """The counts are of all that is open; three queries."""
    waiting = Request.objects.filter(jurisdiction=desk.city, team=whose, state__in=sorted(WORKABLE))
    load = workloads(desk.city.pk, [whose.pk], at=at).get(whose.pk, Load())
    rows = _after(_chosen(waiting, desk, chosen, at), chosen.get("after") or "").select_related("service", "assignee")
    shown = tuple(rows.order_by(F("due_at").asc(nulls_last=True), "pk")[:PAGE])
    last = shown[-1] if len(shown) == PAGE else None
    following = cursor_after(last.due_at or _NEVER, last.pk) if last is not None else ""
    return Queue(whose, say(whose.names, desk.language, whose.code), shown, following, load)


def _after(rows: QuerySet[Request], cursor: str) -> QuerySet[Request]:
    if not cursor:
        return rows
    due_at, request_id = read_cursor(cursor)
    if due_at == _NEVER:
        return rows.filter(due_at=None, pk__gt=request_id)
    return rows.filter(Q(due_at__gt=due_at) | Q(due_at=due_at, pk__gt=request_id) | Q(due_at=None))


def _chosen(rows: QuerySet[Request], desk: Desk, chosen: Chosen, at: datetime) -> QuerySet[Request]:
    for name, narrow in _NARROW.items():
        if chosen.get(name):
            rows = narrow(rows, desk, chosen[name], at)
    return rows


def _by_due(rows: QuerySet[Request], desk: Desk, value: str, at: datetime) -> QuerySet[Request]:
    if value == "late":
        return rows.filter(due_at__lt=at)
    if value == "soon":
        return rows.filter(due_at__gte=at, due_at__lt=at + SOON)
    if value == "none":
        return rows.filter(due_at=None)
    tomorrow = localtime(at, desk.city.zone).date() + timedelta(days=1)
    return rows.filter(due_at__lte=datetime.combine(tomorrow, time(), tzinfo=desk.city.zone))


def _by_who(rows: QuerySet[Request], desk: Desk, value: str, at: datetime) -> QuerySet[Request]:
    if value == "nobody":
        return rows.filter(assignee=None)
    return rows.filter(assignee=desk.staff.pk if value == "me" else int(value))


def _by_area(rows: QuerySet[Request], desk: Desk, value: str, at: datetime) -> QuerySet[Request]:
    layer, _, key = value.partition(":")
    return rows.filter(areas__contains={layer: key})


def _by_text(rows: QuerySet[Request], desk: Desk, value: str, at: datetime) -> QuerySet[Request]:
    return rows.filter(Q(number=value) | Q(address__istartswith=value))


_Narrow = Callable[[QuerySet[Request], Desk, str, datetime], QuerySet[Request]]
_NARROW: dict[str, _Narrow] = {
    "state": lambda rows, desk, value, at: rows.filter(state=value),
    "due": _by_due,
    "who": _by_who,
    "priority": lambda rows, desk, value, at: rows.filter(priority=value),
    "service": lambda rows, desk, value, at: rows.filter(service__code=value),
    "area": _by_area,
    "q": _by_text,
}
"""Name of a choice -> what it leaves."""
