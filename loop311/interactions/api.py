"""/api/v1/interactions: every contact on every channel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.interactions import services
from loop311.interactions.models import Interaction
from loop311.interactions.policies import Channel, ContactOutcome
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import LAX, Id, Input, Line, When, Window, quick
from loop311.residents import services as residents
from loop311.residents.models import Resident

router = Router(tags=["interactions"])

Code = Annotated[str, Field(max_length=80)]


class BeginIn(Input):
    channel: Annotated[Channel, LAX]
    resident: Id | None = None
    on_behalf_of: Line = Field("", description="Who is really meant when somebody asks for another.")
    language: Annotated[str, Field(max_length=35)] = ""


class InformationIn(Input):
    channel: Annotated[Channel, LAX]
    topic: Code = Field(description="Code of the service or article it was about.")
    articles: Annotated[list[Id], Field(max_length=20)] = Field([], description="Ids of the articles that answered it.")
    resident: Id | None = None
    language: Annotated[str, Field(max_length=35)] = ""
    started_at: When | None = None


class EndIn(Input):
    outcome: Annotated[ContactOutcome, LAX]
    topic: Code = ""


class IdentifyIn(Input):
    resident: Id


class LinkIn(Input):
    subject_type: Code = Field(description="request, callback, article or gap")
    subject_id: Id


class InteractionOut(BaseModel):
    id: int
    channel: str
    resident: int | None
    staff: int | None
    on_behalf_of: str
    language: str
    started_at: datetime
    ended_at: datetime | None
    topic: str
    outcome: str


class LinkOut(BaseModel):
    subject_type: str
    subject_id: int
    at: datetime


class WholeInteraction(InteractionOut):
    links: list[LinkOut]


class InteractionPage(BaseModel):
    items: list[InteractionOut]
    next: int | None = Field(description="Send it as `after` for the window of older ones; null at the end.")


class InteractionFilter(Window):
    resident: Id | None = None
    channel: Channel | None = None
    open: bool = Field(False, description="Only those that have not ended.")


_COLUMNS = (
    "id", "channel", "resident_id", "staff_id", "on_behalf_of", "language", "started_at", "ended_at", "topic", "outcome"
)  # fmt: skip


@router.get("/interactions", response=InteractionPage, summary="Contacts, the newest written down first")
def newest(request: HttpRequest, wanted: Query[InteractionFilter]) -> HttpResponse:
    who = require(request, "interactions.read")
    rows = list(_wanted(wanted, who).order_by("-pk").values_list(*_COLUMNS)[: wanted.limit + 1])
    items = [dict(zip(InteractionOut.model_fields, row, strict=True)) for row in rows[: wanted.limit]]
    return quick({"items": items, "next": items[-1]["id"] if len(rows) > wanted.limit else None})


def _wanted(wanted: InteractionFilter, who: Actor) -> QuerySet[Interaction]:
    rows = Interaction.objects.filter(jurisdiction_id=who.jurisdiction_id)
    if wanted.after is not None:
        rows = rows.filter(pk__lt=wanted.after)
    if wanted.resident is not None:
        person = Resident.objects.filter(jurisdiction_id=who.jurisdiction_id, pk=wanted.resident).first()
        rows = rows.filter(resident_id__in=residents.identity_ids(person) if person else [])
    if wanted.channel is not None:
        rows = rows.filter(channel=wanted.channel)
    return rows.filter(ended_at__isnull=True) if wanted.open else rows


@router.post("/interactions", response={201: WholeInteraction}, summary="A contact has begun")
def begin(request: HttpRequest, body: BeginIn) -> Status[WholeInteraction]:
    who = require(request, "interactions.write")
    begun = services.begin(
        _city(who),
        body.channel,
        resident=_resident(body.resident, who),
        on_behalf_of=body.on_behalf_of,
        language=body.language,
        by=who,
    )
    return Status(201, _whole(begun))


@router.post(
    "/interactions/information", response={201: WholeInteraction}, summary="A contact that was answered at once"
)
def record_information(request: HttpRequest, body: InformationIn) -> Status[WholeInteraction]:
    who = require(request, "interactions.write")
    made = services.record_information(
        _city(who),
        body.channel,
        topic=body.topic,
        resident=_resident(body.resident, who),
        language=body.language,
        articles=body.articles,
        started_at=body.started_at,
        by=who,
    )
    return Status(201, _whole(made))


@router.get("/interactions/{int:interaction_id}", response=WholeInteraction, summary="One contact")
def read(request: HttpRequest, interaction_id: Id) -> WholeInteraction:
    return _whole(services.get(interaction_id, by=require(request, "interactions.read")))


@router.post("/interactions/{int:interaction_id}/end", response=WholeInteraction, summary="The contact is over")
def end(request: HttpRequest, interaction_id: Id, body: EndIn) -> WholeInteraction:
    who = require(request, "interactions.write")
    contact = services.get(interaction_id, by=who)
    return _whole(services.end(contact, outcome=body.outcome, topic=body.topic, by=who))


@router.post(
    "/interactions/{int:interaction_id}/identify", response=WholeInteraction, summary="Who it is has become known"
)
def identify(request: HttpRequest, interaction_id: Id, body: IdentifyIn) -> WholeInteraction:
    who = require(request, "interactions.write")
    contact = services.get(interaction_id, by=who)
    return _whole(services.identify(contact, residents.get(body.resident, by=who), by=who))


@router.post("/interactions/{int:interaction_id}/links", response={201: LinkOut}, summary="What the contact was about")
def link(request: HttpRequest, interaction_id: Id, body: LinkIn) -> Status[LinkOut]:
    who = require(request, "interactions.write")
    contact = services.get(interaction_id, by=who)
    made = services.link(contact, body.subject_type, body.subject_id, by=who)
    return Status(201, LinkOut(subject_type=made.subject_type, subject_id=made.subject_id, at=made.at))


def _city(who: Actor) -> Jurisdiction:
    return Jurisdiction.objects.get(pk=who.jurisdiction_id)


def _resident(resident_id: int | None, who: Actor) -> Resident | None:
    return residents.get(resident_id, by=who) if resident_id is not None else None


def _whole(row: Interaction) -> WholeInteraction:
    fields: dict[str, Any] = {
        name: getattr(row, column) for name, column in zip(InteractionOut.model_fields, _COLUMNS, strict=True)
    }
    links = [
        LinkOut(subject_type=one.subject_type, subject_id=one.subject_id, at=one.at)
        for one in row.links.order_by("at", "pk")
    ]
    return WholeInteraction(links=links, **fields)
