"""Residents: found, written down, one on a page, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.desk import callers
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.people.forms import ConsentForm, EditForm, NewForm, PointForm, at_fields
from loop311.desk.people.page import person_known, resident_page, standing_id
from loop311.kit.problems import Conflict, FieldProblem, Invalid, NotFound
from loop311.residents import services as residents
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.queries import is_email, is_phone

MOST = 12
HOW = "desk-2026"
"""How consent was taken down here: channel and version of the wording."""


@require_GET
@desk_page("residents.read")
def find(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who may be meant, side by side."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = callers.callers(desk, words, MOST, thorough=True) if words else []
    return show(request, desk, "desk/people/find.html", {"words": words, "found": found})


@require_http_methods(["GET", "POST"])
@desk_page("residents.write")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One small form. Whoever has the same number or e-mail address already is shown first."""
    if request.method == "GET":
        form = NewForm(desk, initial=_typed(request.GET.get("q", "")))
        return show(request, desk, "desk/people/new.html", {"form": form, "same": []})
    form = NewForm(desk, request.POST)
    if not form.is_valid():
        return show(request, desk, "desk/people/new.html", {"form": form, "same": []}, status=422)
    same = [] if form.cleaned_data["anyway"] else _same(desk, form)
    if same:
        return show(request, desk, "desk/people/new.html", {"form": form, "same": same}, status=409)
    try:
        person = _write_down(desk, form)
    except Invalid as problem:
        form.add_problem(_with_kind(problem, form))
        return show(request, desk, "desk/people/new.html", {"form": form, "same": []}, status=problem.status)
    messages.success(request, _("Written down."))
    return redirect("desk:resident", resident_id=person.pk)


def _typed(words: str) -> dict[str, str]:
    """What was looked for in vain is what is known of somebody new."""
    words = words.replace("\x00", "").strip()[:200]
    if is_email(words):
        return {"email": words}
    return {"phone": words} if is_phone(words) else {"name": words}


def _same(desk: Desk, form: NewForm) -> list[callers.Caller]:
    exact = {callers.Why.PHONE, callers.Why.EMAIL}
    given = (form.cleaned_data["phone"], form.cleaned_data["email"])
    found = [each for words in given if words for each in callers.callers(desk, words, MOST) if each.why in exact]
    return list({each.resident.pk: each for each in found}.values())


def _write_down(desk: Desk, form: NewForm) -> Resident:
    given = form.cleaned_data
    return residents.create(
        desk.city, name=given["name"], kind=form.kind(), language=given["language"], address=given["address"],
        contact_points=form.points(), by=desk.actor,
    )  # fmt: skip


def _with_kind(problem: Invalid, form: NewForm) -> Invalid:
    """'contact_points.0.address' is the phone where one was typed, else the e-mail address."""
    kinds = ["phone" if point.kind == "mobile" else "email" for point in form.points()]
    names = {f"contact_points.{place}.address": kind for place, kind in enumerate(kinds)}
    fields = [FieldProblem(names.get(fault.field, fault.field), fault.detail) for fault in problem.fields]
    return Invalid(problem.detail, fields=fields)


# --- One resident ------------------------------------------------------------------------------------------------------


