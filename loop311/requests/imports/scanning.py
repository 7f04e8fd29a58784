"""The first pass: every row's id and digest against what is stored, so that an unchanged file costs no second pass."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np
import psycopg
from django.db import connection

from loop311.requests.imports.drafting import Drafter
from loop311.requests.imports.drafts import Naming, Row
from loop311.requests.imports.reading import Source

BATCH = 20_000

SAME, NEW, CHANGED = 0, 1, 2

_LOOKUP = """
SELECT wanted.position, known.id IS NULL
FROM unnest(string_to_array((SELECT %s::text), E'\\n')) WITH ORDINALITY AS wanted (source_id, position)
LEFT JOIN requests_request known ON known.jurisdiction_id = %s AND known.source = %s AND known.source <> ''
    AND known.source_id = wanted.source_id
WHERE known.source_digest IS DISTINCT FROM substr(%s, (wanted.position::int - 1) * 32 + 1, 32)
"""
"""The ids stand in a subselect so that the planner cannot count them: it would read a big table whole for twenty thousand."""


@dataclass(slots=True)
class Scan:
    """What the first pass found."""

    read: int = 0
    flags: bytearray = field(default_factory=bytearray)
    """SAME, NEW or CHANGED for each row of the file."""
    digests: bytearray = field(default_factory=bytearray)
    """32 bytes for each row, so that the second pass need not compute them again."""
    namings: Counter[Naming] = field(default_factory=Counter)
    """Of all rows that have a service and a department."""
    repeated: frozenset[int] = frozenset()
    """Hashes (of this process) of the source ids that stand more than once in the file."""

    def digest(self, number: int) -> bytes:
        """Of the row of this number; 1 is the first."""
        return bytes(self.digests[number * 32 - 32 : number * 32])

    @property
    def finds_work(self) -> bool:
        return bool(self.flags.strip(b"\0"))


def scan(
    source: Source, drafter: Drafter, jurisdiction_id: int, *, executor: Executor, tick: Callable[[int], None]
) -> Scan:
    """Read the whole file once. The look-ups run in `executor` while the next rows are read."""
    result, hashes = Scan(), array("q")
    pending: Future[bytes] | None = None
    for ids, digests in _batches(source, drafter, result, hashes):
        if pending:
            result.flags += pending.result()
        result.digests += b"".join(digests)
        pending = executor.submit(_flags, jurisdiction_id, drafter.mapping.source, ids, digests)
        tick(len(ids))
    if pending:
        result.flags += pending.result()
    result.repeated = _repeated(hashes)
    return result


def _batches(
    source: Source, drafter: Drafter, result: Scan, hashes: array[int]
) -> Iterator[tuple[list[str], list[bytes]]]:
    ids: list[str] = []
    digests: list[bytes] = []
    namings: Counter[Naming] = Counter()
    for row in source.rows():
        source_id, digest = _identity(drafter, row, namings)
        ids.append(source_id)
        digests.append(digest)
        if source_id:
            hashes.append(hash(source_id))
        if len(ids) == BATCH:
            yield ids, digests
            result.read += BATCH
            ids, digests = [], []
    if ids:
        yield ids, digests
    result.read += len(ids)
    result.namings = Counter({n: count for n, count in namings.items() if n.service and n.department})


def _identity(drafter: Drafter, row: Row, namings: Counter[Naming]) -> tuple[str, bytes]:
    """Id and digest; nothing for a row that is too short or whose id cannot be looked up, so that the second pass rejects it."""
    try:
        source_id = drafter.source_id(row)
        if not source_id.isprintable():
            return "", b"\0" * 32
        namings[drafter.naming(row)] += 1
        return source_id, drafter.digest(row)
    except IndexError:
        return "", b"\0" * 32


def _flags(jurisdiction_id: int, source: str, ids: list[str], digests: list[bytes]) -> bytes:
    """One query. A plain psycopg cursor binds the digests as binary."""
    flags = bytearray(len(ids))
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_LOOKUP, ["\n".join(ids), jurisdiction_id, source, b"".join(digests)], prepare=False)
        for position, is_new in cursor:
            flags[position - 1] = NEW if is_new else CHANGED
    return bytes(flags)


def _repeated(hashes: array[int]) -> frozenset[int]:
    values = np.frombuffer(hashes, dtype=np.int64) if len(hashes) else np.empty(0, np.int64)
    values = np.sort(values)
    return frozenset(values[1:][values[1:] == values[:-1]].tolist())
