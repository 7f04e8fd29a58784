"""/api/v1/residents as a sender meets it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from loop311.accounts.testing import a_city, a_secret, bearer

pytestmark = pytest.mark.django_db
RESIDENTS = "/api/v1/residents"


class Caller:
    """A client with a token."""

    def __init__(self, secret: str) -> None:
        self.headers = bearer(secret)

    def __call__(self, method: str, url: str, body: object = None, status: int = 200) -> Any:
        raw = json.dumps(body) if body is not None else ""
        response = Client().generic(method, url, raw, content_type="application/json", headers=self.headers)
        assert response.status_code == status, response.content
        return json.loads(response.content) if response.content else None


@pytest.fixture
def call() -> Caller:
    return Caller(a_secret(a_city()))


def new(call: Caller, **fields: object) -> Any:
    return call("POST", RESIDENTS, {"name": "Ana Lopez", **fields}, 201)


def test_a_resident_is_written_down_read_and_found(call: Caller) -> None:
    points = [{"kind": "mobile", "address": "(214) 555-0123"}, {"kind": "email", "address": "Ana@Example.org"}]
    made = new(call, language="es", contact_points=points)
    assert [p["address"] for p in made["contact_points"]] == ["+12145550123", "ana@example.org"]
    assert call("GET", f"{RESIDENTS}/{made['id']}") == made
    assert [r["id"] for r in call("GET", f"{RESIDENTS}?q=%2B1+214+555+0123")["items"]] == [made["id"]]


def test_wrong_fields_are_named(call: Caller) -> None:
    body = {"name": 5, "kind": "dog", "contact_points": [{"kind": "email"}], "colour": "red"}
    problem = call("POST", RESIDENTS, body, 422)
    assert {e["field"] for e in problem["errors"]} == {"name", "kind", "contact_points.0.address", "colour"}
    problem = call("POST", RESIDENTS, {"contact_points": [{"kind": "email", "address": "x"}]}, 422)
    assert [e["field"] for e in problem["errors"]] == ["contact_points.0.address"]


def test_a_stale_change_gets_a_conflict_with_the_newest_version(call: Caller) -> None:
    made = new(call)
    url = f"{RESIDENTS}/{made['id']}"
    assert call("PATCH", url, {"version": 1, "name": "Ana L"})["version"] == 2
    assert call("PATCH", url, {"version": 1, "name": "Anna"}, 409)["version"] == 2
    assert call("GET", url)["name"] == "Ana L"


def test_contact_points_and_consent(call: Caller) -> None:
    url = f"{RESIDENTS}/{new(call)['id']}"
    point = call("POST", f"{url}/contact-points", {"kind": "email", "address": "a@example.org"}, 201)
    assert call("POST", f"{url}/contact-points/{point['id']}/unsubscribe")["is_unsubscribed"]
    assert not call("POST", f"{url}/contact-points/{point['id']}/resubscribe")["is_unsubscribed"]
    call("DELETE", f"{url}/contact-points/{point['id']}", status=204)
    assert call("GET", url)["contact_points"] == []
    assert call("PUT", f"{url}/consents/surveys", {"given": True, "how": "web-1"}) == {"surveys": True}
    call("PUT", f"{url}/consents/Not a code", {"given": True, "how": "web-1"}, 422)


def test_merging_previewing_and_undoing(call: Caller) -> None:
    kept, gone = new(call), new(call, name="Anna Lopez")
    url = f"{RESIDENTS}/{kept['id']}"
    assert call("GET", f"{url}/merge-preview/{gone['id']}")["differences"] == ["name"]
    assert call("POST", f"{url}/merge", {"gone": gone["id"]})["identities"] == [kept["id"], gone["id"]]
    call("POST", f"{url}/merge", {"gone": gone["id"]}, 409)
    assert call("GET", f"{RESIDENTS}/{gone['id']}")["merged_into"] == kept["id"]
    assert call("POST", f"{RESIDENTS}/{gone['id']}/undo-merge")["merged_into"] is None


def test_erasing_leaves_an_empty_shell(call: Caller) -> None:
    url = f"{RESIDENTS}/{new(call, contact_points=[{'kind': 'email', 'address': 'a@example.org'}])['id']}"
    call("DELETE", url, status=204)
    shell = call("GET", url)
    assert (shell["name"], shell["contact_points"]) == ("", [])
    assert shell["erased_at"]
    call("DELETE", url, status=409)
