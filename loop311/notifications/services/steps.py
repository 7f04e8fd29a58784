"""The steps of one message on its way out. Each is noted and committed before and after the server is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, NotFound
from loop311.ledger.services import append
from loop311.notifications.models import Message
from loop311.notifications.policies import LISTED, WAITING, Kind, MessageState, may_be_told, wait_after
from loop311.notifications.services.queueing import defer_sending, hold
from loop311.residents.services import point_of

OVERDUE = timedelta(minutes=10)
"""A message that should have gone out this long ago has lost its job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that may be sent now. `repeated`: an earlier attempt was begun and its end never noted."""

    message: Message
    repeated: bool


@transaction.atomic
def claim(message_pk: int, *, may_repeat_sms: bool = False, at: datetime | None = None) -> Claim | None:
    """Note that it is being sent, or None when there is nothing to send (any more, or yet).

    A text whose earlier attempt was never noted is given up as unknown, unless the gateway keeps idempotency keys.
    """
    at = at or now()
    message = _locked(message_pk)
    if message is None or message.state not in WAITING:
        return None
    if message.next_attempt_at is not None and message.next_attempt_at > at:
        defer_sending(message.pk, message.next_attempt_at)  # by another clock it was due already
        return None
    repeated = message.state == MessageState.SENDING
    if repeated and message.kind == Kind.SMS and not may_repeat_sms:
        _end(message, MessageState.UNKNOWN, "interrupted", at)
        return None
    if not _wanted(message):
        message.state, message.next_attempt_at, message.ended_at = MessageState.SKIPPED, None, at
        message.save(update_fields=["state", "next_attempt_at", "ended_at"])
        return None
    if later := hold(message.jurisdiction, message.kind, message.event_kind, at):
        message.state, message.next_attempt_at = MessageState.HELD, later
        message.save(update_fields=["state", "next_attempt_at"])
        defer_sending(message.pk, later)
        return None
    message.state = MessageState.SENDING
    message.attempts += 1
    message.save(update_fields=["state", "attempts"])
    return Claim(message, repeated)


def _locked(message_pk: int) -> Message | None:
    found = Message.objects.select_for_update(of=("self",)).select_related(
        "jurisdiction", "contact_point__resident", "request", "event", "resident"
    )
    return found.filter(pk=message_pk).first()


def _wanted(message: Message) -> bool:
    """The contact point is still there and still wants it; an erased resident has no contact points."""
    row = message.contact_point
    point = point_of(row)
    there = row.removed_at is None and row.resident.erased_at is None and point.address != ""
    return there and may_be_told(message.event_kind, may_notify=point.may_notify, is_unsubscribed=point.is_unsubscribed)


@transaction.atomic
def note_sent(message_pk: int, *, at: datetime | None = None) -> None:
    message = _locked(message_pk)
    if message is not None and message.state == MessageState.SENDING:
        _end(message, MessageState.SENT, "", at or now())


@transaction.atomic
def note_unknown(message_pk: int, error: str, *, at: datetime | None = None) -> None:
    """The gateway was given the text, and whether it took it cannot be known."""
    message = _locked(message_pk)
    if message is not None and message.state == MessageState.SENDING:
        _end(message, MessageState.UNKNOWN, error, at or now())


@transaction.atomic
def note_failed(message_pk: int, error: str, *, for_good: bool, at: datetime | None = None) -> None:
    """Try again later, or give up. `error` is a code."""
    at = at or now()
    message = _locked(message_pk)
    if message is None or message.state != MessageState.SENDING:
        return
    wait = None if for_good else wait_after(message.attempts)
    if wait is None:
        _end(message, MessageState.FAILED, error, at)
        return
    message.state, message.error, message.next_attempt_at = MessageState.QUEUED, error, at + wait
    message.save(update_fields=["state", "error", "next_attempt_at"])
    defer_sending(message.pk, at + wait)


_SAID = {
    MessageState.SENT: "message.sent",
    MessageState.FAILED: "message.failed",
    MessageState.UNKNOWN: "message.unknown",
}


def _end(message: Message, state: MessageState, error: str, at: datetime) -> None:
    """The last step: on the record, because whether a resident was told is a fact like any other."""
    message.state, message.error, message.next_attempt_at, message.ended_at = state, error, None, at
    message.save(update_fields=["state", "error", "next_attempt_at", "ended_at"])
    body = {
        "event": message.event_id,
        "event_kind": message.event_kind,
        "request": message.request_id,
        "contact_point": message.contact_point_id,
        "kind": message.kind,
        "language": message.language,
        "catalogue": message.catalogue_version_id,
        "message_id": message.message_id,
        "attempts": message.attempts,
        "error": error,
    }
    append(_SAID[state], "message", message.pk, body, by=system(message.jurisdiction_id), at=at)


@transaction.atomic
def retry(message_pk: int, *, by: Actor, at: datetime | None = None) -> Message:
    """A person has looked at it and wants it tried again; for an unknown text that may mean a second one."""
    if not by.may("notifications.write"):
        raise Forbidden("You may not have messages sent again.")
    message = _locked(message_pk)
    if message is None or message.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such message in this city.")
    if message.state not in LISTED:
        raise Conflict(f"This message is {message.state}; only a failed or unknown one is tried again.")
    message.state, message.attempts, message.next_attempt_at, message.ended_at = MessageState.QUEUED, 0, None, None
    message.save(update_fields=["state", "attempts", "next_attempt_at", "ended_at"])
    append("message.retried", "message", message.pk, {"error": message.error}, by=by, at=at)
    defer_sending(message.pk, None)
    return message


@transaction.atomic
def sweep(*, at: datetime | None = None) -> int:
    """Give a new job to messages that should have gone out long ago; returns how many."""
    at = at or now()
    waiting = Message.objects.filter(state__in=sorted(WAITING), next_attempt_at__lt=at - OVERDUE)
    found = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1000])
    for pk in found:
        defer_sending(pk, None)
    Message.objects.filter(pk__in=found).update(next_attempt_at=at)
    return len(found)
