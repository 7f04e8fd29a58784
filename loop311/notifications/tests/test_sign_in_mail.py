"""The city's own people are told of what happens to their sign-in."""

from __future__ import annotations

import pytest
from django.core import mail

from loop311.accounts import events, factors, links
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, a_member
from loop311.kit.actor import system
from loop311.ledger.models import Event
from loop311.notifications import services
from loop311.notifications.models import Notice
from loop311.notifications.sign_in_mail import TEXTS
from loop311.notifications.staff_mail import send_notice

pytestmark = pytest.mark.django_db


def test_a_link_is_made_when_it_is_sent_and_stands_nowhere_else() -> None:
    city = a_city(languages=["es", "en"])
    staff = a_member(city, Role.CONCIERGE)
    links.invite(staff, by=system(city.pk))
    services.notify_own_sign_in(Event.objects.get(kind="staff.link_asked").pk)
    send_notice(Notice.objects.get().pk)
    (sent,) = mail.outbox
    assert sent.to == [staff.user.email]
    assert sent.subject.startswith("Elija su contraseña")
    uid, token = sent.body.partition("/desk/password/")[2].split("/")[:2]
    assert links.user_behind(uid, token) == staff.user


def test_every_change_is_told() -> None:
    staff = a_member(a_city())
    for kind in TEXTS:
        assert kind in events.EVENTS
    factors.note_own_change(staff.user, "staff.factor_added", {"factor": "totp"})
    services.notify_own_sign_in(Event.objects.get(kind="staff.factor_added").pk)
    send_notice(Notice.objects.get().pk)
    assert "If it was not you" in mail.outbox[0].body


def test_somebody_who_left_is_told_nothing() -> None:
    staff = a_member(a_city())
    links.invite(staff, by=system(staff.jurisdiction_id))
    staff.is_active = False
    staff.save()
    services.notify_own_sign_in(Event.objects.get(kind="staff.link_asked").pk)
    assert not Notice.objects.exists()
