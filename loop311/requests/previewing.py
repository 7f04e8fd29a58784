"""What would be promised, before anything is saved: the same decisions as filing makes, and the sentence to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.definitions import Priority, PromisePolicy, Step
from loop311.catalog.services import at as catalogue_at
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.places.index import area_index
from loop311.promises import policies as promise_policies
from loop311.requests.sentences import say, spoken_date
from loop311.requests.services.promising import terms
from loop311.requests.whereabouts import answers_so_far, check_position
from loop311.routing.policies import Decision, decide

_PATTERNS = {
    "en": "{team} plans to {step} by {date}.",
    "es": "{team} planea {step} a más tardar el {date}.",
}
_RESOLVE = {"en": "resolve it", "es": "resolverla"}


@dataclass(frozen=True, slots=True)
class Preview:
    """The promise as it would be made now. `sentences`: language of the city -> what to say."""

    team: str
    team_name: str
    priority: Priority
    step: str
    due_at: datetime
    first_response_due_at: datetime | None
    hand_over: str
    """Code of the outside owner; empty when the city itself does it."""
    areas: Mapping[str, str]
    sentences: Mapping[str, str]


def preview(
    jurisdiction: Jurisdiction,
    service_code: str,
    *,
    answers: Mapping[str, object] | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    language: str = "",
    at: datetime | None = None,
) -> Preview | None:
    """None where nothing would be promised: outside the city, or of a service that is not offered. Two queries.

    Answers that are missing or wrong count as not given yet.
    """
    at, language = at or now(), language or jurisdiction.languages[0]
    version, index = catalogue_at(jurisdiction, at)
    service = index.services.get(service_code)
    areas = _areas(jurisdiction, latitude, longitude, at)
    if service is None or service.historical or areas is None:
        return None
    under = terms(jurisdiction, version.pk, service_code)
    if under.policy is None:
        return None
    decision = decide(index, service_code, answers_so_far(service, answers or {}, jurisdiction), areas)
    planned = {p.step: p.due_at for p in promise_policies.plan(under.policy, decision.priority, at, under.clocks)}
    due_at = planned[Step.RESOLUTION]
    names = index.teams[decision.team].names
    return Preview(
        team=decision.team,
        team_name=say(names, language, decision.team),
        priority=decision.priority,
        step=_step(under.policy, language),
        due_at=due_at,
        first_response_due_at=planned.get(Step.FIRST_RESPONSE),
        hand_over=decision.hand_over or "",
        areas=areas,
        sentences=_sentences(jurisdiction, under.policy, names, decision, due_at),
    )


def _areas(
    jurisdiction: Jurisdiction, latitude: float | None, longitude: float | None, at: datetime
) -> dict[str, str] | None:
    """None outside the city."""
    if latitude is None and longitude is None:
        return {}
    if latitude is None or longitude is None:
        fields = [FieldProblem("longitude" if longitude is None else "latitude", "Give both, or neither.")]
        raise Invalid("Give both latitude and longitude, or neither.", fields=fields)
    check_position(latitude, longitude)
    index = area_index(jurisdiction.pk, at.astimezone(jurisdiction.zone).date())
    return index.areas_at(latitude, longitude) if index.inside_city(latitude, longitude) else None


def _step(policy: PromisePolicy, language: str) -> str:
    return say(policy.step, language) or say(_RESOLVE, language)


def _sentences(
    jurisdiction: Jurisdiction, policy: PromisePolicy, names: Mapping[str, str], decision: Decision, due_at: datetime
) -> dict[str, str]:
    return {
        language: say(_PATTERNS, language).format(
            team=say(names, language, decision.team),
            step=_step(policy, language),
            date=spoken_date(due_at, jurisdiction.zone, language),
        )
        for language in jurisdiction.languages
    }
