"""/api/v1/requests: filing, finding, and every verb."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.accounts.models import StaffMember, Team
from loop311.catalog.models import CatalogueVersion, Service
from loop311.catalog.services import index_of
from loop311.interactions.models import Interaction
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import LAX, Id
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.ledger.models import Event
from loop311.requests import queries, schemas, services
from loop311.requests.models import Request
from loop311.requests.policies import State, possible
from loop311.requests.sentences import public_sentence
from loop311.residents import services as residents
from loop311.residents.models import Resident

router = Router(tags=["requests"])

Key = Annotated[
    str | None,
    Header(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key again gives the same request, never a second one.",
    ),
]
Language = Annotated[str, Field(max_length=35)]
Number = Annotated[str, Field(max_length=20)]


class Filter(BaseModel):
    state: Annotated[list[Annotated[State, LAX]], Field(max_length=9)] = []
    team: Annotated[str, Field(max_length=80)] | None = None
    service: Annotated[str, Field(max_length=80)] | None = None
    area: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="layer:key, for instance council_district:7"
    )
    resident_id: Id | None = None
    overdue: bool = False
    q: Annotated[str, Field(max_length=200)] = Field("", description="A number, or the beginning of an address.")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(max_length=200)] = Field("", description="`next` of the page before this one.")


class Around(BaseModel):
    latitude: schemas.Latitude
    longitude: schemas.Longitude
    radius_metres: Annotated[float, Field(gt=0, le=5000)] = 50
    service: Annotated[str, Field(max_length=80)] | None = None


def actor(request: HttpRequest, permission: str) -> Actor:
    return require(request, f"requests.{permission}")


def find(number: str, by: Actor) -> Request:
    """The request of this number in the actor's city."""
    found = (
        Request.objects.select_related("jurisdiction", "service", "team", "catalogue_version", "leading")
        .filter(jurisdiction_id=by.jurisdiction_id, number=number)
        .first()
    )
    if found is None:
        raise NotFound("There is no request with this number in this city.")
    return found


def show(number: str, by: Actor, language: str | None = None) -> dict[str, Any]:
    """One request as it stands, as the API gives it."""
    return present(find(number, by), by, language)


def present(request: Request, by: Actor, language: str | None = None) -> dict[str, Any]:
    return {
        **schemas.facts(request),
        "service_code": request.service.code,
        "team": request.team.code,
        "catalogue_version": request.catalogue_version.number,
        "leading": request.leading.number if request.leading else None,
        "public_sentence": public_sentence(request, language or request.jurisdiction.languages[0]),
        "possible": [verb.value for verb in possible(State(request.state)) if by.may(f"requests.{verb}")],
    }


def _of_city(model: Any, pk: int | None, by: Actor, field: str) -> Any:
    if pk is None:
        return None
    found = model.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=pk).first()
    if found is None:
        raise Invalid(f"{field} names nobody in this city.", fields=[FieldProblem(field, "Not of this city.")])
    return found


def _leading(number: str | None, by: Actor) -> Request | None:
    if number is None:
        return None
    found = Request.objects.filter(jurisdiction_id=by.jurisdiction_id, number=number).first()
    if found is None:
        fields = [FieldProblem("leading", "There is no such request in this city.")]
        raise Invalid("leading names no request of this city.", fields=fields)
    return found


@router.post("/requests", response={201: schemas.RequestOut}, summary="File a request")
def file(request: HttpRequest, body: schemas.FilingIn, response: HttpResponse, key: Key) -> Status[dict[str, Any]]:
    by = actor(request, "file")
    filing = services.Filing(
        **body.model_dump(exclude={"resident_id", "interaction_id", "leading"}),
        resident=_of_city(Resident, body.resident_id, by, "resident_id"),
        interaction=_of_city(Interaction, body.interaction_id, by, "interaction_id"),
        leading=_leading(body.leading, by),
    )
    jurisdiction = Jurisdiction.objects.get(pk=by.jurisdiction_id)
    filed = services.file(jurisdiction, filing, by=by, key=key)
    response["Location"] = f"/api/v1/requests/{filed.number}"
    return Status(201, present(filed, by))


@router.get("/requests", response=schemas.RequestPage, summary="Requests, newest first")
def newest(request: HttpRequest, wanted: Query[Filter]) -> HttpResponse:
    by = actor(request, "read")
    rows = queries.newest(
        by.jurisdiction_id,
        queries.Wanted(
            states=wanted.state,
            team_id=_code(Team, wanted.team, by, "team"),
            service_id=_code(Service, wanted.service, by, "service"),
            area=_area(wanted.area),
            resident_ids=_identities(wanted.resident_id, by),
            overdue_at=now() if wanted.overdue else None,
            text=wanted.q,
            before=wanted.cursor,
            limit=wanted.limit,
        ),
    )
    return HttpResponse(_page(rows, wanted.limit), content_type="application/json")


