"""What has happened to public requests, for systems that follow them: mySociety's servicerequestupdates, read from the ledger."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from loop311.catalog.index import CatalogueIndex
from loop311.georeport.model import UpdateItem
from loop311.jurisdictions.models import Jurisdiction
from loop311.ledger.models import Event
from loop311.open311 import finding
from loop311.open311.policies import Window
from loop311.requests.models import Comment, Request
from loop311.requests.policies import State
from loop311.requests.publicity import public_words
from loop311.requests.sentences import public_sentence
from loop311.requests.services.access import SUBJECT

STATUSES: dict[State, str] = {
    State.RECEIVED: "open",
    State.ASSIGNED: "planned",
    State.IN_PROGRESS: "in_progress",
    State.WAITING: "action_scheduled",
    State.HANDED_OVER: "investigating",
    State.DONE: "fixed",
    State.CLOSED: "fixed",
    State.DECLINED: "no_further_action",
    State.JOINED: "duplicate",
}
"""Our state in mySociety's words. What somebody outside has is still watched here, so it is not `internal_referral`, which ends."""

COMMENTED = "request.commented"
_INTERNAL = '"public":false'
TOLD = (
    COMMENTED, "request.assigned", "request.started", "request.waiting", "request.resumed", "request.handed_over",
    "request.done", "request.declined", "request.closed", "request.reopened", "request.joined", "request.separated",
    "request.leader_done", "request.leader_closed", "request.leader_reopened", "request.rerouted", "request.service_changed",
)  # fmt: skip
"""Events that are updates: what changes the state, and words for the public."""

LONGEST = timedelta(days=31)
USUAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    window: Window
    numbers: Sequence[str]
    page: int
    page_size: int


def found(city: Jurisdiction, index: CatalogueIndex, wanted: Wanted) -> list[Event]:
    """One page, oldest first, and one more when another follows. Ids stay for ever: they are those of the ledger."""
    end = wanted.window.end + timedelta(seconds=1)  # the times given out are whole seconds
    requests = finding.public(city, index)
    if wanted.numbers:
        requests = requests.filter(number__in=list(wanted.numbers))
    events = _public(city, requests).filter(recorded_at__gte=wanted.window.start, recorded_at__lt=end)
    events = events.order_by("recorded_at", "id")
    first = (wanted.page - 1) * wanted.page_size
    return list(events[first : first + wanted.page_size + 1])


def one(event_id: int, city: Jurisdiction, index: CatalogueIndex, language: str) -> tuple[UpdateItem, datetime] | None:
    """The update with this id, and when exactly it was; None when it is not public (any more)."""
    event = _public(city, finding.public(city, index)).filter(pk=event_id).first()
    return (next(items([event], city, language)), event.recorded_at) if event else None


def _public(city: Jurisdiction, requests: QuerySet[Request]) -> QuerySet[Event]:
    events = Event.objects.filter(jurisdiction=city, subject_type=SUBJECT, kind__in=TOLD)
    return events.exclude(kind=COMMENTED, body__contains=_INTERNAL).filter(subject_id__in=requests.values("pk"))


def is_internal(event: Event) -> bool:
    """A comment for staff only."""
    return event.kind == COMMENTED and _INTERNAL in event.body


def items(events: Sequence[Event], city: Jurisdiction, language: str) -> Iterator[UpdateItem]:
    """Two more queries, however many events."""
    bodies = [json.loads(event.body) for event in events]
    of_city = {"jurisdiction": city}
    requests = Request.objects.filter(**of_city, pk__in={event.subject_id for event in events})
    known = {request.pk: request for request in requests.select_related("service", "team")}
    wanted = [body["comment"] for event, body in zip(events, bodies, strict=True) if event.kind == COMMENTED]
    words = dict(Comment.objects.filter(**of_city, pk__in=wanted, is_public=True).values_list("pk", "text"))
    for event, body in zip(events, bodies, strict=True):
        request = known[event.subject_id]
        request.jurisdiction = city
        if event.kind == COMMENTED:
            said = public_words(words.get(body["comment"], ""))
        else:
            said = public_sentence(_as_it_was(request, body), language)
        yield _item(event, body, request, said)


def _item(event: Event, body: Mapping[str, Any], request: Request, said: str) -> UpdateItem:
    return UpdateItem(
        update_id=str(event.pk),
        service_request_id=request.number,
        status=STATUSES[State(body["state"])],
        updated_datetime=event.recorded_at.replace(microsecond=0),
        description=said or None,
        external_status_code=body["state"],
    )


def _as_it_was(request: Request, body: Mapping[str, Any]) -> Request:
    """With the state, reason, outcome and owner that the event tells of; team and dates are today's."""
    then = copy.copy(request)
    then.state = body["state"]
    then.waiting_reason = body.get("reason", request.waiting_reason) if then.state == State.WAITING else ""
    then.outcome = body.get("outcome", request.outcome)
    then.handed_to = body.get("owner", request.handed_to)
    if then.handed_to != request.handed_to:
        then.handed_reference = ""
    return then


def window(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """The day before `end`, or after `start`, where only one is given; the last day when none is."""
    end = end or (max(start, min(now, start + USUAL)) if start else now)
    return Window(start or end - USUAL, end)
