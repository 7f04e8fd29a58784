"""Answers a resident might give to a service's questions. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from loop311.catalog.conditions import holds
from loop311.catalog.definitions import Answer, Answers, Datatype, Question, Service

TYPICAL = 5
"""How much more often the first choice is taken than each of the others: catalogues name the usual one first."""

_WORDS = {
    "plate": "DEMO 311, blue",
    "account": "DEMO-000311",
    "citation": "DEMO-311",
    "pole_number": "P-311",
    "school": "Demo Elementary School",
    "company": "Demo Scooters",
    "place_name": "Demo Diner",
}
_ANYTHING = {
    "en": "Demo answer: seen from the street this week.",
    "es": "Respuesta de prueba: se ve desde la calle esta semana.",
}


def answers(rng: Random, service: Service, at: datetime, language: str) -> Answers:
    """To every required question and most of the others. Nobody is in danger: that ends with 911 and no request."""
    given: Answers = {}
    for question in service.questions:
        if holds(question.when, given) and (question.required or rng.random() < 0.6):
            given[question.code] = _answer(rng, question, at, language)
    return given


def _answer(rng: Random, question: Question, at: datetime, language: str) -> Answer:
    match question.datatype:
        case Datatype.SINGLEVALUELIST:
            return _one(rng, question)
        case Datatype.MULTIVALUELIST:
            return sorted({_one(rng, question) for _ in range(rng.randint(1, 2))})
        case Datatype.BOOLEAN:
            return rng.random() < 0.3
        case Datatype.NUMBER:
            return _number(rng, question)
        case Datatype.DATETIME:
            return (at - timedelta(hours=rng.randint(1, 60))).replace(second=0, microsecond=0).isoformat()
        case _:
            words = _WORDS.get(question.code) or _ANYTHING.get(language, _ANYTHING["en"])
            return words[: question.max_length]


def _one(rng: Random, question: Question) -> str:
    calm = [choice.code for choice in question.choices if not choice.emergency]
    (code,) = rng.choices(calm, [TYPICAL] + [1] * (len(calm) - 1))
    return code


def _number(rng: Random, question: Question) -> int:
    least = int(question.minimum or 0)
    most = int(question.maximum) if question.maximum is not None else least + 10
    return rng.randint(least, min(most, least + 4))
