"""`loop311 open311 ...`: other servers of GeoReport v2."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from loop311.georeport.client import Client
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import print_json
from loop311.kit.problems import Invalid
from loop311.open311 import pulling
from loop311.open311.commands_conform import conform
from loop311.open311.commands_webhooks import webhooks
from loop311.open311.pulling import Pulled


@click.group("open311")
def open311() -> None:
    """Other cities' servers: bring their services and requests in; look whether a server does what the format says."""


open311.add_command(conform)
open311.add_command(webhooks)


@open311.command("pull")
@click.argument("city")
@click.argument("url")
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML of the ways in which the server differs.",
)
@click.option("--jurisdiction-id", default="", help="Which city of the server, where several live.")
@click.option("--services-only", is_flag=True, help="Bring no requests.")
@click.option("--proposal", type=click.Path(path_type=Path), help="New YAML file for the proposed catalogue, or -.")
@click.option("--since", default="", help="Requests filed since this date.  [default: the last 90 days]")
@click.option("--source", default="", help="Code that tells this server's requests from others'.  [default: its name]")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="CSV of the requests that were refused."
)
@click.option("--dry-run", is_flag=True, help="Count and check, but import nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def pull(
    city: str,
    url: str,
    profile_file: Path | None,
    jurisdiction_id: str,
    services_only: bool,
    proposal: Path | None,
    since: str,
    source: str,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the services and requests of the server at URL (its base, or its discovery document) into CITY.

    Services become a proposal for the catalogue, which people complete and load; requests are imported. Pulling again
    changes nothing but what has changed there.
    """
    if str(proposal) == "-" and (as_json or not services_only):
        raise Invalid("--proposal - prints the proposal alone: use it with --services-only and without --json.")
    jurisdiction = by_slug(city)
    begun = _date(since, jurisdiction)
    profile, services = pulling.speaking(pulling.profile_of(url, profile_file, jurisdiction_id=jurisdiction_id))
    with Client(profile) as client:
        proposed, gaps = pulling.proposal(client, jurisdiction, services, with_questions=proposal is not None)
        if proposal:
            _write(proposal, proposed.text(profile.base))
        summary = None
        if not services_only:
            summary = pulling.requests(
                client,
                jurisdiction,
                services,
                source=source or pulling.source_of(profile),
                since=begun,
                by=system(jurisdiction.pk),
                dry_run=dry_run,
                rejects=rejects,
            )
        found = Pulled(
            url=profile.base,
            source=source or pulling.source_of(profile),
            services=len(services),
            added=proposed.added,
            summary=summary,
            gaps=(*gaps, *client.gaps),
        )
    _report(found, as_json=as_json)


def _date(written: str, city: Jurisdiction) -> datetime | None:
    """The city's time unless it has a zone."""
    try:
        found = datetime.fromisoformat(written) if written else None
        return found.replace(tzinfo=found.tzinfo or city.zone) if found else None
    except ValueError as error:
        raise Invalid(f"--since {written!r} is no date such as 2026-03-01.") from error


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    if path.exists():
        raise Invalid(f"{path} is there already; give the proposal another name.")
    path.write_text(text, encoding="utf-8")


def _report(found: Pulled, *, as_json: bool) -> None:
    for gap in found.gaps:
        click.echo(f"Not read: {gap.what}: {gap.reason}", err=True)
    if as_json:
        print_json(found.as_json())
        return
    click.echo(f"{found.services:,} services, {len(found.added):,} of them new here.", err=True)
    if found.summary:
        s = found.summary
        click.echo(
            f"{s.read:,} requests read: {s.created:,} created, {s.updated:,} updated, {s.unchanged:,} unchanged,"
            f" {s.rejected:,} rejected."
        )
