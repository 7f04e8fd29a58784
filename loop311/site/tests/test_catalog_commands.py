"""`loop311 catalog`: exit code 0 only on success, one sentence on standard error, JSON where it reports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loop311.accounts.testing import a_city
from loop311.catalog.files import read, write_file
from loop311.catalog.models import CatalogueVersion, Service
from loop311.catalog.placeholders import EVENTS
from loop311.catalog.testing import edited, small_catalogue
from loop311.notifications.defaults import TEMPLATES
from loop311.site.cli import main

pytestmark = pytest.mark.django_db


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["catalog", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.yaml"
    path.write_text(write_file(small_catalogue()))
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text(write_file(edited(small_catalogue(), "services.pothole", promise="nothing")))
    return path


def test_a_good_file_is_checked(file: Path) -> None:
    checked = run("check", file)
    assert checked.exit_code == 0
    assert checked.stdout.endswith("3 services, no mistakes.\n")
    assert json.loads(run("check", file, "--json").stdout) == {"services": 3, "findings": []}


def test_a_template_can_be_for_every_event_that_residents_are_told_of() -> None:
    assert frozenset(TEMPLATES) == EVENTS


def test_the_starter_is_checked_and_loaded() -> None:
    a_city("starterville")
    assert run("check", "starter").exit_code == 0
    loaded = run("load", "starterville", "starter", "--json")
    assert loaded.exit_code == 0
    assert json.loads(loaded.stdout)["new"]
    assert Service.objects.count() > 70


def test_a_mistake_is_told_with_its_line_and_ends_with_1(broken: Path) -> None:
    checked = run("check", broken)
    assert checked.exit_code == 1
    line = next(n for n, text in enumerate(broken.read_text().splitlines(), 1) if "promise: nothing" in text)
    assert f"error: broken.yaml:{line} services.pothole.promise: There is no promise 'nothing'." in checked.stdout
    assert checked.stderr == f"Error: {broken} cannot be loaded: 1 mistake must be mended.\n"
    report = json.loads(run("check", broken, "--json").stdout)
    assert report["findings"][0]["where"] == f"broken.yaml:{line}"


def test_a_file_that_cannot_be_read_is_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("services: 3\nnothing: []\n")
    checked = run("check", path)
    assert checked.exit_code == 1
    assert checked.stderr.splitlines()[:2] == [
        "error: x.yaml:1 services: This must be a list.",
        "error: x.yaml:2 nothing: There is no such field; the fields are languages, departments, teams, calendars, groups, "
        "promises, stop_reasons, completion_rules, outcomes, outside_owners, services, templates.",
    ]
    assert "no file or folder" in run("check", tmp_path / "nowhere").stderr


def test_a_broken_file_is_not_loaded(broken: Path) -> None:
    a_city("testville")
    loaded = run("load", "testville", broken)
    assert loaded.exit_code == 1
    assert not CatalogueVersion.objects.exists()


def test_loading_twice_makes_one_version(file: Path) -> None:
    a_city("testville")
    assert run("load", "testville", file, "--note", "first").stdout.startswith("Version 1 of testville takes effect ")
    assert run("load", "testville", file).stdout == "Nothing has changed: version 1 of testville says the same.\n"
    assert CatalogueVersion.objects.get().note == "first"


def test_a_version_may_take_effect_later_in_the_citys_time(file: Path) -> None:
    a_city("testville")
    run("load", "testville", file)
    edited_file = file.with_name("later.yaml")
    edited_file.write_text(write_file(edited(small_catalogue(), "services.pothole", dispute_days=3)))
    loaded = run("load", "testville", edited_file, "--effective-at", "2090-01-01T08:00")
    assert loaded.stdout == "Version 2 of testville takes effect 2090-01-01 08:00 CST.\n"
    listed = json.loads(run("versions", "testville", "--json").stdout)
    assert [(row["number"], row["in_force"]) for row in listed] == [(2, False), (1, True)]
    assert "in force" in run("versions", "testville").stdout.splitlines()[1]
    assert "is not a time" in run("load", "testville", edited_file, "--effective-at", "soon").stderr
    past = run("load", "testville", file, "--effective-at", "2020-01-01T08:00")
    assert re.search(r"Version 1 is in force since [-\d]{10} \d\d:\d\d C[SD]T: choose a later time", past.stderr)


def test_a_time_that_the_clocks_skip_is_told_as_they_show_it(file: Path) -> None:
    a_city("testville")
    loaded = run("load", "testville", file, "--effective-at", "2090-03-12T02:30")
    assert loaded.stdout == "Version 1 of testville takes effect 2090-03-12 03:30 CDT.\n"


def test_what_was_loaded_comes_out_again(file: Path, tmp_path: Path) -> None:
    a_city("testville")
    run("load", "testville", file)
    assert run("export", "testville", tmp_path / "out").exit_code == 0
    assert run("export", "testville", tmp_path / "out.yaml", "--version", "1").exit_code == 0
    assert run("export", "testville", "-").stdout == file.read_text()
    assert read(tmp_path / "out").catalogue == read(tmp_path / "out.yaml").catalogue == small_catalogue()
    assert run("export", "testville", tmp_path / "out").exit_code == 1
    assert run("export", "testville", tmp_path / "out.yaml").exit_code == 1
    assert run("export", "testville", "-", "--version", "9").stderr == "Error: The catalogue has no version 9.\n"


def test_differences_are_told_against_a_city_and_against_a_file(file: Path) -> None:
    a_city("testville")
    run("load", "testville", file)
    other = file.with_name("other.yaml")
    other.write_text(write_file(edited(small_catalogue(), "services.pothole", dispute_days=3)))
    assert run("diff", "testville", other).stdout == "services.pothole.dispute_days: added: 3.\n"
    assert json.loads(run("diff", file, other, "--json").stdout)[0]["path"] == "services.pothole.dispute_days"
    assert run("diff", "testville", file).stdout == "Nothing differs.\n"


@pytest.mark.parametrize(
    "arguments", [("load", "nowhere", "starter"), ("export", "nowhere", "-"), ("versions", "nowhere")]
)
def test_an_unknown_city_is_told(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no city 'nowhere'")
