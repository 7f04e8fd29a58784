"""From a GeoJSON file of lines, or from address points alone, to streets by name: pure, no database."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from loop311.kit.problems import Invalid
from loop311.places.properties import Scalar, plain
from loop311.places.shapes import MAX_POINTS, declared, decode, geometry, in_degrees, short

MAX_STREETS = 400_000
NAMES = (
    "name",
    "fullname",
    "full_name",
    "street",
    "street_name",
    "streetname",
    "st_name",
    "road",
    "road_name",
    "label",
)
"""Properties cities name streets by; tried in lower case."""
BIN_METRES = 60.0
"""Addresses of a street this close together make one point of its line."""
GAP_METRES = 350.0
"""A street with a longer gap between its addresses is drawn in pieces."""
_METRES = 111_195.0
"""A degree of latitude."""


@dataclass(frozen=True, slots=True)
class Line:
    """A street: all its lines together, in degrees (longitude, latitude). Nameless ones stay by themselves."""

    name: str
    shape: shapely.MultiLineString


@dataclass(frozen=True, slots=True)
class Known:
    """An address on a street, or a crossing of it."""

    street: str
    latitude: float
    longitude: float


def read_lines(
    geojson: bytes | str | Mapping[str, object], *, name_property: str | None = None, crs: str | None = None
) -> tuple[list[Line], list[str]]:
    """The streets of a FeatureCollection by name, and the lines that say how it was read. Raises Invalid."""
    file = decode(geojson)
    features = file.features or []
    if not features:
        raise Invalid("The file has no features, so there is no street to load.")
    if len(features) > MAX_STREETS:
        raise Invalid(f"The file has {len(features):,} features; a layer of streets may have {MAX_STREETS:,}.")
    said: list[str] = []
    system = crs or declared(file.crs, said)
    rows = [plain(feature.properties or {}) for feature in features]
    name = _naming(rows, name_property, said)
    drawn = [
        (_name(row, name) or f"number {number}", geometry("Street", _name(row, name) or str(number), bytes(f.geometry)))
        for number, (row, f) in enumerate(zip(rows, features, strict=True), 1)
    ]
    if sum(int(shapely.get_num_coordinates(shape)) for _, shape in drawn) > MAX_POINTS:
        raise Invalid(f"The streets have more than {MAX_POINTS:,} points; simplify them first.")
    shapes = [shape for _, shape in in_degrees(drawn, system, "Street")]
    return _together([_name(row, name) for row in rows], shapes), short(said)


def _naming(rows: Sequence[Mapping[str, Scalar]], given: str | None, said: list[str]) -> str:
    known = {name: None for row in rows for name in row}
    if given is not None:
        if given not in known:
            raise Invalid(f"No feature has the property {given[:80]!r}; there are: {', '.join(known)[:500] or 'none'}.")
        return given
    found = next((name for usual in NAMES for name in known if name.lower() == usual), "")
    said.append(f"The streets are named by the property {found!r}." if found else "The streets have no names.")
    return found


def _name(row: Mapping[str, Scalar], name: str) -> str:
    return str(row.get(name, "")).strip()[:200]


def _together(names: Sequence[str], shapes: Sequence[shapely.Geometry]) -> list[Line]:
    by_name: dict[str, list[shapely.Geometry]] = {}
    alone: list[Line] = []
    for name, shape in zip(names, shapes, strict=True):
        parts = list(shapely.get_parts(shape))
        if name:
            by_name.setdefault(name, []).extend(parts)
        else:
            alone.append(Line("", shapely.MultiLineString(parts)))
    named = [Line(name, _merged(parts)) for name, parts in sorted(by_name.items())]
    return [*named, *alone]


def _merged(parts: Sequence[shapely.Geometry]) -> shapely.MultiLineString:
    whole = shapely.line_merge(shapely.MultiLineString(list(parts)))
    return shapely.MultiLineString(list(shapely.get_parts(whole)))


# --- From addresses alone ------------------------------------------------------------------------------------------------


def derive_lines(points: Iterable[Known]) -> list[Line]:
    """Roughly where the streets run: along each street's main direction, addresses near each other make a point of its line.

    Good enough to find one's way on a map; a winding street comes out too straight.
    """
    by_street: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point.street:
            by_street.setdefault(point.street, []).append((point.longitude, point.latitude))
    found = [(street, _pieces(np.array(spots))) for street, spots in sorted(by_street.items())]
    return [Line(street, shapely.MultiLineString(pieces)) for street, pieces in found if pieces]


def _pieces(spots: npt.NDArray[np.float64]) -> list[shapely.LineString]:
    middle = spots.mean(axis=0)
    scale = np.array([_METRES * math.cos(math.radians(float(middle[1]))), _METRES])
    metres = (spots - middle) * scale
    along = metres @ _direction(metres)
    bins = np.round(along / BIN_METRES).astype(np.int64)
    order = np.unique(bins)
    means = np.array([metres[bins == each].mean(axis=0) for each in order])
    steps = np.hypot(*np.diff(means, axis=0).T) if len(means) > 1 else np.array([])
    cuts = np.nonzero(steps > GAP_METRES)[0] + 1
    runs = [run for run in np.split(means, cuts) if len(run) > 1]
    return [shapely.LineString(np.round(run / scale + middle, 6)) for run in runs]


def _direction(metres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Unit vector of the main direction; east where there is none."""
    _values, vectors = np.linalg.eigh(metres.T @ metres)
    main: npt.NDArray[np.float64] = vectors[:, -1]
    return main
