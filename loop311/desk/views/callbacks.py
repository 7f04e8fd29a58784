"""Call-backs: the lists, one with its script and tries, and promising one to a resident or from a request."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.desk import calling, promising, reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.calling import WHOSE, CallForm
from loop311.desk.promising import PromiseForm
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid
from loop311.requests.models import Request
from loop311.requests.queries import read_cursor
from loop311.residents import services as residents
from loop311.residents.models import Resident


@require_GET
@desk_page("callbacks.read")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    cursor, whose, at = request.GET.get("after"), _whose(request), now()
    found = calling.open_callbacks(desk, whose, at=at, after=read_cursor(cursor) if cursor else None)
    return show(request, desk, "desk/callbacks.html", {"found": found, "whose": whose, "at": at})


def _whose(request: HttpRequest) -> str:
    """The list somebody works through; my teams' unless another is asked for."""
    asked = request.GET.get("whose") or request.POST.get("whose") or "team"
    return asked if asked in WHOSE else "team"


@require_GET
@desk_page("callbacks.read")
def one(request: HttpRequest, desk: Desk, callback_id: int) -> HttpResponse:
    return _page(request, desk, callback_id, {}, {}, 200)


def _page(
    request: HttpRequest,
    desk: Desk,
    callback_id: int,
    sent: Mapping[str, CallForm],
    more: Mapping[str, object],
    status: int,
) -> HttpResponse:
    call, at, whose = calling.get(desk, callback_id), now(), _whose(request)
    page = calling.call_page(desk, call)
    offers = [
        (each, sent.get(each.name) or calling.call_form(each, desk, page), each.name in sent)
        for each in calling.possible(desk, call)
    ]
    context = {"page": page, "call": call, "offers": offers, "at": at, "whose": whose, **more}
    context["following"] = calling.following(desk, call, whose, at)
    return show(request, desk, "desk/callback.html", context, status=status)


@require_POST
@desk_page("callbacks.write")
def act(request: HttpRequest, desk: Desk, callback_id: int, name: str) -> HttpResponse:
    found, chosen = calling.get(desk, callback_id), calling.call_act(name)
    form = calling.call_form(chosen, desk, calling.call_page(desk, found), request.POST)
    if not form.is_valid():
        return _page(request, desk, callback_id, {name: form}, {}, 422)
    try:
        chosen.do(desk, found, form.cleaned_data)
    except Invalid as problem:
        form.add_problem(problem)
        return _page(request, desk, callback_id, {name: form}, {}, problem.status)
    except Conflict as problem:
        form.data = {**request.POST.dict(), "version": str(calling.get(desk, callback_id).version)}
        return _page(request, desk, callback_id, {name: form}, {"conflict": problem.detail}, problem.status)
    messages.success(request, str(chosen.done))
    return redirect(_onwards(request, desk, callback_id))


def _onwards(request: HttpRequest, desk: Desk, callback_id: int) -> str:
    """The next one of the list, where that was asked for; else the same again."""
    whose = _whose(request)
    here = calling.get(desk, callback_id)
    wanted = calling.following(desk, here, whose, now()) if "next" in request.POST else None
    return f"{reverse('desk:callback', args=[wanted or callback_id])}?whose={whose}"


@require_http_methods(["GET", "POST"])
@desk_page("callbacks.write")
def promise(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    found = reading.find(desk, number)
    return _promise(request, desk, found.resident, found)


@require_http_methods(["GET", "POST"])
@desk_page("callbacks.write")
def promise_to(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    """About no request: a question that nobody could answer at once."""
    return _promise(request, desk, residents.get(resident_id, by=desk.actor), None)


def _promise(request: HttpRequest, desk: Desk, person: Resident | None, about: Request | None) -> HttpResponse:
    form = PromiseForm(desk, person, about, request.POST if request.method == "POST" else None)
    context = {"form": form, "request_row": about, "person": form.resident}
    if not form.is_valid():
        return show(request, desk, "desk/promise.html", context, status=422 if form.is_bound else 200)
    try:
        callback = promising.promise(desk, form, about)
    except (Invalid, Conflict) as problem:
        form.add_problem(problem)
        return show(request, desk, "desk/promise.html", context, status=problem.status)
    messages.success(request, _("The call-back is promised."))
    return redirect("desk:callback", callback_id=callback.pk)
