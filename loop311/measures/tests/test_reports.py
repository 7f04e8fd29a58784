"""What is counted, and that the numbers are those an independent calculation gives."""

from __future__ import annotations

import json
import random
import statistics
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loop311.accounts.testing import a_secret, bearer
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.problems import Forbidden, Invalid
from loop311.measures.commands import report
from loop311.measures.reports import Against, By, Measures, Report, requests_report
from loop311.places.services import load_boundaries
from loop311.places.testing import squares
from loop311.requests.services import assign, dispute, join, resume, start, wait
from loop311.requests.testing import MONDAY, make_city
from loop311.requests.tests.import_files import bring_in

pytestmark = pytest.mark.django_db

AT = datetime(2024, 7, 1, tzinfo=UTC)
ZONE_OFFSET = timedelta(hours=6)


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago", languages=("en", "es"))


def read(city: Jurisdiction, rows: By = By.SERVICE, **options: object) -> Report:
    return requests_report(city, by=system(city.pk), rows=rows, at=AT, **options)  # type: ignore[arg-type]


def random_rows(seed: int, count: int) -> list[dict[str, str]]:
    """Winter days only, so that the zone's offset is one."""
    dice = random.Random(seed)
    rows = []
    for number in range(count):
        opened = datetime(2024, 1, 1, 8) + timedelta(minutes=dice.randrange(60 * 24 * 50))  # noqa: DTZ001 - a wall time
        closed = opened + timedelta(hours=dice.randrange(400)) if dice.random() < 0.7 else None
        due = opened + timedelta(hours=dice.randrange(400)) if dice.random() < 0.8 else None
        rows.append(
            {
                "case": str(number),
                "opened": str(opened),
                "closed": str(closed or ""),
                "due": str(due or ""),
                "status": "Closed" if closed else "Open",
                "type": dice.choice(["Pothole", "Graffiti", "Tree"]),
                "department": dice.choice(["Streets", "Parks"]),
                "channel": dice.choice(["Call", "Web"]),
                "district": dice.choice(["1", "9", ""]),
            }
        )
    return rows


def calculated(rows: list[dict[str, str]]) -> Measures:
    """The definitions of docs/reference/measures.md once more, in Python."""
    now = (AT - ZONE_OFFSET).replace(tzinfo=None)
    times = [[datetime.fromisoformat(row[c]) if row[c] else None for c in ("opened", "due", "closed")] for row in rows]
    days = sorted((closed - opened).total_seconds() / 86400 for opened, _, closed in times if opened and closed)
    on_time = sum(bool(due and closed and closed <= due) for _, due, closed in times)
    late = sum(bool(due and not closed and due < now) for _, due, closed in times)
    promised = sum(bool(due and closed) for _, due, closed in times) + late
    return Measures(
        opened=len(rows),
        closed=len(days),
        open=len(rows) - len(days),
        open_late=late,
        on_time_share=_about(on_time / promised) if promised else None,
        median_days=_about(statistics.median(days)) if days else None,
        p90_days=_about(_interpolated(days, 0.9)) if days else None,
    )


def _about(value: float) -> Any:
    """Equal to what differs in the last bits only; Any, because it stands where a float does."""
    return pytest.approx(value)


def _interpolated(values: list[float], share: float) -> float:
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


@pytest.mark.parametrize("seed", range(3))
def test_every_report_equals_an_independent_calculation(city: Jurisdiction, tmp_path: Path, seed: int) -> None:
    rows = random_rows(seed, 120)
    bring_in(city, tmp_path / "rows.csv", *rows)
    for by, column in ((By.SERVICE, "type"), (By.DEPARTMENT, "department"), (By.AREA, "district")):
        found = read(city, by, layer="district" if by is By.AREA else "")
        assert found.total == calculated(rows)
        assert {row.name: row.measures for row in found.rows} == {
            value: calculated([row for row in rows if row[column] == value]) for value in {row[column] for row in rows}
        }


def test_the_time_is_half_open_and_of_the_citys_own_days(city: Jurisdiction, tmp_path: Path) -> None:
    times = ["2024-02-29 23:59:59", "2024-03-01 00:00:00", "2024-03-31 23:59:59", "2024-04-01 00:00:00"]
    bring_in(city, tmp_path / "rows.csv", *({"case": str(i), "opened": time} for i, time in enumerate(times)))
    found = read(city, By.MONTH, start=date(2024, 3, 1), end=date(2024, 4, 1))
    assert [(row.key, row.measures.opened) for row in found.rows] == [("2024-03", 2)]
    assert [row.key for row in read(city, By.MONTH).rows] == ["2024-02", "2024-03", "2024-04"]


def test_a_city_without_requests_has_a_report_of_nothing(city: Jurisdiction) -> None:
    assert read(city) == Report(Measures(), [])


