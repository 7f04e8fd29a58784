"""What nobody knows yet: the list for every desk, reporting, and what can be done with one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from loop311.accounts.models import Team
from loop311.desk import answers, reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.answers import language_name
from loop311.desk.forms import StyledForm
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid, NotFound
from loop311.knowledge import queries, services
from loop311.knowledge.policies import MOST_WORDS, Dismissal

DISMISSALS = {
    Dismissal.NOT_CITY: gettext_lazy("Not a matter of the city"),
    Dismissal.DUPLICATE: gettext_lazy("Asked twice"),
    Dismissal.MISTAKE: gettext_lazy("A mistake"),
}


class GapForm(StyledForm):
    words = forms.CharField(
        label=gettext_lazy("What does the caller want to know?"),
        max_length=MOST_WORDS,
        help_text=gettext_lazy("The question only, without names or numbers of people."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(code, language_name(code)) for code in desk.city.languages]


@require_http_methods(["GET", "POST"])
@desk_page("knowledge.read", writing="knowledge.report")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list; posting adds a question. htmx gets the list alone."""
    if request.headers.get("HX-Request") and request.method == "GET":
        return show(request, desk, "desk/knowledge/_gaps.html", {"gaps": answers.nobody_knows(desk), "at": now()})
    form = GapForm(desk, request.POST or None, initial={"words": request.GET.get("words", "")[:MOST_WORDS]})
    if form.is_bound and form.is_valid():
        try:
            gap = services.report_gap(
                desk.city, form.cleaned_data["words"], language=form.cleaned_data["language"], by=desk.actor
            )
        except (Invalid, Conflict) as problem:
            form.add_problem(problem)
        else:
            _say(request, gap.asked)
            return redirect("desk:gaps")
    return _page(request, desk, form, 422 if form.is_bound else 200)


def _say(request: HttpRequest, asked: int) -> None:
    if asked > 1:
        messages.success(request, _("It was asked before: now {asked} callers wait for it.").format(asked=asked))
    else:
        messages.success(request, _("Every desk sees it now, and its team looks for the answer."))


def _page(request: HttpRequest, desk: Desk, form: GapForm, status: int) -> HttpResponse:
    context = {
        "form": form,
        "gaps": answers.nobody_knows(desk),
        "ended": queries.answered_gaps(desk.city.pk),
        "at": now(),
        "teams": reading.team_names(desk),
        "dismissals": DISMISSALS,
        "hits": queries.browse(desk.city.pk, language=desk.language, limit=50),
    }
    return show(request, desk, "desk/knowledge/gaps.html", context, status=status)


@require_POST
@desk_page("knowledge.report")
def again(request: HttpRequest, desk: Desk, gap_id: int) -> HttpResponse:
    gap = services.ask_again(services.get_gap(gap_id, by=desk.actor), by=desk.actor)
    _say(request, gap.asked)
    return redirect("desk:gaps")


@require_POST
@desk_page("knowledge.write")
def answer(request: HttpRequest, desk: Desk, gap_id: int) -> HttpResponse:
    gap = services.get_gap(gap_id, by=desk.actor)
    found = services.get_article(_sent(request, "article"), by=desk.actor)
    services.answer_gap(gap, found, by=desk.actor)
    messages.success(request, _("Answered: every desk finds it now."))
    return redirect("desk:gaps")


@require_POST
@desk_page("knowledge.write")
def dismiss(request: HttpRequest, desk: Desk, gap_id: int) -> HttpResponse:
    services.dismiss_gap(services.get_gap(gap_id, by=desk.actor), _sent(request, "reason"), by=desk.actor)
    messages.success(request, _("It is off the list."))
    return redirect("desk:gaps")


@require_POST
@desk_page("knowledge.write")
def reassign(request: HttpRequest, desk: Desk, gap_id: int) -> HttpResponse:
    gap = services.get_gap(gap_id, by=desk.actor)
    team = Team.objects.filter(jurisdiction=desk.city, code=_sent(request, "team")).first()
    if team is None:
        raise NotFound(_("There is no such team in this city."))
    services.reassign_gap(gap, team, by=desk.actor)
    messages.success(request, _("Another team looks for the answer; the time stays."))
    return redirect("desk:gaps")


def _sent(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:80]
