"""GeoReport v2, call by call."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from loop311.catalog.services import current
from loop311.georeport.model import (
    GEOREPORT_V2,
    CreateResult,
    Discovery,
    Endpoint,
    RequestItem,
    ServiceItem,
    TokenResult,
)
from loop311.georeport.render import Format
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.open311 import door, filing, offering, publishing
from loop311.open311.cities import argument, city_of, sender_of
from loop311.open311.policies import MOST, listed, moment, refuse, statuses, window

CHANGESET = "2026-11-22T00:00:00Z"
"""Of these endpoints: when what they can do last changed."""
_KEPT = 300
"""Seconds for which a reader may keep services and definitions."""


@door.address("GET", "HEAD")
def discovery(request: HttpRequest, format_: Format) -> HttpResponseBase:
    kinds = ("production",) if settings.PRODUCTION else ("production", "test")
    endpoints = tuple(
        Endpoint(
            specification=GEOREPORT_V2,
            url=f"{settings.BASE_URL}/open311/v2/",
            changeset=CHANGESET,
            type=kind,
            formats=("text/xml", "application/json"),
        )
        for kind in kinds
    )
    return door.cached(
        request,
        door.bare(
            format_,
            Discovery(
                changeset=CHANGESET,
                contact=f"Ask the city's 311; see {settings.BASE_URL}/",
                key_service="The city's administrator gives keys: loop311 token create CITY --scope requests.file",
                endpoints=endpoints,
            ),
        ),
        _KEPT,
    )


def _language(request: HttpRequest, city: Jurisdiction) -> str:
    asked = request.GET.get("locale", "")[:35]
    return asked if asked in city.languages else city.languages[0]


@door.address("GET", "HEAD")
def services(request: HttpRequest, format_: Format) -> HttpResponseBase:
    city = city_of(request)
    _, index = current(city.pk)
    language = _language(request, city)
    items = [offering.item(index, service, language) for service in offering.offered(index)]
    return door.cached(request, door.listed(format_, items, ServiceItem), _KEPT)


@door.address("GET", "HEAD")
def definition(request: HttpRequest, format_: Format, code: str) -> HttpResponseBase:
    city = city_of(request)
    _, index = current(city.pk)
    service = offering.service_of(index, code)
    answer = door.whole(format_, offering.definition(index, service, _language(request, city)))
    return door.cached(request, answer, _KEPT)


@door.address("GET", "HEAD", "POST")
def requests(request: HttpRequest, format_: Format) -> HttpResponseBase:
    return _file(request, format_) if request.method == "POST" else _list(request, format_)


def _file(request: HttpRequest, format_: Format) -> HttpResponseBase:
    filing.check_form(request)
    city = city_of(request)
    by = sender_of(request, city, "requests.file")
    _, index = current(city.pk)
    filed = filing.file(request, city, index, by)
    notice = filing.notice(index, index.services[filed.service.code], filed, _language(request, city))
    result = (
        CreateResult(service_request_id=filed.number, service_notice=notice)
        if notice
        else CreateResult(service_request_id=filed.number)
    )
    return door.listed(format_, [result], CreateResult)


def _list(request: HttpRequest, format_: Format) -> HttpResponseBase:
    city = city_of(request)
    found = publishing.found(city, _asked(request, city))
    return door.listed(format_, publishing.items(found, city, _language(request, city)), RequestItem)


def _asked(request: HttpRequest, city: Jurisdiction) -> publishing.Asked:
    get = request.GET
    numbers = listed(get.getlist("service_request_id"))
    if numbers:
        return publishing.Asked(numbers=numbers)
    names = ("start_date", "end_date", "updated_after", "updated_before")
    start, end, after, before = (moment(name, get.get(name, "")) for name in names)
    bounded = start or end or not (after or before)
    return publishing.Asked(
        service_codes=_codes(listed(get.getlist("service_code")), city),
        statuses=statuses(get.getlist("status")),
        window=window(start, end, now()) if bounded else None,
        page=_whole_number(request, "page", 1, 100_000),
        page_size=_whole_number(request, "page_size", MOST, MOST),
        updated_after=after,
        updated_before=before,
    )


def _codes(codes: list[str], city: Jurisdiction) -> list[str]:
    """NotFound when none of them exists; unknown ones beside known ones are passed over."""
    if not codes:
        return []
    _, index = current(city.pk)
    known = [code for code in codes if code in index.services]
    if not known:
        raise NotFound(f"There is no service_code {codes[0][:80]!r}.")
    return known


def _whole_number(request: HttpRequest, name: str, default: int, most: int) -> int:
    written = request.GET.get(name, "").strip()
    if not written:
        return default
    if not written.isascii() or not written.isdigit() or not 1 <= int(written[:9]) <= most:
        raise refuse(name, f"{name} is a whole number from 1 to {most}.")
    return int(written)


@door.address("GET", "HEAD")
def one(request: HttpRequest, format_: Format, number: str) -> HttpResponseBase:
    city = city_of(request)
    items = publishing.items([publishing.one(city, number)], city, _language(request, city))
    return door.listed(format_, items, RequestItem)


@door.address("GET", "HEAD")
def token(request: HttpRequest, format_: Format, token: str) -> HttpResponseBase:
    """Every filing here has its number at once, and that number is its token too: who asks by it is not left waiting."""
    city = city_of(request)
    argument(request, "jurisdiction_id")
    found = publishing.one(city, token)
    return door.listed(format_, [TokenResult(service_request_id=found.number, token=token)], TokenResult)


@door.address("GET", "HEAD", "POST")
def unknown(request: HttpRequest, format_: Format, rest: str = "") -> HttpResponseBase:
    raise NotFound("There is no such address; see discovery.xml.")
