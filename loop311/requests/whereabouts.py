"""What the city makes of a point before anything is filed: its areas, who would receive it, whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import Answers, OutsideOwner, Service
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import at as catalogue_at
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.places.index import AreaIndex, area_index
from loop311.places.policies import are_degrees
from loop311.places.search import nearest
from loop311.requests.owners import Responsible, hand_over_sentences, outside_sentences, shown
from loop311.requests.sentences import say
from loop311.routing.policies import beyond, route

NEXT_TO_METRES = 75
"""An address this near names the point."""


@dataclass(frozen=True, slots=True)
class InArea:
    """The point lies in this area of this layer."""

    layer: str
    layer_name: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """`owner` is who outside the city is responsible; `tell` then says in each language of the city what the caller hears."""

    inside_city: bool
    address: str
    """Of the nearest address known, as it is shown; empty when none is near."""
    areas: tuple[InArea, ...]
    team: str
    """Code of the team that would receive it; empty without a service or outside the city."""
    team_name: str
    owner: Responsible | None
    tell: Mapping[str, str]

    @property
    def area_keys(self) -> dict[str, str]:
        return {each.layer: each.key for each in self.areas}


def whereabouts(
    jurisdiction: Jurisdiction,
    latitude: float,
    longitude: float,
    *,
    service_code: str = "",
    answers: Mapping[str, object] | None = None,
    language: str = "",
    at: datetime | None = None,
) -> Whereabouts:
    """Three queries. Answers that are missing or wrong count as not given yet; Invalid when the position is not in degrees."""
    check_position(latitude, longitude)
    at, language = at or now(), language or jurisdiction.languages[0]
    _version, index = catalogue_at(jurisdiction, at)
    places = area_index(jurisdiction.pk, at.astimezone(jurisdiction.zone).date())
    inside = places.inside_city(latitude, longitude)
    areas = _areas(places, latitude, longitude)
    near = nearest(jurisdiction.pk, latitude, longitude, radius_metres=NEXT_TO_METRES)
    service = index.services.get(service_code) if inside else None
    team, owner = _received_by(index, service, answers or {}, {each.layer: each.key for each in areas}, jurisdiction)
    if not inside:
        owner = beyond(index.catalogue.outside_owners, {each.layer: each.key for each in areas})
    return Whereabouts(
        inside_city=inside,
        address=near[0].point.text if near else "",
        areas=areas,
        team=team,
        team_name=say(index.teams[team].names, language, team) if team else "",
        owner=shown(owner, language) if owner else None,
        tell=_tell(owner, inside, jurisdiction),
    )


def check_position(latitude: float, longitude: float) -> None:
    if not are_degrees(latitude, longitude):
        fields = [FieldProblem(name, "This is not in degrees.") for name in ("latitude", "longitude")]
        raise Invalid("The position is not in degrees.", fields=fields)


def _areas(places: AreaIndex, latitude: float, longitude: float) -> tuple[InArea, ...]:
    names = places.layer_names
    return tuple(
        InArea(layer, names[layer], key, places.name_of(layer, key))
        for layer, key in places.areas_at(latitude, longitude).items()
    )


def _received_by(
    index: CatalogueIndex,
    service: Service | None,
    answers: Mapping[str, object],
    areas: Mapping[str, str],
    jurisdiction: Jurisdiction,
) -> tuple[str, OutsideOwner | None]:
    """Code of the team, and the owner it would be handed to; as far as the answers given so far decide."""
    if service is None or service.historical:
        return "", None
    routed = route(service, answers_so_far(service, answers, jurisdiction), areas)
    return routed.team, index.owners[routed.hand_over] if routed.hand_over else None


def answers_so_far(service: Service, answers: Mapping[str, object], jurisdiction: Jurisdiction) -> Answers:
    """Those that can be used; what is missing or wrong is asked again when it is filed."""
    good, _faults = validate_answers(service, answers, jurisdiction.languages)
    return good


def _tell(owner: OutsideOwner | None, inside: bool, jurisdiction: Jurisdiction) -> Mapping[str, str]:
    if not inside:
        return outside_sentences(owner, jurisdiction)
    return hand_over_sentences(owner, jurisdiction) if owner else {}
