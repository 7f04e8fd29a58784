"""Everything that can be done in a contact. Each step changes the draft and calls services. To add one, copy one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from loop311.accounts.models import Team
from loop311.callbacks import services as callbacks
from loop311.desk import filing as plain_filing
from loop311.desk import reading
from loop311.desk.access import Desk
from loop311.desk.contact import content as contents
from loop311.desk.contact import drafts, knowing, picturing
from loop311.desk.contact.content import Content, Given
from loop311.desk.contact.doing import At, Done, Step
from loop311.desk.contact.screen import Place, Screen
from loop311.interactions import services as interactions
from loop311.interactions.policies import ContactOutcome
from loop311.kit.problems import Conflict, FieldProblem, Invalid, NotFound, Problem
from loop311.knowledge import services as knowledge
from loop311.knowledge.policies import gap_key
from loop311.notifications import services as notifications
from loop311.requests import services as requests
from loop311.requests.sentences import say
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.services import PointInput

# --- The caller --------------------------------------------------------------------------------------------------------


def take_caller(at: At) -> Done:
    return _identify(at, residents.standing(residents.get(_whole(at.value), by=at.desk.actor)))


def _identify(at: At, resident: Resident) -> Done:
    at.draft.interaction = interactions.identify(at.draft.interaction, resident, by=at.desk.actor)
    at.content.typed.pop("anonymous", None)
    at.content.typed["language"] = [resident.language]
    return Done(
        focus="#c-want", say=_("{name} is the caller.").format(name=resident.name or _("A resident without a name"))
    )


def new_caller(at: At) -> Done:
    """Recognised where the same name was reachable there before, else written down."""
    word = at.content.word
    points = [PointInput(kind, word(field)) for kind, field in (("mobile", "phone"), ("email", "email")) if word(field)]
    resident = residents.recognise(
        at.desk.city, by=at.desk.actor, name=word("name"), language=at.screen.language, contact_points=points
    )
    return _identify(at, resident)


def other_caller(at: At) -> Done:
    at.draft.interaction = interactions.identify(at.draft.interaction, None, by=at.desk.actor)
    return Done(focus="#c-who", say=_("Nobody is chosen as the caller."))


# --- What they want, and where -----------------------------------------------------------------------------------------


def take_service(at: At) -> Done:
    service = plain_filing.offered(at.desk, at.value)
    _not_filed(at)
    if at.content.service != service.code:
        at.content.forget_answers()
    at.content.service, at.content.join = service.code, ""
    first = [question for question in service.questions if question.safety]
    focus = f"[name={contents.PREFIX}{first[0].code}]" if first else "#c-address"
    return Done(focus=focus, say=say(service.names, at.desk.language, service.code))


def other_service(at: At) -> Done:
    _not_filed(at)
    at.content.service = at.content.join = ""
    return Done(focus="#c-want")


def take_place(at: At) -> Done:
    found = plain_filing.position_of(at.value)
    if at.value != plain_filing.NO_POSITION and found is None:
        raise Invalid(_("This is not a place of the list."), fields=[FieldProblem("address", _("Choose again."))])
    at.content.place = at.value
    if found:
        at.content.typed["address"] = [found[2]]
    near = at.screen.near
    return Done(
        ("where", "known", "promise", "answer", "tell_911"),
        "#known button" if near else _next(at.screen),
        _where_said(len(near)),
    )


def _next(screen: Screen) -> str:
    """The first question that has no answer yet, else the end."""
    asked = [field for field in screen.shown_questions if not screen.content.word(field)]
    return f"[name={asked[0]}]" if asked else "#save"


def _where_said(near: int) -> str:
    return _("{n} open reports near by.").format(n=near) if near else _("Nothing is known there yet.")


def other_place(at: At) -> Done:
    at.content.place = at.content.join = ""
    return Done(("where", "known", "promise", "answer", "tell_911"), "#c-address")


def take_join(at: At) -> Done:
    leading = reading.find(at.desk, at.value)
    at.content.join = leading.number
    return Done(("known", "promise"), _next(at.screen), _("Will be joined to {number}.").format(number=leading.number))


def leave_join(at: At) -> Done:
    at.content.join = ""
    return Done(("known", "promise"), _next(at.screen), _("Stands by itself."))


# --- What comes of it --------------------------------------------------------------------------------------------------


def file(at: At) -> Done:
    """Once, however often it is sent: the thing's number in the contact is the key."""
    if at.content.number:
        return _filed(at.content.number)
    screen, content = at.screen, at.content
    if screen.service is None:
        raise Invalid(_("Choose what they want first."), fields=[FieldProblem("want", _("Choose a service."))])
    _describe(at)
    place = _place(screen)
    request = requests.file(
        at.desk.city,
        requests.Filing(
            service_code=screen.service.code,
            answers=screen.raw,
            description=content.word("want"),
            address=place.text if place else "",
            latitude=place.position[0] if place and place.position else None,
            longitude=place.position[1] if place and place.position else None,
            location_note=content.word("location_note"),
            resident=None if content.is_anonymous else screen.resident,
            interaction=at.draft.interaction,
            leading=reading.find(at.desk, content.join) if content.join else None,
        ),
        by=at.desk.actor,
        key=screen.key,
    )
    requests.attach_enclosed(request, key=screen.key, by=at.desk.actor)
    content.filed[str(content.part)] = request.number
    return _filed(request.number)


