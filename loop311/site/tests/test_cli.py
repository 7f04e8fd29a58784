"""The command: quick to explain itself, one sentence when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from django.db import OperationalError
from pytest_django.plugin import DjangoDbBlocker

from loop311.kit.database import room
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.site import cli, migrations

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "_load", lambda name: click.Command(name, callback=fail))
    return run("database")


def test_every_command_is_where_the_list_says() -> None:
    for name, entry in cli.COMMANDS.items():
        module, attribute = entry.target.split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command), name
        assert entry.summary.endswith("."), name


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself_without_a_database(name: str, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.block():
        shown = run(name, "--help")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Usage:")


def test_the_list_of_commands_loads_no_room() -> None:
    code = (
        "import sys; from loop311.site.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print([m for m in sys.modules if m.startswith('loop311.') and m.endswith('.models')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
    assert "jurisdiction" in shown.stdout


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Conflict("It is there already."), "It is there already."),
        (Invalid("Mend this.", fields=[FieldProblem("name", "too long")]), "Mend this. (name: too long)"),
        (
            Invalid("The name is too long.", fields=[FieldProblem("name", "The name is too long.")]),
            "The name is too long.",
        ),
        (OperationalError("connection refused\nis it running?"), "The database cannot be used: connection refused"),
        (OperationalError("connection failed: No space left on device"), room.FULL_FOR_COMMANDS),
        (OSError(28, "No space left on device", "/x"), "The disk is full: /x"),
        (FileNotFoundError(2, "No such file or directory", "/y"), "No such file or directory: /y"),
    ],
)
def test_what_people_can_mend_is_one_sentence(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    result = failing(monkeypatch, error)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {said}\n"
    assert result.stdout == ""


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(failing(monkeypatch, ZeroDivisionError()).exception, ZeroDivisionError)


def test_an_unknown_command_is_refused() -> None:
    result = run("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.stderr


def test_a_database_that_cannot_be_reached_gives_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": f"postgresql://x@/x?host={tmp_path}", "LOOP311_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "loop311.site", "jurisdiction", "list"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: The database cannot be used: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.django_db
def test_tables_that_are_behind_are_brought_up_to_date_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[str] = []
    monkeypatch.setattr(migrations, "pending", lambda: ["requests.9999_new"])
    monkeypatch.setattr(migrations, "call_command", lambda name, **options: applied.append(name))
    with pytest.raises(Conflict, match="loop311 database migrate"):
        migrations.bring_up_to_date(unasked=False)
    assert applied == []
    migrations.bring_up_to_date(unasked=True)
    assert applied == ["migrate"]


@pytest.mark.django_db
def test_the_database_reports_itself() -> None:
    report = json.loads(run("database", "status", "--json").stdout)
    assert report["running"] is True
    assert report["pending"] == []
    assert report["url"] == run("database", "url").stdout.strip()
    assert run("database", "migrate").stdout == "Applied 0 migrations.\n"
