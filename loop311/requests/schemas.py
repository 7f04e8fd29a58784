"""What the API takes and gives for requests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import BaseModel, Field, StringConstraints

from loop311.catalog.definitions import EvidenceKind
from loop311.interactions.policies import Channel
from loop311.kit.api import LAX, Id, Input, Line
from loop311.requests.models import Attachment, Request
from loop311.requests.policies import AttachmentRole, State

Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Long = Annotated[str, Field(max_length=20_000)]
Short = Annotated[str, Field(max_length=1000)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="The version you looked at; an older one is refused.")]
Answers = dict[Annotated[str, Field(max_length=80)], str | int | float | bool | list[str] | None]


class FilingIn(Input):
    service_code: Code
    answers: Answers = {}
    description: Long = ""
    address: Short = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    location_note: Short = ""
    channel: Annotated[Channel, LAX] = Channel.API
    language: Annotated[str, Field(max_length=35)] = ""
    resident_id: Id | None = None
    interaction_id: Id | None = None
    on_behalf_of: Short = ""
    leading: (
        Annotated[Number, Field(description="An open request for the same thing: this one is filed joined to it.")]
        | None
    ) = None


class VerbIn(Input):
    version: Version | None = None


class AssignIn(VerbIn):
    assignee_id: Id | None = None


class ReasonIn(VerbIn):
    reason: Code


class HandOverIn(VerbIn):
    owner: Code
    reference: Line = ""


class EvidenceIn(VerbIn):
    kind: Annotated[EvidenceKind, LAX]
    reference: Short = ""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    note: Short = ""


class AttachIn(BaseModel):
    """The words beside a file, as a form sends them."""

    proves: bool = Field(True, description="It proves the work; else it shows the problem.")
    note: Short = ""
    version: Version | None = None


class OutcomeIn(VerbIn):
    outcome: Code
    note: Annotated[
        str,
        Field(
            max_length=1000, description="Words for the resident: sent with the outcome to everybody who reported it."
        ),
    ] = ""


class DisputeIn(VerbIn):
    text: Long = ""


class JoinIn(VerbIn):
    leading: Number


class CommentIn(VerbIn):
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    is_public: bool = False


class RerouteIn(VerbIn):
    team: Code


class ChangeServiceIn(VerbIn):
    service_code: Code
    answers: Answers = {}


class RequestOut(Schema):
    number: str
    state: State
    priority: str
    channel: str
    service_code: str
    catalogue_version: int
    team: str
    assignee_id: int | None
    resident_id: int | None
    interaction_id: int
    description: str
    answers: dict[str, Any]
    address: str
    latitude: float | None
    longitude: float | None
    location_note: str
    areas: dict[str, str]
    received_at: datetime
    first_response_due_at: datetime | None
    first_responded_at: datetime | None
    due_at: datetime | None
    done_at: datetime | None
    ended_at: datetime | None
    dispute_until: datetime | None
    outcome: str
    outcome_note: str
    waiting_reason: str
    handed_to: str
    handed_reference: str
    leading: str | None
    joined_count: int
    reopened_count: int
    version: int
    updated_at: datetime
    public_sentence: str
    possible: list[str]


class RequestRowOut(Schema):
    """A request in a list: queries.LIST_COLUMNS, for the published description of the API."""

    number: str
    state: State
    priority: str
    channel: str
    service_code: str
    team: str
    assignee_id: int | None
    address: str
    latitude: float | None
    longitude: float | None
    areas: dict[str, str]
    received_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    ended_at: datetime | None
    outcome: str
    joined_count: int
    reopened_count: int
    version: int
    updated_at: datetime


class RequestPage(Schema):
    requests: list[RequestRowOut]
    next: str | None


class NearOut(Schema):
    number: str
    state: State
    service_code: str
    address: str
    metres: float
    received_at: datetime
    due_at: datetime | None
    joined_count: int


class PromiseOut(Schema):
    step: str
    sequence: int
    due_at: datetime
    made_at: datetime
    reason: str
    policy: str


class EvidenceOut(Schema):
    id: int
    kind: str
    at: datetime
    reference: str
    note: str
    latitude: float | None
    longitude: float | None


class AttachmentOut(Schema):
    id: int
    role: AttachmentRole
    proves: bool
    media_type: str
    size: int
    width: int
    height: int
    sha256: str
    latitude: float | None
    longitude: float | None
    taken_at: datetime | None
    at: datetime


class CommentOut(Schema):
    id: int
    number: str = Field(alias="request.number", description="The request it stands on: this one, or one joined to it.")
    at: datetime
    actor_kind: str
    is_public: bool
    text: str


class HistoryOut(Schema):
    sequence: int
    kind: str
    at: datetime
    actor_kind: str
    actor_ref: int
    body: dict[str, Any]


class RestatedOut(Schema):
    catalogue_version: int
    due_at: datetime | None
    on_time: bool | None
    first_promise_due_at: datetime | None
    kept_first_promise: bool | None


def attachment(row: Attachment) -> dict[str, Any]:
    columns = ("id", "role", "media_type", "size", "width", "height", "latitude", "longitude", "taken_at", "at")
    proves = row.evidence_id is not None
    return {name: getattr(row, name) for name in columns} | {"sha256": bytes(row.digest).hex(), "proves": proves}


def facts(request: Request) -> dict[str, Any]:
    """The plain columns of RequestOut; the rest is looked up by the API."""
    columns = (
        "number", "state", "priority", "channel", "assignee_id", "resident_id", "interaction_id", "description", "answers",
        "address", "latitude", "longitude", "location_note", "areas", "received_at", "first_response_due_at",
        "first_responded_at", "due_at", "done_at", "ended_at", "dispute_until", "outcome", "outcome_note",
        "waiting_reason", "handed_to", "handed_reference", "joined_count", "reopened_count", "version", "updated_at",
    )  # fmt: skip
    return {column: getattr(request, column) for column in columns}
