"""Which city is meant, and who sends: the two arguments that every call may carry."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from loop311.accounts import usage
from loop311.accounts.services import authenticate
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import Forbidden, NotFound, TooMany
from loop311.open311.policies import line, refuse


def form(request: HttpRequest) -> Mapping[str, str]:
    return request.POST if request.method == "POST" else {}


def argument(request: HttpRequest, name: str) -> str:
    """From the form or the address; both must not contradict. Empty is absent."""
    sent, asked = line(form(request).get(name, "")), line(request.GET.get(name, ""))
    if sent and asked and sent != asked:
        raise refuse(name, f"{name} is given twice, and differently.")
    return sent or asked


def city_of(request: HttpRequest) -> Jurisdiction:
    """The city that jurisdiction_id names (its short name here); where only one lives, none needs to be named."""
    slug = argument(request, "jurisdiction_id")
    if slug:
        return named(slug)
    cities = list(Jurisdiction.objects.order_by("pk")[:2])
    if len(cities) != 1:
        raise refuse("jurisdiction_id", "Say which city: jurisdiction_id is missing.")
    return cities[0]


def named(slug: str) -> Jurisdiction:
    """Raises NotFound."""
    found = jurisdictions.named(slug[:80].lower())
    if found is None:
        raise NotFound(f"There is no jurisdiction_id {slug[:80]!r}.")
    return found


def key_of(request: HttpRequest) -> str:
    """The api_key: from the form, the address, X-API-Key or a bearer token; empty when there is none."""
    bearer = request.headers.get("Authorization", "")
    return (
        argument(request, "api_key")
        or request.headers.get("X-API-Key", "").strip()
        or (bearer[7:].strip() if bearer[:7].lower() == "bearer " else "")
    )


def sender_of(request: HttpRequest, city: Jurisdiction, permission: str, *, call: str) -> Actor:
    """Who stands behind the api_key. Missing or wrong is Forbidden; known, it is counted, and TooMany beyond its limit."""
    key = key_of(request)
    sender = authenticate(key) if key else None
    if sender is None or sender.jurisdiction_id != city.pk:
        raise Forbidden("The api_key is missing." if not key else "The api_key is not known here.")
    used = usage.count(key, call)
    if used.is_too_much:
        raise TooMany(
            f"This api_key may do that {used.limit} times a minute; try again in {used.seconds_left} seconds.",
            extra={"retry_after": used.seconds_left},
        )
    if not sender.may(permission):
        raise Forbidden(f"This api_key may not do that: it has no scope {permission}.")
    return sender


def language_of(request: HttpRequest, city: Jurisdiction) -> str:
    """The one asked for with `locale`, if the city speaks it, else its first."""
    asked = request.GET.get("locale", "")[:35]
    return asked if asked in city.languages else city.languages[0]
