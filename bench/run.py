"""The command: build the town, measure every path at every size, print one table."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict

import click
from django.core.management import call_command
from django.db import connection

from bench.floor import Floor
from bench.paths import areas, filing, importing, listing, nearby, promises
from bench.results import Effort, Result, table
from bench.town import Town, build, grow
from loop311.kit.database import Server

DEFAULT_SIZES = "100000,1000000"


@click.command()
@click.option("--sizes", default=DEFAULT_SIZES, show_default=True, help="Numbers of requests in the city, rising.")
@click.option("--seconds", default=10.0, show_default=True, help="Of each measurement, and of each floor.")
@click.option("--clients", default=8, show_default=True, help="At once, against the web server and in pgbench.")
@click.option("--import-rows", default=100_000, show_default=True, help="Rows of the file that is imported.")
@click.option("--quick", is_flag=True, help="A small run that only shows that everything still measures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.pass_obj
def main(
    server: Server, *, sizes: str, seconds: float, clients: int, import_rows: int, quick: bool, as_json: bool
) -> None:
    """Measure the hot paths beside their floors. Needs about 2 GB of disk for each million requests."""
    effort = Effort(seconds=seconds, clients=clients, import_rows=import_rows)
    if quick:
        sizes, effort = "300,900", Effort(seconds=0.6, clients=2, import_rows=400)
    results = []
    for result in measure(server, [int(size) for size in sizes.split(",")], effort):
        results.append(result)
        click.echo(result.line(), err=True)
    click.echo(json.dumps([asdict(result) for result in results]) if as_json else _report(results, effort))


def measure(server: Server, sizes: list[int], effort: Effort) -> Iterator[Result]:
    call_command("migrate", verbosity=0)
    town, floor = build(), Floor.of(server)
    yield from areas.measure(town, effort)
    yield from promises.measure(town, effort)
    for size in sizes:
        grow(town, size, floor)
        yield from nearby.measure(town, size, effort)
        yield from _over_http(town, size, floor, effort)
        yield from importing.measure(size, effort)
    connection.close()


def _over_http(town: Town, size: int, floor: Floor, effort: Effort) -> Iterator[Result]:
    connection.close()
    yield from listing.measure(town, size, floor, effort)
    yield from filing.measure(town, size, floor, effort)


def _report(results: list[Result], effort: Effort) -> str:
    machine = f"Python {platform.python_version()}, {platform.machine()}, {effort.seconds:g} s a measurement"
    return f"{table(results)}\n\n{machine}. Only ratios mean anything; under 1.3 is noise."
