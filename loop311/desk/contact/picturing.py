"""Photos of the thing in hand: sent with any step of its contact, kept with the draft, attached when it is filed."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _

from loop311.desk.access import Desk
from loop311.desk.contact import drafts
from loop311.desk.contact.content import Content
from loop311.desk.contact.doing import At, Done
from loop311.desk.contact.screen import key_of
from loop311.desk.models import Draft
from loop311.kit.problems import Conflict, FieldProblem, Invalid, NotFound, Problem, TooLarge, Unavailable
from loop311.kit.uploads import uploads, was_too_much
from loop311.requests import services as requests

FIELD = "photos"


def received(request: HttpRequest, desk: Desk, interaction_id: int) -> tuple[list[requests.Kept], Problem | None]:
    """What came with a step, safely on the disk, or the sentence why not. Before the step's transaction: it takes a moment."""
    if not request.FILES and was_too_much(request) is None:
        return [], None
    drafts.get(desk, interaction_id)
    try:
        sent = uploads(request, FIELD)
        return (requests.receive(desk.city.pk, sent), None) if sent else ([], None)
    except (Invalid, TooLarge, Unavailable) as problem:
        return [], _at_the_field(problem)


def enclose(desk: Desk, draft: Draft, content: Content, kept: Sequence[requests.Kept]) -> Problem | None:
    """Keep them with the thing in hand; twice is once."""
    if not kept:
        return None
    if content.number:
        return _at_the_field(
            Conflict(_("This is saved already as {number}; add the photo on its page.").format(number=content.number))
        )
    try:
        requests.enclose(draft.interaction, kept, key=key_of(draft, content), by=desk.actor)
    except Invalid as problem:
        return _at_the_field(problem)
    return None


def _at_the_field(problem: Problem) -> Problem:
    return type(problem)(problem.detail, fields=[FieldProblem(FIELD, problem.detail)])


def add(at: At) -> Done:
    """The photos themselves are kept by then, as with every step."""
    n = len(at.screen.photos)
    if not n:
        detail = _("Choose a photo or a PDF.")
        raise Invalid(detail, fields=[FieldProblem(FIELD, detail)])
    return Done(("photos",), "#c-photos", _("{n} photos are kept with this contact.").format(n=n))


def remove(at: At) -> Done:
    known = {str(each.pk): each.pk for each in at.screen.photos}
    if at.value not in known:
        raise NotFound(_("This photo is not in this contact any more."))
    requests.drop_enclosed(at.draft.interaction, by=at.desk.actor, only=known[at.value])
    return Done(("photos",), "#c-photos", _("The photo is removed."))
