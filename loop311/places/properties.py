"""Which property of a GeoJSON feature names its area. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from loop311.kit.problems import Invalid

Scalar = str | int | float | bool

USUAL = ("key", "code", "area", "district", "council_district", "neighborhood", "neighbourhood", "zone", "name", "id")
"""Names cities use; tried in lower case."""


def plain(properties: Mapping[str, object]) -> dict[str, Scalar]:
    """At most 50 properties that are one value each, cut to 500 characters, without control characters."""
    kept = {
        _clean(name)[:100]: _clean(value)[:500] if isinstance(value, str) else value
        for name, value in properties.items()
        if isinstance(value, str | int | float | bool)
    }
    return dict(list(kept.items())[:50])


def _clean(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()


def naming(rows: Sequence[Mapping[str, Scalar]], given: str | None, lines: list[str]) -> str:
    """The property whose values are the areas' keys: the one given, or the only one it can be."""
    if given is not None:
        if not any(given in row for row in rows):
            known = ", ".join(sorted({name for row in rows for name in row})) or "none at all"
            raise Invalid(f"No feature has the property {given[:80]!r}; there are: {known[:500]}.")
        return given
    shared = [name for name in rows[0] if all(_is_filled(row.get(name)) for row in rows)]
    if len(shared) == 1:
        return shared[0]
    distinct = [name for name in shared if len({str(row[name]) for row in rows}) == len(rows)]
    usual = [name for name in distinct if name.lower() in USUAL]
    choice = usual if len(usual) == 1 else distinct
    if not shared:
        raise Invalid(f"No property names every area, so --property cannot name one: {_lacking(rows)}.")
    if len(choice) != 1:
        could = ", ".join(choice or shared)[:500]
        raise Invalid(f"Say which property names the areas with --property; it could be one of: {could}.")
    lines.append(f"The areas are named by the property {choice[0]!r}.")
    return choice[0]


def _lacking(rows: Sequence[Mapping[str, Scalar]]) -> str:
    """Of the property that most features have, where it is missing."""
    filled = Counter(name for row in rows for name, value in row.items() if _is_filled(value))
    if not filled:
        return "no feature has any"
    most = max(filled, key=lambda name: filled[name])
    number = next(number for number, row in enumerate(rows, 1) if not _is_filled(row.get(most)))
    return f"feature {number} has no {most[:80]!r}"


def _is_filled(value: Scalar | None) -> bool:
    return value is not None and bool(str(value).strip())


def key_of(row: Mapping[str, Scalar], name: str, number: int) -> str:
    """The key as text: 7 and 7.0 are both '7'."""
    value = row.get(name)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str("" if value is None else value)
    if not text.strip() or len(text) > 200:
        raise Invalid(f"Feature {number} has no usable {name!r}: an area needs a key of 1 to 200 characters.")
    return text.strip()


def name_of(row: Mapping[str, Scalar], given: str | None, key: str) -> str:
    """What people read: the property given, else one called 'name', else the key."""
    if given is not None and given not in row:
        raise Invalid(f"Area {key!r} has no property {given[:80]!r} to take its name from.")
    chosen = given or next((name for name in row if name.lower() == "name"), None)
    return str(row[chosen]).strip() or key if chosen else key
