from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from loop311.accounts.policies import PERMISSIONS
from loop311.accounts.testing import a_secret, bearer
from loop311.kit.testing import same_number_of_queries
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city


class Caller:
    """A client with a token of one city."""

    def __init__(self, city: City, scopes: list[str] | None = None) -> None:
        self.client = Client(headers=bearer(a_secret(city.jurisdiction, scopes or list(PERMISSIONS))))

    def get(self, path: str) -> tuple[int, Any]:
        answer = self.client.get(f"/api/v1{path}")
        return answer.status_code, answer.json()

    def post(self, path: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
        answer = self.client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    def file(self, **headers: str) -> str:
        status, body = self.post("/requests", FILING, **headers)
        assert status == 201, body
        return str(body["number"])


FILING = {"service_code": "pothole", "answers": {"danger": "no"}, "address": "1 Elm St", "description": "Deep."}


@pytest.fixture
def caller(city: City) -> Caller:
    return Caller(city)


def test_a_request_goes_all_the_way_round(caller: Caller) -> None:
    number = caller.file()
    for verb, body in (
        ("assign", {}),
        ("start", {"version": 2}),
        ("evidence", {"kind": "photo", "reference": "a.jpg", "sha256": "0" * 64}),
        ("resolve", {"outcome": "filled"}),
        ("confirm", {}),
    ):
        status, answer = caller.post(f"/requests/{number}/{verb}", body)
        assert status in (200, 201), answer
    status, answer = caller.get(f"/requests/{number}")
    assert (answer["state"], answer["public_sentence"]) == ("closed", "Closed: The work was done.")
    assert answer["possible"] == ["comment"]
    _, history = caller.get(f"/requests/{number}/history")
    assert [e["kind"] for e in history][:3] == ["request.filed", "request.assigned", "request.started"]


def test_the_resident_is_spoken_to_in_spanish(caller: Caller) -> None:
    _, answer = caller.get(f"/requests/{caller.file()}?language=es")
    assert answer["public_sentence"] == "Tenemos su solicitud."


def test_the_same_key_is_the_same_request(caller: Caller) -> None:
    assert caller.file(**{"Idempotency-Key": "k"}) == caller.file(**{"Idempotency-Key": "k"})
    assert caller.file() != caller.file()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"answers": {}}, "answers.danger"),
        ({"service_code": "nope"}, "service_code"),
        ({"latitude": "north"}, "latitude"),
        ({"descripton": "misspelt"}, "descripton"),
        ({"description": "a\x00b"}, "description"),
        ({"resident_id": 999_999}, "resident_id"),
    ],
)
def test_what_must_be_mended_is_named(caller: Caller, change: dict[str, Any], field: str) -> None:
    status, problem = caller.post("/requests", {**FILING, **change})
    assert status == 422
    assert field in {error["field"] for error in problem["errors"]}
    assert not Request.objects.exists()


def test_words_on_a_joined_report_are_read_on_the_leading_one_by_whoever_may_read_requests(
    city: City, caller: Caller
) -> None:
    leading, follower = caller.file(), caller.file()
    caller.post(f"/requests/{follower}/join", {"leading": leading})
    caller.post(f"/requests/{follower}/comments", {"text": "It is getting larger"})
    _, words = caller.get(f"/requests/{leading}/comments")
    assert [(word["number"], word["text"]) for word in words] == [(follower, "It is getting larger")]
    assert Caller(city, ["requests.file"]).get(f"/requests/{leading}/comments")[0] == 403


def test_half_a_json_stores_nothing(caller: Caller) -> None:
    answer = caller.client.post("/api/v1/requests", '{"service_code": "pot', content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_stale_version_is_a_conflict_that_tells_the_present_one(caller: Caller) -> None:
    number = caller.file()
    caller.post(f"/requests/{number}/start", {})
    status, problem = caller.post(f"/requests/{number}/assign", {"version": 1})
    assert status == 409
    assert "changed meanwhile" in problem["detail"]


def test_another_citys_number_is_not_found(city: City) -> None:
    number = Caller(city).file()
    other = Caller(make_city("oakton"))
    assert other.get(f"/requests/{number}")[0] == 404
    assert other.post(f"/requests/{number}/start", {})[0] == 404


def test_a_token_without_the_scope_is_refused(city: City) -> None:
    assert Caller(city, ["requests.read"]).post("/requests", FILING)[0] == 403


def test_the_list_pages_without_gaps_and_filters(city: City, caller: Caller) -> None:
    numbers = [city.file().number for _ in range(5)]
    status, first = caller.get("/requests?limit=2&team=north&state=received")
    assert status == 200
    _, second = caller.get(f"/requests?limit=3&team=north&cursor={first['next']}")
    assert [r["number"] for r in first["requests"] + second["requests"]] == numbers[::-1]
    assert caller.get("/requests?state=closed")[1]["requests"] == []
    assert caller.get("/requests?q=1%20elm")[1]["requests"][0]["address"] == "1 Elm St"
    assert caller.get("/requests?cursor=rubbish")[0] == 422
    assert caller.get("/requests?team=nobody")[0] == 422


def test_the_list_takes_the_same_queries_whatever_its_length(city: City, caller: Caller) -> None:
    city.file()
    same_number_of_queries(lambda: caller.get("/requests"), lambda: [city.file() for _ in range(5)])


def test_open_requests_nearby_are_found_nearest_first(city: City, caller: Caller) -> None:
    for latitude in (41.0001, 41.0002, 41.01):
        city.file(latitude=latitude, longitude=-87.0)
    _, found = caller.get("/requests/near?latitude=41&longitude=-87&radius_metres=50")
    assert [round(each["metres"]) for each in found] == [11, 22]


def test_a_request_is_restated_against_another_version(caller: Caller) -> None:
    number = caller.file()
    status, answer = caller.get(f"/requests/{number}/restated?catalogue_version=1")
    assert status == 200
    assert answer["due_at"] == answer["first_promise_due_at"]
    assert caller.get(f"/requests/{number}/restated?catalogue_version=9")[0] == 404
