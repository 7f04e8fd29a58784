"""loop311 boundaries ..., loop311 addresses ...: the places of a city, from the command line."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import click

from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import print_json
from loop311.kit.problems import Invalid
from loop311.places import index, services
from loop311.places.addresses import KINDS, USUAL, read_addresses
from loop311.places.models import Area, LayerVersion
from loop311.places.shapes import MAX_BYTES


@click.group()
def boundaries() -> None:
    """Layers of areas: council districts, service areas, routes."""


@boundaries.command("load")
@click.argument("city_slug", metavar="CITY")
@click.argument("layer_and_file", metavar="LAYER FILE", nargs=-1, required=True)
@click.option("--layer", "layer_name", metavar="LAYER", help="The layer, when only FILE is given as an argument.")
@click.option("--crs", help="Reference system of projected coordinates, for instance EPSG:2278; degrees need none.")
@click.option("--property", "--key-property", "key_property", help="The property that names an area.")
@click.option("--name-property", help="The property with the name people read.")
@click.option("--name", default="", help="The layer's own name.")
@click.option("--effective-on", type=click.DateTime(["%Y-%m-%d"]), help="First day of this version, YYYY-MM-DD.")
@click.option("--boundary/--no-boundary", default=None, help="Its areas together are the city.")
@click.option("--overlapping/--exclusive", default=None, help="A point may lie in several of its areas.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def load(
    city_slug: str,
    layer_and_file: tuple[str, ...],
    layer_name: str | None,
    crs: str | None,
    key_property: str | None,
    name_property: str | None,
    name: str,
    effective_on: datetime | None,
    boundary: bool | None,
    overlapping: bool | None,
    as_json: bool,
) -> None:
    """Load the areas of LAYER from a GeoJSON FILE ('-' reads standard input).

    Without --effective-on a new layer holds for all the past, a later version from today. Versions are never edited.
    """
    layer_code, file = _layer_and_file(layer_and_file, layer_name)
    report = services.load_boundaries(
        jurisdiction := by_slug(city_slug),
        layer_code,
        read_bounded(file),
        by=system(jurisdiction.pk),
        key_property=key_property,
        name_property=name_property,
        name=name,
        crs=crs,
        effective_on=effective_on.date() if effective_on else None,
        exclusive=None if overlapping is None else not overlapping,
        is_boundary=boundary,
        source=Path(file).name,
    )
    _say(report, as_json, "areas")


def _layer_and_file(given: tuple[str, ...], layer_name: str | None) -> tuple[str, str]:
    """LAYER FILE, FILE LAYER when only the first is a file, or FILE alone with --layer."""
    if layer_name and len(given) == 1:
        return layer_name, given[0]
    if layer_name or len(given) != 2:
        raise click.UsageError("Give LAYER and FILE, or FILE with --layer.")
    first, second = given
    return (
        (second, first) if Path(first).is_file() and not Path(second).is_file() and second != "-" else (first, second)
    )


def read_bounded(file: str) -> bytes:
    """The file's bytes; one byte more than may be loaded is enough to refuse it."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error


