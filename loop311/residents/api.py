"""/api/v1/residents: who wrote to us."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import LAX, Id, Input, Line, Prose
from loop311.residents import services
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.policies import Kind, Point, PointKind
from loop311.residents.services import PointInput

router = Router(tags=["residents"])

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Tag = Annotated[str, Field(max_length=35)]
Code = Annotated[str, Field(max_length=80)]


class PointIn(Input):
    kind: Annotated[PointKind, LAX]
    address: Line
    is_preferred: bool = False
    may_notify: bool = True


class ResidentIn(Input):
    name: Line = ""
    kind: Annotated[Kind, LAX] = Kind.PERSON
    language: Tag = Field("", description="A tag such as es; the city's first language when empty.")
    address: Line = ""
    note: Prose = ""
    time_zone: Tag = Field("", description="IANA name, such as America/New_York; the city's own when empty.")
    contact_points: list[PointIn] = Field([], max_length=20)


class ResidentChange(Input):
    version: Version = Field(description="The version this change was made from.")
    name: Line | None = None
    kind: Annotated[Kind, LAX] | None = None
    language: Tag | None = None
    address: Line | None = None
    note: Prose | None = None
    time_zone: Tag | None = None


class PointOut(BaseModel):
    id: int
    kind: str
    address: str
    is_preferred: bool
    may_notify: bool
    is_unsubscribed: bool
    is_verified: bool


class ResidentOut(BaseModel):
    id: int
    kind: str
    name: str
    language: str
    address: str
    note: str
    time_zone: str = Field(description="Empty for the city's own.")
    version: int
    created_at: datetime
    erased_at: datetime | None
    merged_into: int | None = Field(description="Another resident stands for this one now.")


class WholeResident(ResidentOut):
    contact_points: list[PointOut] = Field(description="Of all identities, each address once.")
    identities: list[int] = Field(description="This resident and all that were merged into it.")
    consents: dict[str, bool]


class Found(BaseModel):
    items: list[ResidentOut]


class Search(BaseModel):
    q: Line = Field(description="A telephone number, an e-mail address, or words of name and address.")
    limit: Annotated[int, Field(ge=1, le=50)] = 20


@router.get("/residents", response=Found, summary="Find residents")
def find(request: HttpRequest, search: Query[Search]) -> Found:
    who = require(request, "residents.read")
    return Found(items=[_out(row) for row in services.find(search.q, by=who, limit=search.limit)])


@router.post("/residents", response={201: WholeResident}, summary="Write down a resident")
def create(request: HttpRequest, body: ResidentIn) -> Status[WholeResident]:
    who = require(request, "residents.write")
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    resident = services.create(
        city,
        name=body.name,
        kind=body.kind,
        language=body.language,
        address=body.address,
        note=body.note,
        time_zone=body.time_zone,
        contact_points=[_point(point) for point in body.contact_points],
        by=who,
    )
    return Status(201, _whole(resident, request))


@router.get("/residents/{int:resident_id}", response=WholeResident, summary="One resident")
def read(request: HttpRequest, resident_id: Id) -> WholeResident:
    return _whole(services.get(resident_id, by=require(request, "residents.read")), request)


@router.patch("/residents/{int:resident_id}", response=WholeResident, summary="Change what is known")
def update(request: HttpRequest, resident_id: Id, body: ResidentChange) -> WholeResident:
    who = require(request, "residents.write")
    resident = services.get(resident_id, by=who)
    return _whole(services.update(resident, by=who, **body.model_dump(exclude_unset=True)), request)


@router.delete("/residents/{int:resident_id}", response={204: None}, summary="Erase a person, in every identity")
def erase(request: HttpRequest, resident_id: Id) -> Status[None]:
    who = require(request, "residents.erase")
    services.erase(services.get(resident_id, by=who), by=who)
    return Status(204, None)


# --- Contact points and consent ----------------------------------------------------------------------------------------


@router.post("/residents/{int:resident_id}/contact-points", response={201: PointOut}, summary="Add a way to reach them")
def add_contact_point(request: HttpRequest, resident_id: Id, body: PointIn) -> Status[PointOut]:
    who = require(request, "residents.write")
    made = services.add_contact_point(services.get(resident_id, by=who), _point(body), by=who)
    return Status(201, _point_out(made))


@router.delete(
    "/residents/{int:resident_id}/contact-points/{int:point_id}", response={204: None}, summary="Remove a contact point"
)
def remove_contact_point(request: HttpRequest, resident_id: Id, point_id: Id) -> Status[None]:
    who = require(request, "residents.write")
    services.remove_contact_point(services.get_contact_point(resident_id, point_id, by=who), by=who)
    return Status(204, None)


@router.post(
    "/residents/{int:resident_id}/contact-points/{int:point_id}/unsubscribe",
    response=PointOut,
    summary="Nothing more is sent there",
)
def unsubscribe(request: HttpRequest, resident_id: Id, point_id: Id) -> PointOut:
    who = require(request, "residents.write")
    return _point_out(services.unsubscribe(services.get_contact_point(resident_id, point_id, by=who), by=who))


@router.post(
    "/residents/{int:resident_id}/contact-points/{int:point_id}/resubscribe",
    response=PointOut,
    summary="Messages are welcome there again",
)
def resubscribe(request: HttpRequest, resident_id: Id, point_id: Id) -> PointOut:
    who = require(request, "residents.write")
    return _point_out(services.resubscribe(services.get_contact_point(resident_id, point_id, by=who), by=who))


class ConsentIn(Input):
    given: bool
    how: Code = Field(description="Channel and version of the wording, as a code: phone-2026-01.")


@router.put(
    "/residents/{int:resident_id}/consents/{purpose}", response=dict[str, bool], summary="Write down a yes or no"
)
def set_consent(request: HttpRequest, resident_id: Id, purpose: Code, body: ConsentIn) -> dict[str, bool]:
    who = require(request, "residents.write")
    resident = services.get(resident_id, by=who)
    services.set_consent(resident, purpose, given=body.given, how=body.how, by=who)
    return services.consents(resident, by=who)


# --- Merging -----------------------------------------------------------------------------------------------------------


class MergeIn(Input):
    gone: Id = Field(description="The resident this one shall stand for from now on.")
    reason: Line = ""


class MergePreviewOut(BaseModel):
    refusal: str | None = Field(description="Why the two cannot be merged, if they cannot.")
    differences: list[str] = Field(description="Fields in which the kept one's word will stand.")
    contact_points: list[PointOut]


@router.get(
    "/residents/{int:resident_id}/merge-preview/{int:gone_id}",
    response=MergePreviewOut,
    summary="What a merge would show",
)
def preview_merge(request: HttpRequest, resident_id: Id, gone_id: Id) -> MergePreviewOut:
    who = require(request, "residents.merge")
    seen = services.preview_merge(services.get(resident_id, by=who), services.get(gone_id, by=who), by=who)
    points = [_shown(point) for point in seen.points]
    return MergePreviewOut(refusal=seen.refusal, differences=list(seen.differences), contact_points=points)


@router.post("/residents/{int:resident_id}/merge", response=WholeResident, summary="Two residents are one")
def merge(request: HttpRequest, resident_id: Id, body: MergeIn) -> WholeResident:
    who = require(request, "residents.merge")
    kept, gone = services.get(resident_id, by=who), services.get(body.gone, by=who)
    services.merge(kept, gone, reason=body.reason, by=who)
    return _whole(services.get(kept.pk, by=who), request)


@router.post(
    "/residents/{int:resident_id}/undo-merge", response=WholeResident, summary="This resident is one of its own again"
)
def undo_merge(request: HttpRequest, resident_id: Id) -> WholeResident:
    who = require(request, "residents.merge")
    services.undo_merge(services.get(resident_id, by=who), by=who)
    return _whole(services.get(resident_id, by=who), request)


def _point(point: PointIn) -> PointInput:
    return PointInput(point.kind, point.address, is_preferred=point.is_preferred, may_notify=point.may_notify)


def _out(row: Resident) -> ResidentOut:
    return ResidentOut(merged_into=row.merged_into_id, **{name: getattr(row, name) for name in _COLUMNS})


_COLUMNS = ("id", "kind", "name", "language", "address", "note", "time_zone", "version", "created_at", "erased_at")


def _whole(row: Resident, request: HttpRequest) -> WholeResident:
    row = services.get(row.pk, by=require(request, "residents.read"))
    return WholeResident(
        **_out(row).model_dump(),
        contact_points=[_shown(point) for point in services.contact_points(row)],
        identities=services.identity_ids(row),
        consents=services.consents(row, by=require(request, "residents.read")),
    )


def _point_out(row: ContactPoint) -> PointOut:
    return _shown(services.point_of(row))


def _shown(point: Point) -> PointOut:
    return PointOut(**{name: getattr(point, name) for name in PointOut.model_fields})
