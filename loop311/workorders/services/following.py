"""From a request's events to its orders, and to what is to be said about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE, State
from loop311.workorders.connectors.base import ChangeKind
from loop311.workorders.mapping import Asked, LinkMap, ServiceMap, meaning_of, wants
from loop311.workorders.models import Link, Order, Outgoing
from loop311.workorders.policies import OrderState
from loop311.workorders.services import access, agreeing, mismatching

CREATE, CANCEL = "create", "cancel"

FOLLOWED: dict[str, ChangeKind | None] = {
    "request.filed": None,
    "request.assigned": ChangeKind.STATE,
    "request.started": ChangeKind.STATE,
    "request.waiting": ChangeKind.STATE,
    "request.resumed": ChangeKind.STATE,
    "request.handed_over": None,
    "request.done": ChangeKind.STATE,
    "request.closed": ChangeKind.STATE,
    "request.declined": None,
    "request.reopened": ChangeKind.STATE,
    "request.joined": None,
    "request.separated": None,
    "request.follower_joined": ChangeKind.COMMENT,
    "request.follower_left": ChangeKind.COMMENT,
    "request.rerouted": None,
    "request.service_changed": ChangeKind.PRIORITY,
    "request.commented": ChangeKind.COMMENT,
    "request.evidence_added": ChangeKind.EVIDENCE,
    "request.attached": ChangeKind.EVIDENCE,
    "request.promise_changed": ChangeKind.DUE,
    "request.words_erased": ChangeKind.ERASED,
}
"""What a work order hears of; None: it only decides where the request goes."""
REPORTS: dict[str, object] = {"comment": 0, "reports": True}
"""Body of what tells them how many report the same."""
_LEADS = frozenset({kind for kind, change in FOLLOWED.items() if change is None} | {"request.reopened"})
"""What hands a request over again that a person had cancelled there. A comment does not."""
CALLED_OFF = "called_off"
"""Why an order is cancelled there: a person here wanted it so."""

_SAID_IN_WORDS = frozenset({State.WAITING, State.DONE, State.CLOSED, State.RECEIVED})
"""Worth a sentence there even where no status of theirs is mapped."""


_LINKED = "SELECT EXISTS (SELECT 1 FROM workorders_link WHERE jurisdiction_id = %s AND retired_at IS NULL)"


def has_links(jurisdiction_id: int) -> bool:
    """Whether anybody is there to follow for. Plain SQL: every event of a request asks it."""
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [jurisdiction_id])
        return bool(cursor.fetchone()[0])


def follow(event_id: int) -> None:
    """Handler of everything in FOLLOWED: once per event, in a transaction of its own."""
    event = Event.objects.get(pk=event_id)
    links = list(Link.objects.of_city(event.jurisdiction_id).in_use().order_by("pk"))
    if not links:
        return
    request = access.hold_request(event.jurisdiction_id, event.subject_id)
    before = current(request)
    by, at = system(event.jurisdiction_id), now()
    order = settle(request, links, event, before, by=by, at=at)
    kind = FOLLOWED[event.kind]
    if order is not None and order is before and kind is not None:
        _add(order, event, kind, json.loads(event.body), at=at)
    if event.kind == "request.words_erased":
        _forget_reasons(request)
    if order is not None:
        share_number(request, order, by=by, at=at)
        agreeing.mend_if_agreed(request, order, by=by, at=at)


def _forget_reasons(request: Request) -> None:
    """What they answered may repeat the words that were erased."""
    orders = Order.objects.of_city(request.jurisdiction_id).filter(request=request).exclude(reason="")
    orders.update(reason="(erased)")


def share_number(request: Request, order: Order, *, by: Actor, at: datetime) -> None:
    """Somebody outside the city has it under a number of theirs: the resident is told that number."""
    handed = request.state == State.HANDED_OVER and request.handed_to in access.mapping(order.link).outside_owners
    if handed and order.holds and order.their_key and request.handed_reference != order.their_key:
        requests.hand_over(request, owner=request.handed_to, reference=order.their_key, by=by, at=at)


@transaction.atomic
def tell_number(order_id: int, jurisdiction_id: int, at: datetime) -> None:
    """After they have named it."""
    order = Order.objects.of_city(jurisdiction_id).select_related("link").get(pk=order_id)
    request = access.hold_request(jurisdiction_id, order.request_id)
    share_number(request, order, by=system(jurisdiction_id), at=at)


@transaction.atomic
def take_up(link: Link, *, by: Actor, at: datetime | None = None, limit: int = 10_000) -> int:
    """Hand over what was open before the link was there; returns how many."""
    access.permit(by, "workorders.load")
    said, at = access.mapping(link), at or now()
    routed = Q(team__code__in=said.teams) | Q(state=State.HANDED_OVER, handed_to__in=said.outside_owners)
    open_ = Request.objects.filter(routed, jurisdiction_id=link.jurisdiction_id, state__in=sorted(WORKABLE))
    mine = open_.filter(service__code__in=list(said.services)).exclude(orders__holds=True).order_by("pk")
    links = list(Link.objects.of_city(link.jurisdiction_id).in_use().order_by("pk"))
    taken = 0
    for pk in list(mine.values_list("pk", flat=True)[:limit]):
        request = access.hold_request(link.jurisdiction_id, pk)
        taken += settle(request, links, None, current(request), by=by, at=at) is not None
    return taken


def current(request: Request) -> Order | None:
    """The order that holds, locked."""
    held = Order.objects.of_city(request.jurisdiction_id).select_for_update(of=("self",)).select_related("link")
    return held.filter(request=request, holds=True).first()


def settle(
    request: Request, links: list[Link], event: Event | None, order: Order | None, *, by: Actor, at: datetime
) -> Order | None:
    """Where the request goes as it stands now, whichever event comes first (None: it is no event that asks): the order that
    holds afterwards."""
    if order is not None and State(request.state) in (State.DONE, State.CLOSED):
        return order
    wanted = _wanted(request, links)
    if order is not None and (wanted is None or (order.link_id, order.theirs) != (wanted[0].pk, wanted[1].theirs)):
        _end(order, event, by=by, at=at)
        order = None
    if order is None and wanted is not None and (_leads(event) or not _was_called_off(request, *wanted)):
        return _open(request, *wanted, event, by=by, at=at)
    return order


def _leads(event: Event | None) -> bool:
    return event is not None and event.kind in _LEADS


def _was_called_off(request: Request, link: Link, mapped: ServiceMap) -> bool:
    """Whether a person had the last order cancelled there, and this would be the same once more."""
    last = Order.objects.of_city(request.jurisdiction_id).filter(request=request).order_by("-pk").first()
    if last is None or (last.link_id, last.theirs) != (link.pk, mapped.theirs):
        return False
    return last.outgoing.filter(kind=CANCEL, body__why=CALLED_OFF).exists()


def open_anew(request: Request, order: Order, *, by: Actor, at: datetime) -> Order | None:
    """Once more, under a mark of its own, in place of an order that is gone there. None: no link takes the request any more."""
    wanted = _wanted(request, list(Link.objects.of_city(request.jurisdiction_id).in_use().order_by("pk")))
    if wanted is None:
        return None
    _end(order, None, by=by, at=at)
    return _open(request, *wanted, None, by=by, at=at)


def _wanted(request: Request, links: list[Link]) -> tuple[Link, ServiceMap] | None:
    if State(request.state) not in WORKABLE:
        return None
    outside = request.handed_to if request.state == State.HANDED_OVER else ""
    asked = Asked(service=request.service.code, team=request.team.code, outside_owner=outside)
    for link in links:
        mapped = wants(access.mapping(link), asked)
        if mapped is not None:
            return link, mapped
    return None


def _open(request: Request, link: Link, mapped: ServiceMap, event: Event | None, *, by: Actor, at: datetime) -> Order:
    earlier = Order.objects.of_city(request.jurisdiction_id).filter(request=request).count()
    order = Order.objects.create(
        jurisdiction_id=request.jurisdiction_id,
        link=link,
        request=request,
        reference=_mark(request, earlier),
        service=request.service.code,
        theirs=mapped.theirs,
        next_at=at,
        opened_at=at,
    )
    access.write(order, "workorder.opened", {"code": link.code}, (), by=by, at=at, first=True)
    say(order, CREATE, {}, event_id=event.pk if event else 0, at=at)
    return order


def _mark(request: Request, earlier: int) -> str:
    """With the city's name in it: several cities may write into one system, and each has a request number one."""
    mark = f"{request.jurisdiction.slug[:40]}-{request.number}"
    return mark if not earlier else f"{mark}.{earlier + 1}"


