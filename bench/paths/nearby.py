"""Open requests around a point, one connection: what the call taker sees while the caller still speaks."""

from __future__ import annotations

from collections.abc import Iterator

from bench import timing
from bench.results import Effort, Result
from bench.town import OPEN_SHARE, Town, position
from loop311.requests.queries import open_near

METRES = 50
_before: list[tuple[int, float]] = []


def measure(town: Town, size: int, effort: Effort) -> Iterator[Result]:
    """p99 grows less than twofold while the city grows tenfold (with as many more open requests)."""

    def look(number: int) -> object:
        return open_near(town.jurisdiction.pk, *position(number), METRES)

    taken = timing.milliseconds(look, effort.seconds)
    p99 = timing.percentile(taken, 0.99)
    note = f"{METRES} m, {OPEN_SHARE:.0%} of all requests are open"
    yield Result("open nearby, p50", size, timing.percentile(taken, 0.5), "ms", note=note)
    if not _before:
        _before.append((size, p99))
        yield Result("open nearby, p99", size, p99, "ms", note=note)
        return
    smaller, was = _before[0]
    ratio = p99 / was
    yield Result("open nearby, p99", size, p99, "ms", None, ratio, f"< 2 x p99 at {smaller:,}", ratio < 2, note)
