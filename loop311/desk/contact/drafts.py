"""The only writer of drafts: a contact that runs is kept as typed so far, so that nothing is lost whatever breaks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loop311.desk.access import Desk
from loop311.desk.contact import content as contents
from loop311.desk.contact.content import Content
from loop311.desk.models import Draft
from loop311.interactions import services as interactions
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, NotFound
from loop311.requests import services as requests
from loop311.residents import services as residents

MOST_LISTED = 50


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
    own = rows.select_related("interaction__resident", "interaction__jurisdiction")
    found = own.filter(jurisdiction=desk.city, staff=desk.staff, interaction_id=interaction_id).first()
    if found is None:
        raise NotFound(_("You have no such contact open. It may have been wrapped up already."))
    return found


def check(draft: Draft, mine: Content, seen: Seen) -> None:
    """Refuse to write over words of another window that this one has not seen."""
    if draft.version != seen.version and draft.tab != seen.tab:
        raise WrittenElsewhere(draft, mine)


def write(draft: Draft, content: Content, tab: str) -> Draft:
    """Keep it as it is now; the same again changes nothing. The caller holds the row."""
    stored = contents.written(content)
    if stored == draft.content and draft.tab == tab:
        return draft
    draft.content, draft.tab, draft.updated_at = stored, tab, now()
    draft.version += 1
    draft.save(update_fields=["content", "tab", "updated_at", "version"])
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
