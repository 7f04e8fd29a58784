"""What a row of the file becomes before it is written: a draft of a request, or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

Row = Sequence[str]


class Rejected(Exception):
    """The row cannot become a request; the message is the reason for the rejects file."""


class Naming(NamedTuple):
    """What a row says about whose work it is, in the city's own words."""

    service: str
    group: str
    department: str
    team: str


@dataclass(slots=True)
class Draft:
    """A request as the row tells it. Times carry their offset; codes are already ours."""

    source_id: str
    digest: bytes
    naming: Naming
    state: str
    channel: str
    received_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    outcome: str
    outcome_note: str
    description: str
    address: str
    kept: str
    """JSON object of the further columns."""
    areas: dict[str, str]
    """Shared between drafts: never changed in place."""
    latitude: float | None = None
    longitude: float | None = None
    number: int = 0
    """Of the row in the file; 1 is the first after the header."""
    line: str = ""
    """The draft as COPY's text form writes it, without the ids that it is given."""
    body: str = ""
    """Of the event that it was imported: canonical JSON."""
    row: Row = ()
