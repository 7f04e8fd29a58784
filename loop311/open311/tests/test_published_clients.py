"""Published clients, unmodified, against our server over real sockets: discovery, services, filing, token, list, single."""

from __future__ import annotations

import base64
import io
import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import georeport
import pytest
from civicbot.http import HttpError, HttpTransport, RateLimiter
from civicbot.open311 import Open311Client
from civicbot.registry import Endpoint
from django.conf import settings as django_settings

from loop311.accounts.testing import a_secret
from loop311.catalog.testing import edited
from loop311.kit.clock import now
from loop311.kit.tests.pictures import photo
from loop311.requests.models import Attachment, Request
from loop311.requests.services import assign
from loop311.requests.testing import City, make_city, small_catalogue

itertools.ifilter = filter  # type: ignore[attr-defined]  # the one thing that Python 3 lacks for `three`
import three  # noqa: E402

pytestmark = pytest.mark.django_db(transaction=True)
NODE = shutil.which("node") or str(Path(django_settings.ROOT) / ".venv" / "bin" / "node")
DRIVE = Path(__file__).parent / "npm" / "drive.js"
PICTURE = f"data:image/jpeg;base64,{base64.b64encode(photo()).decode()}"


@pytest.fixture(autouse=True)
def _here(settings: Any, tmp_path: Path, live_server: Any) -> None:
    settings.LOOP311_HOME = tmp_path
    settings.BASE_URL = str(live_server)


@pytest.fixture
def city() -> City:
    """Potholes get their number at once, signs a token."""
    return make_city("springfield", edited(small_catalogue(), "services.sign", open311="batch"))


@pytest.fixture
def key(city: City) -> str:
    return a_secret(city.jurisdiction, ["requests.file"])


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
    (number, _) = numbers
    assert client.get_service_request(number)["service_request_id"] == number


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


def test_civicbot_files_a_photo_and_follows_a_token(live_server: Any, city: City, key: str) -> None:
    client = civicbot(live_server)
    send = {"dry_run": False, "confirm": "SEND", "api_key": key, "validate_remote": True, "lat": 41.85, "lng": -87.65}
    client.create_request("pothole", attributes={"danger": ["no"]}, media_url=PICTURE, **send)
    assert Attachment.objects.count() == 1
    (answer,) = client.create_request("sign", **send).response
    assert client.get_token(answer["token"]) == [{"token": answer["token"], "service_request_id": None}]
    sign = Request.objects.get(service__code="sign")
    assign(sign, by=city.system)
    assert client.get_token(answer["token"])[0]["service_request_id"] == sign.number
    listed = client.list_requests(status="open", page_size=1)
    assert [request["service_code"] for request in listed] == ["sign"]


def test_civicbot_hears_why_it_is_refused(live_server: Any, city: City) -> None:
    with pytest.raises(HttpError) as refused:
        civicbot(live_server).create_request(
            "pothole", dry_run=False, confirm="SEND", api_key="wrong", address_string="1200 Main Street"
        )
    assert refused.value.status == 403
    assert "api_key" in refused.value.body


# --- three, 0.8.0: JSON only on Python 3 ---------------------------------------------------------------------------------


def a_three(live_server: Any, key: str = "") -> Any:
    return three.Three(
        f"{live_server}/open311/v2/",
        jurisdiction="springfield",
        api_key=key,
        discovery=f"{live_server}/open311/discovery.json",
    )


def test_three_discovers_lists_and_defines(live_server: Any, city: City) -> None:
    client = a_three(live_server)
    assert client.discovery()["endpoints"][0]["url"] == f"{live_server}/open311/v2/"
    assert {service["service_code"] for service in client.services()} == {"pothole", "sign"}
    assert client.services("pothole")["attributes"][0]["code"] == "danger"


def test_three_files_with_an_attribute_and_a_photo_and_finds_it_again(live_server: Any, city: City, key: str) -> None:
    client = a_three(live_server, key)
    asked = {
        "address": "1200 Main Street",
        "name": "Demo Resident",
        "email": "demo@example.org",
        "attribute[danger]": "no",
    }
    (answer,) = client.post("pothole", description="Deep", media=io.BytesIO(photo()), **asked)
    number = answer["service_request_id"]
    (found,) = client.request(number)
    assert (found["description"], found["status"]) == ("Deep", "open")
    assert found["media_url"]
    assert [request["service_request_id"] for request in client.requests("pothole", count=10)] == [number]
    today = now().strftime("%m-%d-%Y")
    assert client.requests(between=[today, today]) == []  # both are its first second


def test_three_follows_a_token_and_hears_why_it_is_refused(live_server: Any, city: City, key: str) -> None:
    client = a_three(live_server, key)
    (answer,) = client.post("sign", address="1200 Main Street")
    assert client.token(answer["token"])[0]["service_request_id"] is None
    assign(Request.objects.get(), by=city.system)
    assert client.token(answer["token"])[0]["service_request_id"] == Request.objects.get().number
    assert a_three(live_server, "wrong").post("sign", address="1200 Main Street")[0]["code"] == 403


# --- npm open311, 0.0.12: stand-ins for its two dead dependencies --------------------------------------------------------


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_the_npm_package_makes_every_call(live_server: Any, city: City, key: str, format_: str) -> None:
    said = _driven(live_server, key, format_)
    assert said["discovery"]["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    assert {service["service_code"] for service in said["services"]} == {"pothole", "sign"}
    assert said["definition"]["attributes"][0]["code"] == "danger"
    number = Request.objects.get(service__code="pothole").number
    assert said["filed"]["service_request_id"] == number
    assert Attachment.objects.count() == 1
    assert said["token"][0]["token"] == said["batch"]["token"]
    assert not said["token"][0]["service_request_id"]
    for name in ("list", "several", "single"):
        assert [(row["service_request_id"], row["description"]) for row in said[name]] == [(number, "Deep")]
    status, words = said["refused"]
    assert (status, "nothing" in words) == (404, True)


def _driven(live_server: Any, key: str, format_: str) -> dict[str, Any]:
    run = subprocess.run(
        [NODE, str(DRIVE), str(live_server), "springfield", key, format_],
        env={"PICTURE": PICTURE},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(line) for line in run.stdout.splitlines())
