"""What a token stands for. Tokens are given by batch services only and never expire."""

from __future__ import annotations

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import NotFound
from loop311.ledger.models import Event
from loop311.open311.models import Filed
from loop311.requests.services.access import SUBJECT

LOOKED_AT = (
    "request.assigned", "request.started", "request.waiting", "request.handed_over", "request.done", "request.declined",
    "request.joined", "request.rerouted", "request.service_changed",
)  # fmt: skip
"""Somebody of the city has looked at the request; once that has happened, it has happened for ever."""


def number_behind(city: Jurisdiction, token: str) -> str | None:
    """The number; None while nobody has looked at the request. Raises NotFound for what is no token of this city."""
    found = Filed.objects.filter(jurisdiction=city, token=token[:100]).select_related("request").first()
    if found is None:
        raise NotFound(f"There is no token {token[:40]!r}.")
    events = Event.objects.filter(jurisdiction=city, subject_type=SUBJECT, subject_id=found.request_id)
    return found.request.number if events.filter(kind__in=LOOKED_AT).exists() else None
