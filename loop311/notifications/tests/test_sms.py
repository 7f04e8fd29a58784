"""Texts: never two for one event, whatever breaks between us and the gateway."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, NotFound
from loop311.ledger.models import Event
from loop311.notifications import services
from loop311.notifications.models import Message
from loop311.notifications.policies import MessageState
from loop311.notifications.sending import deliver
from loop311.notifications.testing import TextGateway
from loop311.notifications.tests.telling import told
from loop311.requests.testing import City, make_city
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(city: City) -> Message:
    resident = a_resident(city.jurisdiction, mobile="+1 214 555 0123", language="es")
    request = city.file(at=now(), resident=resident)
    [message] = told("request.filed", request.pk)
    return message


def again(message: Message) -> str:
    Message.objects.filter(pk=message.pk).update(next_attempt_at=now())
    deliver(message.pk)
    message.refresh_from_db()
    return message.state


def test_a_text_goes_out_once_with_its_key(texts: TextGateway, message: Message) -> None:
    assert again(message) == MessageState.SENT
    again(message)
    [text] = texts.taken
    assert (text["to"], text["key"]) == ("+12145550123", message.message_id)
    assert text["text"].startswith("311 de Elmville: 2")


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        (400, MessageState.FAILED, "http 400"),
        (429, MessageState.QUEUED, "http 429"),
        (503, MessageState.QUEUED, "http 503"),
        (500, MessageState.UNKNOWN, "http 500"),
        (0, MessageState.UNKNOWN, "no reply"),
    ],
)
def test_what_the_gateway_says_decides(
    texts: TextGateway, message: Message, status: int, state: MessageState, error: str
) -> None:
    texts.answers.append(status)
    assert again(message) == state
    assert message.error == error


def test_without_an_answer_it_is_never_sent_a_second_time(texts: TextGateway, message: Message) -> None:
    texts.answers.append(0)
    for _ in range(3):
        again(message)
    assert len(texts.taken) == 1


def test_a_gateway_that_keeps_keys_may_be_asked_again_with_the_same_key(
    texts: TextGateway, message: Message, settings: Settings
) -> None:
    settings.SMS_KEEPS_KEYS = True
    texts.answers.append(0)
    assert again(message) == MessageState.QUEUED
    assert again(message) == MessageState.SENT
    assert {text["key"] for text in texts.taken} == {message.message_id}


def test_a_gateway_that_cannot_be_reached_is_tried_again(message: Message, settings: Settings) -> None:
    settings.SMS_URL = "http://127.0.0.1:9/"
    assert again(message) == MessageState.QUEUED


def test_after_a_crash_in_between_it_is_unknown_and_not_sent(texts: TextGateway, message: Message) -> None:
    """The worker died after it noted 'sending'; whether the gateway heard of it nobody knows."""
    assert services.claim(message.pk) is not None
    assert again(message) == MessageState.UNKNOWN
    assert message.error == "interrupted"
    assert texts.taken == []
    assert Event.objects.filter(kind="message.unknown").count() == 1


def test_a_person_may_have_an_unknown_text_sent_again_but_only_those_who_may(
    texts: TextGateway, message: Message, city: City
) -> None:
    services.claim(message.pk)
    again(message)
    with pytest.raises(Forbidden):
        services.retry(message.pk, by=city.concierge)
    with pytest.raises(NotFound):
        services.retry(message.pk, by=make_city("oak").system)
    services.retry(message.pk, by=city.system)
    assert again(message) == MessageState.SENT
    with pytest.raises(Conflict):
        services.retry(message.pk, by=city.system)


def test_without_a_gateway_texts_are_printed(message: Message, capsys: pytest.CaptureFixture[str]) -> None:
    assert again(message) == MessageState.SENT
    assert "SMS to +12145550123" in capsys.readouterr().out


def test_quiet_hours_that_begin_meanwhile_hold_it(texts: TextGateway, message: Message, city: City) -> None:
    Message.objects.update(event_kind="request.started")
    local = now().astimezone(city.jurisdiction.zone)
    services.set_quiet_hours(local.time().replace(minute=0), local.time().replace(minute=59, second=59), by=city.system)
    assert again(message) == MessageState.HELD
    assert texts.taken == []
