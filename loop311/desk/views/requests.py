"""The list of requests and the page of one, with every verb."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from loop311.desk import verbs
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.forms import ListForm, VerbForm
from loop311.desk.history import history, since
from loop311.desk.pages import form_of, request_page
from loop311.desk.reading import PAGE, find, listing
from loop311.desk.views.filters import wanted_by, without
from loop311.kit.problems import Conflict, Invalid, TooLarge, Unavailable
from loop311.kit.uploads import was_too_much
from loop311.requests.models import Request
from loop311.requests.services import terms_of


@require_GET
@desk_page("requests.read")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = ListForm(desk, request.GET or {"state": "open"})
    if not form.is_valid():
        return show(request, desk, "desk/list.html", {"form": form, "listing": None}, status=422)
    found = listing(desk, wanted_by(desk, form.cleaned_data, PAGE))
    context = {"form": form, "listing": found, "filters": without(request.GET, "before")}
    return show(request, desk, "desk/list.html", context)


@require_GET
@desk_page("requests.read")
def one(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    return show(request, desk, "desk/request.html", {"page": request_page(desk, find(desk, number))})


@require_GET
@desk_page("requests.read")
def changes(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """What others have done with it since the version somebody has on the screen; read by live.js."""
    found = find(desk, number)
    seen = request.GET.get("since", "")
    entries = history(desk, found, terms_of(found).index)
    news = since(entries, int(seen)) if seen.isdecimal() and len(seen) < 10 else []
    others = [entry for entry in news if not entry.is_by(desk.staff)]
    return show(request, desk, "desk/_changes.html", {"changes": others, "version": found.version})


@require_POST
@desk_page("requests.read", writing=lambda number, name: f"requests.{verbs.act(name).verb}")
def act(request: HttpRequest, desk: Desk, number: str, name: str) -> HttpResponse:
    found, chosen = find(desk, number), verbs.act(name)
    form = form_of(chosen, desk, found, request.POST, files=request.FILES)
    too_much = was_too_much(request)
    if too_much is not None:
        form.add_problem(too_much)
        return _again(request, desk, found, name, form, too_much.status)
    if not form.is_valid():
        return _again(request, desk, found, name, form, 422)
    try:
        chosen.do(desk, found, form.cleaned_data)
    except (Invalid, TooLarge, Unavailable) as problem:
        form.add_problem(problem)
        return _again(request, desk, found, name, form, problem.status)
    except Conflict as problem:
        return _changed_meanwhile(request, desk, number, name, form, problem)
    messages.success(request, str(chosen.done))
    return redirect("desk:request", number=number)


def _again(
    request: HttpRequest, desk: Desk, found: Request, name: str, form: VerbForm, status: int, **more: object
) -> HttpResponse:
    """The page as it is now, with the form as it was sent."""
    page = request_page(desk, found, {name: form})
    return show(request, desk, "desk/request.html", {"page": page, "failed": form, **more}, status=status)


def _changed_meanwhile(
    request: HttpRequest, desk: Desk, number: str, name: str, form: VerbForm, problem: Conflict
) -> HttpResponse:
    """One sentence, what has changed since, and what was typed, ready to be sent again."""
    found = find(desk, number)
    page = request_page(desk, found, {name: form})
    seen = form.cleaned_data["version"]
    form.refresh(found)
    context = {"page": page, "conflict": problem.detail, "changes": since(page.entries, seen)}
    return show(request, desk, "desk/request.html", context, status=problem.status)
