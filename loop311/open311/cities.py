"""Which city is meant, and who sends: the two arguments that every call may carry."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from loop311.accounts.services import authenticate
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import Forbidden, NotFound
from loop311.open311.policies import refuse


def form(request: HttpRequest) -> Mapping[str, str]:
    return request.POST if request.method == "POST" else {}


def argument(request: HttpRequest, name: str) -> str:
    """From the form or the address; both must not contradict. Empty is absent."""
    sent, asked = form(request).get(name, "").strip(), request.GET.get(name, "").strip()
    if sent and asked and sent != asked:
        raise refuse(name, f"{name} is given twice, and differently.")
    return sent or asked


def city_of(request: HttpRequest) -> Jurisdiction:
    """The city that jurisdiction_id names (its short name here); where only one lives, none needs to be named."""
    named = argument(request, "jurisdiction_id")
    if named:
        found = Jurisdiction.objects.filter(slug=named[:80].lower()).first()
        if found is None:
            raise NotFound(f"There is no jurisdiction_id {named[:80]!r}.")
        return found
    cities = list(Jurisdiction.objects.order_by("pk")[:2])
    if len(cities) != 1:
        raise refuse("jurisdiction_id", "Say which city: jurisdiction_id is missing.")
    return cities[0]


def sender_of(request: HttpRequest, city: Jurisdiction, permission: str) -> Actor:
    """Who stands behind the api_key (form, address, X-API-Key or bearer token). Missing or wrong is Forbidden."""
    bearer = request.headers.get("Authorization", "")
    key = (
        argument(request, "api_key")
        or request.headers.get("X-API-Key", "").strip()
        or (bearer[7:].strip() if bearer[:7].lower() == "bearer " else "")
    )
    sender = authenticate(key) if key else None
    if sender is None or sender.jurisdiction_id != city.pk:
        raise Forbidden("The api_key is missing." if not key else "The api_key is not known here.")
    if not sender.may(permission):
        raise Forbidden("This api_key may not do that.")
    return sender
