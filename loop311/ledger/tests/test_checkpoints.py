"""Days are closed once, in order, and never while somebody may still write into them."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.kit.problems import Conflict, Invalid
from loop311.ledger import checkpoints, tasks
from loop311.ledger.export import export_lines
from loop311.ledger.models import Checkpoint, Event
from loop311.ledger.policies import GENESIS, merkle_root
from loop311.ledger.services import append
from loop311.ledger.testing import recorded_at
from loop311.ledger.verification import verify

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOW_TO = Path(__file__).parents[3] / "docs/how-to/verify-an-exported-ledger.md"


@pytest.fixture
def city() -> Jurisdiction:
    return create("elm", name="Elm", time_zone="America/Chicago")


def say(city: Jurisdiction, at: datetime, subject: int = 1) -> None:
    with recorded_at(at):
        append("thing.seen", "thing", subject, {}, by=system(city.pk))


def close(city: Jurisdiction, at: datetime) -> list[Checkpoint]:
    with recorded_at(at):
        return checkpoints.catch_up(city, at=at)


def test_missing_days_are_made_up_in_order_even_those_without_events(city: Jurisdiction) -> None:
    say(city, MONDAY)
    say(city, MONDAY + timedelta(days=3))
    made = close(city, MONDAY + timedelta(days=4))
    assert [(c.day.day, c.events) for c in made] == [(2, 1), (3, 0), (4, 0), (5, 1)]
    assert [bytes(c.previous) for c in made] == [GENESIS, *(bytes(c.hash) for c in made[:-1])]
    assert close(city, MONDAY + timedelta(days=4)) == []


def test_the_root_stands_over_the_days_hashes_in_order_of_ids(city: Jurisdiction) -> None:
    for subject in range(1, 8):
        say(city, MONDAY, subject)
    (made,) = close(city, MONDAY + timedelta(days=1))
    hashes = [bytes(e.hash) for e in Event.objects.filter(subject_type="thing").order_by("id")]
    assert bytes(made.root) == merkle_root(hashes)


def test_a_closed_day_is_never_closed_again(city: Jurisdiction) -> None:
    say(city, MONDAY)
    close(city, MONDAY + timedelta(days=1))
    with pytest.raises(Conflict, match="never changed"):
        checkpoints.checkpoint(city, MONDAY.date())


def test_a_running_day_is_not_closed_nor_one_just_over(city: Jurisdiction) -> None:
    say(city, MONDAY)
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    for at in (MONDAY, midnight, midnight + checkpoints.GRACE - timedelta(seconds=1)):
        with pytest.raises(Invalid, match="not over yet"):
            checkpoints.checkpoint(city, MONDAY.date(), at=at)
    assert len(checkpoints.checkpoint(city, MONDAY.date(), at=midnight + checkpoints.GRACE)) == 1


def test_a_city_without_events_has_no_checkpoints(city: Jurisdiction) -> None:
    assert close(city, MONDAY) == []
    with pytest.raises(Invalid, match="no events"):
        checkpoints.checkpoint(city, date(2026, 3, 2))


@pytest.mark.django_db(transaction=True)
def test_a_day_waits_for_a_transaction_begun_before_its_end(city: Jurisdiction) -> None:
    today = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    say(city, today - timedelta(hours=1))
    settings = connection.get_connection_params()
    keys = ("dbname", "user", "host", "port", "password")
    with psycopg.connect(**{k: settings[k] for k in keys if settings.get(k)}) as other:
        other.execute("UPDATE jurisdictions_numberseries SET last = 1; SELECT pg_current_xact_id()")
        tomorrow = today + timedelta(days=1, minutes=20)
        assert len(checkpoints.catch_up(city, at=today + timedelta(minutes=20))) == 1
        with pytest.raises(Conflict, match="still open"):
            checkpoints.catch_up(city, at=tomorrow)
        other.rollback()
        with recorded_at(tomorrow):
            assert len(checkpoints.catch_up(city, at=tomorrow)) == 1
    assert verify() == []


def test_the_hourly_job_closes_the_days_of_every_city(city: Jurisdiction) -> None:
    other = create("oak", name="Oak", time_zone="America/Chicago")
    for one in (city, other):
        say(one, datetime.now(UTC) - timedelta(days=3), one.pk)
    tasks.close_days(timestamp=0)
    assert Checkpoint.objects.filter(jurisdiction=city).exists()
    assert Checkpoint.objects.filter(jurisdiction=other).exists()


def test_a_city_whose_days_cannot_be_closed_holds_up_no_other(
    city: Jurisdiction, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create("oak", name="Oak", time_zone="America/Chicago")
    for one in (city, other):
        say(one, datetime.now(UTC) - timedelta(days=3), one.pk)
    catch_up = checkpoints.catch_up

    def stumbling(jurisdiction: Jurisdiction) -> list[Checkpoint]:
        if jurisdiction == city:
            raise KeyError("something nobody thought of")
        return catch_up(jurisdiction)

    monkeypatch.setattr(checkpoints, "catch_up", stumbling)
    with pytest.raises(KeyError):
        tasks.close_days(timestamp=0)
    assert Checkpoint.objects.filter(jurisdiction=other).exists()


def _outside_script(tmp_path: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
    found = re.search(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert found is not None
    script, ledger = tmp_path / "verify.py", tmp_path / "ledger.jsonl"
    script.write_text(found[1])
    ledger.write_text("\n".join(lines) + "\n")
    return subprocess.run([sys.executable, "-I", script, ledger], capture_output=True, text=True, check=False)


def test_an_export_is_verified_by_the_script_of_the_docs_alone(city: Jurisdiction, tmp_path: Path) -> None:
    for subject in range(1, 6):
        say(city, MONDAY, subject)
        say(city, MONDAY + timedelta(days=1), subject)
    close(city, MONDAY + timedelta(days=2))
    lines = list(export_lines(city.pk))
    assert "every checkpoint holds" in _outside_script(tmp_path, lines).stdout
    thing = next(i for i, line in enumerate(lines) if "thing.seen" in line)
    for edited in (
        [*lines[:thing], lines[thing].replace("thing.seen", "thing.gone"), *lines[thing + 1 :]],
        [*lines[:thing], *lines[thing + 1 :]],
        [*lines[:thing], lines[thing + 1], lines[thing], *lines[thing + 2 :]],
        [*lines[: thing + 1], *lines[thing + 2 :]],
    ):
        done = _outside_script(tmp_path, edited)
        assert done.returncode == 1
        assert "is not as it was written" in done.stderr
