"""Two residents made one, after looking at both; and made two again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.desk.access import Desk, desk_page, show
from loop311.desk.people.comparing import Comparison, compare, pair
from loop311.desk.people.forms import MergeForm
from loop311.desk.people.page import standing_id
from loop311.kit.problems import Conflict
from loop311.residents import services as residents


@require_GET
@desk_page("residents.merge")
def chosen(request: HttpRequest, desk: Desk) -> HttpResponse:
    """From two ticked boxes to the page that compares them."""
    kept, gone = pair(request.GET.getlist("pick"))
    return redirect("desk:merge", resident_id=kept, gone_id=gone)


@require_http_methods(["GET", "POST"])
@desk_page("residents.merge")
def merge(request: HttpRequest, desk: Desk, resident_id: int, gone_id: int) -> HttpResponse:
    """Both side by side and what would become of them; posting does it."""
    found = compare(desk, resident_id, gone_id)
    form = MergeForm(request.POST if request.method == "POST" else None, initial=_versions(found))
    if not form.is_valid():
        return _page(request, desk, found, form, status=422 if form.is_bound else 200)
    kept, gone = found.kept.known.resident, found.gone.known.resident
    try:
        residents.merge(kept, gone, reason=form.cleaned_data["reason"], versions=form.versions, by=desk.actor)
    except Conflict as problem:
        found = compare(desk, resident_id, gone_id)
        form.data = {**request.POST.dict(), **{name: str(value) for name, value in _versions(found).items()}}
        return _page(request, desk, found, form, conflict=problem.detail, status=problem.status)
    messages.success(request, _("They are one from now on. You can undo it below."))
    return redirect("desk:resident", resident_id=kept.pk)


def _versions(found: Comparison) -> dict[str, int]:
    return {"kept_version": found.kept.known.resident.version, "gone_version": found.gone.known.resident.version}


def _page(
    request: HttpRequest, desk: Desk, found: Comparison, form: MergeForm, *, conflict: str = "", status: int
) -> HttpResponse:
    context = {"found": found, "form": form, "conflict": conflict, "sides": (found.kept, found.gone)}
    return show(request, desk, "desk/people/merge.html", context, status=status)


@require_POST
@desk_page("residents.merge")
def undo(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    """`resident_id`: who was merged and stands alone again, exactly as before."""
    gone = residents.get(resident_id, by=desk.actor)
    kept = standing_id(desk, gone.pk)
    residents.undo_merge(gone, by=desk.actor)
    messages.success(request, _("They are two again, each exactly as before."))
    return redirect("desk:resident", resident_id=kept)
