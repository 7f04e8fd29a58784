"""The daily e-mail: to whom, at the hour of their city's day, once, with the truth, and no longer than wanted."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from loop311.accounts.models import StaffMember, Team
from loop311.accounts.policies import Role
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.problems import Forbidden, Invalid
from loop311.kit.testing import same_number_of_queries
from loop311.notifications import services
from loop311.notifications.digest_mail import report_for, send_digest, stop_link
from loop311.notifications.models import Digest
from loop311.requests import services as requests
from loop311.requests.testing import MONDAY, City, employ, make_city

pytestmark = pytest.mark.django_db

SEVEN = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
"""07:00 on a Monday in Chicago, whose clocks went forward the day before."""


@pytest.fixture
def city() -> City:
    return make_city()


@pytest.fixture
def lead(city: City) -> StaffMember:
    return employ(
        city.jurisdiction, "lead", Role.TEAM_LEAD, Team.objects.get(jurisdiction=city.jurisdiction, code="north")
    )


def acting(staff: StaffMember) -> Actor:
    return Actor(ActorKind.STAFF, staff.jurisdiction_id, ref=staff.pk)


def sent_to(staff: StaffMember, at: datetime = SEVEN) -> Any:
    services.plan_digests(at)
    send_digest(Digest.objects.get(staff=staff).pk, at)
    return mail.outbox[-1]


def test_it_goes_out_once_a_day_at_the_hour_of_the_citys_own_clock(city: City, lead: StaffMember) -> None:
    assert services.plan_digests(SEVEN - timedelta(minutes=1)) == 0
    assert services.plan_digests(SEVEN) == 1
    assert services.plan_digests(SEVEN + timedelta(hours=2)) == 0
    assert services.plan_digests(SEVEN + timedelta(days=1)) == 1


def test_what_was_missed_for_hours_waits_for_tomorrow(city: City, lead: StaffMember) -> None:
    assert services.plan_digests(SEVEN + timedelta(hours=4)) == 0


def test_the_role_decides_until_the_person_does(city: City, lead: StaffMember) -> None:
    coordinator = employ(city.jurisdiction, "coordinator", Role.COORDINATOR)
    assert services.plan_digests(SEVEN) == 2
    assert set(Digest.objects.values_list("staff_id", flat=True)) == {lead.pk, coordinator.pk}
    services.choose_digest(lead, is_wanted=False, by=acting(lead))
    services.choose_digest(city.crew, is_wanted=True, hour=9, by=acting(city.crew))
    tomorrow = SEVEN + timedelta(days=1)
    assert (services.plan_digests(tomorrow), services.plan_digests(tomorrow + timedelta(hours=2))) == (1, 1)
    assert Digest.objects.filter(staff=city.crew).count() == 1


def test_it_tells_counts_and_the_longest_late_and_nothing_of_who_asked(city: City, lead: StaffMember) -> None:
    late = city.file(description="My own words", address="5 Oak St")
    requests.assign(city.file(at=SEVEN), assignee=city.crew, by=city.system)
    message = sent_to(lead, SEVEN + timedelta(hours=1))
    assert message.to == [lead.user.email]
    assert message.subject == "Elmville: 1 late, 0 due within a day, 1 nobody's yet"
    for words in (
        "North: 2 open, 1 late",
        "/desk/queue/north/",
        f"{late.number} Pothole, promised by",
        "Longest late:",
    ):
        assert words in message.body
    for words in ("Oak", "own words"):
        assert words not in message.body
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_who_coordinates_and_belongs_to_no_team_sees_those_with_something_late(city: City) -> None:
    coordinator = employ(city.jurisdiction, "coordinator", Role.COORDINATOR)
    city.file()
    city.file(service_code="sign", answers={}, at=SEVEN)
    message = sent_to(coordinator)
    assert "North: 1 open" in message.body
    assert "Signs" not in message.body


def test_nothing_open_is_no_e_mail_and_not_tried_again(city: City, lead: StaffMember) -> None:
    services.plan_digests(SEVEN)
    digest = Digest.objects.get()
    send_digest(digest.pk)
    assert mail.outbox == []
    digest.refresh_from_db()
    assert digest.sent_at is not None


def test_a_mail_server_that_is_away_is_tried_again_with_the_same_id(
    city: City, lead: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.file()
    services.plan_digests(SEVEN)
    digest = Digest.objects.get()

    def away(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_digest(digest.pk)
    digest.refresh_from_db()
    assert (digest.error, digest.sent_at) == ("SMTPServerDisconnected", None)
    monkeypatch.undo()
    for _ in range(2):
        send_digest(digest.pk)
    assert [message.extra_headers["Message-ID"] for message in mail.outbox] == [digest.message_id]


def test_the_link_in_it_asks_first_and_stops_only_this_persons(city: City, lead: StaffMember) -> None:
    city.file()
    services.plan_digests(SEVEN)
    path = "/" + stop_link(Digest.objects.select_related("jurisdiction").get()).split("/", 3)[3]
    assert "Stop the daily e-mail" in Client().get(path).content.decode()
    assert services.digest_choice(lead).is_wanted
    assert "no daily e-mail any more" in Client().post(path).content.decode()
    assert not services.digest_choice(lead).is_wanted
    assert Client().get(path + "x").status_code == 404


def test_everybody_chooses_alone(city: City, lead: StaffMember) -> None:
    with pytest.raises(Forbidden):
        services.choose_digest(lead, is_wanted=False, by=acting(city.crew))
    with pytest.raises(Invalid):
        services.choose_digest(lead, is_wanted=True, hour=24, by=acting(lead))
    client = Client()
    client.force_login(lead.user)
    assert client.post("/desk/digest/", {"is_wanted": "on", "hour": "18"}).status_code == 302
    assert services.digest_choice(lead).hour == 18
    assert client.post("/desk/digest/", {"hour": "99"}).status_code == 422
    assert client.get("/desk/digest/").status_code == 200


def test_it_asks_the_database_the_same_number_of_times_whatever_lies_with_the_teams(
    city: City, lead: StaffMember
) -> None:
    city.file()
    services.plan_digests(SEVEN)
    digest = Digest.objects.select_related("jurisdiction", "staff").get()
    same_number_of_queries(lambda: report_for(digest, SEVEN), lambda: [city.file(at=MONDAY) for _ in range(4)])
