"""Running contacts of the whole city; those left open are taken over or wrapped up by a supervisor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loop311.desk.access import Desk, desk_page, show
from loop311.desk.contact import leaving
from loop311.desk.contact.forms import OUTCOMES
from loop311.desk.contact.screen import Screen
from loop311.desk.forms import StyledForm
from loop311.interactions.policies import EndReason
from loop311.kit.problems import Conflict, Invalid

REASONS = {
    EndReason.FORGOTTEN: gettext_lazy("All was done but the wrap-up"),
    EndReason.CALLER_GONE: gettext_lazy("The caller was gone"),
    EndReason.FAILURE: gettext_lazy("The line, the machine or the system failed"),
    EndReason.TWICE: gettext_lazy("Taken down again in another contact"),
}


class WrapUpForm(StyledForm):
    reason = forms.ChoiceField(
        label=gettext_lazy("Why you wrap it up"),
        choices=[(each.value, name) for each, name in REASONS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say why it is wrapped up for somebody else.")},
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), required=False, choices=[("", gettext_lazy("As it is")), *OUTCOMES.items()]
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@require_GET
@desk_page("interactions.read")
def running(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "desk/contact/open.html", {"contacts": leaving.running(desk), "most": leaving.MOST})


@require_GET
@desk_page("interactions.take_over")
def one(request: HttpRequest, desk: Desk, interaction_id: int) -> HttpResponse:
    return _page(request, desk, interaction_id)


@require_POST
@desk_page("interactions.take_over")
def take(request: HttpRequest, desk: Desk, interaction_id: int) -> HttpResponse:
    leaving.take_over(desk, interaction_id)
    messages.success(request, _("The contact is yours now; everything typed is there."))
    return redirect("desk:contact", interaction_id=interaction_id)


@require_POST
@desk_page("interactions.take_over")
def wrap_up(request: HttpRequest, desk: Desk, interaction_id: int) -> HttpResponse:
    leaving.one(desk, interaction_id)
    form = WrapUpForm(request.POST)
    if not form.is_valid():
        return _page(request, desk, interaction_id, form, 422)
    given: dict[str, Any] = form.cleaned_data
    try:
        leaving.wrap_up(
            desk, interaction_id, version=given["version"], reason=given["reason"], outcome=given["outcome"]
        )
    except (Invalid, Conflict) as problem:
        form = WrapUpForm({**request.POST.dict(), "version": leaving.one(desk, interaction_id).version})
        form.add_problem(problem)
        return _page(request, desk, interaction_id, form, problem.status)
    messages.success(request, _("The contact is wrapped up."))
    return redirect("desk:open_contacts")


def _page(
    request: HttpRequest, desk: Desk, interaction_id: int, form: WrapUpForm | None = None, status: int = 200
) -> HttpResponse:
    draft = leaving.one(desk, interaction_id)
    screen = Screen(desk, draft, tab="")
    context = {
        "draft": draft,
        "screen": screen,
        "typed": [
            (screen.wording.field(field), screen.wording.value(field, ", ".join(values)))
            for field, values in screen.content.typed.items()
            if any(values) and field != "language"
        ],
        "form": form or WrapUpForm(initial={"version": draft.version}),
        "is_mine": draft.staff_id == desk.staff.pk,
    }
    return show(request, desk, "desk/contact/open_one.html", context, status=status)