def _identities(resident_id: int | None, by: Actor) -> list[int]:
    """The resident's own requests and those of all that were merged into it."""
    if resident_id is None:
        return []
    known = Resident.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=resident_id).first()
    return residents.identity_ids(known) if known else [resident_id]


Listed = msgspec.defstruct("Listed", queries.LIST_COLUMNS)


def _page(rows: list[tuple[Any, ...]], limit: int) -> bytes:
    """Straight from tuples to JSON: building objects of a schema would cost most of the time of a list."""
    items = [
        Listed(*row[:10], msgspec.Raw(row[10]), *row[11:20])
        for row in rows  # row[10], the areas, is JSON text already
    ]
    following = queries.cursor_after(rows[-1][11], rows[-1][20]) if len(rows) == limit else None
    return msgspec.json.encode({"requests": items, "next": following})


def _code(model: type[Team | Service], code: str | None, by: Actor, field: str) -> int | None:
    """The id behind a code; plain SQL, as lists are asked for all day."""
    if code is None:
        return None
    with connection.cursor() as cursor:
        table = model._meta.db_table
        cursor.execute(f"SELECT id FROM {table} WHERE jurisdiction_id = %s AND code = %s", [by.jurisdiction_id, code])
        row = cursor.fetchone()
    if row is None:
        raise Invalid(f"The city has no {field} {code!r}.", fields=[FieldProblem(field, "Not of this city.")])
    return int(row[0])