@require_GET
@desk_page("residents.read")
def one(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    """Everything of one resident; whoever was merged is shown as the one who stands for both."""
    root = standing_id(desk, resident_id)
    if root != resident_id:
        messages.info(request, _("The two were merged; this is the one who stands for both."))
        return redirect("desk:resident", resident_id=root)
    return _page(request, desk, root)


def _page(request: HttpRequest, desk: Desk, root: int, *, status: int = 200, **sent: Any) -> HttpResponse:
    page = resident_page(desk, person_known(desk, root))
    context = {
        "page": page,
        "person": page.person,
        "may_write": desk.actor.may("residents.write") and page.person.erased_at is None,
        "point_form": sent.get("point_form") or PointForm(auto_id="point-%s"),
        "consent_form": sent.get("consent_form") or ConsentForm(auto_id="consent-%s"),
        "problem": sent.get("problem", ""),
    }
    return show(request, desk, "desk/people/resident.html", context, status=status)


@require_http_methods(["GET", "POST"])
@desk_page("residents.write")
def edit(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    person = residents.get(resident_id, by=desk.actor)
    form = EditForm.of(desk, person, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "person": person}
        return show(request, desk, "desk/people/edit.html", context, status=422 if form.is_bound else 200)
    try:
        residents.update(person, by=desk.actor, **form.cleaned_data)
    except Invalid as problem:
        form.add_problem(problem)
        return show(request, desk, "desk/people/edit.html", {"form": form, "person": person}, status=problem.status)
    except Conflict as problem:
        return _changed_meanwhile(request, desk, person, form, problem)
    messages.success(request, _("It is changed."))
    return redirect("desk:resident", resident_id=person.pk)


def _changed_meanwhile(
    request: HttpRequest, desk: Desk, person: Resident, form: EditForm, problem: Conflict
) -> HttpResponse:
    """What was typed stays; what stands now is shown beside it."""
    form.data = {**request.POST.dict(), "version": str(person.version)}
    now = [(form[name].label, form[name].initial) for name in form.changed_data if name != "version"]
    context = {"form": form, "person": person, "conflict": problem.detail, "stands": now}
    return show(request, desk, "desk/people/edit.html", context, status=problem.status)


# --- Contact points and consent ----------------------------------------------------------------------------------------


@require_POST
@desk_page("residents.write")
def add_point(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    person = residents.get(resident_id, by=desk.actor)
    form = PointForm(request.POST, auto_id="point-%s")
    if not form.is_valid():
        return _page(request, desk, standing_id(desk, person.pk), status=422, point_form=form)
    try:
        residents.add_contact_point(person, form.point(), by=desk.actor)
    except Invalid as problem:
        form.add_problem(at_fields(problem))
        return _page(request, desk, standing_id(desk, person.pk), status=problem.status, point_form=form)
    messages.success(request, _("The contact point was added."))
    return redirect("desk:resident", resident_id=person.pk)


Act = Callable[..., ContactPoint]
POINT_ACTS: dict[str, tuple[Act, Any]] = {
    "prefer": (residents.set_preferred, gettext_lazy("This one is tried first.")),
    "silence": (residents.unsubscribe, gettext_lazy("Nothing more is sent there, but the answer to what is asked.")),
    "allow": (residents.resubscribe, gettext_lazy("Messages are welcome there again.")),
    "verify": (residents.verify_contact_point, gettext_lazy("The resident has shown to read there.")),
    "remove": (residents.remove_contact_point, gettext_lazy("The contact point was removed.")),
}


@require_POST
@desk_page("residents.write")
def change_point(request: HttpRequest, desk: Desk, resident_id: int, point_id: int, name: str) -> HttpResponse:
    if name not in POINT_ACTS:
        raise NotFound("There is no such thing to do.")
    act, done = POINT_ACTS[name]
    root = standing_id(desk, residents.get(resident_id, by=desk.actor).pk)
    with transaction.atomic():
        for point in _everywhere(desk, root, point_id, name):
            act(point, by=desk.actor)
    messages.success(request, str(done))
    return redirect("desk:resident", resident_id=root)


def _everywhere(desk: Desk, root: int, point_id: int, name: str) -> list[ContactPoint]:
    """The same address stands once for every identity that was merged: what is said of it is said of all, but first is one."""
    ids = person_known(desk, root).identities
    rows = ContactPoint.objects.filter(jurisdiction=desk.city, resident_id__in=ids, removed_at__isnull=True)
    chosen = rows.filter(pk=point_id).first()
    if chosen is None:
        raise NotFound(_("There is no such contact point."))
    return [chosen] if name == "prefer" else list(rows.filter(kind=chosen.kind, address=chosen.address).order_by("pk"))


@require_POST
@desk_page("residents.write")
def consent(request: HttpRequest, desk: Desk, resident_id: int) -> HttpResponse:
    person = residents.get(resident_id, by=desk.actor)
    form = ConsentForm(request.POST, auto_id="consent-%s")
    if not form.is_valid():
        return _page(request, desk, standing_id(desk, person.pk), status=422, consent_form=form)
    given = form.cleaned_data["given"] == "yes"
    residents.set_consent(person, form.cleaned_data["purpose"], given=given, how=HOW, by=desk.actor)
    messages.success(request, _("The resident's word is on the record."))
    return redirect("desk:resident", resident_id=person.pk)
