"""The arguments of a filing, read together: everything that must be mended is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.http import HttpRequest

from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import PlaceNeed, Service
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import FieldProblem, Invalid
from loop311.kit.uploads import Upload
from loop311.open311 import media, offering, placing
from loop311.open311.placing import Spot
from loop311.open311.policies import attributes, degrees, line, refuse, words
from loop311.residents.policies import normalise_point
from loop311.residents.services import PointInput

T = TypeVar("T")

_SHORT = 200
"""Characters of a name, a language or somebody else's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What was sent with a filing, checked; only the answers are judged once more when it is filed."""

    answers: dict[str, object]
    others: dict[str, list[str]]
    """Attributes that the service does not ask for, or not with these answers."""
    description: str
    spot: Spot
    language: str
    name: str
    points: list[PointInput]
    account_id: str
    device_id: str
    uploads: list[Upload]
    links: list[str]


@dataclass(slots=True)
class _Faults:
    """Goes on reading after a fault, to name the others too."""

    found: list[FieldProblem] = field(default_factory=list)

    def past(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Invalid as fault:
            self.found += fault.fields or [FieldProblem("", fault.detail)]
            return otherwise


def read(request: HttpRequest, city: Jurisdiction, service: Service) -> Arguments:
    """Raises Invalid with one problem for each argument that must be mended, TooLarge for files."""
    faults = _Faults()
    given = attributes((name, value) for name, values in request.POST.lists() for value in values)
    answers, others = offering.answers(service, given, city.languages)
    spot = faults.past(lambda: _spot(request, city, service), Spot())
    found = Arguments(
        answers=answers,
        others=others,
        description=faults.past(lambda: words("description", request.POST.get("description", "")), ""),
        spot=spot,
        language=_short(request, "locale")[:35],
        name=" ".join(filter(None, (_short(request, "first_name"), _last_name(request))))[:_SHORT],
        points=_points(request, city, faults),
        account_id=_short(request, "account_id"),
        device_id=_short(request, "device_id") or _short(request, "deviceid"),
        uploads=faults.past(lambda: media.uploads_of(request), []),
        links=faults.past(lambda: media.links_of(request), []),
    )
    if faults.found:
        faults.found += validate_answers(service, answers, city.languages, knows_conditions=False)[1]
        raise Invalid(" ".join(fault.detail for fault in faults.found[:5]), fields=faults.found)
    return found


def _short(request: HttpRequest, name: str) -> str:
    return line(request.POST.get(name, ""))[:_SHORT]


def _last_name(request: HttpRequest) -> str:
    """Some fill what is empty with a dash."""
    return _short(request, "last_name").strip("-")


def _spot(request: HttpRequest, city: Jurisdiction, service: Service) -> Spot:
    """Where: lat and long, an address, one of our own addresses by its id, or several of them."""
    post = request.POST
    latitude, longitude = degrees("lat", post.get("lat", ""), 90), degrees("long", post.get("long", ""), 180)
    if (latitude is None) != (longitude is None):
        missing = "long" if longitude is None else "lat"
        raise refuse(missing, f"{missing} is missing: lat and long come together.")
    if latitude == 0 and longitude == 0:
        raise refuse(
            "lat", "lat and long are both 0, which is no place of a city: leave them out or send the true ones."
        )
    address = line(words("address_string", post.get("address_string", "") or post.get("address", "")))[:1000]
    spot = placing.complete(city, Spot(latitude, longitude, address), line(post.get("address_id", "")))
    if service.place is PlaceNeed.REQUIRED and spot == Spot():
        raise refuse("address_string", "Say where: lat and long, address_string, or address_id.")
    return spot


def _points(request: HttpRequest, city: Jurisdiction, faults: _Faults) -> list[PointInput]:
    """The ways to reach who reports."""
    found = []
    for kind, name, what in (("email", "email", "an e-mail address"), ("mobile", "phone", "a telephone number")):
        address = _short(request, name)
        if address and normalise_point(kind, address, city.country) is None:
            faults.found.append(FieldProblem(name, f"{name}: This is not {what}."))
        elif address:
            found.append(PointInput(kind, address))
    return found
