"""One import from beginning to end."""

from __future__ import annotations

import csv
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, connections

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.copying import into_new_pages
from loop311.kit.problems import Conflict, Forbidden, Invalid
from loop311.ledger import bulk
from loop311.requests.imports.areas import Geometry
from loop311.requests.imports.catalogue import prepare
from loop311.requests.imports.drafting import Drafter
from loop311.requests.imports.drafts import Draft, Rejected
from loop311.requests.imports.mapping import Mapping
from loop311.requests.imports.positions import Positions
from loop311.requests.imports.reading import Source, opened
from loop311.requests.imports.scanning import NEW, SAME, Scan, scan
from loop311.requests.imports.writing import Batch, Writer
from loop311.requests.models import ImportRun

BATCH = 5_000
"""Rows in one transaction: a killed import loses at most this many, and takes them up when it is run again."""

_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)

_LOCK = 311_12
"""First key of the advisory lock; the second is the city."""

_SWITCH = 0.000_05
"""Seconds for which the computing thread keeps the interpreter: the writing thread wants it rarely, and then at once."""

Tick = Callable[[int, int], None]
"""Told how many rows were gone through since it was last told, and about how many there are in all, both passes counted."""


@dataclass(slots=True)
class Summary:
    """Every row read is counted once in one of the other four."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    warnings: dict[str, int] = field(default_factory=dict)
    """Rows that were kept although something about them was odd."""

    def counts(self) -> list[int]:
        return [self.read, self.created, self.updated, self.unchanged, self.rejected]


def run(
    jurisdiction: Jurisdiction,
    path: Path,
    mapping: Mapping,
    *,
    by: Actor,
    encoding: str = "",
    dry_run: bool = False,
    rejects: Path | None = None,
    tick: Tick = lambda _rows, _total: None,
) -> Summary:
    """Import a file of past requests. Idempotent by source id; may be killed at any moment and run again.

    Raises Forbidden, Conflict (another import of this city is running), or Invalid with one sentence, before anything
    is written.
    """
    if by.jurisdiction_id != jurisdiction.pk or not by.may("requests.import"):
        raise Forbidden("You may not import requests.")
    zone = _zone(mapping, jurisdiction)
    with (
        opened(path, encoding=encoding or mapping.encoding, delimiter=mapping.delimiter) as source,
        _only_one(jurisdiction),
        ExitStack() as after_writing,
        _database_thread() as executor,
    ):
        job = _Import(jurisdiction, mapping, source, Drafter(mapping, source.header, zone), by, dry_run, executor, tick)
        with _rejects_file(rejects, source.header) as reject:
            return job.run(reject, after_writing)


Reject = Callable[[int, str, Sequence[str]], None]


class _Import:
    def __init__(
        self,
        jurisdiction: Jurisdiction,
        mapping: Mapping,
        source: Source,
        drafter: Drafter,
        by: Actor,
        dry_run: bool,
        executor: Executor,
        tick: Tick,
    ) -> None:
        self._city, self._mapping, self._source, self._drafter = jurisdiction, mapping, source, drafter
        self._by, self._dry_run, self._executor = by, dry_run, executor
        self._tick: Callable[[int], None] = lambda rows: tick(rows, 2 * source.lines)
        self._positions = Positions(mapping.position, drafter.warnings)
        self._summary = Summary()

    def run(self, reject: Reject, after_writing: ExitStack) -> Summary:
        record = None if self._dry_run else self._begin()
        found = scan(self._source, self._drafter, self._city.pk, executor=self._executor, tick=self._tick)
        self._drafter.warnings.clear()
        self._summary.read = found.read
        if found.finds_work:
            if found.flags.count(NEW) >= BATCH and not self._dry_run:
                after_writing.enter_context(into_new_pages(bulk.PAGES))
            self._import(found, reject)
        else:
            self._summary.unchanged = found.read
            self._tick(found.read)
        self._summary.warnings = dict(sorted((+self._drafter.warnings).items()))
        if record:
            record.ended_at, record.counts = now(), self._summary.counts()
            record.save(update_fields=["ended_at", "counts"])
        return self._summary

    def _begin(self) -> ImportRun:
        return ImportRun.objects.create(
            jurisdiction=self._city,
            mapping=self._mapping.source,
            source=self._mapping.source,
            file_digest=self._source.digest,
            started_at=now(),
        )

    def _import(self, found: Scan, reject: Reject) -> None:
        """Drafts are made here while the batch before is written in the executor's thread, over the same connection."""
        words = prepare(self._city, found.namings, self._mapping, by=self._by, publishes=not self._dry_run)
        writer = Writer(self._city, self._mapping, words, by=self._by)
        geometry = Geometry(self._city, self._mapping)
        left = found.flags.count(NEW)
        ids = self._executor.submit(writer.reserve, 0 if self._dry_run else min(left, BATCH))
        pending: Future[None] | None = None
        for batch in self._batches(found, geometry, reject):
            left -= len(batch.new)
            if not self._dry_run:
                writer.prepare(batch, ids.result())
                ids = self._executor.submit(writer.reserve, min(left, BATCH))
                if pending:
                    pending.result()
                pending = self._executor.submit(writer.write, batch)
            self._summary.created += len(batch.new)
            self._summary.updated += len(batch.changed)
        if pending:
            pending.result()

    def _batches(self, found: Scan, geometry: Geometry, reject: Reject) -> Iterator[Batch]:
        new: list[Draft] = []
        changed: list[Draft] = []
        for draft, flag in self._drafts(found, reject):
            (new if flag == NEW else changed).append(draft)
            if len(new) + len(changed) == BATCH:
                yield self._settled(new, changed, geometry, reject)
                new, changed = [], []
        if new or changed:
            yield self._settled(new, changed, geometry, reject)

    def _settled(self, new: list[Draft], changed: list[Draft], geometry: Geometry, reject: Reject) -> Batch:
        drafts = [*new, *changed]
        self._positions.settle(drafts)
        geometry.settle(drafts)
        if self._mapping.position is None or not self._mapping.position.required:
            return Batch(new, changed)
        for draft in drafts:
            if draft.latitude is None:
                self._summary.rejected += 1
                reject(draft.number, "no position that can be believed", draft.row)
        return Batch([d for d in new if d.latitude is not None], [d for d in changed if d.latitude is not None])

    def _drafts(self, found: Scan, reject: Reject) -> Iterator[tuple[Draft, int]]:
        """The second pass: a draft for each row that is new or changed; rows that share an id come last, the newest of each."""
        held: dict[str, list[tuple[int, list[str], int]]] = {}
        flags, repeated = found.flags, found.repeated
        for number, row in enumerate(self._source.rows(), start=1):
            flag = flags[number - 1]
            if number % BATCH == 0:
                self._tick(BATCH)
            if repeated and (source_id := self._repeated_id(row, repeated)):
                held.setdefault(source_id, []).append((number, row, flag))
            elif flag == SAME:
                self._summary.unchanged += 1
            elif draft := self._draft(number, row, found, reject):
                yield draft, flag
        self._tick(found.read % BATCH)
        for rows in held.values():
            yield from self._newest(rows, found, reject)

    def _repeated_id(self, row: list[str], repeated: frozenset[int]) -> str:
        try:
            source_id = self._drafter.source_id(row)
        except IndexError:
            return ""
        return source_id if hash(source_id) in repeated else ""

    def _newest(
        self, rows: list[tuple[int, list[str], int]], found: Scan, reject: Reject
    ) -> Iterator[tuple[Draft, int]]:
        """Of the rows with one id the one touched last (else the last in the file) that is no reject; older ones: unchanged."""
        ordered = sorted(rows, key=lambda item: (self._drafter.updated(item[1]) or _LONG_AGO, item[0]), reverse=True)
        while ordered:
            number, row, flag = ordered.pop(0)
            if flag == SAME:
                self._summary.unchanged += 1
                break
            if draft := self._draft(number, row, found, reject):
                yield draft, flag
                break
        self._summary.unchanged += len(ordered)
        self._drafter.warnings["older_rows_with_the_same_id"] += len(ordered)

    def _draft(self, number: int, row: list[str], found: Scan, reject: Reject) -> Draft | None:
        try:
            draft = self._drafter.draft(row, found.digest(number))
        except Rejected as error:
            self._summary.rejected += 1
            reject(number, str(error), row)
            return None
        draft.number, draft.row = number, row
        return draft


