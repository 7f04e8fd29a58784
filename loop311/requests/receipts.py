"""What a caller takes away: the number, the promise, and whom to ring when somebody outside the city is responsible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.definitions import OutsideOwner
from loop311.catalog.services import index_of
from loop311.requests.models import Request
from loop311.requests.owners import Responsible, hand_over_sentences, owner_says, shown
from loop311.requests.policies import OPEN_STATES, State
from loop311.requests.sentences import public_sentence, say, spoken_date

_TEXT = {"en": "{city} 311: {number}, {service}.", "es": "311 de {city}: {number}, {service}."}
_DUE = {"en": "Planned by {date}.", "es": "Previsto a más tardar el {date}."}
_KEEP = {
    "en": "Your number is {number}. Keep it: with it you can ask at any time how it stands.",
    "es": "Su número es {number}. Guárdelo: con él puede preguntar en cualquier momento cómo va.",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """In one language. `text` is all of it as one message to send."""

    language: str
    number: str
    service: str
    address: str
    received_at: datetime
    due_at: datetime | None
    owner: Responsible | None
    sentences: Sequence[str]
    text: str


def receipt(request: Request, language: str) -> Receipt:
    """The request needs its city, service and leading request at hand; then no query."""
    service = say(request.service.names, language, request.service.code)
    owner = _owner(request)
    said = [_standing(request, owner, language), *_promised(request, language)]
    head = say(_TEXT, language).format(city=request.jurisdiction.name, number=request.number, service=service)
    return Receipt(
        language=language,
        number=request.number,
        service=service,
        address=request.address,
        received_at=request.received_at,
        due_at=request.due_at,
        owner=shown(owner, language) if owner else None,
        sentences=[*said, say(_KEEP, language).format(number=request.number)],
        text=" ".join([head, *said]),
    )


def _owner(request: Request) -> OutsideOwner | None:
    """Who outside the city has it, or has the one it is joined to."""
    followed = request.leading or request
    if followed.state != State.HANDED_OVER:
        return None
    return index_of(followed.catalogue_version_id).owners.get(followed.handed_to)


def _standing(request: Request, owner: OutsideOwner | None, language: str) -> str:
    if owner is None:
        return public_sentence(request, language)
    return hand_over_sentences(owner, request.jurisdiction).get(language) or owner_says(owner, language)


def _promised(request: Request, language: str) -> list[str]:
    if request.state not in OPEN_STATES or request.due_at is None:
        return []
    return [say(_DUE, language).format(date=spoken_date(request.due_at, request.jurisdiction.zone, language))]
