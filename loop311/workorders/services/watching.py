"""Whether a link lives: each heartbeat is noted, and its owner hears when it breaks and when it mends."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict
from loop311.ledger.services import append
from loop311.workorders.models import Call, Link, Order
from loop311.workorders.policies import LinkState, OrderState
from loop311.workorders.services import access

_CALLS_KEPT = timedelta(days=1)


@transaction.atomic
def note_beat(link_id: int, *, ok: bool, said: str, at: datetime, newest: datetime | None = None) -> LinkState:
    """A heartbeat was answered, or was not. When they are up again, what has waited for it goes out at once."""
    link = access.hold_link(link_id)
    if link.state == LinkState.PAUSED or link.retired_at is not None:
        return LinkState(link.state)
    was_failing = link.failing
    link.tried_at, link.said, link.failing = at, said[:500], not ok
    if ok:
        link.heard_at = at
    if newest is not None:
        link.newest_there = max(newest, link.newest_there or newest)
    link.save(update_fields=["tried_at", "said", "failing", "heard_at", "newest_there"])
    after = _move(link, link.standing(at), at)
    if ok and was_failing:
        _let_go(link, at)
    return after


def _move(link: Link, state: LinkState, at: datetime) -> LinkState:
    before = link.state
    if state == before:
        return state
    link.state, link.state_at = state, at
    link.save(update_fields=["state", "state_at"])
    by = system(link.jurisdiction_id)
    body = {"code": link.code, "owner": link.owner_id, "silent_for": int(link.silence(at).total_seconds())}
    if state == LinkState.DOWN:
        append("link.down", access.LINK, link.pk, body, by=by, at=at)
    elif state == LinkState.UP and before in (LinkState.DOWN, LinkState.UNTESTED):
        append("link.up", access.LINK, link.pk, {**body, "was": before}, by=by, at=at)
    return state


def _let_go(link: Link, at: datetime) -> None:
    """What waits longer because they did not answer; who was told to wait by a person waits on."""
    waiting = Order.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, next_at__gt=at)
    waiting.exclude(state=OrderState.SENDING).exclude(state=OrderState.UNKNOWN).update(next_at=at)
    access.wake(link.pk)


@transaction.atomic
def note_failing(link_id: int, reason: str, at: datetime) -> None:
    """What was said was not taken: they may be down, and the next heartbeat tells."""
    Link.objects.filter(pk=link_id, failing=False).update(failing=True, said=reason[:500])


@transaction.atomic
def mark_silent(at: datetime | None = None) -> int:
    """Those who were silent for too long are down, whether or not a heartbeat could be tried; returns how many moved."""
    at = at or now()
    moved = 0
    for link in Link.objects.listened_for().select_for_update(of=("self",), skip_locked=True).order_by("pk"):
        state = link.standing(at)
        if state == LinkState.DOWN and link.state != state:
            moved += 1
            _move(link, state, at)
    Call.objects.filter(at__lt=at - _CALLS_KEPT).delete()
    return moved


@transaction.atomic
def pause(link: Link, *, by: Actor, at: datetime | None = None) -> Link:
    """Nothing is said or asked until somebody goes on; what is to be said waits."""
    access.permit(by, "workorders.mend")
    at = at or now()
    link = access.hold_link(access.find_link(link.code, by=by).pk)
    if link.state == LinkState.PAUSED:
        raise Conflict(f"The link {link.code} is paused already.")
    link.state, link.state_at = LinkState.PAUSED, at
    link.save(update_fields=["state", "state_at"])
    append("link.paused", access.LINK, link.pk, {"code": link.code}, by=by, at=at)
    return link


@transaction.atomic
def go_on(link: Link, *, by: Actor, at: datetime | None = None) -> Link:
    access.permit(by, "workorders.mend")
    at = at or now()
    link = access.hold_link(access.find_link(link.code, by=by).pk)
    if link.state != LinkState.PAUSED:
        raise Conflict(f"The link {link.code} is not paused.")
    link.state, link.state_at, link.since, link.failing = LinkState.UNTESTED, at, at, False
    link.save(update_fields=["state", "state_at", "since", "failing"])
    append("link.resumed", access.LINK, link.pk, {"code": link.code}, by=by, at=at)
    access.wake(link.pk)
    return link


def to_beat() -> list[int]:
    return list(Link.objects.listened_for().order_by("pk").values_list("pk", flat=True))


def speakable(link: Link, at: datetime) -> bool:
    """Whether anything may be said to them now: while they are down only the heartbeat asks."""
    return link.retired_at is None and link.standing(at) not in (LinkState.DOWN, LinkState.PAUSED)


def waiting_links(at: datetime) -> list[int]:
    """Links with something to be said by now: a job that was lost is made good by the sweep."""
    rows = Order.objects.filter(next_at__lte=at).filter(~Q(link__state=LinkState.PAUSED))
    return sorted(set(rows.values_list("link_id", flat=True)))
