"""Who is it? By number, address, name; following merges to the one who stands for all."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection
from django.db.models import Prefetch, QuerySet

from loop311.kit.actor import Actor
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.policies import Point, combined, normalise_email, normalise_phone, searchable
from loop311.residents.services import permit

SHORTEST = 3
"""Letters a search needs; fewer would find everybody."""


def get(resident_id: int, *, by: Actor) -> Resident:
    """A resident of the actor's city, merged or not, or NotFound."""
    resident = Resident.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=resident_id).first()
    if resident is None:
        raise NotFound("There is no such resident.")
    permit.may(by, "residents.read", resident.pk)
    return resident


_UP = """
WITH RECURSIVE up AS (
    SELECT id, merged_into_id FROM residents_resident WHERE jurisdiction_id = %(city)s AND id = %(id)s
    UNION ALL
    SELECT r.id, r.merged_into_id FROM residents_resident r JOIN up ON r.id = up.merged_into_id
    WHERE r.jurisdiction_id = %(city)s
)
SELECT id FROM up WHERE merged_into_id IS NULL
"""

_DOWN = """
WITH RECURSIVE down AS (
    SELECT id FROM residents_resident WHERE jurisdiction_id = %(city)s AND id = %(id)s
    UNION ALL
    SELECT r.id FROM residents_resident r JOIN down ON r.merged_into_id = down.id
    WHERE r.jurisdiction_id = %(city)s AND r.merged_into_id IS NOT NULL
)
SELECT id FROM down ORDER BY id
"""


def standing(resident: Resident) -> Resident:
    """The resident who stands for this one now: itself unless it was merged."""
    if resident.merged_into_id is None:
        return resident
    with connection.cursor() as cursor:
        cursor.execute(_UP, {"city": resident.jurisdiction_id, "id": resident.pk})
        (found,) = cursor.fetchone()
    return Resident.objects.get(jurisdiction_id=resident.jurisdiction_id, pk=found)


def identity_ids(resident: Resident) -> list[int]:
    """This resident's id and those of all that were merged into it: whose requests are this resident's requests."""
    with connection.cursor() as cursor:
        cursor.execute(_DOWN, {"city": resident.jurisdiction_id, "id": resident.pk})
        return [row[0] for row in cursor.fetchall()]


def identities(resident: Resident) -> QuerySet[Resident]:
    """This resident and all that were merged into it."""
    return Resident.objects.filter(jurisdiction_id=resident.jurisdiction_id, pk__in=identity_ids(resident))


def contact_points(resident: Resident) -> tuple[Point, ...]:
    """How to reach the person who stands for this resident now: the points of all identities, each address once.

    Unsubscribed in one identity is unsubscribed. An erased resident has none. Preferred ones come first.
    """
    whole = standing(resident)
    rows = ContactPoint.objects.filter(
        jurisdiction_id=whole.jurisdiction_id,
        resident_id__in=identity_ids(whole),
        removed_at__isnull=True,
        resident__erased_at__isnull=True,
    ).order_by("pk")
    groups: dict[int, list[Point]] = {whole.pk: []}
    for row in rows:
        groups.setdefault(row.resident_id, []).append(point_of(row))
    return tuple(sorted(combined(groups.values()), key=lambda point: not point.is_preferred))


def point_of(row: ContactPoint) -> Point:
    return Point(
        id=row.pk,
        kind=row.kind,
        address=row.address,
        is_preferred=row.is_preferred,
        may_notify=row.may_notify,
        is_unsubscribed=row.unsubscribed_at is not None,
        is_verified=row.verified_at is not None,
    )


def find(words: str, *, by: Actor, limit: int = 20) -> list[Resident]:
    """Standing residents by telephone number, e-mail address, or words of name and address (forgiving), best first.

    Four queries whatever is found; their present contact points are prefetched.
    """
    permit.may(by, "residents.read")
    rows = Resident.objects.filter(jurisdiction_id=by.jurisdiction_id, erased_at__isnull=True)
    address = normalise_email(words) or normalise_phone(words)
    matches = _at(rows, address) if address else _called(rows, words)
    return _stand_ins(list(matches[:limit]))


def _at(rows: QuerySet[Resident], address: str) -> QuerySet[Resident]:
    points = ContactPoint.objects.filter(address=address, removed_at__isnull=True)
    city = rows.filter(pk__in=points.values("resident_id"))
    return city.order_by("pk")


def _called(rows: QuerySet[Resident], words: str) -> QuerySet[Resident]:
    wanted = searchable(words)
    if len(wanted) < SHORTEST:
        detail = f"Give at least {SHORTEST} letters of the name or address."
        raise Invalid(detail, fields=[FieldProblem("q", detail)])
    similar = rows.filter(search__trigram_word_similar=wanted)
    return similar.annotate(likeness=TrigramWordSimilarity(wanted, "search")).order_by("-likeness", "-pk")


def _stand_ins(found: Iterable[Resident]) -> list[Resident]:
    """Each replaced by the one who stands for it, each once, in the order found."""
    ids = list(dict.fromkeys(r.pk if r.merged_into_id is None else standing(r).pk for r in found))
    present = Prefetch("contact_points", queryset=ContactPoint.objects.filter(removed_at__isnull=True).order_by("pk"))
    rows = {row.pk: row for row in Resident.objects.filter(pk__in=ids).prefetch_related(present)}
    return [rows[pk] for pk in ids]
