"""Codes that are used exist, and each stands for one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from loop311.catalog.checks.finding import Finding, error
from loop311.catalog.definitions import Catalogue, Question, Service
from loop311.catalog.index import CatalogueIndex

CODED = (
    "departments",
    "teams",
    "calendars",
    "groups",
    "promises",
    "stop_reasons",
    "completion_rules",
    "outcomes",
    "outside_owners",
    "services",
)
"""The lists of a catalogue whose members have codes."""


def check_references(catalogue: Catalogue, index: CatalogueIndex) -> Iterator[Finding]:
    yield from _duplicates(catalogue)
    for team in catalogue.teams:
        yield from _unknown(f"teams.{team.code}.department", "department", [team.department], index.departments)
        yield from _unknown(f"teams.{team.code}.calendar", "calendar", [team.calendar], index.calendars)
    for promise in catalogue.promises:
        path = f"promises.{promise.code}"
        durations = [promise.resolution, promise.first_response, promise.urgent_resolution]
        used = [duration.calendar for duration in durations if duration]
        yield from _unknown(path, "calendar", used, index.calendars)
        yield from _unknown(f"{path}.stop_reasons", "stop reason", promise.stop_reasons, index.stop_reasons)
    for number, template in enumerate(catalogue.templates, start=1):
        yield from _unknown(f"templates[{number}].services", "service", template.services, index.services)
    for service in catalogue.services:
        yield from _of_service(service, index)


def _of_service(service: Service, index: CatalogueIndex) -> Iterator[Finding]:
    path = f"services.{service.code}"
    yield from _unknown(f"{path}.group", "group", [service.group], index.groups)
    yield from _unknown(f"{path}.department", "department", [service.department], index.departments)
    yield from _unknown(f"{path}.promise", "promise", [service.promise] if service.promise else [], index.promises)
    yield from _unknown(f"{path}.completion", "completion rule", [service.completion], index.completion_rules)
    yield from _unknown(f"{path}.outcomes", "outcome", service.outcomes, index.outcomes)
    yield from _unknown(f"{path}.joining.also", "service", service.joining.also, index.services)
    for number, rule in enumerate(service.routing, start=1):
        yield from _unknown(f"{path}.routing[{number}].team", "team", [rule.team], index.teams)
        owners = [rule.hand_over] if rule.hand_over else []
        yield from _unknown(f"{path}.routing[{number}].hand_over", "outside owner", owners, index.owners)


def _unknown(path: str, noun: str, used: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    for code in dict.fromkeys(used):
        if code not in known:
            yield error(path, f"There is no {noun} {code!r}.")


def _duplicates(catalogue: Catalogue) -> Iterator[Finding]:
    for noun in CODED:
        yield from _repeated(noun, [thing.code for thing in getattr(catalogue, noun)])
    yield from _repeated("languages", catalogue.languages)
    named = [(t.event, service) for t in catalogue.templates for service in t.services or ("every service",)]
    yield from _repeated("templates", [f"{event} for {service}" for event, service in named])
    for service in catalogue.services:
        path = f"services.{service.code}"
        yield from _repeated(f"{path}.outcomes", service.outcomes)
        yield from _repeated(f"{path}.questions", [question.code for question in service.questions])
        yield from chain.from_iterable(_choices(path, question) for question in service.questions)


def _choices(path: str, question: Question) -> Iterator[Finding]:
    return _repeated(f"{path}.questions.{question.code}.choices", [choice.code for choice in question.choices])


def _repeated(path: str, codes: Sequence[str]) -> Iterator[Finding]:
    for code, times in Counter(codes).items():
        if times > 1:
            yield error(path, f"{code!r} stands here {times} times: each may stand once.")
