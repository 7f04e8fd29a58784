"""Many events at once, for imports and the demo city: the same rows as `services.append` writes, through COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction
from procrastinate.types import JSONValue

from loop311.kit import copying
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.copying import Fill, copy_lines, escaped
from loop311.kit.jobs import defer_many
from loop311.kit.problems import Conflict
from loop311.ledger.checkpoints import GRACE
from loop311.ledger.policies import GENESIS, Fact, canonical, event_hash, iso, seal
from loop311.ledger.services import handlers_of, seal_key

BATCH = 10_000
"""Events held in memory at once."""

LATEST = GRACE / 3
"""Events that were composed longer ago are not written any more."""

PAGES = {"ledger_event": Fill(usually=100, now=90), "ledger_head": Fill(usually=80, now=70)}
"""For `copying.into_new_pages`: rows of these tables differ in length, so nearly every old page has room for one more."""

Subject = tuple[str, int]
HeadRow = tuple[int, str, int, int, bytes, bytes]
"""City, subject's type and id, sequence, hash, seal."""


class NewEvent(NamedTuple):
    """What `services.append` is told about one event; `at` is when it happened."""

    kind: str
    subject_type: str
    subject_id: int
    body: Mapping[str, object] | str
    """Or already spelled as `canonical` spells it, by who writes very many."""
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
    ends = _beginnings(subjects) if first else _hold_heads(by.jurisdiction_id, subjects)
    _write(_composed(batch, reserve_ids(len(batch)), ends, by))


@dataclass(frozen=True, slots=True)
class Composed:
    """Events that are ready to be written, with the ends of their chains."""

    recorded_at: datetime
    jobs: list[dict[str, JSONValue]]
    events: list[str]
    """Lines of COPY, as are `heads`."""
    heads: list[str]
    moved: list[HeadRow]
    """The new ends of chains that were there already."""


def compose(batch: Sequence[NewEvent], ids: Sequence[int], by: Actor) -> Composed:
    """The first event of each of as many new subjects, to be written with `append_composed`. Asks the database nothing.

    That way a thread makes a batch ready while another one's transaction writes the batch before. Chains of one event need
    no ends looked up, which is a third of the work of `append_many`.
    """
    recorded_at = now()
    recorded, key, city = iso(recorded_at), seal_key(), by.jurisdiction_id
    events: list[str] = []
    heads: list[str] = []
    for event_id, new in zip(ids, batch, strict=True):
        line, head = _linked(event_id, new, 1, GENESIS, by, recorded)
        events.append(line)
        sealed = seal(key, city, new.subject_type, new.subject_id, 1, head)
        heads.append(_head_line(city, new.subject_type, new.subject_id, 1, head, sealed))
    return Composed(recorded_at, _jobs(batch, ids), events, heads, [])


@transaction.atomic
def append_composed(composed: Composed) -> None:
    """In the caller's transaction. Raises Conflict after LATEST: a checkpoint may have closed the day of composing."""
    if now() - composed.recorded_at > LATEST:
        raise Conflict("Writing events had to wait too long for the database, nothing of them is kept; try again.")
    _write(composed)


def _composed(batch: Sequence[NewEvent], ids: Sequence[int], ends: dict[Subject, _End], by: Actor) -> Composed:
    recorded_at = now()
    events = list(_chained(batch, ids, ends, by, recorded_at))
    key, city = seal_key(), by.jurisdiction_id
    heads: list[str] = []
    moved: list[HeadRow] = []
    for (kind, ref), end in ends.items():
        sealed = seal(key, city, kind, ref, end.sequence, end.hash)
        if end.is_new:
            heads.append(_head_line(city, kind, ref, end.sequence, end.hash, sealed))
        else:
            moved.append((city, kind, ref, end.sequence, end.hash, sealed))
    return Composed(recorded_at, _jobs(batch, ids), events, heads, moved)


def _write(composed: Composed) -> None:
    copy_lines(
        "ledger_event (id, jurisdiction_id, subject_type, subject_id, sequence, kind, at, actor_kind, actor_ref, body,"
        " previous_hash, hash, recorded_at)",
        composed.events,
    )
    if composed.heads:
        copy_lines("ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)", composed.heads)
    if composed.moved:
        _move_heads(composed.moved)
    defer_many("ledger.deliver", composed.jobs, queue="events")


def _beginnings(subjects: set[Subject]) -> dict[Subject, _End]:
    return {subject: _End(0, GENESIS, True) for subject in subjects}


def _hold_heads(jurisdiction_id: int, subjects: set[Subject]) -> dict[Subject, _End]:
    """The ends of all chains of a batch; rows that exist are locked, in one order so that two imports cannot block each other."""
    ends = _beginnings(subjects)
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


def reserve_ids(count: int) -> list[int]:
    """Ids for events about to be written."""
    return copying.reserve_ids("ledger_event_id_seq", count)


def _chained(
    batch: Sequence[NewEvent], ids: Sequence[int], ends: dict[Subject, _End], by: Actor, recorded_at: datetime
) -> Iterator[str]:
    """COPY's lines of the batch, each event at the end of its chain as it then stands; `ends` moves along."""
    recorded = iso(recorded_at)
    for event_id, new in zip(ids, batch, strict=True):
        end = ends[new.subject_type, new.subject_id]
        end.sequence += 1
        line, end.hash = _linked(event_id, new, end.sequence, end.hash, by, recorded)
        yield line


def _linked(
    event_id: int, new: NewEvent, sequence: int, previous: bytes, by: Actor, recorded: str
) -> tuple[str, bytes]:
    """COPY's line of one event at this place of its chain, and its hash."""
    city, at, actor = by.jurisdiction_id, iso(new.at), new.by or by
    kind, ref = actor.kind.value, actor.ref
    body = new.body if isinstance(new.body, str) else canonical(new.body)
    fact = Fact(event_id, city, new.subject_type, new.subject_id, sequence, new.kind, at, kind, ref, body, recorded)
    head = event_hash(previous, fact)
    line = (
        f"{event_id}\t{city}\t{escaped(new.subject_type)}\t{new.subject_id}\t{sequence}\t{escaped(new.kind)}"
        f"\t{at}\t{kind}\t{ref}\t{escaped(body)}\t\\\\x{previous.hex()}\t\\\\x{head.hex()}\t{recorded}\n"
    )
    return line, head


def _head_line(city: int, kind: str, ref: int, sequence: int, head: bytes, sealed: bytes) -> str:
    return f"{city}\t{escaped(kind)}\t{ref}\t{sequence}\t\\\\x{head.hex()}\t\\\\x{sealed.hex()}\n"


def _move_heads(rows: Sequence[HeadRow]) -> None:
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


def _jobs(batch: Sequence[NewEvent], ids: Sequence[int]) -> list[dict[str, JSONValue]]:
    return [
        {"event_id": event_id, "kind": new.kind, "handler": name}
        for event_id, new in zip(ids, batch, strict=True)
        for name, _ in handlers_of(new.kind)
    ]
