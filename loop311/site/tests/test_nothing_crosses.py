"""Nothing leaks from one city to another: every operation of the API and every page is asked for another city's things.

New operations and pages are walked without being named here. What they need is a sample for each new name of a path parameter
or of an id in a body: the test fails and says which.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from loop311.accounts.models import StaffMember, Token
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_member, a_secret, a_team, bearer
from loop311.callbacks.testing import a_callback
from loop311.catalog.services import current, publish
from loop311.catalog.testing import edited
from loop311.desk.testing import a_filter
from loop311.interactions import services as interactions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.tests.pictures import document
from loop311.kit.uploads import Upload
from loop311.knowledge import services as knowledge
from loop311.knowledge.testing import an_article, words
from loop311.ledger.models import Event
from loop311.notifications.models import Message
from loop311.notifications.services import notify_callback_event
from loop311.places.models import LayerVersion
from loop311.places.services import load_boundaries
from loop311.places.testing import squares
from loop311.requests import services as requests
from loop311.requests.testing import make_city
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.testing import a_resident
from loop311.site.api import api

pytestmark = pytest.mark.django_db

MARK = "Xyzzyville"
"""Stands in everything the other city wrote; no answer to us may hold it."""

NO_IDS = {"version", "latitude", "longitude", "limit", "radius_metres", "radius", "catalogue_version", "on"}
"""Numbers in bodies that point to nothing."""


@dataclass
class Theirs:
    """Ids of the other city's things, by the name a path parameter or a field of a body gives them."""

    ids: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name not in self.ids:
            pytest.fail(f"No sample for {name!r}: give one in `theirs` (site/tests/test_nothing_crosses.py).")
        return self.ids[name]


@pytest.fixture
def theirs(settings: Any, tmp_path: Path) -> Theirs:
    """Another city with one of everything, and with more requests than ours, so that its numbers are unknown here."""
    city = make_city("other")
    resident = a_resident(city.jurisdiction, f"{MARK} Resident", email="mark@example.org", mobile="214-555-0123")
    gone = a_resident(city.jurisdiction, f"{MARK} Second")
    contact = interactions.begin(
        city.jurisdiction, "phone", resident=resident, on_behalf_of=MARK, by=system(city.jurisdiction.pk)
    )
    request = city.file(resident=resident, description=MARK, interaction=contact, latitude=41.0, longitude=-87.0)
    callback = a_callback(city.jurisdiction, resident=resident, request=request, team=None, reason=MARK)
    settings.LOOP311_HOME = tmp_path
    requests.attach(request, [Upload("permit.pdf", document())], by=city.member, note=MARK)
    kept = requests.receive(city.jurisdiction.pk, [Upload("permit.pdf", document())])
    (enclosure,) = requests.enclose(contact, kept, key="contact:1:1", by=city.member)
    a_team(city.jurisdiction, MARK.lower())
    a_secret(city.jurisdiction)
    load_boundaries(city.jurisdiction, "their-own", squares(1), by=system(city.jurisdiction.pk), name=MARK)
    notify_callback_event(Event.objects.get(kind="callback.promised").pk)
    again = edited(current(city.jurisdiction.pk)[1].catalogue, "services.pothole", dispute_days=9)
    staff, point = StaffMember.objects.earliest("pk"), ContactPoint.objects.earliest("pk")
    article = an_article(city.jurisdiction, "their-own", words(MARK, answer=MARK, body=MARK))
    said = knowledge.rate(article, "wrong", words=MARK, by=system(city.jurisdiction.pk))
    gap = knowledge.report_gap(city.jurisdiction, MARK, by=system(city.jurisdiction.pk))
    ids = {
        "gap": gap.pk,
        "feedback": said.pk,
        "article_code": article.code,
        "staff": staff.pk,
        "token": Token.objects.latest("pk").pk,
        "resident": resident.pk,
        "gone": gone.pk,
        "point": point.pk,
        "contact_point": point.pk,
        "purpose": "surveys",
        "interaction": contact.pk,
        "callback": callback.pk,
        "message": Message.objects.earliest("pk").pk,
        "number": request.number,
        "request": request.number,
        "leading": request.number,
        "filter": a_filter(request, city.crew).pk,
        "attachment": request.attachments.get().pk,
        "enclosure": enclosure.pk,
        "subject": request.pk,
        "subject_type": "request",
        "owner": staff.pk,
        "assignee": staff.pk,
        "version": LayerVersion.objects.latest("pk").pk,
        "code": "their-own",
        "x": 1,
        "y": 1,
        "version_number": publish(city.jurisdiction, again, by=system(city.jurisdiction.pk), note=MARK).number,
        "name": "start",
        "uid": "1",
        "pk": 1,
        "session": 1,
        "provider": "city",
        "address": "nobody",
        "order": 1,
        "mismatch": 1,
    }
    return Theirs(ids | {f"{name}_id": value for name, value in ids.items()})


