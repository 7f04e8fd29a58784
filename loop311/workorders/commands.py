"""`loop311 workorders ...`: check, load, links, take-up, test, reconcile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from loop311.catalog.checks import Finding, errors
from loop311.catalog.files import STARTER, read
from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.commands import print_json, without_database
from loop311.kit.problems import Conflict, Invalid
from loop311.workorders import services, working
from loop311.workorders.checks import check
from loop311.workorders.connectors.base import CannotTell
from loop311.workorders.files import read_links
from loop311.workorders.mapping import LinksFile
from loop311.workorders.models import Link
from loop311.workorders.queries import counted

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def workorders() -> None:
    """Links to the departments' own work-order systems."""


@workorders.command("check")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--catalog", "catalogue", required=True, help="The catalogue: a file, a folder, or the word `starter`.")
@_JSON
@without_database
def check_command(path: Path, catalogue: str, as_json: bool) -> None:
    """Find the mistakes in PATH, a links.yaml, held against a catalogue."""
    file = _read(path)
    index = CatalogueIndex.of(read(STARTER if catalogue == "starter" else Path(catalogue)).catalogue)
    findings = check(file, index)
    if as_json:
        print_json({"links": len(file.links), "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if wrong := len(errors(findings)):
        raise Invalid(f"{path} cannot be loaded: {wrong} mistake{'' if wrong == 1 else 's'} must be mended.")
    if not as_json:
        click.echo(f"{path}: {len(file.links)} links, no mistakes.")


@workorders.command("load")
@click.argument("city")
@click.argument("path", type=click.Path(path_type=Path))
@_JSON
def load_command(city: str, path: Path, as_json: bool) -> None:
    """Make CITY's links those of PATH. Secrets stay where the file says they are."""
    jurisdiction = by_slug(city)
    loaded = services.load(jurisdiction, _read(path), by=system(jurisdiction.pk))
    if as_json:
        print_json(asdict(loaded))
    else:
        click.echo(
            f"{city}: {loaded.added} links new, {loaded.changed} changed, {loaded.same} the same, {loaded.retired} retired."
        )


@workorders.command("links")
@click.argument("city")
@_JSON
def links_command(city: str, as_json: bool) -> None:
    """How CITY's links stand."""
    at, jurisdiction = now(), by_slug(city)
    rows = [
        {
            "code": row.link.code,
            "connector": row.link.connector,
            "state": row.state.value,
            "heard_at": row.link.heard_at,
            "waiting": row.waiting,
            "stuck": row.stuck,
            "mismatches": row.mismatches,
            "address": f"/hooks/workorders/{row.link.address}/",
        }
        for row in counted(jurisdiction.pk, at)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['code']:<20} {row['state']:<9} {row['waiting']:>5} waiting {row['stuck']:>4} stuck "
            f"{row['mismatches']:>4} mismatches  {row['address']}"
        )


@workorders.command("take-up")
@click.argument("city")
@click.argument("link")
@_JSON
def take_up_command(city: str, link: str, as_json: bool) -> None:
    """Hand over what was open in CITY before LINK was there."""
    by = system(by_slug(city).pk)
    taken = services.take_up(services.find_link(link, by=by), by=by)
    if as_json:
        print_json({"handed_over": taken})
    else:
        click.echo(f"{link}: {taken} open requests are handed over.")


@workorders.command("test")
@click.argument("city")
@click.argument("link")
@_JSON
def test_command(city: str, link: str, as_json: bool) -> None:
    """Try the connection of LINK now."""
    tested, state = working.try_out(services.find_link(link, by=system(by_slug(city).pk)))
    if as_json:
        print_json({"ok": tested.ok, "words": tested.words, "state": state.value})
    else:
        click.echo(tested.words)
    if not tested.ok:
        raise Conflict(f"The link {link} does not work: {tested.words}")


@workorders.command("reconcile")
@click.argument("city")
@click.argument("links", nargs=-1)
@_JSON
def reconcile_command(city: str, links: tuple[str, ...], as_json: bool) -> None:
    """Hold both sides of LINKS (default: all of CITY's) against each other, and open or mend what does not agree."""
    by = system(by_slug(city).pk)
    wanted = Link.objects.of_city(by.jurisdiction_id).in_use().order_by("code")
    found = [services.find_link(code, by=by) for code in links] or list(wanted)
    report, silent = {}, []
    for link in found:
        try:
            report[link.code] = asdict(working.reconcile(link.pk))
        except CannotTell as error:
            silent.append(f"{link.code} was not compared: {error}")
    _print_compared(report, as_json=as_json)
    if silent:
        raise Conflict(" ".join(silent))


def _print_compared(report: dict[str, dict[str, int]], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    for code, said in report.items():
        click.echo(f"{code}: {said['pairs']} pairs, {said['open']} do not agree, {said['mended']} agree again.")


def _read(path: Path) -> LinksFile:
    try:
        return read_links(path)
    except Invalid as problem:
        for field in problem.fields:
            click.echo(f"error: {field.field}: {field.detail}", err=True)
        raise Invalid(problem.detail) from problem


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        click.echo(f"{finding.level}: {finding.path}: {finding.sentence}")
