"""GeoReport v2, asked as apps ask it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from defusedxml import ElementTree
from django.db import DataError, OperationalError
from msgspec import structs

from loop311.accounts.testing import a_secret
from loop311.catalog.definitions import Publicity
from loop311.catalog.services import publish
from loop311.georeport import reading
from loop311.jurisdictions import services as jurisdictions
from loop311.kit.clock import now
from loop311.kit.testing import browser, same_number_of_queries
from loop311.open311.policies import attributes
from loop311.open311.testing import V2, get, post, said
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city, small_catalogue
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


# --- Discovery, services, definitions ------------------------------------------------------------------------------------


def test_discovery_speaks_both_formats_with_bare_media_types() -> None:
    found = []
    for ending, media_type in (("xml", "text/xml"), ("json", "application/json")):
        response = browser().get(f"/open311/discovery.{ending}")
        assert response["Content-Type"] == media_type
        found.append(reading.discovery(response.content))
    assert found[0] == found[1]
    assert {endpoint.formats for endpoint in found[0].endpoints} == {("text/xml", "application/json")}
    assert [(each.specification.rpartition("/")[2], each.type) for each in found[0].endpoints] == [
        ("GeoReport_v2", "production"), ("GeoReport_v2", "test"), ("Inquiry_v1", "production"),
    ]  # fmt: skip


def test_who_keeps_definitions_by_the_changeset_hears_of_a_new_catalogue(city: City) -> None:
    def changesets() -> set[str]:
        found = reading.discovery(browser().get("/open311/discovery.json").content)
        return {found.changeset, *(each.changeset for each in found.endpoints)}

    catalogue = small_catalogue()
    changed = [
        structs.replace(each, descriptions={"en": "As of today.", "es": "De hoy."}) for each in catalogue.services
    ]
    version = publish(city.jurisdiction, structs.replace(catalogue, services=tuple(changed)), by=city.system)
    assert changesets() == {f"{version.effective_at:%Y-%m-%dT%H:%M:%SZ}"}


def test_services_are_the_same_in_both_formats(city: City) -> None:
    xml, told = get("services.xml"), get("services.json")
    assert reading.services(xml.content) == reading.services(told.content)
    assert "pothole" in {each["service_code"] for each in told.json()}
    assert xml["Content-Type"] == "text/xml; charset=utf-8"
    assert xml.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert xml["Access-Control-Allow-Origin"] == "*"


def test_who_holds_the_services_already_gets_304(city: City) -> None:
    tag = get("services.json")["ETag"]
    again = get("services.json", 304, **{"If-None-Match": tag})
    assert again.content == b""


def test_a_definition_is_the_same_in_both_formats(city: City) -> None:
    found = [reading.definition(get(f"services/pothole.{ending}").content) for ending in ("xml", "json")]
    assert found[0] == found[1]
    assert [each.order for each in found[0].attributes] == list(range(1, len(found[0].attributes) + 1))


def test_what_does_not_exist_is_an_error_in_the_asked_format(city: City) -> None:
    assert get("services/nothing.json", 404).json()[0]["code"] == 404
    assert ElementTree.fromstring(get("services/nothing.xml", 404).content).find("error/code").text == "404"  # type: ignore[union-attr]
    assert ElementTree.fromstring(get("services.pdf", 404).content).tag == "errors"
    assert get("nowhere/at/all.json", 404).json()[0]["code"] == 404


def test_services_say_since_when_they_hold(city: City) -> None:
    assert get("services.json")["Last-Modified"] == get("services/pothole.xml")["Last-Modified"]


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (ZeroDivisionError, 500), (DataError, 500)])
def test_what_fails_here_is_said_in_the_asked_format(
    city: City, error: type[Exception], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **named: object) -> None:
        raise error("a secret")

    monkeypatch.setattr("loop311.open311.finding.found", fail)
    told = get("requests.json", status)
    assert told.json()[0]["code"] == status
    assert "secret" not in told.content.decode()
    assert told.has_header("Retry-After") == (status == 503)
    assert get("requests.xml", status).content.startswith(b"<?xml")


def test_without_an_ending_the_accept_header_decides(city: City) -> None:
    assert get("services").content.startswith(b"<?xml")
    assert isinstance(get("services", Accept="application/json").json(), list)


def test_a_code_may_hold_dots(city: City) -> None:
    assert "1.6" in said(get("services/1.6.json", 404).json())


# --- Which city ----------------------------------------------------------------------------------------------------------


def test_where_two_cities_live_one_must_be_named(city: City) -> None:
    jurisdictions.create("shelbyville", name="Shelbyville", time_zone="America/Chicago", languages=("en",))
    assert "jurisdiction_id is missing" in said(get("services.json", 400).json())
    assert get("services.json?jurisdiction_id=springfield").json()
    assert get("services.json?jurisdiction_id=atlantis", 404).json()[0]["code"] == 404


def test_a_jurisdiction_given_twice_must_be_one(city: City, key: str) -> None:
    response = browser().post(f"{V2}/requests.json?jurisdiction_id=a", {"jurisdiction_id": "b", "api_key": key})
    assert response.status_code == 400


# --- Filing --------------------------------------------------------------------------------------------------------------


def test_a_request_is_filed_and_found_again(city: City, key: str) -> None:
    (answer,) = post(key, description="A hole\r\nas deep as a hat", lat="41.85", long="-87.65", email="ada@example.org")
    assert set(answer) == {"service_request_id"}
    filed = Request.objects.get(number=answer["service_request_id"])
    assert filed.description == "A hole\nas deep as a hat"
    assert filed.resident is not None
    (seen,) = get(f"requests/{filed.number}.json").json()
    assert (seen["status"], seen["service_code"], seen["lat"], seen["long"]) == ("open", "pothole", 41.85, -87.65)
    assert "ada" not in json.dumps(seen)
    assert seen["expected_datetime"].endswith("Z")
    assert "." not in seen["expected_datetime"]


@pytest.mark.parametrize("wrong", ["", "l311_nobody"])
def test_a_missing_or_wrong_key_is_403(city: City, wrong: str) -> None:
    assert post(wrong, 403)[0]["code"] == 403
    assert not Request.objects.exists()


def test_the_key_may_come_in_a_header(city: City, key: str) -> None:
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert post("", client=browser(headers=headers))[0]["service_request_id"]


def test_a_key_of_another_city_is_403(city: City) -> None:
    other = make_city("shelbyville")
    post(a_secret(other.jurisdiction, ["requests.file"]), 403, jurisdiction_id="springfield")


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"service_code": ""}, "service_code is missing"),
        ({"lat": "41.85"}, "long is missing"),
        ({"lat": "41,85", "long": "-87"}, "lat must be a number of degrees from -90 to 90"),
        ({"lat": "NaN", "long": "-87"}, "lat must be a number of degrees from -90 to 90"),
        ({"lat": "91", "long": "-87"}, "lat must be a number of degrees from -90 to 90"),
        ({"description": "x" * 4001}, "4000"),
        ({"address_string": ""}, "Say where"),
        ({"email": "nobody"}, "e-mail"),
        ({"attribute[danger]": ""}, "attribute[danger]"),
    ],
)
def test_what_must_be_mended_is_400_and_says_what(city: City, key: str, form: dict[str, str], complaint: str) -> None:
    assert complaint in said(post(key, 400, **form))
    assert not Request.objects.exists()


def test_an_unknown_service_is_404(city: City, key: str) -> None:
    post(key, 404, service_code="unicorns")


def test_the_same_idempotency_key_makes_one_request(city: City, key: str) -> None:
    client = browser(headers={"Idempotency-Key": "once"})
    assert post(key, client=client) == post(key, client=client)
    assert Request.objects.count() == 1


def test_attributes_come_in_every_bracket_form() -> None:
    pairs = [("attribute[A]", "1"), ("attribute[B][]", "x"), ("attribute[B][]", "y"), ("attribute[C][0]", "z"),
             ("attribute[D.e f?]", "q"), ("attribute[E]", " "), ("description", "no")]  # fmt: skip
    assert attributes(pairs) == {"A": ["1"], "B": ["x", "y"], "C": ["z"], "D.e f?": ["q"]}


# --- Finding -------------------------------------------------------------------------------------------------------------


def test_no_requests_are_200_and_empty_in_both_formats(city: City) -> None:
    assert get("requests.json").json() == []
    assert get("requests.xml").content.endswith(b"<service_requests/>")


def test_lists_are_the_same_in_both_formats(city: City) -> None:
    for _ in range(3):
        city.file()
    zone = city.jurisdiction.zone
    query = f"requests.{{}}?start_date={(now() - timedelta(days=80)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    xml, told = (reading.requests(get(query.format(e)).content, zone) for e in ("xml", "json"))
    assert xml == told


def test_ids_override_everything_else(city: City) -> None:
    first, second = city.file(), city.file()
    found = get(
        f"requests.json?service_request_id={first.number},{second.number},99-1&status=closed&start_date=x"
    ).json()
    assert {each["service_request_id"] for each in found} == {first.number, second.number}


def test_a_list_is_narrowed_by_service_and_status(city: City) -> None:
    city.file(at=now())
    assert len(get("requests.json?service_code=pothole,unicorns&status=OPEN").json()) == 1
    assert get("requests.json?status=closed").json() == []
    get("requests.json?service_code=unicorns", 404)


@pytest.mark.parametrize(
    "query",
    ["status=done", "start_date=yesterday", "start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z",
     "start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z", "page=0", "page_size=2000"],
)  # fmt: skip
def test_a_query_that_cannot_be_meant_is_400(city: City, query: str) -> None:
    assert get(f"requests.json?{query}", 400).json()[0]["code"] == 400


def test_an_empty_parameter_is_an_absent_one(city: City) -> None:
    city.file(at=now())
    assert len(get("requests.json?status=&service_code=&start_date=&page=").json()) == 1


def test_a_list_asks_the_same_number_of_queries_whatever_its_length(city: City) -> None:
    city.file(at=now())
    asked = same_number_of_queries(lambda: get("requests.json"), lambda: [city.file(at=now()) for _ in range(3)])
    assert asked <= 3


# --- What is never public ------------------------------------------------------------------------------------------------


def test_a_hidden_request_is_404_and_in_no_list(city: City) -> None:
    request = city.file(at=now())
    Request.objects.filter(pk=request.pk).update(publicity="hidden", version=2)
    get(f"requests/{request.number}.json", 404)
    assert get(f"requests.json?service_request_id={request.number}").json() == []
    assert get("requests.json").json() == []


def test_a_sensitive_request_shows_its_block_only(city: City) -> None:
    request = city.file(at=now(), latitude=41.85123, longitude=-87.65456, address="1234 Elm Street")
    Request.objects.filter(pk=request.pk).update(publicity="block", version=2)
    (seen,) = get(f"requests/{request.number}.json").json()
    assert (seen["lat"], seen["long"], seen["address"]) == (41.851, -87.655, "1200 block of Elm Street")


@pytest.mark.parametrize("today", ["hidden", "block"])
def test_a_service_that_is_stricter_today_is_so_for_its_past_too(city: City, today: str) -> None:
    request = city.file(at=now(), latitude=41.85123, longitude=-87.65456, address="1234 Elm Street")
    say_of_potholes(city, today)
    if today == "hidden":
        get(f"requests/{request.number}.json", 404)
        assert get("requests.json").json() == []
    else:
        (seen,) = get("requests.json").json()
        assert (seen["lat"], seen["long"], seen["address"]) == (41.851, -87.655, "1200 block of Elm Street")


def say_of_potholes(city: City, publicity: str) -> None:
    old = small_catalogue()
    services = tuple(
        structs.replace(each, publicity=Publicity(publicity)) if each.code == "pothole" else each
        for each in old.services
    )
    publish(city.jurisdiction, structs.replace(old, services=services), by=city.system, effective_at=now())


def test_the_name_of_who_reported_is_taken_out_of_their_words(city: City) -> None:
    who = a_resident(city.jurisdiction, "Ada Quince")
    request = city.file(at=now(), resident=who, description="I am Ada Quince.", address="12 Elm St, at Quince, Ada's")
    (seen,) = get(f"requests/{request.number}.json").json()
    assert (seen["description"], seen["address"]) == ("I am [removed].", "12 Elm St, at [removed]'s")


def test_addresses_and_numbers_of_people_are_not_public(city: City) -> None:
    request = city.file(at=now(), description="Ring 214-555-0123 or ada@example.org, house 1234.")
    (seen,) = get(f"requests/{request.number}.json").json()
    assert seen["description"] == "Ring [removed] or [removed], house 1234."


def test_another_citys_request_is_404(city: City) -> None:
    theirs = make_city("shelbyville")
    theirs.file()
    number = theirs.file().number
    get(f"requests/{number}.json?jurisdiction_id=springfield", 404)
