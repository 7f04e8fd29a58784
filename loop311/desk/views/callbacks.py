"""Call-backs: the list, one with its tries, and promising one from a request."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.callbacks.models import Callback
from loop311.callbacks.policies import CallbackState
from loop311.desk import calling, reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.calling import CallForm, PromiseForm
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid
from loop311.requests.queries import read_cursor


@require_GET
@desk_page("callbacks.read")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    cursor, own = request.GET.get("after"), request.GET.get("whose") != "all"
    found = calling.open_callbacks(desk, own_only=own, after=read_cursor(cursor) if cursor else None)
    return show(request, desk, "desk/callbacks.html", {"found": found, "own": own, "at": now()})


@require_GET
@desk_page("callbacks.read")
def one(request: HttpRequest, desk: Desk, callback_id: int) -> HttpResponse:
    return _page(request, desk, calling.get(desk, callback_id), {}, {}, 200)


def _page(
    request: HttpRequest,
    desk: Desk,
    found: Callback,
    sent: Mapping[str, CallForm],
    more: Mapping[str, object],
    status: int,
) -> HttpResponse:
    may = found.state == CallbackState.OPEN and desk.actor.may("callbacks.write")
    acts = [each for each in calling.CALL_ACTS if may and not (each.name == "take" and found.owner_id == desk.staff.pk)]
    offers = [(each, sent.get(each.name) or calling.call_form(each, found), each.name in sent) for each in acts]
    context = {"call": found, "attempts": calling.attempts(desk, found), "offers": offers, "at": now(), **more}
    return show(request, desk, "desk/callback.html", context, status=status)


@require_POST
@desk_page("callbacks.write")
def act(request: HttpRequest, desk: Desk, callback_id: int, name: str) -> HttpResponse:
    found, chosen = calling.get(desk, callback_id), calling.call_act(name)
    form = calling.call_form(chosen, found, request.POST)
    if not form.is_valid():
        return _page(request, desk, found, {name: form}, {}, 422)
    try:
        chosen.do(desk, found, form.cleaned_data)
    except (Invalid, Conflict) as problem:
        found = calling.get(desk, callback_id)
        form.data = {**request.POST.dict(), "version": str(found.version)}
        return _page(request, desk, found, {name: form}, {"conflict": problem.detail}, problem.status)
    messages.success(request, str(chosen.done))
    return redirect("desk:callback", callback_id=callback_id)


@require_http_methods(["GET", "POST"])
@desk_page("callbacks.write")
def promise(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    found = reading.find(desk, number)
    form = PromiseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "request_row": found}
        return show(request, desk, "desk/promise.html", context, status=422 if form.is_bound else 200)
    try:
        callback = calling.promise(desk, found, form.cleaned_data)
    except (Invalid, Conflict) as problem:
        form.add_problem(problem)
        return show(request, desk, "desk/promise.html", {"form": form, "request_row": found}, status=problem.status)
    messages.success(request, _("The call-back is promised."))
    return redirect("desk:callback", callback_id=callback.pk)
