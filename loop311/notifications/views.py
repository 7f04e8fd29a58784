"""The pages a message links to: the resident's own request, an answer, and unsubscribing. No JavaScript, no sign-in."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from loop311.accounts.audience import open_to
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import ANYBODY
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Problem
from loop311.knowledge.markup import to_html
from loop311.knowledge.models import Article
from loop311.knowledge.policies import Audience, is_expired
from loop311.knowledge.services import current_text
from loop311.notifications import services
from loop311.notifications.digest_mail import SALT as DIGEST_SALT
from loop311.notifications.rendering import ARTICLE_SALT, LINK_SALT, UNSUBSCRIBE_SALT, spoken
from loop311.notifications.words import PAGE_WORDS
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.policies import State, Verb, may_follow
from loop311.requests.sentences import public_sentence, say
from loop311.residents import services as residents
from loop311.residents.models import ContactPoint

LONGEST_WORDS = 2_000


@open_to(ANYBODY)  # the signed address is the proof
@csrf_exempt  # mail programs post here by themselves (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def stop_digest(request: HttpRequest, token: str) -> HttpResponse:
    """Asks before it does anything when opened; posted to, it stops the daily e-mail of this one person."""
    city, staff_id = _opened(token, DIGEST_SALT, 2)
    staff = StaffMember.objects.select_related("jurisdiction").filter(jurisdiction_id=city, pk=staff_id).first()
    if staff is None:
        raise Http404
    chosen = services.digest_choice(staff)
    if request.method == "POST" and chosen.is_wanted:
        services.choose_digest(staff, is_wanted=False, hour=chosen.hour, by=Actor(ActorKind.STAFF, city, ref=staff.pk))
        chosen.is_wanted = False
    language = _language(staff.jurisdiction.languages[0])
    context = {"language": language, "words": PAGE_WORDS[language], "city": staff.jurisdiction.name}
    return render(request, "notifications/digest.html", {**context, "done": not chosen.is_wanted})


@open_to(ANYBODY)  # the signed address is the proof
@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed address is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Asks before it does anything when opened; unsubscribes this one address when posted to."""
    city, point_id = _opened(token, UNSUBSCRIBE_SALT, 2)
    point = (
        ContactPoint.objects.select_related("resident", "jurisdiction")
        .filter(jurisdiction_id=city, pk=point_id)
        .first()
    )
    if point is None:
        raise Http404
    if request.method == "POST" and point.removed_at is None:
        residents.unsubscribe(point, by=Actor(ActorKind.RESIDENT, city, ref=point.resident_id))
        point.refresh_from_db()
    language = _language(point.resident.language)
    context = {
        "language": language,
        "words": PAGE_WORDS[language],
        "city": point.jurisdiction.name,
        "done": point.unsubscribed_at is not None or point.removed_at is not None,
    }
    return render(request, "notifications/unsubscribe.html", context)


@open_to(ANYBODY)
@require_http_methods(["GET", "HEAD", "POST"])
def resident_request(request: HttpRequest, token: str) -> HttpResponse:
    """What is true of the request now, and the resident's yes or no when it is their turn."""
    city, request_id, resident_id = _opened(token, LINK_SALT, 3)
    found = (
        Request.objects.select_related("jurisdiction", "service", "team", "resident", "leading")
        .filter(jurisdiction_id=city, pk=request_id, resident_id=resident_id, resident__erased_at__isnull=True)
        .first()
    )
    if found is None or found.resident is None:
        raise Http404
    is_refused = False
    if request.method == "POST":
        try:
            _answer(request, found, resident_id)
        except Problem:
            is_refused = True
        else:
            return redirect(request.path)
    return render(request, "notifications/request.html", _page(found, is_refused), status=409 if is_refused else 200)


@open_to(ANYBODY)
@require_http_methods(["GET", "HEAD"])
def article(request: HttpRequest, token: str) -> HttpResponse:
    """What the city answers now to what was asked once; an article that is retired or no longer public says so."""
    city, article_id, language = _unsigned(token, ARTICLE_SALT, 3)
    found = (
        Article.objects.filter(jurisdiction_id=city, pk=article_id).select_related("jurisdiction", "published").first()
    )
    if found is None:
        raise Http404
    is_public = found.is_live and found.published is not None and found.published.audience == Audience.PUBLIC
    text = current_text(found, str(language)) if is_public else None
    spoken_in = _language(text.language if text else str(language))
    context = {
        "language": text.language if text else spoken_in,
        "words": PAGE_WORDS[spoken_in],
        "city": found.jurisdiction.name,
        "text": text,
        "body": to_html(text.body) if text else "",
        "checked": _day(found, spoken_in),
        "is_expired": is_expired(found.expires_on, now().astimezone(found.jurisdiction.zone).date()),
    }
    return render(request, "notifications/article.html", context, status=200 if text else 410)


def _day(found: Article, language: str) -> str:
    return spoken(found.checked_at, now(), found.jurisdiction.zone, language) if found.checked_at else ""


def _answer(request: HttpRequest, found: Request, resident_id: int) -> None:
    allowed = frozenset({"requests.confirm", "requests.dispute"})
    by = Actor(ActorKind.RESIDENT, found.jurisdiction_id, ref=resident_id, permissions=allowed)
    if request.POST.get("answer") == "yes":
        requests.confirm(found, by=by)
    elif request.POST.get("answer") == "no":
        text = request.POST.get("text", "").replace("\x00", "")[:LONGEST_WORDS]
        requests.dispute(found, text=text, by=by)


def _page(found: Request, is_refused: bool) -> dict[str, object]:
    language = _language(found.resident.language if found.resident else "en")
    leading = found.leading if found.state == State.JOINED and found.leading else found
    state = State(leading.state)
    return {
        "language": language,
        "words": PAGE_WORDS[language],
        "city": found.jurisdiction.name,
        "number": found.number,
        "service": say(found.service.names, language, found.service.code),
        "sentence": public_sentence(found, language),
        "beside": found.outcome_note,
        "notes": [
            (note.text, spoken(note.at, found.updated_at, found.jurisdiction.zone, language))
            for note in found.comments.filter(is_public=True).exclude(text="").order_by("pk")
        ],
        "received": spoken(found.received_at, found.updated_at, found.jurisdiction.zone, language),
        "asks": state is State.DONE,
        "may_object": state is not State.DONE and may_follow(Verb.DISPUTE, state),
        "is_refused": is_refused,
    }


def _language(wanted: str) -> str:
    base = wanted.split("-")[0]
    chosen = base if base in PAGE_WORDS else "en"
    translation.activate(chosen)
    return chosen


def _opened(token: str, salt: str, parts: int) -> list[int]:
    return [int(part) for part in _unsigned(token, salt, parts)]


def _unsigned(token: str, salt: str, parts: int) -> list[Any]:
    try:
        opened = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise Http404 from error
    if not isinstance(opened, list) or len(opened) != parts:
        raise Http404
    return opened
