"""loop311 jurisdiction: create and list cities."""

from __future__ import annotations

import click

from loop311.jurisdictions import services
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.commands import print_json


@click.group()
def jurisdiction() -> None:
    """Create and list cities."""


@jurisdiction.command()
@click.argument("slug")
@click.option("--name", help="As people write it.  [default: the slug, titled]")
@click.option("--time-zone", default="America/Chicago", show_default=True, help="A name of the time zone database.")
@click.option("--language", "languages", multiple=True, help="Repeatable; the first is the default.  [default: en]")
@click.option("--country", default="US", show_default=True, help="Two letters; for telephone numbers and holidays.")
def create(slug: str, name: str | None, time_zone: str, languages: tuple[str, ...], country: str) -> None:
    """Found a city. SLUG is its name in commands and addresses, for ever."""
    city = services.create(
        slug,
        name=name or slug.replace("-", " ").title(),
        time_zone=time_zone,
        languages=languages or ("en",),
        country=country.upper(),
    )
    click.echo(f"Created {city.slug}: {city.name}, {city.country}, {city.time_zone}, {', '.join(city.languages)}.")


@jurisdiction.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the cities of this deployment."""
    rows = [_row(city) for city in Jurisdiction.objects.order_by("slug")]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['slug']:<24} {row['name']:<32} {row['time_zone']}")


def _row(city: Jurisdiction) -> dict[str, object]:
    return {
        "slug": city.slug,
        "name": city.name,
        "time_zone": city.time_zone,
        "languages": city.languages,
        "country": city.country,
        "is_demo": city.is_demo,
    }
