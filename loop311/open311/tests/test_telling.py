"""Calls to webhooks, on a real socket: what they say, to whom, how often, and what becomes of those that are not taken."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from loop311.accounts import services as accounts
from loop311.accounts.models import Token
from loop311.accounts.testing import a_secret
from loop311.kit import fetching
from loop311.kit.clock import now
from loop311.kit.testing import at_once, same_number_of_queries
from loop311.ledger.models import Event
from loop311.open311 import subscribing, tasks, telling
from loop311.open311.models import Webhook, WebhookCall
from loop311.open311.testing import filed, get, post, send
from loop311.open311.tests.receiver import Receiver, listening
from loop311.open311.tests.tls import authority
from loop311.open311.updates import TOLD
from loop311.requests.models import Request
from loop311.requests.services import assign, comment, start
from loop311.requests.testing import City, make_city
from loop311.workorders import signing

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _socket() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def receiver(_socket: Receiver) -> Receiver:
    _socket.forget()
    return _socket


def subscribe(key: str, receiver: Receiver, **form: Any) -> str:
    """The secret."""
    return str(send("webhooks.json", {"api_key": key, "url": receiver.url, **form})[0]["secret"])


def happened() -> None:
    """What the worker does: every update's handler, then the calls."""
    for event in Event.objects.filter(kind__in=TOLD).order_by("pk"):
        if not ProcrastinateJob.objects.filter(args__event_id=event.pk, task_name="ledger.deliver").exists():
            continue
        subscribing.follow(event.pk)
        ProcrastinateJob.objects.filter(args__event_id=event.pk).update(task_name="done")
    for webhook in Webhook.objects.order_by("pk"):
        telling.tell(webhook.pk)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """From now on the clock of the calls is ahead by so much; how they are signed is not."""

    def move(ahead: timedelta) -> None:
        monkeypatch.setattr(telling, "now", lambda: now() + ahead)

    return move


def state(key: str) -> Any:
    return get("webhooks.json", Authorization=f"Bearer {key}").json()[0]


# --- What is said --------------------------------------------------------------------------------------------------------


def test_a_call_is_a_signed_cloud_event_around_the_very_item_of_the_list(
    city: City, key: str, receiver: Receiver
) -> None:
    secret = subscribe(key, receiver)
    request = start(assign(city.file(at=now()), by=city.system), by=city.system)
    comment(request, text="Tomorrow; ring 512-555-0123", by=city.system, is_public=True)
    happened()
    items = get("servicerequestupdates.json").json()
    assert [event["data"] for event in receiver.events] == items
    assert items[2]["description"] == "Tomorrow; ring [removed]"
    webhook = Webhook.objects.get().pk
    assert receiver.verified(secret) == [f"{item['update_id']}-{webhook}" for item in items]
    event = receiver.events[0]
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", telling.KIND, request.number)
    assert (
        datetime.fromisoformat(event["time"]).replace(microsecond=0).isoformat()
        == datetime.fromisoformat(items[0]["updated_datetime"]).isoformat()
    )
    assert receiver.calls[0][0]["content-type"] == "application/cloudevents+json"
    assert not WebhookCall.objects.exists()


def test_a_call_that_was_changed_or_signed_by_somebody_else_is_not_genuine(
    city: City, key: str, receiver: Receiver
) -> None:
    secret = subscribe(key, receiver)
    assign(city.file(at=now()), by=city.system)
    happened()
    [(headers, body)] = receiver.calls
    for wrong in (
        (secret, body + b" ", now()),
        ("whsec_AAAA", body, now()),
        (secret, body, now() + timedelta(hours=1)),
    ):
        with pytest.raises(signing.NotGenuine):
            signing.verify(wrong[0], headers, wrong[1], wrong[2])


def test_internal_words_and_hidden_requests_are_never_said(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver)
    hidden, other = city.file(at=now()), city.file(at=now())
    comment(other, text="For staff", by=city.system)
    assign(hidden, by=city.system)
    for event in Event.objects.filter(kind__in=TOLD):
        subscribing.follow(event.pk)
    assert WebhookCall.objects.count() == 1
    Request.objects.filter(pk=hidden.pk).update(publicity="hidden", version=9)  # between the event and the call
    telling.tell(Webhook.objects.get().pk)
    assert receiver.calls == []
    assert not WebhookCall.objects.exists()


def test_each_is_told_what_it_asked_for(city: City, key: str, receiver: Receiver) -> None:
    mine = filed(post(key))
    theirs, sign = city.file(at=now()), city.file(at=now(), service_code="sign", answers={})
    kinds = [{"mine": "true"}, {"service_request_id": theirs.number}, {"service_code": "sign"}, {}]
    for number, form in enumerate(kinds):
        subscribe(key, receiver, **{**form, "url": f"{receiver.url}?{number}"})
    subscribe(a_secret(city.jurisdiction, ["requests.file"]), receiver, mine="true")
    for request in (mine, theirs, sign):
        assign(request, by=city.system)
    happened()
    told = [
        (event["subject"], int(identity.partition("-")[2]))
        for event, identity in zip(receiver.events, receiver.ids, strict=True)
    ]
    hooks = list(Webhook.objects.order_by("pk").values_list("pk", flat=True))
    everything = [(request.number, hooks[3]) for request in (mine, theirs, sign)]
    assert told == [(mine.number, hooks[0]), (theirs.number, hooks[1]), (sign.number, hooks[2]), *everything]


