"""The pages of a team's queue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loop311.accounts.models import Team
from loop311.accounts.services import get_staff
from loop311.desk import reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.queue import bulk, saved
from loop311.desk.queue.forms import BulkForm, FilterForm, QueueForm
from loop311.desk.queue.reading import queue as read_queue
from loop311.kit.clock import now
from loop311.kit.problems import Invalid
from loop311.requests import services


@require_GET
@desk_page("requests.read")
def my_queue(request: HttpRequest, desk: Desk) -> HttpResponse:
    own = reading.own_teams(desk)
    return redirect("desk:queue", code=own[0].code) if own else redirect("desk:index")


@require_GET
@desk_page("requests.read")
def one(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    return _page(request, desk, reading.team(desk, code))


def _page(request: HttpRequest, desk: Desk, whose: Team, status: int = 200, **more: Any) -> HttpResponse:
    people, teams, own = reading.members(whose), reading.team_names(desk), reading.own_teams(desk)
    form = QueueForm(desk, people, request.GET)
    fits = form.is_valid()
    acts = [(each.name, each.label) for each in bulk.possible(desk)]
    others = [entry for entry in teams.items() if entry[0] != whose.code]
    context = {
        "form": form,
        "queue": read_queue(desk, whose, form.cleaned_data if fits else {}, at=now()),
        "own": own,
        "is_own": whose.pk in {each.pk for each in own},
        "teams": teams,
        "saved": saved.shown(desk, whose),
        "query": form.query if fits else "",
        "bulk": BulkForm(acts, people, others) if acts else None,
        "keep": FilterForm(auto_id="keep-%s"),
        **more,
    }
    return show(request, desk, "desk/queue.html", context, status=status if fits else 422)


@require_POST
@desk_page("requests.read", writing="requests.assign")
def take_next(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The most urgent one that is nobody's yet becomes mine."""
    taken = services.take_next(reading.team(desk, code), assignee=desk.staff, by=desk.actor)
    if taken is None:
        messages.success(request, _("Nothing is waiting for somebody to take it."))
        return redirect("desk:queue", code=code)
    messages.success(request, _("It is yours now."))
    return redirect("desk:request", number=taken.number)


@require_POST
@desk_page("requests.read", writing="requests.assign")
def do(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """One verb on every picked row; the page says what became of each."""
    whose = reading.team(desk, code)
    people, teams = reading.members(whose), reading.team_names(desk)
    acts = {each.name: each for each in bulk.possible(desk)}
    form = BulkForm([(each.name, each.label) for each in acts.values()], people, list(teams.items()), request.POST)
    try:
        rows = bulk.picked(request.POST.getlist("pick"))
        given = _given(desk, form)
    except Invalid as problem:
        picked = {value.rpartition(":")[0] for value in request.POST.getlist("pick")}
        form.add_problem(problem)
        return _page(request, desk, whose, problem.status, bulk=form, picked=picked)
    what = acts[form.cleaned_data["do"]]
    results = bulk.carry_out(desk, what, rows, given)
    context = {
        "team": whose,
        "what": what,
        "done": [each for each in results if each.is_done],
        "refused": [each for each in results if not each.is_done],
        "query": request.GET.urlencode(),
    }
    return show(request, desk, "desk/queue_done.html", context)


def _given(desk: Desk, form: BulkForm) -> bulk.With:
    if not form.is_valid():
        raise Invalid(_("Choose what to do with the picked ones."))
    chosen, code = form.cleaned_data["assignee"], form.cleaned_data["team"]
    if form.cleaned_data["do"] == "reroute" and not code:
        raise Invalid(_("Choose the team."))
    return bulk.With(
        assignee=get_staff(int(chosen), by=desk.actor) if chosen else None,
        team=reading.team(desk, code) if code else None,
    )


@require_POST
@desk_page("requests.read", writing="requests.comment")
def keep(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The present choices get a name."""
    whose, form = reading.team(desk, code), FilterForm(request.POST, auto_id="keep-%s")
    if form.is_valid():
        try:
            words = form.cleaned_data
            saved.keep(desk, whose, name=words["name"], query=words["query"], for_team=words["for_team"])
        except Invalid as problem:
            form.add_problem(problem)
        else:
            messages.success(request, _("Kept."))
            return redirect(f"{request.path.removesuffix('keep/')}?{form.cleaned_data['query']}")
    return _page(request, desk, whose, 422, keep=form)


@require_POST
@desk_page("requests.read", writing="requests.comment")
def forget(request: HttpRequest, desk: Desk, code: str, filter_id: int) -> HttpResponse:
    saved.remove(desk, reading.team(desk, code), filter_id)
    messages.success(request, _("Removed."))
    return redirect("desk:queue", code=code)