@boundaries.command("list")
@click.argument("city_slug", metavar="CITY")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_layers(city_slug: str, as_json: bool) -> None:
    """Every version of every layer, the ones in force today marked."""
    jurisdiction = by_slug(city_slug)
    in_force = {version.id for version in index.versions_in_force(jurisdiction.pk)}
    counts: dict[int, int] = {}
    for version_id in Area.objects.filter(jurisdiction=jurisdiction).values_list("version_id", flat=True):
        counts[version_id] = counts.get(version_id, 0) + 1
    rows = [
        {
            "layer": version.layer.code,
            "name": version.layer.name,
            "version": version.pk,
            "effective_on": version.effective_on.isoformat(),
            "in_force": version.pk in in_force,
            "areas": counts.get(version.pk, 0),
            "exclusive": version.layer.is_exclusive,
            "boundary": version.layer.is_boundary,
            "source": version.source,
        }
        for version in LayerVersion.objects.filter(jurisdiction=jurisdiction, layer__kind="areas")
        .select_related("layer")
        .order_by("layer__code", "effective_on", "id")
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = "*" if row["in_force"] else " "
        click.echo(f"{mark} {row['layer']:<24} {row['effective_on']} {row['areas']:>6} areas  {row['source']}")


@click.group()
def streets() -> None:
    """Lines to draw on the map and to name."""


@streets.command("load")
@click.argument("city_slug", metavar="CITY")
@click.argument("file")
@click.option("--crs", help="Reference system of projected coordinates, for instance EPSG:2278; degrees need none.")
@click.option("--name-property", help="The property with the street's name.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def load_streets(city_slug: str, file: str, crs: str | None, name_property: str | None, as_json: bool) -> None:
    """Load the streets of a GeoJSON FILE of lines ('-' reads standard input); the same file again changes nothing."""
    city = by_slug(city_slug)
    raw = read_bounded(file)
    by = system(city.pk)
    _say(services.load_streets(city, raw, by=by, name_property=name_property, crs=crs, source=Path(file).name), as_json)


@streets.command("derive")
@click.argument("city_slug", metavar="CITY")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def derive_streets(city_slug: str, as_json: bool) -> None:
    """Draw the streets along the city's addresses, where it has no file of them: roughly, for the map only."""
    city = by_slug(city_slug)
    _say(services.derive_streets(city, by=system(city.pk)), as_json)


def _say(report: services.LoadReport, as_json: bool, noun: str = "streets") -> None:
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    for line in report.lines:
        click.echo(line)
    what = "from" if report.changed else "nothing changed since"
    click.echo(f"{report.layer}: {report.areas} {noun}, {what} {report.effective_on} (version {report.version})")


@click.group()
def addresses() -> None:
    """Address points, intersections, landmarks."""


@addresses.command("load")
@click.argument("city_slug", metavar="CITY")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", multiple=True, metavar="FIELD=COLUMN", help=f"Which column holds a field of: {', '.join(USUAL)}."
)
@click.option("--kind", type=click.Choice(KINDS), default="address", help="What the rows are, without a kind column.")
@click.option("--crs", help="Reference system of projected coordinates, for instance EPSG:2278; degrees need none.")
@click.option("--encoding", default="utf-8-sig", show_default=True)
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write refused rows here as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def load_addresses(
    city_slug: str,
    file: Path,
    mapping: tuple[str, ...],
    kind: str,
    crs: str | None,
    encoding: str,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Load addresses or intersections from a CSV FILE (.gz too); the same file again changes nothing."""
    jurisdiction = by_slug(city_slug)
    columns = dict(_pair(text) for text in mapping)
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding=encoding, newline="") as lines:
            rows = read_addresses(_shown(lines), columns=columns, crs=crs, kind=kind)
            report = services.load_addresses(jurisdiction, rows, by=system(jurisdiction.pk))
    except (gzip.BadGzipFile, EOFError, zlib.error, LookupError) as error:
        raise Invalid(f"{file} cannot be read: {error}.") from error
    if rejects is not None:
        with rejects.open("w", newline="") as out:
            csv.writer(out).writerows([("row", "reason"), *((r.row, r.reason) for r in report.rejects)])
    counts = {name: getattr(report, name) for name in ("read", "created", "updated", "unchanged", "rejected")}
    if as_json:
        print_json({**counts, "rejects": [dataclasses.asdict(r) for r in report.rejects[:20]]})
        return
    click.echo(", ".join(f"{value} {name}" for name, value in counts.items()))
    for reject in report.rejects[:20]:
        click.echo(f"row {reject.row}: {reject.reason}", err=True)


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals:
        raise click.UsageError(f"Write --mapping FIELD=COLUMN, not {text!r}.")
    return field.strip(), column


def _shown(lines: Iterable[str]) -> Iterator[str]:
    """The lines, counted on a terminal while they are read."""
    if not sys.stderr.isatty():
        yield from lines
        return
    with click.progressbar(lines, label="Reading", file=sys.stderr, show_eta=False) as bar:
        yield from bar
