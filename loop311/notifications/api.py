"""/api/v1/notifications: what was sent, what could not be, and what a text would look like."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.interactions import services as interactions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import LAX, Id, Input, Line, Window, quick
from loop311.knowledge.services import get_article
from loop311.notifications import services
from loop311.notifications.models import Message
from loop311.notifications.policies import LISTED, MessageState, Quiet
from loop311.notifications.preview import preview

router = Router(tags=["notifications"])

_COLUMNS = (
    "id", "state", "kind", "event_kind", "event_id", "request__number", "resident_id", "contact_point_id", "language",
    "message_id", "attempts", "next_attempt_at", "error", "created_at", "ended_at",
)  # fmt: skip


class MessageOut(BaseModel):
    id: int
    state: str
    kind: str
    event_kind: str
    event_id: int
    request: str | None = Field(description="The request's number.")
    resident_id: int
    contact_point_id: int
    language: str
    message_id: str
    attempts: int
    next_attempt_at: datetime | None
    error: str = Field(description="A code such as 'smtp 550'; empty when nothing went wrong.")
    created_at: datetime
    ended_at: datetime | None


class MessageList(BaseModel):
    items: list[MessageOut]
    next: int | None = Field(description="Send it as `after` for the next window; null at the end.")


class MessageFilter(Window):
    state: Annotated[list[Annotated[MessageState, LAX]], Field(max_length=7)] = []
    request: Annotated[str, Field(max_length=20)] | None = Field(None, description="A request's number.")


@router.get("/notifications/messages", response=MessageList, summary="Messages, newest first")
def messages(request: HttpRequest, wanted: Query[MessageFilter]) -> HttpResponse:
    by = require(request, "notifications.read")
    filters: dict[str, Any] = {"jurisdiction_id": by.jurisdiction_id}
    if wanted.state:
        filters["state__in"] = [state.value for state in wanted.state]
    if wanted.request is not None:
        filters["request__number"] = wanted.request
    return quick(_window(filters, wanted))


@router.get("/notifications/failures", response=MessageList, summary="Messages somebody has to look at, newest first")
def failures(request: HttpRequest, wanted: Query[Window]) -> HttpResponse:
    by = require(request, "notifications.read")
    return quick(_window({"jurisdiction_id": by.jurisdiction_id, "state__in": sorted(LISTED)}, wanted))


def _window(filters: dict[str, Any], wanted: Window) -> dict[str, Any]:
    rows = Message.objects.filter(**filters)
    if wanted.after is not None:
        rows = rows.filter(pk__lt=wanted.after)
    found = [_row(row) for row in rows.order_by("-pk").values_list(*_COLUMNS)[: wanted.limit + 1]]
    items = found[: wanted.limit]
    return {"items": items, "next": items[-1]["id"] if len(found) > wanted.limit else None}


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    return {column.removesuffix("__number"): value for column, value in zip(_COLUMNS, row, strict=True)}


@router.post(
    "/notifications/messages/{int:message_id}/retry", response=MessageOut, summary="Have a failed message tried again"
)
def retry(request: HttpRequest, message_id: Id) -> HttpResponse:
    by = require(request, "notifications.write")
    services.retry(message_id, by=by)
    return quick(_row(Message.objects.values_list(*_COLUMNS).get(jurisdiction_id=by.jurisdiction_id, pk=message_id)))


class ArticleSending(Input):
    interaction: Id = Field(description="The contact in which it was asked.")
    article: Annotated[str, Field(max_length=80)] = Field(description="Code of a published article for everybody.")
    contact_point: Id | None = Field(None, description="The first that can be written to unless given.")
    language: Annotated[str, Field(max_length=35)] = ""


@router.post(
    "/notifications/articles",
    response={201: MessageOut},
    summary="Send an answer to the resident of a contact; once for a contact, article and contact point",
)
def send_article(request: HttpRequest, body: ArticleSending) -> HttpResponse:
    by = require(request, "notifications.send_article")
    sent = services.send_article(
        interactions.get(body.interaction, by=by),
        get_article(body.article, by=by),
        contact_point_id=body.contact_point,
        language=body.language,
        by=by,
    )
    return quick(_row(Message.objects.values_list(*_COLUMNS).get(pk=sent.pk)), status=201)


class PreviewIn(Input):
    event: Line = Field(description="An event kind, for instance request.filed.")
    service_code: Line = ""
    language: Line = Field("", description="The city's first one unless given.")
    request: Line = Field("", description="A request's number; an imagined request unless given.")


class PreviewOut(BaseModel):
    subject: str
    body: str
    html: str
    sms: str
    language: str


@router.post("/notifications/preview", response=PreviewOut, summary="What a message would look like; sends nothing")
def preview_message(request: HttpRequest, body: PreviewIn) -> PreviewOut:
    by = require(request, "notifications.read")
    city = Jurisdiction.objects.get(pk=by.jurisdiction_id)
    words = preview(city, body.event, service_code=body.service_code, language=body.language, number=body.request)
    return PreviewOut(subject=words.subject, body=words.body, html=words.html, sms=words.sms, language=words.language)


class QuietHoursOut(BaseModel):
    start: str = Field(description="A wall time of the city: 21:00.")
    end: str


Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="A wall time of the city: 21:00.")]


class QuietHoursIn(Input):
    start: Clock
    end: Clock = Field(description="The same as `start`: never quiet.")


@router.get("/notifications/quiet-hours", response=QuietHoursOut, summary="When the city sends no texts")
def quiet_hours(request: HttpRequest) -> QuietHoursOut:
    return _hours(services.quiet_hours(require(request, "notifications.read").jurisdiction_id))


@router.put("/notifications/quiet-hours", response=QuietHoursOut, summary="Set when the city sends no texts")
def set_quiet_hours(request: HttpRequest, body: QuietHoursIn) -> QuietHoursOut:
    by = require(request, "notifications.write")
    return _hours(services.set_quiet_hours(time.fromisoformat(body.start), time.fromisoformat(body.end), by=by))


def _hours(quiet: Quiet) -> QuietHoursOut:
    return QuietHoursOut(start=quiet.start.isoformat("minutes"), end=quiet.end.isoformat("minutes"))
