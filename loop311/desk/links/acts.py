"""Every way to mend a pair: its words, its form, the service it calls. To add one, copy one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loop311.desk.access import Desk
from loop311.desk.forms import StyledForm
from loop311.kit.problems import NotFound, Unavailable
from loop311.workorders import services, working
from loop311.workorders.connectors import kind_of
from loop311.workorders.connectors.base import CannotTell
from loop311.workorders.models import Mismatch, Order
from loop311.workorders.policies import OrderState

Given = Mapping[str, Any]


class MendForm(StyledForm):
    """Posts the version its reader saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class KeyForm(MendForm):
    their_key = forms.CharField(label=_("Their number"), max_length=200)


class ReasonForm(MendForm):
    reason = forms.CharField(label=_("Why it waits"), max_length=500)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do about a pair. `do` gives what is said afterwards."""

    name: str
    label: Any
    form: type[MendForm]
    do: Callable[[Desk, Order, Given], Any]
    fits: Callable[[Order, frozenset[str]], bool]
    """Whether it is offered for an order with open mismatches of these kinds."""
    hint: Any = ""


def _try_again(desk: Desk, order: Order, given: Given) -> Any:
    services.try_again(order, by=desk.actor, version=given["version"])
    return _("It is tried again now.")


def _look_up(desk: Desk, order: Order, given: Given) -> Any:
    services.may_mend(order, by=desk.actor)
    try:
        report = working.look_up(order)
    except CannotTell as error:
        raise Unavailable(gettext("They could not be asked: {reason}").format(reason=error)) from error
    return FOUND.get(services.note_looked_up(order, report, by=desk.actor), _("It stands there as it is shown here."))


FOUND = {
    "not_there": _("They have no such record."),
    "known": _("Nothing has changed there."),
    "nothing": _("Both sides agree."),
    "untold": _("They have it; their system does not say how it stands."),
    "started": _("Work has begun there, and now here too."),
    "done": _("It is done there with evidence, and now reported done here."),
    "unproved": _("It is closed there, and the evidence is still missing."),
    "unknown_status": _("Its status there has no meaning in links.yaml."),
}


def _take_theirs(desk: Desk, order: Order, given: Given) -> Any:
    services.take_theirs(order, by=desk.actor, version=given["version"])
    return _("The request stands here now as it does there.")


def _take_ours(desk: Desk, order: Order, given: Given) -> Any:
    services.take_ours(order, by=desk.actor, version=given["version"])
    return _("They are told how it stands here.")


def _link(desk: Desk, order: Order, given: Given) -> Any:
    services.link_to(order, their_key=given["their_key"], by=desk.actor, version=given["version"])
    return _("The two records belong together now.")


def _send_anew(desk: Desk, order: Order, given: Given) -> Any:
    services.send_anew(order, by=desk.actor, version=given["version"])
    return _("It is sent anew.")


def _cancel(desk: Desk, order: Order, given: Given) -> Any:
    services.cancel_there(order, by=desk.actor, version=given["version"])
    return _("They are told that it is cancelled; the request stays here.")


def _hand_over_anew(desk: Desk, order: Order, given: Given) -> Any:
    services.hand_over_anew(order, by=desk.actor, version=given["version"])
    return _("They get it as a new record; number and clock here stay.")


def _park(desk: Desk, order: Order, given: Given) -> Any:
    services.park(order, reason=given["reason"], by=desk.actor, version=given["version"])
    return _("Nothing more is sent until somebody tries again.")


_OF_STATUS = frozenset({"unproved", "declined_there", "state_differs", "refused_here", "unknown_status"})


def _waits(order: Order, kinds: frozenset[str]) -> bool:
    return order.next_at is not None or order.state == OrderState.PARKED


def _may_be_there(order: Order, kinds: frozenset[str]) -> bool:
    return order.state in (OrderState.UNKNOWN, OrderState.PARKED) and not order.their_key and order.holds


ACTS: tuple[Act, ...] = (
    Act("try-again", _("Try again now"), MendForm, _try_again, _waits),
    Act("look-up", _("Look it up there"), MendForm, _look_up, lambda order, kinds: True,
        _("Asks their system how the record stands; changes nothing there.")),
    Act("take-theirs", _("Take theirs"), MendForm, _take_theirs,
        lambda order, kinds: bool(order.their_status) and not kinds.isdisjoint(_OF_STATUS),
        _("The request becomes here what they say, if it has the evidence.")),
    Act("take-ours", _("Take ours"), MendForm, _take_ours, lambda order, kinds: not kinds.isdisjoint(_OF_STATUS),
        _("They are told again how it stands here.")),
    Act("link-key", _("Name their record"), KeyForm, _link,
        lambda order, kinds: order.holds and kind_of(order.link.connector).names_records
        and (not order.their_key or not kinds.isdisjoint({"gone_there", "not_here"})),
        _("Somebody has found it there: it is not created again.")),
    Act("hand-over-anew", _("Hand it over anew"), MendForm, _hand_over_anew,
        lambda order, kinds: order.holds and "gone_there" in kinds,
        _("They get a new record in place of the one that is gone there.")),
    Act("send-anew", _("They do not have it: send it"), MendForm, _send_anew, _may_be_there,
        _("Only when somebody has looked there. Otherwise they may have it twice.")),
    Act("cancel-there", _("Cancel it there"), MendForm, _cancel, lambda order, kinds: order.holds,
        _("The department's record ends; number, clock and team here stay.")),
    Act("park", _("Let it wait"), ReasonForm, _park,
        lambda order, kinds: order.holds and order.state != OrderState.PARKED),
)  # fmt: skip


def act(name: str) -> Act:
    found = next((each for each in ACTS if each.name == name), None)
    if found is None:
        raise NotFound(gettext("There is no such thing to do."))
    return found


def possible(order: Order, mismatches: list[Mismatch]) -> list[Act]:
    kinds = frozenset(each.kind for each in mismatches)
    return [each for each in ACTS if each.fits(order, kinds)]
