"""One batch of drafts into the tables, in one transaction: COPY into a staging table, then one statement per table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction

from loop311.catalog.definitions import Step
from loop311.interactions import imports as interactions
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import format_number, reserve_numbers
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.copying import NULL, copy_lines, escaped, or_null
from loop311.ledger.bulk import Composed, NewEvent, append_composed, append_many, compose
from loop311.ledger.bulk import reserve_ids as reserve_event_ids
from loop311.requests.imports.catalogue import Words
from loop311.requests.imports.drafting import Draft
from loop311.requests.imports.mapping import Mapping
from loop311.requests.policies import PromiseReason

COMPLETION = '[["record", "statement"]]'
"""The snapshot of the completion rule `imported`."""

_COLUMNS = (
    "request_id, interaction_id, is_new, number, source_id, source_digest, service_id, team_id, state, channel,"
    " received_at, due_at, ended_at, outcome, outcome_note, description, address, answers, areas, latitude, longitude"
)
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (
    request_id bigint, interaction_id bigint, is_new boolean, number text, source_id text, source_digest bytea,
    service_id bigint, team_id bigint, state text, channel text, received_at timestamptz, due_at timestamptz,
    ended_at timestamptz, outcome text, outcome_note text, description text, address text, answers jsonb, areas jsonb,
    latitude float8, longitude float8
) ON COMMIT DELETE ROWS
"""

_INSERT = f"""
INSERT INTO requests_request (id, jurisdiction_id, number, interaction_id, catalogue_version_id, service_id, team_id, state,
    priority, channel, description, answers, address, latitude, longitude, location_note, areas, publicity, completion,
    received_at, due_at, done_at, ended_at, updated_at, outcome, outcome_note, waiting_reason, handed_to,
    handed_reference, joined_count, reopened_count, evidence_after, salt, version, source,
    source_id, source_digest)
SELECT request_id, %(city)s, number, interaction_id, %(version)s, service_id, team_id, state,
    %(priority)s, channel, description, answers, address, latitude, longitude, '', areas, %(publicity)s, '{COMPLETION}',
    received_at, due_at, ended_at, ended_at, %(now)s, outcome, outcome_note, '', '',
    '', 0, 0, 0, '', 1, %(source)s, source_id, source_digest
FROM import_stage WHERE is_new
"""

_UPDATE = """
UPDATE requests_request r SET service_id = s.service_id, team_id = s.team_id, channel = s.channel,
    catalogue_version_id = CASE WHEN r.service_id = s.service_id THEN r.catalogue_version_id ELSE %(version)s END,
    description = s.description, answers = s.answers, address = s.address, latitude = s.latitude,
    longitude = s.longitude, areas = s.areas, received_at = s.received_at, due_at = s.due_at, done_at = s.ended_at,
    ended_at = s.ended_at, outcome = s.outcome, outcome_note = s.outcome_note,
    state = CASE WHEN s.stays THEN r.state ELSE s.state END,
    waiting_reason = CASE WHEN s.stays THEN r.waiting_reason ELSE '' END,
    handed_to = CASE WHEN s.stays THEN r.handed_to ELSE '' END,
    reopened_count = r.reopened_count + (r.done_at IS NOT NULL AND s.ended_at IS NULL)::int,
    dispute_until = NULL, source_digest = s.source_digest, updated_at = %(now)s, version = r.version + 1
FROM (
    SELECT stage.*, stage.state = 'received' AND was.done_at IS NULL AND was.ended_at IS NULL AS stays
    FROM import_stage stage
    JOIN requests_request was ON was.id = stage.request_id
    WHERE NOT stage.is_new
) s
WHERE r.id = s.request_id
"""
"""The ids were read from this city's rows. The city is not said again: where it is new, the planner takes its rows for one
and goes through all of them for each row of the batch.

The source is the master of what it says. A source that says no more than 'open' leaves the state that work here has reached."""

