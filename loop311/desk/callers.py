"""Who is calling? Whatever is known to look by, the people who may be meant, each with what the desk needs to begin at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from loop311.callbacks.models import Callback
from loop311.interactions.queries import LastContact, last_at, last_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import format_number
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden
from loop311.places.policies import STREET_TYPES, normalise
from loop311.requests.models import Request
from loop311.requests.policies import OPEN_STATES
from loop311.requests.queries import asked_at, open_of_residents
from loop311.requests.sentences import public_sentence, say
from loop311.residents import queries as residents
from loop311.residents.models import Resident
from loop311.residents.policies import Point, likeness
from loop311.residents.queries import LONGEST, Known, Match

LAST_CONTACTS = 5
MOST_REQUESTS = 10
_CONSIDERED = 40
"""People whose last contact is looked up before the best are shown."""
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


class Seat(Protocol):
    """What of a desk is needed here: `access.Desk` has it, and so has the API."""

    @property
    def city(self) -> Jurisdiction: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def language(self) -> str: ...


class Why(StrEnum):
    """Why somebody is shown."""

    NUMBER = "number"  # of a request
    PHONE = "phone"
    PHONE_END = "phone_end"  # the last digits
    EMAIL = "email"
    EMAIL_LIKE = "email_like"  # its beginning, or nearly
    NAME = "name"
    NAME_LIKE = "name_like"  # nearly
    ADDRESS = "address"  # the resident's own
    ASKED_AT = "asked_at"  # a request of theirs is at this address


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the caller's, ready to be spoken of."""

    number: str
    service_code: str
    service: str
    state: str
    is_open: bool
    address: str
    received_at: datetime
    due_at: datetime | None
    is_late: bool
    sentence: str
    """What the resident is told of it, in the resident's language."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A call-back the caller waits for."""

    id: int
    window_start: datetime
    window_end: datetime
    is_late: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may be calling, over all identities. Lists the desk may not read are empty."""

    resident: Resident
    """The one who stands for all now."""
    why: Why
    what: str
    """The number, address or name that fits."""
    language: str
    points: tuple[Point, ...]
    """Ways to reach them, preferred ones first."""
    consents: Mapping[str, bool]
    identities: tuple[int, ...]
    contacts: tuple[LastContact, ...]
    """The last five, newest first."""
    requests: tuple[Asked, ...]
    """The open ones, newest first, at most ten for each identity."""
    callbacks: tuple[Awaited, ...]
    asked_about: Asked | None = None
    """The request whose number was given, open or not."""

    @property
    def last_at(self) -> datetime | None:
        return self.contacts[0].at if self.contacts else None


@dataclass(frozen=True, slots=True)
class _Hit:
    resident_id: int
    why: Why
    what: str
    likeness: float


def callers(desk: Seat, text: str, limit: int = 8, *, thorough: bool = False) -> list[Caller]:
    """The people who may be meant, best first, at most `limit`: by telephone number (any spelling, or its last four digits and
    more), e-mail address, name (forgiving), their own address or one they asked about, number of a request.

    `thorough` also looks for names that are nearly so where some are exactly so: for finding the same person twice.
    Empty when the text is too short to look for. Whatever is found, the number of queries is the same for the same kind of text.
    """
    if not desk.actor.may("residents.read"):
        raise Forbidden("This needs the permission residents.read.")
    text = text.replace("\x00", "").strip()[:LONGEST]
    asked = numbered(desk, text)
    hits = _hits(desk, text, asked, thorough)
    standing = residents.standing_for(desk.city.pk, [hit.resident_id for hit in hits])
    best: dict[int, _Hit] = {}
    for hit in sorted(hits, key=lambda hit: -hit.likeness):
        if hit.resident_id in standing:
            best.setdefault(standing[hit.resident_id], hit)
    chosen = _lately_first(desk, best)[:limit]
    return _whole(desk, [(root, best[root]) for root in chosen], asked)


def caller(desk: Seat, resident_id: int) -> Caller | None:
    """What `callers` tells, of one known resident (or of the one who stands for this one now)."""
    found = residents.standing_for(desk.city.pk, [resident_id])
    people = _whole(desk, [(root, _Hit(root, Why.NAME, "", 1.0)) for root in found.values()], None)
    return people[0] if people else None


# --- Looking -----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(\d\d)(?:-0*|0*(?=\d{8}$))(\d{1,8})")


def numbered(desk: Seat, text: str) -> Request | None:
    """The request of this number, with or without its hyphen and zeros ('26-00000412', '26-412', '2600000412')."""
    if not desk.actor.may("requests.read") or not (text and text.isascii() and " " not in text and len(text) <= 40):
        return None
    short = _NUMBER.fullmatch(text)
    spellings = [text] if short is None else [text, format_number(2000 + int(short[1]), int(short[2]))]
    rows = Request.objects.filter(jurisdiction=desk.city, number__in=spellings)
    return rows.select_related("service", "team", "resident").first()


def _hits(desk: Seat, text: str, asked: Request | None, thorough: bool) -> list[_Hit]:
    if asked is not None:
        return [_Hit(asked.resident_id, Why.NUMBER, asked.number, 1.0)] if asked.resident_id else []
    if residents.is_email(text) or residents.is_phone(text):
        return [_of(match) for match in residents.matching(desk.city.pk, text, limit=_CONSIDERED)]
    words = _place_words(text)
    by_words = residents.by_words(
        desk.city.pk, " ".join(words) if words else text, limit=_CONSIDERED, thorough=thorough
    )
    return [*map(_of, by_words), *_asked_at(desk, words)]


def _of(match: Match) -> _Hit:
    return _Hit(match.resident_id, Why(match.why.value), match.what, match.likeness)


def _place_words(text: str) -> list[str]:
    """The words of an address that begins with a house number, in their short forms and without 'street'; else none."""
    words = normalise(text).split()
    if len(words) < 2 or not words[0][0].isdigit():
        return []
    named = [word for word in words[1:] if word not in STREET_TYPES and word != "&"]
    return [words[0], *named] if named else []


def _asked_at(desk: Seat, words: Sequence[str]) -> list[_Hit]:
    """By the addresses of requests. A house number is needed: street names alone fit half a city."""
    if not words or not desk.actor.may("requests.read"):
        return []
    found = []
    for pk, address in asked_at(desk.city.pk, words):
        fit = likeness(words, normalise(address).split())
        if fit:
            found.append(_Hit(pk, Why.ASKED_AT, address, fit - 0.01))
    return found


def _lately_first(desk: Seat, best: Mapping[int, _Hit]) -> list[int]:
    """The likeliest first; among equals whoever was in touch last."""
    roots = list(best)
    if not desk.actor.may("interactions.read"):
        return roots
    touched = last_at(desk.city.pk, roots)
    return sorted(roots, key=lambda root: (round(best[root].likeness, 1), touched.get(root, _LONG_AGO)), reverse=True)


# --- Telling -----------------------------------------------------------------------------------------------------------


def _whole(desk: Seat, chosen: Sequence[tuple[int, _Hit]], asked: Request | None) -> list[Caller]:
    people = residents.known(desk.city.pk, [root for root, _hit in chosen])
    everybody = [pk for known in people for pk in known.identities]
    of = {pk: known.resident.pk for known in people for pk in known.identities}
    contacts, requests, calls = (
        _contacts(desk, everybody, of),
        _requests(desk, everybody, of),
        _calls(desk, everybody, of),
    )
    hits = dict(chosen)
    return [
        Caller(
            resident=known.resident,
            why=hits[known.resident.pk].why,
            what=hits[known.resident.pk].what,
            language=known.resident.language,
            points=known.points,
            consents=known.consents,
            identities=known.identities,
            contacts=tuple(contacts[known.resident.pk][:LAST_CONTACTS]),
            requests=tuple(_told(each, known, desk) for each in requests[known.resident.pk]),
            callbacks=tuple(calls[known.resident.pk]),
            asked_about=_told(asked, known, desk) if asked else None,
        )
        for known in people
    ]


def _contacts(desk: Seat, ids: Sequence[int], of: Mapping[int, int]) -> Mapping[int, list[LastContact]]:
    may = desk.actor.may("interactions.read")
    return _grouped(last_of(desk.city.pk, ids, each=LAST_CONTACTS) if may else (), of)


def _requests(desk: Seat, ids: Sequence[int], of: Mapping[int, int]) -> Mapping[int, list[Request]]:
    may = desk.actor.may("requests.read")
    return _grouped(open_of_residents(desk.city, ids, each=MOST_REQUESTS) if may else (), of)


def _calls(desk: Seat, ids: Sequence[int], of: Mapping[int, int]) -> Mapping[int, list[Awaited]]:
    found = defaultdict[int, list[Awaited]](list)
    if desk.actor.may("callbacks.read"):
        at = now()
        rows = Callback.objects.of_city(desk.city.pk).open().filter(resident_id__in=list(ids)).soonest_first()
        for row in rows[: MOST_REQUESTS * len(ids)]:
            one = Awaited(row.pk, row.window_start, row.window_end, row.is_late(at), row.reason)
            found[of[row.resident_id]].append(one)
    return found


def _grouped(rows: Iterable[Request] | Iterable[LastContact], of: Mapping[int, int]) -> Mapping[int, list[Any]]:
    found = defaultdict[int, list[Any]](list)
    for row in rows:
        if row.resident_id is not None:
            found[of[row.resident_id]].append(row)
    return found


def _told(request: Request, known: Known, desk: Seat) -> Asked:
    request.jurisdiction = desk.city
    is_open = request.state in OPEN_STATES
    return Asked(
        number=request.number,
        service_code=request.service.code,
        service=say(request.service.names, desk.language, request.service.code),
        state=request.state,
        is_open=is_open,
        address=request.address,
        received_at=request.received_at,
        due_at=request.due_at,
        is_late=is_open and request.due_at is not None and request.due_at < now(),
        sentence=public_sentence(request, known.resident.language),
    )
