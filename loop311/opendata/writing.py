"""Rows into files: CSV in a city's shape, GeoJSON, Parquet. Each takes one row after the other and holds none of them."""

from __future__ import annotations

import csv
import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import duckdb
import msgspec

from loop311.opendata.rows import Published
from loop311.opendata.shapes import About, Shape

_encode = msgspec.json.Encoder(decimal_format="number").encode
_DIGITS = 7
"""Of a degree: about a centimetre, as much as RFC 7946 finds useful."""


def to_csv(shape: Shape) -> Callable[[Iterable[Published], Path, About, Sequence[str]], None]:
    def write(rows: Iterable[Published], path: Path, about: About, layers: Sequence[str]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(shape.columns)
            writer.writerows(shape.cells(rows, about))

    return write


# --- GeoJSON and Parquet: our own columns ---------------------------------------------------------------------------------

_TEXTS = ("number", "status", "state", "service_code", "service", "group", "department", "team", "priority", "channel")
_TIMES = ("received_at", "due_at", "closed_at", "updated_at")
_END = ("outcome_code", "outcome")
_COUNTS = ("joined_count", "reopened_count")


def columns(layers: Sequence[str]) -> dict[str, str]:
    """Every column's name and its type in Parquet; a layer's column has the layer's code."""
    return {
        **dict.fromkeys(_TEXTS, "VARCHAR"),
        **dict.fromkeys(_TIMES, "TIMESTAMP WITH TIME ZONE"),
        **dict.fromkeys(_END, "VARCHAR"),
        "handed_over": "BOOLEAN",
        "joined": "BOOLEAN",
        "leading_number": "VARCHAR",
        **dict.fromkeys(_COUNTS, "INTEGER"),
        "address": "VARCHAR",
        **dict.fromkeys(layers, "VARCHAR"),
        "latitude": "DOUBLE",
        "longitude": "DOUBLE",
    }


def _values(row: Published) -> list[object]:
    """In the order of `columns`; None for what is empty."""
    return [
        *(getattr(row, name) or None for name in _TEXTS),
        *(_instant(getattr(row, name)) for name in _TIMES),
        *(getattr(row, name) or None for name in _END),
        row.handed_over,
        row.joined,
        row.leading_number or None,
        row.joined_count,
        row.reopened_count,
        row.address or None,
        *(area or None for area in row.areas),
        None if row.latitude is None else round(row.latitude, _DIGITS),
        None if row.longitude is None else round(row.longitude, _DIGITS),
    ]


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def to_geojson(rows: Iterable[Published], path: Path, about: About, layers: Sequence[str]) -> None:
    """RFC 7946: one FeatureCollection, a feature a line, positions as longitude and latitude in WGS 84."""
    names = list(columns(layers))
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        between = b"\n"
        for row in rows:
            *properties, latitude, longitude = _values(row)
            where = None if latitude is None else {"type": "Point", "coordinates": (longitude, latitude)}
            feature = {
                "type": "Feature",
                "id": row.number,
                "geometry": where,
                "properties": dict(zip(names, properties, strict=False)),
            }
            file.write(between + _encode(feature))
            between = b",\n"
        file.write(b"\n]}\n")


def to_parquet(rows: Iterable[Published], path: Path, about: About, layers: Sequence[str]) -> None:
    """DuckDB reads the rows from a pipe while they are made, and writes them as it reads."""
    with _reader(columns(layers), path) as pipe:
        writer = csv.writer(pipe, lineterminator="\n")
        writer.writerows(_values(row) for row in rows)


_AT_ONCE = 20_480
"""Rows in a group of the file: what DuckDB gathers before it writes."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "128MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def _reader(types: dict[str, str], path: Path) -> Iterator[TextIO]:
    """Where to write CSV. Leaving the block waits for the file; what went wrong with it is raised, full disk as OSError."""
    end, begin = os.pipe()
    failed: list[duckdb.Error] = []

    def copy() -> None:
        try:
            with duckdb.connect(config=_SETTINGS) as database:
                database.execute(_copy(types, end, path))
        except duckdb.Error as error:
            failed.append(error)
        finally:
            os.close(end)

    reader = threading.Thread(target=copy, name="parquet")
    reader.start()
    try:
        with os.fdopen(begin, "w", encoding="utf-8", newline="") as pipe:
            yield pipe
    except BrokenPipeError:
        if not failed:
            raise
    finally:
        reader.join()
    if failed:
        raise _as_file_error(failed[0])


def _copy(types: dict[str, str], descriptor: int, path: Path) -> str:
    columns = ", ".join(f"{_quoted(name)}: {_quoted(type_)}" for name, type_ in types.items())
    return f"""
COPY (SELECT * FROM read_csv('/dev/fd/{descriptor}', columns = {{{columns}}}, auto_detect = false, header = false, delim = ',',
    quote = '"', escape = '"', new_line = '\\n', nullstr = '', parallel = false))
TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_AT_ONCE})
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _as_file_error(error: duckdb.Error) -> Exception:
    """DuckDB says what the system said only in words."""
    for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOENT):
        if os.strerror(number) in str(error):
            return OSError(number, os.strerror(number))
    return error