def _filed(number: str) -> Done:
    return Done(focus="#done", say=_("Saved. The number is {number}.").format(number=number))


def _place(screen: Screen) -> Place | None:
    """The chosen place; an address nobody has chosen from asks for it."""
    if not screen.needs_place:
        return None
    if screen.place is None and screen.places:
        detail = _("Choose which place is meant, or keep the address as it is written.")
        raise Invalid(detail, fields=[FieldProblem("address", detail)])
    return screen.place or _as_written(screen)


def _as_written(screen: Screen) -> Place | None:
    screen.content.place = plain_filing.NO_POSITION
    return screen.place


def another(at: At) -> Done:
    _next_thing(at)
    return Done(focus="#c-want", say=_("What else?"))


def _next_thing(at: At) -> None:
    """Photos of a thing that was not filed go with its words."""
    requests.drop_enclosed(at.draft.interaction, by=at.desk.actor)
    at.content.next_thing()


def inform(at: At) -> Done:
    """One key: it was answered at once. The value is 'article:' and its code, or the code of a service."""
    kind, _colon, code = at.value.rpartition(":")
    if kind == "article":
        article, topic, title = knowing.chosen(at.desk, code, at.desk.language)
        interactions.answer(at.draft.interaction, topic, article=article.pk, by=at.desk.actor)
        at.content.given.append(Given(topic=topic, title=title, article=article.code))
    else:
        service = plain_filing.offered(at.desk, code)
        title = say(service.names, at.desk.language, service.code)
        interactions.answer(at.draft.interaction, service.code, by=at.desk.actor)
        at.content.given.append(Given(topic=service.code, title=title))
    _describe(at)
    _next_thing(at)
    return Done(focus="#wrap-up", say=_("Information on {topic} is noted.").format(topic=title))


def send(at: At) -> Done:
    """The answer goes to the caller by text or e-mail, in their language."""
    article, _topic, title = knowing.chosen(at.desk, at.value, at.desk.language)
    notifications.send_article(at.draft.interaction, article, language=at.screen.language, by=at.desk.actor)
    return Done(("holds",), "#inform", _("{title} was sent.").format(title=title))


def ask_around(at: At) -> Done:
    """Nobody knows this yet: who finds answers has it now, and every desk sees it. Pressed twice, one caller has asked."""
    words = at.content.word("want")
    if gap_key(words) not in {gap.key for gap in at.screen.gaps}:
        gap = knowledge.report_gap(at.desk.city, words, language=at.screen.language, by=at.desk.actor)
        at.content.gaps.append(gap.pk)
    return Done(("answer", "holds"), "#holds", _("Passed on to those who find out."))


def about(at: At) -> Done:
    """The caller asks about a request that is there already."""
    request = reading.find(at.desk, at.value)
    interactions.link(at.draft.interaction, "request", request.pk, by=at.desk.actor)
    return Done(("caller", "holds"), f"#about-{request.number}", request.number)


def call_back(at: At) -> Done:
    screen = at.screen
    if screen.resident is None:
        raise Invalid(_("Say who is calling first."), fields=[FieldProblem("who", _("A call-back needs a resident."))])
    start, end = _window(at.content, screen.zone)
    if any((each.window_start, each.window_end) == (start, end) for each in screen.callbacks):
        return _called_back(at)  # the same key pressed twice
    wish = callbacks.Wish(
        window_start=start,
        window_end=end,
        reason=at.content.word("reason"),
        request=screen.filed,
        interaction=at.draft.interaction,
        team=None if screen.filed else _team(at.desk),
    )
    _speaks(at)
    try:
        callbacks.promise(screen.resident, wish, by=at.desk.actor)
    except Invalid as problem:
        raise at_fields(problem, {"window_end": "end", "contact_point": "day", "team": "day"}) from problem
    return _called_back(at)


def _called_back(at: At) -> Done:
    for field in contents.OF_THE_CALL_BACK:
        at.content.typed.pop(field, None)
    return Done(("holds",), "#holds", _("The call-back is promised."))


