"""A geocoder that is slow, broken or hostile never holds anybody up: tried against a real server on a socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from loop311.accounts.testing import a_city
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.places import geocoding
from loop311.places.addresses import Address
from loop311.places.geocoding import Candidate, Guarded, geocode
from loop311.places.search import Match
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares

pytestmark = pytest.mark.django_db

Answer = Callable[[BaseHTTPRequestHandler], None]
GOOD = [
    {"lat": "32.05", "lon": "-96.95", "display_name": "500 Pine St"},
    {"lat": "50.0", "lon": "8.0", "display_name": "500 Pine St, far away"},
    {"lat": "north", "lon": "8.0"},
    {"lat": 0, "lon": 0},
]


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.end_headers()
    handler.wfile.write(body)


def good(handler: BaseHTTPRequestHandler) -> None:
    assert handler.path.startswith("/search?q=500")
    send(handler, json.dumps(GOOD).encode())


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(60)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte at a time, so that no time-out of the socket is ever reached."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 1000:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 100_000)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Answer = staticmethod(good)
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked += 1
        with suppress(OSError):
            self.server.answer(self)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(geocoding, "_remotes", {})
    with Server(("127.0.0.1", 0), _Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        settings.GEOCODER_URL = f"http://127.0.0.1:{running.server_address[1]}"
        settings.GEOCODER_SECONDS = 30
        yield running
        running.shutdown()


@pytest.fixture
def city() -> Jurisdiction:
    city = a_city(center=(32.0, -97.0))
    load_boundaries(city, "limits", squares(1), by=system(city.pk), is_boundary=True)
    load_addresses(city, [Address("412 Elm St", 32.05, -96.95, house_number="412")], by=system(city.pk))
    return city


def test_an_unknown_text_is_asked_for_and_only_places_in_the_city_are_kept(city: Jurisdiction, server: Server) -> None:
    assert geocode(city, "500 Pine St") == [Candidate("500 Pine St", 32.05, -96.95, Match.EXACT, "remote")]


def test_a_city_without_a_centre_of_its_own_is_asked_for_around_its_areas(server: Server) -> None:
    city = a_city()
    load_boundaries(city, "limits", squares(1), by=system(city.pk), is_boundary=True)
    asked: list[str] = []

    def noting(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        good(handler)

    server.answer = noting
    geocode(city, "500 Pine St")
    assert "viewbox=-97.9500%2C33.0500%2C-95.9500%2C31.0500&bounded=1" in asked[0]


def test_what_the_city_knows_is_not_asked_for(city: Jurisdiction, server: Server) -> None:
    assert [found.source for found in geocode(city, "412 elm")] == ["local"]
    assert server.asked == 0


@pytest.mark.parametrize(
    "answer",
    [
        silent,
        dripping,
        endless,
        lambda handler: send(handler, b"no", 500),
        lambda handler: send(handler, b"<html>"),
        lambda handler: send(handler, b'{"error": "quota"}'),
        lambda handler: None,
    ],
    ids=["silent", "dripping", "endless", "error", "page", "object", "hung up"],
)
def test_a_bad_server_costs_at_most_the_deadline_and_once(
    city: Jurisdiction, server: Server, answer: Answer, settings: Settings
) -> None:
    settings.GEOCODER_SECONDS = 0.5
    server.answer = answer
    began = time.monotonic()
    assert [found.match for found in geocode(city, "414 Elm St")] == [Match.NEARBY]
    assert time.monotonic() - began < 20, "it waited for the end"
    server.answer = good
    assert [found.source for found in geocode(city, "414 Elm St")] == ["local"]
    assert server.asked == 1  # it is left alone for a while


def test_it_is_asked_again_after_its_rest(city: Jurisdiction) -> None:
    class Flaky:
        fails = True

        def candidates(self, jurisdiction: Jurisdiction, text: str) -> list[Candidate]:
            if self.fails:
                raise OSError
            return [Candidate(text, 32.05, -96.95, Match.EXACT, "remote")]

    flaky = Flaky()
    guarded = Guarded(flaky, seconds=30, pause_seconds=30)
    assert guarded.candidates(city, "x") == []
    assert guarded.is_resting
    flaky.fails = False
    guarded._closed_until -= 30
    assert len(guarded.candidates(city, "x")) == 1


def test_nobody_listening_is_no_problem(city: Jurisdiction, server: Server, settings: Settings) -> None:
    settings.GEOCODER_URL = "http://127.0.0.1:9"
    assert geocode(city, "500 Pine St") == []


def test_without_a_geocoder_the_citys_own_addresses_answer(city: Jurisdiction) -> None:
    assert [found.text for found in geocode(city, "412 elm")] == ["412 Elm St"]
    assert geocode(city, "   ") == []
