"""E-mail against a real mail server: taken, refused, busy, slow, gone after taking; and a worker that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from pytest_django.fixtures import Settings

from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.notifications import services
from loop311.notifications.models import Message
from loop311.notifications.policies import MessageState
from loop311.notifications.sending import deliver
from loop311.notifications.testing import MailServer
from loop311.notifications.tests.telling import told
from loop311.requests.testing import City
from loop311.residents.models import ContactPoint
from loop311.residents.services import unsubscribe
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(city: City) -> Message:
    return a_message(city)


def a_message(city: City) -> Message:
    resident = a_resident(city.jurisdiction, "Résident", email="resident@example.org")
    request = city.file(at=now(), resident=resident, address="<b>1 Elm St</b> http://evil.example")
    [message] = told("request.filed", request.pk)
    return message


def again(message: Message) -> Message:
    """As if its waiting time had passed."""
    Message.objects.filter(pk=message.pk).update(next_attempt_at=now())
    deliver(message.pk)
    message.refresh_from_db()
    return message


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_message_is_taken_once_with_all_it_needs(smtp: MailServer, message: Message) -> None:
    deliver(message.pk)
    deliver(message.pk)
    [mail] = smtp.accepted
    message.refresh_from_db()
    assert (message.state, message.attempts, message.next_attempt_at) == (MessageState.SENT, 1, None)
    assert mail["To"] == "resident@example.org"
    assert mail["From"].startswith('"Elmville 311" <311@') or mail["From"].startswith("Elmville 311 <311@")
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/unsubscribe/" in mail["List-Unsubscribe"]
    assert "plans to fill it" in part(mail, "plain")
    assert Event.objects.filter(kind="message.sent", subject_id=message.pk).count() == 1


def test_what_people_wrote_is_neither_markup_nor_a_link_in_the_html(smtp: MailServer, message: Message) -> None:
    deliver(message.pk)
    html = part(smtp.accepted[0], "html")
    assert "<b>" not in html
    assert 'href="http://evil' not in html
    assert "/r/" in html


def test_a_refused_recipient_is_listed_at_once(smtp: MailServer, message: Message) -> None:
    smtp.refused.add("resident@example.org")
    assert again(message).state == MessageState.FAILED
    assert (message.error, message.attempts) == ("smtp 550", 1)
    assert Event.objects.get(kind="message.failed").subject_id == message.pk


def test_a_refused_message_is_listed_at_once(smtp: MailServer, message: Message) -> None:
    smtp.replies.append("554 Not that")
    assert again(message).state == MessageState.FAILED
    assert message.error == "smtp 554"


def test_a_busy_server_is_tried_again_later_and_given_up_in_the_end(smtp: MailServer, message: Message) -> None:
    smtp.replies.extend(["451 Busy"] * 10)
    before = now()
    deliver(message.pk)
    message.refresh_from_db()
    assert (message.state, message.error) == (MessageState.QUEUED, "smtp 451")
    assert message.next_attempt_at is not None
    assert timedelta(seconds=29) < message.next_attempt_at - before < timedelta(seconds=40)
    deliver(message.pk)  # not due yet
    assert len(smtp.replies) == 9
    for _ in range(9):
        again(message)
    assert (message.state, message.attempts) == (MessageState.FAILED, 10)
    services.retry(message.pk, by=system(message.jurisdiction_id))
    assert again(message).state == MessageState.SENT


def test_a_slow_server_is_left_after_the_time_out(smtp: MailServer, message: Message, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    smtp.delay = 1.0
    assert again(message).state == MessageState.QUEUED
    assert message.error == "timeout"


def test_no_server_at_all_is_tried_again(message: Message, settings: Settings) -> None:
    for name, value in {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": 9,
    }.items():  # fmt: skip
        setattr(settings, name, value)
    assert again(message).state == MessageState.QUEUED
    assert message.error == "connection"


def test_a_server_that_hangs_up_after_taking_it_gets_the_same_message_id_again(
    smtp: MailServer, message: Message
) -> None:
    smtp.replies.append("drop")
    assert again(message).state == MessageState.QUEUED
    assert again(message).state == MessageState.SENT
    assert smtp.ids == [message.message_id] * 2


def test_who_unsubscribes_before_it_goes_out_is_skipped(smtp: MailServer, city: City) -> None:
    message = a_message(city)
    Message.objects.update(event_kind="request.started")
    unsubscribe(message.contact_point, by=city.system)
    assert again(message).state == MessageState.SKIPPED
    assert smtp.accepted == []


def test_a_text_that_cannot_be_made_is_listed_and_holds_up_nothing(
    smtp: MailServer, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    Message.objects.update(facts={"due_on": "tomorrow"})
    assert again(message).state == MessageState.FAILED
    assert message.error == "rendering"


def test_an_address_no_header_can_hold_is_listed_at_once(smtp: MailServer, message: Message) -> None:
    ContactPoint.objects.filter(pk=message.contact_point_id).update(address="resident@example.org\nBcc: b@example.org")
    assert again(message).state == MessageState.FAILED
    assert message.error == "address"
    assert smtp.accepted == []


def test_an_address_with_accents_is_written_to(smtp: MailServer, message: Message) -> None:
    ContactPoint.objects.filter(pk=message.contact_point_id).update(address="resident@peñón.example")
    assert again(message).state == MessageState.SENT


def test_a_mistake_of_a_back_end_is_tried_again_and_never_keeps_a_message_in_between(
    message: Message, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "loop311.notifications.tests.test_mail.Broken"
    assert again(message).state == MessageState.QUEUED
    assert message.error == "internal"


class Broken(BaseEmailBackend):
    def send_messages(self, email_messages: object) -> int:
        raise KeyError("api key")


def test_a_message_that_lost_its_job_is_found_again(smtp: MailServer, message: Message) -> None:
    assert services.sweep() == 0
    Message.objects.update(next_attempt_at=now() - timedelta(minutes=11))
    assert services.sweep() == 1
    assert services.sweep() == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_the_server_took_it_sends_the_same_message_id_again(smtp: MailServer, city: City) -> None:
    message = a_message(city)
    smtp.delay = 300
    worker = start_worker(message.pk, smtp)
    wait_for(lambda: len(smtp.accepted) == 1)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    smtp.delay = 0.0
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MessageState.SENDING, 1)
    wait_for(lambda: again(message).state == MessageState.SENT)
    assert smtp.ids == [message.message_id] * 2


@pytest.mark.django_db(transaction=True)
def test_while_one_worker_is_sending_a_second_one_goes_away(smtp: MailServer, city: City) -> None:
    message = a_message(city)
    smtp.delay = 1.5
    worker = start_worker(message.pk, smtp)
    wait_for(lambda: len(smtp.accepted) == 1)
    deliver(message.pk)
    assert worker.wait(120) == 0
    message.refresh_from_db()
    assert (message.state, len(smtp.accepted)) == (MessageState.SENT, 1)


def start_worker(message_pk: int, smtp: MailServer) -> subprocess.Popen[bytes]:
    """A process of its own that sends this one message."""
    params = connection.get_connection_params()
    query = "&".join(f"{key}={params[key]}" for key in ("host", "port", "user", "password") if params.get(key))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "loop311.site.settings",
        "DATABASE_URL": f"postgresql:///{params['dbname']}?{query}",
        "LOOP311_SMTP_URL": f"smtp://{smtp.host}:{smtp.port}",
    }
    code = (
        "import sys, django; django.setup()\n"
        "from loop311.notifications.sending import deliver; deliver(int(sys.argv[1]))"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(message_pk)], env=environment)


def wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
