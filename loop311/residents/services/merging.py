"""Two residents found to be one. Nothing is moved: the one points to the other, so undoing restores both exactly."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, NotFound
from loop311.ledger import services as ledger
from loop311.residents.models import Merge, Resident
from loop311.residents.policies import Person, Preview, merge_refusal, preview
from loop311.residents.services import permit
from loop311.residents.services.finding import contact_points, identity_ids


@transaction.atomic
def merge(
    kept: Resident,
    gone: Resident,
    *,
    by: Actor,
    reason: str = "",
    versions: tuple[int, int] | None = None,
    at: datetime | None = None,
) -> Merge:
    """From now on `kept` stands for both. Each keeps its contacts, consents and requests; readers follow the pointer.

    `versions` are those of both that the preview was made from: a merge of what has changed since is refused.
    """
    kept, gone = _both(kept.pk, gone.pk, by)
    if versions is not None and versions != (kept.version, gone.version):
        raise Conflict("Somebody has changed one of the two meanwhile; look at both again before you merge them.")
    refusal = merge_refusal(_person(kept), _person(gone))
    if refusal:
        raise Conflict(refusal)
    at = at or now()
    _point(gone, kept)
    row = Merge.objects.create(jurisdiction_id=kept.jurisdiction_id, kept=kept, gone=gone, reason=reason.strip(), at=at)
    _tell("resident.merged", row, by, at)
    return row


@transaction.atomic
def undo_merge(gone: Resident, *, by: Actor, at: datetime | None = None) -> Merge:
    """The one that was merged stands for itself again, exactly as it was."""
    row = Merge.objects.filter(jurisdiction_id=by.jurisdiction_id, gone_id=gone.pk, undone_at__isnull=True).first()
    if row is None:
        permit.locked(gone.pk, by=by, permission="residents.merge")
        raise Conflict("This resident is not merged into another.")
    _, gone = _both(row.kept_id, row.gone_id, by)
    row = Merge.objects.select_for_update().get(pk=row.pk)
    if row.undone_at is not None:
        raise Conflict("The merge has been undone already.")
    if gone.erased_at is not None:
        raise Conflict("This resident was erased; there is nothing left to restore.")
    row.undone_at = at or now()
    row.save(update_fields=["undone_at"])
    _point(gone, None)
    _tell("resident.merge_undone", row, by, row.undone_at)
    return row


def merges_of(resident: Resident) -> list[Merge]:
    """Every merge into this resident or one that was merged into it that still stands, the newest first; two queries."""
    rows = Merge.objects.filter(
        jurisdiction_id=resident.jurisdiction_id, kept_id__in=identity_ids(resident), undone_at__isnull=True
    )
    return list(rows.select_related("gone", "kept").order_by("-at", "-pk"))


def preview_merge(kept: Resident, gone: Resident, *, by: Actor) -> Preview:
    """What merging would show, and why it cannot be done if it cannot; changes nothing."""
    if {kept.jurisdiction_id, gone.jurisdiction_id} != {by.jurisdiction_id}:
        raise NotFound("There is no such resident.")
    permit.may(by, "residents.merge")
    return preview(_person(kept, with_points=True), _person(gone, with_points=True))


def _both(kept_id: int, gone_id: int, by: Actor) -> tuple[Resident, Resident]:
    """Both rows held, always in the order of their ids, so that two merges at once never wait for each other."""
    ids = {kept_id, gone_id}
    rows = Resident.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, pk__in=ids)
    found = {row.pk: row for row in rows.order_by("pk")}
    if len(found) < len(ids):
        raise NotFound("There is no such resident.")
    permit.may(by, "residents.merge")
    return found[kept_id], found[gone_id]


def _point(gone: Resident, kept: Resident | None) -> None:
    gone.merged_into = kept
    gone.version += 1
    gone.save(update_fields=["merged_into", "version"])


def _tell(kind: str, row: Merge, by: Actor, at: datetime) -> None:
    """One event in each history."""
    for subject in sorted((row.kept_id, row.gone_id)):
        body = {"merge": row.pk, "kept": row.kept_id, "gone": row.gone_id}
        ledger.append(kind, "resident", subject, body, by=by, at=at)


def _person(row: Resident, *, with_points: bool = False) -> Person:
    return Person(
        id=row.pk,
        kind=row.kind,
        name=row.name,
        language=row.language,
        address=row.address,
        is_erased=row.erased_at is not None,
        merged_into=row.merged_into_id,
        points=contact_points(row) if with_points else (),
    )
