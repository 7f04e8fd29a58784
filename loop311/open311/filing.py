"""A filing over Open311: its arguments become what every other door files."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from loop311.catalog.definitions import PlaceNeed, Service
from loop311.catalog.index import CatalogueIndex
from loop311.interactions.policies import Channel
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.open311 import offering
from loop311.open311.policies import attributes, degrees, refuse, words
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.services import PointInput

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def check_form(request: HttpRequest) -> None:
    if request.content_type not in _FORMS:
        raise refuse("Content-Type", "Send a form: application/x-www-form-urlencoded or multipart/form-data.")


@transaction.atomic
def file(request: HttpRequest, city: Jurisdiction, index: CatalogueIndex, by: Actor) -> Request:
    """The request that was filed; with the same Idempotency-Key the same one again."""
    code = request.POST.get("service_code", "").strip()
    if not code:
        raise refuse("service_code", "service_code is missing.")
    service = offering.service_of(index, code)
    latitude, longitude = _position(request)
    address = words("address_string", request.POST.get("address_string", "") or request.POST.get("address", ""))
    if service.place is PlaceNeed.REQUIRED and latitude is None and not address:
        raise refuse("address_string", "Say where: lat and long, or address_string.")
    answers, others = offering.answers(service, attributes(_pairs(request)))
    filing = requests.Filing(
        service_code=service.code,
        answers=answers,
        description=_description(request, others),
        address=address[:1000],
        latitude=latitude,
        longitude=longitude,
        channel=Channel.API,
        language=request.POST.get("locale", "")[:35],
        resident=_resident(request, city, by),
    )
    return requests.file(city, filing, by=by, key=request.headers.get("Idempotency-Key") or None)


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.POST.lists() for value in values]


def _position(request: HttpRequest) -> tuple[float | None, float | None]:
    latitude = degrees("lat", request.POST.get("lat", ""), 90)
    longitude = degrees("long", request.POST.get("long", ""), 180)
    if (latitude is None) != (longitude is None):
        missing = "long" if longitude is None else "lat"
        raise refuse(missing, f"{missing} is missing: lat and long come together.")
    return latitude, longitude


def _description(request: HttpRequest, others: dict[str, list[str]]) -> str:
    """What was said, and below it what was sent for questions that the service does not ask: nothing is lost."""
    said = words("description", request.POST.get("description", ""))
    link = request.POST.get("media_url", "").strip()
    below = [f"{code}: {', '.join(values)}" for code, values in others.items()] + ([link[:2000]] if link else [])
    return "\n".join(filter(None, [said, *below]))


def _resident(request: HttpRequest, city: Jurisdiction, by: Actor) -> Resident | None:
    """Who reports, when there is a way to reach them; a name alone is nobody we could tell the end."""
    points = [
        PointInput(kind, address)
        for kind, field in (("email", "email"), ("mobile", "phone"))
        if (address := request.POST.get(field, "").strip())
    ]
    if not points:
        return None
    names = (request.POST.get(field, "").strip() for field in ("first_name", "last_name"))
    name = " ".join(filter(None, names))[:200]
    return residents.recognise(city, by=by, name=name, contact_points=points)


def notice(index: CatalogueIndex, service: Service, request: Request, language: str) -> str:
    """What the sender should hear at once: the advice of the answers that were given."""
    said = [
        index.text(choice.advice, language)
        for question in service.questions
        for choice in question.choices
        if choice.advice and choice.code in _chosen(request.answers.get(question.code))
    ]
    return " ".join(filter(None, said))


def _chosen(answer: object) -> list[object]:
    return answer if isinstance(answer, list) else [answer]
