"""loop311 demo: make the fictional city."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.commands import print_json
from loop311.site.demo import building
from loop311.site.demo.exporting import content_digest
from loop311.site.demo.founding import ZONE

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--requests", "count", default=2000, show_default=True, help="How many requests.")
@click.option("--seed", default=311, show_default=True, help="The same seed gives the same city.")
@click.option("--city", "slug", default="demo", show_default=True, help="The city's slug.")
@click.option("--days", default=120, show_default=True, help="How many days of history.")
@click.option("--until", type=DAY, help="The day before which everything happened.  [default: today]")
@click.option("--if-empty", is_flag=True, help="Do nothing when the city has requests already.")
@click.option("--digest", is_flag=True, help="Also print a digest of the whole content: equal for equal cities.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def demo(
    count: int, seed: int, slug: str, days: int, until: datetime | None, if_empty: bool, digest: bool, as_json: bool
) -> None:
    """Make Port Alder, a fictional city: streets, staff with sign-ins, residents and months of requests.

    All of it or nothing. It is refused in a real city and in production.
    """
    building.refuse_real(slug)
    day = (until or now().astimezone(ZoneInfo(ZONE))).date()
    plan = building.Plan(slug=slug, seed=seed, requests=count, until=day, days=days)
    report: dict[str, object] = {"city": slug, "made": False}
    if not (if_empty and building.is_built(slug)):
        with _progress(count) as step:
            built = building.build(plan, on_filed=step)
        report |= {"made": True, **{k: v for k, v in asdict(built).items() if k != "jurisdiction"}}
    if digest:
        report["digest"] = content_digest(Jurisdiction.objects.get(slug=slug))
    people = building.sign_ins(slug)
    if as_json:
        print_json(report | {"sign_ins": people})
    else:
        _say(report, people)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=count, label="Port Alder", file=sys.stderr) as bar:
        yield lambda: bar.update(1)


def _say(report: dict[str, object], people: list[dict[str, str]]) -> None:
    if report["made"]:
        click.echo(f"{report['city']}: {report['requests']} requests and {report['contacts']} contacts "
                   f"in {report['seconds']:.1f} s.")  # fmt: skip
    else:
        click.echo(f"{report['city']}: it is there already.")
    if "digest" in report:
        click.echo(f"Content digest: {report['digest']}")
    click.echo("Sign-ins (this demo city only):")
    for who in people:
        click.echo(f"  {who['role']:<22} {who['email']:<52} {who['password']}")
