"""Call-backs at the desk: what is to be rung and in which order, one with its script, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from loop311.accounts.models import StaffMember
from loop311.accounts.services import get_staff
from loop311.callbacks import services
from loop311.callbacks.models import Attempt, Callback
from loop311.callbacks.policies import (
    POINTS_OF_WAY,
    AttemptOutcome,
    CallbackState,
    CancelReason,
    HandOverReason,
    Way,
    ways_left,
)
from loop311.callbacks.sentences import Script, script, speaks
from loop311.desk.access import Desk
from loop311.desk.forms import StyledForm
from loop311.desk.people.page import colleagues, standing_id, zone_of
from loop311.desk.reading import PAGE, staff_names, team, team_names
from loop311.kit.actor import ActorKind
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.requests.queries import cursor_after
from loop311.residents.policies import Point
from loop311.residents.queries import Known, known

Given = Mapping[str, Any]
WAYS = {
    Way.CALL: _("Call"),
    Way.MESSAGE: _("Text message"),
    Way.EMAIL: _("E-mail"),
    Way.LETTER: _("Letter"),
    Way.VISIT: _("Visit or door hanger"),
}
OUTCOMES = {
    AttemptOutcome.REACHED: _("Spoken to"),
    AttemptOutcome.NO_ANSWER: _("No answer"),
    AttemptOutcome.VOICEMAIL: _("Voicemail"),
    AttemptOutcome.WRONG_NUMBER: _("Wrong number"),
    AttemptOutcome.REFUSED: _("Did not want to talk"),
    AttemptOutcome.MESSAGE_LEFT: _("Message left"),
}
REASONS = {
    CancelReason.NOT_NEEDED: _("Already answered"),
    CancelReason.RESIDENT_ASKED: _("The resident asked for it"),
    CancelReason.DUPLICATE: _("There is another one"),
    CancelReason.MISTAKE: _("A mistake"),
}
ENDED_BY_ITSELF = {CancelReason.RESIDENT_ERASED: _("The resident was erased; there is nobody to ring")}
HAND_OVER = {
    HandOverReason.SHIFT_ENDS: _("My shift ends"),
    HandOverReason.LANGUAGE: _("Speaks the resident's language"),
    HandOverReason.KNOWS_MORE: _("Knows more about it"),
    HandOverReason.ABSENT: _("Who was to ring is away"),
    HandOverReason.OTHER_TEAM: _("Another team is responsible"),
}
STATES = {
    CallbackState.OPEN: _("Open"),
    CallbackState.KEPT: _("Kept"),
    CallbackState.FAILED: _("Could not be reached"),
    CallbackState.CANCELLED: _("Cancelled"),
}


def why_cancelled(reason: str) -> str:
    return str({**REASONS, **ENDED_BY_ITSELF}[CancelReason(reason)])


# --- Lists -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A call-back in a list."""

    call: Callback
    zone: ZoneInfo
    """The resident's."""
    zone_differs: bool
    tries: Sequence[Attempt]
    where: str
    """The number or address it was promised for."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one degree of haste. `kind`: 'unkept', 'now', 'today' or 'later'."""

    kind: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Calls:
    groups: Sequence[Group]
    after: str


WHOSE = ("mine", "team", "all", "unkept")


