"""Working time added to an instant, over a year of filings: hours as crews keep them, holidays, both changes of the clocks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from bench import timing
from bench.results import Effort, Result, at_least
from bench.town import Town
from loop311.catalog.definitions import Priority
from loop311.catalog.services import current
from loop311.kit.clock import now
from loop311.promises.clock import Clocks
from loop311.promises.policies import plan

WORKING = timedelta(hours=24)


def measure(town: Town, effort: Effort) -> Iterator[Result]:
    _, index = current(town.jurisdiction.pk)
    clocks = Clocks(index.calendars.values(), town.jurisdiction.zone)
    policies = list(index.promises.values())
    calendar = next(code for code, each in index.calendars.items() if each.holidays)
    chance = random.Random(311)  # noqa: S311 - filings, no secrets
    starts = [now() - timedelta(seconds=chance.randrange(365 * 86_400)) for _ in range(50_000)]
    add = clocks[calendar].add

    def additions() -> int:
        for start in starts:
            add(start, WORKING)
        return len(starts)

    def plans() -> int:
        for number, start in enumerate(starts[:5_000]):
            plan(policies[number % len(policies)], Priority.STANDARD, start, clocks)
        return 5_000

    note = f'24 working hours in the calendar "{calendar}"'
    yield at_least("promise additions", None, timing.rate(additions, effort.seconds / 4), 1_000_000, note=note)
    note = "first response and resolution, every policy of the starter catalogue in turn"
    yield at_least("promises planned", None, timing.rate(plans, effort.seconds / 4), None, note=note)
