"""Who gets a request and how urgent it is. Pure: the same call with another version's index replays the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from loop311.catalog.conditions import holds
from loop311.catalog.definitions import Answer, Condition, OutsideOwner, Priority, Service
from loop311.catalog.index import CatalogueIndex

Areas = Mapping[str, str]
"""Layer code -> key of the area that contains the place."""


@dataclass(frozen=True, slots=True)
class Route:
    team: str
    rule: int
    """Which of the service's routing rules decided, counted from 1."""
    hand_over: str | None = None
    """Code of the outside owner it is handed to; the team stays accountable."""


@dataclass(frozen=True, slots=True)
class Ranking:
    priority: Priority
    rule: int
    """Which of the service's priority rules decided, counted from 1; 0 when none matched."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that the answers and the place decide. Codes of the version it was decided with."""

    team: str
    department: str
    priority: Priority
    routing_rule: int
    priority_rule: int
    hand_over: str | None = None


class NoTeam(LookupError):
    """No rule matched: the catalogue was not checked, for a checked one always ends in a team."""


class _Rule(Protocol):
    @property
    def areas(self) -> dict[str, tuple[str, ...]]: ...

    @property
    def when(self) -> tuple[Condition, ...]: ...


R = TypeVar("R", bound=_Rule)


def route(service: Service, answers: Mapping[str, Answer], areas: Areas) -> Route:
    """The first routing rule that matches. Raises NoTeam when none does."""
    number, rule = _first(service.routing, answers, areas)
    if rule is None:
        raise NoTeam(f"no routing rule of {service.code} matches")
    return Route(team=rule.team, rule=number, hand_over=rule.hand_over)


def priority(service: Service, answers: Mapping[str, Answer], areas: Areas) -> Ranking:
    """The first priority rule that matches, else the service's own priority."""
    number, rule = _first(service.priority_rules, answers, areas)
    return Ranking(service.priority, 0) if rule is None else Ranking(rule.priority, number)


def decide(index: CatalogueIndex, service_code: str, answers: Mapping[str, Answer], areas: Areas) -> Decision:
    """Team, department and priority of one ask under one version. An unknown service is a KeyError."""
    service = index.services[service_code]
    routed = route(service, answers, areas)
    ranked = priority(service, answers, areas)
    return Decision(
        team=routed.team,
        department=index.teams[routed.team].department,
        priority=ranked.priority,
        routing_rule=routed.rule,
        priority_rule=ranked.rule,
        hand_over=routed.hand_over,
    )


def beyond(owners: Iterable[OutsideOwner], areas: Areas) -> OutsideOwner | None:
    """Who looks after a place outside the city: the first such owner whose areas contain it."""
    return next((owner for owner in owners if owner.outside_city and _contains(owner.areas, areas)), None)


def _first(rules: Iterable[R], answers: Mapping[str, Answer], areas: Areas) -> tuple[int, R | None]:
    for number, rule in enumerate(rules, start=1):
        if _contains(rule.areas, areas) and holds(rule.when, answers):
            return number, rule
    return 0, None


def _contains(wanted: Mapping[str, tuple[str, ...]], areas: Areas) -> bool:
    return all(areas.get(layer) in keys for layer, keys in wanted.items())
