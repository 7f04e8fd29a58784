"""When to try again, how a link stands, and which state follows which. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class LinkState(StrEnum):
    UNTESTED = "untested"  # loaded, and never heard of
    UP = "up"
    SHAKY = "shaky"  # the last try failed, and they were heard of a moment ago
    DOWN = "down"  # silent for too long; the owner is told
    PAUSED = "paused"  # by a person: nothing is said or asked


class OrderState(StrEnum):
    UNPROCESSED = "unprocessed"  # to be said for the first time
    SENDING = "sending"  # being said just now, or the process was killed while it was
    SENT = "sent"  # they have it and have not named their key yet
    ACKNOWLEDGED = "acknowledged"  # they have it under their key
    UNKNOWN = "unknown"  # said, and the answer was lost: looked up before it is said again
    PARKED = "parked"  # a person must look
    CANCELLED = "cancelled"  # not theirs (any more)


class MismatchKind(StrEnum):
    UNKNOWN_STATUS = "unknown_status"  # a status of theirs that nobody gave a meaning
    UNPROVED = "unproved"  # they say done, and the service's evidence is missing
    DECLINED_THERE = "declined_there"
    GONE_THERE = "gone_there"  # cancelled there, or their record is not there any more
    REFUSED_HERE = "refused_here"  # what they say cannot follow the request's state here
    PARKED = "parked"  # refused there, or held for want of a mapping
    STATE_DIFFERS = "state_differs"  # found by the comparison
    NOT_THERE = "not_there"  # handed over long ago and still not there
    NOT_HERE = "not_here"  # a record of theirs bears our mark, and no order of ours leads to it


SILENT = timedelta(seconds=90)
"""They are down when they were not heard of for so long. With a heartbeat a minute, and another soon after one that failed, a
break shows within two minutes."""
AGAIN = timedelta(seconds=35)
"""After a heartbeat that failed, the next one."""
SETTLING = timedelta(seconds=30)
"""What was on its way when a process was killed may still arrive: only then is it looked up."""
OVERDUE = timedelta(hours=4)
"""An order that is not there by then is a mismatch for the nightly comparison."""
OVERLAP = timedelta(minutes=10)
"""What happened there is asked for from so long before the newest that was heard."""

_UNKNOWN_CLOCK = timedelta(days=1)
_FIRST = timedelta(seconds=10)
_LONGEST = timedelta(minutes=30)


def back_off(fails: int, chance: float) -> timedelta:
    """10 s, 20 s, 40 s ... up to half an hour, each between a half and the whole of it (`chance` in 0..1), so that a thousand
    orders that failed together do not come back together."""
    doublings: int = 2 ** min(max(fails - 1, 0), 10)
    whole = min(_FIRST * doublings, _LONGEST)
    return whole / 2 + whole / 2 * chance


def standing(state: str, heard_at: datetime | None, since: datetime, failing: bool, at: datetime) -> LinkState:
    """How a link stands at this instant. `since`: since when it is listened for; `failing`: the last try failed.

    Pages ask this too, so that a worker that is gone shows as silence.
    """
    if state == LinkState.PAUSED:
        return LinkState.PAUSED
    if at - max(heard_at or since, since) > SILENT:
        return LinkState.DOWN
    if heard_at is None:
        return LinkState.UNTESTED
    return LinkState.SHAKY if failing else LinkState.UP


def cursor(newest_there: datetime | None, since: datetime, at: datetime) -> datetime:
    """From when on to ask what happened there. It is their clock that counts, for theirs may go wrong; never later than ours.
    Before anything was heard a day is allowed for how wrong it goes."""
    return min(newest_there, at) - OVERLAP if newest_there else min(since, at) - _UNKNOWN_CLOCK


def web_address(url: str) -> str:
    """Theirs, where it may stand in a link on a page; otherwise nothing."""
    return url if url.startswith(("https://", "http://")) and len(url) <= 2000 and url.isprintable() else ""
