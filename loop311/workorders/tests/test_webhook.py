"""A department that programs its own end: what we send it, what it answers, and what it calls us with."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from loop311.kit.clock import now
from loop311.workorders import signing, working
from loop311.workorders.connectors import kind_of
from loop311.workorders.connectors.base import (
    CannotTell,
    Change,
    ChangeKind,
    Connector,
    Done,
    Outgoing,
    Setup,
    Unreadable,
)
from loop311.workorders.connectors.webhook import WebhookOptions
from loop311.workorders.models import Call, Incoming, Link
from loop311.workorders.services.calling import MOST
from loop311.workorders.testing import Linked, linked

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ORDER = Outgoing(
    number="26-1", reference="26-1", service="pothole", theirs="POTH", title="Pothole 26-1",
    received_at=datetime(2026, 3, 2, tzinfo=UTC),
)  # fmt: skip
CHANGE = Change(id="26-1-7", kind=ChangeKind.COMMENT, at=ORDER.received_at, text="Mind the dog.", again=True)


def connector(answer: Callable[[httpx.Request], httpx.Response]) -> Connector:
    options = WebhookOptions(url="https://dept.example/in", states_url="https://dept.example/states")
    kind = kind_of("webhook")
    return kind.make(Setup(link="streets", options=options, secret=SECRET, transport=httpx.MockTransport(answer)))


def test_an_order_is_a_signed_cloud_event_and_the_same_each_time_it_is_tried() -> None:
    seen: list[httpx.Request] = []

    def department(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={"key": "W7", "url": "https://dept.example/W7"})

    speaking = connector(department)
    assert [speaking.create(ORDER) for _ in range(2)] == [Done(their_key="W7", their_url="https://dept.example/W7")] * 2
    event = json.loads(seen[0].content)
    assert seen[0].headers["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"], event["id"]) == ("1.0", "org.loop311.workorder.created", "26-1")
    assert signing.verify(SECRET, seen[0].headers, seen[0].content, now()) == "26-1"
    assert seen[1].headers["webhook-id"] == "26-1"
    assert event["data"]["order"]["contact"] is None


def test_changes_and_the_cancelling_have_ids_of_their_own() -> None:
    seen: list[Any] = []

    def department(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(204)

    speaking = connector(department)
    speaking.update(ORDER, CHANGE)
    speaking.cancel(ORDER, "Another team has it now.")
    assert [event["id"] for event in seen] == ["26-1-7", "26-1-cancel"]
    assert seen[0]["data"]["change"]["text"] == "Mind the dog."
    assert seen[1]["data"]["why"] == "Another team has it now."


@pytest.mark.parametrize(
    ("status", "became"),
    [
        (200, "Done"),
        (429, "TryLater"),
        (503, "TryLater"),
        (500, "Unknown"),
        (502, "Unknown"),
        (400, "Refused"),
        (410, "Refused"),
        (302, "Refused"),
    ],
)
def test_what_an_answer_means(status: int, became: str) -> None:
    answer = connector(lambda request: httpx.Response(status, text="<html>" if status > 299 else "fine")).create(ORDER)
    assert type(answer).__name__ == became


def test_they_may_say_how_long_to_wait() -> None:
    answer = connector(lambda request: httpx.Response(429, headers={"Retry-After": "120"})).create(ORDER)
    assert answer.after == timedelta(minutes=2)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "became"), [(httpx.ConnectError("no"), "TryLater"), (httpx.ReadTimeout("slow"), "Unknown")]
)
def test_what_a_cut_connection_means(error: Exception, became: str) -> None:
    def department(request: httpx.Request) -> httpx.Response:
        raise error

    assert type(connector(department).create(ORDER)).__name__ == became


STATE = {"key": "W7", "reference": "26-1", "status": "Doing", "at": "2026-03-02T16:00:00Z"}


def test_their_one_address_answers_look_up_poll_comparison_and_heartbeat() -> None:
    asked: list[str] = []

    def department(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        signing.verify(SECRET, request.headers, b"", now())
        return httpx.Response(200, json=[STATE] if request.url.query else [])

    speaking = connector(department)
    found = speaking.lookup(ORDER)
    assert found is not None
    assert (found.their_key, found.status) == ("W7", "Doing")
    assert [report.id for report in speaking.poll(ORDER.received_at)] == ["W7:Doing:2026-03-02T16:00:00+00:00"]
    assert [state.their_key for state in speaking.reconcile(["W7"])] == ["W7"]
    assert speaking.test().ok
    assert asked == ["reference=26-1", "since=2026-03-02T00%3A00%3A00%2B00%3A00", "key=W7", ""]


@pytest.mark.parametrize("body", ["[{", '{"key": 1}', '[{"key": "W7"}]'])
def test_half_an_answer_tells_nothing(body: str) -> None:
    with pytest.raises(CannotTell):
        connector(lambda request: httpx.Response(200, text=body)).lookup(ORDER)
    assert not connector(lambda request: httpx.Response(200, text=body)).test().ok


def event(**changes: object) -> bytes:
    said = {"specversion": "1.0", "id": "e1", "type": "org.loop311.workorder.reported", "source": "/d", "data": STATE}
    return json.dumps({**said, **changes}).encode()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", event(specversion="0.3"), event(type="other"), event(data={"at": STATE["at"]}), b"\xff"]
)
def test_what_cannot_be_read_is_said(body: bytes) -> None:
    with pytest.raises(Unreadable):
        list(connector(lambda request: httpx.Response(500)).receive({}, body))


# --- At our door -------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Linked:
    monkeypatch.setenv("LOOP311_LINK_TEST", SECRET)
    linked_city = linked()
    linked_city.hand_over()
    return linked_city


def call(link: Link, body: bytes, identity: str = "c1", at: datetime | None = None, signature: str = "") -> Any:
    sent = signing.headers(SECRET, identity, at or now(), body)
    sent["webhook-signature"] = signature or sent["webhook-signature"]
    return Client().post(f"/hooks/workorders/{link.address}/", body, content_type="application/json", headers=sent)


def told(status: str, **changes: object) -> bytes:
    return event(data={**STATE, "key": "100", "status": status, "at": now().isoformat(), **changes})


@pytest.mark.django_db
def test_a_signed_call_is_heard(here: Linked) -> None:
    answer = call(here.link, told("Doing"))
    assert (answer.status_code, answer.json()["became"]) == (202, ["started"])


@pytest.mark.django_db
def test_a_call_about_a_record_that_leads_nowhere_says_so(here: Linked) -> None:
    answer = call(here.link, told("Doing", key="999", reference="elmville-26-99999999"))
    assert (answer.status_code, answer.json()["became"]) == (202, ["not_ours"])


@pytest.mark.django_db
def test_the_same_call_again_changes_nothing_even_with_other_words_in_it(here: Linked) -> None:
    first = told("Doing", words="Once.")
    call(here.link, first)
    again = call(here.link, first)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert call(here.link, told("Finished"), identity="c1").json()["duplicate"]
    assert Incoming.objects.count() == Call.objects.count() == 1


@pytest.mark.django_db
def test_forged_old_and_unsigned_calls_are_refused_and_leave_no_trace(here: Linked) -> None:
    body = told("Finished")
    forged = call(here.link, body, signature="v1,AAAA")
    stale = call(here.link, body, at=now() - timedelta(minutes=6))
    early = call(here.link, body, at=now() + timedelta(minutes=6))
    changed = Client().post(
        f"/hooks/workorders/{here.link.address}/", told("Deleted"), content_type="application/json",
        headers=signing.headers(SECRET, "c1", now(), body),
    )  # fmt: skip
    bare = Client().post(f"/hooks/workorders/{here.link.address}/", body, content_type="application/json")
    assert {answer.status_code for answer in (forged, stale, early, changed, bare)} == {401}
    assert not Incoming.objects.exists()
    assert not Call.objects.exists()


@pytest.mark.django_db
def test_a_call_that_cannot_be_read_may_come_again_when_it_is_mended(here: Linked) -> None:
    assert call(here.link, b"{}").status_code == 400
    assert call(here.link, told("Doing")).status_code == 202


@pytest.mark.django_db
def test_too_large_too_many_and_to_nobody(here: Linked) -> None:
    assert call(here.link, b" " * 300_000).status_code == 413
    assert Client().post("/hooks/workorders/nobody/").status_code == 404
    assert Client().get(f"/hooks/workorders/{here.link.address}/").status_code == 405
    Call.objects.bulk_create(
        Call(jurisdiction=here.city.jurisdiction, link=here.link, call=f"x{n}", at=now()) for n in range(MOST)
    )
    assert call(here.link, told("Doing")).status_code == 429


@pytest.mark.django_db
def test_without_a_secret_for_calls_nothing_listens() -> None:
    here = linked(call_secret="")
    assert Client().post(f"/hooks/workorders/{here.link.address}/").status_code == 404


@pytest.mark.django_db
def test_the_secret_is_in_no_row_and_no_report(here: Linked) -> None:
    link = Link.objects.get()
    assert SECRET not in repr(link.__dict__)
    assert SECRET not in repr(working.connector_of(link).__dict__.get("_options"))
