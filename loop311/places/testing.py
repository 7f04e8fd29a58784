"""Builders for tests of this room and of those above."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


def square(west: float, south: float, side: float) -> list[list[float]]:
    """A closed ring, counter-clockwise."""
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def collection(*features: tuple[Mapping[str, object], Sequence[Sequence[Sequence[float]]]]) -> dict[str, object]:
    """A GeoJSON FeatureCollection of polygons: (properties, rings)."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": dict(properties),
                "geometry": {"type": "Polygon", "coordinates": [list(map(list, ring)) for ring in rings]},
            }
            for properties, rings in features
        ],
    }


def squares(count: int, *, west: float = -97.0, south: float = 32.0, side: float = 0.1) -> dict[str, object]:
    """Areas '1', '2' ... side by side, from west to east."""
    return collection(*(({"area": str(i + 1)}, [square(west + i * side, south, side)]) for i in range(count)))


def real_data(name: str) -> Path:
    """A file of the cities' published data; the test is skipped with a sentence where it is absent."""
    folder = Path(os.environ.get("LOOP311_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    if not (folder / name).exists():
        pytest.skip(f"The cities' published file {name} is not here.")
    return folder / name
