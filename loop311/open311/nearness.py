"""Requests by place: in a box or around a point, judged by the position that is published, so that asking tells no other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db.models import Case, DecimalField, F, FloatField, Func, Q, QuerySet, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Round

from loop311.catalog.definitions import Publicity
from loop311.places.policies import box_around
from loop311.requests.models import Request

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


def within(rows: QuerySet[Request], where: Box | Circle) -> QuerySet[Request]:
    """The index finds what lies in the box, a little larger; the published position decides."""
    box = where if isinstance(where, Box) else where.box()
    rows = rows.filter(_in(box, "latitude", "longitude", _MARGIN))
    rows = rows.alias(shown_latitude=_shown("latitude"), shown_longitude=_shown("longitude"))
    if isinstance(where, Box):
        return rows.filter(_in(box, "shown_latitude", "shown_longitude", 0.0))
    north = (F("shown_latitude") - where.latitude) * _METRES_IN_A_DEGREE
    east = (F("shown_longitude") - where.longitude) * (_METRES_IN_A_DEGREE * math.cos(math.radians(where.latitude)))
    return rows.alias(apart=_squared(north) + _squared(east)).filter(apart__lte=where.metres**2)


def _in(box: Box, latitude: str, longitude: str, margin: float) -> Q:
    return Q(
        **{
            f"{latitude}__range": (box.south - margin, box.north + margin),
            f"{longitude}__range": (box.west - margin, box.east + margin),
        }
    )


def _squared(value: Combinable) -> Combinable:
    return Func(value, 2.0, function="power", output_field=FloatField())


def _shown(column: str) -> Case:
    """As `requests.publicity.public_place` has it."""
    rounded = Round(Cast(column, DecimalField(max_digits=20, decimal_places=12)), precision=3)
    block = Cast(rounded, FloatField())
    return Case(When(publicity=Publicity.EXACT.value, then=F(column)), default=block, output_field=FloatField())
