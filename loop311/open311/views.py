"""GeoReport v2, call by call."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from loop311.catalog.services import current, index_of, newest_effective
from loop311.georeport import render
from loop311.georeport.model import (
    GEOREPORT_V2,
    INQUIRY_V1,
    CreateResult,
    Discovery,
    Endpoint,
    RequestItem,
    ServiceItem,
    TokenResult,
    UpdateItem,
    UpdateResult,
)
from loop311.georeport.render import Format
from loop311.kit.downloads import download
from loop311.kit.problems import NotFound
from loop311.open311 import door, filing, finding, offering, photos, publishing, querying, taking, tokens, updates
from loop311.open311.cities import city_of, language_of, named, sender_of

CHANGESET = "2026-11-22T00:00:00Z"
"""When what these endpoints can do last changed; services and definitions change with a city's catalogue, later."""
_KEPT = 300
"""Seconds for which a reader may keep services and definitions."""


@door.address("GET", "HEAD")
def discovery(request: HttpRequest, format_: Format) -> HttpResponseBase:
    kinds = ("production",) if settings.PRODUCTION else ("production", "test")
    changed = max(CHANGESET, f"{newest_effective():%Y-%m-%dT%H:%M:%SZ}")
    endpoints = tuple(_endpoint(GEOREPORT_V2, "v2", kind, changed) for kind in kinds)
    return door.cached(
        request,
        door.bare(
            format_,
            Discovery(
                changeset=changed,
                contact=f"Ask the city's 311; see {settings.BASE_URL}/",
                key_service="The city's administrator gives keys: loop311 token create CITY --scope requests.file",
                endpoints=(*endpoints, _endpoint(INQUIRY_V1, "inquiry/v1", "production", changed)),
            ),
        ),
        _KEPT,
    )


def _endpoint(specification: str, path: str, kind: str, changed: str) -> Endpoint:
    url = f"{settings.BASE_URL}/open311/{path}/"
    formats = ("text/xml", "application/json")
    return Endpoint(specification=specification, url=url, changeset=changed, type=kind, formats=formats)


@door.address("GET", "HEAD")
def services(request: HttpRequest, format_: Format) -> HttpResponseBase:
    city = city_of(request)
    version, _ = current(city.pk)
    body, tag = _services(version.pk, format_, language_of(request, city))
    return door.dated(door.cached(request, door.rendered(format_, body), _KEPT, tag), version.effective_at)


@lru_cache(maxsize=64)
def _services(version_id: int, format_: Format, language: str) -> tuple[bytes, str]:
    """The list and its tag; versions of the catalogue never change."""
    index = index_of(version_id)
    items = [offering.item(index, service, language) for service in offering.offered(index)]
    body = render.listed(items, ServiceItem, format_)
    return body, door.tag_of(body)


@door.address("GET", "HEAD")
def definition(request: HttpRequest, format_: Format, code: str) -> HttpResponseBase:
    city = city_of(request)
    version, index = current(city.pk)
    service = offering.service_of(index, code)
    answer = door.whole(format_, offering.definition(index, service, language_of(request, city)))
    return door.dated(door.cached(request, answer, _KEPT), version.effective_at)


@door.address("GET", "HEAD", "POST")
def requests(request: HttpRequest, format_: Format) -> HttpResponseBase:
    return _file(request, format_) if request.method == "POST" else _list(request, format_)


def _file(request: HttpRequest, format_: Format) -> HttpResponseBase:
    filing.check_form(request)
    city = city_of(request)
    by = sender_of(request, city, "requests.file", call="open311.file")
    _, index = current(city.pk)
    filed = filing.file(request, city, index, by)
    return door.listed(format_, [filing.answer(filed, index, language_of(request, city))], CreateResult)


