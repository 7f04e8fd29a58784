"""Reads a city's whole ledger and names what is not as it was written. Streams: memory does not grow with the ledger."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import sql

from loop311.ledger.chains import Fault, Head, Link, chain_faults
from loop311.ledger.checkpoints import CHECKPOINT_MADE, CHUNK, day_bounds, day_tree
from loop311.ledger.policies import GENESIS, CheckpointFact, Fact, checkpoint_hash, checkpoint_seal
from loop311.ledger.services import seal_key

Progress = Callable[[int], None]
"""Told how many events more were read."""

_subject_tables: dict[str, str] = {}


def register_subjects(tables: Mapping[str, str]) -> None:
    """Called once by the site: {'request': 'requests_request'}: each row of these tables must have a chain."""
    _subject_tables.clear()
    _subject_tables.update(tables)


def verify(jurisdiction_id: int | None = None, *, progress: Progress = lambda count: None) -> list[Fault]:
    """All faults of one city's ledger, or of all cities' and of what belongs to none."""
    if jurisdiction_id is not None:
        return list(city_faults(jurisdiction_id, progress=progress))
    faults = [fault for city in _cities() for fault in city_faults(city, progress=progress)]
    return faults + list(_dangling_faults())


def city_faults(jurisdiction_id: int, *, progress: Progress = lambda count: None) -> Iterator[Fault]:
    """The faults of one city as they are found, all seen at one instant while others write on."""
    with transaction.atomic():
        freeze()
        closed: dict[str, str] = {}
        yield from _chains(jurisdiction_id, closed, progress)
        yield from _chainless_heads(jurisdiction_id)
        yield from _chainless_subjects(jurisdiction_id)
        yield from _checkpoints(jurisdiction_id, closed)


def freeze() -> None:
    """One snapshot for all queries; inside a caller's transaction (tests) its own snapshot must do.

    A city that is new is one row to the planner until its tables are analysed: a nested loop over all of its events for each
    of them took minutes after an import. Whole cities are read here, for which a merge or a hash is never the wrong join.
    """
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL enable_nestloop = off")


def _cities() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM jurisdictions_jurisdiction UNION SELECT jurisdiction_id FROM ledger_event"
            " UNION SELECT jurisdiction_id FROM ledger_head UNION SELECT jurisdiction_id FROM ledger_checkpoint"
            " ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


_ISO = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
"""As policies.iso: a time that was made infinite is then a wrong text and not an error of the driver."""

EVENTS = f"""
SELECT e.id, e.jurisdiction_id, e.subject_type, e.subject_id, e.sequence, e.kind, coalesce({_ISO.format("e.at")}, ''),
       e.actor_kind, e.actor_ref, e.body, coalesce({_ISO.format("e.recorded_at")}, ''), e.previous_hash, e.hash,
       h.sequence, h.hash, h.seal
FROM ledger_event e LEFT JOIN ledger_head h
  ON h.jurisdiction_id = e.jurisdiction_id AND h.subject_type = e.subject_type AND h.subject_id = e.subject_id
WHERE e.jurisdiction_id = %s
ORDER BY e.jurisdiction_id, e.subject_type, e.subject_id, e.sequence
"""

Row = tuple[Any, ...]
"""As the driver gives it; typed where it becomes a Link."""


def stream(query: str, params: Sequence[int | str | datetime]) -> Iterator[Row]:
    """Rows through a cursor on the server; the caller has opened a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, params)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


def links(jurisdiction_id: int) -> Iterator[Link]:
    """All events of a city, chain after chain."""
    for row in stream(EVENTS, [jurisdiction_id]):
        yield Link(Fact._make(row[:11]), row[11], row[12], None if row[13] is None else Head._make(row[13:]))


def _chains(jurisdiction_id: int, closed: dict[str, str], progress: Progress) -> Iterator[Fault]:
    """Fills `closed` with what the ledger itself says about checkpoints: day -> hash."""
    key = seal_key()
    for _, chain in groupby(_noted(links(jurisdiction_id), closed, progress), key=lambda link: link.fact[2:4]):
        yield from chain_faults(chain, key)


def _noted(found: Iterator[Link], closed: dict[str, str], progress: Progress) -> Iterator[Link]:
    count = 0
    for count, link in enumerate(found, 1):
        if link.fact.kind == CHECKPOINT_MADE:
            _note_checkpoint(link.fact.body, closed)
        yield link
        if count % CHUNK == 0:
            progress(CHUNK)
    progress(count % CHUNK)


def _note_checkpoint(body: str, closed: dict[str, str]) -> None:
    """An edited body is named by its own chain; here it only must not stop the reading."""
    try:
        told = json.loads(body)
        closed[str(told["day"])] = str(told["hash"])
    except (ValueError, KeyError, TypeError):
        return


def _chainless_heads(jurisdiction_id: int) -> Iterator[Fault]:
    query = """
        SELECT subject_type, subject_id, sequence FROM ledger_head h WHERE jurisdiction_id = %s AND NOT EXISTS (
            SELECT FROM ledger_event e WHERE e.jurisdiction_id = h.jurisdiction_id
            AND e.subject_type = h.subject_type AND e.subject_id = h.subject_id)
    """
    for kind, ref, sequence in stream(query, [jurisdiction_id]):
        yield Fault(
            f"{kind} {ref}", None, f"Removed: the whole chain; its head says that there were {sequence} events."
        )


