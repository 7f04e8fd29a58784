"""`loop311 suggest train`: what it reads, what it tells, what it puts in place."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django import Settings

from loop311.catalog import definitions as d
from loop311.catalog.services import current, publish
from loop311.catalog.testing import edited
from loop311.kit.clock import now
from loop311.kit.problems import Problem
from loop311.requests.models import Request
from loop311.requests.suggesting import suggest, training
from loop311.requests.suggesting.commands import suggest as command
from loop311.requests.suggesting.past import rows
from loop311.requests.suggesting.serving import path_of
from loop311.requests.testing import MONDAY, City, make_city, small_catalogue

HOLES = (
    "a crater swallowed my wheel",
    "deep crater by the bakery",
    "the road has a crater",
    "wheel broken by a crater",
)
ARROWS = ("the arrow is faded", "faded arrow at the corner", "nobody can read the faded arrow", "arrow gone pale")


@pytest.fixture
def city(db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    settings.LOOP311_HOME = tmp_path
    monkeypatch.setattr(training, "FEWEST", 30)
    return make_city()


def file_many(city: City, count: int, at: datetime = MONDAY) -> None:
    for number in range(count):
        city.file(description=HOLES[number % 4], at=at + timedelta(hours=2 * number))
        city.file(
            service_code="sign", answers={}, description=ARROWS[number % 4], at=at + timedelta(hours=2 * number + 1)
        )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["train", *arguments])


def refusal(*arguments: str) -> str:
    done = run(*arguments)
    assert isinstance(done.exception, Problem), done.output
    assert done.stdout == ""
    return done.exception.detail


def test_it_learns_measures_on_what_came_later_and_puts_the_model_in_place(city: City) -> None:
    file_many(city, 25)
    done = run("elmville", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["requests"], report["services"], report["learned_from"], report["held_out"]) == (50, 2, 40, 10)
    assert report["all_rows"] == report["own_words"]
    assert report["all_rows"]["learned"]["first"] == 1.0
    assert report["all_rows"]["search"]["top_3"] == 0.0, "no crater and no arrow in the catalogue"
    assert report["all_rows"]["together"]["first"] == 1.0
    assert report["file"] == str(path_of(city.jurisdiction.pk))
    assert report["bytes"] == path_of(city.jurisdiction.pk).stat().st_size
    _, found = suggest(city.jurisdiction.pk, "there is a crater")
    assert [(each.service.code, each.why) for each in found] == [("pothole", "past")]


def test_the_figures_stand_side_by_side(city: City) -> None:
    file_many(city, 20)
    done = run("elmville", "--holdout", "2026-03-03", "2026-03-04")
    assert done.exit_code == 0, done.output
    assert "measured on 24 from 2026-03-03 up to 2026-03-04" in done.stdout
    assert "100.0%  100.0%" in done.stdout
    assert "learned from 40 requests, 2 of 2 services" in done.stdout


def test_days_after_until_are_not_looked_at(city: City) -> None:
    file_many(city, 40)
    report = json.loads(run("elmville", "--until", "2026-03-05", "--json").stdout)
    assert report["requests"] == Request.objects.filter(received_at__lt="2026-03-05T06:00Z").count() < 80


def test_the_same_past_makes_the_same_model(city: City) -> None:
    file_many(city, 20)
    until = ("--until", "2027-01-01")
    assert run("elmville", *until).exit_code == 0
    first = path_of(city.jurisdiction.pk).read_bytes()
    assert run("elmville", *until).exit_code == 0
    assert path_of(city.jurisdiction.pk).read_bytes() == first


@pytest.fixture
def without_scikit(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(training, "import_module", missing)


def test_without_scikit_learn_it_says_what_to_install(city: City, without_scikit: None) -> None:
    assert refusal("elmville") == "Training needs scikit-learn: pip install -r requirements/train.txt"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["elmville"],
            "elmville has only 4 requests with words under services it offers; 30 are needed to learn from.",
        ),
        (["nowhere"], "There is no city 'nowhere'"),
        (["elmville", "--holdout", "2026-03-04", "2026-03-03"], "The time held out ends before it begins."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(city: City, arguments: list[str], sentence: str) -> None:
    file_many(city, 2)
    assert sentence in refusal(*arguments)
    assert not path_of(city.jurisdiction.pk).exists()


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (("2025-01-01", "2025-02-01"), "No request with words was received in the time that is held out"),
        (("2026-03-01", "2026-04-01"), "Before 2026-03-01 fewer than two services have 3 requests with words."),
    ],
)
def test_days_held_out_need_requests_in_them_and_before_them(city: City, days: tuple[str, str], sentence: str) -> None:
    file_many(city, 20)
    assert sentence in refusal("elmville", "--holdout", *days)


def test_only_free_words_are_read_and_no_private_answer(city: City) -> None:
    where = d.Question(code="where", datatype=d.Datatype.STRING, texts=small_catalogue().services[1].names)
    who = d.Question(code="who", datatype=d.Datatype.TEXT, texts=small_catalogue().services[1].names, private=True)
    publish(city.jurisdiction, edited(small_catalogue(), "services.sign", questions=(where, who)), by=city.system)
    at = now()
    city.file(service_code="sign", answers={"where": "By the Bakery, 12", "who": "Secret"}, description="Faded", at=at)
    city.file(service_code="sign", answers={}, description="", at=at)
    city.file(description="Crater", answers={"danger": "no", "depth": 3}, address="9 Hidden Lane", at=at)
    _, index = current(city.jurisdiction.pk)
    found = {(row.code, row.text) for row in rows(city.jurisdiction.pk, index, now())}
    assert found == {("sign", "faded by the bakery"), ("pothole", "crater")}


def test_another_citys_past_is_not_read(city: City) -> None:
    other = make_city("oakdale")
    other.file(description="Crater")
    assert list(rows(city.jurisdiction.pk, current(city.jurisdiction.pk)[1], now())) == []