_CLOCKS = """
UPDATE requests_clockstop c SET ended_at = greatest(%(now)s, c.started_at)
FROM import_stage s JOIN requests_request r ON r.id = s.request_id
WHERE NOT s.is_new AND c.jurisdiction_id = %(city)s AND c.request_id = s.request_id AND c.ended_at IS NULL
    AND r.state <> 'waiting'
"""

_PROMISES = """
INSERT INTO requests_promise (jurisdiction_id, request_id, step, sequence, due_at, made_at, reason, note,
    catalogue_version_id, policy)
SELECT %(city)s, s.request_id, %(step)s, coalesce(last.sequence, 0) + 1, s.due_at,
    CASE WHEN s.is_new THEN s.received_at ELSE %(now)s END, %(reason)s, '', %(version)s, ''
FROM import_stage s
LEFT JOIN LATERAL (
    SELECT p.sequence, p.due_at FROM requests_promise p
    WHERE NOT s.is_new AND p.jurisdiction_id = %(city)s AND p.request_id = s.request_id AND p.step = %(step)s
    ORDER BY p.sequence DESC LIMIT 1
) last ON true
WHERE s.due_at IS NOT NULL AND s.due_at IS DISTINCT FROM last.due_at
"""

_KNOWN = """
SELECT source_id, id, interaction_id FROM requests_request
WHERE jurisdiction_id = %s AND source = %s AND source <> '' AND source_id = ANY(%s) ORDER BY id FOR UPDATE
"""


class Ids(NamedTuple):
    """Taken before they are needed, so that a batch can be made ready while the one before it is written."""

    requests: Sequence[int]
    contacts: Sequence[int]
    events: Sequence[int]

    def first(self, count: int) -> Ids:
        return Ids(self.requests[:count], self.contacts[:count], self.events[:count])


_NO_IDS = Ids((), (), ())


@dataclass(slots=True)
class Batch:
    """Drafts of rows that are new, and of rows whose request is there already but says something else now."""

    new: Sequence[Draft]
    changed: Sequence[Draft]
    ids: Ids = _NO_IDS
    """For the new ones, by `Writer.prepare`."""
    events: Composed | None = None
    """That the new ones were imported, by `Writer.prepare`."""


