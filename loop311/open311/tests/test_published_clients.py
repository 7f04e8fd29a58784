"""Published clients, unmodified, against our server over real sockets."""

from __future__ import annotations

from typing import Any

import georeport
import pytest
from civicbot.http import HttpError, HttpTransport, RateLimiter
from civicbot.open311 import Open311Client
from civicbot.registry import Endpoint

from loop311.accounts.testing import a_secret
from loop311.kit.clock import now
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city() -> City:
    return make_city("springfield")


def civicbot(live_server: Any) -> Open311Client:
    endpoint = Endpoint("ours", "Ours", f"{live_server}/open311/v2/", write=True)
    return Open311Client(endpoint, HttpTransport(rate_limiter=RateLimiter(0)), jurisdiction_id="springfield")


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_georeport_lists_defines_and_finds(live_server: Any, city: City, format_: str) -> None:
    numbers = {city.file(at=now()).number for _ in range(2)}
    client = georeport.GeoReport(f"{live_server}/open311/v2", jurisdiction="springfield", output_format=format_)
    services = client.get_service_list()
    assert "pothole" in {service["service_code"] for service in services}
    assert client.get_service_definition("pothole")["service_code"] == "pothole"
    found = client.get_service_requests(service_code="pothole", status="open")
    assert {request["service_request_id"] for request in found} == numbers
    both = client.get_service_requests(service_request_id=",".join(numbers))
    assert {request["service_request_id"] for request in both} == numbers


def test_georeport_sees_an_empty_list_in_json(live_server: Any, city: City) -> None:
    client = georeport.GeoReport(f"{live_server}/open311/v2", jurisdiction="springfield")
    assert client.get_service_requests(status="closed") == []


def test_civicbot_files_by_our_own_definition_and_finds_it_again(live_server: Any, city: City) -> None:
    client = civicbot(live_server)
    sent = client.create_request(
        "pothole",
        dry_run=False,
        confirm="SEND",
        api_key=a_secret(city.jurisdiction, ["requests.file"]),
        validate_remote=True,
        lat=41.85,
        lng=-87.65,
        address_string="1200 Main Street",
        description="Deep",
        attributes={"danger": "no"},
    )
    (answer,) = sent.response
    filed = client.get_request(answer["service_request_id"])
    assert filed is not None
    assert (filed["status"], filed["lat"], filed["description"]) == ("open", 41.85, "Deep")
    assert Request.objects.get().number == filed["service_request_id"]


def test_civicbot_hears_why_it_is_refused(live_server: Any, city: City) -> None:
    with pytest.raises(HttpError) as refused:
        civicbot(live_server).create_request(
            "pothole", dry_run=False, confirm="SEND", api_key="wrong", address_string="1200 Main Street"
        )
    assert refused.value.status == 403
    assert "api_key" in refused.value.body
