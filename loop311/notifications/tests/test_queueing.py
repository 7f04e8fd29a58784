"""Which events become which messages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from loop311.accounts.models import Team
from loop311.catalog import definitions as d
from loop311.catalog.placeholders import EVENTS, PLACEHOLDERS
from loop311.catalog.services import publish
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.ledger.services import append
from loop311.notifications import defaults, services
from loop311.notifications.models import Message
from loop311.notifications.policies import MessageState
from loop311.notifications.preview import preview
from loop311.notifications.rendering import placeholder_values, rendered, spoken
from loop311.notifications.tests.telling import told
from loop311.requests.models import Request
from loop311.requests.services import Proof, add_evidence, comment, confirm, decline, hand_over, join, reroute, resolve
from loop311.requests.testing import City, small_catalogue
from loop311.residents.services import PointInput, add_contact_point, erase, unsubscribe
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


def filed(city: City, **resident: str) -> Request:
    person = a_resident(city.jurisdiction, **{"email": "resident@example.org", **resident})
    return city.file(at=now(), resident=person)


def test_a_filed_request_is_answered_on_every_way_to_write(city: City) -> None:
    request = filed(city, mobile="+1 214 555 0123")
    by_mail, by_text = told("request.filed", request.pk)
    assert (by_mail.kind, by_text.kind) == ("email", "sms")
    words = rendered(by_mail)
    assert request.number in words.subject
    assert "fill it" in words.body
    assert by_mail.message_id != by_text.message_id


def test_nobody_is_told_of_an_anonymous_request(city: City) -> None:
    assert told("request.filed", city.file(at=now()).pk) == []


def test_a_telephone_for_voice_only_is_not_written_to(city: City) -> None:
    request = filed(city)
    assert request.resident is not None
    add_contact_point(request.resident, PointInput("phone", "+1 214 555 0124"), by=city.system)
    add_contact_point(request.resident, PointInput("email", "b@example.org", may_notify=False), by=city.system)
    assert [m.kind for m in told("request.filed", request.pk)] == ["email"]


def test_the_unsubscribed_get_the_receipt_of_what_they_ask_and_nothing_else(city: City) -> None:
    request = filed(city)
    assert request.resident is not None
    unsubscribe(request.resident.contact_points.get(), by=city.system)
    assert len(told("request.filed", request.pk)) == 1
    city.done(request, at=now())
    assert told("request.done", request.pk) == []


def test_the_residents_language_is_spoken_dates_too(city: City) -> None:
    request = filed(city, language="es")
    [message] = told("request.filed", request.pk)
    assert message.language == "es"
    assert "planea" in rendered(message).body
    assert re.search(r"(lunes|martes|miércoles|jueves|viernes|sábado|domingo) \d+ de [a-z]+", rendered(message).body)


def test_an_unknown_language_falls_back_to_the_citys_first(city: City) -> None:
    [message] = told("request.filed", filed(city, language="vi").pk)
    assert message.language == "en"


def test_a_message_says_what_was_so_when_it_happened(city: City) -> None:
    """The worker was away; by the time the message is made and sent, the request is done."""
    request = filed(city)
    city.done(request, at=now())
    [message] = told("request.assigned", request.pk)
    assert "North has it and plans to fill it" in rendered(message).body
    [message] = told("request.done", request.pk)
    assert "The work was done." in rendered(message).body


def test_each_reporter_of_a_joined_request_is_told_the_true_end(city: City) -> None:
    leading, follower = filed(city), filed(city, email="other@example.org", language="es")
    join(follower, leading=leading, by=city.system)
    leading = add_evidence(leading, Proof(kind=d.EvidenceKind.PHOTO, reference="p"), by=city.system)
    resolve(leading, outcome="filled", by=city.system)
    [message] = told("request.leader_done", follower.pk)
    assert leading.number in rendered(message).body
    for request in (leading, follower):
        confirm(request, by=city.system)
    [message] = told("request.leader_closed", follower.pk)
    assert (message.contact_point.address, message.language) == ("other@example.org", "es")


def test_a_reporter_of_a_declined_family_hears_that_one_can_object(city: City) -> None:
    leading, follower = filed(city), filed(city, email="other@example.org")
    join(follower, leading=leading, by=city.system)
    decline(leading, outcome="not-ours", by=city.system)
    [message] = told("request.leader_closed", follower.pk)
    words = rendered(message)
    assert "You can object by" in words.body
    assert "It is not the city's." in words.body
    assert follower.number in words.subject


def test_what_is_taken_down_long_after_is_not_announced(city: City) -> None:
    person = a_resident(city.jurisdiction, email="resident@example.org")
    request = city.file(at=now() - timedelta(days=30), resident=person)
    assert told("request.filed", request.pk) == []


def test_a_handler_that_runs_twice_makes_one_message(city: City) -> None:
    request = filed(city)
    assert len(told("request.filed", request.pk)) == 1
    assert len(told("request.filed", request.pk)) == 1


def test_texts_wait_for_the_morning_but_receipts_do_not(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    night = datetime(2026, 3, 5, 5, tzinfo=UTC)  # 11 at night in Chicago
    monkeypatch.setattr(services.queueing, "now", lambda: night)
    request = filed(city, mobile="+1 214 555 0123")
    assert {m.state for m in told("request.filed", request.pk)} == {"queued"}
    city.done(request, at=now())
    by_mail, by_text = told("request.done", request.pk)
    assert (by_mail.state, by_text.state) == (MessageState.QUEUED, MessageState.HELD)
    assert by_text.next_attempt_at == datetime(2026, 3, 5, 14, tzinfo=UTC)


def test_the_citys_own_template_wins_and_the_services_own_over_that(city: City) -> None:
    def template(word: str, *only: str) -> d.Template:
        texts = {"en": f"{word} {{number}}", "es": f"{word} {{number}}"}
        return d.Template(event="request.filed", subject=texts, body=texts, sms=texts, services=only)

    catalogue = small_catalogue()
    general, own = template("general"), template("pothole", "pothole")
    publish(city.jurisdiction, replaced(catalogue, (general, own)), by=city.system)
    [message] = told("request.filed", filed(city).pk)
    assert message.catalogue_version is not None
    assert rendered(message).subject.startswith("pothole")
    assert preview(city.jurisdiction, "request.filed", service_code="sign").subject.startswith("general")
    publish(city.jurisdiction, replaced(catalogue, ()), by=city.system)
    assert rendered(Message.objects.get(pk=message.pk)).subject.startswith("pothole")


def replaced(catalogue: d.Catalogue, templates: tuple[d.Template, ...]) -> d.Catalogue:
    return d.Catalogue(**{**{f: getattr(catalogue, f) for f in catalogue.__struct_fields__}, "templates": templates})


def test_a_note_for_the_resident_is_told_in_its_own_words_and_a_text_points_to_it(city: City) -> None:
    request = filed(city, mobile="+1 214 555 0123")
    comment(request, text="The part is ordered.", is_public=True, by=city.member)
    by_mail, by_text = told("request.commented", request.pk)
    assert "The part is ordered." in rendered(by_mail).body
    assert "The part is ordered." not in str(by_mail.facts)
    assert "wrote you a note" in rendered(by_text).sms
    assert "/r/" in rendered(by_text).sms


def test_words_among_the_team_and_the_residents_own_are_not_told(city: City) -> None:
    request = filed(city)
    comment(request, text="Only among us.", by=city.member)
    assert told("request.commented", request.pk) == []
    resident = Actor(ActorKind.RESIDENT, request.jurisdiction_id, permissions=frozenset({"requests.comment"}))
    comment(request, text="I add this.", is_public=True, by=resident)
    assert told("request.commented", request.pk) == []


def test_a_re_route_is_told_with_the_new_team_and_the_date(city: City) -> None:
    request = filed(city)
    reroute(request, team=Team.objects.get(code="signs"), by=city.system)
    [message] = told("request.rerouted", request.pk)
    assert "Signs has it now and plans to fill it by" in rendered(message).body


def test_a_re_route_between_teams_of_one_name_is_not_told(city: City) -> None:
    request = filed(city)
    Team.objects.filter(code="south").update(names=request.team.names)
    reroute(request, team=Team.objects.get(code="south"), by=city.system)
    assert told("request.rerouted", request.pk) == []


def test_a_cancelled_call_back_is_told_unless_another_stands_in_its_place(city: City) -> None:
    person = a_resident(city.jurisdiction, email="resident@example.org")
    body = {"resident": person.pk, "request": None, "window_from": now().isoformat(), "window_to": now().isoformat()}
    append("callback.cancelled", "callback", 1, {**body, "reason": "mistake", "on_time": True}, by=city.system)
    [message] = told("callback.cancelled", 1)
    assert "we will not call" in rendered(message).body
    append("callback.cancelled", "callback", 2, {**body, "reason": "duplicate", "on_time": True}, by=city.system)
    assert told("callback.cancelled", 2) == []


def test_the_outside_owners_number_is_read_when_the_message_is_sent_and_kept_nowhere(city: City) -> None:
    request = filed(city)
    hand_over(request, owner="state-roads", reference="TX-9", by=city.system)
    [message] = told("request.handed_over", request.pk)
    assert "TX-9" in rendered(message).body
    assert "TX-9" not in str(Message.objects.filter(pk=message.pk).values()) + message.event.body


def test_a_call_back_is_told_with_its_window(city: City) -> None:
    request = filed(city)
    start = datetime(2026, 3, 5, 20, tzinfo=UTC)
    body = {
        "resident": request.resident_id,
        "request": request.pk,
        "window_from": start.isoformat(),
        "window_to": (start + timedelta(hours=2)).isoformat(),
    }
    append("callback.promised", "callback", 1, body, by=city.system)
    [message] = told("callback.promised", 1)
    assert "Thursday, March 5, 2:00 PM to 4:00 PM" in rendered(message).body.replace(", 2026", "")


def test_an_erased_resident_leaves_no_words_in_any_message(city: City) -> None:
    request = filed(city)
    [message] = told("request.filed", request.pk)
    assert request.resident is not None
    erase(request.resident, by=city.system)
    assert "example.org" not in str(Message.objects.filter(pk=message.pk).values())
    assert services.claim(message.pk) is None
    message.refresh_from_db()
    assert message.state == MessageState.SKIPPED


def test_every_built_in_text_has_both_languages_and_known_placeholders(city: City) -> None:
    known = set(placeholder_values({}, jurisdiction=city.jurisdiction, language="en", at=now()))
    assert known == set(PLACEHOLDERS)
    assert set(defaults.TEMPLATES) == EVENTS
    for template in defaults.TEMPLATES.values():
        for texts in (template.subject, template.body, template.sms):
            assert set(texts) == {"en", "es"}
            used = [set(re.findall(r"\{(\w+)\}", texts[language])) for language in ("en", "es")]
            assert used[0] == used[1] <= known, template.event


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("event", sorted(defaults.TEMPLATES))
def test_every_kind_can_be_previewed_with_nothing_left_open(city: City, event: str, language: str) -> None:
    words = preview(city.jurisdiction, event, language=language)
    assert "{" not in words.subject + words.body + words.sms + words.html
    assert words.language == language


def test_what_is_due_at_midnight_is_due_the_day_before(city: City) -> None:
    midnight = datetime(2026, 3, 6, 6, tzinfo=UTC)  # in Chicago
    facts = {"due_on": midnight.isoformat()}
    early = placeholder_values(facts, jurisdiction=city.jurisdiction, language="en", at=midnight - timedelta(days=4))
    assert early["due_on"] == "Thursday, March 5"
    soon = placeholder_values(facts, jurisdiction=city.jurisdiction, language="en", at=midnight - timedelta(hours=9))
    assert soon["due_on"] == "Thursday, March 5, 11:59 PM"


def test_dates_are_said_with_their_year_or_hour_where_that_matters(city: City) -> None:
    zone, at = city.jurisdiction.zone, datetime(2026, 3, 5, 18, tzinfo=UTC)
    assert spoken(at + timedelta(days=4), at, zone, "en") == "Monday, March 9"
    assert spoken(at + timedelta(days=400), at, zone, "es") == "viernes 9 de abril de 2027"
    assert spoken(at + timedelta(hours=2), at, zone, "en") == "Thursday, March 5, 2:00 PM"
    assert "tháng" in spoken(at + timedelta(days=4), at, zone, "vi").lower()
