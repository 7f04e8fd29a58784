"""Pure rules of a promise to ring a resident: when it is due and late, and when nobody could be reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST_WINDOW = timedelta(days=7)
CHANNELS_BEFORE_FAILED = 2
"""Somebody is out of reach only after having been tried in this many different ways."""


class CallbackState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Way(StrEnum):
    """How a resident is tried."""

    CALL = "call"
    MESSAGE = "message"  # SMS
    EMAIL = "email"
    LETTER = "letter"
    VISIT = "visit"  # or a door hanger


class AttemptOutcome(StrEnum):
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"  # spoken to, and did not want to go on
    MESSAGE_LEFT = "message_left"


class HandOverReason(StrEnum):
    """Why somebody else rings."""

    SHIFT_ENDS = "shift_ends"
    LANGUAGE = "language"  # speaks the resident's
    KNOWS_MORE = "knows_more"
    ABSENT = "absent"
    OTHER_TEAM = "other_team"  # another team is responsible


class CancelReason(StrEnum):
    NOT_NEEDED = "not_needed"  # what was asked has been answered
    RESIDENT_ASKED = "resident_asked"
    DUPLICATE = "duplicate"
    MISTAKE = "mistake"
    RESIDENT_ERASED = "resident_erased"  # there is nobody to ring; only the city's own machinery says so


SPOKEN_TO = frozenset({AttemptOutcome.REACHED, AttemptOutcome.REFUSED})
"""The resident was there: the promise is kept."""

POINTS_OF_WAY: dict[Way, frozenset[str]] = {
    Way.CALL: frozenset({"phone", "mobile"}),
    Way.MESSAGE: frozenset({"mobile"}),
    Way.EMAIL: frozenset({"email"}),
    Way.LETTER: frozenset(),
    Way.VISIT: frozenset(),
}
"""Which kinds of contact point a way can use; letters and visits go to the address."""


@dataclass(frozen=True, slots=True)
class Tried:
    way: Way
    outcome: AttemptOutcome


def window_refusal(start: datetime, end: datetime, at: datetime) -> str | None:
    """Why a call-back cannot be promised for this window at `at`, or None."""
    if end <= start:
        return "The window must end after it begins."
    if end <= at:
        return "The window has passed already."
    if end - start > LONGEST_WINDOW:
        return f"A window of more than {LONGEST_WINDOW.days} days is no promise."
    return None


def is_due(state: CallbackState, start: datetime, end: datetime, at: datetime) -> bool:
    """Now is the time to ring."""
    return state is CallbackState.OPEN and start <= at <= end


def is_late(state: CallbackState, end: datetime, at: datetime) -> bool:
    """The window has passed and nobody was rung."""
    return state is CallbackState.OPEN and at > end


def failure_refusal(attempts: Iterable[Tried], *, in_window: bool) -> str | None:
    """Why a resident cannot be called out of reach yet, or None. A failed call-back says nothing about the problem itself.

    `in_window`: somebody tried when the resident was told to expect it, or later.
    """
    tried = list(attempts)
    if any(t.outcome in SPOKEN_TO for t in tried):
        return "The resident was spoken to; the call-back is kept, not failed."
    ways = {t.way for t in tried}
    if len(ways) < CHANNELS_BEFORE_FAILED:
        have = f"only {', '.join(sorted(ways))}" if ways else "nothing"
        return f"The resident must be tried in {CHANNELS_BEFORE_FAILED} different ways first; so far {have} was tried."
    if not in_window:
        return "Nobody has tried since the promised window began; the resident waits for the call then."
    return None


def ways_left(attempts: Iterable[Tried], reachable: Iterable[str]) -> tuple[Way, ...]:
    """Ways not tried yet that the resident's kinds of contact points (or address) allow, in the order to try them."""
    tried = {t.way for t in attempts}
    kinds = set(reachable)
    return tuple(way for way, points in POINTS_OF_WAY.items() if way not in tried and (not points or points & kinds))


def in_zone(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The window as the city's clocks show it."""
    return start.astimezone(zone), end.astimezone(zone)
