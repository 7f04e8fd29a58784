from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail

from loop311.accounts.models import Team
from loop311.accounts.policies import Role
from loop311.catalog.definitions import Tell
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.notifications import services
from loop311.notifications.models import Notice
from loop311.notifications.staff_mail import send_notice
from loop311.notifications.testing import MailServer
from loop311.requests.models import Request
from loop311.requests.services import sweep
from loop311.requests.testing import City, employ


def escalated(city: City) -> Event:
    """A pothole filed a week ago, late now."""
    city.file(at=now() - timedelta(days=7))
    sweep()
    return Event.objects.filter(kind="request.escalated").latest("pk")


def north(city: City) -> Team:
    return Team.objects.get(jurisdiction=city.jurisdiction, code="north")


def test_each_of_those_the_ladder_names_is_told_once(city: City) -> None:
    lead = employ(city.jurisdiction, "lead", Role.TEAM_LEAD, north(city))
    manager = employ(city.jurisdiction, "manager", Role.DEPARTMENT_MANAGER)
    employ(city.jurisdiction, "other", Role.TEAM_LEAD)
    request = city.file()
    assert services.recipients(request, [Tell.TEAM_LEAD, Tell.OWNER]) == [lead, manager]


def test_the_owner_named_by_sign_in_is_told(city: City) -> None:
    owner = employ(city.jurisdiction, "owner", Role.TEAM_MEMBER)
    owner.user.username = "street-manager"
    owner.user.save()
    assert services.recipients(city.file(), [Tell.OWNER]) == [owner]


def test_somebody_who_left_is_not_told(city: City) -> None:
    lead = employ(city.jurisdiction, "lead", Role.TEAM_LEAD, north(city))
    lead.is_active = False
    lead.save()
    assert services.recipients(city.file(), [Tell.TEAM_LEAD]) == []


def test_without_anybody_the_teams_own_address_is_written_to(city: City) -> None:
    Team.objects.filter(code="north").update(email="north@elmville.example")
    event = escalated(city)
    services.notify_escalation(event.pk)
    notice = Notice.objects.get()
    send_notice(notice.pk)
    (sent,) = mail.outbox
    assert sent.to == ["north@elmville.example"]
    assert Request.objects.get(pk=event.subject_id).number in sent.subject
    assert "Pothole" in sent.body


def test_when_the_ladder_reaches_nobody_the_administrators_are_told(city: City) -> None:
    chief = employ(city.jurisdiction, "chief", Role.ADMINISTRATOR)
    services.notify_escalation(escalated(city).pk)
    assert Notice.objects.get().staff == chief


def test_a_notice_is_sent_once_and_a_crash_repeats_its_name(city: City, smtp: MailServer) -> None:
    employ(city.jurisdiction, "manager", Role.DEPARTMENT_MANAGER)
    services.notify_escalation(escalated(city).pk)
    notice = Notice.objects.get()
    smtp.replies = ["drop"]
    with pytest.raises(smtplib.SMTPException):
        send_notice(notice.pk)
    notice.refresh_from_db()
    assert notice.error
    for _ in range(2):
        send_notice(notice.pk)
    assert len(smtp.accepted) == 2  # once before the crash, once after; then no more
    assert len(set(smtp.ids)) == 1
