"""Forgetting a person: every word of theirs goes, what happened stays, and the diary still verifies."""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict
from loop311.ledger import services as ledger
from loop311.ledger.models import Event
from loop311.residents.models import ContactPoint, Merge, Resident
from loop311.residents.services import permit
from loop311.residents.services.finding import identity_ids, standing


@transaction.atomic
def erase(resident: Resident, *, by: Actor, at: datetime | None = None) -> list[int]:
    """Empty names, notes, addresses and contact points of all identities of this person; returns the identities' ids.

    Words kept by rooms above (descriptions, comments) are emptied by their handlers of `resident.erased`.
    """
    permit.locked(resident.pk, by=by, permission="residents.erase")
    whole = standing(Resident.objects.get(pk=resident.pk))
    ids = _hold(whole)
    at = at or now()
    rows = Resident.objects.filter(jurisdiction_id=whole.jurisdiction_id, pk__in=ids)
    for row in rows:
        row.name = row.note = row.address = row.search = row.time_zone = ""
        row.erased_at = at
        row.version += 1
        row.save(update_fields=["name", "note", "address", "search", "time_zone", "erased_at", "version"])
    points = ContactPoint.objects.filter(jurisdiction_id=whole.jurisdiction_id, resident_id__in=ids)
    points.filter(removed_at__isnull=True).update(removed_at=at)
    points.update(address="")
    merges = Merge.objects.filter(jurisdiction_id=whole.jurisdiction_id)
    merges.filter(Q(kept_id__in=ids) | Q(gone_id__in=ids)).update(reason="")
    ledger.append("resident.erased", "resident", whole.pk, {"residents": ids}, by=by, at=at)
    return ids


def _hold(whole: Resident) -> list[int]:
    """All identities, held in one order; a merge that came in between is told."""
    ids = identity_ids(whole)
    rows = Resident.objects.select_for_update().filter(jurisdiction_id=whole.jurisdiction_id, pk__in=ids)
    held = [row.pk for row in rows.order_by("pk")]
    if identity_ids(whole) != held:
        raise Conflict("This resident is being merged just now; please try again.")
    return held


def erased_in(event_id: int) -> tuple[list[int], Actor]:
    """For handlers of `resident.erased`: whose words must go (ids of residents), and the actor to do it as."""
    event = Event.objects.get(pk=event_id)
    return list(json.loads(event.body)["residents"]), system(event.jurisdiction_id)
