"""Answers: search, one article, what is said about it, and sending it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loop311.desk import answers
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.answers import language_name
from loop311.desk.forms import StyledForm
from loop311.desk.writing import RATINGS
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid
from loop311.knowledge import queries, services
from loop311.knowledge.policies import MOST_FEEDBACK, MOST_WORDS, Audience
from loop311.notifications import services as notifications
from loop311.residents.policies import Point

GOOD_FOR = timedelta(days=365)
"""How long a checked answer holds when nobody says otherwise."""


class AskForm(StyledForm):
    q = forms.CharField(label=gettext_lazy("What does the caller want to know?"), required=False, max_length=MOST_WORDS)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    topic = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(code, language_name(code)) for code in desk.city.languages]


class FeedbackForm(StyledForm):
    rating = forms.ChoiceField(
        label=gettext_lazy("What about this answer?"), choices=list(RATINGS.items()), widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=gettext_lazy("In your words"), required=False, max_length=MOST_FEEDBACK, widget=forms.Textarea
    )
    language = forms.CharField(required=False, max_length=35, widget=forms.HiddenInput)


class CheckForm(StyledForm):
    expires_on = forms.DateField(
        label=gettext_lazy("It holds until"), required=False, widget=forms.TextInput(attrs={"type": "date"})
    )


class SendForm(StyledForm):
    contact = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    point = forms.TypedChoiceField(label=gettext_lazy("Send it to"), coerce=int, widget=forms.RadioSelect)
    language = forms.CharField(required=False, max_length=35, widget=forms.HiddenInput)

    def __init__(self, points: list[Point], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["point"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(point.id, point.address) for point in points]


@require_GET
@desk_page("knowledge.read")
def search(request: HttpRequest, desk: Desk) -> HttpResponse:
    """With words: what may answer them. Without: everything, by topic. htmx gets the hits alone."""
    form = AskForm(desk, request.GET or None)
    if form.is_bound and not form.is_valid():
        return show(request, desk, "desk/knowledge/search.html", {"form": form}, status=422)
    asked = form.cleaned_data if form.is_bound else {}
    words, language = asked.get("q", ""), asked.get("language") or desk.language
    topic = asked.get("topic") or None
    context: dict[str, object] = {"words": words, "language": language, "topic": topic, "contact": _contact_id(request)}
    if words:
        context["hits"] = answers.find(desk, words, language, limit=20)
    else:
        context["hits"] = queries.browse(desk.city.pk, language=language, topic=topic, limit=20)
    if request.headers.get("HX-Request"):
        return show(request, desk, "desk/knowledge/_hits.html", context)
    context |= {"form": form, "gaps": answers.nobody_knows(desk), "topics": queries.topics(desk.city.pk)}
    return show(request, desk, "desk/knowledge/search.html", context)


@require_GET
@desk_page("knowledge.read")
def article(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    return _page(request, desk, code, {}, 200)


def _page(
    request: HttpRequest, desk: Desk, code: str, more: dict[str, object], status: int, language: str = ""
) -> HttpResponse:
    found = answers.shown(desk, code, language or request.GET.get("language", "")[:35])
    contact = _contact(request, desk)
    points = _points(contact) if found.version.audience == Audience.PUBLIC else []
    spoken = {"language": found.text.language}
    sending = (
        SendForm(points, initial={"contact": contact.pk, "point": points[0].id, **spoken})
        if contact and points
        else None
    )
    context = {
        "shown": found,
        "feedback": FeedbackForm(initial=spoken, auto_id="feedback-%s"),
        "check": CheckForm(initial={"expires_on": (now() + GOOD_FOR).astimezone(desk.city.zone).date()}),
        "contact": contact,
        "sending": sending,
        "said": queries.unsettled_feedback(desk.city.pk).filter(article=found.article)[:20],
        "ratings": RATINGS,
        "versions": found.article.versions.order_by("-number")[:10],
        **more,
    }
    return show(request, desk, "desk/knowledge/article.html", context, status=status)


def _contact_id(request: HttpRequest) -> int | None:
    """Of the contact the page was opened from."""
    written = (request.POST or request.GET).get("contact", "")
    return int(written) if written.isdecimal() and written.isascii() and len(written) < 19 else None


def _contact(request: HttpRequest, desk: Desk) -> Interaction | None:
    wanted = _contact_id(request)
    if wanted is None or not desk.actor.may("notifications.send_article"):
        return None
    rows = Interaction.objects.filter(jurisdiction=desk.city, pk=wanted)
    return rows.select_related("resident").first()


def _points(contact: Interaction | None) -> list[Point]:
    return notifications.writable_points(contact.resident) if contact and contact.resident else []


@require_POST
@desk_page("knowledge.report")
def rate(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    found = services.get_article(code, by=desk.actor)
    form = FeedbackForm(request.POST, auto_id="feedback-%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            services.rate(found, given["rating"], words=given["words"], language=given["language"], by=desk.actor)
        except Invalid as problem:
            form.add_problem(problem)
        else:
            messages.success(request, _("Thank you. Who answers for it will read this."))
            return _back(code, request)
    return _page(request, desk, code, {"feedback": form}, 422)


@require_POST
@desk_page("knowledge.publish")
def check(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    found = services.get_article(code, by=desk.actor)
    form = CheckForm(request.POST)
    if form.is_valid():
        try:
            services.confirm(found, expires_on=form.cleaned_data["expires_on"], by=desk.actor)
        except Invalid as problem:
            form.add_problem(problem)
        else:
            messages.success(request, _("It is on the record that this still holds."))
            return _back(code, request)
    return _page(request, desk, code, {"check": form}, 422)


@require_POST
@desk_page("knowledge.publish")
def retire(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    services.retire(services.get_article(code, by=desk.actor), by=desk.actor)
    messages.success(request, _("The article is retired: it is found no more."))
    return redirect("desk:knowledge")


@require_POST
@desk_page("notifications.send_article")
def send(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    found = services.get_article(code, by=desk.actor)
    contact = interactions.get(_contact_id(request) or 0, by=desk.actor)
    form = SendForm(_points(contact), request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            notifications.send_article(
                contact, found, contact_point_id=given["point"], language=given["language"], by=desk.actor
            )
        except (Invalid, Conflict) as problem:
            form.add_problem(problem)
        else:
            messages.success(request, _("The answer is on its way, and the contact remembers it."))
            return _back(code, request)
    return _page(request, desk, code, {"sending": form}, 422)


@require_POST
@desk_page("knowledge.write")
def settle(request: HttpRequest, desk: Desk, feedback_id: int) -> HttpResponse:
    services.settle(services.get_feedback(feedback_id, by=desk.actor), by=desk.actor)
    messages.success(request, _("Noted: somebody has looked at it."))
    return redirect("desk:knowledge_review")


def _back(code: str, request: HttpRequest) -> HttpResponse:
    """To the article, in the language and the contact it was read in."""
    kept = {name: request.POST[name] for name in ("language", "contact") if request.POST.get(name)}
    address = reverse("desk:article", kwargs={"code": code})
    return redirect(f"{address}?{urlencode(kept)}" if kept else address)
