"""One key sends an answer: the right words, in the resident's language, to their own number, once, remembered by the contact."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, actor_of
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction, InteractionLink
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.kit.testing import at_once
from loop311.knowledge import services as knowledge
from loop311.knowledge.testing import a_draft, an_article, publisher, words
from loop311.ledger.models import Event
from loop311.notifications import sending, services
from loop311.notifications.models import Message, Notice
from loop311.notifications.rendering import article_link, rendered
from loop311.notifications.staff_mail import send_notice
from loop311.residents import services as residents
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


def _contact(city: Jurisdiction, language: str = "es", **points: str) -> Interaction:
    resident = a_resident(city, "Resident", language=language, **(points or {"mobile": "214-555-0123"}))
    return interactions.begin(city, "phone", resident=resident, by=system(city.pk))


def test_it_speaks_the_residents_language_and_the_contact_remembers_it() -> None:
    city = a_city()
    article = an_article(city, "garbage", words(), words("Basura", "es", answer="Mañana pasa.\nDeje el bote."))
    contact = _contact(city)
    message = services.send_article(contact, article, by=actor_of(city, Role.CONCIERGE))
    said = rendered(message)
    assert said.sms.startswith("311 de Testville: Mañana pasa. Deje el bote. http")
    assert (message.kind, message.language, message.interaction_id) == ("sms", "es", contact.pk)
    event = Event.objects.get(kind="article.sent", subject_type="interaction", subject_id=contact.pk)
    assert json.loads(event.body)["article"] == article.pk
    assert InteractionLink.objects.filter(interaction=contact, subject_type="article", subject_id=article.pk).exists()


def test_an_e_mail_has_the_title_the_answer_and_the_link() -> None:
    city = a_city()
    article = an_article(city, "garbage", words("Missed {number} <b>garbage</b>"))
    message = services.send_article(_contact(city, "en", email="resident@example.org"), article, by=system(city.pk))
    sending.deliver(message.pk)
    sent = mail.outbox[0]
    assert sent.subject == "Missed {number} <b>garbage</b>"
    assert "Trucks come until seven." in str(sent.body)
    assert isinstance(sent, mail.EmailMultiAlternatives)
    html = str(sent.alternatives[0][0])
    assert "<b>garbage" not in html
    message.refresh_from_db()
    assert message.state == "sent"


def test_the_same_key_pressed_twice_sends_once_and_another_address_once_more() -> None:
    city = a_city()
    article = an_article(city)
    contact = _contact(city, mobile="214-555-0123", email="resident@example.org")
    points = services.writable_points(contact.resident)
    by = actor_of(city, Role.CONCIERGE)
    first = services.send_article(contact, article, contact_point_id=points[0].id, by=by)
    again = services.send_article(contact, article, contact_point_id=points[0].id, by=by)
    other = services.send_article(contact, article, contact_point_id=points[1].id, by=by)
    assert (first.pk, Message.objects.count()) == (again.pk, 2)
    assert other.kind != first.kind


@pytest.mark.django_db(transaction=True)
def test_two_desks_at_the_same_instant_send_once() -> None:
    city = a_city()
    article, contact = an_article(city), _contact(city)
    results = at_once([lambda: services.send_article(contact, article, by=system(city.pk)).pk for _ in range(4)])
    assert len(set(results)) == 1, results
    assert Message.objects.count() == 1


def test_it_keeps_saying_what_was_published_when_it_was_sent() -> None:
    city = a_city()
    article = an_article(city, "garbage", words(answer="The old answer."))
    message = services.send_article(_contact(city, "en"), article, by=system(city.pk))
    knowledge.publish(a_draft(city, "garbage", words(answer="The new answer.")), by=publisher(city))
    assert "The old answer." in rendered(Message.objects.get(pk=message.pk)).sms


def test_what_must_not_leave_does_not() -> None:
    city, other = a_city(), a_city()
    contact, by = _contact(city), actor_of(city, Role.CONCIERGE)
    with pytest.raises(Conflict, match="staff only"):
        services.send_article(contact, an_article(city, audience="staff"), by=by)
    with pytest.raises(Conflict, match="published"):
        services.send_article(contact, a_draft(city).article, by=by)
    with pytest.raises(Forbidden):
        services.send_article(contact, an_article(city), by=actor_of(city, Role.AUDITOR))
    with pytest.raises(NotFound):
        services.send_article(contact, an_article(other), by=by)
    with pytest.raises(NotFound):
        services.send_article(_contact(other), an_article(city), by=by)
    anonymous = interactions.begin(city, "phone", by=system(city.pk))
    with pytest.raises(Invalid, match="who is calling"):
        services.send_article(anonymous, an_article(city), by=by)


def test_somebody_elses_address_is_none_and_an_unsubscribed_one_may_still_be_answered() -> None:
    city = a_city()
    article, contact = an_article(city), _contact(city)
    stranger = a_resident(city, "Other", email="other@example.org")
    point = residents.contact_points(stranger)[0]
    with pytest.raises(Invalid, match="no mobile number"):
        services.send_article(contact, article, contact_point_id=point.id, by=system(city.pk))
    assert contact.resident is not None
    own = residents.contact_points(contact.resident)[0]
    mine = residents.get_contact_point(contact.resident.pk, own.id, by=system(city.pk))
    residents.unsubscribe(mine, by=system(city.pk))
    assert services.send_article(contact, article, by=system(city.pk)).state == "queued"


# --- The page it links to ----------------------------------------------------------------------------------------------


def test_the_link_leads_to_what_the_city_says_now() -> None:
    city = a_city()
    article = an_article(city, "garbage", words(), words("Basura", "es", body="# Aquí\n\n<script>alert(1)</script>"))
    path = article_link(article.pk, "es", city.pk).split("//", 1)[1].partition("/")[2]
    answer = Client().get(f"/{path}")
    page = answer.content.decode()
    assert (answer.status_code, '<html lang="es">' in page, "<h1>Basura</h1>" in page) == (200, True, True)
    assert "<script" not in page
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    knowledge.retire(article, by=publisher(city))
    assert Client().get(f"/{path}").status_code == 410
    assert Client().get("/a/forged").status_code == 404


def test_a_page_that_has_become_staff_only_is_shown_no_more() -> None:
    city = a_city()
    article = an_article(city, "garbage")
    path = article_link(article.pk, "en", city.pk).split("//", 1)[1].partition("/")[2]
    knowledge.publish(a_draft(city, "garbage", audience="staff"), by=publisher(city))
    answer = Client().get(f"/{path}")
    assert (answer.status_code, b"Trucks" in answer.content) == (410, False)


# --- A gap that nobody answered ----------------------------------------------------------------------------------------


def test_a_late_gap_is_told_to_whoever_leads_the_team_without_the_callers_words() -> None:
    city = a_city()
    an_article(city)
    lead = actor_of(city, Role.TEAM_LEAD, teams=["knowledge-owners"])
    gap = knowledge.report_gap(city, "Xyzzy question", by=system(city.pk))
    knowledge.mark_late(gap.due_at + timedelta(minutes=1))
    services.notify_gap_late(Event.objects.get(kind="gap.late").pk)
    notice = Notice.objects.get()
    assert notice.staff_id == lead.ref
    send_notice(notice.pk)
    assert "nobody knows" in mail.outbox[0].subject
    assert "Xyzzy" not in str(mail.outbox[0].body)


def test_without_a_lead_it_goes_up_and_never_to_nobody() -> None:
    city = a_city()
    an_article(city)
    boss = actor_of(city, Role.ADMINISTRATOR)
    gap = knowledge.report_gap(city, "Question", by=system(city.pk), at=now())
    event = Event.objects.get(kind="gap.opened", subject_id=gap.pk)
    services.notify_gap_late(event.pk)
    assert Notice.objects.filter(staff_id=boss.ref).exists()
