"""The API's own manners: who may enter, what is read, and how a problem is told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from ninja.openapi.schema import OpenAPISchema, get_schema
from pytest_django import DjangoAssertNumQueries

from loop311.accounts import services
from loop311.accounts.models import StaffMember, Token
from loop311.accounts.testing import a_city, a_secret, bearer
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.site.api import api

pytestmark = pytest.mark.django_db
URL = "/api/v1/tokens"


@pytest.fixture
def secret() -> str:
    return a_secret(a_city())


def post(secret: str, body: object, url: str = URL, content_type: str = "application/json") -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return cast("HttpResponse", Client().post(url, raw, content_type=content_type, headers=bearer(secret)))


def problem(response: object, status: int) -> dict[str, Any]:
    assert isinstance(response, HttpResponse)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == status
    assert body["type"].startswith("http")
    assert {"title", "detail", "instance", "errors"} <= set(body)
    return body


def fields(body: dict[str, Any]) -> set[str]:
    return {error["field"] for error in body["errors"]}


def test_the_description_is_public_and_declares_the_problems_of_every_operation() -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert schema["paths"]
    for path in schema["paths"].values():
        for operation in path.values():
            assert {"401", "403", "404", "409", "422", "503"} <= set(operation["responses"])
            assert operation["security"] == [{"TokenAuth": []}]


def test_the_description_is_composed_once_and_not_sent_again_to_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Client().get("/api/v1/openapi.json")
    monkeypatch.setattr(api, "_compose", None)
    assert Client().get("/api/v1/openapi.json").content == first.content
    again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().post("/api/v1/openapi.json").status_code == 405


def test_without_a_token_the_answer_says_which_header_to_send() -> None:
    response = Client().get("/api/v1/me")
    assert "Authorization" in problem(response, 401)["detail"]
    assert response["WWW-Authenticate"] == 'Bearer realm="loop311"'


@pytest.mark.parametrize("header", ["Bearer l311_unknown", "Bearer ", "Bearer x", "Basic eDp5", "l311_", "Bearer \xff"])
def test_an_unknown_token_is_refused(header: str) -> None:
    response = Client().get("/api/v1/me", headers={"Authorization": header})
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_and_a_revoked_token_are_told_apart() -> None:
    city = a_city()
    made = now() - timedelta(days=2)
    _, old = services.create_token(
        city, "old", ["requests.read"], by=system(city.pk), expires_at=made + timedelta(days=1), at=made
    )
    token, gone = services.create_token(city, "gone", ["requests.read"], by=system(city.pk))
    services.revoke_token(token, by=system(city.pk))
    assert "expired" in problem(Client().get("/api/v1/me", headers=bearer(old)), 401)["detail"]
    response = Client().get("/api/v1/me", headers=bearer(gone))
    assert "revoked" in problem(response, 401)["detail"]
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_a_missing_scope_is_named() -> None:
    secret = a_secret(a_city(), ["requests.read"])
    assert "accounts.read" in problem(Client().get(URL, headers=bearer(secret)), 403)["detail"]


def test_a_token_made_over_the_api_works(secret: str) -> None:
    response = post(secret, {"name": "app", "scopes": ["requests.read"], "expires_at": "2199-01-01T00:00:00-06:00"})
    assert response.status_code == 201, response.content
    made = json.loads(response.content)
    assert made["expires_at"] == "2199-01-01T06:00:00Z"
    me = Client().get("/api/v1/me", headers=bearer(made["secret"])).json()
    assert me["scopes"] == ["requests.read"]


def test_wrong_and_missing_fields_are_named_as_they_were_sent(secret: str) -> None:
    body = problem(post(secret, {"scopes": ["requests.read", 7], "expires_at": "tomorrow", "nme": "x"}), 422)
    assert fields(body) == {"name", "scopes.1", "expires_at", "nme"}


@pytest.mark.parametrize("body", [[], 3, "x", None, True])
def test_a_body_that_is_no_object_is_refused(secret: str, body: object) -> None:
    assert fields(problem(post(secret, body), 422)) == {"body"}


def test_json_types_are_taken_at_their_word(secret: str) -> None:
    body = problem(post(secret, {"name": 5, "scopes": "requests.read", "staff": "1"}), 422)
    assert fields(body) == {"name", "scopes", "staff"}


@pytest.mark.parametrize(
    "raw",
    [b'{"name": "x"', b"{", b"nonsense", b'{"name": NaN}', b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_000],
)
def test_half_a_json_is_malformed(secret: str, raw: bytes) -> None:
    problem(post(secret, raw), 400)


def test_an_empty_body_is_missing(secret: str) -> None:
    problem(post(secret, b""), 422)


def test_another_kind_of_body_is_refused(secret: str) -> None:
    problem(post(secret, b"name=x", content_type="application/x-www-form-urlencoded"), 415)
    problem(post(secret, {"name": "x"}, content_type="text/plain"), 415)


def test_ten_megabytes_are_too_large_and_one_and_a_half_too(secret: str) -> None:
    problem(post(secret, {"name": "x" * 10_000_000}), 413)
    problem(post(secret, {"name": "x" * 1_500_000}), 413)


def test_a_nul_character_is_refused_where_it_stands(secret: str) -> None:
    body = problem(post(secret, {"name": "a\x00b", "scopes": ["requests.read", "\x00"], "k\x00": 1}), 422)
    assert fields(body) == {"name", "scopes.1", "k\\u0000"}
    assert Token.objects.count() == 1


def test_a_nul_character_in_the_address_or_the_query_is_refused(secret: str) -> None:
    problem(Client().get("/api/v1/staff/%00", headers=bearer(secret)), 404)
    body = problem(Client().get("/api/v1/staff?after=%00", headers=bearer(secret)), 422)
    assert fields(body) == {"after"}


def test_endless_nesting_is_refused(secret: str) -> None:
    problem(post(secret, b'{"name": ' + b"[" * 60 + b"]" * 60 + b"}"), 422)


def test_an_endless_number_is_refused(secret: str) -> None:
    response = post(secret, b'{"name": "x", "scopes": ["requests.read"], "staff": ' + b"9" * 5000 + b"}")
    assert response.status_code in (400, 422)
    assert post(secret, b'{"name": 1e999, "scopes": []}').status_code in (400, 422)
    problem(Client().get(f"/api/v1/staff/{2**63}", headers=bearer(secret)), 422)


def test_an_unknown_address_and_a_wrong_method_are_problems_too(secret: str) -> None:
    problem(Client().get("/api/v1/nowhere", headers=bearer(secret)), 404)
    problem(Client().get("/api/v1/", headers=bearer(secret)), 404)
    response = Client().put(URL, headers=bearer(secret))
    problem(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


def test_a_database_that_is_away_asks_to_try_again(secret: str) -> None:
    with patch.object(services, "open_token", side_effect=OperationalError("server at 10.1.1.1 is gone")):
        response = Client().get("/api/v1/me", headers=bearer(secret))
    body = problem(response, 503)
    assert int(response["Retry-After"]) > 0
    assert "10.1.1.1" not in json.dumps(body)


def test_our_own_mistake_shows_no_internals(secret: str) -> None:
    with patch.object(services, "get_staff", side_effect=RuntimeError("secret internals")):
        body = problem(Client().get("/api/v1/staff/1", headers=bearer(secret)), 500)
    assert "internals" not in json.dumps(body)
    assert "request_id" in body


def test_every_kind_of_problem_is_explained_where_its_type_points(secret: str) -> None:
    body = problem(Client().get("/api/v1/staff/1000000", headers=bearer(secret)), 404)
    path = body["type"][body["type"].index("/api/") :]
    assert Client().get(path).json() == {"code": "not-found", "title": body["title"], "status": 404}
    problem(Client().get("/api/v1/problems/unheard-of"), 404)


def test_a_list_takes_the_same_queries_whatever_its_length(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    city = a_city()
    secret = a_secret(city)
    client = Client()
    for wanted in (1, 30):
        for number in range(wanted):
            services.create_staff(
                city, f"p{wanted}-{number}@example.org", name="Crew", roles=["team_member"], by=system(city.pk)
            )
        with django_assert_num_queries(3):
            client.get("/api/v1/staff", headers=bearer(secret))


def test_a_long_list_comes_in_windows() -> None:
    city = a_city()
    secret = a_secret(city)
    for number in range(5):
        services.create_staff(city, f"p{number}@example.org", name="Crew", roles=["team_member"], by=system(city.pk))
    seen, after = [], ""
    for _ in range(3):
        page = Client().get(f"/api/v1/staff?limit=2{after}", headers=bearer(secret)).json()
        seen += [row["id"] for row in page["items"]]
        after = f"&after={page['next']}"
    assert page["next"] is None
    assert seen == list(StaffMember.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("query", ["limit=1&limit=10", "limit=%20&limit=10", "text=a&text=b"])
def test_a_parameter_given_twice_is_refused_because_only_one_would_be_read(secret: str, query: str) -> None:
    wanted = query if "text" in query else f"text=elm&{query}"
    body = problem(Client().get(f"/api/v1/places/search?{wanted}", headers=bearer(secret)), 422)
    assert fields(body) == {query.partition("=")[0]}


def test_a_list_may_be_given_by_repeating_its_parameter(secret: str) -> None:
    assert Client().get("/api/v1/requests?state=done&state=closed", headers=bearer(secret)).status_code == 200


def test_a_wrong_value_in_a_list_of_parameters_is_named_as_it_was_sent(secret: str) -> None:
    answer = Client().get("/api/v1/requests?state=gone&limit=0", headers=bearer(secret))
    assert fields(problem(answer, 422)) == {"state", "limit"}


def test_a_misspelt_parameter_is_refused_and_not_ignored(secret: str) -> None:
    body = problem(Client().get("/api/v1/staff?limt=5", headers=bearer(secret)), 422)
    assert fields(body) == {"limt"}
    problem(Client().get("/api/v1/staff/1?limit=5", headers=bearer(secret)), 422)
    problem(Client().get("/api/v1/staff?limt=5"), 401)


def test_no_two_shapes_of_the_description_have_the_same_name() -> None:
    """django-ninja keeps one definition for each name: a second shape of that name would silently replace the first."""
    seen: dict[str, set[str]] = {}

    def add(_: object, definitions: dict[str, Any]) -> None:
        for name, shape in definitions.items():
            seen.setdefault(name, set()).add(json.dumps(shape, sort_keys=True))

    with patch.object(OpenAPISchema, "add_schema_definitions", add):
        get_schema(api, "api/v1/")
    assert [name for name, shapes in seen.items() if len(shapes) > 1] == []
    assert "CallbackState" in seen


def test_every_answer_tells_its_length() -> None:
    headers = bearer(a_secret(a_city(), ["accounts.read"]))
    for answer in (Client().get("/api/v1/me"), Client().get("/api/v1/me", headers=headers), Client().get("/api/v1/no")):
        assert answer.headers["Content-Length"] == str(len(answer.content))
