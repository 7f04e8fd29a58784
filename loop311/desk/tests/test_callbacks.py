"""Call-backs and failures at the desk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from loop311.callbacks.models import Callback
from loop311.callbacks.testing import a_callback
from loop311.desk.testing import Sitting, sit
from loop311.kit.clock import now
from loop311.kit.models import Sweep
from loop311.kit.testing import page, same_number_of_queries
from loop311.ledger.models import Event
from loop311.notifications.models import Message
from loop311.notifications.services import notify_callback_event
from loop311.requests.models import ImportRun
from loop311.requests.testing import make_city
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
