"""The contact screen: begun, shown, and every step of it, as whole pages or, for htmx, as the sections that changed."""

from __future__ import annotations

import json
from contextlib import suppress

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from loop311.desk.access import Desk, desk_page, show
from loop311.desk.callers import callers
from loop311.desk.contact import content as contents
from loop311.desk.contact import drafts, leaving, picturing
from loop311.desk.contact.carrying import Carried, Photos, carry_out
from loop311.desk.contact.content import Content, read
from loop311.desk.contact.doing import ALL, Done
from loop311.desk.contact.drafts import Seen, TakenOver, WrittenElsewhere
from loop311.desk.contact.screen import Screen, nobody_knows
from loop311.desk.contact.wording import wording
from loop311.desk.filing import CHANNELS
from loop311.kit.clock import now
from loop311.kit.downloads import download
from loop311.kit.problems import Invalid, TooLarge
from loop311.requests.attachments import enclosure_thumbnail

PARTS = {*ALL, "found", "proposals", "places", "safety_word", "tell_911", "advice"}
"""What may be asked for alone while something is typed: the sections, and what changes inside them."""
PAGE = "desk/contact/contact.html"
TAKEN = "desk/contact/taken.html"


@require_http_methods(["GET", "POST"])
@desk_page("interactions.write")
def start(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A contact begins with one key; mine that are open can be gone on with. `phone`: who rings, as the telephone says."""
    phone = (request.POST or request.GET).get("phone", "").replace("\x00", "")[:40].strip()
    status = 200
    problem = ""
    if request.method == "POST":
        try:
            draft = drafts.begin(desk, request.POST.get("channel", ""), words=phone)
            return redirect("desk:contact", interaction_id=draft.interaction_id)
        except Invalid as refused:
            status, problem = refused.status, refused.detail
    context = {
        "channels": [(channel.value, name) for channel, name in CHANNELS.items()],
        "drafts": [(draft, read(draft.content)) for draft in drafts.mine(desk)],
        "phone": phone,
        "callers": callers(desk, phone) if phone else [],
        "problem": problem,
        "left_open": leaving.left_open(desk) if desk.actor.may("interactions.take_over") else 0,
    }
    return show(request, desk, "desk/contact/start.html", context, status=status)


@require_GET
@desk_page("interactions.write")
def signed_in(request: HttpRequest, desk: Desk) -> HttpResponse:
    """After signing in beside a contact that was signed out."""
    return show(request, desk, "desk/contact/signed_in.html", {})


@require_GET
@desk_page("interactions.write")
def contact(request: HttpRequest, desk: Desk, interaction_id: int) -> HttpResponse:
    try:
        screen = Screen(desk, drafts.get(desk, interaction_id), tab=drafts.new_tab())
    except TakenOver as taken:
        named = wording(desk, _there(taken).service)
        context = {"problem": taken, "contact": interaction_id, "wording": named}
        return show(request, desk, TAKEN, context, status=taken.status)
    return show(request, desk, PAGE, {"screen": screen})


@require_http_methods(["GET", "POST"])
@desk_page("interactions.write")
def step(request: HttpRequest, desk: Desk, interaction_id: int, name: str) -> HttpResponse:
    if request.method == "GET":  # after signing in again, or by the browser's own reload
        return redirect("desk:contact", interaction_id=drafts.get(desk, interaction_id).interaction_id)
    seen = Seen(request.POST.get("tab", "")[:32], _whole(request.POST.get("version", "")))
    try:
        return _carried(request, desk, interaction_id, name, seen)
    except TakenOver as taken:
        return _taken_over(request, desk, interaction_id, taken)


def _carried(request: HttpRequest, desk: Desk, interaction_id: int, name: str, seen: Seen) -> HttpResponse:
    photos = Photos(*picturing.received(request, desk, interaction_id))
    try:
        carried = carry_out(desk, interaction_id, name, request.POST, seen, photos)
    except WrittenElsewhere as conflict:
        return _written_elsewhere(request, desk, conflict, seen)
    if carried.done.is_over:
        return _over(request, carried)
    screen = Screen(desk, carried.draft, tab=seen.tab, problem=carried.problem)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"version": carried.draft.version, "at": _hour()})
    if _is_htmx(request):
        return _sections(request, screen, _asked_for(request, carried.done, screen))
    if carried.problem:
        return show(request, desk, PAGE, {"screen": screen}, status=carried.problem.status)
    return redirect(reverse("desk:contact", args=[interaction_id]) + _anchor(carried.done.focus))


@require_GET
@desk_page("interactions.write")
def unknown(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What nobody knows just now, for a contact that is open: asked again when that has changed at any desk."""
    return show(request, desk, "desk/contact/_unknown.html", {"unknown": nobody_knows(desk)})


@require_GET
@desk_page("interactions.write", may_be_kept=True)
def photo(request: HttpRequest, desk: Desk, interaction_id: int, enclosure_id: int) -> HttpResponse:
    """The small picture of a photo that waits in one's own contact."""
    draft = drafts.get(desk, interaction_id)
    return download(enclosure_thumbnail(desk.city.pk, draft.interaction_id, enclosure_id))


def _hour() -> str:
    return date_format(localtime(now()), "P")


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _anchor(focus: str) -> str:
    return focus if focus.startswith("#") and " " not in focus else ""


def _asked_for(request: HttpRequest, done: Done, screen: Screen) -> Done:
    """What the window asks for, where it says so; fields somebody is typing in are left alone as long as they stay the same."""
    wanted = [part for part in request.POST.get("show", "").split() if part in PARTS]
    if screen.problem:
        return Done(done.shows, done.focus, screen.problem.detail)
    if not wanted:
        return done
    if set(request.POST.getlist("shown")) >= set(screen.shown_questions):
        wanted = [part for part in wanted if part not in ("questions", "safety")]
    return Done(tuple(wanted), say=done.say)


def _sections(request: HttpRequest, screen: Screen, done: Done, status: int = 0) -> HttpResponse:
    """The sections that changed, each to be put in its place; then where the keyboard goes on."""
    context = {"screen": screen, "desk": screen.desk, "oob": True}
    names = (*done.shows, "state", "wrong")
    body = "".join(render_to_string(f"desk/contact/_{name}.html", context, request) for name in names)
    response = HttpResponse(body, status=status or (screen.problem.status if screen.problem else 200))
    after = {"focus": done.focus, "say": done.say, "version": screen.draft.version, "at": _hour()}
    response.headers["HX-Trigger-After-Settle"] = json.dumps({"contact:after": after})
    return response


def _written_elsewhere(request: HttpRequest, desk: Desk, conflict: WrittenElsewhere, seen: Seen) -> HttpResponse:
    """My words stay in their fields under the present version, so that sending them again means it; the others stand beside."""
    screen = Screen(desk, conflict.draft, tab=seen.tab, problem=conflict)
    screen.content = conflict.mine
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"version": conflict.draft.version, "detail": conflict.detail}, status=conflict.status)
    if _is_htmx(request):
        return _sections(request, screen, Done((), "#wrong", conflict.detail), conflict.status)
    return show(request, desk, PAGE, {"screen": screen}, status=conflict.status)


