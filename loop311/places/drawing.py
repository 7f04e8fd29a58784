"""What a map of the city draws, as GeoJSON of bounded size: its areas and its streets, simplified to what an eye can see.

A version is never edited, so what was drawn once stays in the process and in the reader's browser for as long as they like.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import shapely
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from loop311.kit.problems import NotFound
from loop311.places.index import area_index
from loop311.places.models import Area, LayerVersion, Street

CELL_DEGREES = 0.02
"""Streets are drawn cell by cell of a grid over the earth, about two kilometres wide."""
MOST_POINTS = 20_000
"""Of one answer; shapes become coarser until they fit."""
_FINEST = 0.00001
"""About a metre."""
_MAIN_STREETS = 1500

Simplify = Callable[[Sequence[shapely.Geometry], float], list[shapely.Geometry]]
Drawing = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class DrawnLayer:
    """A layer of areas a map may show. `version` names what is drawn."""

    code: str
    name: str
    version: int
    is_boundary: bool


@dataclass(frozen=True, slots=True)
class CityMap:
    """All that a map needs to begin with. `bounds`: west, south, east, north; None when the city has drawn nothing yet."""

    bounds: tuple[float, float, float, float] | None
    layers: tuple[DrawnLayer, ...]
    streets: int | None
    """Version of the streets in force."""
    cell_degrees: float
    tiles: str
    """Address of a picture of the earth behind it all; empty when the deployment has none."""
    tiles_credit: str


def city_map(jurisdiction_id: int) -> CityMap:
    """Three queries at most."""
    index = area_index(jurisdiction_id)
    layers = tuple(DrawnLayer(v.layer, v.name or v.layer, v.id, v.is_boundary) for v in index.versions)
    streets = streets_in_force(jurisdiction_id)
    return CityMap(
        bounds=index.bounds or (_street_bounds(jurisdiction_id, streets) if streets else None),
        layers=layers,
        streets=streets,
        cell_degrees=CELL_DEGREES,
        tiles=settings.MAP_TILES_URL,
        tiles_credit=settings.MAP_TILES_CREDIT,
    )


def streets_in_force(jurisdiction_id: int) -> int | None:
    """The newest version of the city's streets: what is drawn is the present, whenever it was loaded."""
    rows = LayerVersion.objects.filter(jurisdiction_id=jurisdiction_id, layer__kind="streets")
    return rows.order_by("-effective_on", "-id").values_list("pk", flat=True).first()


@lru_cache(maxsize=64)
def _street_bounds(jurisdiction_id: int, version_id: int) -> tuple[float, float, float, float]:
    rows = _of_version(jurisdiction_id, version_id).values_list("west", "south", "east", "north")
    west, south, east, north = zip(*rows, strict=True)
    return min(west), min(south), max(east), max(north)


def _of_version(jurisdiction_id: int, version_id: int) -> QuerySet[Street]:
    return Street.objects.filter(jurisdiction_id=jurisdiction_id, version_id=version_id)


def version_of(jurisdiction_id: int, version_id: int, kind: str) -> int:
    """The id, when it is of this city and kind; NotFound otherwise."""
    rows = LayerVersion.objects.filter(jurisdiction_id=jurisdiction_id, pk=version_id, layer__kind=kind)
    if not rows.exists():
        raise NotFound("There is no such version of a layer in this city.")
    return version_id


@lru_cache(maxsize=64)
def areas_drawn(jurisdiction_id: int, version_id: int) -> bytes:
    """The areas of a version; neighbours keep their common border."""
    rows = list(
        Area.objects.filter(jurisdiction_id=jurisdiction_id, version_id=version_id)
        .order_by("key")
        .values_list("key", "name", "shape")
    )
    shapes = [shapely.from_wkb(bytes(shape)) for _, _, shape in rows]
    drawn = _until_small(shapes, _neighbours)
    return _collection(({"key": key, "name": name}, shape) for (key, name, _), shape in zip(rows, drawn, strict=True))


