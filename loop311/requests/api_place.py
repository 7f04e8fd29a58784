"""/api/v1/requests, before anything is filed: what the city makes of a point, what is known there, what would be promised."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import BaseModel, Field

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import Input
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.requests import api, schemas
from loop311.requests.history import Basis, honest_range, sentence
from loop311.requests.known import Known, already_known
from loop311.requests.policies import State
from loop311.requests.previewing import preview
from loop311.requests.receipts import receipt
from loop311.requests.whereabouts import whereabouts

router = Router(tags=["requests"])

ServiceCode = Annotated[str, Field(max_length=80)]
Texts = dict[str, str]


class Point(BaseModel):
    latitude: Annotated[schemas.Latitude, Field(allow_inf_nan=False)]
    longitude: Annotated[schemas.Longitude, Field(allow_inf_nan=False)]


class Placed(Point):
    service: ServiceCode = Field("", description="Code; without it, only what holds for every service.")
    language: api.Language = Field("", description="Of names; sentences come in every language of the city.")


class KnownAround(Point):
    service: ServiceCode
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class AreaHereOut(Schema):
    layer: str
    layer_name: str
    key: str
    name: str


class ResponsibleOut(Schema):
    code: str
    name: str
    phone: str
    url: str


class WhereaboutsOut(Schema):
    inside_city: bool
    address: str = Field(description="Of the nearest address known; empty when none is near.")
    areas: list[AreaHereOut]
    team: str = Field(description="Who would receive it; empty without a service, or outside the city.")
    team_name: str
    owner: ResponsibleOut | None = Field(description="Who outside the city is responsible.")
    tell: Texts = Field(description="Language: what the caller is told; empty when there is nothing special to say.")


class KnownOut(Schema):
    number: str
    state: State
    service_code: str
    address: str
    metres: float
    received_at: datetime
    due_at: datetime | None
    reporters: int = Field(description="Everybody who reported it, the first one included.")
    photo: int | None = Field(description="Id of its newest photo.")
    sentences: Texts = Field(description="Language: how it stands.")


class BeforeFilingIn(Input):
    service_code: schemas.Code
    answers: schemas.Answers = {}
    latitude: schemas.Latitude | None = None
    longitude: schemas.Longitude | None = None


class BeforeFilingOut(Schema):
    team: str
    priority: str
    step: str
    due_at: datetime
    first_response_due_at: datetime | None
    hand_over: str = Field(description="Code of the owner outside the city; empty when the city itself does it.")
    areas: dict[str, str]
    sentences: Texts = Field(description="Language: what to say.")


class UsuallyAt(BaseModel):
    service: ServiceCode
    latitude: Annotated[schemas.Latitude, Field(allow_inf_nan=False)] | None = None
    longitude: Annotated[schemas.Longitude, Field(allow_inf_nan=False)] | None = None


class UsualTimeOut(Schema):
    median_hours: int | None = Field(description="Within this half are done; null when that was not seen.")
    p90_hours: int | None
    sample: int = Field(description="Requests looked at, those still open included.")
    basis: Basis = Field(description="area, city (too few in the area) or none (too few in the city).")
    layer: str
    area: str
    sentences: Texts = Field(description="Language: what to say.")


class ReceiptOut(Schema):
    language: str
    number: str
    service: str
    address: str
    received_at: datetime
    due_at: datetime | None
    owner: ResponsibleOut | None
    sentences: list[str]
    text: str = Field(description="All of it as one message to send.")


def _city(by: Actor) -> Jurisdiction:
    return Jurisdiction.objects.get(pk=by.jurisdiction_id)


@router.get("/requests/whereabouts", response=WhereaboutsOut, summary="What the city makes of a point")
def whereabouts_of(request: HttpRequest, wanted: Query[Placed]) -> Any:
    city = _city(api.actor(request, "read"))
    return whereabouts(city, wanted.latitude, wanted.longitude, service_code=wanted.service, language=wanted.language)


@router.get("/requests/known", response=list[KnownOut], summary="Open requests that may be the same thing")
def known(request: HttpRequest, wanted: Query[KnownAround]) -> list[dict[str, Any]]:
    """Of the service and those people confuse it with, as near and as recent as the catalogue says; nearest first."""
    city = _city(api.actor(request, "read"))
    found = already_known(city, wanted.service, wanted.latitude, wanted.longitude, limit=wanted.limit)
    return [_known(each) for each in found]


def _known(each: Known) -> dict[str, Any]:
    return {
        **{name: getattr(each.request, name) for name in ("number", "state", "address", "received_at", "due_at")},
        "service_code": each.request.service.code,
        "metres": round(each.metres, 1),
        "reporters": each.reporters,
        "photo": each.photo.pk if each.photo else None,
        "sentences": dict(each.sentences),
    }


@router.post("/requests/preview", response=BeforeFilingOut, summary="What would be promised; nothing is saved")
def preview_of(request: HttpRequest, body: BeforeFilingIn) -> Any:
    city = _city(api.actor(request, "read"))
    found = preview(city, body.service_code, answers=body.answers, latitude=body.latitude, longitude=body.longitude)
    if found is None:
        raise NotFound("Nothing would be promised: the service is not offered, or the place lies outside the city.")
    return found


@router.get("/requests/usual-time", response=UsualTimeOut, summary="How long these usually take, honestly")
def usual_time(request: HttpRequest, wanted: Query[UsuallyAt]) -> dict[str, Any]:
    """Of the last half year, still open ones included; from the area where enough is known there, else from the whole city."""
    city = _city(api.actor(request, "read"))
    areas, names = _named_areas(city, wanted)
    found = honest_range(city.pk, wanted.service, areas, now())
    return {
        **{name: getattr(found, name) for name in ("sample", "basis", "layer", "area")},
        "median_hours": _hours(found.median),
        "p90_hours": _hours(found.p90),
        "sentences": {code: sentence(found, code, names.get(found.layer, "")) for code in city.languages},
    }


def _named_areas(city: Jurisdiction, wanted: UsuallyAt) -> tuple[dict[str, str], dict[str, str]]:
    """Layer -> key and layer -> name, of the point if there is one."""
    if wanted.latitude is None or wanted.longitude is None:
        return {}, {}
    here = whereabouts(city, wanted.latitude, wanted.longitude)
    return here.area_keys, {each.layer: each.name for each in here.areas}


def _hours(length: timedelta | None) -> int | None:
    return None if length is None else int(length / timedelta(hours=1))


@router.get("/requests/{number}/receipt", response=ReceiptOut, summary="What a caller takes away")
def receipt_of(request: HttpRequest, number: api.Number, language: Query[api.Language] = "") -> Any:
    found = api.find(number, api.actor(request, "read"))
    return receipt(found, language or found.jurisdiction.languages[0])
