"""The content of a city in one digest: equal for equal cities, whatever ids, salts and hashes their rows were given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from loop311.accounts.models import StaffMember
from loop311.callbacks.models import Callback
from loop311.interactions.models import Interaction
from loop311.jurisdictions.models import Jurisdiction
from loop311.ledger.models import Event
from loop311.ledger.policies import canonical
from loop311.places.models import AddressPoint, Area
from loop311.requests.models import ClockStop, Comment, Evidence, Promise, Request
from loop311.residents.models import Resident

_REQUEST = (
    "number", "service__code", "team__code", "assignee__name", "resident__name", "state", "priority", "channel",
    "description", "answers", "address", "latitude", "longitude", "areas", "received_at", "first_response_due_at", "due_at",
    "first_responded_at", "done_at", "ended_at", "dispute_until", "outcome", "waiting_reason", "handed_to",
    "handed_reference", "leading__number", "joined_count", "reopened_count", "version", "escalate_at",
)  # fmt: skip


def content_digest(jurisdiction: Jurisdiction) -> str:
    """Hex SHA-256 over every row's content in a fixed order."""
    sha = hashlib.sha256()
    for line in _lines(jurisdiction.pk):
        sha.update(canonical({"row": line}).encode())
    return sha.hexdigest()


def _lines(city: int) -> Iterator[list[object]]:
    tables: tuple[Iterable[tuple[object, ...]], ...] = (
        Area.objects.filter(jurisdiction_id=city).order_by("version__layer__code", "key").values_list(
            "version__layer__code", "key", "name"),
        AddressPoint.objects.filter(jurisdiction_id=city).order_by("text").values_list("text", "latitude", "longitude"),
        StaffMember.objects.filter(jurisdiction_id=city).order_by("user__email").values_list("user__email", "name", "roles"),
        Resident.objects.filter(jurisdiction_id=city).order_by("name").values_list("name", "language", "address"),
        Request.objects.filter(jurisdiction_id=city).order_by("number").values_list(*_REQUEST),
        Promise.objects.filter(jurisdiction_id=city).order_by("request__number", "step", "sequence").values_list(
            "request__number", "step", "sequence", "due_at", "made_at", "reason", "policy"),
        ClockStop.objects.filter(jurisdiction_id=city).order_by("request__number", "started_at").values_list(
            "request__number", "reason", "started_at", "ended_at"),
        Evidence.objects.filter(jurisdiction_id=city).order_by("request__number", "at", "kind").values_list(
            "request__number", "kind", "at", "latitude", "longitude"),
        Comment.objects.filter(jurisdiction_id=city).order_by("request__number", "at").values_list(
            "request__number", "at", "text"),
        Interaction.objects.filter(jurisdiction_id=city).order_by("started_at", "id").values_list(
            "channel", "resident__name", "language", "started_at", "ended_at", "topic", "outcome"),
        Callback.objects.filter(jurisdiction_id=city).order_by("promised_at", "id").values_list(
            "resident__name", "request__number", "state", "window_start", "ended_at"),
        Event.objects.filter(jurisdiction_id=city, subject_type="request").order_by("at", "id").values_list("kind", "at"),
    )  # fmt: skip
    for rows in tables:
        for row in rows:
            yield [_plain(value) for value in row]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)
