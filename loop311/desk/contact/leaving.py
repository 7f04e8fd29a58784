"""Contacts that were left open (`noticing` notes them): shown to everybody, taken over or wrapped up by a supervisor."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loop311.desk.access import Desk
from loop311.desk.contact import content as contents
from loop311.desk.contact import drafts
from loop311.desk.contact.content import Content
from loop311.desk.contact.doing import At
from loop311.desk.contact.steps import wrap_up as wrap_up_step
from loop311.desk.models import Draft
from loop311.interactions import services as interactions
from loop311.kit.problems import Conflict, NotFound

MOST = 200
"""Contacts in the list."""


@dataclass(frozen=True, slots=True)
class Open:
    """A running contact of the city. `content` is shown to its owner and to who may take it over."""

    draft: Draft
    content: Content | None
    is_mine: bool


def running(desk: Desk) -> list[Open]:
    """Those left open first, longest first; one query."""
    rows = Draft.objects.filter(jurisdiction=desk.city).select_related("staff", "interaction__resident")
    ordered = rows.order_by(F("left_open_at").asc(nulls_last=True), "updated_at", "pk")
    return [_open(desk, draft) for draft in ordered[:MOST]]


def _open(desk: Desk, draft: Draft) -> Open:
    is_mine = draft.staff_id == desk.staff.pk
    shows = is_mine or desk.actor.may("interactions.take_over")
    return Open(draft, contents.read(draft.content) if shows else None, is_mine)


def left_open(desk: Desk) -> int:
    """How many were left open in the city; one query."""
    return Draft.objects.filter(jurisdiction=desk.city, left_open_at__isnull=False).count()


def one(desk: Desk, interaction_id: int) -> Draft:
    """Anybody's running contact of the city, to be looked at."""
    rows = Draft.objects.filter(jurisdiction=desk.city).select_related("staff", *drafts.OF_A_SCREEN)
    found = rows.filter(interaction_id=interaction_id).first()
    if found is None:
        raise NotFound(_("This contact is not open any more."))
    return found


@transaction.atomic
def take_over(desk: Desk, interaction_id: int) -> Draft:
    """From now on it is mine; everything typed and chosen stays. What was mine already stays so."""
    draft = drafts.hold_any(desk, interaction_id)
    if draft.staff_id != desk.staff.pk:
        interactions.take_over(draft.interaction, draft.staff_id, by=desk.actor)
        drafts.hand_to(draft, desk.staff)
    return draft


@transaction.atomic
def wrap_up(desk: Desk, interaction_id: int, *, version: int, reason: str, outcome: str) -> None:
    """For somebody else, with the reason. Refused where something was typed meanwhile that nobody here has seen."""
    if drafts.hold_any(desk, interaction_id).version != version:
        raise Conflict(_("Somebody has gone on with this contact meanwhile. Look again, then decide."))
    draft = take_over(desk, interaction_id)
    content = contents.read(draft.content)
    if outcome:
        content.typed["outcome"] = [outcome]
    wrap_up_step(At(desk, draft, content, ""), reason)
