"""Somebody is erased at the very moment at which something of theirs is written down: nothing of it may stay."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction

from loop311.callbacks.models import Callback
from loop311.callbacks.testing import a_callback
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid, Problem
from loop311.kit.testing import at_once
from loop311.ledger import services as ledger
from loop311.ledger.models import Event
from loop311.ledger.services import handlers_of
from loop311.requests import services
from loop311.requests.models import Comment, Request
from loop311.requests.testing import City, make_city
from loop311.residents.models import Resident
from loop311.residents.services import erase
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "behind the blue house of the Resident"


def erased(person: Resident, city: City) -> None:
    """And what the worker does afterwards."""
    erase(person, by=city.system)
    event = Event.objects.filter(kind="resident.erased", subject_id=person.pk).latest("pk")
    for name, _ in handlers_of(event.kind):
        ledger.handle(event.pk, event.kind, name)


def while_it_waits(hold: Callable[[], object], second: Callable[[], object]) -> list[Exception]:
    """`hold` in a transaction, `second` beside it; the first commits when the second waits for it, or has ended."""
    held, failed = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            held.wait(120)
            second()
        except Problem as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    with transaction.atomic():
        hold()
        held.set()
        end = time.monotonic() + 120
        while thread.is_alive() and not _somebody_waits() and time.monotonic() < end:
            time.sleep(0.01)
    thread.join()
    return failed


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would show the first look for ever
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_filing_that_waited_for_an_erasure_is_refused() -> None:
    city = make_city()
    person = a_resident(city.jurisdiction, email="r@example.org")
    [refused] = while_it_waits(
        lambda: erase(person, by=city.system), lambda: city.file(at=now(), resident=person, description=SECRET)
    )
    assert isinstance(refused, Invalid)
    assert refused.fields[0].field == "resident_id"
    assert not Request.objects.exists()


def test_an_erasure_that_waited_for_a_filing_erases_it() -> None:
    city = make_city()
    person = a_resident(city.jurisdiction, email="r@example.org")
    assert (
        while_it_waits(lambda: city.file(at=now(), resident=person, description=SECRET), lambda: erased(person, city))
        == []
    )
    assert Request.objects.get().description == ""


@pytest.mark.slow
def test_whoever_comes_first_no_words_of_an_erased_resident_stay() -> None:
    city = make_city()
    for _ in range(25):
        person = a_resident(city.jurisdiction, email="r@example.org")
        filing = partial(city.file, at=now(), resident=person, description=SECRET, on_behalf_of=SECRET)
        calling = partial(a_callback, city.jurisdiction, resident=person, reason=SECRET)
        actions: list[Callable[[], object]] = [partial(erased, person, city), *[filing] * 3, *[calling] * 2]
        outcomes = at_once(actions)
        assert all(not isinstance(each, Exception) or isinstance(each, Invalid | Conflict) for each in outcomes), (
            outcomes
        )
    assert not Request.objects.exclude(description="").exists()
    assert not Interaction.objects.exclude(on_behalf_of="").exists()
    assert not Callback.objects.exclude(reason="").exists()


def test_a_contact_that_waited_for_an_erasure_names_nobody() -> None:
    city = make_city()
    person = a_resident(city.jurisdiction, email="r@example.org")
    [refused] = while_it_waits(
        lambda: erase(person, by=city.system),
        lambda: interactions.begin(city.jurisdiction, "phone", by=city.system, resident=person, on_behalf_of=SECRET),
    )
    assert isinstance(refused, Conflict)


def test_an_erased_residents_no_brings_no_words_back() -> None:
    city = make_city()
    person = a_resident(city.jurisdiction, email="r@example.org")
    request = city.done(city.file(at=now(), resident=person), at=now())
    erased(person, city)
    by = Actor(ActorKind.RESIDENT, city.jurisdiction.pk, person.pk, frozenset({"requests.dispute", "requests.comment"}))
    with pytest.raises(Conflict, match="erased"):
        services.dispute(request, text=SECRET, by=by)
    with pytest.raises(Conflict, match="erased"):
        services.comment(request, text=SECRET, by=by)
    assert not Comment.objects.exclude(text="").exists()
    assert services.dispute(request, by=city.concierge).state == "received"
