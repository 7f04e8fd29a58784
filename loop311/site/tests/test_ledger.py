"""The diary of the whole house: over the API, after erasing a person, and for every kind of subject that is registered."""

from __future__ import annotations

import pytest
from django.test import Client

from loop311.accounts.testing import a_secret, bearer
from loop311.callbacks.testing import a_callback
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.ledger.services import append, handle, handlers_of
from loop311.ledger.testing import run, tampering
from loop311.ledger.verification import verify
from loop311.notifications.models import Message
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city
from loop311.residents.services import erase
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
API = "/api/v1/ledger"
NAME = "Xanthippe"
MAIL = "xanthippe@example.org"


@pytest.fixture
def city() -> City:
    return make_city()


@pytest.fixture
def client(city: City) -> Client:
    return Client(headers=bearer(a_secret(city.jurisdiction)))


def handle_everything() -> None:
    """As the worker does, until no event is left untold."""
    done = 0
    while events := list(Event.objects.filter(pk__gt=done).order_by("pk")):
        for event in events:
            for name, _ in handlers_of(event.kind):
                handle(event.pk, event.kind, name)
        done = events[-1].pk


def test_erasing_a_person_takes_every_word_of_theirs_and_keeps_every_chain(city: City) -> None:
    resident = a_resident(city.jurisdiction, NAME, email=MAIL, mobile="+1 214 555 0123")
    request = city.file(at=now(), resident=resident, description=f"{NAME} saw it", address=f"{NAME} Street 1")
    a_callback(city.jurisdiction, resident=resident, request=request, reason=f"ring {NAME}")
    city.done(request, at=now())
    handle_everything()
    assert Message.objects.count() > 4
    erase(resident, by=city.system)
    handle_everything()
    assert verify() == []
    for model in (Event, Message, Request):
        assert NAME not in str(list(model.objects.values()))
        assert MAIL not in str(list(model.objects.values()))


def test_a_request_without_its_chain_is_named(city: City) -> None:
    request = city.file(at=now())
    with tampering():
        run("DELETE FROM ledger_event WHERE subject_type = 'request' AND subject_id = %s", request.pk)
        run("DELETE FROM ledger_head WHERE subject_type = 'request' AND subject_id = %s", request.pk)
        assert any(fault.subject == f"request {request.pk}" and "no events" in fault.sentence for fault in verify())


def test_a_chain_is_read_window_by_window(client: Client, city: City) -> None:
    request = city.done(city.file(at=now()), at=now())
    first = client.get(f"{API}/request/{request.pk}?limit=2").json()
    rest = client.get(f"{API}/request/{request.pk}?after={first['next']}").json()
    items = first["items"] + rest["items"]
    assert [item["sequence"] for item in items] == list(range(1, len(items) + 1))
    assert [item["previous_hash"] for item in items[1:]] == [item["hash"] for item in items[:-1]]
    assert items[0]["body"]["number"] == request.number
    assert rest["next"] is None


def test_another_citys_chain_is_not_there(client: Client) -> None:
    other = make_city("oak")
    assert client.get(f"{API}/request/{other.file(at=now()).pk}").status_code == 404


def test_a_failed_handler_is_listed_for_its_own_city_only(client: Client, city: City) -> None:
    resident = a_resident(city.jurisdiction, NAME, email=MAIL)
    city.file(at=now(), resident=resident)
    run("UPDATE procrastinate_jobs SET status = 'failed', attempts = 10")
    [row] = client.get(f"{API}/failures").json()
    assert (row["kind"], row["attempts"], row["next_try_at"]) == ("request.filed", 10, None)
    other = Client(headers=bearer(a_secret(make_city("oak").jurisdiction)))
    assert other.get(f"{API}/failures").json() == []


def test_the_ledger_needs_its_scope(city: City) -> None:
    client = Client(headers=bearer(a_secret(city.jurisdiction, ["requests.file"])))
    append("thing.seen", "thing", 1, {}, by=city.system)
    assert client.get(f"{API}/thing/1").status_code == 403
