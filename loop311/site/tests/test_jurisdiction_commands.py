import json

import pytest
from click.testing import CliRunner, Result

from loop311.site.cli import main

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["jurisdiction", *arguments])


def test_a_city_is_created_with_working_defaults_and_listed() -> None:
    assert run("create", "san-rio").exit_code == 0
    listed = run("list", "--json")
    assert json.loads(listed.stdout) == [
        {
            "slug": "san-rio",
            "name": "San Rio",
            "time_zone": "America/Chicago",
            "languages": ["en"],
            "country": "US",
            "is_demo": False,
        }
    ]
    assert run("list").stdout.split() == ["san-rio", "San", "Rio", "America/Chicago"]


def test_a_second_city_of_the_same_slug_is_refused_in_one_sentence() -> None:
    run("create", "twice")
    again = run("create", "twice")
    assert again.exit_code == 1
    assert again.stderr == "Error: There is a city 'twice' already.\n"
    assert again.stdout == ""


def test_a_city_may_be_in_another_country_and_an_unknown_one_is_refused() -> None:
    assert "GB, Europe/London" in run("create", "camden", "--time-zone", "Europe/London", "--country", "gb").stdout
    refused = run("create", "atlantis", "--country", "Atlantis")
    assert refused.exit_code == 1
    assert "use two letters such as US" in refused.stderr


def test_an_unknown_time_zone_is_refused_with_an_example() -> None:
    refused = run("create", "lost", "--time-zone", "Mars/Olympus")
    assert refused.exit_code == 1
    assert "America/Chicago" in refused.stderr