@pytest.fixture
def ours(theirs: Theirs) -> Jurisdiction:
    """The city we ask from: it has a catalogue and staff, and nothing else."""
    return make_city("ours").jurisdiction


@dataclass(frozen=True)
class Operation:
    path: str
    method: str
    details: dict[str, Any]

    @property
    def parameters(self) -> list[str]:
        return [p["name"] for p in self.details["parameters"] if p["in"] == "path"]

    @property
    def queries(self) -> list[str]:
        return [p["name"] for p in self.details["parameters"] if p["in"] == "query"]

    @property
    def body(self) -> dict[str, Any]:
        content = self.details.get("requestBody", {}).get("content", {})
        return _resolved(content.get("application/json", {}).get("schema", {}))

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = api.get_openapi_schema(path_prefix="api/v1/")
    return schema


def operations() -> list[Operation]:
    paths: dict[str, dict[str, Any]] = _schema()["paths"]
    return [Operation(path, method, details) for path, methods in paths.items() for method, details in methods.items()]


_SCHEMAS: dict[str, Any] = _schema()["components"]["schemas"]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself: references followed, of alternatives the first that is not null."""
    if "$ref" in schema:
        return _resolved(_SCHEMAS[schema["$ref"].rpartition("/")[2]])
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            return _resolved(next(s for s in schema[kind] if s.get("type") != "null"))
    return schema


def _value(name: str, schema: dict[str, Any], theirs: Theirs) -> Any:
    """A value the schema allows; where it is the id of something, the other city's."""
    schema = _resolved(schema)
    simple = {"boolean": True, "number": 1.5, "object": {}, "array": []}
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema["type"] == "object" and schema.get("properties"):
        return _body(schema, theirs)
    if schema["type"] == "array" and schema.get("minItems"):
        return [_value("item", schema["items"], theirs)]
    if _is_id(name, schema):
        return theirs[name]
    if schema["type"] == "integer":
        return max(1, schema.get("minimum", 1))
    return "2199-01-01T00:00:00Z" if schema.get("format") == "date-time" else simple.get(schema["type"], "x-1")


def _is_id(name: str, schema: dict[str, Any]) -> bool:
    return schema["type"] == "integer" and name not in NO_IDS


def _body(schema: dict[str, Any], theirs: Theirs, also: str = "") -> dict[str, Any]:
    wanted = {*schema.get("required", ()), *filter(None, [also])}
    return {name: _value(name, part, theirs) for name, part in schema.get("properties", {}).items() if name in wanted}


def _needed(operation: Operation, theirs: Theirs) -> str:
    """The query an operation cannot do without."""
    wanted = [p for p in operation.details["parameters"] if p["in"] == "query" and p["required"]]
    return "?" + "&".join(f"{p['name']}={_value(p['name'], p['schema'], theirs)}" for p in wanted)


def _ask(operation: Operation, ours: Jurisdiction, theirs: Theirs, body: object = None, query: str = "") -> Any:
    path = operation.path.format(**{name: theirs[name] for name in operation.parameters})
    query = query or _needed(operation, theirs)
    raw = json.dumps(body if body is not None else _body(operation.body, theirs)) if operation.body else ""
    return Client().generic(
        operation.method.upper(), path + query, raw, content_type="application/json", headers=bearer(a_secret(ours))
    )


