"""Whole pasts at once, for a demo city: requests that were played in memory go through the same states in the database.

Nothing is let off: every row is inserted as it was filed and then changed state by state, so the triggers judge each step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from loop311.kit.actor import Actor
from loop311.kit.problems import NotFound
from loop311.requests.models import ClockStop, Comment, Escalated, Evidence, Promise, Request

CHANGING = (
    "state", "team_id", "assignee_id", "catalogue_version_id", "service_id", "priority", "answers", "completion",
    "publicity", "due_at", "first_responded_at", "done_at", "ended_at", "dispute_until", "updated_at", "outcome",
    "outcome_note", "waiting_reason", "handed_to", "handed_reference", "leading_id", "joined_count", "reopened_count",
    "evidence_after", "escalate_at", "version",
)  # fmt: skip
"""The columns that a request's life changes."""
_JSON = tuple(name in ("answers", "completion") for name in CHANGING)
_BATCH = 1000

Snapshot = tuple[object, ...]
"""The values of CHANGING."""


@dataclass(slots=True)
class History:
    """One request and all it has lived through, not yet in the database. All ids are given already."""

    filed: Request
    """As it was at first."""
    family: int
    """Id of the first request of those that were ever joined with it; its own when none was."""
    lived: list[tuple[int, Snapshot]] = field(default_factory=list)
    """What it was after filing, once for each state at least, with a number that rises over all requests in the order of time."""
    promises: list[Promise] = field(default_factory=list)
    stops: list[ClockStop] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    escalated: list[Escalated] = field(default_factory=list)


def snapshot(request: Request) -> Snapshot:
    return tuple(getattr(request, name) for name in CHANGING)


@transaction.atomic
def store(histories: Sequence[History], *, by: Actor) -> None:
    """Write them all. Their events are the caller's to append."""
    if any(history.filed.jurisdiction_id != by.jurisdiction_id for history in histories):
        raise NotFound("There is no such city here.")
    Request.objects.bulk_create([history.filed for history in histories], batch_size=_BATCH)
    Promise.objects.bulk_create(_all(h.promises for h in histories), batch_size=_BATCH)
    Evidence.objects.bulk_create(_all(h.evidence for h in histories), batch_size=_BATCH)
    ClockStop.objects.bulk_create(_all(h.stops for h in histories), batch_size=_BATCH)
    Comment.objects.bulk_create(_all(h.comments for h in histories), batch_size=_BATCH)
    Escalated.objects.bulk_create(_all(h.escalated for h in histories), batch_size=_BATCH)
    _live(histories)


R = TypeVar("R")


def _all(lists: Iterable[list[R]]) -> list[R]:
    return list(itertools.chain.from_iterable(lists))


def _live(histories: Sequence[History]) -> None:
    """Round by round. Those of one family take turns, because a follower ends only after its leading request."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS requests_lived")
        cursor.execute(
            f"CREATE TEMPORARY TABLE requests_lived ON COMMIT DROP AS"
            f" SELECT 0 AS round, id, {', '.join(CHANGING)} FROM requests_request WITH NO DATA"
        )
        last = 0
        with cursor.copy(f"COPY requests_lived (round, id, {', '.join(CHANGING)}) FROM STDIN") as copy:
            for turn, request_id, values in _turns(histories):
                last = max(last, turn)
                copy.write_row((turn, request_id, *_adapted(values)))
        cursor.execute("CREATE INDEX ON requests_lived (round)")
        cursor.execute("ANALYZE requests_lived, requests_request, requests_promise, requests_evidence")
        for turn in range(1, last + 1):
            cursor.execute(_STEP, [turn])


_STEP = (
    f"UPDATE requests_request r SET {', '.join(f'{name} = l.{name}' for name in CHANGING)}"
    " FROM requests_lived l WHERE l.round = %s AND r.id = l.id"
)


def _turns(histories: Sequence[History]) -> Iterator[tuple[int, int, Snapshot]]:
    """(round from 1, request, values)."""
    families: dict[int, list[tuple[int, int, Snapshot]]] = {}
    for history in histories:
        steps = ((order, history.filed.pk, values) for order, values in history.lived)
        families.setdefault(history.family, []).extend(steps)
    for family in families.values():
        for turn, (_, request_id, values) in enumerate(sorted(family, key=lambda step: step[0]), 1):
            yield turn, request_id, values


def _adapted(values: Snapshot) -> Iterator[object]:
    return (Jsonb(value) if is_json else value for value, is_json in zip(values, _JSON, strict=True))
