"""/api/v1/callbacks as a sender meets it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from loop311.accounts.testing import a_city, a_secret, a_team, bearer
from loop311.callbacks.testing import a_callback
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
CALLBACKS = "/api/v1/callbacks"


@pytest.fixture
def city() -> Jurisdiction:
    return a_city()


@pytest.fixture
def secret(city: Jurisdiction) -> str:
    return a_secret(city)


def call(secret: str, method: str, url: str, body: object = None, status: int = 200) -> Any:
    raw = json.dumps(body) if body is not None else ""
    response = Client().generic(method, url, raw, content_type="application/json", headers=bearer(secret))
    assert response.status_code == status, response.content
    return json.loads(response.content)


def test_a_call_back_is_promised_tried_and_kept(city: Jurisdiction, secret: str) -> None:
    a_team(city)
    resident = a_resident(city, mobile="2145550123")
    body = {
        "resident": resident.pk,
        "window_start": "2199-01-01T09:00:00-06:00",
        "window_end": "2199-01-01T11:00:00-06:00",
        "team": "streets",
    }
    made = call(secret, "POST", CALLBACKS, body, 201)
    assert made["window_local"] == ["2199-01-01T09:00:00-06:00", "2199-01-01T11:00:00-06:00"]
    assert made["ways_left"] == ["call", "message", "letter", "visit"]
    url = f"{CALLBACKS}/{made['id']}"
    assert call(secret, "POST", f"{url}/attempts", {"outcome": "voicemail"}, 201)["state"] == "open"
    call(secret, "POST", f"{url}/fail", {}, 409)
    assert call(secret, "POST", f"{url}/attempts", {"outcome": "reached"}, 201)["state"] == "kept"
    assert [a["outcome"] for a in call(secret, "GET", url)["attempts"]] == ["voicemail", "reached"]
    call(secret, "POST", f"{url}/cancel", {"reason": "not_needed"}, 409)


def test_wrong_fields_are_named(city: Jurisdiction, secret: str) -> None:
    body = {"resident": "x", "window_start": "tomorrow", "window_end": "2199-01-01T11:00:00", "way": "pigeon"}
    problem = call(secret, "POST", CALLBACKS, body, 422)
    assert {e["field"] for e in problem["errors"]} == {"resident", "window_start", "window_end", "way"}


def test_the_list_is_narrowed_and_comes_in_windows(city: Jurisdiction, secret: str) -> None:
    at = now()
    late = a_callback(city, at=at - timedelta(hours=3))
    due = [a_callback(city, at=at - timedelta(minutes=m)) for m in (2, 3, 1)]
    assert [c["id"] for c in call(secret, "GET", f"{CALLBACKS}?when=late")["items"]] == [late.pk]
    first = call(secret, "GET", f"{CALLBACKS}?when=due&limit=2")
    second = call(secret, "GET", f"{CALLBACKS}?when=due&limit=2&after={first['next']}")
    wanted = [due[1].pk, due[0].pk, due[2].pk]
    assert [c["id"] for c in first["items"] + second["items"]] == wanted
    assert second["next"] is None
    assert call(secret, "GET", f"{CALLBACKS}?team=nowhere")["items"] == []
    call(secret, "GET", f"{CALLBACKS}?after=nonsense", status=422)
    call(secret, "GET", f"{CALLBACKS}?after=99999999999999999-1")


def test_the_list_takes_the_same_queries_whatever_its_length(
    city: Jurisdiction, secret: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(2):
        for _ in range(5):
            a_callback(city)
        with django_assert_num_queries(3):
            call(secret, "GET", CALLBACKS)
