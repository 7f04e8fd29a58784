"""Who works here: taking people on, their roles and teams, letting them go, letting them in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.accounts import factors, links, lockout, services
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import ALWAYS_SECOND_FACTOR
from loop311.accounts.sessions import sessions_of
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.sign_in_forms import ROLE_NAMES, NewStaffForm, SecondFactorForm, StaffForm
from loop311.kit.problems import Conflict, Invalid, NotFound

PAGE = 100


@dataclass(frozen=True, slots=True)
class Act:
    """Something an administrator does to a colleague's sign-in."""

    label: Any
    do: Callable[..., StaffMember]
    done: Any
    fits: Callable[[StaffMember, bool], bool] = lambda staff, is_locked: staff.is_active
    """(the person, whether locked out) -> is it to be offered?"""
    hint: Any = ""


ACTS: dict[str, Act] = {
    "unlock": Act(gettext_lazy("Let in again"), lockout.unlock, gettext_lazy("The person may try again at once."),
                  lambda staff, is_locked: is_locked),
    "invite": Act(gettext_lazy("Send a link to choose a password"), links.invite, gettext_lazy("The link is on its way.")),
    "reset-factors": Act(gettext_lazy("Take the second factor away"), factors.reset_factors,
                         gettext_lazy("Second factor and identities are gone, and the person is signed out everywhere."),
                         hint=gettext_lazy("For somebody who lost phone and codes. Make sure who is asking.")),
    "leave": Act(gettext_lazy("Works here no more"), services.deactivate_staff,
                 gettext_lazy("No sign-in and no token of this person works any more."),
                 hint=gettext_lazy("Ends all sessions at once. What the person did stays theirs.")),
    "return": Act(gettext_lazy("Works here again"), services.reactivate_staff, gettext_lazy("Welcome back."),
                  lambda staff, is_locked: not staff.is_active),
}  # fmt: skip


@require_GET
@desk_page("accounts.read")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "")[:200]
    found = services.search_staff(desk.city, words)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    people = list(page.object_list)
    context = {
        "people": people, "page": page, "words": words, "role_names": ROLE_NAMES,
        "with_factor": factors.with_second_factor(people), "locked": lockout.locked_among(people),
        "form": SecondFactorForm(initial={"roles": desk.city.second_factor_roles}),
        "always": [ROLE_NAMES[role] for role in ROLE_NAMES if role in ALWAYS_SECOND_FACTOR],
    }  # fmt: skip
    return show(request, desk, "desk/staff.html", context)


@require_POST
@desk_page("accounts.manage")
def second_factors(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = SecondFactorForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("Choose among the roles there are."))
    factors.require_second_factor(desk.city, form.cleaned_data["roles"], by=desk.actor)
    messages.success(request, _("These roles need a second factor from their next page on."))
    return redirect("desk:staff")


@require_http_methods(["GET", "POST"])
@desk_page("accounts.manage")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = NewStaffForm(desk, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return show(request, desk, "desk/new_staff.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        staff = services.create_staff(desk.city, by=desk.actor, **form.cleaned_data)
        links.invite(staff, by=desk.actor)
    except (Invalid, Conflict) as problem:
        form.add_problem(problem)
        return show(request, desk, "desk/new_staff.html", {"form": form}, status=problem.status)
    messages.success(request, _("Taken on. A link to choose a password is on its way."))
    return redirect("desk:staff_member", staff_id=staff.pk)


@require_http_methods(["GET", "POST"])
@desk_page("accounts.read", writing="accounts.manage")
def one(request: HttpRequest, desk: Desk, staff_id: int) -> HttpResponse:
    staff = services.get_staff(staff_id, by=desk.actor)
    form = StaffForm(desk, request.POST if request.method == "POST" else None, staff=staff)
    if not form.is_valid():
        return _page(request, desk, staff, form, 422 if form.is_bound else 200)
    try:
        services.change_staff(staff, by=desk.actor, **form.cleaned_data)
    except (Invalid, Conflict) as problem:
        form.add_problem(problem)
        return _page(request, desk, staff, form, problem.status)
    messages.success(request, _("Changed; it holds from the person's next page on."))
    return redirect("desk:staff_member", staff_id=staff.pk)


def _page(request: HttpRequest, desk: Desk, staff: StaffMember, form: StaffForm, status: int) -> HttpResponse:
    until = lockout.locked_until(staff)
    may = desk.actor.may("accounts.manage")
    context = {
        "person": staff, "form": form, "locked_until": until, "role_names": ROLE_NAMES,
        "has_factor": factors.has_second_factor(staff.user), "places": sessions_of(staff.user, None),
        "acts": [(name, act) for name, act in ACTS.items() if may and act.fits(staff, until is not None)],
    }  # fmt: skip
    return show(request, desk, "desk/staff_member.html", context, status=status)


@require_POST
@desk_page("accounts.manage")
def act(request: HttpRequest, desk: Desk, staff_id: int, name: str) -> HttpResponse:
    staff = services.get_staff(staff_id, by=desk.actor)
    if name not in ACTS:
        raise NotFound(_("There is no such thing to do."))
    ACTS[name].do(staff, by=desk.actor)
    messages.success(request, str(ACTS[name].done))
    return redirect("desk:staff_member", staff_id=staff.pk)
