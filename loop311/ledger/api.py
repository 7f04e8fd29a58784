"""/api/v1/ledger: what happened to one subject, as it stands in the diary; and handlers that failed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from loop311.kit.actor import Actor
from loop311.kit.api import Id, Window, note_permission, quick
from loop311.kit.problems import Forbidden, NotFound, Unauthenticated
from loop311.ledger.jobs import troubled_handlers
from loop311.ledger.models import Event

router = Router(tags=["ledger"])

SubjectType = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$", description="request, resident, callback, catalogue ...")]


class EventOut(BaseModel):
    id: int
    sequence: int = Field(description="1, 2, 3 ... within the subject, without gaps.")
    kind: str
    at: datetime = Field(description="When it happened.")
    recorded_at: datetime = Field(description="When it was written down.")
    actor_kind: str
    actor_ref: int
    body: dict[str, Any]
    previous_hash: str
    hash: str = Field(description="SHA-256, hexadecimal; how it is made is in docs/adr/0009-ledger.md.")


class EventList(BaseModel):
    items: list[EventOut]
    next: int | None = Field(description="Send it as `after` for the next window; null at the end.")


class TroubledOut(BaseModel):
    job: int
    event: int
    kind: str
    subject_type: str
    subject_id: int
    handler: str
    attempts: int
    next_try_at: datetime | None = Field(description="Null: given up.")


def _reader(request: HttpRequest) -> Actor:
    """This room lies below accounts, so it looks itself at who calls."""
    who = getattr(request, "auth", None)
    if not isinstance(who, Actor):
        raise Unauthenticated("Send a bearer token.")
    note_permission(request, "ledger.read")
    if not who.may("ledger.read"):
        raise Forbidden("This needs the scope ledger.read, which the token does not have.")
    return who


@router.get(
    "/ledger/failures", response=list[TroubledOut], summary="Handlers that failed: given up, or to be tried again"
)
def failures(request: HttpRequest) -> HttpResponse:
    return quick(troubled_handlers(_reader(request).jurisdiction_id))


@router.get(
    "/ledger/{subject_type}/{int:subject_id}",
    response=EventList,
    summary="The chain of one subject, from its first event",
)
def chain(request: HttpRequest, subject_type: SubjectType, subject_id: Id, window: Query[Window]) -> HttpResponse:
    by = _reader(request)
    rows = Event.objects.filter(
        jurisdiction_id=by.jurisdiction_id, subject_type=subject_type, subject_id=subject_id
    ).order_by("sequence")
    if not rows.exists():
        raise NotFound("The ledger knows no such subject in this city.")
    found = list(rows.filter(sequence__gt=window.after or 0)[: window.limit + 1])
    items = [_out(event) for event in found[: window.limit]]
    return quick({"items": items, "next": found[window.limit - 1].sequence if len(found) > window.limit else None})


def _out(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "sequence": event.sequence,
        "kind": event.kind,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "actor_kind": event.actor_kind,
        "actor_ref": event.actor_ref,
        "body": json.loads(event.body),
        "previous_hash": bytes(event.previous_hash).hex(),
        "hash": bytes(event.hash).hex(),
    }
