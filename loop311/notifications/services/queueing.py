"""From an event to its messages: whom to tell, in which language, with which texts, and what was so at that time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from loop311.accounts.models import Team
from loop311.catalog.definitions import Template
from loop311.catalog.index import text_in
from loop311.catalog.services import at as catalogue_at
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import ActorKind
from loop311.kit.clock import now
from loop311.kit.jobs import LATER, defer
from loop311.kit.problems import NotFound
from loop311.ledger.models import Event
from loop311.notifications import defaults
from loop311.notifications.models import Message
from loop311.notifications.policies import (
    ASKED_JUST_NOW,
    KIND_OF_POINT,
    Kind,
    MessageState,
    concerns_resident,
    held_until,
    is_news,
    may_be_told,
    message_id,
)
from loop311.notifications.services.quiet import quiet_hours
from loop311.requests.models import Request
from loop311.residents.models import Resident
from loop311.residents.policies import Point
from loop311.residents.services import contact_points, standing

Facts = dict[str, str | None]
"""Placeholders' raw values at the time of the event: codes, numbers, ISO dates. Nothing personal."""


def notify_request_event(event_id: int) -> None:
    """Handler: one message for each contact point of the request's resident; none for an anonymous one."""
    event = Event.objects.select_related("jurisdiction").get(pk=event_id)
    if event.kind not in defaults.TEMPLATES or not is_news(event.at, event.recorded_at):
        return
    request = Request.objects.select_related("service", "team", "resident", "leading").get(
        jurisdiction_id=event.jurisdiction_id, pk=event.subject_id
    )
    body = json.loads(event.body)
    if request.resident is not None and _is_news_to_resident(event, body, request.resident):
        event.kind = told_as(event.kind, body)
        _tell(event, request.resident, request, request_facts(request, body))


def _is_news_to_resident(event: Event, body: Mapping[str, object], resident: Resident) -> bool:
    if event.kind == "request.rerouted" and _same_name(event, body, resident):
        return False
    return concerns_resident(event.kind, body, by_resident=event.actor_kind == ActorKind.RESIDENT)


def _same_name(event: Event, body: Mapping[str, object], resident: Resident) -> bool:
    """Between two crews of one name a request may move without anybody outside noticing; a new date is told by itself."""
    teams = Team.objects.filter(
        jurisdiction_id=event.jurisdiction_id, pk__in=[body.get("from_team"), body.get("to_team")]
    )
    languages = (standing(resident).language, *event.jurisdiction.languages)
    return len({text_in(names, languages) for names in teams.values_list("names", flat=True)}) < 2


def told_as(kind: str, body: Mapping[str, object]) -> str:
    """The kind whose text says it. Ended with a declined leading request is declined: not closed, and one can object."""
    declined = kind == "request.leader_closed" and body.get("state") == "declined"
    return "request.declined" if declined else kind


def notify_callback_event(event_id: int) -> None:
    """Handler: tells the resident of a call-back; the event's body names resident, request and window."""
    event = Event.objects.select_related("jurisdiction").get(pk=event_id)
    body = json.loads(event.body)
    if event.kind not in defaults.TEMPLATES or not is_news(event.at, event.recorded_at) or not body.get("resident"):
        return
    if not concerns_resident(event.kind, body, by_resident=event.actor_kind == ActorKind.RESIDENT):
        return
    city = {"jurisdiction_id": event.jurisdiction_id}
    resident = Resident.objects.get(**city, pk=body["resident"])
    request = (
        Request.objects.select_related("service", "team", "leading").filter(**city, pk=body.get("request")).first()
    )
    facts = request_facts(request, {}) if request else {}
    window = {"window_from": body.get("window_from"), "window_to": body.get("window_to")}
    _tell(event, resident, request, {**facts, **window})


def request_facts(request: Request, body: Mapping[str, object]) -> Facts:
    """The event's own word first (the request may have moved on since), then the request as it stands."""

    def told(key: str, otherwise: str | None) -> str | None:
        value = body.get(key)
        return str(value) if value not in (None, "") else otherwise

    return {
        "number": request.number,
        "service": request.service.code,
        "team": request.team.code,
        "due_on": told("due_at", _iso(request.due_at)),
        "outcome": told("outcome", request.outcome),
        "reason": told("reason", request.waiting_reason),
        "owner": told("owner", request.handed_to),
        "dispute_until": _iso(request.dispute_until),
        "leading_number": request.leading.number if request.leading else None,
        "comment": told("comment", None),
        "request_version": str(request.catalogue_version_id),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _tell(event: Event, resident: Resident, request: Request | None, facts: Facts) -> None:
    version_id, template = template_for(event, str(facts.get("service") or ""))
    language = language_for(standing(resident).language, event.jurisdiction, template)
    for point in contact_points(resident):
        kind = KIND_OF_POINT.get(point.kind)
        if kind is None or not may_be_told(
            event.kind, may_notify=point.may_notify, is_unsubscribed=point.is_unsubscribed
        ):
            continue
        _queue(event, resident, request, point, kind, language, version_id, facts)


def template_for(event: Event, service_code: str) -> tuple[int | None, Template]:
    """The catalogue version in force when it happened and its template; without one the built-in text."""
    try:
        version, index = catalogue_at(event.jurisdiction, event.at)
    except NotFound:
        return None, defaults.TEMPLATES[event.kind]
    found = index.template(event.kind, service_code)
    return (version.pk, found) if found else (None, defaults.TEMPLATES[event.kind])


def language_for(wanted: str, jurisdiction: Jurisdiction, template: Template) -> str:
    """The resident's, else its base language, else the city's first one, of those that the template has."""
    for language in (wanted, wanted.split("-")[0], *jurisdiction.languages):
        if template.body.get(language):
            return language
    return next(iter(template.body))


def _queue(
    event: Event,
    resident: Resident,
    request: Request | None,
    point: Point,
    kind: Kind,
    language: str,
    version_id: int | None,
    facts: Facts,
) -> None:
    at = now()
    later = hold(event.jurisdiction, kind, event.kind, at)
    message = Message.objects.create(
        jurisdiction_id=event.jurisdiction_id,
        event=event,
        resident=resident,
        contact_point_id=point.id,
        request=request,
        kind=kind,
        event_kind=event.kind,
        language=language,
        catalogue_version_id=version_id,
        facts=facts,
        state=MessageState.HELD if later else MessageState.QUEUED,
        message_id=message_id(event.pk, point.id, urlsplit(settings.BASE_URL).hostname or "localhost"),
        next_attempt_at=later or at,
        created_at=at,
    )
    defer_sending(message.pk, later)


def hold(jurisdiction: Jurisdiction, kind: str, event_kind: str, at: datetime) -> datetime | None:
    """Until when the quiet hours hold such a message back; None when it may go now."""
    if kind != Kind.SMS or event_kind in ASKED_JUST_NOW:
        return None
    return held_until(at, jurisdiction.zone, quiet_hours(jurisdiction.pk))


def defer_sending(message_pk: int, at: datetime | None) -> None:
    """The job that sends it, in the same transaction."""
    defer("notifications.send", queue="messages", at=at, priority=LATER, message=message_pk)
