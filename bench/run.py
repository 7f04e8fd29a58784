"""The command: build the town, measure every path at every size, print one table."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from django.core.management import call_command
from django.db import connection

from bench.desks import budgets, shift
from bench.floor import Floor
from bench.paths import areas, filing, importing, knowledge, listing, nearby, open311, promises, suggesting
from bench.people import settle
from bench.results import Effort, Result, table
from bench.town import NOBODY, Town, build, grow
from loop311.kit.database import Server

DEFAULT_SIZES = "100000,1000000"
RESIDENTS = 0.4
"""For each request of the city."""

PARTS = ("areas", "promises", "suggestion", "knowledge", "nearby", "list", "filing", "open311", "import", "desk")
_ONCE = ("areas", "promises", "suggestion", "knowledge")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parts, at which numbers of requests; desks at once and for how long."""

    parts: frozenset[str]
    sizes: list[int]
    desks: int
    minutes: float


@click.command()
@click.option("--sizes", default=DEFAULT_SIZES, show_default=True, help="Numbers of requests in the city, rising.")
@click.option("--seconds", default=10.0, show_default=True, help="Of each measurement, and of each floor.")
@click.option("--clients", default=8, show_default=True, help="At once, against the web server and in pgbench.")
@click.option("--import-rows", default=100_000, show_default=True, help="Rows of the file that is imported.")
@click.option("--only", default="", metavar="PARTS", help=f"Some of: {', '.join(PARTS)}.  [default: all]")
@click.option("--desks", default=0, show_default=True, help="Desks at once that take calls, at the largest size.")
@click.option("--minutes", default=5.0, show_default=True, help="For how long they do.")
@click.option("--quick", is_flag=True, help="A small run that only shows that everything still measures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.pass_obj
def main(
    server: Server, *, sizes: str, seconds: float, clients: int, import_rows: int, only: str, desks: int, minutes: float,
    quick: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure the hot paths beside their floors. Needs about 2 GB of disk for each million requests."""
    effort = Effort(seconds=seconds, clients=clients, import_rows=import_rows)
    parts = frozenset(only.replace(" ", "").split(",")) if only else frozenset(PARTS)
    if unknown := parts - set(PARTS):
        raise click.BadParameter(f"there is no part {', '.join(sorted(unknown))}", param_hint="--only")
    if quick:
        sizes, effort = "300,900", Effort(seconds=0.6, clients=2, import_rows=400)
        desks, minutes = 3 if "desk" in parts else 0, 0.1
    results = []
    for result in measure(server, Wanted(parts, [int(size) for size in sizes.split(",")], desks, minutes), effort):
        results.append(result)
        click.echo(result.line(), err=True)
    click.echo(json.dumps([asdict(result) for result in results]) if as_json else _report(results, effort))


def measure(server: Server, wanted: Wanted, effort: Effort) -> Iterator[Result]:
    call_command("migrate", verbosity=0)
    town, floor = build(), Floor.of(server)
    parts, sizes = wanted.parts, wanted.sizes
    yield from _at_no_size(town, parts, effort)
    if parts <= set(_ONCE) and not wanted.desks:
        return
    people = settle(town, int(RESIDENTS * sizes[-1]), floor) if "desk" in parts or wanted.desks else None
    for size in sizes if parts - {"desk", *_ONCE} else sizes[-1:]:
        grow(town, size, floor, people.askers if people else NOBODY)
        yield from _at_size(town, size, floor, parts, effort)
    if people and "desk" in parts:
        yield from budgets.measure(town, people, sizes[-1], effort)
    if people and wanted.desks:
        yield from shift.measure(town, people, sizes[-1], wanted.desks, wanted.minutes)
    connection.close()


def _at_no_size(town: Town, parts: frozenset[str], effort: Effort) -> Iterator[Result]:
    """What does not depend on how many requests there are."""
    if "areas" in parts:
        yield from areas.measure(town, effort)
    if "promises" in parts:
        yield from promises.measure(town, effort)
    if "suggestion" in parts:
        yield from suggesting.measure(town, effort)
    articles = knowledge.write(town, effort) if parts & {"knowledge", "desk"} else 0
    if "knowledge" in parts:
        yield from knowledge.measure(town, articles, effort)


def _at_size(town: Town, size: int, floor: Floor, parts: frozenset[str], effort: Effort) -> Iterator[Result]:
    if "nearby" in parts:
        yield from nearby.measure(town, size, effort)
    connection.close()
    if "list" in parts:
        yield from listing.measure(town, size, floor, effort)
    if "filing" in parts:
        yield from filing.measure(town, size, floor, effort)
    if "open311" in parts:
        yield from open311.measure(town, size, floor, effort)
    if "import" in parts:
        yield from importing.measure(size, effort)


def _report(results: list[Result], effort: Effort) -> str:
    machine = f"Python {platform.python_version()}, {platform.machine()}, {effort.seconds:g} s a measurement"
    return f"{table(results)}\n\n{machine}. Only ratios mean anything; under 1.3 is noise."
