"""Who does something: every write names one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    STAFF = "staff"
    RESIDENT = "resident"
    APPLICATION = "application"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which city, and what they may do. `ref` is the row's id in the table of its kind, never a name."""

    kind: ActorKind
    jurisdiction_id: int
    ref: int = 0
    permissions: frozenset[str] = frozenset()
    teams: frozenset[int] = frozenset()

    def may(self, permission: str) -> bool:
        """System actors (the worker, imports, the demo) may do everything; everybody else only what is listed."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions


def system(jurisdiction_id: int) -> Actor:
    """The city's own machinery: timers, imports, handlers of events."""
    return Actor(kind=ActorKind.SYSTEM, jurisdiction_id=jurisdiction_id)