def open_callbacks(desk: Desk, whose: str, *, at: datetime, after: tuple[datetime, int] | None = None) -> Calls:
    """The open ones, broken promises first, then the window that ends first; two queries."""
    rows = Callback.objects.of_city(desk.city.pk).open().filter(_whose(desk, whose, at))
    rows = rows.select_related("resident", "request__service", "team", "owner", "contact_point")
    if after is not None:
        rows = rows.filter(Q(window_end__gt=after[0]) | Q(window_end=after[0], pk__gt=after[1]))
    found = list(rows.soonest_first().prefetch_related("attempts")[:PAGE])
    last = found[-1] if len(found) == PAGE else None
    midnight = (at.astimezone(desk.city.zone) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    groups: dict[str, list[Row]] = {}
    for call in found:
        groups.setdefault(haste(call, at, midnight), []).append(_row(desk, call))
    ordered = [Group(kind, groups[kind]) for kind in ("unkept", "now", "today", "later") if kind in groups]
    return Calls(ordered, cursor_after(last.window_end, last.pk) if last else "")


def _whose(desk: Desk, whose: str, at: datetime) -> Q:
    mine = Q(owner=desk.staff)
    if whose == "mine":
        return mine
    if whose == "team":
        return mine | Q(team_id__in=desk.actor.teams)
    return Q(window_end__lt=at) if whose == "unkept" else Q()


def haste(call: Callback, at: datetime, midnight: datetime) -> str:
    if call.is_late(at):
        return "unkept"
    if call.is_due(at):
        return "now"
    return "today" if call.window_start < midnight else "later"


def _row(desk: Desk, call: Callback) -> Row:
    zone = zone_of(call.resident, desk)
    tries = sorted(call.attempts.all(), key=lambda each: each.pk)
    return Row(call, zone, zone != desk.city.zone, tries, call.contact_point.address if call.contact_point else "")


# --- One ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallPage:
    call: Callback
    known: Known
    """Whoever stands for the resident now."""
    zone: ZoneInfo
    zone_differs: bool
    attempts: Sequence[tuple[Attempt, str]]
    scripts: Sequence[Script]
    """In the resident's language, then in the desk's where that is another one."""
    needs_interpreter: bool
    ways_left: Sequence[Way]


def call_page(desk: Desk, call: Callback) -> CallPage:
    """The number of queries does not depend on how often it was tried."""
    [person] = known(desk.city.pk, [standing_id(desk, call.resident_id)])
    tries = attempts(desk, call)
    zone, language = zone_of(person.resident, desk), person.resident.language
    left = ways_left([each.tried() for each, _who in tries], {point.kind for point in person.points})
    return CallPage(
        call=call,
        known=person,
        zone=zone,
        zone_differs=zone != desk.city.zone,
        attempts=tries,
        scripts=_scripts(desk, call, person.resident.name, language),
        needs_interpreter=not speaks(language),
        ways_left=left,
    )


def _scripts(desk: Desk, call: Callback, name: str, language: str) -> list[Script]:
    found = [script(call, name, language), script(call, name, desk.language)]
    return list({each.language: each for each in found}.values())


def get(desk: Desk, callback_id: int) -> Callback:
    wanted = Callback.objects.of_city(desk.city.pk).filter(pk=callback_id)
    about = ("request__service", "request__team", "request__leading__service", "request__leading__team")
    found = wanted.select_related("resident", "team", "owner", "contact_point", "jurisdiction", *about).first()
    if found is None:
        raise NotFound(now_("There is no such call-back."))
    if found.request is not None:
        found.request.jurisdiction = desk.city
        if found.request.leading is not None:
            found.request.leading.jurisdiction = desk.city
    return found


def attempts(desk: Desk, callback: Callback) -> list[tuple[Attempt, str]]:
    """Each try and who made it, oldest first."""
    rows = list(
        Attempt.objects.filter(jurisdiction=desk.city, callback=callback).select_related("contact_point").order_by("pk")
    )
    names = staff_names(desk, [row.actor_ref for row in rows if row.actor_kind == ActorKind.STAFF])
    return [(row, names.get(row.actor_ref, row.actor_kind)) for row in rows]


def following(desk: Desk, call: Callback, whose: str, at: datetime) -> int | None:
    """The one to go on with: the first of the list that is not this one."""
    rows = Callback.objects.of_city(desk.city.pk).open().filter(_whose(desk, whose, at)).exclude(pk=call.pk)
    return rows.soonest_first().values_list("pk", flat=True).first()


# --- What can be done --------------------------------------------------------------------------------------------------


class CallForm(StyledForm):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def prepare(self, desk: Desk, page: CallPage) -> None:
        """Fill in what may be chosen."""

    def choose(self, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared by the form
        field.choices = choices


class AttemptForm(CallForm):
    """How, where and what came of it. A way and a number that do not fit are refused by the service."""

    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=[(outcome.value, name) for outcome, name in OUTCOMES.items()],
        widget=forms.RadioSelect,
    )
    way = forms.ChoiceField(label=_("How"), choices=[(way.value, name) for way, name in WAYS.items()])
    contact_point = forms.ChoiceField(label=_("Where"), required=False)

    def prepare(self, desk: Desk, page: CallPage) -> None:
        self.choose("contact_point", [("", _("As promised, or the first that fits")), *map(_named, page.known.points)])
        self.fields["way"].initial = page.call.way


def _named(point: Point) -> tuple[str, str]:
    return str(point.id), point.address


class HandOverForm(CallForm):
    owner = forms.ChoiceField(label=_("To whom"), required=False)
    team = forms.ChoiceField(label=_("To which team"), required=False)
    reason = forms.ChoiceField(label=_("Why"), choices=[(each.value, name) for each, name in HAND_OVER.items()])

    def prepare(self, desk: Desk, page: CallPage) -> None:
        others = [(one.pk, one.name) for one in colleagues(desk) if one.pk != page.call.owner_id]
        self.choose("owner", [("", _("The team as a whole")), *others])
        teams = [entry for entry in team_names(desk).items() if entry[0] != page.call.team.code]
        self.choose("team", [("", _("The same team")), *teams])


class CancelForm(CallForm):
    reason = forms.ChoiceField(label=_("Why"), choices=[(reason.value, name) for reason, name in REASONS.items()])


@dataclass(frozen=True, slots=True)
class CallAct:
    """One thing to do with an open call-back; the shape of verbs.Act."""

    name: str
    label: Any
    form: type[CallForm]
    do: Callable[[Desk, Callback, Given], Callback]
    done: Any
    hint: Any = ""


def _attempt(desk: Desk, call: Callback, given: Given) -> Callback:
    point = int(given["contact_point"]) if given["contact_point"] and POINTS_OF_WAY[Way(given["way"])] else None
    return services.attempt(
        call,
        outcome=given["outcome"],
        way=given["way"],
        contact_point_id=point,
        by=desk.actor,
        version=given["version"],
    )


def _hand_over(desk: Desk, call: Callback, given: Given) -> Callback:
    owner: StaffMember | None = get_staff(int(given["owner"]), by=desk.actor) if given["owner"] else None
    chosen = team(desk, given["team"]) if given["team"] else (None if owner else call.team)
    if owner is None and not given["team"] and call.owner_id is None:
        detail = now_("Choose a colleague or another team.")
        raise Invalid(detail, fields=[FieldProblem("owner", detail)])
    return services.reassign(
        call, team=chosen, owner=owner, reason=given["reason"], by=desk.actor, version=given["version"]
    )


CALL_ACTS: tuple[CallAct, ...] = (
    CallAct("attempt", _("Write down a try"), AttemptForm, _attempt,
            _("The try is on the record."), _("Once the resident was spoken to, the call-back is kept.")),
    CallAct("take", _("I will ring"), CallForm,
            lambda d, c, g: services.reassign(c, owner=d.staff, by=d.actor, version=g["version"]),
            _("It is yours now.")),
    CallAct("hand-over", _("Hand over"), HandOverForm, _hand_over, _("Handed over; the window stays.")),
    CallAct("fail", _("Nobody can be reached"), CallForm,
            lambda d, c, g: services.fail(c, by=d.actor, version=g["version"]),
            _("The call-back has failed. The request it was about stays exactly as it is."),
            _("After two different ways were tried in vain.")),
    CallAct("cancel", _("Not needed any more"), CancelForm,
            lambda d, c, g: services.cancel(c, reason=g["reason"], by=d.actor, version=g["version"]),
            _("The call-back was cancelled.")),
)  # fmt: skip


def call_act(name: str) -> CallAct:
    found = next((each for each in CALL_ACTS if each.name == name), None)
    if found is None:
        raise NotFound(now_("There is no such thing to do."))
    return found


def possible(desk: Desk, call: Callback) -> list[CallAct]:
    may = call.state == CallbackState.OPEN and desk.actor.may("callbacks.write")
    return [each for each in CALL_ACTS if may and not (each.name == "take" and call.owner_id == desk.staff.pk)]


def call_form(each: CallAct, desk: Desk, page: CallPage, data: Mapping[str, object] | None = None) -> CallForm:
    form = each.form(data, auto_id=f"{each.name}-%s", initial={"version": page.call.version})
    form.prepare(desk, page)
    return form
