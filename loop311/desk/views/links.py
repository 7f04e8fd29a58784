"""Links to the departments' systems: the list, one with its stuck and contradictory pairs, and mending them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loop311.desk.access import Desk, desk_page, show
from loop311.desk.links.acts import Act, MendForm, act
from loop311.desk.links.page import bound, find_order, link_page, rows
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, NotFound, Problem
from loop311.workorders import services, working
from loop311.workorders.connectors.base import CannotTell
from loop311.workorders.models import Order


@require_GET
@desk_page("workorders.read")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "desk/links/list.html", {"rows": rows(desk, now()), "at": now()})


@require_GET
@desk_page("workorders.read")
def one(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    page = link_page(desk, code, now())
    return show(request, desk, "desk/links/one.html", {"page": page, "at": now()})


@require_POST
@desk_page("workorders.read", writing="workorders.mend")
def act_on_link(request: HttpRequest, desk: Desk, code: str, name: str) -> HttpResponse:
    """test, compare, pause, go-on."""
    link = services.find_link(code, by=desk.actor)
    if name == "test":
        tested, _state = working.try_out(link)
        (messages.success if tested.ok else messages.error)(request, tested.words)
    elif name == "compare":
        _compare(request, link.pk)
    elif name == "pause":
        services.pause(link, by=desk.actor)
        messages.success(request, _("Paused: nothing is sent or asked until you go on."))
    elif name == "go-on":
        services.go_on(link, by=desk.actor)
        messages.success(request, _("It goes on; what has waited is sent."))
    else:
        raise NotFound(_("There is no such thing to do."))
    return redirect("desk:links" if request.POST.get("from") == "list" else "desk:link", *_part(request, code))


def _part(request: HttpRequest, code: str) -> list[str]:
    return [] if request.POST.get("from") == "list" else [code]


def _compare(request: HttpRequest, link_id: int) -> None:
    try:
        found = working.reconcile(link_id)
    except CannotTell as error:
        messages.error(request, _("They could not be asked: {reason}").format(reason=error))
    else:
        words = _("{pairs} pairs compared; {open} do not agree.").format(pairs=found.pairs, open=found.open)
        messages.success(request, words)


@require_POST
@desk_page("workorders.read", writing="workorders.mend")
def mend(request: HttpRequest, desk: Desk, code: str, order_id: int, name: str) -> HttpResponse:
    order, chosen = find_order(desk, code, order_id), act(name)
    form = bound(order, chosen, request.POST.dict())
    if not form.is_valid():
        return _again(request, desk, order, chosen, form, 422)
    try:
        said = chosen.do(desk, order, form.cleaned_data)
    except Conflict as problem:
        order.refresh_from_db()
        form.data = {**request.POST.dict(), "version": str(order.version)}
        return _again(request, desk, order, chosen, form, problem.status, problem.detail)
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        form.add_problem(problem)
        return _again(request, desk, order, chosen, form, problem.status)
    messages.success(request, str(said))
    return redirect("desk:link", code)


def _again(
    request: HttpRequest, desk: Desk, order: Order, chosen: Act, form: MendForm, status: int, conflict: str = ""
) -> HttpResponse:
    page = link_page(desk, order.link.code, now(), {order.pk: (chosen, form)})
    context = {"page": page, "at": now(), "conflict": conflict}
    return show(request, desk, "desk/links/one.html", context, status=status)


@require_POST
@desk_page("workorders.read", writing="workorders.mend")
def settle(request: HttpRequest, desk: Desk, code: str, mismatch_id: int) -> HttpResponse:
    """A record of theirs that leads nowhere was looked at."""
    services.find_link(code, by=desk.actor)
    services.settle_mismatch(mismatch_id, by=desk.actor)
    messages.success(request, _("Noted. The nightly comparison shows it again if it is still so."))
    return redirect("desk:link", code)
