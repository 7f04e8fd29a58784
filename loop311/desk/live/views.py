"""GET /desk/live/: server-sent events, in slices. Each answer tells what is new and ends; the browser comes again after a second.

Nobody's thread is held, no proxy has anything to keep open, and who is known is answered from memory (`known`, called by the
site's middleware before sessions are looked at).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from loop311.desk.access import Desk, desk_page
from loop311.desk.live.hub import HUB, stamp
from loop311.ledger.announcing import Announcement

ADDRESS = "/desk/live/"
AGAIN = 1_000
"""Milliseconds until the browser asks again."""
TRUSTED_FOR = 10.0
"""Seconds for which a session that was looked up is not looked up again: so late does signing out stop it."""
MOST_TOPICS = 20
_MOST_SEATS = 10_000
_TOPIC = re.compile(r"[a-z_]{1,40}(:[0-9]{1,18})?")


@dataclass(frozen=True, slots=True)
class _Seat:
    city: int
    until: float


_seats: dict[str, _Seat] = {}
"""Session -> the city its owner works for just now."""


@require_GET
@desk_page("requests.read", may_be_kept=True)
def live(request: HttpRequest, desk: Desk) -> HttpResponse:
    """For whom `known` does not know yet."""
    if len(_seats) >= _MOST_SEATS:
        _seats.clear()
    _seats[_session(request)] = _Seat(desk.city.pk, time.monotonic() + TRUSTED_FOR)
    return _answer(request, desk.city.pk)


def known(request: HttpRequest) -> HttpResponse | None:
    """The answer from memory; None for who has to be looked up."""
    if request.path_info != ADDRESS or request.method != "GET":
        return None
    seat = _seats.get(_session(request))
    if seat is None or seat.until < time.monotonic():
        return None
    request.is_quiet = True  # type: ignore[attr-defined]  # no line in the log each second for each open page
    return _answer(request, seat.city)


def forget_seats() -> None:
    _seats.clear()


def _session(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")


def _answer(request: HttpRequest, city: int) -> HttpResponse:
    if request.GET.get("city") != str(city):
        return HttpResponse(status=204)  # another city was chosen meanwhile: the page is to ask no more
    seen = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    at = int(seen) if seen.isdecimal() and len(seen) < 16 else stamp()
    topics = [topic for topic in request.GET.getlist("topic")[:MOST_TOPICS] if _TOPIC.fullmatch(topic)]
    asked_at = stamp()
    news = HUB.since(city, at, topics)
    if news is None and not HUB.is_listening:
        return _stream([], at)
    return _stream(["event: reset\ndata: {}"] if news is None else [_told(each) for each in news], asked_at)


def _told(news: Announcement) -> str:
    body = {"event": news.event, "type": news.subject_type, "id": news.subject_id, "kind": news.kind}
    return f"event: change\ndata: {msgspec.json.encode(body).decode()}"


def _stream(events: Sequence[str], at: int) -> HttpResponse:
    text = "\n\n".join([f"retry: {AGAIN}\nid: {at}", *events, ""])
    response = HttpResponse(text, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
