"""The daily checkpoint: one hash that stands for everything recorded on a day, and for every day before it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Invalid
from loop311.ledger.models import Checkpoint, Event
from loop311.ledger.policies import GENESIS, CheckpointFact, MerkleRoot, checkpoint_hash, checkpoint_seal, iso
from loop311.ledger.services import append, seal_key

GRACE = timedelta(minutes=15)
"""After midnight (UTC) before a day may be closed: a transaction of its last second may still be open."""

CHUNK = 5_000
"""Rows fetched from the server at once."""


CHECKPOINT_MADE = "ledger.checkpoint_made"


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The UTC day: from, and up to but not including."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return start, start + timedelta(days=1)


def last_closable_day(at: datetime) -> date:
    return (at - GRACE).astimezone(UTC).date() - timedelta(days=1)


def catch_up(jurisdiction: Jurisdiction, *, at: datetime | None = None) -> list[Checkpoint]:
    """Make every checkpoint that is missing up to yesterday, oldest first. A city without events gets none."""
    return _make_until(jurisdiction, last_closable_day(at or now()))


def checkpoint(jurisdiction: Jurisdiction, day: date, *, at: datetime | None = None) -> list[Checkpoint]:
    """Close a day, and the open ones before it. A closed day is never closed again, and a running one never."""
    if Checkpoint.objects.filter(jurisdiction=jurisdiction, day=day).exists():
        raise Conflict(f"{day} has its checkpoint already; a checkpoint is never changed.")
    if day > last_closable_day(at or now()):
        raise Invalid(f"{day} is not over yet; a day can be closed {GRACE.seconds // 60} minutes after its end (UTC).")
    made = _make_until(jurisdiction, day)
    if not made:
        raise Invalid(f"{jurisdiction.name} has no events up to {day}.")
    return made


def _make_until(jurisdiction: Jurisdiction, last: date) -> list[Checkpoint]:
    made: list[Checkpoint] = []
    while one := _make_next(jurisdiction, last):
        made.append(one)
    return made


@transaction.atomic
def _make_next(jurisdiction: Jurisdiction, last: date) -> Checkpoint | None:
    """The checkpoint of the oldest open day, or None when `last` is closed. Serialised by the city's row."""
    Jurisdiction.objects.select_for_update(no_key=True).get(pk=jurisdiction.pk)
    before = Checkpoint.objects.filter(jurisdiction=jurisdiction).order_by("day").last()
    day = before.day + timedelta(days=1) if before else _first_day(jurisdiction.pk)
    if day is None or day > last:
        return None
    _refuse_while_still_written(day)
    return _make(jurisdiction, day, bytes(before.hash) if before else GENESIS)


def _first_day(jurisdiction_id: int) -> date | None:
    first = Event.objects.filter(jurisdiction=jurisdiction_id).order_by("recorded_at").first()
    return first.recorded_at.astimezone(UTC).date() if first else None


def _refuse_while_still_written(day: date) -> None:
    """A transaction begun on the day and still open could add to it after its checkpoint."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_xid IS NOT NULL AND xact_start < %s",
            [day_bounds(day)[1]],
        )
        if cursor.fetchone()[0]:
            raise Conflict(f"A transaction begun before the end of {day} is still open; try again when it has ended.")


def _make(jurisdiction: Jurisdiction, day: date, previous: bytes) -> Checkpoint:
    tree = day_tree(jurisdiction.pk, day)
    made_at = now()
    fact = CheckpointFact(jurisdiction.pk, day.isoformat(), tree.leaves, tree.root(), iso(made_at))
    this = checkpoint_hash(previous, fact)
    made = Checkpoint.objects.create(
        jurisdiction=jurisdiction,
        day=day,
        events=fact.events,
        root=fact.root,
        previous=previous,
        hash=this,
        seal=checkpoint_seal(seal_key(), this),
        made_at=made_at,
    )
    body = {"day": fact.day, "events": fact.events, "root": fact.root.hex(), "hash": this.hex()}
    append(CHECKPOINT_MADE, "ledger", jurisdiction.pk, body, by=system(jurisdiction.pk))
    return made


def day_tree(jurisdiction_id: int, day: date) -> MerkleRoot:
    """The Merkle tree over the hashes of all events recorded on the day, in the order of their ids."""
    tree = MerkleRoot()
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM ledger_event WHERE jurisdiction_id = %s AND recorded_at >= %s AND recorded_at < %s"
            " ORDER BY id",
            [jurisdiction_id, *day_bounds(day)],
        )
        while rows := cursor.fetchmany(CHUNK):
            for (leaf,) in rows:
                tree.add(leaf)
    return tree
