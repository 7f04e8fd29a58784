"""Call-backs at the desk: what is to be rung, what can be done with one, and promising one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext_lazy as _

from loop311.callbacks import services
from loop311.callbacks.models import Attempt, Callback
from loop311.callbacks.policies import AttemptOutcome, CancelReason, Way
from loop311.desk.access import Desk
from loop311.desk.forms import StyledForm
from loop311.desk.reading import PAGE, staff_names
from loop311.kit.actor import ActorKind
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.requests.models import Request
from loop311.requests.queries import cursor_after
from loop311.residents import services as residents

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


@dataclass(frozen=True, slots=True)
class Calls:
    callbacks: Sequence[Callback]
    after: str


def open_callbacks(desk: Desk, *, own_only: bool, after: tuple[datetime, int] | None = None) -> Calls:
    """The open ones, the window that ends first on top; two queries."""
    rows = Callback.objects.of_city(desk.city.pk).open().select_related("resident", "request", "team", "owner")
    if own_only:
        rows = rows.filter(Q(team_id__in=desk.actor.teams) | Q(owner=desk.staff))
    if after is not None:
        rows = rows.filter(Q(window_end__gt=after[0]) | Q(window_end=after[0], pk__gt=after[1]))
    found = list(rows.soonest_first().prefetch_related("attempts")[:PAGE])
    last = found[-1] if len(found) == PAGE else None
    return Calls(found, cursor_after(last.window_end, last.pk) if last else "")


def get(desk: Desk, callback_id: int) -> Callback:
    wanted = Callback.objects.of_city(desk.city.pk).filter(pk=callback_id)
    found = wanted.select_related("resident", "request", "team", "owner", "contact_point").first()
    if found is None:
        raise NotFound(str(_("There is no such call-back.")))
    return found


def attempts(desk: Desk, callback: Callback) -> list[tuple[Attempt, str]]:
    """Each try and who made it, oldest first."""
    rows = list(Attempt.objects.filter(jurisdiction=desk.city, callback=callback).order_by("pk"))
    names = staff_names(desk, [row.actor_ref for row in rows if row.actor_kind == ActorKind.STAFF])
    return [(row, names.get(row.actor_ref, row.actor_kind)) for row in rows]


# --- What can be done --------------------------------------------------------------------------------------------------


class CallForm(StyledForm):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class AttemptForm(CallForm):
    way = forms.ChoiceField(label=_("How"), choices=[(way.value, name) for way, name in WAYS.items()])
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=[(outcome.value, name) for outcome, name in OUTCOMES.items()],
        widget=forms.RadioSelect,
    )


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


CALL_ACTS: tuple[CallAct, ...] = (
    CallAct("attempt", _("Write down a try"), AttemptForm,
            lambda d, c, g: services.attempt(c, outcome=g["outcome"], way=g["way"], by=d.actor, version=g["version"]),
            _("The try is on the record."), _("Once the resident was spoken to, the call-back is kept.")),
    CallAct("take", _("I will ring"), CallForm,
            lambda d, c, g: services.reassign(c, owner=d.staff, by=d.actor, version=g["version"]),
            _("It is yours now.")),
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
        raise NotFound("There is no such thing to do.")
    return found


def call_form(each: CallAct, callback: Callback, data: Mapping[str, object] | None = None) -> CallForm:
    return each.form(data, auto_id=f"{each.name}-%s", initial={"version": callback.version, "way": callback.way})


# --- Promising one -----------------------------------------------------------------------------------------------------


class PromiseForm(StyledForm):
    """A window of one day, by the city's clocks."""

    day = forms.DateField(label=_("Day"), widget=forms.TextInput(attrs={"type": "date"}))
    start = forms.TimeField(label=_("From"), widget=forms.TextInput(attrs={"type": "time"}))
    end = forms.TimeField(label=_("To"), widget=forms.TextInput(attrs={"type": "time"}))
    reason = forms.CharField(label=_("What about"), required=False, max_length=2000, widget=forms.Textarea)


def promise(desk: Desk, request: Request, given: Given) -> Callback:
    """Promise to ring the request's resident."""
    if request.resident is None:
        raise Invalid(str(_("The request is anonymous; there is nobody to ring.")))
    zone = get_current_timezone()
    wish = services.Wish(
        window_start=datetime.combine(given["day"], given["start"], zone),
        window_end=datetime.combine(given["day"], given["end"], zone),
        reason=given["reason"],
        request=request,
        owner=None,
    )
    try:
        return services.promise(residents.standing(request.resident), wish, by=desk.actor)
    except Invalid as problem:
        here = [FieldProblem("end" if f.field == "window_end" else f.field, f.detail) for f in problem.fields]
        raise Invalid(problem.detail, fields=here) from problem
