from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from loop311.interactions.models import Interaction
from loop311.kit.problems import Forbidden, Invalid
from loop311.kit.testing import at_once
from loop311.ledger.models import Event
from loop311.requests.models import Promise, Request
from loop311.requests.testing import MONDAY, City, make_city


def test_filing_gives_a_number_a_team_a_promise_and_an_interaction(city: City) -> None:
    request = city.file()
    assert request.number == "26-00000001"
    assert request.team.code == "north"
    assert request.state == "received"
    # Three business days after Monday: Thursday 17:00 in Chicago.
    assert request.due_at == datetime(2026, 3, 5, 23, 0, tzinfo=UTC)
    assert Interaction.objects.get(pk=request.interaction_id).channel == "phone"
    assert set(Promise.objects.values_list("step", "sequence")) == {("first_response", 1), ("resolution", 1)}
    assert Event.objects.filter(subject_type="request", subject_id=request.pk).values_list("kind", flat=True).get() == (
        "request.filed"
    )


def test_numbers_follow_the_citys_own_year(city: City) -> None:
    late_on_new_years_eve = datetime(2027, 1, 1, 3, 0, tzinfo=UTC)  # still 2026 in Chicago
    assert city.file(at=late_on_new_years_eve).number == "26-00000001"
    assert city.file(at=late_on_new_years_eve + timedelta(hours=4)).number == "27-00000001"


def test_two_cities_count_for_themselves(city: City) -> None:
    city.file()
    assert make_city("oakton").file().number == "26-00000001"


def test_an_emergency_is_promised_by_the_clock(city: City) -> None:
    request = city.file(answers={"danger": "yes"})
    assert request.priority == "emergency"
    assert request.due_at == MONDAY + timedelta(hours=2)


def test_a_rule_may_hand_over_at_once_without_losing_number_or_clock(city: City) -> None:
    request = city.file(answers={"danger": "no", "depth": 55})
    assert (request.state, request.handed_to, request.team.code) == ("handed_over", "state-roads", "north")
    assert request.due_at is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_code": "no-such"}, "service_code"),
        ({"answers": {}}, "answers.danger"),
        ({"answers": {"danger": "no", "depth": "deep"}}, "answers.depth"),
        ({"answers": {"danger": "no", "colour": "red"}}, "answers.colour"),
        ({"address": ""}, "address"),
        ({"description": "a\x00b"}, "description"),
        ({"description": "x" * 20_001}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"latitude": float("nan"), "longitude": 0.0}, "latitude"),
        ({"latitude": 41.0}, "longitude"),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(city: City, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        city.file(key="k", **changes)
    assert field in {fault.field for fault in caught.value.fields}
    assert not Request.objects.exists()
    assert not Interaction.objects.exists()


def test_who_may_not_file_cannot(city: City) -> None:
    city.concierge = city.auditor
    with pytest.raises(Forbidden):
        city.file()


def test_the_same_key_gives_the_same_request(city: City) -> None:
    assert city.file(key="a").pk == city.file(key="a").pk
    assert city.file(key="b").pk != city.file(key="a").pk


def test_the_same_key_with_another_content_is_refused(city: City) -> None:
    city.file(key="a")
    with pytest.raises(Invalid, match="used before"):
        city.file(key="a", description="another")


def test_a_rollback_leaves_nothing(city: City) -> None:
    sid = transaction.savepoint()
    city.file(key="a")
    transaction.savepoint_rollback(sid)
    assert not Request.objects.exists()
    assert not Event.objects.filter(kind="request.filed").exists()


def test_the_ledger_holds_no_word_the_resident_said(city: City) -> None:
    request = city.file(description="My neighbour Bob", address="77 Secret Lane")
    bodies = " ".join(Event.objects.filter(subject_id=request.pk).values_list("body", flat=True))
    assert "Bob" not in bodies
    assert "Secret" not in bodies


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_hundred_filings_with_one_key_make_one_request() -> None:
    city = make_city()
    numbers = at_once([lambda: [city.file(key="same").number for _ in range(10)]] * 20)
    assert numbers == [["26-00000001"] * 10] * 20
    assert Request.objects.count() == 1
    assert Interaction.objects.count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_hundred_filings_with_different_keys_lose_none_and_repeat_no_number() -> None:
    city = make_city()

    def ten(desk: int) -> list[str]:
        return [city.file(key=f"desk-{desk}-{n}").number for n in range(10)]

    answers = at_once([partial(ten, desk) for desk in range(20)])
    numbers = [number for answer in answers if isinstance(answer, list) for number in answer]
    assert sorted(numbers) == [f"26-{n:08d}" for n in range(1, 201)]
    assert Event.objects.filter(kind="request.filed").count() == 200
