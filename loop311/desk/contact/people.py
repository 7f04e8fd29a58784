"""Who is calling: who may be meant by the words, and what is known at once of the one who is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loop311.desk.access import Desk
from loop311.interactions.models import Interaction
from loop311.kit.problems import Invalid
from loop311.requests.models import Request
from loop311.requests.policies import OPEN_STATES
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.policies import Point

MOST = 8
_RECENT, _OPEN = 3, 5


@dataclass(frozen=True, slots=True)
class Card:
    """The caller: how to reach them, what is open, when they were last in touch."""

    resident: Resident
    points: Sequence[Point]
    open_requests: Sequence[Request]
    contacts: Sequence[Interaction]


def callers(desk: Desk, words: str) -> list[Resident]:
    if not desk.actor.may("residents.read") or not words:
        return []
    try:
        return residents.find(words, by=desk.actor, limit=MOST)
    except Invalid:  # too few letters yet
        return []


def card(desk: Desk, resident: Resident, now_running: Interaction) -> Card:
    """Five queries, whatever there is."""
    whole = residents.standing(resident)
    ids = residents.identity_ids(whole)
    requests = Request.objects.filter(jurisdiction=desk.city, resident_id__in=ids, state__in=sorted(OPEN_STATES))
    contacts = Interaction.objects.filter(jurisdiction=desk.city, resident_id__in=ids).exclude(pk=now_running.pk)
    return Card(
        resident=whole,
        points=residents.contact_points(whole),
        open_requests=list(requests.select_related("service", "team", "jurisdiction").order_by("-received_at")[:_OPEN]),
        contacts=list(contacts.order_by("-started_at")[:_RECENT]),
    )