def test_another_citys_key_hears_nothing(city: City, receiver: Receiver) -> None:
    other = make_city("oakville")
    subscribe(a_secret(other.jurisdiction, ["requests.file"]), receiver, jurisdiction_id="oakville")
    assign(city.file(at=now()), by=city.system)
    happened()
    assert receiver.calls == []
    assert not WebhookCall.objects.exists()


def test_what_was_before_is_not_told(city: City, key: str, receiver: Receiver) -> None:
    request = assign(city.file(at=now()), by=city.system)
    subscribe(key, receiver)
    happened()
    assert receiver.calls == []
    start(request, by=city.system)
    happened()
    assert [event["data"]["status"] for event in receiver.events] == ["in_progress"]


def test_matching_asks_as_often_however_many_there_are(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver)
    assign(city.file(at=now()), by=city.system)
    event = Event.objects.get(kind="request.assigned").pk

    def more() -> None:
        for number in range(8):
            subscribe(key, receiver, url=f"{receiver.url}?{number}")
        Webhook.objects.update(created_at=now() - timedelta(days=1))

    assert same_number_of_queries(lambda: subscribing.follow(event), more) < 12
    assert WebhookCall.objects.filter(event=event).count() == 9


def test_an_update_has_a_job_only_where_somebody_listens(city: City, key: str, receiver: Receiver) -> None:
    of_ours = ProcrastinateJob.objects.filter(args__handler="loop311.open311.subscribing.follow")
    request = assign(city.file(at=now()), by=city.system)
    assert not of_ours.exists()
    subscribe(key, receiver)
    start(request, by=city.system)
    assert of_ours.count() == 1
    subscribing.end(Webhook.objects.get(), "Enough.", why="city", by=city.system)
    comment(request, text="Soon", by=city.system, is_public=True)
    assert of_ours.count() == 1


# --- What is not taken ---------------------------------------------------------------------------------------------------


def test_down_then_up_each_arrives_in_its_order_with_its_id(
    city: City, key: str, receiver: Receiver, later: Callable[[timedelta], None]
) -> None:
    secret = subscribe(key, receiver)
    receiver.status = 500
    request = assign(city.file(at=now()), by=city.system)
    start(request, by=city.system)
    happened()
    happened()  # too early to be tried again
    [refused] = receiver.ids
    shown = state(key)
    assert (shown["state"], shown["problem"], shown["waiting"]) == ("failing", "The receiver answered 500.", 2)
    receiver.status = 200
    later(timedelta(seconds=11))
    assert telling.ready() == [Webhook.objects.get().pk]
    tasks.tell_again(0)
    assert ProcrastinateJob.objects.filter(
        task_name="open311.tell", args={"webhook": Webhook.objects.get().pk}
    ).exists()
    happened()
    assert receiver.verified(secret)[:2] == [refused, refused]
    assert [event["data"]["status"] for event in receiver.events] == ["planned", "planned", "in_progress"]
    shown = state(key)
    assert (shown["state"], shown["problem"], shown["waiting"], shown["lost"]) == ("active", None, 0, 0)


def test_nobody_there_is_a_failure_like_any_other(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver, url="http://127.0.0.1:9/")
    assign(city.file(at=now()), by=city.system)
    happened()
    assert (state(key)["state"], state(key)["waiting"]) == ("failing", 1)


def test_a_request_waits_for_its_own_updates_only(
    city: City, key: str, receiver: Receiver, later: Callable[[timedelta], None]
) -> None:
    subscribe(key, receiver)
    first, second = city.file(at=now()), city.file(at=now())
    start(assign(first, by=city.system), by=city.system)
    assign(second, by=city.system)
    receiver.answers = [400, 200, 400]
    happened()
    WebhookCall.objects.filter(failures=1).update(next_at=now() + timedelta(hours=2))
    later(timedelta(seconds=11))
    happened()
    assert [event["subject"] for event in receiver.events] == [first.number, second.number]
    assert state(key)["state"] == "active"
    later(timedelta(hours=3))
    happened()
    assert [event["data"]["status"] for event in receiver.events[2:]] == ["planned"]
    assert WebhookCall.objects.count() == 2


def test_it_is_led_nowhere_else(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver)
    receiver.status = 302
    assign(city.file(at=now()), by=city.system)
    happened()
    assert len(receiver.calls) == 1
    assert state(key)["problem"] == "The receiver answered 302."


