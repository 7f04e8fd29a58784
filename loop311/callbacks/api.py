"""/api/v1/callbacks: promises to ring a resident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts import services as accounts
from loop311.accounts.api import require
from loop311.accounts.models import StaffMember, Team
from loop311.callbacks import services
from loop311.callbacks.models import Callback, CallbackQuerySet
from loop311.callbacks.policies import (
    AttemptOutcome,
    CallbackState,
    CancelReason,
    HandOverReason,
    Way,
    in_zone,
    ways_left,
)
from loop311.callbacks.services import Wish
from loop311.interactions import services as interactions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import LAX, Id, Input, Line, Prose, When, quick
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.requests.models import Request
from loop311.residents import services as residents

router = Router(tags=["callbacks"])

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class CallbackIn(Input):
    resident: Id
    window_start: When
    window_end: When
    reason: Prose = ""
    way: Annotated[Way, LAX] = Way.CALL
    request: Line | None = Field(None, description="Number of the request it is about.")
    interaction: Id | None = Field(None, description="The contact it was asked for in.")
    team: Line | None = Field(None, description="Code; the request's team when empty.")
    owner: Id | None = Field(None, description="A member of staff.")
    contact_point: Id | None = None


class AttemptIn(Input):
    outcome: Annotated[AttemptOutcome, LAX]
    way: Annotated[Way, LAX] = Way.CALL
    contact_point: Id | None = None
    version: Version | None = None


class ReassignIn(Input):
    team: Line | None = Field(None, description="Code.")
    owner: Id | None = None
    reason: Annotated[HandOverReason, LAX] | None = None
    version: Version | None = None


class FailIn(Input):
    version: Version | None = None


class CancelIn(Input):
    reason: Annotated[CancelReason, LAX]
    version: Version | None = None


class CallbackOut(BaseModel):
    id: int
    resident: int
    request: str | None = Field(description="Number of the request.")
    interaction: int
    team: str
    owner: int | None
    way: str
    contact_point: int | None
    window_start: datetime
    window_end: datetime
    window_local: tuple[str, str] = Field(description="The window by the city's clocks, with their offset.")
    reason: str
    state: CallbackState
    is_due: bool
    is_late: bool
    cancel_reason: str
    promised_at: datetime
    late_at: datetime | None
    ended_at: datetime | None
    version: int


class AttemptOut(BaseModel):
    id: int
    at: datetime
    way: str
    outcome: str
    contact_point: int | None


class WholeCallback(CallbackOut):
    attempts: list[AttemptOut]
    ways_left: list[str] = Field(description="Not tried yet and possible for this resident, in the order to try them.")


class CallbackPage(BaseModel):
    items: list[CallbackOut]
    next: str | None = Field(description="Send it as `after` for the next window; null at the end.")


class CallbackFilter(BaseModel):
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    after: Annotated[str, Field(pattern=r"^[0-9]{1,17}-[0-9]{1,18}$")] | None = None
    state: CallbackState | None = None
    when: Literal["due", "late"] | None = Field(None, description="Open ones whose window is now, or has passed.")
    team: Line | None = Field(None, description="Code.")
    owner: Id | None = None
    resident: Id | None = None
    request: Line | None = Field(None, description="Number.")


@router.get("/callbacks", response=CallbackPage, summary="Call-backs, the soonest window end first")
def soonest(request: HttpRequest, wanted: Query[CallbackFilter]) -> HttpResponse:
    who = require(request, "callbacks.read")
    city, at = _city(who), now()
    rows = list(_wanted(wanted, who, at).select_related("team", "request")[: wanted.limit + 1])
    items = [_plain(row, city, at) for row in rows[: wanted.limit]]
    last = rows[wanted.limit - 1] if len(rows) > wanted.limit else None
    return quick({"items": items, "next": f"{_micros(last.window_end)}-{last.pk}" if last else None})


def _wanted(wanted: CallbackFilter, who: Actor, at: datetime) -> CallbackQuerySet:
    rows = Callback.objects.of_city(who.jurisdiction_id).soonest_first()
    given = {
        "state": wanted.state,
        "team__code": wanted.team,
        "owner_id": wanted.owner,
        "resident_id": wanted.resident,
        "request__number": wanted.request,
    }
    rows = rows.filter(**{field: value for field, value in given.items() if value is not None})
    if wanted.when is not None:
        rows = rows.due(at) if wanted.when == "due" else rows.late(at)
    return rows.filter(_after(wanted.after)) if wanted.after else rows


def _after(cursor: str) -> Q:
    micros, pk = (int(part) for part in cursor.split("-"))
    try:
        end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError as error:
        raise Invalid("Send `next` as it was given.", fields=[FieldProblem("after", "Not one of ours.")]) from error
    return Q(window_end__gt=end) | Q(window_end=end, pk__gt=pk)


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@router.post("/callbacks", response={201: WholeCallback}, summary="Promise to ring a resident")
def promise(request: HttpRequest, body: CallbackIn) -> Status[WholeCallback]:
    who = require(request, "callbacks.write")
    wish = Wish(
        window_start=body.window_start,
        window_end=body.window_end,
        reason=body.reason,
        way=body.way,
        request=_request(body.request, who),
        interaction=interactions.get(body.interaction, by=who) if body.interaction else None,
        team=_team(body.team, who),
        owner=_owner(body.owner, who),
        contact_point_id=body.contact_point,
    )
    return Status(201, _whole(services.promise(residents.get(body.resident, by=who), wish, by=who)))


@router.get("/callbacks/{int:callback_id}", response=WholeCallback, summary="One call-back")
def read(request: HttpRequest, callback_id: Id) -> WholeCallback:
    return _whole(services.get(callback_id, by=require(request, "callbacks.read")))


@router.post("/callbacks/{int:callback_id}/attempts", response={201: WholeCallback}, summary="The resident was tried")
def attempt(request: HttpRequest, callback_id: Id, body: AttemptIn) -> Status[WholeCallback]:
    who = require(request, "callbacks.write")
    tried = services.attempt(
        services.get(callback_id, by=who),
        outcome=body.outcome,
        way=body.way,
        contact_point_id=body.contact_point,
        version=body.version,
        by=who,
    )
    return Status(201, _whole(tried))


@router.post("/callbacks/{int:callback_id}/reassign", response=WholeCallback, summary="Give it to somebody else")
def reassign(request: HttpRequest, callback_id: Id, body: ReassignIn) -> WholeCallback:
    who = require(request, "callbacks.write")
    callback = services.get(callback_id, by=who)
    team, owner = _team(body.team, who), _owner(body.owner, who)
    reason = body.reason or ""
    return _whole(services.reassign(callback, team=team, owner=owner, reason=reason, version=body.version, by=who))


@router.post(
    "/callbacks/{int:callback_id}/fail", response=WholeCallback, summary="Nobody could be reached, in two ways"
)
def fail(request: HttpRequest, callback_id: Id, body: FailIn) -> WholeCallback:
    who = require(request, "callbacks.write")
    return _whole(services.fail(services.get(callback_id, by=who), version=body.version, by=who))


@router.post("/callbacks/{int:callback_id}/cancel", response=WholeCallback, summary="It is not needed any more")
def cancel(request: HttpRequest, callback_id: Id, body: CancelIn) -> WholeCallback:
    who = require(request, "callbacks.write")
    callback = services.get(callback_id, by=who)
    return _whole(services.cancel(callback, reason=body.reason, version=body.version, by=who))


def _city(who: Actor) -> Jurisdiction:
    return Jurisdiction.objects.get(pk=who.jurisdiction_id)


def _request(number: str | None, who: Actor) -> Request | None:
    if number is None:
        return None
    found = Request.objects.filter(jurisdiction_id=who.jurisdiction_id, number=number).first()
    if found is None:
        raise Invalid("There is no such request.", fields=[FieldProblem("request", "Not in this city.")])
    return found


def _team(code: str | None, who: Actor) -> Team | None:
    if code is None:
        return None
    found = Team.objects.filter(jurisdiction_id=who.jurisdiction_id, code=code).first()
    if found is None:
        raise Invalid("There is no such team.", fields=[FieldProblem("team", "Not in this city.")])
    return found


def _owner(staff_id: int | None, who: Actor) -> StaffMember | None:
    return accounts.get_staff(staff_id, by=who) if staff_id is not None else None


def _plain(row: Callback, city: Jurisdiction, at: datetime) -> dict[str, Any]:
    return {
        "id": row.pk,
        "resident": row.resident_id,
        "request": row.request.number if row.request else None,
        "interaction": row.interaction_id,
        "team": row.team.code,
        "owner": row.owner_id,
        "way": row.way,
        "contact_point": row.contact_point_id,
        "window_start": row.window_start,
        "window_end": row.window_end,
        "window_local": [local.isoformat() for local in in_zone(row.window_start, row.window_end, city.zone)],
        "reason": row.reason,
        "state": row.state,
        "is_due": row.is_due(at),
        "is_late": row.is_late(at),
        "cancel_reason": row.cancel_reason,
        "promised_at": row.promised_at,
        "late_at": row.late_at,
        "ended_at": row.ended_at,
        "version": row.version,
    }


def _whole(row: Callback) -> WholeCallback:
    tries = list(row.attempts.order_by("at", "pk"))
    left = ways_left([t.tried() for t in tries], {p.kind for p in residents.contact_points(row.resident)})
    return WholeCallback(
        attempts=[
            AttemptOut(id=t.pk, at=t.at, way=t.way, outcome=t.outcome, contact_point=t.contact_point_id) for t in tries
        ],
        ways_left=list(left) if row.state == CallbackState.OPEN else [],
        **_plain(row, row.jurisdiction, now()),
    )
