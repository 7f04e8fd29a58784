"""`loop311 open311 conform`: look whether a server does what GeoReport v2 says. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loop311.georeport.conform import report
from loop311.georeport.conform.registry import Check
from loop311.georeport.conform.run import Result, Unreachable, chosen, exit_code, run
from loop311.georeport.conform.target import Options
from loop311.georeport.conform.wire import Wire
from loop311.kit.commands import print_json, without_database


@click.command("conform")
@click.argument("url")
@click.option("--jurisdiction", default="", help="The jurisdiction_id to send.")
@click.option(
    "--key", envvar="LOOP311_CONFORM_KEY", default="", help="api_key for test requests.  [env: LOOP311_CONFORM_KEY]"
)
@click.option("--service", "services", multiple=True, help="Code that test requests may be filed for; may be repeated.")
@click.option("--write", is_flag=True, help="Run the checks that file (some forty) test requests, too.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to this file.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--only", default="", help="Ids or groups of checks, between commas.")
@click.option("--strict", is_flag=True, help="Our own rules and extensions are failures too, not warnings.")
@click.option("--discovery", default="", help="Address of discovery without its ending.  [default: below URL]")
@click.option("--here", is_flag=True, help="File at URL although discovery names an endpoint for tests.")
@click.option(
    "--at", "position", default="", metavar="LAT,LONG", help="Where test requests lie.  [default: where one lies]"
)
@click.option("--address", default="", help="Address of test requests.")
@click.option("--address-id", default="", help="An address_id that the server knows.")
@click.option("--attribute", "attributes", multiple=True, metavar="CODE=VALUE", help="What to answer in test requests.")
@click.option("--token", default="", help="A token that has an id by now.")
@click.option("--private", default="", help="Id of a request that must not be public.")
@click.option("--burst", type=click.IntRange(0, 5_000), default=0, help="Questions without a pause, to meet the limit.")
@click.option(
    "--wait", type=click.FloatRange(0, 3_600), default=10, show_default=True, help="Seconds for a token's id."
)
@click.option(
    "--rate", type=click.FloatRange(0, 1_000), default=5, show_default=True, help="Questions a second; 0: no limit."
)
@click.option(
    "--timeout", type=click.FloatRange(0.1, 600), default=20, show_default=True, help="Seconds for an answer."
)
@click.pass_context
@without_database
def conform(
    context: click.Context,
    /,
    url: str,
    *,
    format_: str,
    as_json: bool,
    junit: Path | None,
    only: str,
    strict: bool,
    rate: float,
    timeout: float,
    position: str,
    attributes: tuple[str, ...],
    **others: Any,
) -> None:
    """Look whether the server at URL (what stands before services.xml) does what Open311 GeoReport v2 says.

    Exit code 0: nothing failed; 1: something did; 2: it could not be looked at. The checks are listed in
    docs/reference/conformance.md.
    """
    options = Options(url=_url(url), position=_position(position), attributes=_attributes(attributes), **others)
    told = _Told(quiet=as_json or format_ == "json")
    wire = Wire(rate=rate, timeout=timeout)
    try:
        results = run(options, wire, _wanted(only), strict=strict, each=told.one)
    except Unreachable as gone:
        click.echo(f"Error: {gone}", err=True)
        context.exit(2)
    finally:
        wire.close()
    if junit:
        junit.write_bytes(report.junit(results, url))
    if told.quiet:
        print_json(report.plain(results, url))
    else:
        click.echo(f"\n{report.summary(results)}")
    context.exit(exit_code(results))


class _Told:
    """The table as it grows: a run against a slow server shows where it is."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.group = ""

    def one(self, result: Result) -> None:
        if self.quiet:
            return
        if result.check.group != self.group:
            self.group = result.check.group
            click.echo(self.group)
        click.echo(report.line(result))


def _wanted(only: str) -> list[Check]:
    try:
        return chosen(name for part in only.split(",") if (name := part.strip()))
    except KeyError as unknown:
        raise click.UsageError(f"There is no check and no group {unknown.args[0]!r}.") from unknown


def _url(url: str) -> str:
    if not url.startswith(("http://", "https://")) or url.endswith((".xml", ".json")):
        raise click.UsageError("URL is what stands before services.xml, such as https://city.example/open311/v2/")
    return url


def _position(written: str) -> tuple[str, str] | None:
    if not written:
        return None
    latitude, _, longitude = written.partition(",")
    try:
        float(latitude), float(longitude)
    except ValueError as error:
        raise click.UsageError("--at is a latitude and a longitude, such as 41.85,-87.65") from error
    return latitude.strip(), longitude.strip()


def _attributes(written: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition("=") for each in written]
    if not all(code and equals for code, equals, _ in pairs):
        raise click.UsageError("--attribute is CODE=VALUE.")
    return tuple((code, value) for code, _, value in pairs)
