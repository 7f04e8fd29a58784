"""How links and their pairs stand, for pages and commands. Constant numbers of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from loop311.workorders.models import Link, Mismatch, Order, Outgoing
from loop311.workorders.policies import LinkState, OrderState

STUCK = (OrderState.PARKED, OrderState.UNKNOWN)
PATIENCE = timedelta(minutes=5)
"""What is to be said and has not been for so long shows among the stuck."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`waiting`: orders with something to be said; `oldest`: since when the first of it."""

    link: Link
    state: LinkState
    waiting: int
    oldest: datetime | None
    stuck: int
    mismatches: int

    def silence(self, at: datetime) -> timedelta:
        return self.link.silence(at)


def counted(jurisdiction_id: int, at: datetime, code: str = "") -> list[Standing]:
    """Every link in use, by code; three queries."""
    links = Link.objects.of_city(jurisdiction_id).in_use().select_related("owner").order_by("code")
    found = list(links.filter(code=code) if code else links)
    pending = Outgoing.objects.filter(jurisdiction_id=jurisdiction_id, order__link__in=found, ended_at__isnull=True)
    waiting = {
        row["order__link"]: row
        for row in pending.values("order__link").annotate(orders=Count("order", distinct=True), oldest=Min("at"))
    }
    open_ = Mismatch.objects.filter(jurisdiction_id=jurisdiction_id, link__in=found, mended_at__isnull=True)
    mismatches = dict(open_.values("link").annotate(n=Count("pk")).values_list("link", "n"))
    stuck = dict(
        Order.objects.of_city(jurisdiction_id)
        .filter(link__in=found, state__in=STUCK)
        .values("link")
        .annotate(n=Count("pk"))
        .values_list("link", "n")
    )
    return [_standing(link, waiting.get(link.pk, {}), stuck, mismatches, at) for link in found]


def _standing(
    link: Link, waiting: dict[str, object], stuck: dict[int, int], mismatches: dict[int, int], at: datetime
) -> Standing:
    oldest, orders = waiting.get("oldest"), waiting.get("orders", 0)
    return Standing(
        link=link,
        state=link.standing(at),
        waiting=orders if isinstance(orders, int) else 0,
        oldest=oldest if isinstance(oldest, datetime) else None,
        stuck=stuck.get(link.pk, 0),
        mismatches=mismatches.get(link.pk, 0),
    )


def in_trouble(link: Link, at: datetime) -> QuerySet[Order]:
    """Orders that are stuck, late or contradictory, the longest first."""
    open_ = Mismatch.objects.filter(order=OuterRef("pk"), mended_at__isnull=True)
    late = Outgoing.objects.filter(order=OuterRef("pk"), ended_at__isnull=True, at__lt=at - PATIENCE)
    rows = Order.objects.of_city(link.jurisdiction_id).filter(link=link)
    rows = rows.annotate(differs=Exists(open_), late=Exists(late))
    wrong = Q(differs=True) | Q(late=True) | Q(state__in=STUCK)
    return rows.filter(wrong).select_related("request__service", "link").order_by("opened_at", "pk")


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the whole deployment: links by how they stand, orders with something to be said, what does not agree."""

    links: dict[str, int]
    waiting: int
    mismatches: int


def totals(at: datetime) -> Totals:
    """Three queries; for whoever watches the machines, so no names of cities or links."""
    links = dict.fromkeys((state.value for state in LinkState), 0)
    for link in Link.objects.in_use():
        links[link.standing(at).value] += 1
    waiting = Order.objects.filter(next_at__isnull=False).count()
    return Totals(links, waiting, Mismatch.objects.filter(mended_at__isnull=True).count())
