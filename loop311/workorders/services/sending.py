"""The steps of saying something to their side. Each is noted and committed before and after they are spoken to.

Who works on an order holds an advisory lock of its own database session: when the process is killed, the lock goes with it, and
what it was saying is `doubtful` for the next one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from loop311.kit.actor import system
from loop311.workorders.connectors import base
from loop311.workorders.connectors.base import Answer, Change, Done, Refused, Report, TryLater, Unknown
from loop311.workorders.mapping import Held
from loop311.workorders.models import Order, Outgoing
from loop311.workorders.policies import SETTLING, MismatchKind, OrderState, back_off, web_address
from loop311.workorders.services import access, mismatching, saying
from loop311.workorders.services.following import CANCEL, CREATE

_ORDERS = 3112
"""Our class of advisory locks."""
_MAY_PASS = 5
"""So often is something refused without naming a fault before a person is asked."""


class Task(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one process, and no other, says about an order now."""

    order: Order
    task: Task
    words: base.Outgoing
    said: Outgoing | None
    """The row of it; None when only their key is asked for."""
    change: Change | None = None
    was_doubtful: bool = False


@contextmanager
def alone_with(order_id: int) -> Iterator[bool]:
    """Whether nobody else works on this order now."""
    key = [_ORDERS, order_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        (got,) = cursor.fetchone()
    try:
        yield bool(got)
    finally:
        if got:
            _let_go(key)


def _let_go(key: list[int]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
    except DatabaseError:
        connection.close()  # the lock goes with the session


def due(link_id: int, at: datetime, limit: int) -> list[int]:
    rows = Order.objects.filter(link_id=link_id).due(at).order_by("next_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def is_due(link_id: int, at: datetime) -> bool:
    return Order.objects.filter(link_id=link_id).due(at).exists()


@transaction.atomic
def claim(order_id: int, at: datetime) -> Claim | None:
    """Note what is about to be said. None: there is nothing to say (any more, or yet), or it waits for a person now."""
    rows = Order.objects.select_for_update(of=("self",), skip_locked=True)
    order = rows.select_related("link", "request__jurisdiction").filter(pk=order_id).first()
    if order is None or order.next_at is None or order.next_at > at:
        return None
    if order.state == OrderState.SENDING:  # whoever said it was killed
        order.state, order.reason = OrderState.UNKNOWN, "The process that said it was interrupted."
    head = order.outgoing.filter(ended_at__isnull=True).order_by("pk").first()
    claimed = _planned(order, head, at)
    if claimed is None:
        return None
    if head is not None and claimed.task is not Task.LOOKUP and not head.doubtful:
        head.doubtful = True
        head.save(update_fields=["doubtful"])
    order.state = OrderState.SENDING
    order.next_at = at + SETTLING
    order.save(update_fields=["state", "next_at"])
    return claimed


def _planned(order: Order, head: Outgoing | None, at: datetime) -> Claim | None:
    if head is None:
        if order.token and not order.their_key and order.holds:
            return Claim(order, Task.LOOKUP, saying.plain_words(order), None)
        _rest(order)
        return None
    if head.kind == CREATE:
        return _planned_create(order, head, at)
    if order.token and not order.their_key:
        return Claim(order, Task.LOOKUP, saying.plain_words(order), None, was_doubtful=head.doubtful)
    if head.kind == CANCEL:
        return Claim(order, Task.CANCEL, saying.plain_words(order), head, was_doubtful=head.doubtful)
    change = saying.change_words(order, head)
    if change is None:
        _end_outgoing(head, at, said=False)
        return _planned(order, _next(order), at)
    words = saying.order_words(order)
    words = saying.plain_words(order) if isinstance(words, Held) else words
    return Claim(order, Task.UPDATE, words, head, change, head.doubtful)


def _planned_create(order: Order, head: Outgoing, at: datetime) -> Claim | None:
    if head.doubtful:
        return Claim(order, Task.LOOKUP, saying.plain_words(order), head, was_doubtful=True)
    if not order.holds:  # it was never said, and is not to be said any more
        _cancelled(order, at)
        return None
    words = saying.order_words(order)
    if isinstance(words, Held):
        _park(order, words.reason, at)
        return None
    return Claim(order, Task.CREATE, words, head)


def _next(order: Order) -> Outgoing | None:
    return order.outgoing.filter(ended_at__isnull=True).order_by("pk").first()


def _rest(order: Order) -> None:
    order.state = settled(order)
    order.next_at = None
    order.save(update_fields=["state", "next_at"])


def settled(order: Order) -> OrderState:
    """What it is while nothing is being said."""
    if order.their_key:
        return OrderState.ACKNOWLEDGED
    created = order.outgoing.filter(kind=CREATE, said=True).exists()
    return OrderState.SENT if created else OrderState.UNPROCESSED


# --- What they answered ------------------------------------------------------------------------------------------------


@transaction.atomic
def note(claimed: Claim, answer: Answer, at: datetime) -> Order:
    order = access.hold_order(claimed.order.pk, jurisdiction_id=claimed.order.jurisdiction_id)
    match answer:
        case Done():
            _done(order, claimed, answer, at)
        case TryLater():
            _later(order, claimed, answer, at)
        case Unknown():
            _unknown(order, claimed, answer, at)
        case Refused():
            _refused(order, claimed, answer, at)
    return order


def _done(order: Order, claimed: Claim, answer: Done, at: datetime) -> None:
    if claimed.said is not None:
        _end_outgoing(claimed.said, at, said=True)
    order.fails, order.reason = 0, ""
    if claimed.task is Task.CANCEL:
        _cancelled(order, at)
        return
    _name(order, answer.their_key, answer.their_url, answer.token, at)
    order.state = settled(order)
    order.next_at = at if _next(order) else None
    if order.next_at is None and order.token and not order.their_key:
        order.next_at = at + back_off(1, random.random())  # noqa: S311 - spreads load
    kind = _said_kind(claimed.task, order)
    body = {"outgoing": claimed.said.pk if claimed.said else None, "kind": claimed.said.kind if claimed.said else ""}
    fields = ("state", "fails", "reason", "next_at", "their_key", "their_url", "token", "acknowledged_at")
    _append(kind, order, body, fields, at)


def _said_kind(task: Task, order: Order) -> str:
    if task is Task.UPDATE:
        return "workorder.said"
    return "workorder.acknowledged" if order.their_key else "workorder.sent"


def _append(kind: str, order: Order, body: Mapping[str, object], fields: tuple[str, ...], at: datetime) -> None:
    access.write(order, kind, body, fields, by=system(order.jurisdiction_id), at=at)


def _name(order: Order, key: str, url: str, token: str, at: datetime) -> None:
    order.their_key = order.their_key or key
    order.their_url = web_address(url) or order.their_url
    order.token = token or order.token
    if order.their_key and order.acknowledged_at is None:
        order.acknowledged_at = at


def _later(order: Order, claimed: Claim, answer: TryLater, at: datetime) -> None:
    """Certainly not taken: an earlier try may have been, and only that stays in doubt."""
    doubtful = claimed.was_doubtful and claimed.task is not Task.CREATE
    if claimed.said is not None:
        Outgoing.objects.filter(pk=claimed.said.pk).update(doubtful=doubtful)
    order.fails += 1
    order.reason = answer.reason[:500]
    order.state = OrderState.UNKNOWN if doubtful else settled(order)
    order.next_at = at + (answer.after or back_off(order.fails, random.random()))  # noqa: S311 - spreads load
    order.save(update_fields=["fails", "reason", "state", "next_at"])


def _unknown(order: Order, claimed: Claim, answer: Unknown, at: datetime) -> None:
    order.fails += 1
    order.reason = answer.reason[:500]
    order.state = OrderState.UNKNOWN
    order.next_at = at + max(SETTLING, back_off(order.fails, random.random()))  # noqa: S311 - spreads load
    body = {"kind": claimed.said.kind if claimed.said else "", "fails": order.fails}
    _append("workorder.unknown", order, body, ("fails", "reason", "state", "next_at"), at)


def _refused(order: Order, claimed: Claim, answer: Refused, at: datetime) -> None:
    if answer.may_pass and order.fails < _MAY_PASS:
        _later(order, claimed, TryLater(reason=answer.reason), at)
        return
    if claimed.said is not None and claimed.task is Task.CREATE:
        Outgoing.objects.filter(pk=claimed.said.pk).update(doubtful=False)
    _park(order, answer.reason, at)


def _park(order: Order, reason: str, at: datetime) -> None:
    order.state, order.reason, order.next_at = OrderState.PARKED, reason[:500] or "Refused.", None
    _append("workorder.parked", order, {}, ("state", "reason", "next_at", "fails"), at)
    by = system(order.jurisdiction_id)
    mismatching.note(order.link, MismatchKind.PARKED, by=by, at=at, order=order, ours=order.request.state)


@transaction.atomic
def note_found(claimed: Claim, report: Report | None, at: datetime) -> Order:
    """What the look-up said. None: they certainly have no such record."""
    order = access.hold_order(claimed.order.pk, jurisdiction_id=claimed.order.jurisdiction_id)
    if report is None:
        _not_there(order, claimed, at)
        return order
    if claimed.said is not None and claimed.said.kind == CREATE:
        _end_outgoing(claimed.said, at, said=True)
    order.fails, order.reason = 0, ""
    _name(order, report.their_key, report.their_url, "", at)
    order.state = settled(order)
    order.next_at = at if _next(order) else None
    fields = ("state", "fails", "reason", "next_at", "their_key", "their_url", "token", "acknowledged_at")
    _append("workorder.acknowledged", order, {"found": True}, fields, at)
    return order


def _not_there(order: Order, claimed: Claim, at: datetime) -> None:
    if claimed.said is None or claimed.said.kind != CREATE:  # the token's key is not known yet
        _later(order, claimed, TryLater(reason="They have not named their key yet."), at)
    elif order.holds:
        Outgoing.objects.filter(pk=claimed.said.pk).update(doubtful=False)
        order.state, order.next_at = OrderState.UNPROCESSED, at
        order.save(update_fields=["state", "next_at"])
    else:
        _cancelled(order, at)


def _cancelled(order: Order, at: datetime) -> None:
    """Not there (any more)."""
    order.outgoing.filter(ended_at__isnull=True).update(ended_at=at)
    order.state, order.reason, order.next_at, order.fails = OrderState.CANCELLED, "", None, 0
    _append("workorder.cancelled", order, {}, ("state", "reason", "next_at", "fails"), at)


def _end_outgoing(row: Outgoing, at: datetime, *, said: bool) -> None:
    row.ended_at, row.said, row.doubtful = at, said, False
    row.save(update_fields=["ended_at", "said", "doubtful"])
