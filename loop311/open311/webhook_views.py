"""Webhooks, call by call: an extension of ours, for systems that have a key."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from loop311.catalog.services import current
from loop311.georeport.model import WebhookItem
from loop311.georeport.render import Format
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.open311 import door, filing, subscribing
from loop311.open311.cities import argument, city_of, language_of, sender_of
from loop311.open311.models import Webhook
from loop311.open311.policies import line, listed, refuse

_FILTERS = {"true": True, "1": True, "yes": True, "": False, "false": False, "0": False, "no": False}


@door.address("GET", "HEAD", "POST")
def webhooks(request: HttpRequest, format_: Format) -> HttpResponseBase:
    """The key's own; or one more."""
    if request.method == "POST":
        return _subscribe(request, format_)
    _, by = _sender(request)
    return _answer(format_, [_item(webhook) for webhook in subscribing.of_key(by)])


def _subscribe(request: HttpRequest, format_: Format) -> HttpResponseBase:
    filing.check_form(request)
    city, by = _sender(request)
    _, index = current(city.pk)
    wish = subscribing.Wish(
        url=argument(request, "url"),
        service_codes=_list(request, "service_code"),
        numbers=_list(request, "service_request_id"),
        mine=_is_mine(request),
        language=language_of(request, city),
    )
    made, secret = subscribing.subscribe(city, index, wish, by=by)
    return _answer(format_, [_item(made, secret)])


@door.address("GET", "HEAD", "DELETE")
def webhook(request: HttpRequest, format_: Format, webhook: str) -> HttpResponseBase:
    _, by = _sender(request)
    found = subscribing.named(int(webhook), by=by)
    if request.method == "DELETE":
        found = _end(found, by)
    return _answer(format_, [_item(found)])


@door.address("POST")
def delete(request: HttpRequest, format_: Format, webhook: str) -> HttpResponseBase:
    """The same for whom DELETE is out of reach."""
    _, by = _sender(request)
    return _answer(format_, [_item(_end(subscribing.named(int(webhook), by=by), by))])


def _end(webhook: Webhook, by: Actor) -> Webhook:
    return subscribing.end(webhook, "Its owner ended it.", why="owner", by=by)


def _sender(request: HttpRequest) -> tuple[Jurisdiction, Actor]:
    filing.check_secure(request)
    city = city_of(request)
    return city, sender_of(request, city, "requests.file", call="open311.webhooks")


def _list(request: HttpRequest, name: str) -> list[str]:
    given = listed(line(value) for value in [*request.POST.getlist(name), *request.GET.getlist(name)])
    return list(dict.fromkeys(given))


def _is_mine(request: HttpRequest) -> bool:
    said = argument(request, "mine").lower()
    if said not in _FILTERS:
        raise refuse("mine", "mine is true or false.")
    return _FILTERS[said]


def _item(webhook: Webhook, secret: str = "") -> WebhookItem:
    item = WebhookItem(
        webhook_id=str(webhook.pk),
        url=webhook.url,
        state=webhook.state,
        service_codes=tuple(webhook.service_codes),
        service_request_ids=tuple(webhook.numbers),
        mine=webhook.mine,
        created_datetime=webhook.created_at.replace(microsecond=0),
        waiting=getattr(webhook, "waiting", 0),
        lost=webhook.lost,
        failing_since_datetime=webhook.failing_since,
        problem=webhook.problem or None,
        ended_datetime=webhook.ended_at,
        ended_reason=webhook.ended_reason or None,
    )
    return msgspec.structs.replace(item, secret=secret) if secret else item


def _answer(format_: Format, items: list[WebhookItem]) -> HttpResponse:
    response = door.listed(format_, items, WebhookItem)
    response["Cache-Control"] = "no-store"
    return response
