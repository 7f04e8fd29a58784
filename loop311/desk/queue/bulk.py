"""The same verb on many requests: each by itself, so that one that is refused loses none of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loop311.accounts.models import StaffMember, Team
from loop311.desk.access import Desk
from loop311.desk.history import history, since
from loop311.kit.problems import Conflict, FieldProblem, Invalid, Problem
from loop311.requests import services
from loop311.requests.models import Request

MOST = 100
"""Rows at a time."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A row as it was seen."""

    number: str
    version: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one; `sentence` says why it was refused."""

    number: str
    is_done: bool
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Bulk:
    """One thing to do. To add one, copy one."""

    name: str
    permission: str
    label: Any
    do: Callable[[Desk, Request, int, With], Request]
    done: Any


@dataclass(frozen=True, slots=True)
class With:
    """What the verb needs besides the request."""

    assignee: StaffMember | None = None
    team: Team | None = None


def _to_team(desk: Desk, request: Request, version: int, given: With) -> Request:
    if given.team is None:
        raise Invalid(_("Choose the team."), fields=[FieldProblem("team", _("Choose the team."))])
    return services.reroute(request, team=given.team, by=desk.actor, version=version)


BULK: tuple[Bulk, ...] = (
    Bulk("take", "requests.assign", gettext_lazy("Take them"),
         lambda d, r, v, g: services.assign(r, assignee=d.staff, by=d.actor, version=v), gettext_lazy("yours now")),
    Bulk("assign", "requests.assign", gettext_lazy("Assign"),
         lambda d, r, v, g: services.assign(r, assignee=g.assignee, by=d.actor, version=v), gettext_lazy("assigned")),
    Bulk("start", "requests.start", gettext_lazy("Start work"),
         lambda d, r, v, g: services.start(r, by=d.actor, version=v), gettext_lazy("started")),
    Bulk("reroute", "requests.reroute", gettext_lazy("Move to another team"), _to_team, gettext_lazy("moved")),
)  # fmt: skip


def possible(desk: Desk) -> list[Bulk]:
    return [each for each in BULK if desk.actor.may(each.permission)]


def picked(values: Sequence[str]) -> list[Picked]:
    """From 'number:version', as the boxes of the rows say it. Raises Invalid."""
    found: dict[str, Picked] = {}
    for value in values:
        number, _colon, version = value.rpartition(":")
        if not number or not version.isdecimal() or len(version) > 9:
            raise Invalid(_("A row was picked that is none."))
        found[number] = Picked(number, int(version))
    if not found:
        raise Invalid(_("Pick at least one request."))
    if len(found) > MOST:
        raise Invalid(_("Pick at most {n} requests at a time.").format(n=MOST))
    return list(found.values())


def carry_out(desk: Desk, what: Bulk, rows: Sequence[Picked], given: With) -> list[Result]:
    """In the order given; every row is a transaction of its own."""
    numbers = [row.number for row in rows]
    known = Request.objects.filter(jurisdiction=desk.city, number__in=numbers)
    requests = {each.number: each for each in known.select_related("jurisdiction")}
    return [_one(desk, what, row, requests.get(row.number), given) for row in rows]


def _one(desk: Desk, what: Bulk, row: Picked, request: Request | None, given: With) -> Result:
    if request is None:
        return Result(row.number, False, _("There is no request with this number in this city."))
    try:
        what.do(desk, request, row.version, given)
    except Conflict as problem:
        return Result(row.number, False, _explained(desk, request, row.version) or problem.detail)
    except Problem as problem:
        return Result(row.number, False, problem.detail)
    return Result(row.number, True)


def _explained(desk: Desk, request: Request, seen: int) -> str:
    """Who changed it meanwhile, and how: 'Ana: Work has begun.'"""
    fresh = Request.objects.select_related("jurisdiction", "service", "catalogue_version").get(
        jurisdiction=desk.city, pk=request.pk
    )
    changes = since(history(desk, fresh, services.terms_of(fresh).index), seen)
    return " ".join(f"{entry.who}: {entry.sentence}" for entry in changes[-2:])
