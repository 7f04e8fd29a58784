"""The town plan of Port Alder: streets, a river, addresses, intersections. Pure; the seed decides.

The town lies in the open sea, tens of kilometres off the coast of Oregon, so that none of its addresses can be anybody's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from shapely.geometry import LineString, mapping
from shapely.geometry.base import BaseGeometry

CENTER = (45.0, -124.85)
"""Latitude and longitude of the town hall."""

NAMES = (
    "Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gannet", "Hazel", "Ivy", "Juniper", "Kelp",
    "Larch", "Maple", "Nettle", "Oak", "Pine", "Quince", "Rowan", "Spruce", "Tamarack", "Upland", "Vine",
    "Willow", "Yew", "Heron", "Osprey", "Plover", "Sandpiper", "Tern", "Cormorant", "Pelican", "Egret",
)  # fmt: skip
"""The streets that run east and west, from the north; the avenues that cross them are numbered from the west."""

AVENUES = 40
BLOCK_LATITUDE = 0.0025
BLOCK_LONGITUDE = 0.0035
"""About 280 by 275 metres."""
RIVER_HALF_WIDTH = 0.0007
STATE_AVENUE = 19
"""Position of the avenue that is a state highway."""
STATE_STREET = "Upland"
"""The street that is a state highway."""
_PER_BLOCK = 3


@dataclass(frozen=True, slots=True)
class Point:
    """An address, or the crossing of two streets. `number` is empty for a crossing."""

    text: str
    street: str
    number: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Town:
    street_latitudes: tuple[float, ...]
    avenue_longitudes: tuple[float, ...]
    river: tuple[tuple[float, float], ...]
    """(longitude, latitude) of its middle line, from west to east."""
    bridges: frozenset[int]
    """Positions of the avenues that cross the river."""
    addresses: tuple[Point, ...]
    crossings: tuple[Point, ...]

    def river_latitude(self, longitude: float) -> float:
        """Of the river's middle at this longitude."""
        return _along(self.river, longitude)


def plan_town(seed: int) -> Town:
    """The same seed gives the same town, to the last house."""
    rng = Random(f"town {seed}")  # noqa: S311 - a repeatable plan, no secret
    latitudes = _lines(rng, CENTER[0] + BLOCK_LATITUDE * len(NAMES) / 2, -BLOCK_LATITUDE, len(NAMES))
    longitudes = _lines(rng, CENTER[1] - BLOCK_LONGITUDE * AVENUES / 2, BLOCK_LONGITUDE, AVENUES)
    river = _river(rng, longitudes[0], longitudes[-1])
    bridges = frozenset(rng.sample(range(2, AVENUES - 2), 9)) | {STATE_AVENUE}
    addresses = (*_on_streets(rng, latitudes, longitudes, river), *_on_avenues(rng, latitudes, longitudes, river))
    return Town(latitudes, longitudes, river, bridges, addresses, _crossings(latitudes, longitudes, river))


def avenue_name(position: int) -> str:
    """0 -> '1st Ave'."""
    number = position + 1
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} Ave"


def street_lines(town: Town) -> dict[str, object]:
    """The streets as GeoJSON lines: none crosses the river but the avenues that have a bridge."""
    west, east = town.avenue_longitudes[0], town.avenue_longitudes[-1]
    north, south = town.street_latitudes[0], town.street_latitudes[-1]
    water = LineString(town.river).buffer(RIVER_HALF_WIDTH, cap_style="flat")
    drawn: list[tuple[str, BaseGeometry]] = [
        (f"{name} St", LineString([(west, y), (east, y)]) - water)
        for name, y in zip(NAMES, town.street_latitudes, strict=True)
    ]
    for position, x in enumerate(town.avenue_longitudes):
        avenue = LineString([(x, south), (x, north)])
        drawn.append((avenue_name(position), avenue if position in town.bridges else avenue - water))
    features = [{"type": "Feature", "properties": {"name": name}, "geometry": mapping(line)} for name, line in drawn]
    return {"type": "FeatureCollection", "features": features}


def _lines(rng: Random, start: float, step: float, count: int) -> tuple[float, ...]:
    """Nearly even distances: no old town is drawn with a ruler."""
    return tuple(round(start + step * (i + rng.uniform(-0.12, 0.12)), 6) for i in range(count))


def _river(rng: Random, west: float, east: float) -> tuple[tuple[float, float], ...]:
    phase, bend = rng.uniform(0, math.tau), rng.uniform(0.006, 0.010)
    steps = 60
    points = []
    for i in range(-2, steps + 3):
        share = i / steps
        latitude = CENTER[0] + bend * math.sin(phase + share * 7) + 0.003 * math.sin(phase * 2 + share * 17)
        points.append((round(west + (east - west) * share, 6), round(latitude, 6)))
    return tuple(points)


def _along(line: tuple[tuple[float, float], ...], longitude: float) -> float:
    place = min(max(bisect_right(line, (longitude, 90.0)), 1), len(line) - 1)
    (x0, y0), (x1, y1) = line[place - 1], line[place]
    return y0 + (y1 - y0) * (longitude - x0) / (x1 - x0)


def _is_dry(river: tuple[tuple[float, float], ...], latitude: float, longitude: float) -> bool:
    return abs(latitude - _along(river, longitude)) > RIVER_HALF_WIDTH * 1.4


def _on_streets(
    rng: Random, latitudes: tuple[float, ...], longitudes: tuple[float, ...], river: tuple[tuple[float, float], ...]
) -> list[Point]:
    """Hundreds count from the west; odd numbers stand on the north side."""
    points = []
    for name, latitude in zip(NAMES, latitudes, strict=True):
        for block in range(AVENUES - 1):
            west, east = longitudes[block], longitudes[block + 1]
            for house in sorted(rng.sample(range(4, 96), _PER_BLOCK)):
                x = round(west + (east - west) * house / 100, 6)
                y = round(latitude + (0.00012 if house % 2 else -0.00012), 6)
                if _is_dry(river, y, x):
                    number = str((block + 1) * 100 + house)
                    points.append(Point(f"{number} {name} St", f"{name} St", number, y, x))
    return points


def _on_avenues(
    rng: Random, latitudes: tuple[float, ...], longitudes: tuple[float, ...], river: tuple[tuple[float, float], ...]
) -> list[Point]:
    """Hundreds count from the north; even numbers stand on the west side."""
    points = []
    for position, longitude in enumerate(longitudes):
        for block in range(len(NAMES) - 1):
            north, south = latitudes[block], latitudes[block + 1]
            for house in sorted(rng.sample(range(8, 92), _PER_BLOCK - 1)):
                y = round(north + (south - north) * house / 100, 6)
                x = round(longitude + (0.00017 if house % 2 else -0.00017), 6)
                if _is_dry(river, y, x):
                    number = str((block + 1) * 100 + house)
                    street = avenue_name(position)
                    points.append(Point(f"{number} {street}", street, number, y, x))
    return points


def _crossings(
    latitudes: tuple[float, ...], longitudes: tuple[float, ...], river: tuple[tuple[float, float], ...]
) -> tuple[Point, ...]:
    return tuple(
        Point(f"{name} St & {avenue_name(position)}", f"{name} St", "", latitude, longitude)
        for name, latitude in zip(NAMES, latitudes, strict=True)
        for position, longitude in enumerate(longitudes)
        if _is_dry(river, latitude, longitude)
    )