class Writer:
    """Writes the batches of one import."""

    def __init__(self, jurisdiction: Jurisdiction, mapping: Mapping, words: Words, *, by: Actor) -> None:
        self._city = jurisdiction
        self._zone = jurisdiction.zone
        self._mapping = mapping
        self._words = words
        self._by = by

    def write(self, batch: Batch) -> None:
        """All of the batch or nothing. Numbers are taken first and apart, so that filings need not wait for the batch."""
        numbers = self._numbers(batch.new)
        with transaction.atomic():
            _run("SET LOCAL synchronous_commit = off")
            known = self._known(batch.changed)
            self._stage(batch, numbers, known)
            self._write_tables(batch)
            if batch.events:
                append_composed(batch.events)
            append_many(self._city.pk, self._updated(batch.changed, known), self._by)
            _run("TRUNCATE import_stage")

    def _numbers(self, drafts: Sequence[Draft]) -> list[str]:
        """In the order of the drafts, each from the series of its local year."""
        years = [local_year(draft.received_at, self._zone) for draft in drafts]
        following = {
            year: reserve_numbers(self._city.pk, "request", year, count)
            for year, count in sorted(Counter(years).items())
        }
        numbers = []
        for year in years:
            numbers.append(format_number(year, following[year]))
            following[year] += 1
        return numbers

    def _known(self, drafts: Sequence[Draft]) -> dict[str, tuple[int, int]]:
        """Source id -> ids of request and contact; the requests are held."""
        if not drafts:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [self._city.pk, self._mapping.source, [draft.source_id for draft in drafts]])
            return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}

    def _stage(self, batch: Batch, numbers: Sequence[str], known: dict[str, tuple[int, int]]) -> None:
        _run(_STAGE)
        lines = [
            f"{request_id}\t{contact_id}\tt\t{number}\t{draft.line}"
            for request_id, contact_id, number, draft in zip(
                batch.ids.requests, batch.ids.contacts, numbers, batch.new, strict=True
            )
        ]
        for draft in batch.changed:
            request_id, contact_id = known[draft.source_id]
            lines.append(f"{request_id}\t{contact_id}\tf\t\t{draft.line}")
        copy_lines(f"import_stage ({_COLUMNS})", lines)

    def reserve(self, count: int) -> Ids:
        """For up to so many new rows; those that are not used are lost, as with any sequence."""
        return Ids(_reserve_ids(count), interactions.reserve_ids(count), reserve_event_ids(count))

    def prepare(self, batch: Batch, ids: Ids) -> None:
        """All of a batch's lines and events, before its turn has come to be written. Works without the database."""
        for draft in (*batch.new, *batch.changed):
            self._spell(draft)
        batch.ids = ids.first(len(batch.new))
        events = [
            NewEvent("request.imported", "request", request_id, draft.body, draft.received_at)
            for request_id, draft in zip(batch.ids.requests, batch.new, strict=True)
        ]
        batch.events = compose(events, batch.ids.events, self._by) if events else None

    def _spell(self, d: Draft) -> None:
        """Its line, and its event's body as `canonical` would spell it: digits, codes and times, that need no escapes."""
        service_id, team_id = self._words.of(d.naming)
        digest, due = d.digest.hex(), d.due_at and d.due_at.isoformat()
        d.line = (
            f"{escaped(d.source_id)}\t\\\\x{digest}\t{service_id}\t{team_id}\t{d.state}\t{d.channel}"
            f"\t{d.received_at.isoformat()}\t{due or NULL}\t{d.ended_at.isoformat() if d.ended_at else NULL}"
            f"\t{d.outcome}\t{escaped(d.outcome_note)}\t{escaped(d.description)}\t{escaped(d.address)}"
            f"\t{escaped(d.kept)}\t{escaped(msgspec.json.encode(d.areas).decode())}"
            f"\t{or_null(d.latitude)}\t{or_null(d.longitude)}\n"
        )
        promise = f'"due_at":"{due}",' if due else ""
        d.body = (
            f'{{"digest":"{digest}",{promise}"service":{service_id},"source":"{self._mapping.source}",'
            f'"state":"{d.state}","team":{team_id}}}'
        )

    def _write_tables(self, batch: Batch) -> None:
        values: dict[str, str | int | datetime] = {
            "city": self._city.pk,
            "version": self._words.version_id,
            "priority": self._mapping.priority.value,
            "publicity": self._mapping.publicity.value,
            "source": self._mapping.source,
            "step": Step.RESOLUTION.value,
            "reason": PromiseReason.IMPORTED.value,
            "now": now(),
        }
        if batch.changed:
            _run("ANALYZE import_stage (request_id, interaction_id, is_new)")
        interactions.write_staged("import_stage", self._city.pk, self._mapping.source, corrects=bool(batch.changed))
        _run(_INSERT, values)
        if batch.changed:
            _run(_UPDATE, values)
            _run(_CLOCKS, values)
        _run(_PROMISES, values)

    def _updated(self, drafts: Sequence[Draft], known: dict[str, tuple[int, int]]) -> Iterator[NewEvent]:
        at = now()
        for draft in drafts:
            yield NewEvent("request.import_updated", "request", known[draft.source_id][0], draft.body, at)


def local_year(moment: datetime, zone: ZoneInfo) -> int:
    """Of the city's own calendar. Only around New Year can the year at the source's offset be another."""
    if moment.month in (1, 12) and moment.day in (1, 31):
        return moment.astimezone(zone).year
    return moment.year


def _reserve_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('requests_request_id_seq') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def _run(sql: str, values: dict[str, str | int | datetime] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
