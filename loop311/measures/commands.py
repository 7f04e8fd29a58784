"""loop311 report: how the city does, from the command line."""

from __future__ import annotations

from datetime import datetime

import click

from loop311.catalog.services import version_by_number
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.commands import print_json
from loop311.kit.problems import NotFound
from loop311.measures.reports import Against, By, Measures, Report, requests_report
from loop311.measures.restated import restated_report

_COLUMNS = ("opened", "closed", "open", "late", "on time", "median d", "p90 d", "joined", "reopened")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def report() -> None:
    """How the city does, by definitions that stand in docs/reference/measures.md."""


@report.command("requests")
@click.argument("city_slug", metavar="CITY")
@click.option("--from", "start", type=_DAY, help="First local day on which the requests were opened, YYYY-MM-DD.")
@click.option("--to", "end", type=_DAY, help="The day after the last one.")
@click.option("--by", "rows", type=click.Choice([by.value for by in By]), default="service", show_default=True)
@click.option("--layer", default="", help="With --by area: the layer, if not the fullest.")
@click.option("--promise", type=click.Choice([a.value for a in Against]), default="current", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def requests(
    city_slug: str,
    start: datetime | None,
    end: datetime | None,
    rows: str,
    layer: str,
    promise: str,
    as_json: bool,
) -> None:
    """Requests opened in a time, counted: closed, open, late, on time, days to the end."""
    city = Jurisdiction.objects.filter(slug=city_slug).first()
    if city is None:
        raise NotFound(f"There is no city {city_slug!r}.")
    found = requests_report(
        city,
        by=system(city.pk),
        rows=By(rows),
        start=start.date() if start else None,
        end=end.date() if end else None,
        layer=layer,
        against=Against(promise),
    )
    if as_json:
        print_json(found.plain())
    else:
        click.echo(_table(found, rows))


@report.command("restated")
@click.argument("city_slug", metavar="CITY")
@click.option("--version", "number", type=int, required=True, help="Number of the catalogue version to judge by.")
@click.option("--from", "start", type=_DAY, help="First local day on which the requests were opened, YYYY-MM-DD.")
@click.option("--to", "end", type=_DAY, help="The day after the last one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restated(city_slug: str, number: int, start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Past requests judged by the promises of another version of the catalogue, beside their own."""
    city = Jurisdiction.objects.filter(slug=city_slug).first()
    if city is None:
        raise NotFound(f"There is no city {city_slug!r}.")
    lines = restated_report(
        city,
        version_by_number(city.pk, number),
        by=system(city.pk),
        start=start.date() if start else None,
        end=end.date() if end else None,
    )
    if as_json:
        print_json({"version": number, "rows": [line.plain() for line in lines]})
        return
    for line in lines:
        shares = ["-" if share is None else f"{share:.1%}" for share in (line.own.share, line.restated.share)]
        click.echo(f"{line.key[:48]:48}  own {shares[0]:>7}  version {number} {shares[1]:>7}  without {line.without:,}")


def _table(found: Report, rows: str) -> str:
    lines: list[tuple[str, ...]] = [(rows, *_COLUMNS)]
    lines += [(row.name or "(none)", *_cells(row.measures)) for row in found.rows]
    lines.append(("total", *_cells(found.total)))
    first = min(max(len(line[0]) for line in lines), 48)
    widths = [max(len(line[i]) for line in lines) for i in range(1, len(_COLUMNS) + 1)]
    return "\n".join(
        "  ".join([line[0][:first].ljust(first), *(c.rjust(w) for c, w in zip(line[1:], widths, strict=True))])
        for line in lines
    )


def _cells(m: Measures) -> tuple[str, ...]:
    share = "-" if m.on_time_share is None else f"{m.on_time_share:.1%}"
    days = ["-" if value is None else f"{value:.2f}" for value in (m.median_days, m.p90_days)]
    counts = [f"{value:,}" for value in (m.opened, m.closed, m.open, m.open_late)]
    return (*counts, share, *days, f"{m.joined:,}", f"{m.reopened:,}")
