"""What is answered when something could not be: a page for people, a problem document for programs, never a stack trace."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from loop311.kit import problem_documents
from loop311.kit.database import room
from loop311.kit.problem_documents import RETRY_AFTER_SECONDS
from loop311.site.apologies import EXPIRED, apology

_CODES = {400: "malformed", 403: "forbidden", 404: "not-found", 500: "unexpected", 503: "unavailable"}


def answer(request: HttpRequest, status: int, sentence: str = "", what: int = 0) -> HttpResponse:
    """One shape for every error that no room has answered itself. `what`: whose words, where not the status's."""
    said = apology(request, what or status)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    detail = sentence or said.sentence
    if request.path.startswith("/api/") or not request.accepts("text/html"):
        code = _CODES[status]
        return problem_documents.document(
            request, code=code, title=said.title, status=status, detail=detail, headers=headers
        )
    response = render(request, "site/error.html", {"said": said, "sentence": detail}, status=status)
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
    return answer(request, 403, what=EXPIRED)
