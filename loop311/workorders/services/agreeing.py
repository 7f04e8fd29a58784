"""Whether both sides say the same."""

from __future__ import annotations

from datetime import datetime

from loop311.kit.actor import Actor
from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE, State
from loop311.workorders.mapping import Meaning, meaning_of
from loop311.workorders.models import Order
from loop311.workorders.services import access, mismatching

_AGREE: dict[Meaning, frozenset[State]] = {
    Meaning.NOTHING: frozenset(WORKABLE),
    Meaning.STARTED: frozenset(WORKABLE),
    Meaning.WAITING: frozenset(WORKABLE),
    Meaning.DONE: frozenset({State.DONE, State.CLOSED}),
    Meaning.DECLINED: frozenset({State.DECLINED}),
    Meaning.CANCELLED: frozenset(),
}
_OVER = frozenset({Meaning.DONE, Meaning.DECLINED, Meaning.CANCELLED})


def agree(request: Request, order: Order, status: str) -> bool | None:
    """None: nobody has said what their status means, or they have said none."""
    meant = meaning_of(access.mapping(order.link), status)
    if meant is None:
        return None
    return State(request.state) in _AGREE[meant.means] if order.holds else meant.means in _OVER


def mend_if_agreed(request: Request, order: Order, *, by: Actor, at: datetime) -> None:
    if agree(request, order, order.their_status):
        mismatching.mend(order.link, by=by, at=at, how=mismatching.AGREED, order=order, kinds=mismatching.OF_STATUS)
