"""`loop311 knowledge ...`: check, load, export, rules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

import click

from loop311.accounts.models import Team
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.commands import print_json, without_database
from loop311.kit.problems import Invalid, NotFound
from loop311.knowledge import services
from loop311.knowledge.files import STARTER, Owner, Written, read_folder, write_folder
from loop311.knowledge.services.loading import exported, load

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def knowledge() -> None:
    """The city's answers as a folder of markdown files, one for an article and language."""


@knowledge.command("check")
@click.argument("path")
@_JSON
@without_database
def check_command(path: str, as_json: bool) -> None:
    """Find the mistakes in PATH: a folder, or the word `starter`."""
    articles = _read(path)
    texts = sum(len(article.content.texts) for article in articles)
    if as_json:
        print_json({"articles": len(articles), "texts": texts})
    else:
        click.echo(f"{path}: {len(articles)} articles with {texts} texts, no mistakes.")


@knowledge.command("load")
@click.argument("city")
@click.argument("path")
@click.option("--as-drafts", is_flag=True, help="Publish nothing: a second person reads each article at the desk.")
@click.option("--owner", default="", metavar="TEAM", help="Code of the team that answers for all of them.")
@_JSON
def load_command(city: str, path: str, as_drafts: bool, owner: str, as_json: bool) -> None:
    """Load PATH (or `starter`) into CITY. Articles that are not in the folder stay as they are."""
    jurisdiction = by_slug(city)
    articles = _read(path)
    if owner:
        articles = [replace(article, owner=Owner(team=owner)) for article in articles]

    def progress(whole: Sequence[Written]) -> AbstractContextManager[Iterable[Written]]:
        return click.progressbar(whole, label="Articles", hidden=as_json or not sys.stderr.isatty(), file=sys.stderr)

    found = load(jurisdiction, articles, by=system(jurisdiction.pk), as_drafts=as_drafts, progress=progress)
    if as_json:
        print_json(asdict(found))
        return
    for text in found.left_out:
        click.echo(f"left out: {text}: the city does not speak this language.", err=True)
    click.echo(
        f"{city}: {found.read} articles read; {found.added} new, {found.changed} changed, {found.same} the same."
    )


@knowledge.command("export")
@click.argument("city")
@click.argument("path")
@_JSON
def export_command(city: str, path: str, as_json: bool) -> None:
    """Write CITY's published articles to PATH, a new or empty folder."""
    articles = exported(by_slug(city))
    count = write_folder(articles, Path(path))
    if as_json:
        print_json({"articles": len(articles), "files": count})
    else:
        click.echo(f"Wrote {count} files to {path}.")


@knowledge.command("rules")
@click.argument("city")
@click.option("--team", default="", help="Code of the team that finds answers nobody knows yet.")
@click.option("--minutes", type=int, help="In how many minutes.  [default: 30]")
@click.option("--calendar", default="", help="Code of the catalogue's calendar they are counted in.  [default: always]")
@_JSON
def rules_command(city: str, team: str, minutes: int | None, calendar: str, as_json: bool) -> None:
    """Who answers what nobody knows yet, and how soon: show it, or set it."""
    jurisdiction = by_slug(city)
    rules = services.rules_of(jurisdiction)
    if team or minutes is not None or calendar:
        wanted = Team.objects.filter(jurisdiction=jurisdiction, code=team).first() if team else rules.team
        if wanted is None:
            raise NotFound(f"{city} has no team {team}.")
        rules = services.set_rules(
            jurisdiction,
            team=wanted,
            minutes=rules.minutes if minutes is None else minutes,
            calendar=calendar or rules.calendar,
            by=system(jurisdiction.pk),
        )
    if as_json:
        print_json({"team": rules.team.code, "minutes": rules.minutes, "calendar": rules.calendar})
    else:
        click.echo(f"{rules.team.code} answers within {rules.minutes} minutes of the calendar {rules.calendar}.")


def _read(path: str) -> list[Written]:
    """Each mistake with its place on standard error, then one sentence."""
    try:
        return read_folder(STARTER if path == "starter" else Path(path))
    except Invalid as problem:
        for field in problem.fields:
            click.echo(f"error: {field.field}: {field.detail}", err=True)
        raise Invalid(problem.detail) from problem
