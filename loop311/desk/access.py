"""Who sits at the desk: every page asks here first, and a person's city bounds all it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from loop311.accounts.audience import open_to, permission_of
from loop311.accounts.factors import is_missing
from loop311.accounts.memberships import open_memberships
from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import SIGNED_IN
from loop311.accounts.services import actor_for_staff
from loop311.accounts.sessions import note_use
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import Forbidden, Problem

P = ParamSpec("P")
CITY = "desk_city"
"""Key of the session: the id of the city the person works for just now."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The city, the person there, and what they may do. `cities`: all the person works for."""

    city: Jurisdiction
    staff: StaffMember
    actor: Actor
    cities: tuple[Jurisdiction, ...]

    @property
    def language(self) -> str:
        """Of the city's own words on these pages."""
        return self.city.languages[0]


View = Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase]
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def desk_page(
    permission: str, *, writing: str | Callable[..., str] = "", may_be_kept: bool = False
) -> Callable[[View[P]], Page[P]]:
    """A page for staff who have the permission in the city they work for; times on it are the city's.

    `writing` is what posting needs where that is more than reading: a permission, or a function of the address's parts that
    names it. What people can mend becomes a page with its sentence and status. Who must have a second factor and has none
    is led to their own settings instead. Browsers keep nothing of it, unless the view says itself for how long (`may_be_kept`).
    """

    def decorate(view: View[P]) -> Page[P]:
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            def permitted(desk: Desk) -> HttpResponseBase:
                if lacks_second_factor(request, desk.staff):
                    return redirect("mfa_index")
                needed = permission_of(page, str(request.method), **kwargs)
                if needed is None or not desk.actor.may(needed):
                    raise Forbidden(_("Your role does not include this."))
                return view(request, desk, *args, **kwargs)

            return _seated(request, permitted)

        page.permission, page.writing = permission, writing  # type: ignore[attr-defined]  # see accounts.audience
        return cast("Page[P]", page if may_be_kept else never_cache(page))

    return decorate


def own_page(view: View[P]) -> Page[P]:
    """A page for everybody who works for a city, whatever the role: their own settings."""

    @wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return _seated(request, lambda desk: view(request, desk, *args, **kwargs))

    return open_to(SIGNED_IN)(cast("Page[P]", never_cache(page)))


def _seated(request: HttpRequest, view: Callable[[Desk], HttpResponseBase]) -> HttpResponseBase:
    """What the view answers to somebody signed in, at the desk of their city and in its time."""
    if not request.user.is_authenticated:
        if is_script(request):
            return HttpResponse(status=401)  # it says so to the person, and keeps what was typed
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    desk: Desk | None = None
    try:
        desk = sit_down(request)
        if desk is None:
            return redirect("desk:cities")
        note_use(request.session.session_key, get_account_adapter().get_client_ip(request))
        with timezone.override(desk.city.zone):
            return view(desk)
    except Problem as problem:
        return show(request, desk, "desk/problem.html", {"problem": problem}, status=problem.status)


def lacks_second_factor(request: HttpRequest, staff: StaffMember) -> bool:
    """Whether this person must set one up before anything else."""
    user = request.user
    return isinstance(user, User) and is_missing(staff, user, get_authentication_records(request, user))


def is_script(request: HttpRequest) -> bool:
    """A page that is open asks for a part of itself; it cannot follow to the sign-in."""
    return "HX-Request" in request.headers or request.headers.get("Accept", "") in (
        "application/json",
        "text/event-stream",
    )


def sit_down(request: HttpRequest) -> Desk | None:
    """The desk of the chosen city, or of the only one; None when one must be chosen. Three queries."""
    memberships = memberships_of(request)
    if not memberships:
        raise Forbidden(_("You do not work for a city here. Ask your administrator."))
    chosen = [m for m in memberships if m.jurisdiction_id == request.session.get(CITY)]
    if not chosen and len(memberships) > 1:
        return None
    staff = (chosen or memberships)[0]
    cities = tuple(m.jurisdiction for m in memberships)
    return Desk(staff.jurisdiction, staff, actor_for_staff(staff), cities)


def memberships_of(request: HttpRequest) -> list[StaffMember]:
    """Where the person works."""
    user = request.user
    return list(open_memberships(user).order_by("jurisdiction__name")) if isinstance(user, User) else []


def show(
    request: HttpRequest, desk: Desk | None, template: str, context: Mapping[str, object], status: int = 200
) -> HttpResponse:
    """The page, with what its frame needs."""
    return render(request, template, {**context, "desk": desk}, status=status)
