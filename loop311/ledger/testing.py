"""Builders for tests: events of the past, and a hand that writes SQL with the triggers off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from django.db import connection, transaction

from loop311.ledger.policies import GENESIS, Fact, event_hash, iso

_ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| .+ \| (.*) \|$", re.MULTILINE)
_CARRIED = {
    "request": {"number", "state", "version"},
    "callback": {"resident", "request", "window_from", "window_to"},
}
"""What every body of a subject carries, said once at the top of the page."""


def documented_bodies(page: Path) -> dict[str, set[str]]:
    """Kind -> the names a body of it may hold, from docs/reference/events.md."""
    rows = _ROW.findall(page.read_text())
    return {kind: set(re.findall(r"`(\w+)`", keys)) | _CARRIED.get(kind.split(".")[0], set()) for kind, keys in rows}


@contextmanager
def only_documented_bodies(page: Path) -> Iterator[None]:
    """Whoever appends an event inside whose body holds what the page does not list fails. Kinds the page lacks pass."""
    known = documented_bodies(page)

    def checked(previous: bytes, fact: Fact) -> bytes:
        extra = set(json.loads(fact.body)) - known.get(fact.kind, set()) if fact.kind in known else set()
        if extra:
            raise AssertionError(f"{fact.kind}: {sorted(extra)} in its body are not in {page.name}")
        return event_hash(previous, fact)

    with patch("loop311.ledger.services.event_hash", checked), patch("loop311.ledger.bulk.event_hash", checked):
        yield


@contextmanager
def recorded_at(at: datetime) -> Iterator[None]:
    """Everything appended inside is recorded at this instant."""
    with patch("loop311.ledger.services.now", return_value=at), patch("loop311.ledger.bulk.now", return_value=at):
        yield


@contextmanager
def tampering() -> Iterator[None]:
    """What is done inside is undone at the end; the triggers are off, as the owner of the tables can have them."""
    with transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be altered
        for table in ("ledger_event", "ledger_head", "ledger_checkpoint"):
            run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        run("SET CONSTRAINTS ALL DEFERRED")
        yield
        transaction.set_rollback(True)


def run(sql: str, *params: object) -> int:
    """Plain SQL; returns the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)  # type: ignore[arg-type]
        return int(cursor.rowcount)


def rechain(city: int, subject_type: str, subject_id: int) -> None:
    """What a forger does who knows the hash but not the key: number the chain anew, hash it, and set the head to its end."""
    chain = "jurisdiction_id = %s AND subject_type = %s AND subject_id = %s"
    key = (city, subject_type, subject_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, at, actor_kind, actor_ref, body, recorded_at FROM ledger_event"
            f" WHERE {chain} ORDER BY sequence",
            key,
        )
        rows = cursor.fetchall()
    run(f"UPDATE ledger_event SET sequence = -sequence WHERE {chain}", *key)
    previous = GENESIS
    for sequence, (pk, kind, at, actor_kind, ref, body, recorded) in enumerate(rows, 1):
        fact = Fact(pk, *key, sequence, kind, iso(at), actor_kind, ref, body, iso(recorded))
        this = event_hash(previous, fact)
        renewed = "UPDATE ledger_event SET sequence = %s, previous_hash = %s, hash = %s WHERE id = %s"
        run(renewed, sequence, previous, this, pk)
        previous = this
    run(f"UPDATE ledger_head SET sequence = %s, hash = %s WHERE {chain}", len(rows), previous, *key)