def _neighbours(shapes: Sequence[shapely.Geometry], tolerance: float) -> list[shapely.Geometry]:
    try:
        return list(shapely.coverage_simplify(list(shapes), tolerance))
    except shapely.GEOSException:  # areas that overlap share no border
        return list(shapely.simplify(list(shapes), tolerance))


@lru_cache(maxsize=256)
def streets_cell(jurisdiction_id: int, version_id: int, x: int, y: int) -> bytes:
    """The streets of one cell, cut at its edges. Cells count from the south-west corner of the earth."""
    west, south = x * CELL_DEGREES - 180, y * CELL_DEGREES - 90
    east, north = west + CELL_DEGREES, south + CELL_DEGREES
    rows = (
        _of_version(jurisdiction_id, version_id)
        .filter(south__lte=north, north__gte=south, west__lte=east, east__gte=west)
        .order_by("pk")
    )
    named = [
        (name, shapely.clip_by_rect(shapely.from_wkb(bytes(shape)), west, south, east, north))
        for name, shape in rows.values_list("name", "shape")
    ]
    return _streets([(name, shape) for name, shape in named if not shape.is_empty])


@lru_cache(maxsize=64)
def streets_main(jurisdiction_id: int, version_id: int) -> bytes:
    """The longest streets of the whole city, for when all of it is in sight."""
    rows = _of_version(jurisdiction_id, version_id).exclude(name="").values_list("name", "shape")
    streets = [(name, shapely.from_wkb(bytes(shape))) for name, shape in rows.iterator(chunk_size=5000)]
    longest = sorted(streets, key=lambda street: -float(shapely.length(street[1])))[:_MAIN_STREETS]
    return _streets(longest)


def _streets(named: Sequence[tuple[str, shapely.Geometry]]) -> bytes:
    drawn = _until_small([shape for _, shape in named], lambda shapes, by: list(shapely.simplify(list(shapes), by)))
    return _collection(({"name": name}, shape) for (name, _), shape in zip(named, drawn, strict=True))


def _until_small(shapes: Sequence[shapely.Geometry], simplify: Simplify) -> list[shapely.Geometry]:
    """As fine as fits into MOST_POINTS; what no coarseness makes small enough is left out from the end."""
    tolerance = _FINEST
    drawn = simplify(shapes, tolerance) if shapes else []
    while sum(map(int, shapely.get_num_coordinates(drawn))) > MOST_POINTS and tolerance < 0.01:
        tolerance *= 2
        drawn = simplify(shapes, tolerance)
    return list(_first_points(drawn))


def _first_points(drawn: Iterable[shapely.Geometry]) -> Iterator[shapely.Geometry]:
    left = MOST_POINTS
    for shape in drawn:
        left -= int(shapely.get_num_coordinates(shape))
        yield shape if left >= 0 else shapely.MultiPoint()


def _collection(features: Iterable[tuple[dict[str, str], shapely.Geometry]]) -> bytes:
    return msgspec.json.encode(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": properties, "geometry": msgspec.Raw(_rounded(shape))}
                for properties, shape in features
                if not shape.is_empty
            ],
        }
    )


def _rounded(shape: shapely.Geometry) -> bytes:
    return msgspec.json.encode(_short(msgspec.json.decode(shapely.to_geojson(shape))))


def _short(value: object) -> object:
    """Coordinates to about a metre, so that they are short."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [_short(one) for one in value]
    return {key: _short(one) for key, one in value.items()} if isinstance(value, dict) else value


def cell_of(latitude: float, longitude: float) -> tuple[int, int]:
    """x and y of the cell a point lies in."""
    return math.floor((longitude + 180) / CELL_DEGREES), math.floor((latitude + 90) / CELL_DEGREES)


def kept(request: HttpRequest, mark: str, drawn: Drawing) -> HttpResponse:
    """The drawing as an answer that a browser keeps for ever; 304 without drawing it again when it has it already."""
    etag = f'"{mark}"'
    if etag in request.headers.get("If-None-Match", "").split(", "):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        answer = HttpResponse(drawn(), content_type="application/geo+json")
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=31536000, immutable"  # a version is never edited
    return answer
