"""From a city's CSV of addresses or intersections to rows: pure, streaming, each refused row with its number and reason."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyproj
from pyproj.exceptions import CRSError

from loop311.kit.problems import Invalid
from loop311.places.policies import is_position, normalise

USUAL: dict[str, tuple[str, ...]] = {
    "text": ("address", "full_address", "fulladdress", "fulladdr", "add_full", "address_text"),
    "number": ("number", "house_number", "housenumber", "add_number", "addr_num", "st_num", "address_number"),
    "street": ("street", "street_name", "st_name", "full_street_name", "street1", "street_1", "on_street"),
    "crossing": ("crossing", "street2", "street_2", "cross_street", "cross_street_1"),
    "unit": ("unit", "apartment", "suite", "occupancy"),
    "postcode": ("postcode", "zip", "zipcode", "zip_code", "postal_code"),
    "latitude": ("latitude", "lat", "y", "ycoord", "y_coord"),
    "longitude": ("longitude", "lon", "lng", "long", "x", "xcoord", "x_coord"),
    "id": ("id", "source_id", "objectid", "address_id", "hash", "sam_address_id"),
    "kind": ("kind",),
}
"""Field -> column names cities use, in lower case; OpenAddresses' among them. The first that is there is taken."""

KINDS = ("address", "intersection", "landmark")
_HOUSE = re.compile(r"(\d+[A-Za-z]?(?:[-/]\d+)?(?: 1/2)?)\s+(\S.*)")
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Address:
    """One row to keep; see models.AddressPoint."""

    text: str
    latitude: float
    longitude: float
    kind: str = "address"
    house_number: str = ""
    street: str = ""
    unit: str = ""
    postcode: str = ""
    source_id: str = ""

    @property
    def search(self) -> str:
        return normalise(self.text)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not kept. `row` counts from 1 after the header."""

    row: int
    reason: str


def read_addresses(
    lines: Iterable[str], *, columns: Mapping[str, str] | None = None, crs: str | None = None, kind: str = "address"
) -> Iterator[Address | Reject]:
    """Every row of the CSV, in order. `columns` says which column holds which field of USUAL, where the name is unusual."""
    reader = csv.reader(lines)
    try:
        header = next(reader, [])
        places = _places(header, columns or {})
        transformer = _transformer(crs)
        rows = enumerate(reader, 1)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            yield from _converted(chunk, places, transformer, kind)
    except UnicodeDecodeError as error:
        raise Invalid(
            f"The file is not {error.encoding} text; say how it is written, for instance --encoding windows-1252."
        ) from error
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num + 1} of the file is not CSV text: {error}.") from error


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Field -> position of its column."""
    names = [name.strip().lower().replace(" ", "_").lstrip("\ufeff") for name in header]
    places = {}
    for field, usual in USUAL.items():
        wanted = (columns[field].strip().lower().replace(" ", "_"),) if field in columns else usual
        found = next((names.index(name) for name in wanted if name in names), None)
        if found is None and field in columns:
            raise Invalid(f"The file has no column {columns[field]!r}; it has {', '.join(header)[:500]}.")
        if found is not None:
            places[field] = found
    unknown = set(columns) - set(USUAL)
    if unknown:
        raise Invalid(f"There is no field {sorted(unknown)[0]!r}; fields are {', '.join(USUAL)}.")
    missing = [field for field in ("latitude", "longitude") if field not in places]
    if missing or not {"text", "street"} & set(places):
        lacking = " and ".join(missing) or "the address"
        raise Invalid(
            f"No column was found for {lacking}; say which with --mapping, for instance latitude=Y."
            f" The columns are {', '.join(header)[:500]}."
        )
    return places


def _transformer(crs: str | None) -> pyproj.Transformer | None:
    if crs is None:
        return None
    try:
        return pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except CRSError as error:
        raise Invalid(f"{crs[:80]!r} is not a reference system; use a code such as EPSG:2278.") from error


def _converted(
    chunk: Sequence[tuple[int, Sequence[str]]],
    places: Mapping[str, int],
    transformer: pyproj.Transformer | None,
    kind: str,
) -> Iterator[Address | Reject]:
    rows = [
        (number, {field: _clean(row[at]) if at < len(row) else "" for field, at in places.items()})
        for number, row in chunk
    ]
    x, y = [_number(row["longitude"]) for _, row in rows], [_number(row["latitude"]) for _, row in rows]
    if transformer is not None:
        x, y = (list(axis) for axis in transformer.transform(x, y))
    for (number, row), longitude, latitude in zip(rows, x, y, strict=True):
        reason = "" if is_position(latitude, longitude) else _odd_position(row, transformer is not None)
        address = _address(row, latitude, longitude, kind)
        if not reason and not address.search:
            reason = "no address"
        if not reason and address.kind not in KINDS:
            reason = f"kind {address.kind[:40]!r} is none of {', '.join(KINDS)}"
        yield Reject(number, reason) if reason else address


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _odd_position(row: Mapping[str, str], projected: bool) -> str:
    given = f"{row['latitude'][:40]!r}, {row['longitude'][:40]!r}"
    far = not projected and max(abs(_number(row["latitude"])), abs(_number(row["longitude"]))) > 180
    return f"position {given} is not degrees" + ("; if it is feet or metres, give --crs" if far else "")


def _address(row: Mapping[str, str], latitude: float, longitude: float, kind: str) -> Address:
    number, street, text = row.get("number", ""), row.get("street", ""), row.get("text", "")
    crossing, unit, postcode = row.get("crossing", ""), row.get("unit", ""), row.get("postcode", "")
    kind = (row.get("kind") or ("intersection" if crossing else kind)).lower()
    if crossing:
        text = f"{street} & {crossing}"
    elif not text:
        text = f"{number} {street}".strip() + (f" {unit}" if unit else "")
    elif not street and kind == "address" and (match := _HOUSE.fullmatch(text.split(",")[0].strip())):
        number, street = match[1], match[2]
    return Address(
        text=text,
        latitude=latitude,
        longitude=longitude,
        kind=kind,
        house_number=number,
        street=street,
        unit=unit,
        postcode=postcode,
        source_id=row.get("id") or f"{kind}:{normalise(text)}:{postcode}",
    )