def test_another_citys_requests_are_not_counted(city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(create("elsewhere", name="Elsewhere", time_zone="America/Chicago"), tmp_path / "rows.csv", {})
    assert read(city).total.opened == 0


def test_a_report_is_one_query(city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(city, tmp_path / "rows.csv", *random_rows(1, 30))
    for by in By:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read(city, by, layer="district" if by is By.AREA else "")
        assert len(queries) == 1


def test_without_a_layer_the_fullest_is_reported(city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(city, tmp_path / "rows.csv", *random_rows(1, 30))
    assert read(city, By.AREA) == read(city, By.AREA, layer="district")


def test_days_the_wrong_way_round_and_a_layer_out_of_place_are_refused(city: Jurisdiction) -> None:
    with pytest.raises(Invalid, match="ends before it begins"):
        read(city, start=date(2024, 3, 2), end=date(2024, 3, 1))
    with pytest.raises(Invalid, match="Only a report by area"):
        read(city, By.MONTH, layer="district")


def test_a_misspelt_layer_is_refused_and_an_empty_one_is_not(city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(city, tmp_path / "rows.csv", *random_rows(1, 30))
    load_boundaries(city, "wards", squares(1), by=system(city.pk))
    assert [row.key for row in read(city, By.AREA, layer="wards").rows] == [""]
    assert read(city, By.AREA, layer="district", end=date(2001, 1, 1)).total.opened == 0
    with pytest.raises(Invalid, match="There is no layer 'ward'; there are: wards"):
        read(city, By.AREA, layer="ward")


def test_only_who_may_read_measures_reads_them(city: Jurisdiction) -> None:
    with pytest.raises(Forbidden):
        requests_report(city, by=Actor(kind=ActorKind.STAFF, jurisdiction_id=city.pk))
    with pytest.raises(Forbidden):
        requests_report(city, by=system(city.pk + 1))


def test_the_command_prints_json_and_a_table(city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(city, tmp_path / "rows.csv", *random_rows(2, 20))
    arguments = ["requests", "millbrook", "--by", "area", "--layer", "district"]
    printed = json.loads(CliRunner().invoke(report, [*arguments, "--json"], catch_exceptions=False).stdout)
    names = ["opened", "closed", "open", "open_late", "on_time_share", "median_days", "p90_days", "joined", "reopened"]
    assert list(printed) == ["total", "rows"]
    assert list(printed["total"]) == names
    assert all(list(row) == ["key", "name", *names] for row in printed["rows"])
    assert sum(row["opened"] for row in printed["rows"]) == printed["total"]["opened"] == 20
    table = CliRunner().invoke(report, arguments, catch_exceptions=False).stdout.splitlines()
    assert table[0].split()[:3] == ["area", "opened", "closed"]
    assert [line.split()[0] for line in table[1:]] == ["(none)", "1", "9", "total"]


def test_the_api_gives_the_same_numbers(client: Client, city: Jurisdiction, tmp_path: Path) -> None:
    bring_in(city, tmp_path / "rows.csv", *random_rows(3, 20))
    url = "/api/v1/reports/requests?by=channel&from=2024-01-01&to=2025-01-01"
    answer = client.get(url, headers=bearer(a_secret(city, ["measures.read"])))
    assert answer.status_code == 200
    wanted = requests_report(
        city, by=system(city.pk), rows=By.CHANNEL, start=date(2024, 1, 1), end=date(2025, 1, 1)
    ).plain()
    assert answer.json() == wanted
    assert client.get(url, headers=bearer(a_secret(city, ["requests.read"]))).status_code == 403
    wrong = client.get(url.replace("channel", "colour"), headers=bearer(a_secret(city, ["measures.read"])))
    assert wrong.status_code == 422


def test_a_life_here_is_counted_as_the_definitions_say() -> None:
    town = make_city()
    hours = [MONDAY + timedelta(hours=n) for n in range(6)]
    done, reopened, leading, joined, late = (town.file(at=hours[0]) for _ in range(5))
    waiting = start(assign(town.file(at=hours[0]), by=town.system, at=hours[1]), by=town.system, at=hours[1])
    town.done(done, at=hours[4])
    dispute(town.done(reopened, at=hours[2]), text="No.", by=town.system, at=hours[3])
    join(joined, leading=leading, by=town.system, at=hours[1])
    wait(waiting, reason="rain", by=town.system, at=hours[2])
    long_after = late.received_at + timedelta(days=9)
    found = requests_report(town.jurisdiction, by=town.system, at=long_after).total
    assert (found.opened, found.closed, found.open, found.joined, found.reopened) == (6, 1, 5, 1, 1)
    assert found.open_late == 4  # the one whose clock stands still is not late
    assert found.on_time_share == pytest.approx(1 / 5)
    assert found.median_days == pytest.approx(4 / 24)


def test_a_report_may_be_held_against_the_first_promise() -> None:
    town = make_city()
    stopped = start(assign(town.file(), by=town.system, at=MONDAY), by=town.system, at=MONDAY)
    first_due = stopped.due_at
    assert first_due is not None
    stopped = wait(stopped, reason="rain", by=town.system, at=MONDAY + timedelta(hours=1))
    stopped = resume(stopped, by=town.system, at=MONDAY + timedelta(days=2))
    town.done(stopped, at=first_due + timedelta(hours=1))
    shares = {
        against: requests_report(town.jurisdiction, by=town.system, against=against).total.on_time_share
        for against in Against
    }
    assert shares == {Against.CURRENT: 1.0, Against.FIRST: 0.0}
