"""Who is it? By number, address, name; following merges to the one who stands for all."""

from __future__ import annotations

from django.db import connection
from django.db.models import Prefetch, QuerySet

from loop311.kit.actor import Actor
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.residents import queries
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.policies import Point, combined
from loop311.residents.queries import point_of
from loop311.residents.services import permit


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


def find(words: str, *, by: Actor, limit: int = 20) -> list[Resident]:
    """Standing residents by telephone number (or its end), e-mail address, or words of name and address, best first.

    The same number of queries whatever is found; their present contact points are prefetched.
    """
    permit.may(by, "residents.read")
    if not queries.is_searchable(words):
        detail = f"Give at least {queries.SHORTEST} letters of the name or address."
        raise Invalid(detail, fields=[FieldProblem("q", detail)])
    found = [match.resident_id for match in queries.matching(by.jurisdiction_id, words, limit=limit, thorough=True)]
    standing_for = queries.standing_for(by.jurisdiction_id, found)
    ids = list(dict.fromkeys(standing_for[pk] for pk in found if pk in standing_for))
    present = Prefetch("contact_points", queryset=ContactPoint.objects.filter(removed_at__isnull=True).order_by("pk"))
    rows = Resident.objects.filter(jurisdiction_id=by.jurisdiction_id, pk__in=ids).prefetch_related(present)
    by_id = {row.pk: row for row in rows}
    return [by_id[pk] for pk in ids]
