"""From a GeoJSON file to clean areas: pure, no database. What is refused or repaired is said in a line that names the area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from loop311.kit.problems import Invalid
from loop311.kit.structs import learn
from loop311.places.properties import Scalar, key_of, name_of, naming, plain

MAX_BYTES = 200_000_000
MAX_FEATURES = 20_000
MAX_POINTS = 5_000_000
HAIRLINE_SQUARE_METRES = 10_000.0
HAIRLINE_SHARE = 0.001
"""Overlaps up to both, surface and share of the smaller area, are drawing errors of neighbours (seen in real files: up to
160 m2 and 0.002 %); anything more is a real overlap."""
MAX_LINES = 50

_DEGREES = ("crs84", "4326", "4269")
_MAKE = {
    "Area": (("Polygon", "MultiPolygon"), "an area"),
    "Street": (("LineString", "MultiLineString"), "a street"),
}
"""What a feature is to become: the geometries that can, and its noun."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One area, ready to be kept: a valid multipolygon in degrees (longitude, latitude)."""

    key: str
    name: str
    polygon: shapely.MultiPolygon
    properties: dict[str, Scalar]


class Feature(msgspec.Struct):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, object] | None = None


class File(msgspec.Struct):
    type: str
    features: list[Feature] | None = None
    name: object = None
    crs: object = None


class _Geometry(msgspec.Struct):
    type: str


def read_shapes(
    geojson: bytes | str | Mapping[str, object],
    *,
    key_property: str | None = None,
    name_property: str | None = None,
    crs: str | None = None,
    exclusive: bool = True,
) -> tuple[list[Shape], list[str]]:
    """The areas of a FeatureCollection in the order of their keys, and the lines that say what was repaired.

    Raises Invalid with a sentence that names what to mend.
    """
    file = decode(geojson)
    features = file.features or []
    if not features:
        raise Invalid("The file has no features, so there is no area to load.")
    if len(features) > MAX_FEATURES:
        raise Invalid(f"The file has {len(features)} features; a layer may have {MAX_FEATURES}.")
    lines: list[str] = []
    system = crs or declared(file.crs, lines)
    properties = [plain(feature.properties or {}) for feature in features]
    key_name = naming(properties, key_property, lines)
    drawn = _drawn(features, [key_of(row, key_name, number) for number, row in enumerate(properties, 1)])
    drawn = in_degrees(drawn, system)
    shapes = [
        Shape(key, name_of(row, name_property, key), _repaired(key, polygon, lines), row)
        for (key, polygon), row in zip(drawn, properties, strict=True)
    ]
    merged = _merged(shapes, lines)
    if exclusive:
        _check_overlaps(merged, lines)
    return merged, short(lines)


def decode(geojson: bytes | str | Mapping[str, object]) -> File:
    raw = msgspec.json.encode(geojson) if isinstance(geojson, Mapping) else geojson
    raw = raw.encode() if isinstance(raw, str) else raw
    if len(raw) > MAX_BYTES:
        raise Invalid(f"The file has {len(raw):,} bytes; a layer may have {MAX_BYTES:,}.")
    try:
        file = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The file is not GeoJSON: {error}.") from error
    if file.type != "FeatureCollection":
        raise Invalid(f"The file holds a {file.type[:40]!r}; a layer is loaded from a FeatureCollection.")
    return file


def declared(crs: object, lines: list[str]) -> str | None:
    """The reference system an older GeoJSON file names in itself; None where it is degrees."""
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if not isinstance(name, str) or any(degrees in name.lower() for degrees in _DEGREES):
        return None
    lines.append(f"Read as {name[:80]}, as the file itself says.")
    return name


def _drawn(features: Sequence[Feature], keys: Sequence[str]) -> list[tuple[str, shapely.Geometry]]:
    drawn: list[tuple[str, shapely.Geometry]] = []
    points = 0
    for feature, key in zip(features, keys, strict=True):
        polygon = geometry("Area", key, bytes(feature.geometry))
        points += int(shapely.get_num_coordinates(polygon))
        if points > MAX_POINTS:
            raise Invalid(f"The areas have more than {MAX_POINTS:,} points; simplify them first.")
        drawn.append((key, polygon))
    return drawn


def geometry(noun: str, key: str, raw: bytes) -> shapely.Geometry:
    """The feature's geometry, flat; Invalid when it cannot become what the noun says ('Area', 'Street')."""
    if raw == b"null":
        raise Invalid(f"{noun} {key!r} has no geometry.")
    kinds, what = _MAKE[noun]
    try:
        kind = msgspec.json.decode(raw, type=_Geometry).type
        if kind not in kinds:
            raise Invalid(f"{noun} {key!r} is a {kind[:40]}; only {' and '.join(kinds)} make {what}.")
        drawn = shapely.force_2d(shapely.from_geojson(raw))
    except (msgspec.MsgspecError, shapely.GEOSException, RecursionError) as error:
        raise Invalid(f"{noun} {key!r} cannot be drawn: {str(error).splitlines()[0][:200]}.") from error
    if drawn.is_empty:
        raise Invalid(f"{noun} {key!r} has no points.")
    return drawn


