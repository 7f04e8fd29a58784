"""Publishing a catalogue, and finding the version in force at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from django.db import connection, transaction
from django.db.models import Max

from loop311.accounts.organisation import ensure_department, ensure_team
from loop311.catalog.checks import check, errors
from loop311.catalog.definitions import Catalogue
from loop311.catalog.finding import Finder
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import CatalogueVersion, Service
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.ledger.services import append


@transaction.atomic
def publish(
    jurisdiction: Jurisdiction,
    catalogue: Catalogue,
    *,
    by: Actor,
    effective_at: datetime | None = None,
    note: str = "",
) -> CatalogueVersion:
    """Make the catalogue the city's next version, in force from `effective_at` (now). Raises Invalid with what `check` finds.

    Publishing what the newest version already says changes nothing and returns that version.
    """
    if by.jurisdiction_id != jurisdiction.pk:
        raise NotFound("There is no such city here.")
    if not by.may("catalog.publish"):
        raise Forbidden("You may not publish the catalogue.")
    _refuse_mistakes(jurisdiction, catalogue)
    Jurisdiction.objects.select_for_update(no_key=True).get(pk=jurisdiction.pk)  # one publication at a time
    document = canonical(catalogue)
    digest = hashlib.sha256(document.encode()).digest()
    newest = CatalogueVersion.objects.filter(jurisdiction=jurisdiction).order_by("-number").first()
    if newest is not None and bytes(newest.digest) == digest:
        return newest
    published_at = now()
    version = CatalogueVersion.objects.create(
        jurisdiction=jurisdiction,
        number=newest.number + 1 if newest else 1,
        effective_at=_effective(jurisdiction, effective_at or published_at),
        published_at=published_at,
        published_by_kind=by.kind.value,
        published_by_ref=by.ref,
        note=note,
        document=document,
        digest=digest,
    )
    _write_organisation(catalogue, by)
    _write_services(jurisdiction, catalogue)
    append("catalogue.published", "catalogue", jurisdiction.pk, _body(version, digest), by=by, at=published_at)
    return version


def canonical(catalogue: Catalogue) -> str:
    """One spelling for one catalogue: JSON with sorted keys, without defaults. (So a default may never be changed.)"""
    as_read = msgspec.json.decode(
        msgspec.json.encode(catalogue), type=Catalogue
    )  # 120 in a field of floats becomes 120.0
    return msgspec.json.encode(as_read, order="sorted").decode()


def current(jurisdiction_id: int) -> tuple[CatalogueVersion, CatalogueIndex]:
    """The version in force now, without its document, and its index. One small query."""
    return _in_force(jurisdiction_id, now())


def at(jurisdiction: Jurisdiction, when: datetime) -> tuple[CatalogueVersion, CatalogueIndex]:
    """The version in force at `when`: the latest to take effect by then, of equals the newest. NotFound before the first."""
    return _in_force(jurisdiction.pk, when)


@lru_cache(maxsize=128)
def index_of(version_id: int) -> CatalogueIndex:
    """The index of one version. Versions are immutable, so it stays in the process; no query after the first call."""
    document, country = CatalogueVersion.objects.values_list("document", "jurisdiction__country").get(pk=version_id)
    return CatalogueIndex.of(msgspec.json.decode(document, type=Catalogue), country)


@lru_cache(maxsize=128)
def finder_of(version_id: int) -> Finder:
    """The search over the words of one version; stays in the process like its index."""
    return Finder.of(index_of(version_id).catalogue)


def version_by_number(jurisdiction_id: int, number: int) -> CatalogueVersion:
    """One version of this city, without its document. Raises NotFound."""
    rows = CatalogueVersion.objects.filter(jurisdiction_id=jurisdiction_id, number=number)
    found = rows.defer("document").first()
    if found is None:
        raise NotFound(f"The catalogue has no version {number}.")
    return found


def newest_number(jurisdiction_id: int) -> int:
    """Of the last version published; 0 when there is none."""
    numbers = CatalogueVersion.objects.filter(jurisdiction_id=jurisdiction_id).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


def described(version: CatalogueVersion) -> dict[str, object]:
    """A version without its document, as commands and the API show it."""
    return {
        "number": version.number,
        "effective_at": version.effective_at.isoformat(),
        "published_at": version.published_at.isoformat(),
        "note": version.note,
        "digest": bytes(version.digest).hex(),
    }


def number_in_force(jurisdiction_id: int, when: datetime) -> int:
    """0 when there is none."""
    version = _version_in_force(jurisdiction_id, when)
    return version.number if version else 0


def _in_force(jurisdiction_id: int, when: datetime) -> tuple[CatalogueVersion, CatalogueIndex]:
    version = _version_in_force(jurisdiction_id, when)
    if version is None:
        raise NotFound("No catalogue was in force then: publish one with loop311 catalog load.")
    return version, index_of(version.pk)


def newest_effective() -> datetime:
    """Since when the newest catalogue of any city here is in force; long ago when there is none."""
    newest = CatalogueVersion.objects.filter(effective_at__lte=now()).aggregate(Max("effective_at"))
    return newest["effective_at__max"] or datetime(1970, 1, 1, tzinfo=UTC)


_VERSION = (
    "id", "jurisdiction_id", "number", "effective_at", "published_at", "published_by_kind", "published_by_ref", "note",
    "digest",
)  # fmt: skip
_IN_FORCE = f"""
SELECT {", ".join(_VERSION)} FROM catalog_catalogueversion
WHERE jurisdiction_id = %s AND effective_at <= %s ORDER BY effective_at DESC, number DESC LIMIT 1
"""
"""All but the document. Plain SQL: every filing asks it, and putting it together as a queryset cost more than asking it."""


def _version_in_force(jurisdiction_id: int, when: datetime) -> CatalogueVersion | None:
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [jurisdiction_id, when])
        row = cursor.fetchone()
    return None if row is None else CatalogueVersion.from_db("default", _VERSION, row)


def _refuse_mistakes(jurisdiction: Jurisdiction, catalogue: Catalogue) -> None:
    fields = [FieldProblem(finding.path, finding.sentence) for finding in errors(check(catalogue))]
    default = jurisdiction.languages[0]
    if default not in catalogue.languages:
        fields.append(FieldProblem("languages", f"The city's first language, {default}, is not among the languages."))
    if fields:
        raise Invalid(_summary(fields), fields=fields)


def _summary(fields: Sequence[FieldProblem]) -> str:
    first = f"{fields[0].field}: {fields[0].detail}"
    if len(fields) == 1:
        return f"The catalogue has a mistake at {first}"
    return f"The catalogue has {len(fields)} mistakes; the first is at {first}"


def _effective(jurisdiction: Jurisdiction, wanted: datetime) -> datetime:
    """A version may not take effect before the one in force did: that would rewrite which catalogue held when."""
    if wanted.tzinfo is None:
        raise Invalid("The effective time needs its zone.", fields=[FieldProblem("effective_at", "no time zone")])
    held = _version_in_force(jurisdiction.pk, now())
    if held and wanted < held.effective_at:
        since = held.effective_at.astimezone(jurisdiction.zone)
        raise Conflict(f"Version {held.number} is in force since {since:%Y-%m-%d %H:%M %Z}: choose a later time.")
    return wanted


def _write_organisation(catalogue: Catalogue, by: Actor) -> None:
    departments = {d.code: ensure_department(d.code, names=d.names, by=by) for d in catalogue.departments}
    for team in catalogue.teams:
        ensure_team(team.code, department=departments[team.department], names=team.names, email=team.email, by=by)


def _write_services(jurisdiction: Jurisdiction, catalogue: Catalogue) -> None:
    rows = [
        Service(
            jurisdiction=jurisdiction,
            code=service.code,
            group=service.group,
            department_code=service.department,
            names=service.names,
            is_offered=not service.historical,
        )
        for service in catalogue.services
    ]
    Service.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["jurisdiction", "code"],
        update_fields=["group", "department_code", "names", "is_offered"],
    )
    gone = Service.objects.filter(jurisdiction=jurisdiction).exclude(code__in=[row.code for row in rows])
    gone.update(is_offered=False)


def _body(version: CatalogueVersion, digest: bytes) -> dict[str, object]:
    return {
        "version": version.pk,
        "number": version.number,
        "effective_at": version.effective_at.isoformat(),
        "digest": digest.hex(),
    }
