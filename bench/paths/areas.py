"""Which areas a point lies in: one at a time as in filing, and many at once as in imports and reports."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import timing
from bench.results import Effort, Result, at_least
from bench.town import SIDE, SOUTH, WEST, Town
from loop311.places.index import area_index

POINTS = 100_000


def measure(town: Town, effort: Effort) -> Iterator[Result]:
    index = area_index(town.jurisdiction.pk)
    chance = np.random.default_rng(311)
    latitudes, longitudes = SOUTH + SIDE * chance.random(POINTS), WEST + SIDE * chance.random(POINTS)
    points = list(zip(latitudes.tolist(), longitudes.tolist(), strict=True))

    def singly() -> int:
        for latitude, longitude in points:
            index.areas_at(latitude, longitude)
        return len(points)

    def in_bulk() -> int:
        index.areas_of(latitudes, longitudes)
        return len(points)

    layers = len(index.layers)
    note = f"points a second, each in {layers} layers of 1, 14 and 50 areas"
    yield at_least("areas, singly", None, timing.rate(singly, effort.seconds / 4), 200_000, note=note)
    yield at_least("areas, in bulk", None, timing.rate(in_bulk, effort.seconds / 4), 3_000_000, note=note)
