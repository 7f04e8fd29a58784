"""Inquiry v1: under each noun a category gives a list, an id one thing. A category wins over an id of the same name."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from loop311.catalog.services import current
from loop311.georeport.model import Facility, InquiryService, WebFaq
from loop311.georeport.render import Format
from loop311.open311 import door, inquiry
from loop311.open311.cities import city_of, language_of

_KEPT = 300
"""Seconds for which a reader may keep an answer."""


@door.address("GET", "HEAD")
def services(request: HttpRequest, format_: Format, name: str) -> HttpResponseBase:
    city = city_of(request)
    language = language_of(request, city)
    _, index = current(city.pk)
    if inquiry.is_service_category(index, name):
        return _kept(request, door.listed(format_, inquiry.services(index, name, language), InquiryService))
    return _kept(request, door.whole(format_, inquiry.service(city, index, name, language)))


@door.address("GET", "HEAD")
def facilities(request: HttpRequest, format_: Format, name: str) -> HttpResponseBase:
    city = city_of(request)
    if inquiry.is_facility_category(name):
        return _kept(request, door.listed(format_, inquiry.facilities(city), Facility))
    return _kept(request, door.whole(format_, inquiry.facility(city, name)))


@door.address("GET", "HEAD")
def web_faqs(request: HttpRequest, format_: Format, name: str) -> HttpResponseBase:
    city = city_of(request)
    language = language_of(request, city)
    if inquiry.is_answer_category(city, name):
        return _kept(request, door.listed(format_, inquiry.web_faqs(city, name, language), WebFaq))
    _, index = current(city.pk)
    return _kept(request, door.whole(format_, inquiry.web_faq(city, index, name, language)))


def _kept(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return door.cached(request, response, _KEPT)
