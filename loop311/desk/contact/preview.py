"""What would be promised if the thing in hand were saved now: the same decision as filing makes, without a row written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.definitions import Answer, Priority, Service, Step
from loop311.catalog.services import current
from loop311.desk.access import Desk
from loop311.desk.contact.saying import Said, Tongues
from loop311.kit.clock import now
from loop311.places.index import area_index
from loop311.promises import policies as promises
from loop311.requests.sentences import spoken_date
from loop311.requests.services.promising import Terms, terms
from loop311.routing.policies import Decision, decide

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Preview:
    team: Mapping[str, str]
    step: Mapping[str, str]
    due_at: datetime
    priority: Priority
    owner: Mapping[str, str] | None
    """Names of who is responsible outside the city, when somebody is."""


def preview(desk: Desk, service: Service, answers: Mapping[str, Answer], position: Position | None) -> Preview | None:
    """None for a service without a promise. One or two queries."""
    version, index = current(desk.city.pk)
    under = terms(desk.city, version.pk, service.code)
    if under.policy is None:
        return None
    areas = area_index(desk.city.pk).areas_at(*position) if position else {}
    return _as_decided(under, decide(index, service.code, answers, areas), now())


def _as_decided(under: Terms, decision: Decision, at: datetime) -> Preview:
    assert under.policy is not None  # noqa: S101 - the caller has looked
    planned = promises.plan(under.policy, decision.priority, at, under.clocks)
    owner = under.index.owners.get(decision.hand_over or "")
    return Preview(
        team=under.index.teams[decision.team].names,
        step=under.policy.step,
        due_at=next(p.due_at for p in planned if p.step is Step.RESOLUTION),
        priority=decision.priority,
        owner=owner.names if owner else None,
    )


def sentence(desk: Desk, found: Preview, tongues: Tongues) -> Said:
    """'Streets North plans to fill the pothole by Thursday, March 5.'"""
    if found.owner is not None:
        return tongues.phrase("elsewhere", owner=found.owner)
    step = found.step or {"en": "resolve it", "es": "resolverla"}
    dates = {language: spoken_date(found.due_at, desk.city.zone, language) for language in ("en", "es")}
    return tongues.phrase("planned", team=found.team, step=step, date=dates)