def _chainless_subjects(jurisdiction_id: int) -> Iterator[Fault]:
    for kind, table in _subject_tables.items():
        query = sql.SQL(
            "SELECT id FROM {} AS subject WHERE jurisdiction_id = %s AND NOT EXISTS (SELECT FROM ledger_event e"
            " WHERE e.jurisdiction_id = subject.jurisdiction_id AND e.subject_type = %s AND e.subject_id = subject.id)"
        ).format(sql.Identifier(table))
        for (ref,) in stream(query.as_string(), [jurisdiction_id, kind]):
            yield Fault(f"{kind} {ref}", None, "Removed: it has a row but no events; or the row was inserted.")


def _dangling_faults() -> Iterator[Fault]:
    """Notes of handlers outlive an event that was removed with its head."""
    with transaction.atomic():
        for (ref,) in stream(
            "SELECT DISTINCT event_id FROM ledger_handled h"
            " WHERE NOT EXISTS (SELECT FROM ledger_event e WHERE e.id = h.event_id)",
            [],
        ):
            yield Fault("ledger", ref, f"Removed: event {ref}, of which handlers were told.")


CHECKPOINTS = f"""
SELECT jurisdiction_id, day::text, events, root, coalesce({_ISO.format("made_at")}, ''), previous, hash, seal
FROM ledger_checkpoint WHERE jurisdiction_id = %s ORDER BY day
"""


class Closed(NamedTuple):
    """A checkpoint as it stands in the table."""

    fact: CheckpointFact
    previous: bytes
    hash: bytes
    seal: bytes


def closed_days(jurisdiction_id: int) -> Iterator[Closed]:
    for row in stream(CHECKPOINTS, [jurisdiction_id]):
        yield Closed(CheckpointFact._make(row[:5]), *row[5:])


def _checkpoints(jurisdiction_id: int, told: dict[str, str]) -> Iterator[Fault]:
    """Each day's checkpoint against its own seal, the day before, the day's events and the ledger's word (`told`)."""
    last: Closed | None = None
    for one in closed_days(jurisdiction_id):
        yield from _own_faults(one, told.pop(one.fact.day, None))
        day = _day(one)
        if day is None:
            continue
        yield from _day_faults(one, day)
        yield from _order_faults(last, one, day)
        last = one
    for missing in sorted(told):
        yield Fault(f"checkpoint {missing}", None, "Removed: the ledger says that this checkpoint was made.")


def _day(one: Closed) -> date | None:
    """None for a day no calendar has ('infinity'), which is named as edited."""
    try:
        return date.fromisoformat(one.fact.day)
    except ValueError:
        return None


def _own_faults(one: Closed, told: str | None) -> Iterator[Fault]:
    subject = f"checkpoint {one.fact.day}"
    if checkpoint_hash(one.previous, one.fact) != one.hash:
        yield Fault(subject, None, "Edited: the checkpoint is not as it was written.")
    elif not hmac.compare_digest(checkpoint_seal(seal_key(), one.hash), one.seal):
        yield Fault(subject, None, "Edited or inserted: the checkpoint's seal is not ours.")
    if told is None:
        yield Fault(subject, None, "Inserted: the ledger does not say that this checkpoint was made.")
    elif told != one.hash.hex():
        yield Fault(subject, None, "Replaced: the ledger says that this checkpoint had another hash.")


def _day_faults(one: Closed, day: date) -> Iterator[Fault]:
    tree = day_tree(one.fact.jurisdiction_id, day)
    if (tree.leaves, tree.root()) != (one.fact.events, one.fact.root):
        yield Fault(f"checkpoint {day}", None, _day_sentence(tree.leaves, one.fact.events))


def _day_sentence(now_there: int, closed_with: int) -> str:
    if now_there < closed_with:
        return f"Removed: {closed_with - now_there} of the {closed_with} events recorded that day."
    if now_there > closed_with:
        return f"Inserted: {now_there - closed_with} events more than the {closed_with} recorded that day."
    return f"Edited or replaced: among the {closed_with} events recorded that day."


def _order_faults(before: Closed | None, after: Closed, day: date) -> Iterator[Fault]:
    subject = f"checkpoint {day}"
    if before is None:
        if after.previous != GENESIS:
            yield Fault(subject, None, "Removed: the checkpoints before it.")
        yield from _before_the_first(after.fact.jurisdiction_id, day)
    elif date.fromisoformat(before.fact.day) + timedelta(days=1) != day:
        yield Fault(subject, None, f"Removed: the checkpoints between it and {before.fact.day}.")
    elif after.previous != before.hash:
        yield Fault(subject, None, f"Replaced: it does not follow the checkpoint of {before.fact.day}.")


def _before_the_first(jurisdiction_id: int, day: date) -> Iterator[Fault]:
    query = "SELECT subject_type, subject_id, id FROM ledger_event WHERE jurisdiction_id = %s AND recorded_at < %s"
    for kind, ref, event in stream(query, [jurisdiction_id, day_bounds(day)[0]]):
        yield Fault(f"{kind} {ref}", event, "Inserted: recorded before the first checkpoint.")
