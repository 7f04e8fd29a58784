"""Both sides held against each other, record by record, every night: what does not agree gets an owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from loop311.kit.actor import system
from loop311.ledger.services import append
from loop311.requests.models import Request
from loop311.workorders.connectors.base import Report, TheirState
from loop311.workorders.mapping import meaning_of
from loop311.workorders.models import Link, Mismatch, Order, OrderQuerySet
from loop311.workorders.policies import OVERDUE, MismatchKind, OrderState
from loop311.workorders.services import access, agreeing, hearing, mismatching

REMEMBERED = timedelta(days=60)
"""So long after a request has ended is its pair still compared."""
_FOUND_HERE = frozenset(
    {MismatchKind.STATE_DIFFERS, MismatchKind.NOT_THERE, MismatchKind.NOT_HERE, MismatchKind.GONE_THERE}
)


@dataclass(frozen=True, slots=True)
class Compared:
    """`pairs`: records held against each other; `open`: those that do not agree now; `mended`: that agree again."""

    pairs: int
    open: int
    mended: int


def keys_of(link: Link, at: datetime) -> list[str]:
    """What they are asked about."""
    return list(_orders(link, at).exclude(their_key="").order_by("pk").values_list("their_key", flat=True))


def open_keys(link: Link) -> list[str]:
    """Records that may still change there."""
    rows = Order.objects.of_city(link.jurisdiction_id).filter(link=link, request__ended_at__isnull=True)
    return list(rows.exclude(their_key="").exclude(state=OrderState.CANCELLED).values_list("their_key", flat=True))


def known_marks(link: Link, references: Collection[str]) -> set[str]:
    """Those that an order of the link bears."""
    rows = Order.objects.of_city(link.jurisdiction_id).filter(link=link, reference__in=list(references))
    return set(rows.values_list("reference", flat=True))


def _orders(link: Link, at: datetime) -> OrderQuerySet:
    recent = Q(request__ended_at__isnull=True) | Q(request__ended_at__gt=at - REMEMBERED)
    cancelled = Q(holds=False, request__updated_at__gt=at - REMEMBERED)
    return Order.objects.of_city(link.jurisdiction_id).filter(recent & Q(holds=True) | cancelled, link=link)


def compare(link: Link, asked: Sequence[str], theirs: Iterable[TheirState], at: datetime) -> Compared:
    """`theirs` is the whole of what they say about the keys `asked`, and about further records with our mark."""
    before = _open_kinds(link)
    states = list(theirs)
    by_key = {state.their_key: state for state in states}
    found: set[int] = set()
    for key in asked:
        found |= _pair(link, key, by_key.get(key), at)
    for state in states:
        if state.their_key not in set(asked):
            found |= _unknown_record(link, state, at)
    found |= _never_arrived(link, at)
    return _finish(link, before, found, len(set(asked) | set(by_key)), at)


def _open_kinds(link: Link) -> set[int]:
    rows = Mismatch.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, mended_at__isnull=True)
    return set(rows.values_list("pk", flat=True))


@transaction.atomic
def _pair(link: Link, key: str, state: TheirState | None, at: datetime) -> set[int]:
    """The mismatches that stand between this pair."""
    rows = Order.objects.of_city(link.jurisdiction_id).filter(link=link, their_key=key)
    order = rows.select_related("link").first()
    if order is None:
        return set()
    request = access.hold_request(link.jurisdiction_id, order.request_id)
    if state is None:
        return _gone(link, order, request, at) if order.holds else set()
    if state.status and state.status != order.their_status and order.next_at is None:
        _catch_up(link, order, state, at)
        order.refresh_from_db()
        request.refresh_from_db()
    if order.next_at is not None or agreeing.agree(request, order, state.status) is not False:
        return set()  # something is still on its way, or they agree, or another kind of mismatch says it already
    if not order.holds and _is_told(order):
        return _note(link, MismatchKind.STATE_DIFFERS, order, "cancelled", state.status, at)
    if order.mismatches.filter(mended_at__isnull=True).exists():
        return set()
    return _note(link, MismatchKind.STATE_DIFFERS, order, request.state, state.status, at)


def _is_told(order: Order) -> bool:
    return order.state == OrderState.CANCELLED


def _catch_up(link: Link, order: Order, state: TheirState, at: datetime) -> None:
    """A change of theirs that was never heard of: it is heard now."""
    when = state.at or at
    identity = f"compared:{state.their_key}:{state.status}:{when.isoformat()}"
    hearing.hear(link, Report(id=identity, their_key=state.their_key, status=state.status, at=when), at)


def _gone(link: Link, order: Order, request: Request, at: datetime) -> set[int]:
    return _note(link, MismatchKind.GONE_THERE, order, request.state, "", at)


def _unknown_record(link: Link, state: TheirState, at: datetime) -> set[int]:
    """A record with our mark that no order leads to: theirs named late, or one too many."""
    if not state.reference:
        return set()
    rows = Order.objects.of_city(link.jurisdiction_id).filter(link=link)
    if rows.filter(their_key=state.their_key).exists():
        return set()  # of an order that ended long ago
    marked = rows.filter(reference=state.reference).first()
    if marked is not None and not marked.their_key:
        when = state.at or at
        identity = f"compared:{state.their_key}:{state.status}:{when.isoformat()}"
        report = Report(id=identity, their_key=state.their_key, reference=state.reference, status=state.status,
                        at=when, their_url=state.their_url)  # fmt: skip
        hearing.hear(link, report, at)
        return set()
    if _is_over(link, state.status):
        return set()
    by = system(link.jurisdiction_id)
    with transaction.atomic():
        row = mismatching.note(
            link, MismatchKind.NOT_HERE, by=by, at=at, order=marked, their_key=state.their_key,
            ours=marked.their_key if marked else "", theirs=state.status,
        )  # fmt: skip
    return {row.pk}


def _is_over(link: Link, status: str) -> bool:
    meant = meaning_of(access.mapping(link), status)
    return meant is not None and meant.means in ("done", "declined", "cancelled")


@transaction.atomic
def _never_arrived(link: Link, at: datetime) -> set[int]:
    """Handed over long ago, and they have not named a key."""
    late = Order.objects.of_city(link.jurisdiction_id).filter(
        link=link, holds=True, their_key="", opened_at__lt=at - OVERDUE
    )
    found: set[int] = set()
    for order in late.exclude(state=OrderState.PARKED).select_related("request", "link").order_by("pk"):
        found |= _note(link, MismatchKind.NOT_THERE, order, order.request.state, "", at)
    return found


def _note(link: Link, kind: MismatchKind, order: Order, ours: str, theirs: str, at: datetime) -> set[int]:
    by = system(link.jurisdiction_id)
    return {mismatching.note(link, kind, by=by, at=at, order=order, ours=ours, theirs=theirs).pk}


@transaction.atomic
def _finish(link: Link, before: set[int], found: set[int], pairs: int, at: datetime) -> Compared:
    by = system(link.jurisdiction_id)
    rows = Mismatch.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, mended_at__isnull=True)
    agreed = rows.filter(pk__in=before - found, kind__in=list(_FOUND_HERE)).select_for_update(of=("self",))
    for row in agreed:
        mismatching.end(link, row, by=by, at=at, how=mismatching.AGREED)
    open_now = set(rows.values_list("pk", flat=True))
    left, mended = len(open_now), len(before - open_now)
    held = access.hold_link(link.pk)
    new = rows.filter(opened_at__gt=held.compared_at).count() if held.compared_at else left
    Link.objects.filter(pk=link.pk).update(compared_at=at)
    body = {"code": link.code, "owner": held.owner_id, "pairs": pairs, "open": left, "mended": mended, "new": new}
    append("link.compared", access.LINK, link.pk, body, by=by, at=at)
    return Compared(pairs, left, mended)
