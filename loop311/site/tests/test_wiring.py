"""What follows from an event, through every room that hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from loop311.accounts.models import Token
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_secret
from loop311.callbacks.testing import a_callback
from loop311.interactions import services as interactions
from loop311.kit.actor import system
from loop311.ledger.models import Event
from loop311.ledger.services import append, handle, handlers_of
from loop311.notifications.models import Message, Notice
from loop311.notifications.staff_mail import send_notice
from loop311.requests.testing import employ, make_city
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


def test_the_owner_of_a_link_is_told_that_it_works_again_and_what_has_come_not_to_agree(mailoutbox: Any) -> None:
    here = linked()
    here.beat()
    here.hand_over()
    here.reconcile()
    here.department.set("100", "Odd")
    here.beat()
    here.reconcile()
    here.reconcile()
    services.mark_silent(here.at + timedelta(minutes=2))
    here.beat(later=130)
    deliver("link.compared")
    deliver("link.up")
    told = Notice.objects.order_by("pk")
    assert [(notice.event.kind, notice.staff) for notice in told] == [
        ("link.compared", here.link.owner),
        ("link.up", here.link.owner),
    ]
    for notice in told:
        send_notice(notice.pk)
    assert [mail.subject for mail in mailoutbox] == ["Records that do not agree: streets", "Answers again: streets"]
    assert "1 records have come to need a person; 1 do in all." in mailoutbox[0].body
    assert "/desk/links/streets/" in mailoutbox[0].body


def test_the_administrators_are_told_of_a_webhook_that_nobody_ended_on_purpose(mailoutbox: Any) -> None:
    city = make_city()
    administrator = employ(city.jurisdiction, "ada", Role.ADMINISTRATOR)
    a_secret(city.jurisdiction, ["requests.file"])
    for why in ("owner", "silent"):
        body = {"token": Token.objects.get().pk, "why": why}
        append("webhook.ended", "webhook", 1, body, by=city.system)
    deliver("webhook.ended")
    notice = Notice.objects.get()
    assert notice.staff == administrator
    send_notice(notice.pk)
    assert Token.objects.get().name in mailoutbox[0].subject
    assert "it took nothing for five days" in mailoutbox[0].body


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