def test_another_citys_things_are_not_there(ours: Jurisdiction, theirs: Theirs) -> None:
    before = _everything_of_theirs()
    asked = {str(o): _ask(o, ours, theirs) for o in operations() if o.parameters}
    assert len(asked) > 30
    assert _wrong(asked, {404}) == []
    assert _everything_of_theirs() == before


def test_no_list_shows_anything_of_another_city(ours: Jurisdiction, theirs: Theirs) -> None:
    asked = {}
    for operation in operations():
        if operation.method == "get" and not operation.parameters:
            pointing = [f"?{name}={theirs.ids[name]}" for name in operation.queries if name in theirs.ids]
            words = [f"?{name}={MARK}" for name in operation.queries if name in ("q", "text")]
            for query in ("", *words, *pointing):
                asked[f"{operation}{query}"] = _ask(operation, ours, theirs, query=query)
    assert _wrong(asked, {200, 404, 422}) == []


def test_nothing_new_points_to_another_city(ours: Jurisdiction, theirs: Theirs) -> None:
    before = _everything_of_theirs()
    asked = {
        f"{operation} {name}": _ask(operation, ours, theirs, body=_body(operation.body, theirs, also=name))
        for operation, name in _pointers()
    }
    assert len(asked) > 5
    assert _wrong(asked, {404, 422}) == []
    assert _everything_of_theirs() == before


def _wrong(asked: dict[str, Any], expected: set[int]) -> list[str]:
    """What was answered otherwise than expected, or with a word of the other city's."""
    return [
        f"{what}: {response.status_code} {response.content[:300]!r}"
        for what, response in asked.items()
        if response.status_code not in expected or MARK.lower() in response.content.decode().lower()
    ]


def _pointers() -> Iterator[tuple[Operation, str]]:
    """Every field of a body that is the id of something, where the path names nothing."""
    for operation in operations():
        for name, schema in operation.body.get("properties", {}).items():
            if not operation.parameters and _is_id(name, {"type": "", **_resolved(schema)}):
                yield operation, name


def _everything_of_theirs() -> list[Any]:
    """What the other city's diary and people are; any write would show."""
    other = Jurisdiction.objects.get(slug="other")
    events = Event.objects.filter(jurisdiction=other).aggregate(Count("pk"))
    return [
        events,
        list(Resident.objects.filter(jurisdiction=other).values()),
        Token.objects.filter(jurisdiction=other).count(),
    ]


# --- Pages -------------------------------------------------------------------------------------------------------------


def _pages(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Route and parameters of every page of ours outside the API that has parameters."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _pages(pattern.url_patterns, route)
        elif not route.startswith("api/") and _is_ours(pattern) and pattern.pattern.converters:
            yield route, list(pattern.pattern.converters)


def _is_ours(pattern: URLPattern) -> bool:
    view = getattr(pattern.callback, "view_class", pattern.callback)
    return str(getattr(view, "__module__", "")).startswith("loop311")


def test_no_page_shows_anything_of_another_city(ours: Jurisdiction, theirs: Theirs) -> None:
    client = Client()
    client.force_login(a_member(ours, Role.ADMINISTRATOR).user)
    before = _everything_of_theirs()
    for route, parameters in _pages(get_resolver().url_patterns):
        address = "/" + _filled(route, parameters, theirs)
        for response in (client.get(address), client.post(address)):
            assert response.status_code in (404, 405), f"{address}: {response.status_code}"
            assert MARK not in response.content.decode()
    assert _everything_of_theirs() == before


def _filled(route: str, parameters: list[str], theirs: Theirs) -> str:
    for name in parameters:
        start, end = _span(route, name)
        route = route[:start] + str(theirs[name]) + route[end:]
    return route


def _span(route: str, name: str) -> tuple[int, int]:
    """Where '<int:name>' or '<name>' stands."""
    end = route.index(f"{name}>") + len(name) + 1
    return route.rindex("<", 0, end), end
