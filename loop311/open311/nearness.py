"""Requests by place: in a box or around a point, judged by the position that is published, so that asking tells no other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from loop311.catalog.definitions import Publicity
from loop311.places.policies import box_around

_METRES_IN_A_DEGREE = 111_195.0
_MARGIN = 0.001
"""Degrees; a published position lies at most half of it away from the true one."""


@dataclass(frozen=True, slots=True)
class Box:
    """WGS84 degrees; the edges belong to it."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Circle:
    latitude: float
    longitude: float
    metres: float

    def box(self) -> Box:
        south, west, north, east = box_around(self.latitude, self.longitude, self.metres)
        return Box(west, south, east, north)


PUBLICITY = "CASE WHEN s.code = ANY(%(by_block)s) THEN 'block' ELSE r.publicity END"
"""Of request `r` of service `s`: the stricter of its own and its service's today."""


def within(where: Box | Circle, values: dict[str, Any]) -> str:
    """A condition in SQL. The index finds what lies in the box, a little larger; the published position decides."""
    box = where if isinstance(where, Box) else where.box()
    values |= {"south": box.south, "west": box.west, "north": box.north, "east": box.east, "margin": _MARGIN}
    inside = (
        "r.latitude BETWEEN %(south)s - %(margin)s AND %(north)s + %(margin)s"
        " AND r.longitude BETWEEN %(west)s - %(margin)s AND %(east)s + %(margin)s"
    )
    latitude, longitude = _shown("latitude"), _shown("longitude")
    if isinstance(where, Box):
        shown = f"{latitude} BETWEEN %(south)s AND %(north)s AND {longitude} BETWEEN %(west)s AND %(east)s"
        return f"{inside} AND {shown}"
    values |= {"latitude": where.latitude, "longitude": where.longitude, "metres": where.metres}
    values["up"] = _METRES_IN_A_DEGREE
    values["right"] = _METRES_IN_A_DEGREE * math.cos(math.radians(where.latitude))
    north, east = f"({latitude} - %(latitude)s) * %(up)s", f"({longitude} - %(longitude)s) * %(right)s"
    return f"{inside} AND power({north}, 2) + power({east}, 2) <= power(%(metres)s, 2)"


def _shown(column: str) -> str:
    """As `requests.publicity.public_place` has it."""
    block = f"round(r.{column}::numeric(20, 12), 3)::float8"
    return f"(CASE WHEN {PUBLICITY} = '{Publicity.EXACT}' THEN r.{column} ELSE {block} END)"
