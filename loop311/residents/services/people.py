"""Taking a resident down, changing what is known, and recognising one who has been in touch before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Forbidden, Invalid
from loop311.ledger import services as ledger
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.policies import Kind, indexed, is_language, is_zone, same_name
from loop311.residents.services import permit
from loop311.residents.services.finding import standing
from loop311.residents.services.points import PointInput, normalised, write_points


@transaction.atomic
def create(
    jurisdiction: Jurisdiction,
    *,
    by: Actor,
    name: str = "",
    kind: str = Kind.PERSON,
    language: str = "",
    address: str = "",
    note: str = "",
    time_zone: str = "",
    contact_points: Sequence[PointInput] = (),
    at: datetime | None = None,
) -> Resident:
    """A new resident. The language is the city's first unless given. Nameless is allowed, nameless and unreachable is not."""
    permit.in_city(by, jurisdiction.pk)
    _may_create(by)
    points = normalised(contact_points, jurisdiction.pk)
    if not name.strip() and not points:
        detail = "Give a name or a way to reach the resident."
        raise Invalid(detail, fields=[FieldProblem("name", detail)])
    at = at or now()
    resident = Resident(
        jurisdiction=jurisdiction,
        kind=_kind(kind),
        name=name.strip(),
        language=_language(language or jurisdiction.languages[0]),
        note=note.strip(),
        address=address.strip(),
        time_zone=_zone(time_zone),
        created_at=at,
    )
    resident.search = indexed(resident.name, resident.address)
    resident.save(force_insert=True)
    written = write_points(resident, points, at=at)
    body = {"kind": resident.kind, "language": resident.language, "contact_points": [p.pk for p in written]}
    ledger.append("resident.created", "resident", resident.pk, body, by=by, at=at, first=True)
    return resident


@transaction.atomic
def update(
    resident: Resident,
    *,
    by: Actor,
    version: int | None = None,
    name: str | None = None,
    language: str | None = None,
    address: str | None = None,
    note: str | None = None,
    time_zone: str | None = None,
    kind: str | None = None,
) -> Resident:
    """Change what is known; None stays. `version` is the one the writer has seen (Conflict when it is not the newest)."""
    resident = permit.locked(resident.pk, by=by)
    permit.check_version(resident, version)
    given = {"name": name, "note": note, "address": address}
    wanted = {field: text.strip() for field, text in given.items() if text is not None}
    if language is not None:
        wanted["language"] = _language(language)
    if time_zone is not None:
        wanted["time_zone"] = _zone(time_zone)
    if kind is not None:
        wanted["kind"] = _kind(kind)
    changed = sorted(field for field, value in wanted.items() if getattr(resident, field) != value)
    if not changed:
        return resident
    for field in changed:
        setattr(resident, field, wanted[field])
    resident.search = indexed(resident.name, resident.address)
    resident.version += 1
    resident.save(update_fields=[*changed, "search", "version"])
    ledger.append("resident.changed", "resident", resident.pk, {"fields": changed}, by=by)
    return resident


@transaction.atomic
def recognise(
    jurisdiction: Jurisdiction,
    *,
    by: Actor,
    name: str = "",
    language: str = "",
    contact_points: Sequence[PointInput] = (),
    at: datetime | None = None,
) -> Resident:
    """The resident reachable at one of these points under this name, or a new one. Two at once make one, not two."""
    permit.in_city(by, jurisdiction.pk)
    points = normalised(contact_points, jurisdiction.pk)
    found = _reachable_at(jurisdiction.pk, points, name)
    if found is None and points:
        _hold(jurisdiction.pk, points)
        found = _reachable_at(jurisdiction.pk, points, name)
    if found is not None:
        return found
    return create(jurisdiction, by=by, name=name, language=language, contact_points=points, at=at)


def _reachable_at(jurisdiction_id: int, points: Sequence[PointInput], name: str) -> Resident | None:
    if not points:
        return None
    rows = ContactPoint.objects.filter(
        jurisdiction_id=jurisdiction_id,
        address__in=[p.address for p in points],
        removed_at__isnull=True,
        resident__erased_at__isnull=True,
    )
    people = (point.resident for point in rows.select_related("resident").order_by("resident_id"))
    found = next((person for person in people if same_name(person.name, name)), None)
    return standing(found) if found else None


def _hold(jurisdiction_id: int, points: Sequence[PointInput]) -> None:
    """Whoever else takes down somebody at these addresses waits until we are done; in one order, so nobody waits for ever."""
    with connection.cursor() as cursor:
        for address in sorted({p.address for p in points}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [address, jurisdiction_id])


def _may_create(by: Actor) -> None:
    """Whoever may file may say for whom."""
    if not (by.may("residents.write") or by.may("requests.file")):
        raise Forbidden("You may not write down residents.")


def _kind(kind: str) -> str:
    try:
        return Kind(kind).value
    except ValueError as error:
        detail = "A resident is a person or an organisation."
        raise Invalid(detail, fields=[FieldProblem("kind", detail)]) from error


def _zone(time_zone: str) -> str:
    if time_zone and not is_zone(time_zone):
        detail = "Write the time zone as America/New_York, or leave it empty for the city's own."
        raise Invalid(detail, fields=[FieldProblem("time_zone", detail)])
    return time_zone


def _language(language: str) -> str:
    if not is_language(language):
        detail = "Write the language as a tag: en, es, zh-Hant."
        raise Invalid(detail, fields=[FieldProblem("language", detail)])
    return language
