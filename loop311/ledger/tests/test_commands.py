"""loop311 ledger: what it prints and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.test import override_settings

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.kit.problems import NotFound
from loop311.ledger.commands import ledger
from loop311.ledger.services import append
from loop311.ledger.testing import recorded_at, run, tampering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def city() -> Jurisdiction:
    city = create("elm", name="Elm", time_zone="America/Chicago")
    with recorded_at(datetime.now(UTC) - timedelta(days=2)):
        append("thing.seen", "thing", 7, {}, by=system(city.pk))
    return city


def call(*arguments: str) -> Result:
    return CliRunner().invoke(ledger, arguments)


def test_a_whole_ledger_ends_with_nought() -> None:
    done = call("verify", "elm")
    assert (done.exit_code, done.stdout) == (0, "1 events, all as they were written.\n")
    assert json.loads(call("verify", "--json").stdout) == {"events": 1, "faults": []}


def test_a_fault_ends_with_one_and_is_named() -> None:
    with tampering():
        run("UPDATE ledger_event SET body = '{\"x\":1}'")
        done = call("verify", "elm")
        assert done.exit_code == 1
        assert "thing 7" in done.stderr
        assert "Edited: event 1 (thing.seen)" in done.stderr
        (fault,) = json.loads(call("verify", "elm", "--json").stdout)["faults"]
        assert fault["subject"] == "thing 7"


def test_another_secret_key_is_suspected(city: Jurisdiction) -> None:
    append("thing.seen", "thing", 8, {}, by=system(city.pk))
    with override_settings(SECRET_KEY="another"):
        assert "is LOOP311_SECRET_KEY the one" in call("verify", "elm").stderr


def test_days_are_closed_and_told() -> None:
    made = json.loads(call("checkpoint", "elm", "--json").stdout)
    assert made[0]["events"] == 1
    assert call("checkpoint", "elm").stdout == "No day was left to close.\n"


def test_an_export_has_a_line_for_each_event_and_checkpoint(tmp_path: Path) -> None:
    call("checkpoint", "elm")
    printed = [json.loads(line)["type"] for line in call("export", "elm").stdout.splitlines()]
    assert printed.count("event") == 1 + printed.count("checkpoint")
    call("export", "elm", "-o", str(tmp_path / "out"))
    assert len((tmp_path / "out").read_text().splitlines()) == len(printed)


def test_failures_are_listed() -> None:
    assert call("failures", "elm").stdout == "No handler has failed.\n"
    assert json.loads(call("failures", "elm", "--json").stdout) == []


def test_an_unknown_city_is_said_so() -> None:
    assert isinstance(call("verify", "oz").exception, NotFound)
