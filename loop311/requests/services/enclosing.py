"""Photos that come while a contact still runs: kept under the key their request will be filed with, and attached with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from loop311.interactions.models import Interaction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Invalid, NotFound
from loop311.requests.models import Attachment, Enclosure, Request
from loop311.requests.policies import Verb
from loop311.requests.services import access
from loop311.requests.services.attaching import Kept

MOST = 10
"""Enclosures of one request to be."""

FACTS = (
    "role", "digest", "received_digest", "media_type", "size", "width", "height", "thumbnail_digest", "latitude",
    "longitude", "taken_at",
)  # fmt: skip
"""What is the same of an enclosure and of the attachment it becomes."""


@transaction.atomic
def enclose(
    interaction: Interaction, kept: Sequence[Kept], *, key: str, by: Actor, at: datetime | None = None
) -> list[Enclosure]:
    """Name files that were received as sent in this contact; a file that is there already is not added again."""
    access.permit(by, Verb.ADD_EVIDENCE)
    if interaction.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such contact.")
    at = at or now()
    there = {bytes(row.received_digest) for row in _of(interaction, by, key=key)}
    new = {each.received_digest: each for each in kept if each.received_digest not in there}
    if len(there) + len(new) > MOST:
        raise Invalid(f"A request to be holds at most {MOST} photos and documents.")
    return [
        Enclosure.objects.create(
            jurisdiction_id=by.jurisdiction_id,
            interaction=interaction,
            key=key,
            at=at,
            **each.facts(interaction.jurisdiction, at),
        )
        for each in new.values()
    ]


def enclosed(interaction: Interaction, *, key: str) -> list[Enclosure]:
    """Oldest first; one query."""
    rows = Enclosure.objects.filter(jurisdiction_id=interaction.jurisdiction_id, interaction=interaction, key=key)
    return list(rows.filter(dropped_at__isnull=True).order_by("pk"))


@transaction.atomic
def attach_enclosed(request: Request, *, key: str, by: Actor, at: datetime | None = None) -> Request:
    """What was enclosed for this request is attached to it: it shows the problem and proves nothing."""
    access.permit(by, Verb.ADD_EVIDENCE)
    rows = _of(request.interaction, by, key=key)
    if not rows:
        return request
    request = access.lock(request.pk, by=by)
    at = at or now()
    for row in rows:
        attached = Attachment.objects.create(
            jurisdiction_id=by.jurisdiction_id,
            request=request,
            at=at,
            actor_kind=by.kind.value,
            actor_ref=by.ref,
            **{name: getattr(row, name) for name in FACTS},
        )
        body = {"attachment": attached.pk, "role": row.role, "digest": bytes(row.digest).hex()}
        access.write(request, "request.attached", body, by=by, at=at)
    Enclosure.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return request


@transaction.atomic
def drop_enclosed(interaction: Interaction, *, by: Actor, only: int | None = None, at: datetime | None = None) -> int:
    """Nobody is to see them any more, or only this one; returns how many. The files go by the sweep."""
    access.permit(by, Verb.ADD_EVIDENCE)
    rows = _of(interaction, by)
    gone = [row.pk for row in rows if only in (None, row.pk)]
    return Enclosure.objects.filter(pk__in=gone).update(
        dropped_at=at or now(), latitude=None, longitude=None, taken_at=None
    )


def _of(interaction: Interaction, by: Actor, *, key: str | None = None) -> list[Enclosure]:
    """Held until the transaction ends."""
    rows = Enclosure.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, interaction=interaction)
    rows = rows.filter(dropped_at__isnull=True)
    return list((rows if key is None else rows.filter(key=key)).order_by("pk"))
