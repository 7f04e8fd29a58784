"""`loop311 catalog ...`: check, load, export, diff, versions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from loop311.catalog import services
from loop311.catalog.checks import Finding, check, errors
from loop311.catalog.definitions import Catalogue
from loop311.catalog.differences import diff
from loop311.catalog.files import STARTER, Source, read, write_file, write_folder
from loop311.catalog.models import CatalogueVersion
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.commands import print_json, without_database
from loop311.kit.problems import Conflict, Invalid

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def catalog() -> None:
    """The catalogue as code: what a city does, in YAML files that are checked before they are loaded."""


@catalog.command("check")
@click.argument("path")
@_JSON
@without_database
def check_command(path: str, as_json: bool) -> None:
    """Find the mistakes in PATH: a YAML file, a folder of them, or the word `starter`."""
    source = _read(path)
    findings = check(source.catalogue)
    if as_json:
        print_json({"services": len(source.catalogue.services), "findings": [_row(source, f) for f in findings]})
    else:
        _print(source, findings, to_errors=False)
    _refuse(path, findings)
    if not as_json:
        click.echo(f"{path}: {len(source.catalogue.services)} services, no mistakes.")


@catalog.command("load")
@click.argument("city")
@click.argument("path")
@click.option(
    "--effective-at", help="When it takes effect: ISO 8601, the city's time unless it has a zone.  [default: now]"
)
@click.option("--note", default="", help="Why, for the list of versions.")
@_JSON
def load_command(city: str, path: str, effective_at: str | None, note: str, as_json: bool) -> None:
    """Publish PATH (or `starter`) as the next version of CITY's catalogue."""
    jurisdiction = by_slug(city)
    source = _read(path)
    findings = check(source.catalogue)
    _print(source, findings, to_errors=True)
    _refuse(path, findings)
    newest = services.newest_number(jurisdiction.pk)
    moment = _time(effective_at, jurisdiction)
    version = services.publish(
        jurisdiction, source.catalogue, by=system(jurisdiction.pk), effective_at=moment, note=note
    )
    is_new = version.number != newest
    if as_json:
        print_json({**services.described(version), "new": is_new})
    elif is_new:
        click.echo(f"Version {version.number} of {city} takes effect {_local(version.effective_at, jurisdiction)}.")
    else:
        click.echo(f"Nothing has changed: version {version.number} of {city} says the same.")


@catalog.command("export")
@click.argument("city")
@click.argument("path")
@click.option("--version", "number", type=int, help="Which version.  [default: the one in force]")
def export_command(city: str, path: str, number: int | None) -> None:
    """Write CITY's catalogue to PATH: a new file ending in .yaml, `-` for standard output, else a new folder."""
    catalogue = _catalogue(by_slug(city), number)
    if path == "-":
        click.echo(write_file(catalogue), nl=False)
    elif path.endswith((".yaml", ".yml")):
        _write_new(Path(path), write_file(catalogue))
        click.echo(f"Wrote {path}.")
    else:
        click.echo(f"Wrote {len(write_folder(catalogue, Path(path)))} files to {path}.")


@catalog.command("diff")
@click.argument("old")
@click.argument("path")
@_JSON
def diff_command(old: str, path: str, as_json: bool) -> None:
    """What PATH would change in OLD: a city (its catalogue in force), or another file or folder."""
    before = _read(old).catalogue if old == "starter" or Path(old).exists() else _catalogue(by_slug(old), None)
    changes = diff(before, _read(path).catalogue)
    if as_json:
        print_json([{"path": change.path, "sentence": change.sentence} for change in changes])
        return
    for change in changes:
        click.echo(f"{change.path}: {change.sentence}")
    if not changes:
        click.echo("Nothing differs.")


@catalog.command("versions")
@click.argument("city")
@_JSON
def versions_command(city: str, as_json: bool) -> None:
    """List the versions of CITY's catalogue, newest first."""
    jurisdiction = by_slug(city)
    in_force = services.number_in_force(jurisdiction.pk, now())
    rows = CatalogueVersion.objects.filter(jurisdiction=jurisdiction).defer("document").order_by("-number")
    listed = [{**services.described(row), "in_force": row.number == in_force} for row in rows]
    if as_json:
        print_json(listed)
        return
    for row, version in zip(listed, rows, strict=True):
        mark = "in force" if row["in_force"] else ""
        click.echo(f"{version.number:>4}  {_local(version.effective_at, jurisdiction)}  {mark:<8}  {version.note}")


def _read(path: str) -> Source:
    """Each mistake with its line on standard error, then one sentence."""
    try:
        return read(STARTER if path == "starter" else Path(path))
    except Invalid as problem:
        if not problem.fields:
            raise
        for field in problem.fields:
            click.echo(f"error: {field.field}: {field.detail}", err=True)
        raise Invalid(f"{path} cannot be read: {_count(len(problem.fields))}.") from problem


def _print(source: Source, findings: Iterable[Finding], *, to_errors: bool) -> None:
    for finding in findings:
        where = source.locate(finding.path)
        click.echo(f"{finding.level}: {where and where + ' '}{finding.path}: {finding.sentence}", err=to_errors)


def _refuse(path: str, findings: list[Finding]) -> None:
    wrong = len(errors(findings))
    if wrong:
        raise Invalid(f"{path} cannot be loaded: {_count(wrong)}.")


def _count(mistakes: int) -> str:
    return "1 mistake must be mended" if mistakes == 1 else f"{mistakes} mistakes must be mended"


def _row(source: Source, finding: Finding) -> dict[str, str]:
    where = source.locate(finding.path)
    return {"level": finding.level.value, "path": finding.path, "where": where, "sentence": finding.sentence}


def _catalogue(city: Jurisdiction, number: int | None) -> Catalogue:
    if number is None:
        return services.current(city.pk)[1].catalogue
    return services.index_of(services.version_by_number(city.pk, number).pk).catalogue


def _time(written: str | None, city: Jurisdiction) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise Invalid(f"{written!r} is not a time such as 2026-07-04T08:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=city.zone)


def _local(moment: datetime, city: Jurisdiction) -> str:
    """As the city's clocks show it: by way of UTC, as a time that the clocks skip is none."""
    return moment.astimezone(UTC).astimezone(city.zone).strftime("%Y-%m-%d %H:%M %Z")


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Conflict(f"{path} exists already; choose another name.") from error
