"""The door of other systems: straight to the view, and every error a problem document (RFC 9457).

Sessions, cookies, forms, languages and messages are for pages: what follows in the list of middleware is not asked under
/api/ and /open311/ (which has errors of its own). So no cookie ever signs anybody in there, and an answer costs an eighth less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation

from loop311.kit import problem_documents
from loop311.kit.problems import NotFound

_PREFIX = "/api/"
_OPEN311 = "/open311/"
_TEXTS = {
    400: ("malformed", "The request cannot be read", "The request is not one this server can read."),
    404: ("not-found", "There is no such address", "There is no such address in this API; see /api/v1/openapi.json."),
    405: ("wrong-method", "This method is not offered here", "The header Allow lists the methods this address has."),
}


Answer = Callable[[HttpRequest], HttpResponseBase]


class _StraightToTheView(BaseHandler):
    """Django's own last step, as it is behind all middleware."""

    def __init__(self) -> None:
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware: list[object] = []

    def answer(self) -> Answer:
        inner: Answer = self._get_response  # type: ignore[attr-defined]  # the stubs do not know it
        return cast("Answer", convert_exception_to_response(inner))


class ApiDoor:
    """Passes pages on; answers what is under /api/ itself."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self._view = _StraightToTheView().answer()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith((_PREFIX, _OPEN311)):
            return self.get_response(request)
        if request.path_info.startswith(_OPEN311):
            return _measured(self._answer(request))
        if "\x00" in request.path_info:
            return problem_documents.of_problem(request, NotFound("There is no such address in this API."))
        response = self._answer(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith(problem_documents.MEDIA_TYPE):
            return _measured(response)
        return _measured(_document(request, response))

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(settings.LANGUAGE_CODE):  # not what the page before left in this thread
            return self._view(request)


def _measured(response: HttpResponseBase) -> HttpResponseBase:
    """With its length, so that it is not sent in chunks."""
    if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))
    return response


def _document(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    if response.status_code not in _TEXTS:
        return problem_documents.unexpected(request, response.status_code)
    code, title, detail = _TEXTS[response.status_code]
    allow = {"Allow": response["Allow"]} if "Allow" in response else {}
    return problem_documents.document(
        request, code=code, title=title, status=response.status_code, detail=detail, headers=allow
    )
