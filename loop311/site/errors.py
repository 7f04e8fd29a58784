"""What is answered when something could not be: a page for people, a problem document for programs, never a stack trace."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from loop311.kit import problem_documents
from loop311.kit.database import room
from loop311.kit.problem_documents import RETRY_AFTER_SECONDS

_SENTENCES = {
    400: ("The request could not be read", "Check the address and what was sent, then try again."),
    403: ("You may not do this", "Sign in with an account that may, or ask whoever manages your roles."),
    404: ("There is no such page", "Check the address, or start from the first page."),
    500: ("Something went wrong here", "It has been noted. Try again in a moment; what you had sent was not stored."),
    503: (
        "Back in a moment",
        "The database is restarting. What you sent was not stored: send it again in a few seconds.",
    ),
}


_CODES = {400: "malformed", 403: "forbidden", 404: "not-found", 500: "unexpected", 503: "unavailable"}


def answer(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """One shape for every error that no room has answered itself."""
    title, usual = _SENTENCES[status]
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    detail = sentence or usual
    if request.path.startswith("/api/") or not request.accepts("text/html"):
        code = _CODES[status]
        return problem_documents.document(
            request, code=code, title=title, status=status, detail=detail, headers=headers
        )
    response = render(request, "site/error.html", {"title": title, "sentence": detail}, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A database that is away for a moment is not a fault of ours to apologise for: it is a 503."""
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError):
        return answer(request, 500)
    return answer(request, 503, room.FULL if room.is_full(error) else "")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request, 403, "The form had expired, or cookies are switched off: load the page again and send it once more."
    )
