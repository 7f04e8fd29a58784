"""How every address answers: in the format its end names, errors too, readable from any web page, with a tag to keep it by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import http_date

from loop311.georeport import render
from loop311.georeport.model import ErrorItem, Item
from loop311.georeport.render import Format
from loop311.kit.problems import FieldProblem, Malformed, NotFound, Problem, TooLarge, Unavailable
from loop311.open311.policies import line, refuse

View = Callable[..., HttpResponseBase]

log = structlog.get_logger(__name__)

_STATUS = {401: 403, 422: 400, 409: 400}
"""What GeoReport calls it: a missing key is 403, all that must be mended 400."""


def address(*methods: str) -> Callable[[View], View]:
    """A view of these methods. `ending` of the address becomes `format_`; without one the Accept header decides, else XML."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, ending: str = "", **parts: Any) -> HttpResponseBase:
            format_ = _format(request, ending)
            if request.method == "OPTIONS":
                return _open(HttpResponse(headers={"Allow": ", ".join([*methods, "OPTIONS"])}), methods)
            if request.method not in methods:
                response = errors(format_, [ErrorItem(code=405, description="This method is not offered here.")], 405)
                response["Allow"] = ", ".join([*methods, "OPTIONS"])
                return _open(response, methods)
            return _open(_answered(view, request, format_, parts, known=ending in ("", *Format)), methods)

        answer.csrf_exempt = True  # type: ignore[attr-defined]  # other systems send no cookie
        return answer

    return decorate


def _answered(
    view: View, request: HttpRequest, format_: Format, parts: dict[str, Any], *, known: bool
) -> HttpResponseBase:
    try:
        if not known:
            raise NotFound("The address ends in .xml or .json.")
        if "\x00" in request.path_info:
            raise NotFound("There is no such address.")
        _refuse_nul(request)
        return view(request, format_, **parts)
    except Problem as problem:
        return of_problem(format_, problem)
    except Exception as error:  # whatever it is, who asked reads the format they asked for
        return of_problem(format_, _problem_of(error))


class _Unexpected(Problem):
    status = 500


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, RequestDataTooBig):
        return TooLarge("The form is too large; send photos as files.")
    if isinstance(error, BadRequest | MultiPartParserError | SuspiciousOperation | UnreadablePostError):
        return Malformed("The form cannot be read.")
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable("The system cannot answer just now; the same again a little later may well work.")
    log.error("an Open311 call failed", exc_info=error)
    return _Unexpected("Something went wrong here. It has been noted.")


def _refuse_nul(request: HttpRequest) -> None:
    """No argument of the address can hold it, and the database none at all."""
    for name, values in request.GET.lists():
        if any("\x00" in value for value in values):
            raise refuse(line(name)[:80], f"{line(name)[:80]} holds a character that no text has.")


def _format(request: HttpRequest, ending: str) -> Format:
    if ending in tuple(Format):
        return Format(ending)
    accepts = request.headers.get("Accept", "")
    return Format.JSON if not ending and "json" in accepts and "xml" not in accepts.split("json")[0] else Format.XML


def _open(response: HttpResponseBase, methods: Sequence[str]) -> HttpResponseBase:
    """Any page may read what is public; nothing here is ever answered by a cookie."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, X-API-Key"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After, X-Total-Count, X-Total-Count-Exceeded"
    return response


def of_problem(format_: Format, problem: Problem) -> HttpResponse:
    """One error for each field, else the sentence."""
    status = _STATUS.get(problem.status, problem.status)
    said = [_said(field) for field in problem.fields] or [problem.detail]
    response = errors(format_, [ErrorItem(code=status, description=sentence) for sentence in said], status)
    wait = problem.extra.get("retry_after", 5 if status == 503 else None)
    if wait is not None:
        response["Retry-After"] = str(wait)
    return response


_CALLED = {"latitude": "lat", "longitude": "long", "address": "address_string", "file": "media"}
"""Arguments by the names that other doors give them."""


def _said(field: FieldProblem) -> str:
    """Each argument is called as it was sent; an answer is attribute[CODE]."""
    name = f"attribute[{field.field[8:]}]" if field.field.startswith("answers.") else field.field
    name = _CALLED.get(name, name)
    return field.detail if not name or name in field.detail else f"{name}: {field.detail}"


def errors(format_: Format, items: Sequence[ErrorItem], status: int) -> HttpResponse:
    return _response(format_, render.listed(items, ErrorItem, format_), status)


def listed(format_: Format, items: Iterable[Item], kind: type[Item]) -> HttpResponse:
    return _response(format_, render.listed(list(items), kind, format_))


def rendered(format_: Format, body: bytes) -> HttpResponse:
    return _response(format_, body)


def streamed(format_: Format, items: Iterable[Item], kind: type[Item]) -> StreamingHttpResponse:
    return StreamingHttpResponse(render.pieces(items, kind, format_), content_type=_content_type(format_))


def unchanged(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 for who holds what has this tag."""
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304)
    return None


def tagged(response: HttpResponseBase, tag: str, changed: datetime | None) -> HttpResponseBase:
    """To be kept, and asked for again each time."""
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "no-cache"
    return dated(response, changed) if changed else response


def dated(response: HttpResponseBase, changed: datetime) -> HttpResponseBase:
    response.headers["Last-Modified"] = http_date(changed.timestamp())
    return response


def cached(request: HttpRequest, response: HttpResponse, seconds: int, tag: str = "") -> HttpResponse:
    """With a tag of its bytes, where none is known; who holds the same already gets 304 and nothing else."""
    tag = tag or tag_of(response.content)
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


def tag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def bare(format_: Format, item: Item) -> HttpResponse:
    """Discovery is of the bare media type: validators insist."""
    return HttpResponse(render.whole(item, format_), content_type=format_.media_type)


def whole(format_: Format, item: Item) -> HttpResponse:
    return _response(format_, render.whole(item, format_))


def _response(format_: Format, body: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(body, status=status, content_type=_content_type(format_))


def _content_type(format_: Format) -> str:
    return f"{format_.media_type}; charset=utf-8"
