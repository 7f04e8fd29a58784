"""The API and the commands of this room."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from django.test import Client

from loop311.accounts.testing import a_secret, bearer
from loop311.kit.clock import now
from loop311.kit.testing import same_number_of_queries
from loop311.notifications import services
from loop311.notifications.commands import notifications
from loop311.notifications.models import Message
from loop311.notifications.tests.telling import told
from loop311.requests.testing import City, make_city
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
API = "/api/v1/notifications"


def a_message(city: City, number: int = 1) -> Message:
    resident = a_resident(city.jurisdiction, email=f"resident{number}@example.org")
    request = city.file(at=now(), resident=resident)
    [message] = told("request.filed", request.pk)
    return message


def failed(city: City, number: int = 1) -> Message:
    message = a_message(city, number)
    services.claim(message.pk)
    services.note_failed(message.pk, "smtp 550", for_good=True)
    return message


@pytest.fixture
def client(city: City) -> Client:
    return Client(headers=bearer(a_secret(city.jurisdiction)))


def test_messages_are_listed_newest_first_and_by_state_and_request(client: Client, city: City) -> None:
    first, second = a_message(city, 1), failed(city, 2)
    found = client.get(f"{API}/messages").json()["items"]
    assert [row["id"] for row in found] == [second.pk, first.pk]
    assert "example.org" not in json.dumps(found)
    assert [r["id"] for r in client.get(f"{API}/messages?state=failed&state=unknown").json()["items"]] == [second.pk]
    assert first.request is not None
    assert [r["id"] for r in client.get(f"{API}/messages?request={first.request.number}").json()["items"]] == [first.pk]
    [row] = client.get(f"{API}/failures").json()["items"]
    assert (row["id"], row["error"]) == (second.pk, "smtp 550")


def test_a_long_list_is_read_window_by_window_with_as_many_queries(client: Client, city: City) -> None:
    made = [a_message(city, n).pk for n in range(5)]
    window = client.get(f"{API}/messages?limit=2").json()
    rest = client.get(f"{API}/messages?limit=100&after={window['next']}").json()
    assert [row["id"] for row in window["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    same_number_of_queries(lambda: client.get(f"{API}/messages"), lambda: a_message(city, 9))


def test_a_failed_message_is_tried_again_over_the_api(client: Client, city: City) -> None:
    message = failed(city)
    assert client.post(f"{API}/messages/{message.pk}/retry").json()["state"] == "queued"
    assert client.post(f"{API}/messages/{message.pk}/retry").status_code == 409


def test_another_city_finds_none_of_it(city: City) -> None:
    message = failed(city)
    other = Client(headers=bearer(a_secret(make_city("oak").jurisdiction)))
    assert other.get(f"{API}/messages").json()["items"] == []
    assert other.get(f"{API}/failures").json()["items"] == []
    assert other.post(f"{API}/messages/{message.pk}/retry").status_code == 404
    number = message.request.number if message.request else ""
    asked = {"event": "request.filed", "request": number}
    assert other.post(f"{API}/preview", asked, "application/json").status_code == 404


def test_without_the_scope_nothing_is_shown(city: City) -> None:
    client = Client(headers=bearer(a_secret(city.jurisdiction, ["requests.read"])))
    assert client.get(f"{API}/messages").status_code == 403
    assert client.put(f"{API}/quiet-hours", {"start": "22:00", "end": "07:00"}, "application/json").status_code == 403


def test_a_preview_is_made_over_the_api(client: Client, city: City) -> None:
    asked = {"event": "request.filed", "language": "es", "service_code": "sign"}
    words = client.post(f"{API}/preview", asked, "application/json").json()
    assert words["language"] == "es"
    wrong = client.post(f"{API}/preview", {"event": "request.exploded"}, "application/json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "event")


def test_quiet_hours_are_set_and_read(client: Client, city: City) -> None:
    assert client.get(f"{API}/quiet-hours").json() == {"start": "21:00", "end": "08:00"}
    done = client.put(f"{API}/quiet-hours", {"start": "22:30", "end": "07:00"}, "application/json")
    assert done.json() == {"start": "22:30", "end": "07:00"}
    wrong = client.put(f"{API}/quiet-hours", {"start": "25:00", "end": "07:00"}, "application/json")
    assert wrong.status_code == 422


def call(*arguments: str) -> str:
    done = CliRunner().invoke(notifications, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_commands_show_preview_failures_and_quiet_hours(city: City) -> None:
    message = failed(city)
    assert call("preview", "elmville", "request.done", "--language", "es").startswith("Subject: Hecho")
    assert json.loads(call("preview", "elmville", "request.done", "--json"))["language"] == "en"
    assert json.loads(call("failures", "elmville", "--json"))[0]["id"] == message.pk
    call("failures", "elmville", "--retry")
    assert call("failures", "elmville").startswith("Every message")
    assert "21:00 and 08:00" in call("quiet-hours", "elmville")
    assert "22:00 and 06:00" in call("quiet-hours", "elmville", "22:00", "06:00")
    assert call("quiet-hours", "elmville", "22:00", "22:00").startswith("Texts are sent at any hour")
