"""loop311 ledger ...: is the diary whole, closing its days, and handing it to others."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from loop311.jurisdictions.services import by_slug
from loop311.ledger import checkpoints, jobs
from loop311.ledger.chains import Fault
from loop311.ledger.export import export_lines
from loop311.ledger.models import Event
from loop311.ledger.verification import verify

SHOWN = 100
"""Faults printed for people; --json prints all."""


@click.group()
def ledger() -> None:
    """The diary: verify it, close its days, export it, and see whose handlers failed."""


@ledger.command("verify")
@click.argument("city", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify_command(city: str | None, as_json: bool) -> None:
    """Read every event of CITY (or of all cities) and name each one that was edited, removed, inserted or re-ordered."""
    jurisdiction = by_slug(city) if city else None
    events = Event.objects.filter(**({"jurisdiction": jurisdiction} if jurisdiction else {})).count()
    with click.progressbar(length=events, label="Reading", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        faults = verify(jurisdiction.pk if jurisdiction else None, progress=bar.update)
    if as_json:
        click.echo(json.dumps({"events": events, "faults": [fault._asdict() for fault in faults]}, indent=2))
    else:
        _print(events, faults)
    sys.exit(1 if faults else 0)


def _print(events: int, faults: list[Fault]) -> None:
    for fault in faults[:SHOWN]:
        where = f"{fault.subject} (event id {fault.event})" if fault.event else fault.subject
        click.echo(f"{where}: {fault.sentence}", err=True)
    if len(faults) > SHOWN:
        click.echo(f"... and {len(faults) - SHOWN} faults more; --json prints all.", err=True)
    if len(faults) > 1 and all("seal is not ours" in fault.sentence for fault in faults):
        click.echo("Only seals are broken: is LOOP311_SECRET_KEY the one the ledger was written with?", err=True)
    click.echo(f"{events} events, {len(faults)} faults." if faults else f"{events} events, all as they were written.")


@ledger.command("checkpoint")
@click.argument("city")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Close the days up to this one; yesterday unless said.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def checkpoint_command(city: str, day: datetime | None, as_json: bool) -> None:
    """Close the days of CITY that are over and not closed yet. The worker does it hourly by itself."""
    jurisdiction = by_slug(city)
    made = checkpoints.checkpoint(jurisdiction, day.date()) if day else checkpoints.catch_up(jurisdiction)
    rows = [{"day": m.day.isoformat(), "events": m.events, "hash": bytes(m.hash).hex()} for m in made]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['day']}  {row['events']} events  {row['hash']}")
    if not rows:
        click.echo("No day was left to close.")


@ledger.command("export")
@click.argument("city")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of standard output."
)
def export_command(city: str, output: Path | None) -> None:
    """Write the ledger of CITY as JSON lines that can be verified without Loop311 (see docs/how-to)."""
    lines = export_lines(by_slug(city).pk)
    with click.open_file(str(output) if output else "-", "w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")


@ledger.command("failures")
@click.argument("city")
@click.option("--retry", is_flag=True, help="Try those that were given up again.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def failures_command(city: str, retry: bool, as_json: bool) -> None:
    """List the handlers of CITY that failed for an event, given up or to be tried again."""
    jurisdiction = by_slug(city)
    if retry:
        click.echo(f"{jobs.retry_failed(jurisdiction.pk)} handlers are tried again.", err=True)
    found = jobs.troubled_handlers(jurisdiction.pk)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in found], indent=2, default=str))
        return
    for row in found:
        then = f"next try {row.next_try_at:%Y-%m-%d %H:%M:%S}" if row.next_try_at else "given up"
        click.echo(f"{row.handler}  {row.kind} of {row.subject_type} {row.subject_id}  {row.attempts} attempts, {then}")
    if not found:
        click.echo("No handler has failed.")
