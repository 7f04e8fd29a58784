"""loop311 serve, worker, database: running the product."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import connection

from loop311.kit import database as kit_database
from loop311.kit.commands import print_json, without_database
from loop311.site import migrations


@click.group()
def database() -> None:
    """The database: url, status, migrate."""


@database.command()
@without_database
def url() -> None:
    """Print the database's URL. The embedded server runs while a command such as `loop311 serve` uses it."""
    click.echo(settings.DATABASE_URL)


@database.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@without_database
def status(as_json: bool) -> None:
    """Say which database is used, whether it runs and whether its tables are up to date. Starts nothing."""
    report = _status()
    if as_json:
        print_json(report)
        return
    for key, value in report.items():
        click.echo(f"{key + ':':<10} {value}")


@database.command()
@without_database
def migrate() -> None:
    """Bring the tables up to date."""
    with kit_database.optional(settings.LOOP311_HOME, wanted=settings.DATABASE_IS_EMBEDDED):
        count = migrations.migrate()
    click.echo(f"Applied {count} migration{'' if count == 1 else 's'}.")


def _status() -> dict[str, object]:
    embedded = bool(settings.DATABASE_IS_EMBEDDED)
    is_running = not embedded or kit_database.Server(settings.LOOP311_HOME).is_ready()
    report: dict[str, object] = {"url": settings.DATABASE_URL, "embedded": embedded, "running": is_running}
    if is_running:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (report["version"],) = cursor.fetchone()
        report["pending"] = migrations.pending()
    return report
