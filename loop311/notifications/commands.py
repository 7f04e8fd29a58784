"""loop311 notifications ...: what a text would look like, and what could not be sent."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import click

from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import print_json
from loop311.notifications import services
from loop311.notifications.models import Message
from loop311.notifications.policies import LISTED
from loop311.notifications.preview import preview

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def notifications() -> None:
    """Messages to residents: preview, failures, quiet hours."""


@notifications.command("preview")
@click.argument("city")
@click.argument("event")
@click.option("--service", "service_code", default="", help="Code of a service.  [default: the first]")
@click.option("--language", default="", help="[default: the city's first]")
@click.option("--request", "number", default="", help="Number of a real request.  [default: an imagined one]")
@as_json_option
def preview_command(city: str, event: str, service_code: str, language: str, number: str, as_json: bool) -> None:
    """Show the message that EVENT (request.filed, request.done ...) makes in CITY. Sends nothing."""
    words = preview(by_slug(city), event, service_code=service_code, language=language, number=number)
    if as_json:
        print_json(dataclasses.asdict(words))
        return
    click.echo(f"Subject: {words.subject}\n\n{words.body}\nSMS ({len(words.sms)} characters): {words.sms}")


@notifications.command("failures")
@click.argument("city")
@click.option("--retry", is_flag=True, help="Try the failed ones (not the unknown texts) again.")
@as_json_option
def failures_command(city: str, retry: bool, as_json: bool) -> None:
    """List the messages of CITY that could not be delivered, or of which nobody knows whether they were."""
    jurisdiction = by_slug(city)
    columns = ("id", "state", "kind", "event_kind", "request__number", "error", "attempts", "ended_at")
    rows = list(
        Message.objects.filter(jurisdiction=jurisdiction, state__in=sorted(LISTED)).order_by("-pk").values(*columns)
    )
    if retry:
        again = [row["id"] for row in rows if row["state"] == "failed"]
        for pk in again:
            services.retry(pk, by=system(jurisdiction.pk))
        click.echo(f"{len(again)} messages are tried again.", err=True)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("  ".join(str(row[column]) for column in columns))
    if not rows:
        click.echo("Every message has gone out, or is on its way.")


@notifications.command("quiet-hours")
@click.argument("city")
@click.argument("start", required=False, type=click.DateTime(["%H:%M"]))
@click.argument("end", required=False, type=click.DateTime(["%H:%M"]))
@as_json_option
def quiet_hours_command(city: str, start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Show when CITY sends no texts; with START and END (21:00 08:00), set it; two equal times: never quiet."""
    jurisdiction = by_slug(city)
    if start is not None and end is not None:
        services.set_quiet_hours(start.time(), end.time(), by=system(jurisdiction.pk))
    elif start is not None:
        raise click.UsageError("Give both START and END.")
    quiet = services.quiet_hours(jurisdiction.pk)
    hours = {"start": quiet.start.isoformat("minutes"), "end": quiet.end.isoformat("minutes")}
    if as_json:
        print_json(hours)
    else:
        click.echo(_spoken(hours["start"], hours["end"], jurisdiction.time_zone))


def _spoken(start: str, end: str, zone: str) -> str:
    if start == end:
        return "Texts are sent at any hour (START and END are the same)."
    return f"No texts between {start} and {end}, {zone}."
