"""Places over the API."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from loop311.accounts.testing import a_city, a_secret, bearer
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    city = a_city()
    load_boundaries(city, "district", squares(2), by=system(city.pk), is_boundary=True)
    load_boundaries(city, "district", squares(1), by=system(city.pk), effective_on=date(2020, 1, 1))
    load_addresses(city, [Address("412 Elm St", 32.05, -96.95), Address("1 Oak St", 32.06, -96.95)], by=system(city.pk))
    return city


def get(city: Jurisdiction, path: str, *, scopes: tuple[str, ...] = ("places.read",), status: int = 200) -> Any:
    response = Client().get(f"/api/v1/places/{path}", headers=bearer(a_secret(city, scopes)))
    assert response.status_code == status, response.content
    return response.json()


def test_an_address_is_found_while_it_is_typed(city: Jurisdiction) -> None:
    found = get(city, "search?text=412+el")
    assert {k: found[0][k] for k in ("text", "match", "kind")} == {
        "text": "412 Elm St",
        "match": "exact",
        "kind": "address",
    }


def test_the_address_and_the_areas_of_a_point(city: Jurisdiction) -> None:
    (near,) = get(city, "reverse?latitude=32.05001&longitude=-96.95")
    assert (near["text"], near["metres"]) == ("412 Elm St", 1.1)
    assert get(city, "areas?latitude=32.05&longitude=-96.95") == {"inside_city": True, "areas": {"district": "1"}}
    assert get(city, "areas?latitude=32.05&longitude=-96.85") == {"inside_city": False, "areas": {}}
    then = get(city, "areas?latitude=32.05&longitude=-96.85&on=2019-12-31")
    assert then == {"inside_city": True, "areas": {"district": "2"}}


def test_a_text_becomes_positions(city: Jurisdiction) -> None:
    (found,) = get(city, "geocode?text=412+Elm+Street")
    assert (found["latitude"], found["source"]) == (32.05, "local")


def test_every_version_of_a_layer_has_its_shapes(city: Jurisdiction) -> None:
    (layer,) = get(city, "layers")
    assert (layer["code"], [v["in_force"] for v in layer["versions"]]) == ("district", [False, True])
    geojson = get(city, f"layers/district/versions/{layer['versions'][0]['id']}")
    assert [f["properties"]["key"] for f in geojson["features"]] == ["1", "2"]
    assert geojson["features"][0]["geometry"]["type"] == "MultiPolygon"


@pytest.mark.parametrize(
    "path",
    [
        "search?text=" + "x" * 201,
        "search?text=%00",
        "search?text=a&limit=51",
        "reverse?latitude=91&longitude=0",
        "reverse?latitude=nan&longitude=0",
        "reverse?latitude=1&longitude=0&radius=inf",
        "areas?latitude=1",
        "areas?latitude=1&longitude=0&on=yesterday",
        "layers/district/versions/99999999999999999999",
    ],
)
def test_bad_input_is_named(city: Jurisdiction, path: str) -> None:
    assert get(city, path, status=422)["errors"]


def test_another_citys_layer_is_not_there(city: Jurisdiction) -> None:
    (layer,) = get(city, "layers")
    other = a_city()
    get(other, f"layers/district/versions/{layer['versions'][0]['id']}", status=404)
    assert get(other, "search?text=412+elm") == []


@pytest.mark.parametrize(
    "path",
    ["search?text=a", "geocode?text=a", "reverse?latitude=1&longitude=1", "areas?latitude=1&longitude=1", "layers"],
)
def test_reading_places_needs_its_scope(city: Jurisdiction, path: str) -> None:
    get(city, path, scopes=("requests.read",), status=403)


def test_the_list_of_layers_asks_a_fixed_number_of_times(
    city: Jurisdiction, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    headers = bearer(a_secret(city))
    for code in ("routes", "zones"):
        load_boundaries(city, code, squares(2), by=system(city.pk))
    with django_assert_num_queries(5):
        Client().get("/api/v1/places/layers", headers=headers)
