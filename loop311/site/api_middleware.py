"""What Django itself answers under /api/ (no such address, wrong method, a host it does not serve) speaks RFC 9457 too."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from loop311.kit import problem_documents
from loop311.kit.problems import NotFound

_PREFIX = "/api/"
_TEXTS = {
    400: ("malformed", "The request cannot be read", "The request is not one this server can read."),
    404: ("not-found", "There is no such address", "There is no such address in this API; see /api/v1/openapi.json."),
    405: ("wrong-method", "This method is not offered here", "The header Allow lists the methods this address has."),
}


class ApiProblems:
    """Replaces answers of the API that are errors but no problem documents."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_PREFIX):
            return self.get_response(request)
        if "\x00" in request.path_info:
            return problem_documents.of_problem(request, NotFound("There is no such address in this API."))
        response = self.get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith(problem_documents.MEDIA_TYPE):
            return response
        return _document(request, response)


def _document(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    if response.status_code not in _TEXTS:
        return problem_documents.unexpected(request, response.status_code)
    code, title, detail = _TEXTS[response.status_code]
    allow = {"Allow": response["Allow"]} if "Allow" in response else {}
    return problem_documents.document(
        request, code=code, title=title, status=response.status_code, detail=detail, headers=allow
    )