def _end(order: Order, event: Event | None, *, by: Actor, at: datetime) -> None:
    """It is not theirs any more: what was still to be said is dropped, and they are told to cancel it."""
    why, event_id = (event.kind, event.pk) if event else ("mended", 0)
    order.holds = False
    if order.state == OrderState.PARKED:
        order.state, order.reason = OrderState.UNKNOWN, ""
    access.write(order, "workorder.ended", {"why": why}, ("holds", "state", "reason"), by=by, at=at)
    Outgoing.objects.filter(jurisdiction_id=order.jurisdiction_id, order=order, ended_at__isnull=True).exclude(
        kind=CREATE
    ).update(ended_at=at)
    mismatching.mend(order.link, by=by, at=at, how="ended", order=order)
    say(order, CANCEL, {"why": why}, event_id=event_id, at=at)


def say(order: Order, kind: str, body: Mapping[str, object], *, event_id: int, at: datetime) -> Outgoing:
    """Something to be said, after all that is to be said already."""
    added = Outgoing.objects.create(
        jurisdiction_id=order.jurisdiction_id, order=order, event_id=event_id, kind=kind, body=dict(body), at=at
    )
    if order.next_at is None and order.state != OrderState.PARKED:
        order.next_at = at
        order.save(update_fields=["next_at"])
    access.wake(order.link_id)
    return added


def _add(order: Order, event: Event, kind: ChangeKind, body: Mapping[str, object], *, at: datetime) -> None:
    if access.is_of_link(event.actor_kind, event.actor_ref, order.link_id):
        return  # they said it themselves
    link = access.mapping(order.link)
    if kind is ChangeKind.STATE and not _is_news(link, order, str(body.get("state", ""))):
        return
    kept = {name: body[name] for name in ("comment", "evidence", "attachment", "state", "due_at") if name in body}
    if "follower" in body:
        kept = REPORTS
        if order.outgoing.filter(ended_at__isnull=True, doubtful=False, body=REPORTS).exists():
            return  # a flood of reports is counted when it is said
    say(order, kind, kept, event_id=event.pk, at=at)


def _is_news(link: LinkMap, order: Order, state: str) -> bool:
    status = link.states.get(state)
    if status is None:
        return state in _SAID_IN_WORDS and not _means_the_same(link, order, state)
    return status.strip().casefold() != order.their_status.strip().casefold()


def _means_the_same(link: LinkMap, order: Order, state: str) -> bool:
    meant = meaning_of(link, order.their_status)
    return meant is not None and state in (State.DONE, State.CLOSED) and meant.means == "done"
