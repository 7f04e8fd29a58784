"""loop311 opendata: what the city publishes of its requests."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from loop311.jurisdictions.services import by_slug
from loop311.kit.commands import print_json, progress
from loop311.opendata.exporting import USUAL_LAYER, ShapeName
from loop311.opendata.exporting import export as write

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def opendata() -> None:
    """Requests as open data, without what would name anybody: docs/reference/open-data.md."""


@opendata.command("export")
@click.argument("city")
@click.option("--shape", type=click.Choice([shape.value for shape in ShapeName]), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--from", "start", type=_DAY, help="First local day on which the requests were opened, YYYY-MM-DD.")
@click.option("--to", "end", type=_DAY, help="The day after the last one.")
@click.option(
    "--layer", "layers", multiple=True, default=[USUAL_LAYER], show_default=True,
    help="Layer whose areas are a column; several for GeoJSON and Parquet, the district's for the cities' shapes.",
)  # fmt: skip
@click.option("--language", default="", help="Of the city's words; its first when not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the count as JSON.")
def export(
    city: str,
    shape: str,
    out: Path,
    start: datetime | None,
    end: datetime | None,
    layers: tuple[str, ...],
    language: str,
    as_json: bool,
) -> None:
    """Write the requests of CITY that may be public, oldest first. The file is there when it is whole."""
    with progress("Exporting") as tick:
        count = write(
            by_slug(city),
            ShapeName(shape),
            out,
            start=start.date() if start else None,
            end=end.date() if end else None,
            layers=layers,
            language=language,
            tick=tick,
        )
    if as_json:
        print_json({"requests": count, "file": str(out)})
    else:
        click.echo(f"{count:,} requests in {out}.")
