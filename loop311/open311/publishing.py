"""Requests as the public sees them: never who reported, never a hidden one, a sensitive one only to its block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from loop311.catalog.definitions import Publicity
from loop311.georeport.model import RequestItem
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import NotFound
from loop311.open311.policies import MOST, Window
from loop311.requests.models import Request
from loop311.requests.publicity import CLOSED, closed_at, public_place, public_words
from loop311.requests.sentences import public_sentence, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is narrowed to. Ids override all else."""

    numbers: Sequence[str] = ()
    service_codes: Sequence[str] = ()
    statuses: frozenset[str] = frozenset({"open", "closed"})
    window: Window | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    page: int = 1
    page_size: int = MOST


def found(city: Jurisdiction, asked: Asked) -> list[Request]:
    """One page, newest first; one query whatever its length."""
    rows = _public(city)
    if asked.numbers:
        return list(rows.filter(number__in=list(asked.numbers)[:MOST]))
    rows = rows.filter(_narrowed(asked))
    first = (asked.page - 1) * asked.page_size
    return list(rows[first : first + asked.page_size])


def _narrowed(asked: Asked) -> Q:
    wanted = Q()
    if asked.window:
        wanted &= Q(received_at__gte=asked.window.start, received_at__lte=asked.window.end)
    if asked.service_codes:
        wanted &= Q(service__code__in=list(asked.service_codes))
    if asked.updated_after:
        wanted &= Q(updated_at__gte=asked.updated_after)
    if asked.updated_before:
        wanted &= Q(updated_at__lte=asked.updated_before)
    if len(asked.statuses) == 1:
        ended = Q(state__in=sorted(CLOSED))
        wanted &= ended if "closed" in asked.statuses else ~ended
    return wanted


def one(city: Jurisdiction, number: str) -> Request:
    """Raises NotFound, also for a hidden one."""
    request = _public(city).filter(number=number[:40]).first()
    if request is None:
        raise NotFound(f"There is no service_request_id {number[:40]!r}.")
    return request


def _public(city: Jurisdiction) -> QuerySet[Request]:
    rows = Request.objects.filter(jurisdiction=city).exclude(publicity=Publicity.HIDDEN.value)
    return rows.select_related("service", "team").order_by("-received_at", "-id")


def items(requests: Iterable[Request], city: Jurisdiction, language: str) -> list[RequestItem]:
    return [item(request, city, language) for request in requests]


def item(request: Request, city: Jurisdiction, language: str) -> RequestItem:
    request.jurisdiction = city
    place = public_place(request.publicity, request.address, request.latitude, request.longitude)
    closed = closed_at(request.state, request.done_at, request.ended_at, request.updated_at)
    return RequestItem(
        service_request_id=request.number,
        status="closed" if closed else "open",
        status_notes=public_sentence(request, language),
        service_name=say(request.service.names, language, request.service.code),
        service_code=request.service.code,
        description=public_words(request.description) or None,
        agency_responsible=say(request.team.names, language, request.team.code),
        requested_datetime=_whole(request.received_at),
        updated_datetime=_whole(closed or request.updated_at),
        expected_datetime=_whole(request.due_at) if request.due_at else None,
        address=place.address or None,
        lat=place.latitude,
        long=place.longitude,
    )


def _whole(at: datetime) -> datetime:
    """Whole seconds: some clients answer fractions with an error."""
    return at.replace(microsecond=0)
