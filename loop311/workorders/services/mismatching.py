"""What does not agree: opened once, owned by somebody, mended by agreement or by a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from loop311.kit.actor import Actor
from loop311.ledger.services import append
from loop311.workorders.models import Link, Mismatch, Order
from loop311.workorders.policies import MismatchKind
from loop311.workorders.services import access

AGREED = "agreed"
OF_STATUS = frozenset(MismatchKind) - {MismatchKind.PARKED, MismatchKind.NOT_HERE}
"""Gone when both sides say the same again."""


def note(
    link: Link,
    kind: MismatchKind,
    *,
    by: Actor,
    at: datetime,
    order: Order | None = None,
    their_key: str = "",
    ours: str = "",
    theirs: str = "",
) -> Mismatch:
    """Open it, or bring the open one up to date."""
    key = their_key or (order.their_key if order else "")
    same = {"jurisdiction_id": link.jurisdiction_id, "link": link, "order": order, "kind": kind, "their_key": key}
    found = Mismatch.objects.filter(**same, mended_at__isnull=True).first()
    if found is not None:
        if (found.ours, found.theirs) != (ours, theirs):
            found.ours, found.theirs = ours, theirs
            found.save(update_fields=["ours", "theirs"])
        return found
    opened = Mismatch.objects.create(**same, ours=ours, theirs=theirs, owner_id=link.owner_id, opened_at=at)
    body = {"code": link.code, "kind": kind, "order": order.pk if order else None, "owner": link.owner_id}
    append("link.mismatch", access.LINK, link.pk, body, by=by, at=at)
    return opened


def mend(
    link: Link, *, by: Actor, at: datetime, how: str, order: Order | None, kinds: Iterable[MismatchKind] = MismatchKind
) -> int:
    """Every open one of these kinds; returns how many."""
    rows = Mismatch.objects.filter(
        jurisdiction_id=link.jurisdiction_id, link=link, order=order, mended_at__isnull=True, kind__in=list(kinds)
    )
    return sum(end(link, row, by=by, at=at, how=how) for row in rows.select_for_update(of=("self",)))


def end(link: Link, row: Mismatch, *, by: Actor, at: datetime, how: str) -> int:
    row.mended_at, row.how = at, how
    row.save(update_fields=["mended_at", "how"])
    body = {"code": link.code, "kind": row.kind, "order": row.order_id, "how": how}
    append("link.mended", access.LINK, link.pk, body, by=by, at=at)
    return 1
