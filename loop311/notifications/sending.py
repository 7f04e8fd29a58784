"""One message out of the door: note, speak to the server, note again. Never inside a transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError
from django.db import connection

from loop311.notifications import services
from loop311.notifications.mail import send_email
from loop311.notifications.models import Message
from loop311.notifications.outcomes import Refused, Unavailable, Unclear, Undelivered
from loop311.notifications.policies import Kind
from loop311.notifications.rendering import Rendered, rendered
from loop311.notifications.sms import Sms, gateway

logger = logging.getLogger(__name__)

_LOCKS = 3110
"""Our class of advisory locks."""


def deliver(message_pk: int) -> None:
    """Send it if it is due and nobody else is sending it. An end that was not noted is found and mended the next time."""
    texts = gateway()
    with _alone(message_pk) as alone:
        if not alone:
            return
        claim = services.claim(message_pk, may_repeat_sms=texts.keeps_keys)
        if claim is not None:
            _send(claim.message, texts)


def _send(message: Message, texts: Sms) -> None:
    try:
        _hand_over(message, texts)
    except Refused as error:
        services.note_failed(message.pk, error.code, for_good=True)
    except Unavailable as error:
        services.note_failed(message.pk, error.code, for_good=False)
    except Unclear as error:
        if texts.keeps_keys:
            services.note_failed(message.pk, error.code, for_good=False)
        else:
            services.note_unknown(message.pk, error.code)
    else:
        services.note_sent(message.pk)


def _hand_over(message: Message, texts: Sms) -> None:
    words = _words(message)
    try:
        if message.kind == Kind.SMS:
            texts.send(message.contact_point.address, words.sms, message.message_id)
        else:
            send_email(message, words)
    except Undelivered:
        raise
    except Exception as error:  # a mistake of ours or of a back end; it must not keep the message in between for ever
        logger.exception("message %s could not be handed over", message.pk)
        raise (Unclear if message.kind == Kind.SMS else Unavailable)("internal") from error


def _words(message: Message) -> Rendered:
    """A text that cannot be made is listed for somebody to mend, and holds up nothing else."""
    try:
        return rendered(message)
    except DatabaseError:
        raise  # nothing is wrong with the text
    except Exception as error:
        logger.exception("message %s cannot be written", message.pk)
        raise Refused("rendering") from error


@contextmanager
def _alone(message_pk: int) -> Iterator[bool]:
    """A lock of this session: it dies with the worker, and a second worker with the same job goes away."""
    key = message_pk % 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCKS, key])
        got = bool(cursor.fetchone()[0])
    try:
        yield got
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCKS, key])
