"""Rates and percentiles of what runs in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def rate(work: Callable[[], int], seconds: float) -> float:
    """Things done a second; `work` does some and says how many. Once unmeasured, so that caches are warm."""
    work()
    done, begun = 0, time.perf_counter()
    while (now := time.perf_counter()) - begun < seconds:
        done += work()
    return done / (now - begun)


def milliseconds(
    action: Callable[[int], object], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """How long each call took, sorted; at least a hundred calls. Some unmeasured, so that caches are warm.

    With `time.thread_time` as the clock, what waits for nothing is measured without the turns of others on a busy machine.
    """
    for number in range(50):
        action(-number)
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < 100 or time.perf_counter() < until:
        begun = clock()
        action(len(taken))
        taken.append((clock() - begun) * 1000)
    return sorted(taken)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
