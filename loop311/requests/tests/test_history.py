"""How long it usually takes: open ones count, a small sample widens to the city and then to nothing, old counts are not said."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.test import Client

from loop311.accounts.testing import a_secret, bearer
from loop311.kit.clock import now
from loop311.kit.testing import same_number_of_queries
from loop311.places.services import load_boundaries
from loop311.places.testing import squares
from loop311.requests import services
from loop311.requests.commands import history_group
from loop311.requests.history import UNKNOWN, Basis, Range, honest_range, sentence, spoken_length
from loop311.requests.models import UsualTime
from loop311.requests.services import counting
from loop311.requests.tasks import count_all_usual_times, count_usual_times_of
from loop311.requests.testing import MONDAY, City, make_city

LATER = MONDAY + timedelta(days=30)
WEST, EAST = -96.95, -96.85


@pytest.fixture(autouse=True)
def _four_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ENOUGH", 4)


@pytest.fixture
def past(city: City) -> City:
    """In the west four done after 1, 2, 3 and 4 days and one open; in the east one done after ten."""
    load_boundaries(city.jurisdiction, "district", squares(2), by=city.system)
    load_boundaries(city.jurisdiction, "limits", squares(1, side=0.2), by=city.system, is_boundary=True)
    for days in (1, 2, 3, 4):
        done_after(city, days, WEST)
    city.file(latitude=32.05, longitude=WEST)
    done_after(city, 10, EAST)
    services.count_usual_times(city.jurisdiction.pk, at=LATER)
    return city


def done_after(city: City, days: int, longitude: float) -> None:
    city.done(city.file(latitude=32.05, longitude=longitude), at=MONDAY + timedelta(days=days))


def test_in_an_area_with_enough_it_is_the_areas_own_and_open_ones_count(past: City) -> None:
    found = honest_range(past.jurisdiction.pk, "pothole", {"district": "1"}, LATER)
    assert (found.basis, found.area, found.sample) == (Basis.AREA, "1", 5)
    assert found.median == timedelta(days=3), "of five, one is still open: half are done within three days, not two"
    assert found.p90 is None
    assert found.longest == timedelta(days=30)


def test_a_small_sample_widens_to_the_city_and_then_to_nothing(past: City) -> None:
    city = past.jurisdiction.pk
    assert honest_range(city, "pothole", {"district": "2"}, LATER).basis is Basis.CITY
    assert honest_range(city, "pothole", {}, LATER).sample == 6
    assert honest_range(city, "sign", {"district": "1"}, LATER) == UNKNOWN
    assert honest_range(make_city("other").jurisdiction.pk, "pothole", {"district": "1"}, LATER) == UNKNOWN


def test_of_two_areas_the_smaller_sample_that_is_enough_is_the_nearer_one(past: City) -> None:
    row = UsualTime.objects.get(layer="district")
    UsualTime.objects.create(
        jurisdiction=past.jurisdiction, service_id=row.service_id, layer="service_area", area="north", sample=90,
        done=80, median_hours=1, p90_hours=2, longest_hours=3, counted_at=LATER,
    )  # fmt: skip
    found = honest_range(past.jurisdiction.pk, "pothole", {"district": "1", "service_area": "north"}, LATER)
    assert found.layer == "district"


def test_what_was_counted_long_ago_is_not_said(past: City) -> None:
    late = LATER + timedelta(days=15)
    assert honest_range(past.jurisdiction.pk, "pothole", {"district": "1"}, late) == UNKNOWN


def test_a_count_takes_the_place_of_the_one_before_and_looks_at_half_a_year(past: City) -> None:
    assert services.count_usual_times(past.jurisdiction.pk, at=LATER) == 2
    assert UsualTime.objects.count() == 2
    assert services.count_usual_times(past.jurisdiction.pk, at=LATER + timedelta(days=200)) == 0
    assert not UsualTime.objects.exists()


def test_joined_ones_count_once_and_declined_ones_were_never_done(past: City) -> None:
    leading = past.file(latitude=32.05, longitude=WEST)
    past.file(latitude=32.05, longitude=WEST, leading=leading)
    services.decline(past.file(latitude=32.05, longitude=WEST), outcome="not-ours", by=past.system, at=MONDAY)
    services.count_usual_times(past.jurisdiction.pk, at=LATER)
    found = UsualTime.objects.get(layer="district", area="1")
    assert (found.sample, found.done) == (7, 4)


def test_looking_it_up_is_one_query_however_many_areas(past: City) -> None:
    areas = {"district": "1", **{f"layer{i}": "x" for i in range(20)}}
    assert same_number_of_queries(
        lambda: honest_range(past.jurisdiction.pk, "pothole", areas, LATER), lambda: done_after(past, 5, WEST)
    ) == 1  # fmt: skip


# --- Said --------------------------------------------------------------------------------------------------------------


def days(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)


@pytest.mark.parametrize(
    ("median", "p90", "says"),
    [
        (2, 6, "Lately, in District 1, half of these are done within 2 days, nine of ten within 6 days."),
        (0.5, 1.5, "Lately, in District 1, half of these are done within 12 hours, nine of ten within 36 hours."),
        (2, 2, "Lately, in District 1, nine of ten of these are done within 2 days."),
        (2, None, "half of these are done within 2 days; more than one in ten have not been done even after 30 days."),
        (None, None, "fewer than half of these have been done, some not even after 30 days."),
    ],
)
def test_the_sentence_says_what_is_known_and_no_more(median: float | None, p90: float | None, says: str) -> None:
    found = Range(days(median), days(p90), 50, Basis.AREA, timedelta(days=30), "district", "1")
    assert sentence(found, "en", "District 1").endswith(says)
    assert sentence(found, "es", "Distrito 1").startswith("Últimamente, en Distrito 1, ")


def test_without_enough_the_sentence_says_so_in_each_language() -> None:
    assert "too few" in sentence(UNKNOWN, "en")
    assert "muy pocas" in sentence(UNKNOWN, "es-MX")
    assert "the whole city" in sentence(Range(days(1), days(2), 9, Basis.CITY), "en")


def test_lengths_are_said_as_people_do() -> None:
    assert [spoken_length(timedelta(hours=h), "en") for h in (0.2, 5, 47, 48, 49)] == [
        "an hour", "5 hours", "47 hours", "2 days", "3 days",
    ]  # fmt: skip


# --- Doors -------------------------------------------------------------------------------------------------------------


def test_the_api_and_the_command(past: City) -> None:
    UsualTime.objects.update(counted_at=now())
    ask = "/api/v1/requests/usual-time?service=pothole"
    headers = bearer(a_secret(past.jurisdiction))
    here = Client().get(f"{ask}&latitude=32.05&longitude={WEST}", headers=headers).json()
    assert (here["basis"], here["median_hours"], here["p90_hours"], here["sample"]) == ("area", 72, None, 5)
    assert "in 1, half" in here["sentences"]["en"]
    assert Client().get(ask, headers=headers).json()["basis"] == "city"
    counted = CliRunner().invoke(history_group, ["count", "elmville", "--json"])
    assert json.loads(counted.output) == {"counted": 0}, "by today's clock all this is long past"


@pytest.mark.django_db
def test_the_clock_has_every_city_counted(past: City) -> None:
    count_all_usual_times(0)
    count_usual_times_of(past.jurisdiction.pk)
    assert not UsualTime.objects.exists()
