"""What is published of a city's requests, one after the other as the database gives them: memory does not grow with their number.

Here personal data ends: what no rule of `requests.publicity` has let through is in no `Published`, so no shape can show it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection, transaction

from loop311.accounts.models import Department, Team
from loop311.catalog.definitions import Duration, Priority, Publicity
from loop311.catalog.index import CatalogueIndex, text_in
from loop311.catalog.models import Service
from loop311.catalog.services import current, index_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import NotFound
from loop311.requests.publicity import closed_at, public_place, strictest

_AT_ONCE = 2_000
"""Rows fetched in one go."""

_SELECT = """
SELECT r.number, r.state, r.priority, r.channel, r.service_id, r.team_id, r.catalogue_version_id, r.publicity, r.address,
       r.latitude, r.longitude, r.received_at, r.due_at, r.done_at, r.ended_at, r.updated_at, r.outcome, r.handed_to <> '',
       r.joined_count, r.reopened_count, r.leading_id IS NOT NULL, l.number, who.name, contact.on_behalf_of,
       ARRAY(SELECT coalesce(r.areas ->> layer, '') FROM unnest(%(layers)s::text[]) AS layer)
FROM requests_request r
LEFT JOIN requests_request l ON l.jurisdiction_id = r.jurisdiction_id AND l.id = r.leading_id
    AND l.publicity <> %(hidden)s AND l.service_id <> ALL (%(hidden_services)s)
LEFT JOIN residents_resident who ON who.jurisdiction_id = r.jurisdiction_id AND who.id = r.resident_id
LEFT JOIN interactions_interaction contact ON contact.jurisdiction_id = r.jurisdiction_id AND contact.id = r.interaction_id
WHERE r.jurisdiction_id = %(city)s AND r.publicity <> %(hidden)s AND r.service_id <> ALL (%(hidden_services)s)
    AND r.received_at >= %(start)s AND r.received_at < %(end)s
ORDER BY r.received_at, r.id
"""
_COUNT = """
SELECT count(*), min(received_at) FROM requests_request WHERE jurisdiction_id = %s AND received_at >= %s AND received_at < %s
"""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A request as anybody may have it, in the city's words of one language. The order is that of the columns."""

    number: str
    status: str
    """'open' or 'closed'."""
    state: str
    service_code: str
    service: str
    group: str
    department: str
    team: str
    priority: str
    channel: str
    received_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    outcome_code: str
    outcome: str
    handed_over: bool
    """To somebody outside the city."""
    joined: bool
    """To another report of the same thing."""
    leading_number: str
    """Of the report it was joined to, if that is public."""
    joined_count: int
    """Reports joined to it."""
    reopened_count: int
    address: str
    latitude: float | None
    longitude: float | None
    areas: tuple[str, ...]
    """In the layers that were asked for, in their order; '' outside of all areas."""
    resolution: Duration | None
    """What the city promises for such a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which requests (received from `start` up to, not including, `end`), with which layers, in whose words."""

    city: Jurisdiction
    start: datetime
    end: datetime
    layers: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Found:
    """About how many there are (hidden ones included), and when the first was received."""

    count: int
    first: datetime | None


def counted(asked: Asked) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [asked.city.pk, asked.start, asked.end])
        return Found(*cursor.fetchone())


def published(asked: Asked) -> Generator[Published, None, None]:
    """Oldest first, of two of one instant the one filed first. All seen at one instant."""
    words = _Words(asked.city, asked.language)
    with transaction.atomic():
        _freeze()
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                _SELECT,
                {
                    "city": asked.city.pk,
                    "start": asked.start,
                    "end": asked.end,
                    "layers": list(asked.layers),
                    "hidden": Publicity.HIDDEN.value,
                    "hidden_services": words.hidden(),
                },
            )
            while rows := cursor.fetchmany(_AT_ONCE):
                for row in rows:
                    yield _public(row, words)


