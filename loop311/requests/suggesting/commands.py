"""`loop311 suggest train CITY`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time

import click

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import by_slug
from loop311.kit.clock import now
from loop311.kit.commands import print_json
from loop311.kit.problems import Invalid
from loop311.requests.suggesting.measuring import Measured
from loop311.requests.suggesting.training import Holdout, Training
from loop311.requests.suggesting.training import train as train_city

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def suggest() -> None:
    """Suggestions of a service, learned from the city's own past requests."""


@suggest.command()
@click.argument("city_slug", metavar="CITY")
@click.option("--until", type=_DAY, help="Learn only from requests received before this local day.")
@click.option(
    "--holdout", nargs=2, type=_DAY, metavar="FROM TO",
    help="Measure on the requests of these local days, TO not included.  [default: the newest fifth]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(city_slug: str, until: datetime | None, holdout: tuple[datetime, datetime] | None, as_json: bool) -> None:
    """Learn from CITY's past requests, off line, and put the model in place; web processes take it up at once.

    The figures are those of a model that knew only what came before the days held out; the one put in place has then
    learned from these too.
    """
    city = by_slug(city_slug)
    done = train_city(city, until=_midnight(until, city) if until else now(), holdout=_held(holdout, city))
    if as_json:
        print_json({"city": city.slug, **asdict(done)})
    else:
        click.echo(_report(city, done))


def _midnight(day: datetime, city: Jurisdiction) -> datetime:
    return datetime.combine(day.date(), time(), city.zone)


def _held(days: tuple[datetime, datetime] | None, city: Jurisdiction) -> Holdout | None:
    if days is None:
        return None
    start, end = (_midnight(day, city) for day in days)
    if start >= end:
        raise Invalid("The time held out ends before it begins.")
    return Holdout(start, end)


def _report(city: Jurisdiction, done: Training) -> str:
    days = f"from {_day(done.held_from, city)} up to {_day(done.held_to, city)}"
    lines = [
        f"{city.slug}: {done.learned_from:,} earlier requests with words learned from, measured on {done.held_out:,} {days}.",
        "",
        f"{'':<32}{'requests':>9}{'search':>16}{'learned':>16}{'together':>16}",
        f"{'':<41}{'first   top 3':>16}{'first   top 3':>16}{'first   top 3':>16}",
        _line("all", done.all_rows),
    ]
    if done.own_words:
        lines.append(_line("more than the service's name", done.own_words))
    lines += [
        "",
        f"Put in place: learned from {done.requests:,} requests, {done.services} of {done.offered} services,"
        f" {done.bytes / 1e6:.1f} MB.",
    ]
    return "\n".join(lines)


def _line(name: str, measured: Measured) -> str:
    ways = (measured.search, measured.learned, measured.together)
    return f"{name:<32}{measured.requests:>9,}" + "".join(f"{way.first:>8.1%}{way.top_3:>8.1%}" for way in ways)


def _day(at: datetime, city: Jurisdiction) -> date:
    return at.astimezone(city.zone).date()
