"""What becomes of a request in Port Alder: who takes it when, what goes wrong, how it ends. Pure; the generator decides.

About four in five are done by their promise, some wait, some are declined, some are never looked at, and one in fifteen
residents who can be asked says no. A storm makes everything slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from loop311.catalog.definitions import CompletionRule, Ending, EvidenceKind, Outcome, PromisePolicy, Service

MEDIAN_SHARE = -0.95
"""Logarithm of the share of the promised time that the middle request takes."""
SPREAD = 0.8
STORM_SLOWER = 0.45
OUTSIDE_SLOWER = 0.40
SHORTEST = timedelta(minutes=20)
LONGEST = timedelta(days=400)
OPENING, CLOSING = 7, 17
"""Hours of the day in which unhurried work is done."""


class Act(StrEnum):
    ASSIGN = "assign"
    START = "start"
    WAIT = "wait"
    RESUME = "resume"
    REFER = "refer"  # the outside owner's own number has come
    MISROUTE = "misroute"  # to another team of the department
    RETURN = "return"  # and back
    NOTE = "note"
    ASK_AGAIN = "ask_again"  # the resident calls: where is it?
    CHANGE_SERVICE = "change_service"
    EVIDENCE = "evidence"
    RESOLVE = "resolve"
    DECLINE = "decline"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    SEPARATE = "separate"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, order=True)
class Step:
    at: datetime
    act: Act = field(compare=False)
    word: str = field(compare=False, default="")
    """A code that the act needs: outcome, reason for waiting, kind of evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a request when its story, or its second chance, begins."""

    begins_at: datetime
    due_at: datetime
    service: Service
    policy: PromisePolicy
    rule: CompletionRule
    outcomes: Sequence[Outcome]
    outside: bool
    """Handed over to somebody outside the city."""
    reachable: bool
    """A resident is known, who can say yes or no."""
    in_storm: bool
    round: int
    """1, and 2 after a no or a change of service."""
    zone: ZoneInfo


def tell(rng: Random, facts: Facts) -> list[Step]:
    """The steps in order of time, to the end or to what changes the story: a no, or another service."""
    return sorted(_steps(rng, facts))


def _steps(rng: Random, facts: Facts) -> Iterator[Step]:
    fate = rng.random()
    if facts.round == 1 and fate < 0.01:
        return  # nobody ever looks at it
    finish = facts.begins_at + _duration(rng, facts)
    begin, gap = facts.begins_at, finish - facts.begins_at
    if facts.round == 1 and not facts.outside and fate < 0.025 and facts.service.joining.also:
        yield Step(begin + gap * 0.3, Act.CHANGE_SERVICE, facts.service.joining.also[0])
        return
    yield from _talk(rng, facts, begin, gap)
    if facts.outside:
        yield Step(_hours(facts, begin + min(gap * 0.3, timedelta(days=2))), Act.REFER)
    else:
        yield from _taken(rng, facts, begin, gap)
    if fate > 0.955 and facts.round == 1:
        yield from _declined(rng, facts, _hours(facts, begin + gap * 0.6))
        return
    if not facts.outside and facts.policy.stop_reasons and 0.1 < fate < 0.19:
        paused = timedelta(hours=rng.uniform(6, 90))
        yield Step(begin + gap * 0.72, Act.WAIT, rng.choice(facts.policy.stop_reasons))
        yield Step(begin + gap * 0.72 + paused, Act.RESUME)
        finish += paused
    yield from _done(rng, facts, _hours(facts, finish))


def _duration(rng: Random, facts: Facts) -> timedelta:
    promised = max(facts.due_at - facts.begins_at, timedelta(hours=1))
    slower = (STORM_SLOWER if facts.in_storm else 0) + (OUTSIDE_SLOWER if facts.outside else 0)
    share = rng.lognormvariate(MEDIAN_SHARE + slower, SPREAD)
    return min(max(promised * share, SHORTEST), LONGEST)


def _taken(rng: Random, facts: Facts, begin: datetime, gap: timedelta) -> Iterator[Step]:
    if rng.random() < 0.04 and facts.round == 1:
        yield Step(begin + gap * 0.05, Act.MISROUTE)
        yield Step(begin + gap * 0.15, Act.RETURN)
    yield Step(begin + gap * rng.uniform(0.16, 0.35), Act.ASSIGN)
    yield Step(begin + gap * rng.uniform(0.40, 0.70), Act.START)


def _talk(rng: Random, facts: Facts, begin: datetime, gap: timedelta) -> Iterator[Step]:
    if rng.random() < 0.10:
        yield Step(begin + gap * 0.5, Act.NOTE)
    if facts.reachable and rng.random() < 0.08:
        yield Step(begin + gap * rng.uniform(0.2, 0.9), Act.ASK_AGAIN)


def _declined(rng: Random, facts: Facts, at: datetime) -> Iterator[Step]:
    reasons = [o.code for o in facts.outcomes if o.ending is Ending.DECLINED]
    yield Step(at, Act.DECLINE, rng.choice(reasons))
    if facts.reachable and rng.random() < 0.08:
        yield Step(at + timedelta(hours=rng.uniform(1, 30)), Act.DISPUTE)


def _done(rng: Random, facts: Facts, at: datetime) -> Iterator[Step]:
    for number, group in enumerate(facts.rule.all_of):
        kinds = [kind for kind in group if kind is not EvidenceKind.RESIDENT_YES]
        earlier = timedelta(seconds=30 * (len(facts.rule.all_of) - number))
        yield Step(at - earlier, Act.EVIDENCE, rng.choice(kinds).value)
    yield Step(at, Act.RESOLVE, _outcome(rng, facts.outcomes))
    if not facts.reachable:
        return
    said = rng.random()
    window = timedelta(days=facts.service.dispute_days)
    if said < 0.07 and facts.round == 1:
        yield Step(at + min(window * 0.8, timedelta(hours=rng.uniform(1, 70))), Act.DISPUTE)
    elif said < 0.42:
        yield Step(at + window * rng.uniform(0.02, 0.8), Act.CONFIRM)


def _outcome(rng: Random, outcomes: Sequence[Outcome]) -> str:
    """The first of the list is what usually happens."""
    done = [o.code for o in outcomes if o.ending is Ending.DONE]
    (code,) = rng.choices(done, [6.0] + [1.0] * (len(done) - 1))
    return code


def _hours(facts: Facts, at: datetime) -> datetime:
    """Work that need not be done at once waits for the next morning of a weekday."""
    if facts.due_at - facts.begins_at < timedelta(hours=20):
        return at
    local = at.astimezone(facts.zone)
    if local.hour >= CLOSING:
        local = (local + timedelta(days=1)).replace(hour=OPENING)
    elif local.hour < OPENING:
        local = local.replace(hour=OPENING)
    while local.weekday() >= 5:
        local = (local + timedelta(days=1)).replace(hour=OPENING)
    return local.astimezone(at.tzinfo)
