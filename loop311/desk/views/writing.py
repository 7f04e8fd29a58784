"""Writing articles: the editor with its preview, versions as the second person reads them, and what waits."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.desk import reading, writing
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.answers import owner_of
from loop311.desk.forms import StyledForm
from loop311.desk.writing import ArticleForm
from loop311.kit.actor import ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid, NotFound
from loop311.knowledge import queries, services
from loop311.knowledge.models import Article, Version
from loop311.knowledge.policies import MOST_WORDS, Hand, VersionState, is_second_person
from loop311.knowledge.services.writing import MOST_NOTE

SOON = timedelta(days=30)
MOST = 100


class SendBackForm(StyledForm):
    words = forms.CharField(label=gettext_lazy("What must be mended"), max_length=MOST_NOTE, widget=forms.Textarea)


@require_http_methods(["GET", "POST"])
@desk_page("knowledge.write")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """`words`: a question that nobody could answer."""
    words = request.GET.get("words", "").replace("\x00", "")[:MOST_WORDS]
    form = ArticleForm(desk, request.POST or None, initial=writing.initial(desk, None, words))
    return _edit(request, desk, form, None)


@require_http_methods(["GET", "POST"])
@desk_page("knowledge.write")
def edit(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    found = services.get_article(code, by=desk.actor)
    version = services.get_version(found, found.latest)
    form = ArticleForm(desk, request.POST or None, initial=writing.initial(desk, version), is_new=False)
    form.keep_owner(version, owner_of(desk, version))
    return _edit(request, desk, form, version)


def _edit(request: HttpRequest, desk: Desk, form: ArticleForm, version: Version | None) -> HttpResponse:
    context = {"form": form, "version": version}
    if not form.is_bound:
        return show(request, desk, "desk/knowledge/edit.html", context)
    if not form.is_valid():
        return show(request, desk, "desk/knowledge/edit.html", context, status=422)
    if "preview" in request.POST:
        return show(request, desk, "desk/knowledge/edit.html", {**context, "preview": _preview(form)})
    try:
        saved = _save(request, desk, form)
    except (Invalid, Conflict) as problem:
        form.add_problem(problem)
        return show(request, desk, "desk/knowledge/edit.html", context, status=problem.status)
    ready = saved.state == VersionState.REVIEW
    messages.success(request, _("A second person can read it now.") if ready else _("The draft is kept."))
    return redirect("desk:article_version", code=saved.article.code, version_number=saved.number)


def _save(request: HttpRequest, desk: Desk, form: ArticleForm) -> Version:
    given = form.cleaned_data
    return services.draft(
        desk.city,
        given["code"].strip(),
        form.content(),
        base=given["base"],
        ready="ready" in request.POST,
        note=given["note"],
        by=desk.actor,
    )


def _preview(form: ArticleForm) -> list[writing.Read]:
    return writing.read_words(form.content().texts)


@require_POST
@desk_page("knowledge.write")
def preview(request: HttpRequest, desk: Desk) -> HttpResponse:
    """For htmx: how it will look, while it is typed. Whatever is wrong with it is said when it is saved."""
    form = ArticleForm(desk, request.POST)
    form.is_valid()
    form.cleaned_data = {"topic": "", "services": "", "expires_on": None, **form.cleaned_data}
    form.cleaned_data |= {"owner": "staff:0", "audience": "public"}
    form.cleaned_data.setdefault("original", desk.language)
    return show(request, desk, "desk/knowledge/_preview.html", {"preview": _preview(form)})


@require_GET
@desk_page("knowledge.read")
def version(request: HttpRequest, desk: Desk, code: str, version_number: int) -> HttpResponse:
    return _version_page(request, desk, _version(desk, code, version_number), {}, 200)


def _version(desk: Desk, code: str, number: int) -> Version:
    if number >= 2**31:
        raise NotFound(_("The article has no such version."))
    return services.get_version(services.get_article(code, by=desk.actor), number)


def _version_page(
    request: HttpRequest, desk: Desk, found: Version, more: dict[str, object], status: int
) -> HttpResponse:
    published = _published(found)
    refs = [ref for kind, ref in _hands(found) if kind == ActorKind.STAFF]
    people = reading.staff_names(desk, refs)
    names = {writing.owner_value(each): owner_of(desk, each) for each in (found, published) if each}
    context = {
        "version": found,
        "texts": writing.read_version(found, published),
        "about": writing.about_changes(found, published, names),
        "owner": owner_of(desk, found),
        "writer": people.get(found.written_by_ref, _("Loaded from files")),
        "decider": people.get(found.decided_by_ref, ""),
        "state": writing.STATES[VersionState(found.state)],
        "is_second": is_second_person(found.writer, Hand(desk.actor.kind.value, desk.actor.ref)),
        "send_back": SendBackForm(),
        **more,
    }
    return show(request, desk, "desk/knowledge/version.html", context, status=status)


def _published(found: Version) -> Version | None:
    article = found.article
    if article.published_id is None or article.published_id == found.pk:
        return None
    rows = Version.objects.filter(jurisdiction_id=found.jurisdiction_id, pk=article.published_id)
    return rows.select_related("owner_team", "owner_staff").prefetch_related("texts").first()


def _hands(found: Version) -> list[tuple[str, int]]:
    return [(found.written_by_kind, found.written_by_ref), (found.decided_by_kind, found.decided_by_ref)]


@require_POST
@desk_page("knowledge.write")
def ask_review(request: HttpRequest, desk: Desk, code: str, version_number: int) -> HttpResponse:
    services.ask_review(_version(desk, code, version_number), by=desk.actor)
    messages.success(request, _("A second person can read it now."))
    return redirect("desk:article_version", code=code, version_number=version_number)


@require_POST
@desk_page("knowledge.publish")
def publish(request: HttpRequest, desk: Desk, code: str, version_number: int) -> HttpResponse:
    services.publish(_version(desk, code, version_number), by=desk.actor)
    messages.success(request, _("Published: this is the city's answer from now on."))
    return redirect("desk:article", code=code)


@require_POST
@desk_page("knowledge.publish")
def send_back(request: HttpRequest, desk: Desk, code: str, version_number: int) -> HttpResponse:
    found = _version(desk, code, version_number)
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _version_page(request, desk, found, {"send_back": form}, 422)
    services.send_back(found, form.cleaned_data["words"], by=desk.actor)
    messages.success(request, _("The writer reads what must be mended."))
    return redirect("desk:knowledge_review")


@require_POST
@desk_page("knowledge.publish")
def check_translation(request: HttpRequest, desk: Desk, code: str, version_number: int) -> HttpResponse:
    services.check_translation(
        _version(desk, code, version_number), request.POST.get("language", "")[:35].replace("\x00", ""), by=desk.actor
    )
    messages.success(request, _("The translation is checked."))
    return redirect("desk:article_version", code=code, version_number=version_number)


@require_GET
@desk_page("knowledge.read")
def review(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Everything that waits for somebody: a second person, the writer, whoever answers for it."""
    today = now().astimezone(desk.city.zone).date()
    waiting = list(queries.waiting_versions(desk.city.pk)[:MOST])
    refs = [each.written_by_ref for each in waiting if each.written_by_kind == ActorKind.STAFF]
    said = list(queries.unsettled_feedback(desk.city.pk)[:MOST])
    refs += [each.by_ref for each in said if each.by_kind == ActorKind.STAFF]
    people = reading.staff_names(desk, refs)
    context = {
        "waiting": [(each, _title(each), people.get(each.written_by_ref, _("Loaded from files"))) for each in waiting],
        "said": [(each, people.get(each.by_ref, each.by_kind)) for each in said],
        "expiring": [
            (each, owner_of(desk, each.published)) for each in _expiring(desk, today + SOON) if each.published
        ],
        "today": today,
        "ratings": writing.RATINGS,
    }
    return show(request, desk, "desk/knowledge/review.html", context)


def _expiring(desk: Desk, by: date) -> list[Article]:
    return list(queries.expiring(desk.city.pk, by)[:MOST])


def _title(version: Version) -> str:
    texts = sorted(version.texts.all(), key=lambda text: text.review != "original")
    return texts[0].title if texts else version.article.code
