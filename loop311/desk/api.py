"""/api/v1/residents/find: who is calling, with everything a desk needs at once. For screens that pop up when a call comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.desk import callers
from loop311.desk.callers import Asked, Awaited, Caller
from loop311.interactions.queries import LastContact
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import Line
from loop311.residents.policies import Point

router = Router(tags=["residents"])
Shape = TypeVar("Shape", bound=BaseModel)


class CallerSearch(BaseModel):
    q: Line = Field(
        description="A telephone number or its last four digits and more, an e-mail address, words of a name or address,"
        " the number of a request."
    )
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class CallerPoint(BaseModel):
    id: int
    kind: str
    address: str
    is_preferred: bool
    may_notify: bool
    is_unsubscribed: bool
    is_verified: bool


class CallerContact(BaseModel):
    id: int
    channel: str
    at: datetime
    outcome: str
    topic: str


class CallerRequest(BaseModel):
    number: str
    service_code: str
    service: str
    state: str
    is_open: bool
    address: str
    received_at: datetime
    due_at: datetime | None = Field(description="What was promised.")
    is_late: bool
    sentence: str = Field(description="What the resident is told of it, in the resident's language.")


class CallerCallback(BaseModel):
    id: int
    window_start: datetime
    window_end: datetime
    is_late: bool
    reason: str


class CallerOut(BaseModel):
    resident: int
    name: str
    kind: str
    language: str
    address: str
    note: str
    version: int
    why: callers.Why = Field(description="What of the caller fits the words.")
    what: str = Field(description="The number, address or name that fits.")
    identities: list[int]
    contact_points: list[CallerPoint]
    consents: dict[str, bool]
    contacts: list[CallerContact] = Field(description="The last five, newest first.")
    requests: list[CallerRequest] = Field(description="The open ones, newest first.")
    callbacks: list[CallerCallback] = Field(description="The open ones, soonest first.")
    asked_about: CallerRequest | None = Field(description="The request whose number was given, open or not.")


class FoundCallers(BaseModel):
    items: list[CallerOut]


@dataclass(frozen=True, slots=True)
class _Seat:
    city: Jurisdiction
    actor: Actor

    @property
    def language(self) -> str:
        return self.city.languages[0]


@router.get("/residents/find", response=FoundCallers, summary="Who is calling, with what is open")
def find(request: HttpRequest, search: Query[CallerSearch]) -> FoundCallers:
    who = require(request, "residents.read")
    seat = _Seat(Jurisdiction.objects.get(pk=who.jurisdiction_id), who)
    return FoundCallers(items=[_out(each) for each in callers.callers(seat, search.q, search.limit)])


def _out(found: Caller) -> CallerOut:
    person = found.resident
    return CallerOut(
        resident=person.pk,
        name=person.name,
        kind=person.kind,
        language=found.language,
        address=person.address,
        note=person.note,
        version=person.version,
        why=found.why,
        what=found.what,
        identities=list(found.identities),
        contact_points=[_same(CallerPoint, point) for point in found.points],
        consents=dict(found.consents),
        contacts=[_same(CallerContact, contact) for contact in found.contacts],
        requests=[_same(CallerRequest, each) for each in found.requests],
        callbacks=[_same(CallerCallback, each) for each in found.callbacks],
        asked_about=_same(CallerRequest, found.asked_about) if found.asked_about else None,
    )


def _same(shape: type[Shape], row: Point | LastContact | Asked | Awaited) -> Shape:
    return shape.model_validate(row, from_attributes=True)
