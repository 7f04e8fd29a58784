"""What every answer carries, whichever room gave it."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from loop311.desk.live import views as live

Answer = Callable[[HttpRequest], HttpResponseBase]

_TILES = re.compile(r"https?://[A-Za-z0-9.*-]+(:[0-9]+)?")


def policy(tiles_url: str = "") -> str:
    """Everything from this site, nothing inline; pictures of the earth from their one server, where the deployment has one."""
    server = _TILES.match(tiles_url.replace("{s}", "*"))
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: {server[0]}" if server else "img-src 'self' data:",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'self'",
        )
    )


CONTENT_SECURITY_POLICY = policy(settings.MAP_TILES_URL)


def live_updates(answer: Answer) -> Answer:
    """Open pages ask every second: who is known is answered here, before sessions and sign-ins are looked at."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return live.known(request) or answer(request)

    return middleware


def content_security_policy(answer: Answer) -> Answer:
    """The header on every answer; a view that needs another policy sets its own."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return middleware
