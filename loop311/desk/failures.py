"""What went wrong on the machine's side, so that somebody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loop311.desk.access import Desk
from loop311.kit.sweeps import Run, standing
from loop311.ledger.jobs import TroubledHandler, troubled_handlers
from loop311.notifications.models import Message
from loop311.notifications.policies import LISTED
from loop311.requests.models import ImportRun

MOST = 100


@dataclass(frozen=True, slots=True)
class Import:
    """One run; the counts are None while it runs or when it broke off."""

    mapping: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Failures:
    messages: Sequence[Message]
    handlers: Sequence[TroubledHandler]
    imports: Sequence[Import]
    sweeps: Sequence[Run]
    """Of the whole deployment: those that do not work, or pass over something."""


def failures(desk: Desk) -> Failures:
    """Newest first; four queries."""
    runs = ImportRun.objects.filter(jurisdiction=desk.city).order_by("-started_at")[:MOST]
    unsent = Message.objects.filter(jurisdiction=desk.city, state__in=sorted(LISTED)).select_related("request")
    return Failures(
        messages=list(unsent.order_by("-pk")[:MOST]),
        handlers=troubled_handlers(desk.city.pk, limit=MOST),
        imports=[Import(r.mapping, r.source, r.started_at, r.ended_at, r.counts) for r in runs],
        sweeps=[run for run in standing() if run.is_late or run.error or run.left_over],
    )
