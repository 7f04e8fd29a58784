"""Every verb a person may do on a request now: its words, its form, the service it calls. To add one, copy one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from loop311.accounts.models import StaffMember
from loop311.accounts.services import get_staff
from loop311.catalog.definitions import EvidenceKind
from loop311.desk import forms
from loop311.desk.access import Desk
from loop311.desk.reading import find, team
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.policies import State, Verb, may_follow

Given = Mapping[str, Any]
Do = Callable[[Desk, Request, Given], Request]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do. `name` is its address; `done` is said afterwards."""

    name: str
    verb: Verb
    label: Any
    form: type[forms.VerbForm]
    do: Do
    done: Any
    hint: Any = ""
    is_way_forward: bool = False
    """What usually comes next: shown first, as a full button."""


def _assignee(desk: Desk, given: Given) -> StaffMember | None:
    chosen = given.get("assignee")
    return get_staff(int(chosen), by=desk.actor) if chosen else None


def _proof(given: Given) -> services.Proof:
    return services.Proof(
        kind=EvidenceKind(given["kind"]),
        reference=given["reference"],
        note=given["note"],
        latitude=given["latitude"],
        longitude=given["longitude"],
    )


def _leading(desk: Desk, given: Given) -> Request:
    try:
        return find(desk, given["leading"])
    except NotFound as problem:
        raise Invalid(problem.detail, fields=[FieldProblem("leading", problem.detail)]) from problem


ACTS: tuple[Act, ...] = (
    Act("take", Verb.ASSIGN, _("Take it"), forms.VerbForm,
        lambda d, r, g: services.assign(r, assignee=d.staff, by=d.actor, version=g["version"]),
        _("It is yours now."), is_way_forward=True),
    Act("start", Verb.START, _("Start work"), forms.VerbForm,
        lambda d, r, g: services.start(r, by=d.actor, version=g["version"]),
        _("Work has begun."), is_way_forward=True),
    Act("resume", Verb.RESUME, _("Go on"), forms.VerbForm,
        lambda d, r, g: services.resume(r, by=d.actor, version=g["version"]),
        _("The clock runs again."), is_way_forward=True),
    Act("confirm", Verb.CONFIRM, _("The resident says yes"), forms.VerbForm,
        lambda d, r, g: services.confirm(r, by=d.actor, version=g["version"]),
        _("The resident's yes is on the record."), _("Only what the resident has told you."), is_way_forward=True),
    Act("dispute", Verb.DISPUTE, _("The resident says no"), forms.DisputeForm,
        lambda d, r, g: services.dispute(r, text=g["text"], by=d.actor, version=g["version"]),
        _("It is open again, under its original clock.")),
    Act("resolve", Verb.RESOLVE, _("Report it done"), forms.OutcomeForm,
        lambda d, r, g: services.resolve(r, outcome=g["outcome"], note=g["note"], by=d.actor, version=g["version"]),
        _("Reported done. The resident is told and may say no.")),
    Act("add-evidence", Verb.ADD_EVIDENCE, _("Add evidence"), forms.EvidenceForm,
        lambda d, r, g: services.add_evidence(r, _proof(g), by=d.actor, version=g["version"]),
        _("The evidence was added.")),
    Act("attach", Verb.ADD_EVIDENCE, _("Add photos or documents"), forms.AttachForm,
        lambda d, r, g: services.attach(r, g["photos"], proves=g["shows"] == "work", note=g["note"], by=d.actor,
                                        version=g["version"]),
        _("Added.")),
    Act("comment", Verb.COMMENT, _("Comment"), forms.CommentForm,
        lambda d, r, g: services.comment(r, text=g["text"], is_public=g["is_public"], by=d.actor, version=g["version"]),
        _("The comment was added.")),
    Act("assign", Verb.ASSIGN, _("Assign"), forms.AssignForm,
        lambda d, r, g: services.assign(r, assignee=_assignee(d, g), by=d.actor, version=g["version"]),
        _("It was assigned.")),
    Act("wait", Verb.WAIT, _("Wait"), forms.WaitForm,
        lambda d, r, g: services.wait(r, reason=g["reason"], by=d.actor, version=g["version"]),
        _("The clock stands still, and the resident is told why.")),
    Act("hand-over", Verb.HAND_OVER, _("Hand over"), forms.HandOverForm,
        lambda d, r, g: services.hand_over(r, owner=g["owner"], reference=g["reference"], by=d.actor, version=g["version"]),
        _("Handed over. Your team keeps watching it."), _("Somebody outside the city is responsible.")),
    Act("reroute", Verb.REROUTE, _("Move to another team"), forms.RerouteForm,
        lambda d, r, g: services.reroute(r, team=team(d, g["team"]), by=d.actor, version=g["version"]),
        _("Another team has it now."), _("Number, clock and promises stay.")),
    Act("join", Verb.JOIN, _("Join to another report"), forms.JoinForm,
        lambda d, r, g: services.join(r, leading=_leading(d, g), by=d.actor, version=g["version"]),
        _("Joined. The resident keeps the number and is told the true end."), _("The same thing in the world.")),
    Act("separate", Verb.SEPARATE, _("Separate"), forms.VerbForm,
        lambda d, r, g: services.separate(r, by=d.actor, version=g["version"]),
        _("It stands by itself again."), _("A problem of its own after all.")),
    Act("decline", Verb.DECLINE, _("Decline"), forms.DeclineForm,
        lambda d, r, g: services.decline(r, outcome=g["outcome"], note=g["note"], by=d.actor, version=g["version"]),
        _("Declined. The resident is told why and may object.")),
)  # fmt: skip


def act(name: str) -> Act:
    found = next((each for each in ACTS if each.name == name), None)
    if found is None:
        raise NotFound("There is no such thing to do.")
    return found


def possible(desk: Desk, request: Request, own_team: bool) -> list[Act]:
    """What this person may do with this request as it stands."""
    return [each for each in ACTS if desk.actor.may(f"requests.{each.verb}") and _fits(each, desk, request, own_team)]


def _fits(each: Act, desk: Desk, request: Request, own_team: bool) -> bool:
    state = State(request.state)
    if each.name == "take":
        return own_team and request.assignee_id != desk.staff.pk and may_follow(Verb.ASSIGN, state)
    if each.name == "start" and state is State.IN_PROGRESS:
        return False
    if each.name == "attach":
        return True
    if each.verb is Verb.CONFIRM and state is State.JOINED:
        return request.leading is not None and request.leading.state == State.DONE
    return may_follow(each.verb, state)


def may_change_service(desk: Desk, request: Request) -> bool:
    return desk.actor.may(f"requests.{Verb.CHANGE_SERVICE}") and may_follow(Verb.CHANGE_SERVICE, State(request.state))
