"""`loop311 open311 webhooks`: who is told of what happens in a city, and whether it gets there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import click

from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import print_json
from loop311.kit.problems import NotFound
from loop311.open311 import subscribing
from loop311.open311.models import Webhook


@click.command("webhooks")
@click.argument("city")
@click.option("--end", "ended", type=click.IntRange(1), metavar="ID", help="End this one: it is not called any more.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def webhooks(city: str, ended: int | None, as_json: bool) -> None:
    """List the systems that are told of updates in CITY: whose they are, how they stand, what is waiting, what was given up."""
    jurisdiction = by_slug(city)
    rows = subscribing.of_city(jurisdiction)
    if ended is not None:
        found = rows.filter(pk=ended).first()
        if found is None:
            raise NotFound(f"There is no webhook {ended} in {jurisdiction.name}.")
        subscribing.end(found, "The city ended it.", why="city", by=system(jurisdiction.pk))
    shown = [_row(webhook) for webhook in rows.all()]
    if as_json:
        print_json(shown)
        return
    for row in shown:
        why = row["ended_reason"] or row["problem"]
        line = f"{row['id']:>6}  {row['state']:<8} {row['key']:<24} {row['host']:<32} {row['waiting']} waiting, {row['lost']} lost"
        click.echo(f"{line}  {why}".rstrip())


def _row(webhook: Webhook) -> dict[str, Any]:
    """Of the address only the host: the rest may hold a secret of the receiver's."""
    return {
        "id": webhook.pk,
        "key": webhook.token.name,
        "host": urlsplit(webhook.url).hostname or "",
        "state": webhook.state,
        "service_codes": webhook.service_codes,
        "service_request_ids": webhook.numbers,
        "mine": webhook.mine,
        "waiting": getattr(webhook, "waiting", 0),
        "lost": webhook.lost,
        "created_at": webhook.created_at,
        "failing_since": webhook.failing_since,
        "problem": webhook.problem,
        "ended_at": webhook.ended_at,
        "ended_reason": webhook.ended_reason,
    }
