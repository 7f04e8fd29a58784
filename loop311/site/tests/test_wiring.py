"""What follows from an event, through every room that hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from loop311.callbacks.testing import a_callback
from loop311.interactions import services as interactions
from loop311.kit.actor import system
from loop311.ledger.models import Event
from loop311.ledger.services import handle, handlers_of
from loop311.notifications.models import Message, Notice
from loop311.requests.testing import make_city
from loop311.residents import services as residents
from loop311.residents.testing import a_resident
from loop311.workorders import services
from loop311.workorders.testing import linked

pytestmark = pytest.mark.django_db

SECRET = "Xyzzy"


def deliver(kind: str) -> None:
    """What the worker does with the events of this kind."""
    for event in Event.objects.filter(kind=kind):
        for name, _ in handlers_of(kind):
            assert handle(event.pk, kind, name)


def test_the_resident_is_told_of_a_promised_call_back() -> None:
    city = make_city()
    callback = a_callback(city.jurisdiction)
    deliver("callback.promised")
    assert set(Message.objects.values_list("resident_id", flat=True)) == {callback.resident_id}


def test_an_erased_residents_words_go_from_every_room() -> None:
    city = make_city()
    by = system(city.jurisdiction.pk)
    resident = a_resident(city.jurisdiction, SECRET, email="ana@example.org", mobile="214-555-0123")
    contact = interactions.begin(city.jurisdiction, "phone", resident=resident, on_behalf_of=SECRET, by=by)
    request = city.file(resident=resident, interaction=contact, description=SECRET)
    callback = a_callback(city.jurisdiction, resident=resident, request=request, team=None, reason=SECRET)
    residents.erase(resident, by=by)
    deliver("resident.erased")
    for row in (resident, contact, request, callback):
        row.refresh_from_db()
    assert (resident.name, contact.on_behalf_of, request.description, callback.reason) == ("", "", "", "")
    assert not Event.objects.filter(body__icontains=SECRET).exists()


def test_the_owner_of_a_link_is_told_that_it_is_down() -> None:
    here = linked()
    here.beat()
    services.mark_silent(here.at + timedelta(minutes=2))
    deliver("link.down")
    assert [notice.staff for notice in Notice.objects.all()] == [here.link.owner]


def test_a_filed_request_reaches_the_departments_own_system() -> None:
    here = linked()
    request = here.city.file()
    deliver("request.filed")
    here.work()
    assert here.department.records["100"].reference == f"elmville-{request.number}"


def test_a_city_without_links_pays_no_job_for_them() -> None:
    make_city().file()
    linked("oakville").city.file()
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'event_id' FROM procrastinate_jobs WHERE args->>'handler' LIKE '%workorders%'")
        told = [int(row[0]) for row in cursor.fetchall()]
    assert [event.jurisdiction.slug for event in Event.objects.filter(pk__in=told)] == ["oakville"]