def _window(content: Content, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """By the clocks of the resident, who will be waiting; the screen says so where they differ from the city's."""
    try:
        day = datetime.strptime(content.word("day"), "%Y-%m-%d").date()  # noqa: DTZ007 - a wall date
        hours = [datetime.strptime(content.word(f)[:5], "%H:%M").time() for f in ("start", "end")]  # noqa: DTZ007
    except ValueError as error:
        detail = _("Give the day and both times.")
        raise Invalid(detail, fields=[FieldProblem("day", detail)]) from error
    return datetime.combine(day, hours[0], zone), datetime.combine(day, hours[1], zone)


def _team(desk: Desk) -> Team | None:
    """Without a request the concierge's own team answers for it, else the city's first."""
    own = reading.own_teams(desk)
    return own[0] if own else Team.objects.filter(jurisdiction=desk.city).order_by("code").first()


def end(at: At) -> Done:
    """Wrapped up: outcome and topic follow from what the contact holds unless somebody says otherwise."""
    return wrap_up(at)


def wrap_up(at: At, reason: str = "") -> Done:
    """`reason`: why it is done for somebody else."""
    _describe(at)
    screen = at.screen
    outcome = at.content.word("outcome") or usual_outcome(screen)
    topic = at.content.word("topic") or next(iter(screen.topics), "")
    interactions.end(at.draft.interaction, outcome=outcome, topic=topic, reason=reason, by=at.desk.actor)
    requests.drop_enclosed(at.draft.interaction, by=at.desk.actor)
    drafts.finish(at.draft)
    return Done((), is_over=True, say=_("The contact is wrapped up."))


def hand_to_911(at: At) -> Done:
    """911 speaks with the caller: the contact is over, and its outcome is that."""
    at.content.typed["outcome"] = [ContactOutcome.TRANSFERRED.value]
    at.content.typed["topic"] = [at.content.danger or at.content.service]
    return end(at)


def usual_outcome(screen: Screen) -> str:
    held = (
        (bool(screen.content.danger), ContactOutcome.TRANSFERRED),
        (bool(screen.requests), ContactOutcome.REQUEST),
        (bool(screen.content.given), ContactOutcome.INFORMATION),
        (bool(screen.callbacks), ContactOutcome.CALLBACK),
        (bool(screen.about), ContactOutcome.FOLLOW_UP),
    )
    return next((outcome for is_held, outcome in held if is_held), ContactOutcome.ABANDONED).value


def go(at: At) -> Done:
    """Keep what is typed and go on from there: everything that follows from it is shown."""
    return Done()


def at_fields(problem: Problem, names: dict[str, str]) -> Problem:
    faults = {_field(fault.field, names): _short(fault) for fault in problem.fields}
    return type(problem)(problem.detail, fields=[FieldProblem(f, d) for f, d in faults.items()], extra=problem.extra)


def _short(fault: FieldProblem) -> str:
    """A question stands at its field already: 'How big is it?: this must be answered.' without the question."""
    _question, colon, wrong = fault.detail.rpartition("?: ")
    return wrong[:1].upper() + wrong[1:] if colon and fault.field.startswith("answers.") else fault.detail


def _field(name: str, names: dict[str, str]) -> str:
    if name.startswith("answers."):
        return contents.PREFIX + name.removeprefix("answers.")
    return "phone" if name.startswith("contact_points.0") else names.get(name, name)


def _speaks(at: At) -> None:
    """The language chosen in the contact is the caller's from now on: messages come in it, too, and the next desk knows."""
    resident, chosen = at.screen.resident, at.content.word("language")
    if resident is None or chosen not in at.desk.city.languages or not at.desk.actor.may("residents.write"):
        return
    person = residents.standing(resident)
    if person.language != chosen and person.erased_at is None:
        residents.update(person, language=chosen, by=at.desk.actor)


def _describe(at: At) -> None:
    _speaks(at)
    at.draft.interaction = interactions.describe(
        at.draft.interaction,
        on_behalf_of=at.content.word("on_behalf_of"),
        language=at.screen.language,
        by=at.desk.actor,
    )


def _not_filed(at: At) -> None:
    if at.content.number:
        raise Conflict(
            _("This is saved already as {number}. Take down the next thing.").format(number=at.content.number)
        )


def _whole(value: str) -> int:
    if not value.isdecimal() or len(value) > 18:
        raise NotFound(_("There is no such resident."))
    return int(value)


STEPS: dict[str, Step] = {
    "go": go,
    "caller": take_caller,
    "new-caller": new_caller,
    "other-caller": other_caller,
    "service": take_service,
    "other-service": other_service,
    "place": take_place,
    "other-place": other_place,
    "join": take_join,
    "leave-join": leave_join,
    "file": file,
    "add-photo": picturing.add,
    "remove-photo": picturing.remove,
    "another": another,
    "inform": inform,
    "send": send,
    "ask-around": ask_around,
    "about": about,
    "call-back": call_back,
    "hand-to-911": hand_to_911,
    "end": end,
}