def _zone(mapping: Mapping, jurisdiction: Jurisdiction) -> ZoneInfo:
    try:
        return ZoneInfo(mapping.time_zone or jurisdiction.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        sentence = f"The mapping's time zone {mapping.time_zone!r} is not known; use a name such as America/Chicago."
        raise Invalid(sentence) from error


@contextmanager
def _only_one(jurisdiction: Jurisdiction) -> Iterator[None]:
    """One import of a city at a time. The lock is the session's: it is free again when the process is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, jurisdiction.pk])
        if not cursor.fetchone()[0]:
            raise Conflict(f"Another import for {jurisdiction.slug} is running; try again when it has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, jurisdiction.pk])


@contextmanager
def _database_thread() -> Iterator[Executor]:
    """One thread that works over this thread's connection, while this thread only computes: they never use it at once."""
    mine = connections["default"]
    mine.ensure_connection()
    mine.inc_thread_sharing()
    before, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH)
    gc.disable()  # rows make no cycles, and looking for them was a fifth of the computing
    try:
        with ThreadPoolExecutor(1, initializer=connections.__setitem__, initargs=("default", mine)) as executor:
            yield executor
    finally:
        sys.setswitchinterval(before)
        if collects:
            gc.enable()
        mine.dec_thread_sharing()


@contextmanager
def _rejects_file(path: Path | None, header: Sequence[str]) -> Iterator[Reject]:
    """Writes row number (1 is the first after the header), reason and the row as it was; makes the file even when all is well."""
    if path is None:
        yield lambda _number, _reason, _row: None
        return
    try:
        file: TextIO = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        sentence = f"The rejects file {path} cannot be written: {error.strerror}."
        raise Invalid(sentence) from error
    with file:
        writer = csv.writer(file)
        writer.writerow(["row", "reason", *header])
        yield lambda number, reason, row: writer.writerow([number, reason, *row]) and None
