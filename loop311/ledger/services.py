"""The only writer of the diary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.jobs import defer
from loop311.ledger.announcing import CHANNEL, words
from loop311.ledger.policies import GENESIS, Fact, canonical, event_hash, iso, seal

Handler = Callable[[int], None]
"""Called with the event's id, inside a transaction of its own."""

_handlers: dict[str, tuple[tuple[str, Handler], ...]] = {}
_only_where: dict[str, Callable[[int], bool]] = {}


def wire(
    handlers: Mapping[str, tuple[Handler, ...]], only_where: Mapping[Handler, Callable[[int], bool]] | None = None
) -> None:
    """Called once by the site: which handlers (named by module and function) hear of which kind of event.

    `only_where`: a handler that has something to do in few cities is told only of theirs; asked with each event, by city.
    """
    _handlers.clear()
    for kind, functions in handlers.items():
        _handlers[kind] = tuple((_name(f), f) for f in functions)
    _only_where.update({_name(handler): wanted for handler, wanted in (only_where or {}).items()})


def _name(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"


def handlers_of(kind: str) -> tuple[tuple[str, Handler], ...]:
    return _handlers.get(kind, ())


def seal_key() -> bytes:
    """Derived from the deployment's secret key, so that it is in no table; changing the secret key breaks every seal."""
    return hashlib.sha256(b"loop311 ledger seal" + settings.SECRET_KEY.encode()).digest()


_EVENT = """
INSERT INTO ledger_event (id, jurisdiction_id, subject_type, subject_id, sequence, kind, at, actor_kind, actor_ref,
                          body, previous_hash, hash, recorded_at)
VALUES (%(id)s, %(jurisdiction)s, %(type)s, %(subject)s, %(sequence)s, %(kind)s, %(at)s, %(actor_kind)s, %(actor_ref)s,
        %(body)s, %(previous)s, %(hash)s, %(recorded_at)s)
"""

_ANNOUNCE = f", event AS ({_EVENT}) SELECT pg_notify('{CHANNEL}', %(words)s)"
"""Said when the transaction commits, to whoever has a page open; see announcing.py."""

_FIRST = f"""
WITH head AS (
    INSERT INTO ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)
    VALUES (%(jurisdiction)s, %(type)s, %(subject)s, %(sequence)s, %(hash)s, %(seal)s)
){_ANNOUNCE}"""

_NEXT = f"""
WITH head AS (
    UPDATE ledger_head SET sequence = %(sequence)s, hash = %(hash)s, seal = %(seal)s
    WHERE jurisdiction_id = %(jurisdiction)s AND subject_type = %(type)s AND subject_id = %(subject)s
){_ANNOUNCE}"""


def append(
    kind: str,
    subject_type: str,
    subject_id: int,
    body: Mapping[str, object],
    *,
    by: Actor,
    at: datetime | None = None,
    first: bool = False,
    concerns: Sequence[str] = (),
) -> int:
    """Write one event in the caller's transaction and defer its handlers' jobs with it; returns the event's id.

    `body` holds codes, ids, ISO dates and digests only. `first` says that the subject is new in this transaction,
    which saves reading its head; `concerns` are further topics ('team:3') of those to whom it is announced. Appending to one
    subject is serialised by its head row.
    """
    event_id, sequence, previous = _place(by.jurisdiction_id, subject_type, subject_id, first)
    recorded_at = now()
    fact = Fact(
        id=event_id,
        jurisdiction_id=by.jurisdiction_id,
        subject_type=subject_type,
        subject_id=subject_id,
        sequence=sequence,
        kind=kind,
        at=iso(at or recorded_at),
        actor_kind=by.kind.value,
        actor_ref=by.ref,
        body=canonical(body),
        recorded_at=iso(recorded_at),
    )
    _write(fact, previous, words(fact.jurisdiction_id, event_id, subject_type, subject_id, kind, concerns))
    _defer(event_id, kind, by.jurisdiction_id)
    return event_id


def _write(fact: Fact, previous: bytes, announced: str) -> None:
    this = event_hash(previous, fact)
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST if fact.sequence == 1 else _NEXT,
            {
                "id": fact.id,
                "jurisdiction": fact.jurisdiction_id,
                "type": fact.subject_type,
                "subject": fact.subject_id,
                "sequence": fact.sequence,
                "kind": fact.kind,
                "at": fact.at,
                "actor_kind": fact.actor_kind,
                "actor_ref": fact.actor_ref,
                "body": fact.body,
                "previous": previous,
                "hash": this,
                "words": announced,
                "recorded_at": fact.recorded_at,
                "seal": seal(seal_key(), fact.jurisdiction_id, fact.subject_type, fact.subject_id, fact.sequence, this),
            },
        )


_PLACE = """
SELECT nextval('ledger_event_id_seq'), head.sequence, head.hash FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
    SELECT sequence, hash FROM ledger_head
    WHERE jurisdiction_id = %s AND subject_type = %s AND subject_id = %s FOR UPDATE
) AS head ON true
"""


def _place(jurisdiction_id: int, subject_type: str, subject_id: int, first: bool) -> tuple[int, int, bytes]:
    """The next event's id, its sequence in its chain, and the hash before it; holds the chain's head."""
    subject: list[int | str] = [jurisdiction_id, subject_type, subject_id]
    with connection.cursor() as cursor:
        if first:
            cursor.execute("SELECT nextval('ledger_event_id_seq'), NULL, NULL")
        else:
            cursor.execute(_PLACE, subject)
        event_id, sequence, previous = cursor.fetchone()
        if sequence is None and not first:
            # Nothing to hold yet: two writers of a chain's first event would both be first.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 311))", [":".join(map(str, subject))])
            cursor.execute(_PLACE, subject)
            event_id, sequence, previous = cursor.fetchone()
    return (event_id, 1, GENESIS) if sequence is None else (event_id, sequence + 1, bytes(previous))


def _defer(event_id: int, kind: str, city: int) -> None:
    """One job per handler, in the same transaction as the event: a rollback leaves no job."""
    for name, _ in handlers_of(kind):
        if name in _only_where and not _only_where[name](city):
            continue
        defer("ledger.deliver", queue="events", event_id=event_id, kind=kind, handler=name)


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
