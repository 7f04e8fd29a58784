"""`loop311 catalog ...`: check, load, export, diff, versions."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from loop311.catalog import services
from loop311.catalog.checks import check, errors
from loop311.catalog.files import STARTER, Source, read
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.problems import Invalid, NotFound


@click.group()
def catalog() -> None:
    """The catalogue as code: check, load, export and compare a city's services."""


@catalog.command("check")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check_command(path: str, as_json: bool) -> None:
    """Find the mistakes in PATH: a YAML file, a folder of them, or the word `starter`."""
    source = _read(path)
    findings = check(source.catalogue)
    if as_json:
        listed = [
            {"level": f.level, "path": f.path, "where": source.locate(f.path), "sentence": f.sentence} for f in findings
        ]
        click.echo(json.dumps({"services": len(source.catalogue.services), "findings": listed}, indent=2))
    else:
        for finding in findings:
            where = source.locate(finding.path)
            click.echo(f"{finding.level}: {where and where + ' '}{finding.path}: {finding.sentence}")
    wrong = len(errors(findings))
    if wrong:
        raise click.ClickException(f"{path} has {wrong} mistakes that must be mended before it can be loaded.")
    if not as_json:
        click.echo(f"{path}: {len(source.catalogue.services)} services, no mistakes.")


@catalog.command("load")
@click.argument("city")
@click.argument("path")
@click.option(
    "--effective-at", type=str, help="When it takes effect, ISO 8601; without a zone in the city's. Default: now."
)
@click.option("--note", default="", help="Why, for the history of versions.")
@click.option("--json", "as_json", is_flag=True, help="Print the version as JSON.")
def load_command(city: str, path: str, effective_at: str | None, note: str, as_json: bool) -> None:
    """Publish PATH (or `starter`) as the next version of CITY's catalogue."""
    jurisdiction = _city(city)
    source = _read(path)
    newest = services.newest_number(jurisdiction.pk)
    version = services.publish(
        jurisdiction,
        source.catalogue,
        by=system(jurisdiction.pk),
        effective_at=_time(effective_at, jurisdiction),
        note=note,
    )
    new = version.number != newest
    if as_json:
        click.echo(json.dumps({**services.described(version), "new": new}, indent=2))
    elif new:
        click.echo(f"Version {version.number} of {city} takes effect {version.effective_at.isoformat()}.")
    else:
        click.echo(f"Nothing has changed: version {version.number} of {city} says the same.")


def _read(path: str) -> Source:
    """Every mistake with its line on standard error, then one sentence."""
    try:
        return read(STARTER if path == "starter" else Path(path))
    except Invalid as problem:
        for field in problem.fields:
            click.echo(f"error: {field.field}: {field.detail}", err=True)
        raise


def _city(slug: str) -> Jurisdiction:
    found = Jurisdiction.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no city {slug!r}.")
    return found


def _time(written: str | None, jurisdiction: Jurisdiction) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise Invalid(f"{written!r} is not a time such as 2026-07-04T08:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=jurisdiction.zone)