def in_degrees(
    drawn: list[tuple[str, shapely.Geometry]], crs: str | None, noun: str = "Area"
) -> list[tuple[str, shapely.Geometry]]:
    if crs is not None:
        transformer = _transformer(crs, drawn)
        drawn = [(key, _projected(polygon, transformer)) for key, polygon in drawn]
    for key, polygon in drawn:
        west, south, east, north = (float(bound) for bound in shapely.bounds(polygon))
        if not all(map(math.isfinite, (west, south, east, north))):
            raise Invalid(f"{noun} {key!r} has coordinates that {crs or 'degrees'} cannot hold.")
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise Invalid(_not_degrees(f"{noun} {key!r}", west, south, east, north))
    return drawn


def _not_degrees(what: str, west: float, south: float, east: float, north: float) -> str:
    if max(-west, east) <= 90 and max(-south, north) <= 180:
        hint = "Latitude and longitude seem to be swapped: GeoJSON gives the longitude first."
    else:
        hint = (
            "The file says it is GeoJSON, which is in degrees, but is drawn in feet or metres:"
            " name its reference system with --crs, for instance --crs EPSG:2278."
        )
    x, y = max(west, east, key=abs), max(south, north, key=abs)
    return f"{what} has coordinates such as {x:.2f}, {y:.2f}, which cannot be degrees. {hint}"


def _transformer(crs: str, drawn: Iterable[tuple[str, shapely.Geometry]]) -> pyproj.Transformer:
    try:
        system = pyproj.CRS.from_user_input(crs)
        transformer = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    except (CRSError, ProjError) as error:
        raise Invalid(f"{crs[:80]!r} is not a reference system; use a code such as EPSG:2278.") from error
    if system.is_projected and all(np.abs(shapely.get_coordinates(polygon)).max() <= 180 for _, polygon in drawn):
        raise Invalid(
            f"The coordinates are degrees already, not {crs[:80]}: leave --crs out,"
            " or, where the file itself says so, give --crs EPSG:4326."
        )
    return transformer


def _projected(polygon: shapely.Geometry, transformer: pyproj.Transformer) -> shapely.Geometry:
    def convert(points: np.ndarray) -> np.ndarray:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return shapely.transform(polygon, convert)


def _repaired(key: str, polygon: shapely.Geometry, lines: list[str]) -> shapely.MultiPolygon:
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        polygon = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
        lines.append(f"Area {key!r}: repaired a ring ({reason}).")
    parts = [part for part in shapely.get_parts(polygon) if part.geom_type == "Polygon" and part.area > 0]
    if not parts:
        raise Invalid(f"Area {key!r} has no surface.")
    return shapely.MultiPolygon(parts)


def _merged(shapes: Iterable[Shape], lines: list[str]) -> list[Shape]:
    """One area per key: features of the same key are parts of one area."""
    by_key: dict[str, list[Shape]] = {}
    for shape in shapes:
        by_key.setdefault(shape.key, []).append(shape)
    merged = []
    for key, parts in sorted(by_key.items()):
        if len(parts) > 1:
            lines.append(f"Area {key!r} stands on {len(parts)} features; they were put together.")
            whole = shapely.union_all([part.polygon for part in parts])
            merged.append(replace(parts[0], polygon=shapely.MultiPolygon(list(shapely.get_parts(whole)))))
        else:
            merged.extend(parts)
    return merged


def square_metres(geometry: shapely.Geometry) -> float:
    """Surface of a shape in degrees, exact to about 1 % at the size of a city."""
    if geometry.is_empty:
        return 0.0
    south, north = float(shapely.bounds(geometry)[1]), float(shapely.bounds(geometry)[3])
    return float(shapely.area(geometry)) * 111_195.0**2 * math.cos(math.radians((south + north) / 2))


def _check_overlaps(shapes: Sequence[Shape], lines: list[str]) -> None:
    polygons = [shape.polygon for shape in shapes]
    surfaces = [square_metres(polygon) for polygon in polygons]
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    bad: list[str] = []
    for i, j in sorted((int(i), int(j)) for i, j in zip(left, right, strict=True) if i < j):
        common = square_metres(shapely.intersection(polygons[i], polygons[j]))
        share = common / min(surfaces[i], surfaces[j])
        pair = f"{shapes[i].key!r} and {shapes[j].key!r} overlap by {common:,.1f} m² ({share:.4%} of the smaller)"
        if common > HAIRLINE_SQUARE_METRES or share > HAIRLINE_SHARE:
            bad.append(pair)
        elif common >= 0.05:
            lines.append(f"{pair}: a hairline, points in it count for {shapes[i].key!r}.")
    if bad:
        more = f" (and {len(bad) - 5} more pairs)" if len(bad) > 5 else ""
        raise Invalid(
            f"Areas of this layer must not overlap: {'; '.join(bad[:5])}{more}."
            " Mend the file, or load it as overlapping (--overlapping)."
        )


def short(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MAX_LINES else [*lines[:MAX_LINES], f"... and {len(lines) - MAX_LINES} more lines."]


learn(File, _Geometry)
