"""Requests as the public sees them: never who reported, never a hidden one, a sensitive one only to its block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from msgspec import UNSET

from loop311.catalog.definitions import Open311Type, Publicity, Step
from loop311.catalog.index import CatalogueIndex
from loop311.georeport.model import RequestItem
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.ledger.models import Event
from loop311.open311 import extending, nearness
from loop311.open311.nearness import Box, Circle
from loop311.open311.policies import MOST, Window
from loop311.requests.models import Attachment, Promise, Request
from loop311.requests.policies import AttachmentRole
from loop311.requests.publicity import CLOSED, closed_at, public_place, public_words
from loop311.requests.sentences import public_sentence, say
from loop311.requests.services.access import SUBJECT

MOST_COUNTED = 10_000
"""Requests that are counted; of more it is only said that there are more."""

_LATELY = timedelta(days=7)
"""What changed since then is looked up in the diary; what changed since longer ago is nearly everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is narrowed to. Ids override all else."""

    numbers: Sequence[str] = ()
    service_codes: Sequence[str] = ()
    statuses: frozenset[str] = frozenset({"open", "closed"})
    window: Window | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    where: Box | Circle | None = None
    page: int = 1
    page_size: int = MOST
    extensions: bool = False


# --- Which ---------------------------------------------------------------------------------------------------------------


def found(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> list[Request]:
    """One page, newest first, and one more when another page follows; one query whatever its length."""
    rows = _wanted(city, index, asked)
    first = (asked.page - 1) * asked.page_size
    return list(_shown(rows, asked.extensions)[first : first + asked.page_size + 1])


def counted(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> int:
    """How many there are on all pages together, MOST_COUNTED + 1 standing for any number beyond."""
    return _wanted(city, index, asked).order_by()[: MOST_COUNTED + 1].count()


def one(city: Jurisdiction, index: CatalogueIndex, number: str, *, extensions: bool = False) -> Request:
    """Raises NotFound, also for a hidden one."""
    request = _shown(public(city, index), extensions).filter(number=number[:40]).first()
    if request is None:
        raise NotFound(f"There is no service_request_id {number[:40]!r}.")
    return request


def public(city: Jurisdiction, index: CatalogueIndex) -> QuerySet[Request]:
    """Without the hidden ones, and those of services that are answered nothing over Open311."""
    rows = Request.objects.filter(jurisdiction=city).exclude(publicity=Publicity.HIDDEN.value)
    silent = [each.code for each in index.catalogue.services if each.open311 is Open311Type.BLACKBOX]
    return rows.exclude(service__code__in=silent) if silent else rows


def _wanted(city: Jurisdiction, index: CatalogueIndex, asked: Asked) -> QuerySet[Request]:
    rows = public(city, index)
    if asked.numbers:
        return rows.filter(number__in=list(asked.numbers)[:MOST])
    rows = rows.filter(_narrowed(asked) & _changed(city, asked))
    return nearness.within(rows, asked.where) if asked.where else rows


def _shown(rows: QuerySet[Request], extensions: bool) -> QuerySet[Request]:
    of_request = {"jurisdiction": OuterRef("jurisdiction"), "request": OuterRef("pk")}
    photos = Attachment.objects.filter(**of_request, role=AttachmentRole.PHOTO, evidence=None, erased_at__isnull=True)
    rows = rows.annotate(photo=Subquery(photos.order_by("pk").values("pk")[:1]))
    if extensions:
        promises = Promise.objects.filter(**of_request, step=Step.RESOLUTION, sequence=1)
        rows = rows.annotate(first_promise=Subquery(promises.values("due_at")[:1]))
    return rows.select_related("service", "team").order_by("-received_at", "-id")


def _narrowed(asked: Asked) -> Q:
    wanted = Q()
    if asked.window:
        wanted &= Q(received_at__gte=asked.window.start, received_at__lte=asked.window.end)
    if asked.service_codes:
        wanted &= Q(service__code__in=list(asked.service_codes))
    if len(asked.statuses) == 1:
        ended = Q(state__in=sorted(CLOSED))
        wanted &= ended if "closed" in asked.statuses else ~ended
    return wanted


def _changed(city: Jurisdiction, asked: Asked) -> Q:
    """By the time of the last change. Each change stands in the diary, which is read by time; the requests are not."""
    wanted = Q()
    if asked.updated_after:
        wanted &= Q(updated_at__gte=asked.updated_after)
        if now() - asked.updated_after < _LATELY:
            since = asked.updated_after
            changes = Event.objects.filter(jurisdiction=city, subject_type=SUBJECT, recorded_at__gte=since)
            wanted &= Q(pk__in=changes.values("subject_id"))
    if asked.updated_before:
        wanted &= Q(updated_at__lte=asked.updated_before)
    return wanted


# --- What is said of them ------------------------------------------------------------------------------------------------


def items(requests: Iterable[Request], city: Jurisdiction, language: str) -> Iterable[RequestItem]:
    return (item(request, city, language) for request in requests)


def item(request: Request, city: Jurisdiction, language: str) -> RequestItem:
    """A request as `found` or `one` gave it; with extensions when they were asked for there."""
    request.jurisdiction = city
    place = public_place(request.publicity, request.address, request.latitude, request.longitude)
    closed = closed_at(request.state, request.done_at, request.ended_at, request.updated_at)
    sentence = public_sentence(request, language)
    is_extended = hasattr(request, "first_promise")
    return RequestItem(
        service_request_id=request.number,
        status="closed" if closed else "open",
        status_notes=sentence,
        service_name=say(request.service.names, language, request.service.code),
        service_code=request.service.code,
        description=public_words(request.description) or None,
        agency_responsible=say(request.team.names, language, request.team.code),
        requested_datetime=whole(request.received_at),
        updated_datetime=whole(closed or request.updated_at),
        expected_datetime=whole(request.due_at) if request.due_at else None,
        address=place.address or None,
        lat=place.latitude,
        long=place.longitude,
        media_url=photo_address(request, city),
        extended_attributes=extending.attributes(request, sentence) if is_extended else UNSET,
    )


def photo_address(request: Request, city: Jurisdiction) -> str | None:
    """Of the first photo that shows the problem, where its exact place is public."""
    photo: int | None = getattr(request, "photo", None)
    if photo is None or request.publicity != Publicity.EXACT:
        return None
    return f"{settings.BASE_URL}/open311/v2/media/{city.slug}/{request.number}/{photo}.jpg"


def whole(at: datetime) -> datetime:
    """Whole seconds: some clients answer fractions with an error."""
    return at.replace(microsecond=0)
