"""Commands of the requests room."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import progress
from loop311.kit.problems import NotFound
from loop311.requests import imports, services


@click.group("import")
def import_group() -> None:
    """Bring in what another system knows."""


@import_group.command("requests")
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", required=True, help=f"A YAML file, or one of: {', '.join(imports.shipped())}.")
@click.option("--dry-run", is_flag=True, help="Count and check, but write nothing.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="CSV of the rows that were refused.")
@click.option("--encoding", default="", help="Of the file; UTF-8, or else Windows-1252, when not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def import_requests(
    city: str, file: Path, mapping: str, dry_run: bool, rejects: Path | None, encoding: str, as_json: bool
) -> None:
    """Import a city's past requests from FILE (CSV, may be gzip). Importing the same file again changes nothing."""
    jurisdiction = Jurisdiction.objects.filter(slug=city).first()
    if jurisdiction is None:
        raise NotFound(f"There is no city {city!r}.")
    chosen = imports.load(mapping)
    with progress("Importing") as tick:
        summary = imports.run(
            jurisdiction,
            file,
            chosen,
            by=system(jurisdiction.pk),
            encoding=encoding,
            dry_run=dry_run,
            rejects=rejects,
            tick=tick,
        )
    click.echo(json.dumps(asdict(summary)) if as_json else _sentences(summary, dry_run=dry_run))


@click.group("history")
def history_group() -> None:
    """How long requests take."""


@history_group.command("count")
@click.argument("city")
@click.option("--json", "as_json", is_flag=True, help="Print the count as JSON.")
def count_history(city: str, as_json: bool) -> None:
    """Count anew how long requests of each service have taken lately; the worker does so every six hours."""
    found = services.count_usual_times(by_slug(city).pk)
    click.echo(json.dumps({"counted": found}) if as_json else f"{found:,} services and areas with enough requests.")


def _sentences(summary: imports.Summary, *, dry_run: bool) -> str:
    lines = [
        f"{summary.read:,} rows read: {summary.created:,} created, {summary.updated:,} updated,"
        f" {summary.unchanged:,} unchanged, {summary.rejected:,} rejected."
    ]
    lines += [f"  {name.replace('_', ' ')}: {count:,}" for name, count in summary.warnings.items()]
    if dry_run:
        lines.append("Nothing was written.")
    return "\n".join(lines)
