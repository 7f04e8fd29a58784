"""The only writer of the diary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from procrastinate.contrib.django import app

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.ledger.policies import GENESIS, Fact, canonical, event_hash, seal

Handler = Callable[[int], None]
"""Called with the event's id, inside a transaction of its own."""

_handlers: dict[str, tuple[tuple[str, Handler], ...]] = {}


def wire(handlers: Mapping[str, tuple[Handler, ...]]) -> None:
    """Called once by the site: which handlers (named by module and function) hear of which kind of event."""
    _handlers.clear()
    for kind, functions in handlers.items():
        _handlers[kind] = tuple((f"{f.__module__}.{f.__qualname__}", f) for f in functions)


def handlers_of(kind: str) -> tuple[tuple[str, Handler], ...]:
    return _handlers.get(kind, ())


def seal_key() -> bytes:
    """Derived from the deployment's secret key, so that it is in no table."""
    return hashlib.sha256(b"loop311 ledger seal" + settings.SECRET_KEY.encode()).digest()


_FIRST = """
WITH head AS (
    INSERT INTO ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)
    VALUES (%(jurisdiction)s, %(type)s, %(subject)s, %(sequence)s, %(hash)s, %(seal)s)
)
INSERT INTO ledger_event (jurisdiction_id, subject_type, subject_id, sequence, kind, at, actor_kind, actor_ref, body,
                          previous_hash, hash)
VALUES (%(jurisdiction)s, %(type)s, %(subject)s, %(sequence)s, %(kind)s, %(at)s, %(actor_kind)s, %(actor_ref)s,
        %(body)s, %(previous)s, %(hash)s) RETURNING id
"""

_NEXT = _FIRST.replace(
    """    INSERT INTO ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)
    VALUES (%(jurisdiction)s, %(type)s, %(subject)s, %(sequence)s, %(hash)s, %(seal)s)
""",
    """    UPDATE ledger_head SET sequence = %(sequence)s, hash = %(hash)s, seal = %(seal)s
    WHERE jurisdiction_id = %(jurisdiction)s AND subject_type = %(type)s AND subject_id = %(subject)s
""",
)


def append(
    kind: str,
    subject_type: str,
    subject_id: int,
    body: Mapping[str, object],
    *,
    by: Actor,
    at: datetime | None = None,
    first: bool = False,
) -> int:
    """Write one event in the caller's transaction and defer its handlers' jobs with it; returns the event's id.

    `body` holds codes, ids, ISO dates and digests only. `first` says that the subject is new in this transaction,
    which saves reading its head. Appending to one subject is serialised by its head row.
    """
    sequence, previous = (1, GENESIS) if first else _next_place(by.jurisdiction_id, subject_type, subject_id)
    fact = Fact(
        jurisdiction_id=by.jurisdiction_id,
        subject_type=subject_type,
        subject_id=subject_id,
        sequence=sequence,
        kind=kind,
        at=at or now(),
        actor_kind=by.kind.value,
        actor_ref=by.ref,
        body=canonical(body),
    )
    this = event_hash(previous, fact)
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST if sequence == 1 else _NEXT,
            {
                "jurisdiction": fact.jurisdiction_id,
                "type": subject_type,
                "subject": subject_id,
                "sequence": sequence,
                "hash": this,
                "seal": seal(seal_key(), fact.jurisdiction_id, subject_type, subject_id, sequence, this),
                "kind": kind,
                "at": fact.at,
                "actor_kind": fact.actor_kind,
                "actor_ref": fact.actor_ref,
                "body": fact.body,
                "previous": previous,
            },
        )
        event_id = int(cursor.fetchone()[0])
    _defer(event_id, kind)
    return event_id


def _next_place(jurisdiction_id: int, subject_type: str, subject_id: int) -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence, hash FROM ledger_head"
            " WHERE jurisdiction_id = %s AND subject_type = %s AND subject_id = %s FOR UPDATE",
            [jurisdiction_id, subject_type, subject_id],
        )
        row = cursor.fetchone()
    return (1, GENESIS) if row is None else (row[0] + 1, bytes(row[1]))


def _defer(event_id: int, kind: str) -> None:
    """One job per handler, in the same transaction as the event: a rollback leaves no job."""
    for name, _ in handlers_of(kind):
        app.configure_task("ledger.deliver", queue="events").defer(event_id=event_id, kind=kind, handler=name)


def handle(event_id: int, kind: str, handler: str) -> bool:
    """Run one handler for one event, once: the note that it ran commits together with what it wrote. True if it ran now."""
    function = dict(handlers_of(kind)).get(handler)
    if function is None:
        raise LookupError(f"no handler {handler} is wired to {kind}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_handled (event_id, handler, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [event_id, handler, now()],
        )
        if cursor.rowcount == 0:
            return False
        function(event_id)
    return True
