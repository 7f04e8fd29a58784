"""What is promised, when, and who hears of it when it slips. Pure: facts in, dates out.

Pauses. The clock of a promise stands still while a request waits for a reason on the service's closed list:

- minutes and hours: open time during a pause does not count;
- business and calendar days: a day does not count when its end (the closing; the same time on the wall) comes in a pause.

So a pause outside working hours moves nothing, a longer pause never brings the date forward, and a pause that begins
when the promise is already broken does not mend it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from loop311.catalog.definitions import (
    Duration,
    Escalation,
    EscalationLevel,
    Priority,
    PromisePolicy,
    Step,
    Tell,
)
from loop311.promises.clock import Clocks
from loop311.promises.counting import count
from loop311.promises.hours import in_utc

_LADDER = tuple(EscalationLevel)


@dataclass(frozen=True, slots=True)
class PlannedPromise:
    step: Step
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which the clock stood still; `ended_at` None while it still does."""

    started_at: datetime
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EscalationStep:
    level: EscalationLevel
    at: datetime
    tell: tuple[Tell, ...]


@dataclass(frozen=True, slots=True)
class Lived:
    """What a promise is judged by: how one request went, whatever it was promised at the time."""

    filed_at: datetime
    priority: Priority
    pauses: tuple[Pause, ...] = ()
    first_responded_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restated:
    """A past request under another promise. `on_time` is None as long as it is open and not yet late."""

    due_at: datetime
    on_time: bool | None
    first_response_due_at: datetime | None = None
    first_response_on_time: bool | None = None


def due(duration: Duration, at: datetime, clocks: Clocks) -> datetime:
    """When `duration` is over for something filed at `at`, in UTC."""
    return count(duration, at, clocks).reach(0)


def resolution_of(policy: PromisePolicy, priority: Priority) -> Duration:
    """The promised time to the end: the urgent one for urgent and emergency requests, where the policy has one."""
    urgent = priority in (Priority.URGENT, Priority.EMERGENCY)
    return policy.urgent_resolution if urgent and policy.urgent_resolution else policy.resolution


def plan(policy: PromisePolicy, priority: Priority, at: datetime, clocks: Clocks) -> tuple[PlannedPromise, ...]:
    """The promises made at filing: the first response, if the policy has one (never after the resolution), and the resolution."""
    return replan(policy, priority, at, (), clocks, at)


def replan(
    policy: PromisePolicy,
    priority: Priority,
    filed_at: datetime,
    pauses: Iterable[Pause],
    clocks: Clocks,
    resumed_at: datetime,
    first_responded_at: datetime | None = None,
) -> tuple[PlannedPromise, ...]:
    """The promises after `pauses`, of which one that still lasts ends at `resumed_at`.

    What happens after the first response was given does not move its promise any more.
    """
    stops = _merged(pauses, filed_at, resumed_at)
    resolution = _after(resolution_of(policy, priority), filed_at, stops, clocks)
    promises = (PlannedPromise(Step.RESOLUTION, resolution),)
    if policy.first_response is None:
        return promises
    before = [stop for stop in stops if first_responded_at is None or stop[0] < first_responded_at]
    response = min(_after(policy.first_response, filed_at, before, clocks), resolution)
    return (PlannedPromise(Step.FIRST_RESPONSE, response), *promises)


def after_pauses(
    policy: PromisePolicy,
    priority: Priority,
    filed_at: datetime,
    pauses: Iterable[Pause],
    clocks: Clocks,
    resumed_at: datetime,
) -> datetime:
    """When the resolution is due after `pauses`; see the module's first lines."""
    return _after(resolution_of(policy, priority), filed_at, _merged(pauses, filed_at, resumed_at), clocks)


def _after(duration: Duration, filed_at: datetime, stops: list[tuple[datetime, datetime]], clocks: Clocks) -> datetime:
    counted = count(duration, filed_at, clocks)
    due_at = counted.reach(0)
    stopped = 0
    for start, end in stops:
        if start >= due_at:
            break
        stopped += counted.spent(start, end)
        due_at = counted.reach(stopped)
    return due_at


def _merged(pauses: Iterable[Pause], filed_at: datetime, resumed_at: datetime) -> list[tuple[datetime, datetime]]:
    """Pauses from filing on as (start, end), sorted, without overlaps and empty ones."""
    first, last = in_utc(filed_at), in_utc(resumed_at)
    merged: list[tuple[datetime, datetime]] = []
    stops = ((in_utc(p.started_at), in_utc(p.ended_at) if p.ended_at else last) for p in pauses)
    for start, end in sorted((max(start, first), end) for start, end in stops):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def escalation_times(policy: PromisePolicy, due_at: datetime) -> tuple[EscalationStep, ...]:
    """The ladder of one promise, in the order of time. A level stands once: two entries are told together, at the earlier time."""
    steps: dict[EscalationLevel, EscalationStep] = {}
    for entry in policy.escalations:
        step = EscalationStep(entry.level, _moment(entry, due_at), entry.tell)
        known = steps.get(entry.level, step)
        tell = tuple(dict.fromkeys(known.tell + step.tell))
        steps[entry.level] = EscalationStep(entry.level, min(known.at, step.at), tell)
    return tuple(sorted(steps.values(), key=lambda step: (step.at, _LADDER.index(step.level))))


def _moment(entry: Escalation, due_at: datetime) -> datetime:
    return in_utc(due_at) - (entry.before_due or timedelta()) + (entry.after_due or timedelta())


def due_escalations(
    policy: PromisePolicy, due_at: datetime, now: datetime, already: Collection[EscalationLevel]
) -> tuple[EscalationStep, ...]:
    """The steps that must be climbed by `now` and have not been."""
    return tuple(step for step in escalation_times(policy, due_at) if step.at <= now and step.level not in already)


def on_time(due_at: datetime, done_at: datetime | None, *, now: datetime | None = None) -> bool | None:
    """Kept or broken; None while it is open and (by `now`) not yet late. What is done at the due time itself is on time."""
    if done_at is not None:
        return done_at <= due_at
    return False if now is not None and now > due_at else None


def restate(lived: Lived, policy: PromisePolicy, clocks: Clocks, *, now: datetime | None = None) -> Restated:
    """A request judged by any version's policy: only pauses for reasons on that policy's own list stop its clock."""
    pauses = [pause for pause in lived.pauses if pause.reason in policy.stop_reasons]
    until = lived.done_at or now or max((p.started_at for p in pauses), default=lived.filed_at)
    promises = {
        promise.step: promise.due_at
        for promise in replan(policy, lived.priority, lived.filed_at, pauses, clocks, until, lived.first_responded_at)
    }
    due_at, response = promises[Step.RESOLUTION], promises.get(Step.FIRST_RESPONSE)
    return Restated(
        due_at,
        on_time(due_at, lived.done_at, now=now),
        response,
        on_time(response, lived.first_responded_at or lived.done_at, now=now) if response else None,
    )
