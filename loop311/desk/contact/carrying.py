"""One step of a contact: the words that were sent are kept first, then it is done; what is refused is undone, the words stay."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from loop311.desk.access import Desk
from loop311.desk.contact import content as contents
from loop311.desk.contact import drafts, picturing
from loop311.desk.contact.content import Content
from loop311.desk.contact.doing import At, Done, Step
from loop311.desk.contact.drafts import Seen
from loop311.desk.contact.screen import Screen
from loop311.desk.contact.steps import STEPS, at_fields
from loop311.desk.models import Draft
from loop311.interactions import services as interactions
from loop311.kit.problems import Conflict, Invalid, NotFound, Problem
from loop311.requests.services import Kept


@dataclass(frozen=True, slots=True)
class Carried:
    draft: Draft
    done: Done
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Photos:
    """What came with a step: files that are on the disk, or why they were refused."""

    kept: Sequence[Kept] = ()
    problem: Problem | None = None


NONE = Photos()


@transaction.atomic
def carry_out(
    desk: Desk, interaction_id: int, name: str, sent: QueryDict, seen: Seen, photos: Photos = NONE
) -> Carried:
    """Keep the words and the photos first, then do the step: what it refuses is undone, they stay.

    A step that came with a photo that is refused is not done: it might have been the last one.
    """
    step = STEPS.get(name)
    if step is None:
        raise NotFound(_("There is no such step in a contact."))
    draft = drafts.hold(desk, interaction_id)
    content = contents.read(draft.content)
    if _is_of_an_earlier_thing(content, sent):
        return Carried(draft, Done(focus="#done" if content.number else "#c-want"))
    content.take(sent)
    drafts.check(draft, content, seen)
    _notice_danger(desk, draft, content)
    refused = photos.problem or picturing.enclose(desk, draft, content, photos.kept)
    if refused is not None:
        shows = Done(("photos",)) if name == "add-photo" else Done(focus="#c-photos")
        return Carried(drafts.write(draft, content, seen.tab), shows, refused)
    return _done(step, At(desk, draft, content, sent.get("value", "")), seen)


def _done(step: Step, at: At, seen: Seen) -> Carried:
    draft = at.draft
    kept, known = deepcopy(at.content), draft.interaction
    try:
        with transaction.atomic():
            done = step(at)
    except (Invalid, Conflict, NotFound) as refused:
        draft.interaction = known
        problem = _here(refused)
        return Carried(drafts.write(draft, kept, seen.tab), Done(focus=_first_wrong(problem)), problem)
    if done.is_over:
        return Carried(draft, done)
    return Carried(drafts.write(draft, at.content, seen.tab), done)


def _is_of_an_earlier_thing(content: Content, sent: QueryDict) -> bool:
    """The same key pressed twice: the second comes for a thing that is done."""
    part = sent.get("part", "")
    return part.isdecimal() and len(part) < 9 and int(part) < content.part


def _notice_danger(desk: Desk, draft: Draft, content: Content) -> None:
    """The moment a safety question is answered with danger goes on the record, once for each service."""
    screen = Screen(desk, draft, tab="")
    screen.content = content
    if content.service and content.danger != content.service and screen.is_danger:
        interactions.report_danger(draft.interaction, content.service, by=desk.actor)
        content.danger = content.service


def _here(problem: Problem) -> Problem:
    """The services' names of fields as this screen has them."""
    fields = {"latitude": "address", "longitude": "address", "description": "want", "service_code": "want"}
    return at_fields(problem, fields)


def _first_wrong(problem: Problem) -> str:
    """Where there is something to mend; the sentence itself where it is at no field."""
    return f"[name={problem.fields[0].field}]" if problem.fields else "#wrong"