def _freeze() -> None:
    """One snapshot; inside a caller's transaction (tests) its own must do."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _public(row: tuple[Any, ...], words: _Words) -> Published:
    (number, state, priority, channel, service_id, team_id, version_id, publicity, address, latitude, longitude, received_at,
     due_at, done_at, ended_at, updated_at, outcome, handed_over, joined_count, reopened_count, joined, leading, name, meant,
     areas) = row  # fmt: skip
    service = words.services[service_id]
    team, department = words.teams[team_id]
    place = public_place(
        strictest(publicity, service.publicity), address, latitude, longitude, names=(name or "", meant or "")
    )
    closed = closed_at(state, done_at, ended_at, updated_at)
    return Published(
        number=number,
        status="closed" if closed else "open",
        state=state,
        service_code=service.code,
        service=service.name,
        group=service.group,
        department=department,
        team=team,
        priority=priority,
        channel=channel,
        received_at=received_at,
        due_at=due_at,
        closed_at=closed,
        updated_at=updated_at,
        outcome_code=outcome,
        outcome=words.outcome(version_id, outcome) if outcome else "",
        handed_over=handed_over,
        joined=joined,
        leading_number=leading or "",
        joined_count=joined_count,
        reopened_count=reopened_count,
        address=_line(place.address),
        latitude=place.latitude,
        longitude=place.longitude,
        areas=tuple(areas),
        resolution=words.resolution(version_id, service.code, priority),
    )


def _line(text: str) -> str:
    """On one line, and never what a spreadsheet would take for a formula."""
    return " ".join(text.split()).lstrip("=+-@ ")


@dataclass(frozen=True, slots=True)
class _Service:
    code: str
    name: str
    group: str
    publicity: str
    """As the catalogue has it today."""


class _Words:
    """The city's words for the codes and ids in the rows; they grow with its catalogue, not with its requests."""

    def __init__(self, city: Jurisdiction, language: str) -> None:
        self._languages = (language, city.languages[0])
        index = _in_force(city)
        rows = Service.objects.filter(jurisdiction=city)
        self.services = {row.pk: self._service(row, index) for row in rows}
        departments = Department.objects.filter(jurisdiction=city)
        named = {row.pk: self._say(row.names, row.code) for row in departments}
        teams = Team.objects.filter(jurisdiction=city)
        self.teams = {row.pk: (self._say(row.names, row.code), named.get(row.department_id, "")) for row in teams}
        self.outcome = lru_cache(maxsize=10_000)(self._outcome)
        self.resolution = lru_cache(maxsize=10_000)(_resolution)

    def hidden(self) -> list[int]:
        """Services that are hidden today, whatever they were when a request was filed."""
        return [pk for pk, service in self.services.items() if service.publicity == Publicity.HIDDEN]

    def _service(self, row: Service, index: CatalogueIndex | None) -> _Service:
        now = index.services.get(row.code) if index else None
        group = index.groups.get(row.group) if index else None
        return _Service(
            code=row.code,
            name=self._say(row.names, row.code),
            group=self._say(group.names, row.group) if group else row.group,
            publicity=now.publicity.value if now else Publicity.EXACT.value,
        )

    def _say(self, texts: dict[str, str], code: str) -> str:
        return text_in(texts, self._languages) or code

    def _outcome(self, version_id: int, code: str) -> str:
        outcome = index_of(version_id).outcomes.get(code)
        return self._say(outcome.texts, code) if outcome else code


def _in_force(city: Jurisdiction) -> CatalogueIndex | None:
    try:
        return current(city.pk)[1]
    except NotFound:
        return None


def _resolution(version_id: int, service_code: str, priority: str) -> Duration | None:
    index = index_of(version_id)
    service = index.services.get(service_code)
    policy = index.promise_of(service) if service else None
    if policy is None:
        return None
    urgent = policy.urgent_resolution if priority in (Priority.URGENT, Priority.EMERGENCY) else None
    return urgent or policy.resolution
