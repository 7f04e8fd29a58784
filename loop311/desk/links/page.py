"""What the pages of links show. Constant numbers of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loop311.desk.access import Desk
from loop311.desk.links.acts import Act, MendForm, possible
from loop311.kit.problems import NotFound
from loop311.requests.models import Evidence, Request
from loop311.requests.policies import missing_evidence
from loop311.workorders import services
from loop311.workorders.connectors import kind_of
from loop311.workorders.models import Link, Mismatch, Order, Outgoing
from loop311.workorders.policies import LinkState, MismatchKind, OrderState
from loop311.workorders.queries import Standing, counted, in_trouble

PAGE = 25

STATES = {
    LinkState.UNTESTED: _("not heard of yet"),
    LinkState.UP: _("works"),
    LinkState.SHAKY: _("does not answer just now"),
    LinkState.DOWN: _("down"),
    LinkState.PAUSED: _("paused"),
}
COLOURS = {
    LinkState.UNTESTED: "untested",
    LinkState.UP: "done",
    LinkState.SHAKY: "waiting",
    LinkState.DOWN: "down",
    LinkState.PAUSED: "waiting",
}
"""Of the badge: the classes of a request's states, which have light and dark colours."""
ORDER_STATES = {
    OrderState.UNPROCESSED: _("to be sent"),
    OrderState.SENDING: _("being sent"),
    OrderState.SENT: _("sent; they have not named their number yet"),
    OrderState.ACKNOWLEDGED: _("they have it"),
    OrderState.UNKNOWN: _("sent, and the answer was lost; it is looked up before it is sent again"),
    OrderState.PARKED: _("waits for a person"),
    OrderState.CANCELLED: _("cancelled"),
}
KINDS = {
    MismatchKind.UNKNOWN_STATUS: _("A status of theirs has no meaning in links.yaml."),
    MismatchKind.UNPROVED: _("They say done, and the service's evidence is missing. They were asked for it."),
    MismatchKind.DECLINED_THERE: _("They will not do it. What the resident is told is for you to decide."),
    MismatchKind.GONE_THERE: _("Their record was cancelled, or is not there any more."),
    MismatchKind.REFUSED_HERE: _("What they say cannot follow the request's state here."),
    MismatchKind.PARKED: _("It cannot be sent as it is."),
    MismatchKind.STATE_DIFFERS: _("Over on one side, open on the other."),
    MismatchKind.NOT_THERE: _("Handed over hours ago, and still not there."),
    MismatchKind.NOT_HERE: _("A record of theirs bears our mark, and no order of ours leads to it."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A link on the list."""

    standing: Standing
    silence: int
    """Seconds since it was heard of."""

    @property
    def is_broken(self) -> bool:
        return self.standing.state == LinkState.DOWN


def rows(desk: Desk, at: datetime) -> list[Row]:
    found = counted(desk.city.pk, at)
    return [Row(standing, max(int(standing.silence(at).total_seconds()), 0)) for standing in found]


@dataclass(frozen=True, slots=True)
class Pair:
    """An order that is stuck or contradicts its record there, and what can be done about it."""

    order: Order
    mismatches: list[Mismatch]
    waiting_since: datetime | None
    missing: list[tuple[str, ...]] = field(default_factory=list)
    """Kinds of evidence without which they are not believed: one of each group."""
    offers: list[tuple[Act, MendForm, bool]] = field(default_factory=list)
    """The act, its form, whether it was just tried and stands open."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    row: Row
    kind: str
    pairs: list[Pair]
    strays: list[Mismatch]
    """Records of theirs that no order of ours leads to."""
    more: int
    """Pairs that are not shown."""
    calls_back: bool


def link_page(desk: Desk, code: str, at: datetime, tried: Mapping[int, tuple[Act, MendForm]] | None = None) -> LinkPage:
    """`tried`: what was posted and refused, by order, with its form."""
    found = counted(desk.city.pk, at, code)
    if not found:
        raise NotFound("There is no such link in this city.")
    standing = found[0]
    wrong = in_trouble(standing.link, at)
    orders = list(wrong[:PAGE])
    kind = kind_of(standing.link.connector)
    return LinkPage(
        row=Row(standing, max(int(standing.silence(at).total_seconds()), 0)),
        kind=kind.summary,
        pairs=_pairs(desk, standing.link, orders, tried or {}),
        strays=list(_open(standing.link).filter(order__isnull=True).order_by("opened_at")[:PAGE]),
        more=max(wrong.count() - PAGE, 0) if len(orders) == PAGE else 0,
        calls_back=kind.calls_back and bool(services.mapping(standing.link).call_secret),
    )


def _open(link: Link) -> QuerySet[Mismatch]:
    return Mismatch.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, mended_at__isnull=True)


def _pairs(desk: Desk, link: Link, orders: list[Order], tried: Mapping[int, tuple[Act, MendForm]]) -> list[Pair]:
    by_order: dict[int, list[Mismatch]] = {}
    for mismatch in _open(link).filter(order__in=orders).order_by("opened_at"):
        by_order.setdefault(int(mismatch.order_id or 0), []).append(mismatch)
    pending = Outgoing.objects.filter(jurisdiction_id=link.jurisdiction_id, order__in=orders, ended_at__isnull=True)
    waiting: dict[int, datetime] = dict(pending.order_by("-at").values_list("order_id", "at"))  # the oldest stays
    may = desk.actor.may("workorders.mend")
    missing = _missing([order.request for order in orders])
    return [
        Pair(
            order,
            by_order.get(order.pk, []),
            waiting.get(order.pk),
            missing[order.request_id],
            _offers(order, by_order.get(order.pk, []), tried.get(order.pk)) if may else [],
        )
        for order in orders
    ]


def _missing(requests: Sequence[Request]) -> dict[int, list[tuple[str, ...]]]:
    """By request, what its completion rule still wants; one query."""
    wanted = {request.pk: request for request in requests}
    shown: dict[int, set[str]] = {pk: set() for pk in wanted}
    rows = Evidence.objects.filter(jurisdiction_id__in={r.jurisdiction_id for r in requests}, request__in=list(wanted))
    for pk, request_id, kind in rows.values_list("pk", "request_id", "kind"):
        if pk > wanted[request_id].evidence_after:
            shown[request_id].add(kind)
    return {pk: missing_evidence(request.completion, shown[pk]) for pk, request in wanted.items()}


def _offers(
    order: Order, mismatches: list[Mismatch], tried: tuple[Act, MendForm] | None
) -> list[tuple[Act, MendForm, bool]]:
    offers = []
    for each in possible(order, mismatches):
        if tried is not None and tried[0] is each:
            offers.append((each, tried[1], True))
        else:
            offers.append((each, each.form(initial={"version": order.version}, auto_id=_ids(order, each)), False))
    return offers


def _ids(order: Order, act: Act) -> str:
    """Several forms stand on one page."""
    return f"o{order.pk}-{act.name}-%s"


def find_order(desk: Desk, code: str, order_id: int) -> Order:
    link = services.find_link(code, by=desk.actor)
    rows_ = Order.objects.of_city(desk.city.pk).select_related("link__jurisdiction", "request")
    found = rows_.filter(link=link, pk=order_id).first()
    if found is None:
        raise NotFound("There is no such work order in this city.")
    return found


def bound(order: Order, chosen: Act, data: Mapping[str, str]) -> MendForm:
    return chosen.form(data, auto_id=_ids(order, chosen))
