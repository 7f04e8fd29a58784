"""Loading the streets of a city, and drawing them from its addresses where it has no file of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import shapely
from django.db import transaction

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import Invalid
from loop311.places.lines import Known, Line, derive_lines, read_lines
from loop311.places.models import AddressPoint, LayerVersion, Street
from loop311.places.services.boundaries import LoadReport, far_away, may_load, open_layer, publish

STREETS = "streets"
"""Code of the layer of streets."""
DERIVED = "derived from addresses"


@transaction.atomic
def load_streets(
    jurisdiction: Jurisdiction,
    geojson: bytes | str | Mapping[str, object],
    *,
    by: Actor,
    name_property: str | None = None,
    crs: str | None = None,
    effective_on: date | None = None,
    source: str = "",
) -> LoadReport:
    """Publish the streets of a GeoJSON file of lines; the same file again changes nothing. Raises Invalid."""
    may_load(jurisdiction, by)
    streets, said = read_lines(geojson, name_property=name_property, crs=crs)
    return _publish(jurisdiction, streets, said, effective_on, source, by)


@transaction.atomic
def derive_streets(jurisdiction: Jurisdiction, *, by: Actor) -> LoadReport:
    """Draw the streets along the city's own addresses and intersections; they only help to find one's way on a map."""
    may_load(jurisdiction, by)
    streets = derive_lines(_known(jurisdiction))
    if not streets:
        raise Invalid("The city has no streets with two addresses or more: load addresses first.")
    said = [f"{len(streets)} streets were drawn along the city's addresses: roughly, for the map only."]
    return _publish(jurisdiction, streets, said, None, DERIVED, by)


def _known(jurisdiction: Jurisdiction) -> Iterator[Known]:
    rows = AddressPoint.objects.filter(jurisdiction=jurisdiction).exclude(kind="landmark")
    for kind, text, street, latitude, longitude in rows.values_list(
        "kind", "text", "street", "latitude", "longitude"
    ).iterator(chunk_size=20_000):
        names = text.split(" & ") if kind == "intersection" else [street]
        yield from (Known(name.strip(), latitude, longitude) for name in names)


def _publish(
    jurisdiction: Jurisdiction, streets: Sequence[Line], said: list[str], on: date | None, source: str, by: Actor
) -> LoadReport:
    layer = open_layer(jurisdiction, STREETS, "", None, None, by, kind="streets")
    lines = [*said, *far_away(jurisdiction, [street.shape for street in streets])]
    return publish(jurisdiction, layer, _digest(streets), on, source, len(streets), lines, by=by,
                   write=lambda version: _write(version, streets))  # fmt: skip


def _digest(streets: Sequence[Line]) -> bytes:
    sha = hashlib.sha256()
    for street in streets:
        sha.update(street.name.encode())
        sha.update(shapely.to_wkb(shapely.normalize(street.shape)))
    return sha.digest()


def _write(version: LayerVersion, streets: Sequence[Line]) -> None:
    def row(street: Line) -> Street:
        west, south, east, north = (float(bound) for bound in shapely.bounds(street.shape))
        return Street(
            jurisdiction_id=version.jurisdiction_id,
            version=version,
            name=street.name,
            shape=shapely.to_wkb(street.shape),
            west=west,
            south=south,
            east=east,
            north=north,
        )

    Street.objects.bulk_create(map(row, streets), batch_size=1000)
