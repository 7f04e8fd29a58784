"""One public sentence for each state, in the resident's language: the only words a resident sees for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import index_of
from loop311.promises.hours import last_day
from loop311.requests.models import Request
from loop311.requests.policies import State

PATTERNS: dict[str, dict[State, str]] = {
    "en": {
        State.RECEIVED: "We have your request.",
        State.ASSIGNED: "{team} has it and plans to {step} by {date}.",
        State.IN_PROGRESS: "{team} is working on it.",
        State.WAITING: "We can go on when {reason}.",
        State.HANDED_OVER: "{owner} is responsible; their number is {reference}. We keep watching it.",
        State.DONE: "Done: {outcome} {evidence} Tell us if it is not.",
        State.CLOSED: "Closed: {outcome}",
        State.DECLINED: "We can't do this: {outcome} You can object.",
        State.JOINED: "The same problem as another report; you will be told when it is fixed.",
    },
    "es": {
        State.RECEIVED: "Tenemos su solicitud.",
        State.ASSIGNED: "{team} la tiene y planea {step} a más tardar el {date}.",
        State.IN_PROGRESS: "{team} está trabajando en ella.",
        State.WAITING: "Podremos continuar cuando {reason}.",
        State.HANDED_OVER: "{owner} es responsable; su número es {reference}. Seguimos pendientes.",
        State.DONE: "Listo: {outcome} {evidence} Avísenos si no es así.",
        State.CLOSED: "Cerrada: {outcome}",
        State.DECLINED: "No podemos hacerlo: {outcome} Usted puede objetar.",
        State.JOINED: "Es el mismo problema que otro reporte; le avisaremos cuando esté resuelto.",
    },
}

_NOT_YET = {"en": "not known yet", "es": "aún desconocido"}
_PROOF = {"en": "Proof: {proof}.", "es": "Prueba: {proof}."}
_RESOLVE = {"en": "resolve it", "es": "resolverla"}


def say(texts: Mapping[str, str], language: str, fallback: str = "") -> str:
    """The text in the language, else in its base language, else in any; `fallback` when there is none at all."""
    for wanted in (language, language.split("-")[0], "en"):
        if texts.get(wanted):
            return texts[wanted]
    return next(iter(texts.values()), fallback)


class Standing(NamedTuple):
    """All that the sentence depends on."""

    state: str
    version_id: int
    service_code: str
    team: str
    day: date | None
    """To name in 'by {date}'; only where it is said."""
    waiting_reason: str
    handed_to: str
    handed_reference: str
    outcome: str

    @classmethod
    def of(cls, told: Any, *, version_id: int, service_code: str, team: str, zone: ZoneInfo) -> Standing:
        """Of a request, or of a row with its columns."""
        day = last_day(told.due_at, zone) if told.due_at and told.state == State.ASSIGNED else None
        return cls(
            told.state, version_id, service_code, team, day,
            told.waiting_reason, told.handed_to, told.handed_reference, told.outcome,
        )  # fmt: skip


def public_sentence(request: Request, language: str) -> str:
    """What the resident is told of this state, with the city's own words for team, step, reason and outcome."""
    standing = Standing.of(
        request,
        version_id=request.catalogue_version_id,
        service_code=request.service.code,
        team=say(request.team.names, language, request.team.code),
        zone=request.jurisdiction.zone,
    )
    return sentence(standing, language)


@lru_cache(maxsize=8_192)
def sentence(standing: Standing, language: str) -> str:
    """The same for all requests that stand alike; versions of the catalogue never change, so it may be kept."""
    index = index_of(standing.version_id)
    policy = index.promise_of(index.services[standing.service_code])
    patterns = PATTERNS.get(language.split("-")[0], PATTERNS["en"])
    step = say(policy.step, language) if policy else ""
    told = patterns[State(standing.state)].format_map(
        {
            "team": standing.team,
            "step": step or say(_RESOLVE, language),
            "date": spoken_day(standing.day, language),
            "reason": _text_of(index, "stop_reasons", standing.waiting_reason, language),
            "owner": _text_of(index, "owners", standing.handed_to, language),
            "reference": standing.handed_reference or say(_NOT_YET, language),
            "outcome": _text_of(index, "outcomes", standing.outcome, language),
            "evidence": _evidence(index, standing, language),
        }
    )
    return " ".join(told.split())


def _evidence(index: CatalogueIndex, standing: Standing, language: str) -> str:
    """What proves the work, in the completion rule's own words; nothing is done without it, save what is information by nature."""
    rule = index.completion_rules.get(index.services[standing.service_code].completion)
    outcome = index.outcomes.get(standing.outcome)
    proof = say(rule.texts, language) if rule else ""
    if not proof or outcome is None or outcome.no_proof:
        return ""
    return say(_PROOF, language).format(proof=proof.rstrip("."))


def _text_of(index: CatalogueIndex, kind: str, code: str, language: str) -> str:
    thing = getattr(index, kind).get(code)
    if thing is None:
        return code.replace("-", " ")
    return say(getattr(thing, "texts", None) or thing.names, language, code)


_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip


def spoken_date(due_at: datetime | None, zone: ZoneInfo, language: str) -> str:
    """The day of a promise as people say it: 'Thursday, March 5', '5 de marzo'. Due at midnight is due the day before."""
    return spoken_day(last_day(due_at, zone) if due_at else None, language)


def spoken_day(day: date | None, language: str) -> str:
    if day is None:
        return say(_NOT_YET, language)
    if language.split("-")[0] == "es":
        return f"{day.day} de {_MONTHS[day.month - 1]}"
    return f"{day:%A, %B} {day.day}"
