"""Ways to reach a resident: added, removed, preferred, unsubscribed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from loop311.jurisdictions.services import country_of
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Invalid, NotFound
from loop311.ledger import services as ledger
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.policies import PointKind, normalise_point
from loop311.residents.services import permit

MOST_POINTS = 20


@dataclass(frozen=True, slots=True)
class PointInput:
    """A way to reach somebody, as written down. `kind` is a value of policies.PointKind."""

    kind: str
    address: str
    is_preferred: bool = False
    may_notify: bool = True


def normalised(points: Sequence[PointInput], jurisdiction_id: int) -> list[PointInput]:
    """The same points in their one spelling, each once; Invalid names the first that nobody can be reached at."""
    found: dict[tuple[str, str], PointInput] = {}
    for index, point in enumerate(points):
        if point.kind not in {kind.value for kind in PointKind}:
            _refuse(index, "kind", f"There is no kind {point.kind!r}; they are {', '.join(PointKind)}.")
        address = normalise_point(point.kind, point.address, country_of(jurisdiction_id))
        if address is None:
            word = "an e-mail address" if point.kind == PointKind.EMAIL else "a telephone number"
            _refuse(index, "address", f"This is not {word}.")
            continue
        found.setdefault((point.kind, address), replace(point, address=address))
    if len(found) > MOST_POINTS:
        raise Invalid(f"A resident has at most {MOST_POINTS} contact points.")
    return list(found.values())


def _refuse(index: int, field: str, detail: str) -> None:
    raise Invalid(detail, fields=[FieldProblem(f"contact_points.{index}.{field}", detail)])


def write_points(resident: Resident, points: Sequence[PointInput], *, at: datetime) -> list[ContactPoint]:
    """Rows for a resident that has just been made; no events of their own."""
    if not points:
        return []
    return ContactPoint.objects.bulk_create([_row(resident, point, at) for point in points])


def _row(resident: Resident, point: PointInput, at: datetime) -> ContactPoint:
    return ContactPoint(
        jurisdiction_id=resident.jurisdiction_id,
        resident=resident,
        kind=point.kind,
        address=point.address,
        is_preferred=point.is_preferred,
        may_notify=point.may_notify,
        created_at=at,
    )


@transaction.atomic
def add_contact_point(
    resident: Resident, point: PointInput, *, by: Actor, version: int | None = None, at: datetime | None = None
) -> ContactPoint:
    """One more way to reach the resident; the same again gives the row that is there."""
    resident = permit.locked(resident.pk, by=by)
    permit.check_version(resident, version)
    [wanted] = normalised([point], resident.jurisdiction_id)
    present = resident.contact_points.filter(removed_at__isnull=True)
    there = present.filter(kind=wanted.kind, address=wanted.address).first()
    if there is not None:
        return there
    if present.count() >= MOST_POINTS:
        raise Conflict(f"A resident has at most {MOST_POINTS} contact points; remove one first.")
    if wanted.is_preferred:
        present.update(is_preferred=False)
    [made] = write_points(resident, [wanted], at=at or now())
    _changed("resident.contact_added", made, {"kind": made.kind}, by, at)
    return made


@transaction.atomic
def remove_contact_point(point: ContactPoint, *, by: Actor, at: datetime | None = None) -> ContactPoint:
    """Nothing is sent there any more; the row stays, for what was sent. Removing twice changes nothing."""
    point = _locked(point, by)
    if point.removed_at is None:
        point.removed_at = at or now()
        point.is_preferred = False
        point.save(update_fields=["removed_at", "is_preferred"])
        _changed("resident.contact_removed", point, {}, by, at)
    return point


@transaction.atomic
def set_preferred(point: ContactPoint, *, by: Actor) -> ContactPoint:
    """The one way to try first."""
    point = _locked(point, by)
    if point.removed_at is not None:
        raise Conflict("This contact point was removed.")
    if not point.is_preferred:
        point.resident.contact_points.exclude(pk=point.pk).update(is_preferred=False)
        point.is_preferred = True
        point.save(update_fields=["is_preferred"])
        _changed("resident.contact_preferred", point, {}, by, None)
    return point


@transaction.atomic
def unsubscribe(point: ContactPoint, *, by: Actor, at: datetime | None = None) -> ContactPoint:
    """No message at all but the answer to what the resident asks for just then. Twice changes nothing."""
    point = _locked(point, by)
    if point.unsubscribed_at is None:
        point.unsubscribed_at = at or now()
        point.save(update_fields=["unsubscribed_at"])
        _changed("resident.unsubscribed", point, {}, by, at)
    return point


@transaction.atomic
def resubscribe(point: ContactPoint, *, by: Actor, at: datetime | None = None) -> ContactPoint:
    """The resident wants to hear from the city here again."""
    point = _locked(point, by)
    if point.unsubscribed_at is not None:
        point.unsubscribed_at = None
        point.save(update_fields=["unsubscribed_at"])
        _changed("resident.resubscribed", point, {}, by, at)
    return point


@transaction.atomic
def verify_contact_point(point: ContactPoint, *, by: Actor, at: datetime | None = None) -> ContactPoint:
    """The resident has shown to be the one who reads there."""
    point = _locked(point, by)
    if point.verified_at is None:
        point.verified_at = at or now()
        point.save(update_fields=["verified_at"])
        _changed("resident.contact_verified", point, {}, by, at)
    return point


def get_contact_point(resident_id: int, point_id: int, *, by: Actor) -> ContactPoint:
    """A contact point of this resident of the actor's city, or NotFound."""
    rows = ContactPoint.objects.filter(jurisdiction_id=by.jurisdiction_id, resident_id=resident_id, pk=point_id)
    point = rows.first()
    if point is None:
        raise NotFound("There is no such contact point.")
    return point


def _locked(point: ContactPoint, by: Actor) -> ContactPoint:
    """Holds the resident's row, so that changes to one resident's points come one after the other."""
    permit.locked(point.resident_id, by=by)
    found = ContactPoint.objects.select_for_update(of=("self",)).select_related("resident").filter(pk=point.pk).first()
    if found is None or found.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such contact point.")
    return found


def _changed(kind: str, point: ContactPoint, more: dict[str, object], by: Actor, at: datetime | None) -> None:
    """Every change of a contact point is one of the resident: version and event."""
    resident = Resident.objects.get(pk=point.resident_id)
    resident.version += 1
    resident.save(update_fields=["version"])
    ledger.append(kind, "resident", resident.pk, {"contact_point": point.pk, **more}, by=by, at=at)
