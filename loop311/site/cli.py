"""The command `loop311`: one group, each room's commands under it, loaded when they are called."""

from __future__ import annotations

import errno
import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

import click
import django
import psycopg
from django.conf import settings
from django.db import Error as DjangoDatabaseError
from django.db import InterfaceError, OperationalError

from loop311.kit import database
from loop311.kit.commands import needs_database
from loop311.kit.database import room
from loop311.kit.problems import Problem
from loop311.site import migrations


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, what the list of commands says about it, and whether it brings the tables up to date itself."""

    target: str
    """module:attribute"""
    summary: str
    migrates: bool = False


COMMANDS: dict[str, Entry] = {
    "serve": Entry("loop311.site.operations:serve", "Run web and worker.", migrates=True),
    "worker": Entry("loop311.site.operations:worker", "Run jobs: what follows from events.", migrates=True),
    "database": Entry("loop311.site.operations:database", "The database: url, status, migrate."),
    "jurisdiction": Entry("loop311.jurisdictions.commands:jurisdiction", "Create and list cities."),
    "user": Entry("loop311.accounts.commands:user", "Take people on, change and list them, let them in again."),
    "token": Entry("loop311.accounts.commands:token", "Make, list and revoke bearer tokens for the API."),
    "catalog": Entry("loop311.catalog.commands:catalog", "The catalogue: check, load, export, diff, versions."),
    "knowledge": Entry("loop311.knowledge.commands:knowledge", "The city's answers: check, load, export, rules."),
    "import": Entry("loop311.requests.commands:import_group", "Bring in past requests from a city's open data."),
    "open311": Entry(
        "loop311.open311.commands:open311", "Other Open311 servers: bring in what they have, check what they do."
    ),
    "suggest": Entry(
        "loop311.requests.suggesting.commands:suggest", "Learn from past requests which service words mean."
    ),
    "history": Entry("loop311.requests.commands:history_group", "How long requests take: count it anew."),
    "notifications": Entry("loop311.notifications.commands:notifications", "Messages: preview, failures, quiet hours."),
    "workorders": Entry(
        "loop311.workorders.commands:workorders", "Links to work-order systems: check, load, test, reconcile."
    ),
    "ledger": Entry("loop311.ledger.commands:ledger", "The diary: verify, checkpoint, export, failures."),
    "boundaries": Entry("loop311.places.commands:boundaries", "Load and list layers of areas."),
    "streets": Entry("loop311.places.commands:streets", "Load the streets a map shows, or draw them from addresses."),
    "addresses": Entry("loop311.places.commands:addresses", "Load addresses and intersections."),
    "report": Entry("loop311.measures.commands:report", "How the city does: requests opened, closed, late, on time."),
    "opendata": Entry("loop311.opendata.commands:opendata", "Publish requests as open data, without personal data."),
    "demo": Entry("loop311.site.demo.commands:demo", "Make the fictional demo city.", migrates=True),
}
"""Every command of the product. A room adds its line."""


class Rooms(click.Group):
    """Loads a room only when its command is called, and turns what people can mend into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        with _orderly_end_on_sigterm(), _one_sentence():
            return super().invoke(ctx)


@click.group(cls=Rooms)
@click.version_option(package_name="loop311")
def main() -> None:
    """Loop311: the system a city runs its 311 on."""


@functools.cache
def _load(name: str) -> click.Command:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loop311.site.settings")
    django.setup()
    entry = COMMANDS[name]
    module, attribute = entry.target.split(":")
    command = getattr(import_module(module), attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{entry.target} is not a command")
    _prepare(command, entry)
    return command


def _prepare(command: click.Command, entry: Entry) -> None:
    """Each command that needs the database finds it running and its tables as the code expects them."""
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _prepare(part, entry)
    elif command.callback is not None and needs_database(command.callback):
        command.callback = _with_database(command.callback, entry)


def _with_database(callback: Callable[..., Any], entry: Entry) -> Callable[..., Any]:
    @functools.wraps(callback)
    def prepared(*args: object, **kwargs: object) -> object:
        with database.optional(settings.LOOP311_HOME, wanted=settings.DATABASE_IS_EMBEDDED):
            migrations.bring_up_to_date(unasked=entry.migrates or settings.DATABASE_IS_EMBEDDED)
            return callback(*args, **kwargs)

    return prepared


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Exit code 1 and one sentence on standard error; a traceback is for our own mistakes only."""
    try:
        yield
    except Problem as problem:
        raise click.ClickException(_said(problem)) from problem
    except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
        raise click.ClickException(_of_database(error)) from error
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.strerror is None:
            raise
        what = "The disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise click.ClickException(f"{what}: {error.filename}" if error.filename else what) from error


def _said(problem: Problem) -> str:
    """The sentence, and the fields to mend where they say anything more."""
    named = "; ".join(
        f"{field.field}: {field.detail}" for field in problem.fields if field.detail not in problem.detail
    )
    return f"{problem.detail} ({named})" if named else problem.detail


def _of_database(error: DjangoDatabaseError | psycopg.Error) -> str:
    """A server that could not write its log has hung up without a word; then its disk tells why."""
    ours = settings.DATABASE_IS_EMBEDDED and room.is_short(database.place_of(settings.LOOP311_HOME).base)
    if ours or room.is_full(error):
        return room.FULL_FOR_COMMANDS
    return f"The database cannot be used: {_first_line(error)}"


def _first_line(error: DjangoDatabaseError | psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]


@contextmanager
def _orderly_end_on_sigterm() -> Iterator[None]:
    """SIGTERM ends a command through its `finally` blocks, so that the last user stops the database."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