def _taken_over(request: HttpRequest, desk: Desk, interaction_id: int, taken: TakenOver) -> HttpResponse:
    """Who has it now, and what was typed here that is not there: nothing of it is thrown away unseen."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"detail": taken.detail}, status=taken.status)
    there, mine = _there(taken), _there(taken)
    with suppress(Invalid, TooLarge):
        mine.take(request.POST)
    named = wording(desk, there.service)
    words = [
        (named.field(field), named.value(field, here)) for field, here, _ in contents.differences(mine, there) if here
    ]
    context = {"problem": taken, "contact": interaction_id, "words": words, "wording": named}
    if not _is_htmx(request):
        return show(request, desk, TAKEN, context, status=taken.status)
    body = render_to_string("desk/contact/_taken.html", {**context, "desk": desk, "oob": True}, request)
    response = HttpResponse(body, status=taken.status)
    response.headers["X-Contact-Taken"] = "1"
    response.headers["HX-Trigger-After-Settle"] = json.dumps(
        {"contact:after": {"focus": "#wrong", "say": taken.detail}}
    )
    return response


def _there(taken: TakenOver) -> Content:
    """What whoever has it now sees."""
    return read(taken.draft.content) if taken.draft else Content()


def _over(request: HttpRequest, carried: Carried) -> HttpResponse:
    messages.success(request, carried.done.say or _("The contact is wrapped up."))
    where = reverse("desk:start")
    if _is_htmx(request):
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = where
        return response
    return redirect(where)
