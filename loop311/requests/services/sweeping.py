"""What time alone does: closing undisputed requests, running stopped clocks again, climbing the escalation ladder.

Each step is a transaction of its own, so a killed worker loses nothing and the next sweep goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from loop311.catalog.definitions import EscalationLevel, Step
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.sweeps import pass_over
from loop311.promises import policies as promise_policies
from loop311.requests.models import ClockStop, Escalated, Promise, Request
from loop311.requests.policies import OPEN_STATES, State
from loop311.requests.services import access
from loop311.requests.services.ending import close_undisputed
from loop311.requests.services.promising import terms_of
from loop311.requests.services.working import resume

BATCH = 500
"""So many of each are done in one sweep; the next goes on."""

log = structlog.get_logger(__name__)


def sweep(at: datetime | None = None) -> dict[str, int]:
    """Everything that is due at `at`, for all cities; how many of each."""
    at = at or now()
    return {"closed": close_due(at), "resumed": resume_due(at), "escalated": escalate_due(at)}


def close_due(at: datetime) -> int:
    """Close what was done and not objected to in time."""

    def close(request_id: int, jurisdiction_id: int) -> int:
        request = Request(pk=request_id, jurisdiction_id=jurisdiction_id)
        return int(close_undisputed(request, at=at).state == State.CLOSED)

    due = Request.objects.filter(state=State.DONE, leading__isnull=True, dispute_until__lte=at)
    return _each(due, "dispute_until", close)


def resume_due(at: datetime) -> int:
    """Run the clocks again whose reason has its longest time behind it."""

    def run(stop_id: int, jurisdiction_id: int) -> int:
        stop = ClockStop.objects.select_related("request").get(pk=stop_id)
        resume(stop.request, by=system(jurisdiction_id), at=at)
        return 1

    due = ClockStop.objects.filter(ended_at__isnull=True, ends_by__lte=at, request__state=State.WAITING)
    return _each(due, "ends_by", run)


def escalate_due(at: datetime, *, jurisdiction_id: int | None = None) -> int:
    """Climb every step that is due, once for each promise; of one city, or (None) of all."""
    due = Request.objects.filter(escalate_at__lte=at)
    if jurisdiction_id is not None:
        due = due.filter(jurisdiction_id=jurisdiction_id)
    return _each(due, "escalate_at", lambda request_id, city: _escalate(request_id, city, at))


def _each(rows: QuerySet[Any], due: str, step: Callable[[int, int], int]) -> int:
    """Take the step for each row, longest due first; one that cannot be taken is logged and holds up no other."""
    count = 0
    for pk, jurisdiction_id in _longest_due_first(rows, due):
        try:
            count += step(pk, jurisdiction_id)
        except Exception:
            pass_over()
            log.exception(
                "a step that time should take", of=rows.model._meta.label, id=pk, jurisdiction=jurisdiction_id
            )
        if count >= BATCH:
            break
    return count


def _longest_due_first(rows: QuerySet[Any], due: str) -> Iterator[tuple[int, int]]:
    """(id, city), past any number of rows that stay due."""
    rest = rows
    while batch := list(rest.order_by(due, "pk").values_list("pk", "jurisdiction_id", due)[:BATCH]):
        yield from ((pk, jurisdiction_id) for pk, jurisdiction_id, _ in batch)
        last, _, since = batch[-1]
        rest = rows.filter(Q(**{f"{due}__gt": since}) | Q(**{due: since}, pk__gt=last))


@transaction.atomic
def _escalate(request_id: int, jurisdiction_id: int, at: datetime) -> int:
    by = system(jurisdiction_id)
    request = access.lock(request_id, by=by)
    if request.escalate_at is None or request.escalate_at > at:
        return 0
    policy = terms_of(request).policy
    promise = _present_promise(request)
    if policy is None or promise is None or State(request.state) not in OPEN_STATES:
        request.escalate_at = None
        request.version += 1
        request.save(update_fields=["escalate_at", "version"])
        return 0
    climbed = {EscalationLevel(e) for e in Escalated.objects.filter(promise=promise).values_list("level", flat=True)}
    due = promise_policies.due_escalations(policy, promise.due_at, at, climbed)
    later = [step.at for step in promise_policies.escalation_times(policy, promise.due_at) if step.at > at]
    request.escalate_at = min(later, default=None)
    for step in due:
        _climb(request, promise, step.level, [tell.value for tell in step.tell], at)
    if not due:
        request.version += 1
        request.save(update_fields=["escalate_at", "version"])
    return len(due)


def _climb(request: Request, promise: Promise, level: EscalationLevel, tell: list[str], at: datetime) -> None:
    Escalated.objects.create(jurisdiction_id=request.jurisdiction_id, promise=promise, level=level, at=at)
    body = {"level": level, "tell": tell, "due_at": promise.due_at.isoformat()}
    by = system(request.jurisdiction_id)
    access.write(request, "request.escalated", body, by=by, at=at, fields=("escalate_at",))


def _present_promise(request: Request) -> Promise | None:
    promises = request.promises.filter(jurisdiction_id=request.jurisdiction_id, step=Step.RESOLUTION)
    return promises.order_by("-sequence").first()
