"""Call-backs and failures at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from loop311.accounts.models import Team
from loop311.accounts.policies import Role
from loop311.callbacks import services as callbacks
from loop311.callbacks.models import Callback
from loop311.callbacks.testing import a_callback
from loop311.desk.testing import Sitting, sit
from loop311.kit.clock import now
from loop311.kit.models import Sweep
from loop311.kit.testing import page, same_number_of_queries
from loop311.ledger.models import Event
from loop311.notifications.models import Message, Notice
from loop311.notifications.services import notify_callback_event, notify_late_callback
from loop311.notifications.staff_mail import send_notice
from loop311.requests import services as requests
from loop311.requests.models import ImportRun
from loop311.requests.testing import employ, make_city
from loop311.residents import services as residents
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    return sit()


def post(desk: Sitting, callback: Callback, name: str, status: int, **data: str) -> str:
    callback.refresh_from_db()
    sent = {"version": str(callback.version), **data}
    response = desk.client.post(f"/desk/callbacks/{callback.pk}/{name}/", sent)
    assert response.status_code == status, response.content.decode()[-3000:]
    return response.content.decode()


def test_a_call_is_taken_tried_and_kept(desk: Sitting) -> None:
    callback = a_callback(desk.city.jurisdiction, reason="about the fence")
    assert "about the fence" not in page(desk.client, "/desk/callbacks/").text
    assert "about the fence" in page(desk.client, "/desk/callbacks/?whose=all").text
    post(desk, callback, "take", 302)
    assert "about the fence" in page(desk.client, "/desk/callbacks/").text
    post(desk, callback, "attempt", 302, way="call", outcome="no_answer")
    text = page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "No answer" in text
    post(desk, callback, "attempt", 302, way="call", outcome="reached")
    callback.refresh_from_db()
    assert callback.state == "kept"
    assert "What you can do now" not in page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "Nobody is waiting" in page(desk.client, "/desk/callbacks/?whose=all").text


def test_a_call_fails_only_after_two_ways_and_changes_no_request(desk: Sitting) -> None:
    request = desk.city.file()
    callback = a_callback(desk.city.jurisdiction, request=request)
    post(desk, callback, "attempt", 302, way="call", outcome="voicemail")
    assert "2 different ways" in post(desk, callback, "fail", 409)
    post(desk, callback, "attempt", 302, way="message", outcome="message_left")
    post(desk, callback, "fail", 302)
    request.refresh_from_db()
    assert request.state == "received"


def test_a_stale_or_odd_form_is_refused_and_kept(desk: Sitting) -> None:
    callback = a_callback(desk.city.jurisdiction)
    post(desk, callback, "take", 302)
    assert "reached" in post(desk, callback, "attempt", 409, way="call", outcome="reached", version="1")
    post(desk, callback, "attempt", 422, way="pigeon", outcome="reached")
    post(desk, callback, "cancel", 422)
    post(desk, callback, "explode", 404)
    callback.refresh_from_db()
    assert callback.state == "open"


def test_a_call_is_promised_from_a_request(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    request = desk.city.file(resident=a_resident(city, mobile="214-555-0123"))
    path = f"/desk/requests/{request.number}/callback/"
    page(desk.client, path)
    day = (now() + timedelta(days=2)).astimezone(city.zone).date().isoformat()
    page(desk.client, path, status=422, data={"day": day, "start": "16:00", "end": "14:00"}, post=True)
    page(desk.client, path, status=422, data={"day": "soon"}, post=True)
    sent = {"day": day, "start": "14:00", "end": "16:00", "reason": "the crew's answer"}
    assert desk.client.post(path, sent).status_code == 302
    callback = Callback.objects.get()
    assert callback.window_start.astimezone(city.zone).hour == 14
    assert "2 p.m. \N{EN DASH} 4 p.m." in page(desk.client, f"/desk/requests/{request.number}/").text
    anonymous = desk.city.file()
    page(desk.client, f"/desk/requests/{anonymous.number}/callback/", status=422, data=sent, post=True)


def test_a_call_is_promised_about_no_request_by_the_resident_s_clock(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    person = a_resident(city, "Ana", mobile="214-555-0123")
    path = f"/desk/residents/{person.pk}/callback/"
    assert "By which clock" not in page(desk.client, path).text
    residents.update(person, time_zone="America/New_York", by=desk.city.system)
    assert "The resident's (New York)" in page(desk.client, path).text
    day = (now() + timedelta(days=2)).astimezone(city.zone).date().isoformat()
    sent = {"day": day, "start": "14:00", "end": "16:00", "way": "call", "team": "north", "by_me": "on"}
    for clock, hour in (("resident", 13), ("city", 14)):
        assert desk.client.post(path, {**sent, "clock": clock}).status_code == 302
        callback = Callback.objects.latest("pk")
        assert callback.window_start.astimezone(city.zone).hour == hour
        assert (callback.owner, callback.team.code, callback.request) == (desk.staff, "north", None)
    text = page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "3 p.m. \N{EN DASH} 5 p.m. (New York)" in text
    assert "3 p.m. \N{EN DASH} 5 p.m. in New York" in page(desk.client, "/desk/callbacks/?whose=mine").text
    page(desk.client, path, status=422, data={**sent, "way": "email"}, post=True)
    page(desk.client, path, status=422, data={**sent, "clock": "sundial"}, post=True)


def test_the_lists_show_broken_promises_first_and_whose_they_are(desk: Sitting) -> None:
    city, at = desk.city.jurisdiction, now()
    a_callback(city, at=at - timedelta(minutes=1), reason="due now")
    a_callback(city, at=at - timedelta(hours=3), reason="too late", team=Team.objects.get(code="north"))
    a_callback(city, at=at + timedelta(days=2), reason="in two days", owner=desk.staff)
    text = page(desk.client, "/desk/callbacks/?whose=all").text
    assert text.index("Unkept") < text.index("too late") < text.index("Now") < text.index("due now")
    assert text.index("due now") < text.index("Another day") < text.index("in two days")
    shown = {whose: page(desk.client, f"/desk/callbacks/?whose={whose}").text for whose in ("mine", "team", "unkept")}
    for whose, words in (("mine", ["in two days"]), ("team", ["too late", "in two days"]), ("unkept", ["too late"])):
        assert [word for word in ("too late", "due now", "in two days") if word in shown[whose]] == words
    assert "Every promise to ring" in page(sit(make_city("quiet")).client, "/desk/callbacks/?whose=unkept").text


def test_what_to_say_is_the_truth_in_both_languages(desk: Sitting) -> None:
    person = a_resident(desk.city.jurisdiction, "Ana", mobile="214-555-0123", language="es")
    request = desk.city.file(resident=person)
    callback = a_callback(desk.city.jurisdiction, resident=person, request=request)
    page_of = f"/desk/callbacks/{callback.pk}/"
    assert "Tenemos su solicitud." in page(desk.client, page_of).text
    desk.city.done(request)
    text = page(desk.client, page_of).text
    listo = "Listo: The work was done. (es) Prueba: A photo (es). Avísenos si no es así."
    assert f"Su solicitud {request.number}, Pothole (es): {listo}" in text
    done = "Done: The work was done. Proof: A photo. Tell us if it is not."
    assert f"Your request {request.number}, Pothole: {done}" in text
    assert "¿Hablo con Ana?" in text
    residents.update(person, language="vi", by=desk.city.system)
    text = page(desk.client, page_of).text
    assert "ring with an interpreter" in text
    assert "Am I speaking with Ana?" in text


def test_what_is_said_of_a_joined_report_is_how_the_leading_one_stands(desk: Sitting) -> None:
    person = a_resident(desk.city.jurisdiction, "Ana", mobile="214-555-0123")
    request, leading = desk.city.file(resident=person), desk.city.file()
    callback = a_callback(desk.city.jurisdiction, resident=person, request=request)
    requests.join(request, leading=leading, by=desk.city.concierge)
    desk.city.done(leading)
    text = page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "The same problem as another report; you will be told when it is fixed. Done: The work was done." in text


def test_a_call_is_handed_to_a_colleague_or_a_team_with_the_reason(desk: Sitting) -> None:
    callback = a_callback(desk.city.jurisdiction)
    colleague = desk.city.crew
    post(desk, callback, "hand-over", 422, reason="language")
    post(desk, callback, "hand-over", 422, owner=str(colleague.pk), reason="because")
    post(desk, callback, "hand-over", 302, owner=str(colleague.pk), reason="language")
    callback.refresh_from_db()
    assert callback.owner == colleague
    assert '"reason":"language"' in Event.objects.get(kind="callback.reassigned").body.replace(" ", "")
    post(desk, callback, "hand-over", 302, team="south", reason="other_team")
    callback.refresh_from_db()
    assert (callback.team.code, callback.owner) == ("south", None)
    stranger = make_city("otherville").crew
    post(desk, callback, "hand-over", 422, owner=str(stranger.pk), reason="language")


def test_a_try_at_another_number_and_on_to_the_next_one(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    callback, second = (a_callback(city, at=now() + timedelta(minutes=n), owner=desk.staff) for n in range(2))
    mail = callback.resident.contact_points.get(kind="email")
    post(desk, callback, "attempt", 302, way="email", outcome="message_left", contact_point=str(mail.pk))
    assert callback.attempts.get().contact_point == mail
    wrong = {"way": "call", "outcome": "no_answer", "contact_point": str(mail.pk)}
    assert "can be used in this way" in post(desk, callback, "attempt", 422, **wrong)
    callback.refresh_from_db()
    sent = {"version": callback.version, "way": "call", "outcome": "no_answer", "whose": "mine", "next": "1"}
    answer = desk.client.post(f"/desk/callbacks/{callback.pk}/attempt/", sent)
    assert answer.headers["Location"] == f"/desk/callbacks/{second.pk}/?whose=mine"


def test_an_open_call_to_an_erased_resident_ends_with_that_reason(desk: Sitting) -> None:
    callback = a_callback(desk.city.jurisdiction, reason="about the fence")
    residents.erase(callback.resident, by=desk.city.system)
    event = Event.objects.get(kind="resident.erased").pk
    callbacks.forget_resident(event)
    callbacks.forget_resident(event)
    text = page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "The resident was erased; there is nobody to ring" in text
    assert "about the fence" not in text
    assert "What you can do now" not in text
    callback.refresh_from_db()
    assert (callback.state, callback.cancel_reason, callback.reason) == ("cancelled", "resident_erased", "")
    another = a_callback(desk.city.jurisdiction)
    post(desk, another, "cancel", 422, reason="resident_erased")


def test_a_call_to_one_who_was_merged_shows_who_stands_for_both(desk: Sitting) -> None:
    callback = a_callback(desk.city.jurisdiction)
    kept = a_resident(desk.city.jurisdiction, "The one who stays", mobile="972-555-0123")
    residents.merge(kept, callback.resident, by=desk.city.system)
    text = page(desk.client, f"/desk/callbacks/{callback.pk}/").text
    assert "Call back The one who stays" in text
    assert "(972) 555-0123" in text


def test_a_broken_promise_is_told_to_the_supervisor_who_was_to_ring_and_the_leads(
    desk: Sitting, mailoutbox: Any
) -> None:
    city = desk.city.jurisdiction
    boss = employ(city, "boss", Role.SUPERVISOR)
    lead = employ(city, "lead-north", Role.TEAM_LEAD, Team.objects.get(jurisdiction=city, code="north"))
    employ(city, "lead-south", Role.TEAM_LEAD, Team.objects.get(jurisdiction=city, code="south"))
    north = Team.objects.get(jurisdiction=city, code="north")
    callback = a_callback(city, at=now() - timedelta(hours=3), team=north, owner=desk.city.crew, reason="the fence")
    assert callbacks.mark_late() == 1
    notify_late_callback(Event.objects.get(kind="callback.late").pk)
    assert {notice.staff for notice in Notice.objects.all()} == {boss, lead, desk.city.crew}
    for notice in Notice.objects.all():
        send_notice(notice.pk)
    assert {address for mail in mailoutbox for address in mail.to} == {
        boss.user.email, lead.user.email, desk.city.crew.user.email
    }  # fmt: skip
    assert f"/desk/callbacks/{callback.pk}/" in mailoutbox[0].body
    assert "fence" not in mailoutbox[0].body
    assert "the supervisor was told" in page(desk.client, f"/desk/callbacks/{callback.pk}/").text


def test_another_citys_call_is_not_there(desk: Sitting) -> None:
    theirs = a_callback(make_city("otherville").jurisdiction)
    page(desk.client, f"/desk/callbacks/{theirs.pk}/", status=404)
    post(desk, theirs, "take", 404)


def test_the_list_of_calls_asks_the_same_number_of_times(desk: Sitting) -> None:
    path = "/desk/callbacks/?whose=all"
    a_callback(desk.city.jurisdiction)
    count = same_number_of_queries(
        lambda: desk.client.get(path), lambda: [a_callback(desk.city.jurisdiction) for _ in range(4)]
    )
    assert count <= 10


def test_what_failed_is_listed_and_tried_again(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    a_callback(city)
    notify_callback_event(Event.objects.get(kind="callback.promised").pk)
    message = Message.objects.earliest("pk")
    Message.objects.filter(pk=message.pk).update(state="failed", error="smtp 550", attempts=3)
    ImportRun.objects.create(
        jurisdiction=city, mapping="boston", source="boston", file_digest=b"", started_at=now(), counts=[9, 8, 0, 0, 1]
    )
    with connection.cursor() as cursor:
        event = Event.objects.filter(kind="callback.promised").latest("pk").pk
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts) VALUES"
            " ('events', 'ledger.deliver', jsonb_build_object('event_id', %s::bigint, 'handler', 'a.b'), 'failed', 5)",
            [event],
        )
    Sweep.objects.create(
        name="callbacks.mark_late", watched_since=now() - timedelta(days=1), begun_at=now(), left_over=2
    )
    text = page(desk.client, "/desk/failures/").text
    assert "callbacks.mark_late never overdue 2" in " ".join(text.split())
    for part in ("smtp 550", "9, 8, 0, 0, 1", "a.b", "given up"):
        assert part in text
    assert desk.client.post(f"/desk/failures/messages/{message.pk}/").status_code == 302
    message.refresh_from_db()
    assert message.state == "queued"
    page(desk.client, f"/desk/failures/messages/{message.pk}/", status=409, data={}, post=True)
