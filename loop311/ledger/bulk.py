"""Many events at once, for imports and the demo city: the same rows as `services.append` writes, through COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from procrastinate.types import JSONValue

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.jobs import defer_many
from loop311.ledger.policies import GENESIS, Fact, canonical, event_hash, iso, seal
from loop311.ledger.services import handlers_of, seal_key

BATCH = 10_000
"""Events held in memory at once."""

Subject = tuple[str, int]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What `services.append` is told about one event; `at` is when it happened."""

    kind: str
    subject_type: str
    subject_id: int
    body: Mapping[str, object]
    at: datetime
    by: Actor | None = None
    """Who did it, when that is not the one who writes them all."""


@dataclass(slots=True)
class _End:
    """The end of one chain while a batch is put together."""

    sequence: int
    hash: bytes
    is_new: bool


@transaction.atomic
def append_many(jurisdiction_id: int, facts: Iterable[NewEvent], by: Actor, *, first: bool = False) -> int:
    """Write the events in their order, in the caller's transaction; returns how many.

    Subjects may be new or have a chain already (whose head is then held until the transaction ends); `first` says that
    each is new in this transaction and has no other event, which saves looking. Memory holds one batch. Handlers wired
    to a kind get their jobs as with `append`.
    """
    if by.jurisdiction_id != jurisdiction_id:
        raise ValueError("an actor writes only into the ledger of the own city")
    count = 0
    for batch in _batches(facts):
        _append_batch(batch, by, first=first)
        count += len(batch)
    return count


def _batches(facts: Iterable[NewEvent]) -> Iterator[list[NewEvent]]:
    source = iter(facts)
    while batch := list(islice(source, BATCH)):
        yield batch


def _append_batch(batch: Sequence[NewEvent], by: Actor, *, first: bool) -> None:
    subjects = {(new.subject_type, new.subject_id) for new in batch}
    ends = (
        {subject: _End(0, GENESIS, True) for subject in subjects}
        if first
        else _hold_heads(by.jurisdiction_id, subjects)
    )
    ids = _reserve_ids(len(batch))
    _copy_events(_chained(batch, ids, ends, by))
    _write_heads(by.jurisdiction_id, ends)
    _defer(batch, ids)


def _hold_heads(jurisdiction_id: int, subjects: set[Subject]) -> dict[Subject, _End]:
    """The ends of all chains of a batch; rows that exist are locked, in one order so that two imports cannot block each other."""
    ends = {subject: _End(0, GENESIS, True) for subject in subjects}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_type, subject_id, sequence, hash FROM ledger_head"
            " JOIN unnest(%s::text[], %s::bigint[]) AS wanted (subject_type, subject_id)"
            " USING (subject_type, subject_id)"
            " WHERE jurisdiction_id = %s ORDER BY subject_type, subject_id FOR UPDATE OF ledger_head",
            [[s[0] for s in subjects], [s[1] for s in subjects], jurisdiction_id],
        )
        for subject_type, subject_id, sequence, head in cursor:
            ends[subject_type, subject_id] = _End(sequence, bytes(head), False)
    return ends


def _reserve_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('ledger_event_id_seq') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


EventRow = tuple[int, int, str, int, int, str, datetime, str, int, str, bytes, bytes, datetime]


def _chained(batch: Sequence[NewEvent], ids: Sequence[int], ends: dict[Subject, _End], by: Actor) -> Iterator[EventRow]:
    """The rows of the batch, each at the end of its chain as it then stands; `ends` moves along."""
    recorded_at, city = now(), by.jurisdiction_id
    recorded_iso = iso(recorded_at)
    for event_id, new in zip(ids, batch, strict=True):
        end = ends[new.subject_type, new.subject_id]
        sequence, previous = end.sequence + 1, end.hash
        body = canonical(new.body)
        actor = new.by or by
        kind, ref = actor.kind.value, actor.ref
        fact = Fact(
            event_id,
            city,
            new.subject_type,
            new.subject_id,
            sequence,
            new.kind,
            iso(new.at),
            kind,
            ref,
            body,
            recorded_iso,
        )
        end.sequence, end.hash = sequence, event_hash(previous, fact)
        yield (
            event_id,
            city,
            new.subject_type,
            new.subject_id,
            sequence,
            new.kind,
            new.at,
            kind,
            ref,
            body,
            previous,
            end.hash,
            recorded_at,
        )


def _copy_events(rows: Iterable[EventRow]) -> None:
    copy_rows(
        "ledger_event (id, jurisdiction_id, subject_type, subject_id, sequence, kind, at, actor_kind, actor_ref, body,"
        " previous_hash, hash, recorded_at)",
        "int8 int8 text int8 int4 text timestamptz text int8 text bytea bytea timestamptz",
        rows,
    )


def _write_heads(jurisdiction_id: int, ends: Mapping[Subject, _End]) -> None:
    key = seal_key()
    rows = [
        (
            jurisdiction_id,
            kind,
            ref,
            end.sequence,
            end.hash,
            seal(key, jurisdiction_id, kind, ref, end.sequence, end.hash),
        )
        for (kind, ref), end in ends.items()
    ]
    new = [row for row in rows if ends[row[1], row[2]].is_new]
    copy_rows(
        "ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)",
        "int8 text int8 int4 bytea bytea",
        new,
    )
    moved = [row for row in rows if not ends[row[1], row[2]].is_new]
    if moved:
        _move_heads(moved)


def _move_heads(rows: Sequence[tuple[int, str, int, int, bytes, bytes]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_head SET sequence = moved.sequence, hash = moved.hash, seal = moved.seal"
            " FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::int[], %s::bytea[], %s::bytea[])"
            " AS moved (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)"
            " WHERE ledger_head.jurisdiction_id = moved.jurisdiction_id"
            " AND ledger_head.subject_type = moved.subject_type AND ledger_head.subject_id = moved.subject_id",
            columns,
        )


def copy_rows(into: str, types: str, rows: Iterable[Sequence[object]]) -> None:
    """COPY in binary; `into` is a table with its columns, `types` their PostgreSQL types."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types.split())
        for row in rows:
            copy.write_row(row)


def _defer(batch: Sequence[NewEvent], ids: Sequence[int]) -> None:
    jobs: list[dict[str, JSONValue]] = [
        {"event_id": event_id, "kind": new.kind, "handler": name}
        for event_id, new in zip(ids, batch, strict=True)
        for name, _ in handlers_of(new.kind)
    ]
    defer_many("ledger.deliver", jobs, queue="events")
