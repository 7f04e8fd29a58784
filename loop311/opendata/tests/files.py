"""What stands in an exported file, for tests."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb

from loop311.opendata.exporting import ShapeName, export
from loop311.requests.testing import City

_TIMES = ("received_at", "due_at", "closed_at", "updated_at")


def written(city: City, shape: str, path: Path, **asked: Any) -> list[dict[str, Any]]:
    """The exported rows, as somebody else's program reads them."""
    export(city.jurisdiction, ShapeName(shape), path, **asked)
    return rows_of(shape, path)


def rows_of(shape: str, path: Path) -> list[dict[str, Any]]:
    if shape == "geojson":
        return list(json.loads(path.read_bytes())["features"])
    if shape == "parquet":
        times = ", ".join(f"make_timestamp(epoch_us({name})) AS {name}" for name in _TIMES)
        with duckdb.connect() as database:  # without its time zones, which it would fetch from outside
            found = database.execute(
                f"SELECT COLUMNS(*)::VARCHAR FROM (SELECT * REPLACE ({times}) FROM read_parquet('{path}'))"
            )
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