def _list(request: HttpRequest, format_: Format) -> HttpResponseBase:
    """A page of requests; streamed when it is long, nothing but 304 for who holds it already."""
    city = city_of(request)
    version, index = current(city.pk)
    language = language_of(request, city)
    wanted = querying.asked(request, index)
    rows = finding.found(city, index, wanted)
    shown = rows if wanted.numbers else rows[: wanted.page_size]
    count = querying.total(city, index, wanted, len(rows), querying.counted_query(request))
    tag = _tag(format_, language, version.pk, count, wanted.extensions, shown)
    response: HttpResponseBase | None = door.unchanged(request, tag)
    if response is None:
        items = publishing.items(shown, city, language, extensions=wanted.extensions)
        answer = door.streamed if len(shown) > _STREAMED else door.listed
        response = answer(format_, items, RequestItem)
    for name, value in querying.headers(request, wanted, count, more=len(rows) > len(shown)).items():
        response.headers[name] = value
    return door.tagged(response, tag, max((row.updated_at for row in shown), default=None))


_STREAMED = 100
"""Lists longer than this go out piece by piece."""


def _tag(format_: Format, *parts: object) -> str:
    """Of what the list is made from, so that a list nobody needs again is not even written: each change of a request, and each
    photo or comment, raises its version.
    """
    *facts, rows = parts
    versions = [(row.pk, row.version) for row in cast("list[finding.Row]", rows)]
    said = repr((format_, *facts, versions)).encode()
    return f'"{hashlib.sha256(said).hexdigest()[:32]}"'


@door.address("GET", "HEAD")
def one(request: HttpRequest, format_: Format, number: str) -> HttpResponseBase:
    city = city_of(request)
    _, index = current(city.pk)
    extensions = querying.with_extensions(request)
    found = finding.one(city, index, number, extensions=extensions)
    items = publishing.items([found], city, language_of(request, city), extensions=extensions)
    response = door.listed(format_, items, RequestItem)
    return door.cached(request, response, 0)


@door.address("GET", "HEAD")
def media(request: HttpRequest, format_: Format, city: str, number: str, photo: str) -> HttpResponseBase:
    """A photo that shows the problem, of a request whose exact place is public."""
    where = named(city)
    _, index = current(where.pk)
    response = download(photos.shown(where, finding.one(where, index, number), int(photo)))
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = f"public, max-age={_KEPT}"
    del response["Vary"]
    return response


@door.address("GET", "HEAD")
def token(request: HttpRequest, format_: Format, token: str) -> HttpResponseBase:
    """What a batch service gave: the number, once somebody of the city has looked at the request; until then an empty one."""
    number = tokens.number_behind(city_of(request), token)
    return door.listed(format_, [TokenResult(service_request_id=number, token=token)], TokenResult)


@door.address("GET", "HEAD", "POST")
def request_updates(request: HttpRequest, format_: Format) -> HttpResponseBase:
    """mySociety's extension: who follows requests reads what has happened, a partner tells what it did."""
    return _take_update(request, format_) if request.method == "POST" else _list_updates(request, format_)


def _list_updates(request: HttpRequest, format_: Format) -> HttpResponseBase:
    city = city_of(request)
    _, index = current(city.pk)
    wanted = querying.updates_asked(request)
    events = updates.found(city, index, wanted)
    shown = events[: wanted.page_size]
    response = door.listed(format_, updates.items(shown, city, language_of(request, city)), UpdateItem)
    for name, value in querying.links(request, wanted.page, more=len(events) > len(shown)).items():
        response.headers[name] = value
    return door.cached(request, response, 0)


def _take_update(request: HttpRequest, format_: Format) -> HttpResponseBase:
    filing.check_form(request)
    city = city_of(request)
    by = sender_of(request, city, "requests.comment", call="open311.update")
    _, index = current(city.pk)
    update = taking.read(request)
    taking.take(city, index, update, by=by)
    return door.listed(format_, [UpdateResult(update_id=update.update_id)], UpdateResult)


@door.address("GET", "HEAD", "POST")
def unknown(request: HttpRequest, format_: Format, rest: str = "") -> HttpResponseBase:
    raise NotFound("There is no such address; see discovery.xml.")
