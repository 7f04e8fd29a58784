"""Every set of answers and areas that can really come about, as far as the conditions of a service can tell them apart.

Conditions are tried on stand-ins: of all answers to a question that fulfil exactly the same conditions, one is enough. So a
rule that fires in no situation here can never fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import TypeVar

from loop311.catalog.conditions import holds
from loop311.catalog.definitions import (
    Answer,
    Answers,
    Condition,
    Datatype,
    PlaceNeed,
    PriorityRule,
    Question,
    RoutingRule,
    Service,
)

LIMIT = 20_000
"""Situations looked at for one service; beyond it only pairs of rules are compared."""

ELSEWHERE = "\0elsewhere"
"""An area that no rule names."""

T = TypeVar("T")
Rule = RoutingRule | PriorityRule


class TooMany(Exception):
    """More than LIMIT situations."""


def all_conditions(service: Service) -> list[Condition]:
    asked = [condition for question in service.questions for condition in question.when]
    return asked + [condition for rule in all_rules(service) for condition in rule.when]


def all_rules(service: Service) -> tuple[Rule, ...]:
    return (*service.routing, *service.priority_rules)


def stand_ins(question: Question, conditions: Iterable[Condition]) -> list[Answer]:
    """One answer for each way of fulfilling the conditions on this question; first of all no answer. Raises TooMany."""
    mine = [condition for condition in conditions if condition.question == question.code]
    candidates: list[Answer] = [None, *_candidates(question, mine)]
    seen: dict[tuple[bool, ...], Answer] = {}
    for answer in candidates:
        signature = (answer is None, *(holds([c], {question.code: answer}) for c in mine))
        seen.setdefault(signature, answer)
    return list(seen.values())


def answer_sets(service: Service) -> list[Answers]:
    """All answers that the form lets through. Raises TooMany."""
    conditions = all_conditions(service)
    used = {condition.question for condition in conditions}
    sets: list[Answers] = [{}]
    for question in service.questions:
        if question.code not in used:
            continue
        ways = stand_ins(question, conditions)
        if len(sets) * len(ways) > LIMIT:
            raise TooMany
        sets = [{**earlier, question.code: way} for earlier in sets for way in _possible(question, earlier, ways)]
    return sets


def area_sets(service: Service) -> list[dict[str, str]]:
    """All areas a place may lie in, as far as the rules name them. Raises TooMany."""
    layers: dict[str, list[str]] = {}
    for rule in all_rules(service):
        for layer, keys in rule.areas.items():
            layers.setdefault(layer, [ELSEWHERE]).extend(keys)
    if service.place is PlaceNeed.NONE or not layers:
        return [{}]
    choices = [list(dict.fromkeys(keys)) for keys in layers.values()]
    if _size(choices) > LIMIT:
        raise TooMany
    return [dict(zip(layers, keys, strict=True)) for keys in product(*choices)]


def can_hold(conditions: Sequence[Condition], questions: Mapping[str, Question]) -> bool:
    """Whether one answer to each question can fulfil them together, whatever else is asked. In doubt, yes."""
    try:
        return all(
            any(holds(mine, {code: way}) for way in _ways(code, mine, questions))
            for code, mine in _by_question(conditions).items()
        )
    except TooMany:
        return True


def implies(narrow: Sequence[Condition], wide: Sequence[Condition], questions: Mapping[str, Question]) -> bool:
    """Whether whatever fulfils `narrow` also fulfils `wide`, question by question. In doubt, no."""
    given = _by_question(narrow)
    try:
        return all(
            _implies_of(code, given.get(code, []), outer, questions) for code, outer in _by_question(wide).items()
        )
    except TooMany:
        return False


def _implies_of(
    code: str, inner: Sequence[Condition], outer: Sequence[Condition], questions: Mapping[str, Question]
) -> bool:
    ways = _ways(code, [*inner, *outer], questions)
    return all(holds(outer, {code: way}) for way in ways if holds(inner, {code: way}))


def _ways(code: str, conditions: Sequence[Condition], questions: Mapping[str, Question]) -> list[Answer]:
    return stand_ins(questions[code], conditions) if code in questions else [None]


def _by_question(conditions: Sequence[Condition]) -> dict[str, list[Condition]]:
    found: dict[str, list[Condition]] = {}
    for condition in conditions:
        found.setdefault(condition.question, []).append(condition)
    return found


def _possible(question: Question, earlier: Answers, ways: list[Answer]) -> list[Answer]:
    if not holds(question.when, earlier):
        return [None]
    return [way for way in ways if way is not None] if question.required else ways


def _candidates(question: Question, conditions: Sequence[Condition]) -> Iterator[Answer]:
    codes = [choice.code for choice in question.choices]
    match question.datatype:
        case Datatype.BOOLEAN:
            yield from (True, False)
        case Datatype.SINGLEVALUELIST:
            yield from codes
        case Datatype.MULTIVALUELIST:
            yield from _choice_sets(codes, conditions)
        case Datatype.NUMBER:
            yield from _numbers(question, conditions)
        case _:
            yield "\0anything else"
            yield from _words(conditions)


def _choice_sets(codes: list[str], conditions: Sequence[Condition]) -> list[list[str]]:
    """All choices but those of some of the conditions, for every some: the largest sets that fail just these. Raises TooMany.

    Choosing more never makes a test on choices fail, so no other set can fulfil what these do not.
    """
    sets = {tuple(codes)}
    for wanted in {test for c in conditions for test in (frozenset({c.equals}), frozenset(c.any_of))}:
        sets |= {tuple(code for code in chosen if code not in wanted) for chosen in sets}
        if len(sets) > LIMIT:
            raise TooMany
    return [list(chosen) for chosen in sorted(sets) if chosen]


def _numbers(question: Question, conditions: Sequence[Condition]) -> Iterator[float]:
    """Every bound, between every two, and beyond the outermost, within what the question allows."""
    bounds = [b for c in conditions for b in (c.at_least, c.at_most, c.equals) if isinstance(b, int | float)]
    limits = [limit for limit in (question.minimum, question.maximum) if limit is not None]
    points = sorted({*map(float, bounds), *limits}) or [0.0]
    between = [(low + high) / 2 for low, high in pairwise(points)]
    for number in (points[0] - 1, *points, *between, points[-1] + 1):
        if (question.minimum is None or number >= question.minimum) and (
            question.maximum is None or number <= question.maximum
        ):
            yield number


def _words(conditions: Sequence[Condition]) -> Iterator[str]:
    for condition in conditions:
        yield from condition.any_of
        if isinstance(condition.equals, str):
            yield condition.equals


def _size(choices: Sequence[Sequence[T]]) -> int:
    size = 1
    for ways in choices:
        size *= len(ways)
    return size
