"""What is said aloud of an event when its transaction commits: for screens that are open. Codes and ids only, nothing personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHANNEL = "loop311_events"


@dataclass(frozen=True, slots=True)
class Announcement:
    city: int
    event: int
    subject_type: str
    subject_id: int
    kind: str
    topics: frozenset[str]
    """Whom it concerns: 'request', 'request:7', 'team:3' ..."""


def words(city: int, event: int, subject_type: str, subject_id: int, kind: str, concerns: Sequence[str] = ()) -> str:
    """One line; far below PostgreSQL's 8,000 bytes."""
    return " ".join([str(city), str(event), subject_type, str(subject_id), kind, *concerns])


def read(line: str) -> Announcement | None:
    """None for a line that `words` did not write."""
    parts = line.split(" ")
    if len(parts) < 5 or not all(part.isdecimal() for part in (parts[0], parts[1], parts[3])):
        return None
    topics = frozenset({parts[2], f"{parts[2]}:{parts[3]}", *parts[5:]})
    return Announcement(int(parts[0]), int(parts[1]), parts[2], int(parts[3]), parts[4], topics)