@pytest.mark.parametrize("way", ["silent", "drips"])
def test_a_slow_one_is_cut_off(
    city: City, key: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    subscribe(key, receiver)
    monkeypatch.setattr(telling, "SECONDS", 0.3)
    receiver.seconds, receiver.drips = (60, False) if way == "silent" else (0, True)
    assign(city.file(at=now()), by=city.system)
    begun = time.monotonic()
    happened()
    assert time.monotonic() - begun < 20, "it waited for the end"
    assert state(key)["state"] == "failing"


def test_what_is_not_taken_for_a_day_is_given_up_and_nothing_for_five_ends_it(
    city: City, key: str, receiver: Receiver, later: Callable[[timedelta], None]
) -> None:
    subscribe(key, receiver)
    receiver.status = 503
    request = assign(city.file(at=now()), by=city.system)
    happened()
    later(timedelta(hours=25))
    happened()
    shown = state(key)
    assert (shown["state"], shown["waiting"], shown["lost"]) == ("failing", 0, 1)
    start(request, by=city.system)
    WebhookCall.objects.update(at=now(), next_at=now())
    later(timedelta(days=5, minutes=1))
    happened()
    shown = state(key)
    assert shown["state"] == "ended"
    assert shown["ended_reason"] == "Nothing was taken for 5 days. The receiver answered 503."


def test_one_that_is_gone_or_whose_key_is_revoked_is_not_called_again(city: City, key: str, receiver: Receiver) -> None:
    request = city.file(at=now())
    subscribe(key, receiver)
    receiver.status = 410
    request = assign(request, by=city.system)
    happened()
    assert "gone" in state(key)["ended_reason"]
    other = a_secret(city.jurisdiction, ["requests.file"])
    subscribe(other, receiver)
    accounts.revoke_token(Token.objects.latest("pk"), by=city.system)
    start(request, by=city.system)
    happened()
    assert len(receiver.calls) == 1
    assert Webhook.objects.latest("pk").ended_reason == "The api_key is not valid any more."
    assert not WebhookCall.objects.exists()


def test_over_https_it_is_told_once_its_certificate_is_trusted_here(
    city: City, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: Callable[[timedelta], None]
) -> None:
    trusted, tls = authority(tmp_path)
    with listening(tls) as receiver:
        secret = subscribe(key, receiver)
        assign(city.file(at=now()), by=city.system)
        happened()
        assert (state(key)["state"], receiver.calls) == ("failing", [])
        assert "SSLCertVerificationError" in state(key)["problem"]
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        later(timedelta(seconds=11))
        happened()
        assert (state(key)["state"], len(receiver.verified(secret))) == ("active", 1)


def test_the_administrators_are_told_of_one_that_nobody_ended_on_purpose(
    city: City, key: str, receiver: Receiver
) -> None:
    subscribe(key, receiver)
    receiver.status = 410
    assign(city.file(at=now()), by=city.system)
    happened()
    event = Event.objects.get(kind="webhook.ended")
    assert json.loads(event.body) == {"token": Token.objects.get().pk, "why": "gone"}
    receiver.status = 204
    subscribe(key, receiver)
    send(f"webhooks/{Webhook.objects.latest('pk').pk}/delete.json", {"api_key": key})
    assert json.loads(Event.objects.filter(kind="webhook.ended").latest("pk").body)["why"] == "owner"


def test_where_the_name_leads_inside_nothing_is_sent(
    city: City, key: str, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(key, receiver)
    settings.PRODUCTION = True
    monkeypatch.setattr(
        fetching, "check_goal", lambda url, loopback: None
    )  # a name that was harmless when it was given
    assign(city.file(at=now()), by=city.system)
    happened()
    assert receiver.calls == []
    assert "open internet" in state(key)["problem"]


# --- Workers -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_it_once(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver)
    receiver.seconds = 0.2
    assign(city.file(at=now()), by=city.system)
    event = Event.objects.get(kind="request.assigned").pk
    subscribing.follow(event)
    webhook = Webhook.objects.get().pk
    assert at_once([lambda: telling.tell(webhook)] * 4) == [None] * 4
    assert len(receiver.calls) == 1


def test_a_worker_that_was_killed_in_a_call_makes_it_again_with_the_same_id(
    city: City, key: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, later: Callable[[timedelta], None]
) -> None:
    subscribe(key, receiver)
    assign(city.file(at=now()), by=city.system)

    def killed(webhook: Webhook, *rest: Any) -> str:
        sent(webhook, *rest)
        webhook.busy_until = None  # it will not come to set it free
        raise KeyboardInterrupt

    sent = telling._send
    monkeypatch.setattr(telling, "_send", killed)
    with pytest.raises(KeyboardInterrupt):
        happened()
    monkeypatch.setattr(telling, "_send", sent)
    webhook = Webhook.objects.get()
    telling.tell(webhook.pk)
    assert webhook.busy_until is not None
    assert len(receiver.calls) == 1
    later(timedelta(minutes=3))
    assert telling.ready() == [webhook.pk]
    happened()
    assert len(set(receiver.ids)) == 1
    assert len(receiver.calls) == 2


def test_what_is_owed_to_one_that_has_ended_is_forgotten(city: City, key: str, receiver: Receiver) -> None:
    subscribe(key, receiver)
    assign(city.file(at=now()), by=city.system)
    subscribing.follow(Event.objects.get(kind="request.assigned").pk)
    Webhook.objects.update(ended_at=now())
    assert telling.ready() == []
    assert not WebhookCall.objects.exists()
