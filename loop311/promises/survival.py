"""How long things take when some are still going on: Kaplan and Meier's estimate, in which open ones count too. Pure.

Leaving out what is still open would say that everything is quick: only the quick ones have ended yet. Here each open one
counts as "took at least so long", which is what is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_TINY = 1e-9
"""Shares are products of many fractions; this much is rounding."""


@dataclass(frozen=True, slots=True)
class Lasted:
    """So many ended after this long, and so many were last seen, not ended, after this long. Any unit of time."""

    after: int
    ended: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """From `after` on, this share is not ended yet."""

    after: int
    share: float


def still_open(lasted: Iterable[Lasted]) -> list[Step]:
    """The estimated share not ended after each time at which something ended, in the order of time.

    Whatever was last seen open at a time counts as open until just after it.
    """
    ended: dict[int, int] = {}
    open_: dict[int, int] = {}
    for each in lasted:
        ended[each.after] = ended.get(each.after, 0) + each.ended
        open_[each.after] = open_.get(each.after, 0) + each.open
    at_risk = sum(ended.values()) + sum(open_.values())
    steps, share = [], 1.0
    for after in sorted(ended):
        if ended[after]:
            share *= 1 - ended[after] / at_risk
            steps.append(Step(after, share))
        at_risk -= ended[after] + open_[after]
    return steps


def time_until(steps: Iterable[Step], share_ended: float) -> int | None:
    """The first time by which at least this share has ended; None when that was never seen."""
    return next((step.after for step in steps if step.share <= 1 - share_ended + _TINY), None)
