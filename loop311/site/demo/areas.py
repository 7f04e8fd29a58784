"""The polygon layers of Port Alder as GeoJSON: the city, seven service areas, fourteen council districts, the state's roads."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import shapely
from shapely.geometry import LineString, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry

from loop311.site.demo.streets import NAMES, STATE_AVENUE, STATE_STREET, Town

MARGIN = 0.003
ROAD_HALF_WIDTH = 0.00025
GRID = 1e-6
"""Every corner lies on this grid (a tenth of a metre), so that neighbours share their border to the last digit."""

KERB = 0.00005
"""Borders run a few metres beside the middle of a street, so that a crossing lies in one area."""

SERVICE_AREAS = {
    "northwest": "Northwest",
    "north": "North",
    "northeast": "Northeast",
    "central": "Central",
    "southwest": "Southwest",
    "south": "South",
    "southeast": "Southeast",
}
DISTRICTS = 14

Feature = dict[str, object]
Layer = dict[str, object]


def layers(town: Town, seed: int) -> dict[str, Layer]:
    """Layer code -> FeatureCollection in degrees, each feature with `key` and `name`."""
    rng = Random(f"areas {seed}")  # noqa: S311 - a repeatable plan, no secret
    city = _city(town, rng)
    return {
        "city": _collection({"city": ("Port Alder", city)}),
        "service_area": _collection(_service_areas(town, city)),
        "council_district": _collection(_districts(town, city, rng)),
        "state_road": _collection({"state": ("State highways", _state_roads(town, city))}),
    }


def _bounds(town: Town) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    x, y = town.avenue_longitudes, town.street_latitudes
    return x[0] - MARGIN, y[-1] - MARGIN, x[-1] + MARGIN, y[0] + MARGIN


def _city(town: Town, rng: Random) -> BaseGeometry:
    """A rectangle with a harbour cut out of its west side and a corner that was never annexed."""
    west, south, east, north = _bounds(town)
    mouth = town.river_latitude(town.avenue_longitudes[0])
    harbour = Polygon([(west, mouth - 0.0015), (west, mouth + 0.0015), (west + 0.0022, mouth)])
    corner = rng.uniform(0.0008, 0.0020)
    unannexed = Polygon([(east, north), (east - corner, north), (east, north - corner)])
    return _snap(box(west, south, east, north) - harbour - unannexed)


def _service_areas(town: Town, city: BaseGeometry) -> dict[str, tuple[str, BaseGeometry]]:
    """The centre straddles the river; the rest is cut by the river and by two meridians."""
    west, south, east, north = _bounds(town)
    first, second = town.avenue_longitudes[13] + KERB, town.avenue_longitudes[26] + KERB
    middle = town.river_latitude((first + second) / 2)
    central = box(
        town.avenue_longitudes[14] + KERB, middle - 0.0131, town.avenue_longitudes[25] + KERB, middle + 0.0131
    )  # downtown, both banks
    line = [(min(max(x, west - 1), east + 1), y) for x, y in town.river]
    upper = Polygon(
        [(west - 1, line[0][1]), *line, (east + 1, line[-1][1]), (east + 1, north + 1), (west - 1, north + 1)]
    )
    shapes: dict[str, tuple[str, BaseGeometry]] = {"central": ("Central", _snap(central & city))}
    columns = {"west": (west - 1, first), "": (first, second), "east": (second, east + 1)}
    rest = city - shapes["central"][1]
    for column, (left, right) in columns.items():
        strip = rest & box(left, south - 1, right, north + 1)
        shapes[f"north{column}"] = (f"North{column}", _snap(strip & upper))
        shapes[f"south{column}"] = (f"South{column}", _snap(strip - upper))
    return shapes


def _districts(town: Town, city: BaseGeometry, rng: Random) -> dict[str, tuple[str, BaseGeometry]]:
    """Seven columns of two, cut along avenues and streets, as councils draw them."""
    west, south, east, north = _bounds(town)
    columns = DISTRICTS // 2
    cuts = [town.avenue_longitudes[round((i + rng.uniform(-0.2, 0.2)) * len(town.avenue_longitudes) / columns)] + KERB
            for i in range(1, columns)]  # fmt: skip
    edges = [west - 1, *cuts, east + 1]
    shapes: dict[str, tuple[str, BaseGeometry]] = {}
    for column in range(columns):
        middle = town.street_latitudes[len(NAMES) // 2 + rng.randint(-3, 3)] + KERB
        for row, (low, high) in enumerate([(middle, north + 1), (south - 1, middle)]):
            key = str(column * 2 + row + 1)
            shapes[key] = (f"District {key}", _snap(city & box(edges[column], low, edges[column + 1], high)))
    return shapes


def _state_roads(town: Town, city: BaseGeometry) -> BaseGeometry:
    west, south, east, north = _bounds(town)
    x = town.avenue_longitudes[STATE_AVENUE]
    y = town.street_latitudes[NAMES.index(STATE_STREET)]
    roads = LineString([(x, south), (x, north)]).buffer(ROAD_HALF_WIDTH, cap_style="flat") | LineString(
        [(west, y), (east, y)]
    ).buffer(ROAD_HALF_WIDTH, cap_style="flat")
    return _snap(roads & city)


def _snap(shape: BaseGeometry) -> BaseGeometry:
    return shapely.set_precision(shape, GRID)


def _collection(shapes: Mapping[str, tuple[str, BaseGeometry]]) -> Layer:
    features: list[Feature] = [
        {"type": "Feature", "properties": {"key": key, "name": name}, "geometry": mapping(shape)}
        for key, (name, shape) in shapes.items()
    ]
    return {"type": "FeatureCollection", "features": features}
