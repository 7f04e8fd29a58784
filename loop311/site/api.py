"""The API at /api/v1: one list of the rooms' routers, one way to sign in, one shape of error."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import condition, require_safe
from ninja import NinjaAPI, Router
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from loop311.accounts.api import TokenAuth
from loop311.accounts.api import router as accounts
from loop311.callbacks.api import router as callbacks
from loop311.catalog.api import router as catalog
from loop311.desk.api import router as desk
from loop311.interactions.api import router as interactions
from loop311.kit import problem_documents
from loop311.kit.api import JsonParser, JsonRenderer
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.knowledge.api import router as knowledge
from loop311.ledger.api import router as ledger
from loop311.measures.api import router as measures
from loop311.notifications.api import router as notifications
from loop311.places.api import router as places
from loop311.requests.api import router as requests
from loop311.requests.api_attachments import router as attachments
from loop311.requests.api_place import router as before_filing
from loop311.requests.suggesting.api import router as suggesting
from loop311.residents.api import router as residents

ROUTERS: tuple[tuple[str, Router], ...] = (
    ("", suggesting),  # before the catalogue's, whose /services/{code} would take its address
    ("", ledger),
    ("", accounts),
    ("", residents),
    ("", places),
    ("", catalog),
    ("", knowledge),
    ("", interactions),
    ("", before_filing),
    ("", requests),
    ("", attachments),
    ("", notifications),
    ("", callbacks),
    ("", desk),
    ("", measures),
)
"""Prefix and router of each room, in the order of the storeys."""

_ANSWERS = {
    400: "The body cannot be read.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope.",
    404: "There is no such thing in this city.",
    409: "The present state does not allow this, or somebody else changed it first.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Something in the input must be mended; `errors` names the fields.",
    500: "Something went wrong on our side.",
    503: "The database cannot answer just now.",
}


_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


class CityApi(NinjaAPI):
    """Publishes with every operation the problem documents it may answer with, and refuses what it has not published."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._schemas: dict[str | None, Any] = {}

    @cached_property
    def document(self) -> tuple[bytes, str]:
        """The OpenAPI document as it is sent, and its entity tag."""
        body = json.dumps(self.get_openapi_schema(), cls=NinjaJSONEncoder, separators=(",", ":")).encode()
        return body, f'"{hashlib.blake2s(body).hexdigest()}"'

    @cached_property
    def _queries(self) -> dict[tuple[str, str], dict[str, bool]]:
        """(address, method) -> the names its query may have, and whether each may be given several times."""
        return {
            (path, method.upper()): {
                p["name"]: _is_list(p["schema"]) for p in operation["parameters"] if p["in"] == "query"
            }
            for path, operations in self.get_openapi_schema()["paths"].items()
            for method, operation in operations.items()
        }

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Called once for each operation, after the token was checked: here `?satus=open` and `?limit=1&limit=2` are refused."""
        if request.GET and request.resolver_match:
            address = "/" + _CONVERTER.sub(r"{\1}", request.resolver_match.route)
            known = self._queries.get((address, str(request.method)))
            if known is not None:
                _check_names(request.GET, known)
        return super().create_temporal_response(request)

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> Any:
        """Composed once for each prefix: it takes seconds of processor time, and anybody may ask. Not to be changed."""
        if path_prefix not in self._schemas:
            self._schemas[path_prefix] = self._compose(path_prefix, path_params)
        return self._schemas[path_prefix]

    def _compose(self, path_prefix: str | None, path_params: dict[str, Any] | None) -> Any:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        definition = problem_documents.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"].update(definition.pop("$defs"), ProblemDocument=definition)
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"] = {str(k): v for k, v in operation["responses"].items()} | _problems(operation)
        return schema


def _is_list(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "array" for each in (schema, *schema.get("anyOf", ())))


def _check_names(query: QueryDict, known: Mapping[str, bool]) -> None:
    """Of a parameter given twice only the last would be read, and the sender would not know."""
    unknown = sorted(set(query) - set(known))
    if unknown:
        fields = [FieldProblem(name, "There is no such parameter here.") for name in unknown]
        raise Invalid(f"Please leave out: {', '.join(unknown[:5])}.", fields=fields)
    repeated = sorted(name for name in query if not known[name] and len(query.getlist(name)) > 1)
    if repeated:
        fields = [FieldProblem(name, "This may be given once.") for name in repeated]
        raise Invalid(f"Please give only once: {', '.join(repeated[:5])}.", fields=fields)


def _problems(operation: dict[str, Any]) -> dict[str, Any]:
    content = {problem_documents.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        str(status): {"description": text, "content": content}
        for status, text in _ANSWERS.items()
        if "requestBody" in operation or status not in (413, 415)
    }


api = CityApi(
    title="Loop311",
    version="1",
    description="The system a city runs its 311 on. The token names the city; nothing of another city is ever seen.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,  # served by `openapi` below
    auth=TokenAuth(),
    parser=JsonParser(),
    renderer=JsonRenderer(),
)
problem_documents.install(api)

for _prefix, _router in ROUTERS:
    api.add_router(_prefix, _router)


class Explanation(BaseModel):
    code: str
    title: str
    status: int


@api.get("/problems/{code}", auth=None, response=Explanation, include_in_schema=False)
def problem(request: HttpRequest, code: str) -> Explanation:
    """What a kind of problem means; the `type` of every problem document points here."""
    kind = problem_documents.KINDS.get(code)
    if kind is None:
        raise NotFound("There is no such kind of problem.")
    return Explanation(code=code, title=kind.title, status=kind.status)


@require_safe
@condition(etag_func=lambda request: api.document[1])
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document of /api/v1."""
    return HttpResponse(api.document[0], content_type="application/json; charset=utf-8")
