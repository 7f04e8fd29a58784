"""Loading the areas of a layer: a new version each time something has changed, never an edit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
import shapely
from django.db import transaction

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden, Invalid, NotFound
from loop311.ledger import services as ledger
from loop311.places.index import center_of
from loop311.places.models import Area, Layer, LayerVersion
from loop311.places.policies import distance_metres
from loop311.places.shapes import Shape, read_shapes

BEGINNING = date(1900, 1, 1)
"""A layer's first version holds for all the past too: nothing else is known of it."""
_FAR_METRES = 300_000


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a file. `lines` say what was repaired or looks odd; `changed` is False when it was all known already."""

    layer: str
    version: int
    effective_on: date
    areas: int
    changed: bool
    lines: tuple[str, ...]


@transaction.atomic
def load_boundaries(
    jurisdiction: Jurisdiction,
    layer_code: str,
    geojson: bytes | str | Mapping[str, object],
    *,
    by: Actor,
    key_property: str | None = None,
    name_property: str | None = None,
    crs: str | None = None,
    effective_on: date | None = None,
    exclusive: bool | None = None,
    is_boundary: bool | None = None,
    name: str = "",
    source: str = "",
) -> LoadReport:
    """Publish the areas of a GeoJSON file as the layer's version from a day on.

    Without a day: a new layer's holds for all the past, a later version from today. `exclusive` and `is_boundary` keep what
    the layer has when None; a new layer is exclusive and no boundary. Raises Invalid with a sentence that names the area.
    """
    may_load(jurisdiction, by)
    layer = open_layer(jurisdiction, layer_code, name, exclusive, is_boundary, by)
    shapes, lines = read_shapes(
        geojson, key_property=key_property, name_property=name_property, crs=crs, exclusive=layer.is_exclusive
    )
    lines.extend(far_away(jurisdiction, [shape.polygon for shape in shapes]))
    return publish(jurisdiction, layer, _digest(shapes), effective_on, source, len(shapes), lines, by=by,
                   write=lambda version: _write(version, shapes))  # fmt: skip


def publish(
    jurisdiction: Jurisdiction,
    layer: Layer,
    digest: bytes,
    effective_on: date | None,
    source: str,
    count: int,
    lines: Sequence[str],
    *,
    by: Actor,
    write: Callable[[LayerVersion], None],
) -> LoadReport:
    """A new version from the day on, filled by `write`; none when the one in force that day has the same digest."""
    versions = LayerVersion.objects.filter(jurisdiction=jurisdiction, layer=layer).order_by("-effective_on", "-id")
    day = effective_on or (now().astimezone(jurisdiction.zone).date() if versions.exists() else BEGINNING)
    current = versions.filter(effective_on__lte=day).first()
    if current is not None and bytes(current.digest) == digest:
        return LoadReport(layer.code, current.pk, current.effective_on, count, False, tuple(lines))
    version = LayerVersion.objects.create(
        jurisdiction=jurisdiction, layer=layer, effective_on=day, source=source, digest=digest, loaded_at=now()
    )
    write(version)
    body = {"version": version.pk, "effective_on": day.isoformat(), "areas": count, "digest": digest.hex()}
    ledger.append("layer.loaded", "layer", layer.pk, body, by=by)
    return LoadReport(layer.code, version.pk, day, count, True, tuple(lines))


def may_load(jurisdiction: Jurisdiction, by: Actor) -> None:
    if by.jurisdiction_id != jurisdiction.pk:
        raise NotFound("There is no such city here.")
    if not by.may("places.load"):
        raise Forbidden("You may not load places.")


def open_layer(
    jurisdiction: Jurisdiction,
    code: str,
    name: str,
    exclusive: bool | None,
    is_boundary: bool | None,
    by: Actor,
    kind: str = "areas",
) -> Layer:
    """The layer, locked; made when new, its flags changed where the caller says so."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", code):
        detail = f"{code[:80]!r} cannot be a layer's code: use lower-case letters, digits, hyphens and underscores."
        raise Invalid(detail)
    shown = name or code.replace("_", " ").replace("-", " ").capitalize()
    Layer.objects.get_or_create(
        jurisdiction=jurisdiction,
        code=code,
        defaults={
            "name": shown,
            "kind": kind,
            "is_exclusive": exclusive is not False,
            "is_boundary": bool(is_boundary),
        },
    )
    layer = Layer.objects.select_for_update().get(jurisdiction=jurisdiction, code=code)
    if layer.kind != kind:
        raise Invalid(f"{code!r} is a layer of {layer.kind}, not of {kind}: choose another code.")
    wanted = (
        name or layer.name,
        layer.is_exclusive if exclusive is None else exclusive,
        layer.is_boundary if is_boundary is None else is_boundary,
    )
    if wanted != (layer.name, layer.is_exclusive, layer.is_boundary):
        layer.name, layer.is_exclusive, layer.is_boundary = wanted
        layer.save(update_fields=["name", "is_exclusive", "is_boundary"])
        body = {"is_exclusive": layer.is_exclusive, "is_boundary": layer.is_boundary}
        ledger.append("layer.changed", "layer", layer.pk, body, by=by)
    return layer


def far_away(jurisdiction: Jurisdiction, shapes: Sequence[shapely.Geometry]) -> list[str]:
    """A line where the file can hardly be this city's; degrees in the wrong order often end up in an ocean."""
    center = center_of(jurisdiction)
    if center is None:
        return []
    west, south, east, north = (float(b) for b in shapely.total_bounds(list(shapes)))
    metres = distance_metres(*center, (south + north) / 2, (west + east) / 2)
    if metres < _FAR_METRES:
        return []
    where = f"{metres / 1000:,.0f} km from the city's centre"
    return [f"It lies {where}: is it another city's file, is --crs right, or are latitude and longitude swapped?"]


def _digest(shapes: Sequence[Shape]) -> bytes:
    """SHA-256 over keys, names, properties and shapes, whatever the order of features and points in the file."""
    sha = hashlib.sha256()
    for shape in shapes:
        sha.update(msgspec.json.encode([shape.key, shape.name, shape.properties], order="deterministic"))
        sha.update(shapely.to_wkb(shapely.normalize(shape.polygon)))
    return sha.digest()


def _write(version: LayerVersion, shapes: Sequence[Shape]) -> None:
    Area.objects.bulk_create(
        [
            Area(
                jurisdiction_id=version.jurisdiction_id,
                version=version,
                key=shape.key,
                name=shape.name,
                shape=shapely.to_wkb(shape.polygon),
                properties=shape.properties,
            )
            for shape in shapes
        ],
        batch_size=500,
    )
