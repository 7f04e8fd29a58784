"""The states of a request and what may follow what: one table. Pure; the migration writes the same table into a trigger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum


class State(StrEnum):
    RECEIVED = "received"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    HANDED_OVER = "handed_over"
    DONE = "done"
    CLOSED = "closed"
    DECLINED = "declined"
    JOINED = "joined"


class Verb(StrEnum):
    """What can happen to a filed request. The values are the last part of the permission: 'requests.assign'."""

    ASSIGN = "assign"
    START = "start"
    WAIT = "wait"
    RESUME = "resume"
    HAND_OVER = "hand_over"
    ADD_EVIDENCE = "add_evidence"
    RESOLVE = "resolve"
    DECLINE = "decline"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    JOIN = "join"
    SEPARATE = "separate"
    COMMENT = "comment"
    REROUTE = "reroute"
    CHANGE_SERVICE = "change_service"
    CLOSE = "close"  # by the clock: the dispute window has passed, or the leading request has closed


class AttachmentRole(StrEnum):
    PHOTO = "photo"
    DOCUMENT = "document"


class PromiseReason(StrEnum):
    FILED = "filed"
    RESUMED = "resumed"
    SERVICE_CHANGED = "service_changed"
    PRIORITY_CHANGED = "priority_changed"
    REOPENED = "reopened"
    IMPORTED = "imported"


WORKABLE = frozenset({State.RECEIVED, State.ASSIGNED, State.IN_PROGRESS, State.WAITING, State.HANDED_OVER})
"""The team still has something to do or to watch."""

OPEN_STATES = WORKABLE | {State.JOINED}
"""Not ended, not provisionally ended. A joined request is open as long as its leading one is."""

ENDED = frozenset({State.CLOSED, State.DECLINED})

_ANY = frozenset(State)
_ACTIVE = frozenset({State.RECEIVED, State.ASSIGNED, State.IN_PROGRESS})

TABLE: dict[Verb, tuple[frozenset[State], State | None]] = {
    # verb: (allowed from, state after; None = unchanged or decided by the verb)
    Verb.ASSIGN: (_ACTIVE | {State.HANDED_OVER}, State.ASSIGNED),
    Verb.START: (_ACTIVE | {State.HANDED_OVER}, State.IN_PROGRESS),
    Verb.WAIT: (_ACTIVE, State.WAITING),
    Verb.RESUME: (frozenset({State.WAITING}), State.IN_PROGRESS),
    Verb.HAND_OVER: (WORKABLE - {State.WAITING}, State.HANDED_OVER),
    Verb.ADD_EVIDENCE: (WORKABLE | {State.DONE}, None),
    Verb.RESOLVE: (WORKABLE, State.DONE),
    Verb.DECLINE: (WORKABLE, State.DECLINED),
    Verb.CONFIRM: (frozenset({State.DONE}), State.CLOSED),
    Verb.DISPUTE: (frozenset({State.DONE, State.DECLINED, State.JOINED}), State.RECEIVED),
    Verb.JOIN: (_ACTIVE, State.JOINED),
    Verb.SEPARATE: (frozenset({State.JOINED}), State.RECEIVED),
    Verb.COMMENT: (_ANY, None),
    Verb.REROUTE: (WORKABLE, State.RECEIVED),
    Verb.CHANGE_SERVICE: (WORKABLE, State.RECEIVED),
    Verb.CLOSE: (frozenset({State.DONE, State.JOINED}), State.CLOSED),
}


def may_follow(verb: Verb, state: State) -> bool:
    """Whether `verb` is possible from `state`, for anybody at all."""
    return state in TABLE[verb][0]


def possible(state: State) -> tuple[Verb, ...]:
    """The verbs a request in `state` can undergo, in the table's order."""
    return tuple(verb for verb, (allowed, _) in TABLE.items() if state in allowed)


_WITH_THE_LEADER = frozenset({(State.JOINED, State.DECLINED), (State.DECLINED, State.JOINED)})
"""A joined request is declined, and reopened, together with its leading one."""


def transitions() -> frozenset[tuple[State, State]]:
    """Every pair (from, to) the table allows; the trigger refuses any other. A joined request ends only with its leader."""
    single = {(before, after) for allowed, after in TABLE.values() if after for before in allowed}
    return frozenset(single) | _WITH_THE_LEADER


KEPT_SOMEWHERE = frozenset({"photo", "document", "meter", "record"})
"""Kinds of evidence that are a thing apart from whoever says so: without saying where it is they prove nothing."""


def missing_evidence(groups: Sequence[Sequence[str]], present: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of the completion rule of which no kind is present yet; empty means proved."""
    kinds = set(present)
    return [tuple(group) for group in groups if kinds.isdisjoint(group)]
