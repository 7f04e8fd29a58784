"""The catalogue over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from loop311.accounts.testing import a_city, a_secret, bearer
from loop311.catalog.definitions import Catalogue
from loop311.catalog.files import plain_values
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import publish
from loop311.catalog.testing import edited, small_catalogue
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    city = a_city()
    publish(city, small_catalogue(), by=system(city.pk), note="first")
    return city


def get(city: Jurisdiction, path: str, status: int = 200, scope: str = "catalog.read") -> Any:
    response = Client().get(f"/api/v1/{path}", headers=bearer(a_secret(city, [scope])))
    assert response.status_code == status, response.content
    return response.json()


def post(city: Jurisdiction, path: str, body: object, status: int, scope: str = "catalog.publish") -> Any:
    headers = bearer(a_secret(city, [scope]))
    response = Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
    assert response.status_code == status, response.content
    return response.json()


def document(catalogue: Catalogue | None = None) -> dict[str, Any]:
    return {"document": plain_values(catalogue or small_catalogue())}


def test_the_services_in_force_are_listed_in_the_language_asked_for(city: Jurisdiction) -> None:
    assert [row["name"] for row in get(city, "services")] == ["Pothole", "Loose dog", "Bulk pickup"]
    spanish = get(city, "services?language=es")
    assert (spanish[0]["name"], spanish[0]["keywords"]) == ("Bache", ["bache"])
    assert get(city, "services?language=vi")[0]["name"] == "Pothole"


def test_a_historical_service_is_not_offered(city: Jurisdiction) -> None:
    old = edited(small_catalogue(), "services.pothole", historical=True)
    publish(city, old, by=system(city.pk))
    assert len(get(city, "services")) == 2
    get(city, "services/pothole", 404)


def test_a_service_comes_with_its_questions_and_outcomes(city: Jurisdiction) -> None:
    found = get(city, "services/pothole?language=es")
    assert [question["code"] for question in found["questions"]] == ["size", "depth"]
    assert found["questions"][1]["when"] == [{"question": "size", "equals": "large"}]
    assert [choice["code"] for choice in found["questions"][0]["choices"]] == ["small", "large"]
    assert [outcome["ending"] for outcome in found["outcomes"]] == ["done", "declined"]
    assert (found["stop_reasons"], found["version"]) == (["weather"], 1)
    danger = get(city, "services/dog_loose")["questions"][0]
    assert danger["safety"]
    assert danger["choices"][0]["advice"] == "Please call 911 now."


def test_an_unknown_service_and_version_are_not_found(city: Jurisdiction) -> None:
    get(city, "services/nothing", 404)
    get(city, "catalogue/versions/2", 404)


def test_a_city_without_a_catalogue_says_so() -> None:
    assert "catalog load" in get(a_city(), "services", 404)["detail"]


def test_another_citys_version_is_not_found(city: Jurisdiction) -> None:
    publish(city, edited(small_catalogue(), "services.pothole", dispute_days=3), by=system(city.pk))
    other = a_city()
    publish(other, small_catalogue(), by=system(other.pk))
    get(other, "catalogue/versions/2", 404)
    assert [row["number"] for row in get(other, "catalogue/versions")["items"]] == [1]


def test_versions_are_listed_in_windows_newest_first(
    city: Jurisdiction, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(1, 5):
        publish(city, edited(small_catalogue(), "services.pothole", dispute_days=days), by=system(city.pk))
    first = get(city, "catalogue/versions?limit=3")
    assert ([row["number"] for row in first["items"]], first["next"], first["in_force"]) == ([5, 4, 3], 3, 5)
    headers = bearer(a_secret(city, ["catalog.read"]))
    with django_assert_num_queries(3):  # the token, the versions, the one in force
        last = Client().get("/api/v1/catalogue/versions?limit=3&after=3", headers=headers).json()
    assert ([row["number"] for row in last["items"]], last["next"]) == ([2, 1], None)
    assert last["items"][-1]["note"] == "first"


def test_the_services_cost_the_same_whatever_their_number(
    city: Jurisdiction, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    headers = bearer(a_secret(city, ["catalog.read"]))
    Client().get("/api/v1/services", headers=headers)
    with django_assert_num_queries(2):  # the token, the version in force
        Client().get("/api/v1/services", headers=headers)


def test_a_version_is_read_and_published_again_as_it_is(city: Jurisdiction) -> None:
    found = get(city, "catalogue/versions/1")
    assert found["document"] == plain_values(small_catalogue())
    again = post(city, "catalogue/versions", {"document": found["document"]}, 200)
    assert again["number"] == 1


def test_a_catalogue_is_published(city: Jurisdiction) -> None:
    changed = document(edited(small_catalogue(), "services.pothole", dispute_days=3))
    made = post(city, "catalogue/versions", {**changed, "effective_at": "2090-01-01T00:00:00Z", "note": "later"}, 201)
    assert (made["number"], made["effective_at"], made["note"]) == (2, "2090-01-01T00:00:00Z", "later")
    assert get(city, "catalogue/versions")["in_force"] == 1


def test_a_document_is_checked_and_not_stored(city: Jurisdiction) -> None:
    assert post(city, "catalogue/check", document(), 200) == {"services": 3, "findings": []}
    wrong = document(edited(small_catalogue(), "services.pothole", promise="nothing"))
    (finding,) = post(city, "catalogue/check", wrong, 200)["findings"]
    assert (finding["level"], finding["path"]) == ("error", "services.pothole.promise")
    assert CatalogueVersion.objects.count() == 1


def test_mistakes_stop_a_publication_and_are_named(city: Jurisdiction) -> None:
    wrong = document(edited(small_catalogue(), "services.pothole", promise="nothing"))
    problem = post(city, "catalogue/versions", wrong, 422)
    assert [error["field"] for error in problem["errors"]] == ["document.services.pothole.promise"]
    assert CatalogueVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"services": 3}, "document.services"),
        ({"nothing": []}, "document.nothing"),
        ({}, "document.languages"),
        ({"services": [{"code": "a", "owner": 5}]}, "document.services.a.owner"),
        ({"services": [None]}, "document.services[1]"),
        ({"languages": ["en", 5]}, "document.languages[2]"),
    ],
)
def test_a_document_of_another_shape_is_refused_by_its_field(city: Jurisdiction, wrong: object, field: str) -> None:
    problem = post(city, "catalogue/check", {"document": wrong}, 422)
    assert field in [error["field"] for error in problem["errors"]]


def test_reading_does_not_allow_publishing(city: Jurisdiction) -> None:
    post(city, "catalogue/versions", document(), 403, scope="catalog.read")
    post(city, "catalogue/check", document(), 403, scope="catalog.read")
    get(city, "services", 403, scope="requests.read")


def test_services_are_searched_by_a_residents_words_best_first(city: Jurisdiction) -> None:
    assert [row["code"] for row in get(city, "services?q=un+bache+grande")] == ["pothole"]
    assert [row["code"] for row in get(city, "services?q=lose+dog")] == ["dog_loose"]
    assert get(city, "services?q=elephant") == []
    assert len(get(city, "services?q=")) == 3
    get(city, f"services?q={'a' * 2001}", 422)
