"""RFC 9457: whatever goes wrong in the API is answered by one shape, `application/problem+json`, without internals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, RawPostDataException, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as InputError
from pydantic import BaseModel, Field

from loop311.kit import problems
from loop311.kit.database import room
from loop311.kit.problems import FieldProblem, Problem

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
MOST_FIELDS = 50
"""More problems than this are of no use to anybody in one answer."""

KINDS: dict[str, type[Problem]] = {
    kind.code: kind
    for kind in (
        problems.Malformed,
        problems.Unauthenticated,
        problems.Forbidden,
        problems.NotFound,
        problems.Conflict,
        problems.TooLarge,
        problems.WrongMediaType,
        problems.Invalid,
        problems.Unavailable,
    )
}


class FieldDocument(BaseModel):
    field: str = Field(description="Dotted path of the field as it was sent; 'body' for the whole.")
    detail: str = Field(description="What to mend, in one sentence.")


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="Address that explains this kind of problem.")
    title: str
    status: int
    detail: str = Field(description="One clear sentence that says what to mend.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Quote this when you ask for help; it is in the logs.")
    errors: list[FieldDocument] = []


def request_id(request: HttpRequest) -> str:
    """The id the site's middleware gave this request, if any did."""
    return str(getattr(request, "request_id", ""))


def document(
    request: HttpRequest,
    *,
    code: str,
    title: str,
    status: int,
    detail: str,
    fields: Sequence[FieldProblem] = (),
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer itself. `extra` members may not replace the standard ones."""
    body = {
        **(extra or {}),
        "type": f"{settings.BASE_URL}/api/v1/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": request_id(request),
        "errors": [{"field": f.field, "detail": f.detail} for f in fields[:MOST_FIELDS]],
    }
    return HttpResponse(msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer for something people can mend."""
    return document(
        request,
        code=problem.code,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        fields=problem.fields,
        extra=problem.extra,
        headers=_headers(problem),
    )


def _headers(problem: Problem) -> dict[str, str]:
    if isinstance(problem, problems.Unauthenticated):
        error = problem.extra.get("token_error")
        return {"WWW-Authenticate": 'Bearer realm="loop311"' + (f', error="{error}"' if error else "")}
    if isinstance(problem, problems.Unavailable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def unexpected(request: HttpRequest, status: int = 500) -> HttpResponse:
    """Our own mistake: the reader learns its id and nothing else."""
    return document(
        request,
        code="unexpected",
        title="Something went wrong on our side",
        status=status,
        detail="Something went wrong on our side; it has been logged. Please quote the request id when you report it.",
    )


# --- From exceptions -----------------------------------------------------------------------------------------------


def install(api: NinjaAPI) -> None:
    """Every exception an operation can raise becomes a problem document."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Exception: _on_anything,
        Problem: of_problem,
        AuthenticationError: _on_no_token,
        InputError: _on_input,
        HttpError: _on_http_error,
        Http404: _always(problems.NotFound("There is no such thing here.")),
        PermissionDenied: _always(problems.Forbidden("You may not do this.")),
        RequestDataTooBig: _always(problems.TooLarge("The body is larger than what is read here.")),
        SuspiciousOperation: _always(problems.Malformed("The form has more fields or files than are read here.")),
        MultiPartParserError: _always(problems.Malformed("The form is not valid multipart/form-data.")),
        UnreadablePostError: _always(problems.Malformed("The body ended before it was complete.")),
        DataError: _on_data_error,
        OperationalError: _on_database,
        InterfaceError: _on_database,
    }
    for exception, handler in handlers.items():
        api.add_exception_handler(exception, handler)


def _always(problem: Problem) -> Callable[[HttpRequest, Exception], HttpResponse]:
    return lambda request, _: of_problem(request, problem)


def _on_anything(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("unexpected error in the API", exc_info=error, extra={"request_id": request_id(request)})
    return unexpected(request)


def _on_database(request: HttpRequest, error: Exception) -> HttpResponse:
    if room.is_full(error):
        log.error("the disk of the database is full", extra={"request_id": request_id(request)})
        return of_problem(request, problems.Unavailable(room.FULL))
    log.error("the database did not answer", exc_info=error, extra={"request_id": request_id(request)})
    return of_problem(request, problems.Unavailable("The database cannot answer just now; please try again soon."))


def _on_data_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """A value the database cannot hold slipped through our checks: the sender's to mend, ours to check earlier."""
    log.warning("a value reached the database that it cannot hold", extra={"request_id": request_id(request)})
    return of_problem(request, problems.Invalid("One of the values is too large or of the wrong form."))


def _on_no_token(request: HttpRequest, _: Exception) -> HttpResponse:
    detail = "Send a bearer token: 'Authorization: Bearer l311_...'. A city's administrator makes one."
    return of_problem(request, problems.Unauthenticated(detail))


def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """django-ninja wraps whatever its parser raised; what we raised ourselves is found as the cause."""
    if isinstance(error.__cause__, Problem):
        return of_problem(request, error.__cause__)
    if error.status_code == problems.Malformed.status:
        return of_problem(request, problems.Malformed("The body is not valid JSON."))
    return document(
        request, code="http", title="The request could not be carried out", status=error.status_code, detail=str(error)
    )


def _on_input(request: HttpRequest, error: InputError) -> HttpResponse:
    seen: dict[str, str] = {}
    body = _sent_body(request)
    for one in error.errors:
        seen.setdefault(_path(one, body, request.GET), _sentence(one))
    fields = [FieldProblem(field, detail) for field, detail in seen.items()]
    names = ", ".join(field.field for field in fields[:5])
    return of_problem(request, problems.Invalid(f"Please mend: {names}.", fields=fields))


def _sent_body(request: HttpRequest) -> object:
    try:
        return msgspec.json.decode(request.body)
    except (RawPostDataException, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _path(error: Mapping[str, Any], body: object, query: Container[str]) -> str:
    """The dotted path as the sender wrote it: names of our own models and of union branches are left out."""
    source, *parts = error["loc"]
    if source != "body":
        names = [part for part in parts if isinstance(part, str)]
        return next((name for name in names if name in query), names[-1] if names else str(source))
    return ".".join(_as_sent(parts[1:], body, missing=error["type"] == "missing")) or "body"


def _as_sent(parts: Sequence[str | int], data: object, *, missing: bool) -> list[str]:
    path: list[str] = []
    for position, part in enumerate(parts):
        if _holds(data, part):
            data = data[part]  # type: ignore[index]  # _holds has looked
            path.append(str(part))
        elif missing and position == len(parts) - 1:
            path.append(str(part))
    return path


def _holds(data: object, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


_SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "dict_type": "This must be an object.",
}


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]]
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message if message.endswith(".") else message + "."
