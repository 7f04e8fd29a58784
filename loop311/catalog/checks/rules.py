"""Routing and priority: every ask reaches a team, and every rule can fire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loop311.catalog.checks.asking import check_conditions
from loop311.catalog.checks.finding import Finding, error
from loop311.catalog.checks.situations import LIMIT, Rule, TooMany, answer_sets, area_sets, can_hold, implies
from loop311.catalog.conditions import holds
from loop311.catalog.definitions import PlaceNeed, Question, Service

MOST_RULES = 300
"""Of one kind in one service: every rule is compared with those before it."""


def check_rules(service: Service) -> Iterator[Finding]:
    path = f"services.{service.code}"
    if not service.routing:
        yield error(f"{path}.routing", "No team receives this service: give it at least one routing rule.")
    elif service.routing[-1].when or service.routing[-1].areas:
        yield error(
            f"{path}.routing[{len(service.routing)}]",
            "The last rule has conditions, so an ask could reach no team: end with a rule without any.",
        )
    yield from _each(f"{path}.routing", service, service.routing)
    yield from _each(f"{path}.priority_rules", service, service.priority_rules)


def _each(path: str, service: Service, rules: Sequence[Rule]) -> Iterator[Finding]:
    """What is wrong with each rule by itself; where nothing is, which can never fire."""
    if len(rules) > MOST_RULES:
        yield error(path, f"There are {len(rules)} rules; a service has at most {MOST_RULES}.")
        return
    alone = [list(_alone(f"{path}[{number}]", service, rule)) for number, rule in enumerate(rules, start=1)]
    for findings in alone:
        yield from findings
    if not any(alone):
        yield from _silent(path, service, rules)


def _alone(path: str, service: Service, rule: Rule) -> Iterator[Finding]:
    yield from check_conditions(path, rule.when, {question.code: question for question in service.questions})
    for layer, keys in rule.areas.items():
        if not keys:
            yield error(f"{path}.areas.{layer}", "This names no area, so the rule can never fire.")
    if rule.areas and service.place is PlaceNeed.NONE:
        yield error(f"{path}.areas", "This service is asked without a place, so a rule with areas can never fire.")


def _silent(path: str, service: Service, rules: Sequence[Rule]) -> Iterator[Finding]:
    questions = {question.code: question for question in service.questions}
    first = _first_to_fire(service, rules)
    for number, rule in enumerate(rules, start=1):
        here = f"{path}[{number}]"
        shadow = next((n for n in range(1, number) if covers(rules[n - 1], rule, questions)), None)
        if not can_hold(rule.when, questions):
            yield error(here, "No answer fulfils its conditions together, so this rule can never fire.")
        elif shadow:
            yield error(here, f"This rule can never fire: rule {shadow} takes everything it describes.")
        elif first is not None and number not in first and (rule.when or rule.areas):
            yield error(here, "This rule can never fire: no ask that the questions allow gets as far as this.")


def covers(earlier: Rule, later: Rule, questions: Mapping[str, Question]) -> bool:
    """Whether `earlier` matches whatever `later` matches."""
    within = all(layer in later.areas and set(later.areas[layer]) <= set(keys) for layer, keys in earlier.areas.items())
    return within and implies(later.when, earlier.when, questions)


def _first_to_fire(service: Service, rules: Sequence[Rule]) -> set[int] | None:
    """The numbers of the rules that decide some situation; None when there are too many situations to look at."""
    try:
        answers, places = answer_sets(service), area_sets(service)
    except TooMany:
        return None
    if len(answers) * len(places) > LIMIT:
        return None
    by_answers = {tuple(holds(rule.when, given) for rule in rules) for given in answers}
    by_place = {tuple(_contains(rule, areas) for rule in rules) for areas in places}
    both = ((a and p for a, p in zip(fits, lies, strict=True)) for fits in by_answers for lies in by_place)
    return {number for matched in both if (number := _first_true(matched))}


def _first_true(matched: Iterator[bool]) -> int:
    return next((number for number, fits in enumerate(matched, start=1) if fits), 0)


def _contains(rule: Rule, areas: Mapping[str, str]) -> bool:
    return all(areas.get(layer) in keys for layer, keys in rule.areas.items())
