"""The only writer of drafts: a contact that runs is kept as typed so far, so that nothing is lost whatever breaks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from loop311.accounts.models import StaffMember
from loop311.desk.access import Desk
from loop311.desk.contact import content as contents
from loop311.desk.contact.content import Content
from loop311.desk.models import Draft
from loop311.interactions import services as interactions
from loop311.interactions.queries import taken_from
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, NotFound, Problem
from loop311.requests import services as requests
from loop311.residents import services as residents

MOST_LISTED = 50
OF_A_SCREEN = ("interaction__resident", "interaction__jurisdiction")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window knows: who it is, and the version it has on its screen."""

    tab: str
    version: int


class WrittenElsewhere(Conflict):
    """Another window has changed the same contact. `draft` as it stands, `mine` as this window would have it."""

    def __init__(self, draft: Draft, mine: Content) -> None:
        super().__init__(
            _("This contact was changed in another window meanwhile. Nothing of yours is lost: choose what to keep."),
            extra={"version": draft.version},
        )
        self.draft, self.mine = draft, mine
        self.differences = contents.differences(mine, contents.read(draft.content))


def new_tab() -> str:
    return secrets.token_hex(8)


@transaction.atomic
def begin(desk: Desk, channel: str, *, words: str = "") -> Draft:
    """A contact begins; `words` is what is known of the caller already, a telephone number for instance."""
    interaction = interactions.begin(desk.city, channel, by=desk.actor, staff=desk.staff)
    content = Content(typed={"who": [words[:200]]} if words else {})
    return Draft.objects.create(
        jurisdiction=desk.city,
        staff=desk.staff,
        interaction=interaction,
        content=contents.written(content),
        updated_at=now(),
    )


def get(desk: Desk, interaction_id: int) -> Draft:
    """The person's own running contact, or NotFound. One query."""
    return _the_one(Draft.objects.all(), desk, interaction_id)


def hold(desk: Desk, interaction_id: int) -> Draft:
    """The same, held until the transaction ends."""
    return _the_one(Draft.objects.select_for_update(of=("self",)), desk, interaction_id)


def _the_one(rows: QuerySet[Draft], desk: Desk, interaction_id: int) -> Draft:
    own = rows.select_related(*OF_A_SCREEN)
    found = own.filter(jurisdiction=desk.city, staff=desk.staff, interaction_id=interaction_id).first()
    if found is None:
        raise _why_not(desk, interaction_id)
    return found


class TakenOver(Conflict):
    """Somebody else goes on with a contact that was this person's. `draft` as it stands; None when it is wrapped up."""

    def __init__(self, detail: str, draft: Draft | None) -> None:
        super().__init__(detail)
        self.draft = draft


def _why_not(desk: Desk, interaction_id: int) -> Problem:
    """A contact that was taken over says by whom; of all others nothing is said."""
    taken = taken_from(desk.staff, interaction_id)
    if taken is None:
        return NotFound(_("You have no such contact open. It may have been wrapped up already."))
    draft = Draft.objects.filter(jurisdiction=desk.city, interaction_id=interaction_id).first()
    said = _("Since {time} {name} goes on with this contact.")
    if draft is None:
        said = _("At {time} {name} took this contact over; it is wrapped up.")
    return TakenOver(said.format(name=taken.by, time=date_format(localtime(taken.at), "P")), draft)


def hold_any(desk: Desk, interaction_id: int) -> Draft:
    """Anybody's running contact of the city, held until the transaction ends."""
    rows = Draft.objects.select_for_update(of=("self",)).select_related(*OF_A_SCREEN)
    found = rows.filter(jurisdiction=desk.city, interaction_id=interaction_id).first()
    if found is None:
        raise NotFound(_("This contact is not open any more."))
    return found


def hand_to(draft: Draft, staff: StaffMember) -> None:
    """Somebody else has it from now on, in no window yet. The caller holds the row."""
    draft.staff, draft.tab, draft.updated_at, draft.left_open_at = staff, "", now(), None
    draft.version += 1
    draft.save(update_fields=["staff", "tab", "updated_at", "left_open_at", "version"])


def note_left_open(draft: Draft, at: datetime) -> None:
    """The caller holds the row."""
    draft.left_open_at = at
    draft.save(update_fields=["left_open_at"])


def check(draft: Draft, mine: Content, seen: Seen) -> None:
    """Refuse to write over words of another window that this one has not seen."""
    if draft.version != seen.version and draft.tab != seen.tab:
        raise WrittenElsewhere(draft, mine)


def write(draft: Draft, content: Content, tab: str) -> Draft:
    """Keep it as it is now; the same again changes nothing. The caller holds the row."""
    stored = contents.written(content)
    if stored == draft.content and draft.tab == tab:
        return draft
    draft.content, draft.tab, draft.updated_at, draft.left_open_at = stored, tab, now(), None
    draft.version += 1
    draft.save(update_fields=["content", "tab", "updated_at", "left_open_at", "version"])
    return draft


def mine(desk: Desk) -> list[Draft]:
    """My open contacts, the last touched first; one query."""
    rows = Draft.objects.filter(jurisdiction=desk.city, staff=desk.staff).select_related("interaction__resident")
    return list(rows.order_by("-updated_at", "-pk")[:MOST_LISTED])


def finish(draft: Draft) -> None:
    """The contact is over; what was said stands in its requests, call-backs and answers."""
    draft.delete()


@transaction.atomic
def forget_resident(event_id: int) -> None:
    """Handler of `resident.erased`: open contacts with this resident lose their words, and go on."""
    ids, by = residents.erased_in(event_id)
    rows = Draft.objects.select_for_update(of=("self",)).filter(
        jurisdiction_id=by.jurisdiction_id, interaction__resident_id__in=ids
    )
    for draft in rows:
        content = contents.read(draft.content)
        content.typed = {}
        content.place = ""
        requests.drop_enclosed(draft.interaction, by=by)
        write(draft, content, "")
