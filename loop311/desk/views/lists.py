"""Search, one resident, what failed, and the choice of the city."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.accounts.audience import open_to
from loop311.accounts.policies import SIGNED_IN, Role
from loop311.desk.access import CITY, Desk, desk_page, memberships_of, show
from loop311.desk.failures import failures as list_failures
from loop311.desk.forms import SearchForm
from loop311.desk.searching import search as search_all
from loop311.kit.problems import NotFound
from loop311.notifications import services as notifications


@require_GET
@desk_page("requests.read")
def home(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who takes calls begins with a contact, everybody else with the queue of their team."""
    return redirect("desk:start" if Role.CONCIERGE in desk.staff.roles else "desk:my_queue")


@require_GET
@desk_page("requests.read")
def search(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = SearchForm(request.GET or None)
    if not form.is_valid():
        return show(request, desk, "desk/search.html", {"form": form}, status=422 if form.is_bound else 200)
    found = search_all(desk, form.cleaned_data["q"])
    if found.number:
        return redirect("desk:request", number=found.number)
    return show(request, desk, "desk/search.html", {"form": form, "found": found})


@require_GET
@desk_page("notifications.read")
def failures(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "desk/failures.html", {"found": list_failures(desk)})


@require_POST
@desk_page("notifications.write")
def retry_message(request: HttpRequest, desk: Desk, message_id: int) -> HttpResponse:
    notifications.retry(message_id, by=desk.actor)
    messages.success(request, _("The message is tried again."))
    return redirect("desk:failures")


@require_http_methods(["GET", "POST"])
@never_cache
@login_required(login_url="account_login")
@open_to(SIGNED_IN)
def cities(request: HttpRequest) -> HttpResponse:
    """Which city's desk; for people who work for several."""
    own = [membership.jurisdiction for membership in memberships_of(request)]
    if request.method == "POST":
        chosen = next((city for city in own if city.slug == request.POST.get("city")), None)
        if chosen is None:
            problem = NotFound("You do not work for this city.")
            return show(request, None, "desk/problem.html", {"problem": problem}, status=404)
        request.session[CITY] = chosen.pk
        return redirect("desk:index")
    return show(request, None, "desk/cities.html", {"cities": own})
