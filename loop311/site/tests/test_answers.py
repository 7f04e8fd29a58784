"""What every answer carries, and what is answered when something cannot be."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from procrastinate.contrib.django import app
from psycopg.errors import DiskFull

from loop311.kit import sweeps
from loop311.kit.clock import now
from loop311.kit.database import room
from loop311.kit.models import Sweep
from loop311.kit.testing import Page, page
from loop311.site import apologies, errors, health, observing
from loop311.site.middleware import CONTENT_SECURITY_POLICY, policy


def lost(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection")


def full(request: HttpRequest) -> HttpResponse:
    raise OperationalError("could not extend file") from DiskFull("could not extend file")


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret")


def closed(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [
    path("lost", lost),
    path("full", full),
    path("api/full", full),
    path("broken", broken),
    path("closed", closed),
    path("api/lost", lost),
    path("api/broken", broken),
    path("healthz", health.healthz),
    path("metrics", observing.metrics),
]
handler403, handler404, handler500 = errors.forbidden, errors.not_found, errors.server_error

here = override_settings(ROOT_URLCONF=__name__)


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@here
@pytest.mark.parametrize(("path", "status"), [("/lost", 503), ("/broken", 500), ("/closed", 403), ("/nothing", 404)])
def test_a_person_gets_a_sound_page(browser: Client, path: str, status: int) -> None:
    shown = page(browser, path, status=status)
    assert "Traceback" not in shown.html
    assert "secret" not in shown.html


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/r/made-up", "/a/made-up", "/unsubscribe/made-up"])
def test_a_resident_is_told_in_their_language_that_a_link_does_not_work(browser: Client, path: str) -> None:
    answer = browser.get(path, headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5", "Accept": "text/html"})
    shown = Page(answer.content.decode(), answer.headers["Content-Security-Policy"]).check()
    assert (answer.status_code, shown.language, shown.headings) == (404, "es", ["Este enlace no funciona"])
    assert 'href="/"' not in shown.html, "the first page is the staff's door"
    assert "This link does not work" in unescape(browser.get(path).content.decode())


@pytest.mark.django_db
def test_a_form_that_waited_too_long_is_said_to_a_resident_in_their_language() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/r/made-up", headers={"Accept-Language": "es", "Accept": "text/html"})
    assert (answer.status_code, "El formulario caducó" in answer.content.decode()) == (403, True)


def test_what_is_said_when_something_went_wrong_is_there_in_every_language() -> None:
    english = apologies._TEXTS["en"]
    for language, texts in apologies._TEXTS.items():
        assert set(texts) == set(english), language
        assert language == "en" or not {what for what in texts if texts[what] == english[what]}, language


@pytest.mark.django_db
def test_pages_of_staff_say_which_language_they_are_in_whatever_the_browser_asks_for(browser: Client) -> None:
    answer = browser.post("/desk/sign-in/", {"login": ""}, headers={"Accept-Language": "es-MX,es;q=0.9"})
    shown = Page(answer.content.decode(), answer.headers["Content-Security-Policy"])
    assert (shown.language, "obligatorio" in shown.text, "required" in shown.text) == ("en", False, True)


@here
@pytest.mark.parametrize(("path", "status"), [("/api/lost", 503), ("/api/broken", 500), ("/api/nothing", 404)])
def test_a_program_gets_a_problem_document(browser: Client, path: str, status: int) -> None:
    response = browser.get(path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert response.json()["request_id"] == response.headers["X-Request-ID"]


@here
def test_a_database_that_is_away_asks_to_come_back(browser: Client) -> None:
    assert int(browser.get("/lost").headers["Retry-After"]) > 0
    assert int(browser.get("/api/lost").headers["Retry-After"]) > 0


@here
def test_a_full_disk_says_that_nothing_was_stored_and_who_must_make_room(browser: Client) -> None:
    shown = browser.get("/full", headers={"Accept": "text/html"})
    assert (shown.status_code, room.FULL in unescape(shown.content.decode())) == (503, True)
    assert browser.get("/api/full").json()["detail"] == room.FULL


@here
@pytest.mark.django_db
def test_a_disk_without_room_is_not_well(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    beat(1)
    monkeypatch.setattr(room, "LEAST", 2**62)
    with override_settings(DATABASE_IS_EMBEDDED=True):
        response = browser.get("/healthz")
    assert (response.status_code, response.json()["database"]) == (503, "its disk is full")
    assert "loop311_disk_free_bytes" in browser.get("/metrics").content.decode()


@here
def test_every_answer_carries_the_policy_and_an_id(browser: Client) -> None:
    for address in ("/healthz", "/nothing", "/broken"):
        response = browser.get(address)
        assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert len(response.headers["X-Request-ID"]) == 32
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@here
@pytest.mark.parametrize(
    ("given", "is_kept"), [("trace-0123.abc", True), ("x", False), ("a b c d e f g h", False), ("y" * 65, False)]
)
def test_a_request_id_is_taken_over_only_if_it_is_sane(browser: Client, given: str, is_kept: bool) -> None:
    answered = browser.get("/nothing", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (answered == given) is is_kept


def beat(seconds_ago: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
            [seconds_ago],
        )


@here
@pytest.mark.django_db
def test_all_is_well_when_a_worker_gave_a_sign_of_life(browser: Client) -> None:
    beat(1)
    response = browser.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "web": "ok", "database": "ok", "worker": "ok", "sweeps": "ok"}


@here
@pytest.mark.django_db
def test_a_sweep_that_does_not_work_is_named_and_counted_while_the_web_goes_on(browser: Client) -> None:
    beat(1)
    long_ago = now() - timedelta(minutes=12, seconds=1)
    Sweep.objects.create(name="requests.sweep", watched_since=long_ago, begun_at=now(), error="ValueError")
    response = browser.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["sweeps"] == "requests.sweep has not succeeded for 12 minutes"
    text = browser.get("/metrics").content.decode()
    assert 'loop311_sweep_late{sweep="requests.sweep"} 1.0' in text
    assert 'loop311_sweep_last_success_timestamp_seconds{sweep="requests.sweep"} 0.0' in text


def test_everything_the_clock_starts_is_watched() -> None:
    periodic = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert set(sweeps.WATCHED) == {name for name in periodic if not name.startswith("builtin")}


@here
@pytest.mark.django_db
def test_a_missing_or_silent_worker_is_named(browser: Client) -> None:
    missing = browser.get("/healthz")
    assert (missing.status_code, missing.json()["worker"]) == (503, "no worker runs")
    beat(60)
    silent = browser.get("/healthz")
    assert silent.status_code == 503
    assert silent.json()["worker"] == "no sign of life from a worker for 60 seconds"
    assert silent.headers["Retry-After"] == "5"


@here
def test_a_missing_database_is_named(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> object:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = browser.get("/healthz")
    assert (response.status_code, response.json()["database"]) == (503, "the database does not answer")
    assert browser.get("/metrics").status_code == 200


@here
@pytest.mark.django_db
def test_metrics_count_answers_and_jobs(browser: Client) -> None:
    browser.get("/nothing")
    text = browser.get("/metrics").content.decode()
    assert 'loop311_http_requests_total{status="4xx"}' in text
    assert 'loop311_http_request_seconds_bucket{le="0.1",method="GET"}' in text
    assert 'loop311_jobs{state="todo"} 0.0' in text
    assert 'loop311_work_order_links{state="down"} 0.0' in text
    assert "loop311_work_orders_waiting 0.0" in text


@pytest.mark.django_db
def test_assets_are_served_where_pages_look_for_them(browser: Client) -> None:
    for name in ("uswds/css/uswds.min.css", "uswds/js/uswds.min.js", "htmx/htmx.min.js"):
        answer = browser.get(f"/static/{name}")
        assert answer.status_code == 200
        answer.close()


def test_the_first_page_leads_to_the_staffs_door(browser: Client) -> None:
    answer = browser.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")


@pytest.mark.parametrize(
    ("tiles", "allowed"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", "img-src 'self' data: https://tiles.example;"),
        ("https://{s}.tiles.example:8443/{z}/{x}/{y}.png", "img-src 'self' data: https://*.tiles.example:8443;"),
        ("", "img-src 'self' data:;"),
        ("javascript:x; script-src *", "img-src 'self' data:;"),
    ],
)
def test_pictures_come_from_the_tile_server_of_the_deployment_and_from_nowhere_else(tiles: str, allowed: str) -> None:
    assert allowed in policy(tiles)
    assert "script-src 'self';" in policy(tiles)
