"""Call-backs of the demo city: most are kept, some only at the second try, a few fail, and the last are still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from loop311.callbacks import services as callbacks
from loop311.callbacks.policies import AttemptOutcome, Way
from loop311.callbacks.services import Wish
from loop311.site.demo.filing import Filed
from loop311.site.demo.founding import Founded

SHARE = 0.05
"""Of the requests of somebody who can be rung."""
_REASON = "Demo: tell what was found."


@dataclass(frozen=True, slots=True)
class Wanted:
    at: datetime
    filed: Filed
    luck: float
    """0 to 1; decides how it goes."""


def ring(city: Founded, wanted: Wanted, until: datetime) -> str:
    """Promise it and, as far as that lies in the past, keep it or not; returns the state it is left in."""
    filed, at = wanted.filed, wanted.at
    if filed.resident is None:
        return "nobody"
    by = city.crew.members[city.crew.code_of(filed.request)][0].actor
    start = at + timedelta(hours=20)
    wish = Wish(window_start=start, window_end=start + timedelta(hours=4), reason=_REASON, request=filed.request)
    callback = callbacks.promise(filed.resident, wish, by=by, at=at)
    first = start + timedelta(minutes=30 + 120 * wanted.luck)
    if first >= until:
        return callback.state
    if wanted.luck < 0.7:
        return callbacks.keep(callback, by=by, at=first).state
    callback = callbacks.attempt(callback, outcome=AttemptOutcome.NO_ANSWER, by=by, at=first)
    second = first + timedelta(hours=20 if wanted.luck > 0.9 else 1)
    if second >= until:
        return callback.state
    if wanted.luck < 0.88:
        return callbacks.keep(callback, by=by, at=second).state
    callback = callbacks.attempt(callback, outcome=AttemptOutcome.MESSAGE_LEFT, way=Way.EMAIL, by=by, at=second)
    return callbacks.fail(callback, by=by, at=second + timedelta(minutes=5)).state