def _area(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    layer, separator, key = text.partition(":")
    if not separator:
        raise Invalid("An area is written layer:key.", fields=[FieldProblem("area", "There is no colon.")])
    return layer, key


@router.get("/requests/near", response=list[schemas.NearOut], summary="Open requests around a point")
def near(request: HttpRequest, around: Query[Around]) -> list[dict[str, Any]]:
    by = actor(request, "read")
    found = queries.open_near(
        by.jurisdiction_id,
        around.latitude,
        around.longitude,
        around.radius_metres,
        service_codes=[around.service] if around.service else (),
    )
    return [
        {
            **{name: getattr(each.request, name) for name in ("number", "state", "address", "received_at", "due_at")},
            "joined_count": each.request.joined_count,
            "service_code": each.request.service.code,
            "metres": round(each.metres, 1),
        }
        for each in found
    ]


@router.get("/requests/{number}", response=schemas.RequestOut, summary="One request")
def one(request: HttpRequest, number: Number, language: Query[Language | None] = None) -> dict[str, Any]:
    return show(number, actor(request, "read"), language)


@router.get("/requests/{number}/history", response=list[schemas.HistoryOut], summary="Everything that happened to it")
def history(request: HttpRequest, number: Number) -> list[dict[str, Any]]:
    by = actor(request, "read")
    found = find(number, by)
    events = Event.objects.filter(jurisdiction_id=by.jurisdiction_id, subject_type="request", subject_id=found.pk)
    columns = ("sequence", "kind", "at", "actor_kind", "actor_ref", "body")
    return [{**row, "body": msgspec.json.decode(row["body"])} for row in events.order_by("sequence").values(*columns)]


@router.get("/requests/{number}/promises", response=list[schemas.PromiseOut], summary="Every promise, first to last")
def promises(request: HttpRequest, number: Number) -> list[Any]:
    return list(find(number, actor(request, "read")).promises.order_by("step", "sequence"))


@router.get("/requests/{number}/evidence", response=list[schemas.EvidenceOut], summary="What proves the work")
def evidence(request: HttpRequest, number: Number) -> list[Any]:
    return list(find(number, actor(request, "read")).evidence.order_by("pk"))


@router.get(
    "/requests/{number}/comments",
    response=list[schemas.CommentOut],
    summary="Words on it, and on the reports joined to it",
)
def comments(request: HttpRequest, number: Number) -> list[Any]:
    return list(queries.comments_of(find(number, actor(request, "read"))))


@router.get("/requests/{number}/restated", response=schemas.RestatedOut, summary="Its promise under another version")
def restated(
    request: HttpRequest, number: Number, catalogue_version: Query[Annotated[int, Field(ge=1, le=2**31 - 1)]]
) -> services.Restated:
    by = actor(request, "read")
    version = CatalogueVersion.objects.filter(jurisdiction_id=by.jurisdiction_id, number=catalogue_version).first()
    if version is None:
        raise NotFound("This city has no such version of its catalogue.")
    index_of(version.pk)
    return services.restate(find(number, by), version, at=now())


# --- Verbs: each gives the request as it is afterwards ------------------------------------------------------------------


@router.post("/requests/{number}/assign", response=schemas.RequestOut)
def assign(request: HttpRequest, number: Number, body: schemas.AssignIn) -> dict[str, Any]:
    by = actor(request, "assign")
    staff = _of_city(StaffMember, body.assignee_id, by, "assignee_id")
    services.assign(find(number, by), assignee=staff, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/start", response=schemas.RequestOut)
def start(request: HttpRequest, number: Number, body: schemas.VerbIn) -> dict[str, Any]:
    by = actor(request, "start")
    services.start(find(number, by), by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/wait", response=schemas.RequestOut)
def wait(request: HttpRequest, number: Number, body: schemas.ReasonIn) -> dict[str, Any]:
    by = actor(request, "wait")
    services.wait(find(number, by), reason=body.reason, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/resume", response=schemas.RequestOut)
def resume(request: HttpRequest, number: Number, body: schemas.VerbIn) -> dict[str, Any]:
    by = actor(request, "resume")
    services.resume(find(number, by), by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/hand-over", response=schemas.RequestOut)
def hand_over(request: HttpRequest, number: Number, body: schemas.HandOverIn) -> dict[str, Any]:
    by = actor(request, "hand_over")
    services.hand_over(find(number, by), owner=body.owner, reference=body.reference, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/evidence", response={201: schemas.RequestOut})
def add_evidence(request: HttpRequest, number: Number, body: schemas.EvidenceIn, key: Key) -> Status[dict[str, Any]]:
    by = actor(request, "add_evidence")
    proof = services.Proof(
        **body.model_dump(exclude={"sha256", "version"}), digest=bytes.fromhex(body.sha256) if body.sha256 else None
    )
    services.add_evidence(find(number, by), proof, by=by, version=body.version, key=key)
    return Status(201, show(number, by))


@router.post("/requests/{number}/resolve", response=schemas.RequestOut)
def resolve(request: HttpRequest, number: Number, body: schemas.OutcomeIn) -> dict[str, Any]:
    by = actor(request, "resolve")
    services.resolve(find(number, by), outcome=body.outcome, note=body.note, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/decline", response=schemas.RequestOut)
def decline(request: HttpRequest, number: Number, body: schemas.OutcomeIn) -> dict[str, Any]:
    by = actor(request, "decline")
    services.decline(find(number, by), outcome=body.outcome, note=body.note, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/confirm", response=schemas.RequestOut)
def confirm(request: HttpRequest, number: Number, body: schemas.VerbIn) -> dict[str, Any]:
    by = actor(request, "confirm")
    services.confirm(find(number, by), by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/dispute", response=schemas.RequestOut)
def dispute(request: HttpRequest, number: Number, body: schemas.DisputeIn) -> dict[str, Any]:
    by = actor(request, "dispute")
    services.dispute(find(number, by), text=body.text, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/join", response=schemas.RequestOut)
def join(request: HttpRequest, number: Number, body: schemas.JoinIn) -> dict[str, Any]:
    by = actor(request, "join")
    follower = find(number, by)
    leading = Request.objects.filter(jurisdiction_id=by.jurisdiction_id, number=body.leading).first()
    if leading is None:
        raise Invalid(
            "The leading request is not one of this city.", fields=[FieldProblem("leading", "Unknown in this city.")]
        )
    services.join(follower, leading=leading, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/separate", response=schemas.RequestOut)
def separate(request: HttpRequest, number: Number, body: schemas.VerbIn) -> dict[str, Any]:
    by = actor(request, "separate")
    services.separate(find(number, by), by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/comments", response={201: schemas.RequestOut})
def comment(request: HttpRequest, number: Number, body: schemas.CommentIn, key: Key) -> Status[dict[str, Any]]:
    by = actor(request, "comment")
    services.comment(find(number, by), text=body.text, is_public=body.is_public, by=by, version=body.version, key=key)
    return Status(201, show(number, by))


@router.post("/requests/{number}/reroute", response=schemas.RequestOut)
def reroute(request: HttpRequest, number: Number, body: schemas.RerouteIn) -> dict[str, Any]:
    by = actor(request, "reroute")
    found = find(number, by)
    team = Team.objects.filter(jurisdiction_id=by.jurisdiction_id, code=body.team).first()
    if team is None:
        raise Invalid(f"The city has no team {body.team!r}.", fields=[FieldProblem("team", "Not of this city.")])
    services.reroute(found, team=team, by=by, version=body.version)
    return show(number, by)


@router.post("/requests/{number}/change-service", response=schemas.RequestOut)
def change_service(request: HttpRequest, number: Number, body: schemas.ChangeServiceIn) -> dict[str, Any]:
    by = actor(request, "change_service")
    services.change_service(
        find(number, by), service_code=body.service_code, answers=body.answers, by=by, version=body.version
    )
    return show(number, by)
