"""One batch of drafts into the tables, in one transaction: COPY into a staging table, then one statement per table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
from loop311.kit.copying import NULL, copy_lines, escaped, or_null, reserve_ids
from loop311.ledger.bulk import Composed, NewEvent, append_composed, append_many, compose
from loop311.ledger.bulk import reserve_ids as reserve_event_ids
from loop311.requests.imports.catalogue import Words
from loop311.requests.imports.drafts import Draft
from loop311.requests.imports.mapping import Mapping
from loop311.requests.policies import PromiseReason

COMPLETION = '[["record", "statement"]]'
"""The snapshot of the completion rule `imported`."""

_TOLD = (
    "source_id, source_digest, service_id, team_id, state, channel, received_at, due_at, ended_at, outcome, outcome_note,"
    " description, address, answers, areas, latitude, longitude"
)
"""The columns that a draft's line holds, of the table as of the staging table."""

_ADDED = (
    f"requests_request (id, interaction_id, number, {_TOLD}, done_at, jurisdiction_id, catalogue_version_id, priority,"
    " publicity, completion, updated_at, source, location_note, waiting_reason, handed_to, handed_reference, joined_count,"
    " reopened_count, evidence_after, salt, version)"
)
_PROMISED = (
    "requests_promise (request_id, due_at, made_at, jurisdiction_id, step, sequence, reason, note, catalogue_version_id,"
    " policy)"
)
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (
    request_id bigint, interaction_id bigint, source_id text, source_digest bytea, service_id bigint, team_id bigint,
    state text, channel text, received_at timestamptz, due_at timestamptz, ended_at timestamptz, outcome text,
    outcome_note text, description text, address text, answers jsonb, areas jsonb, latitude float8, longitude float8
) ON COMMIT DELETE ROWS
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
) s
WHERE r.id = s.request_id
"""
"""The ids were read from this city's rows. The city is not said again: where it is new, the planner takes its rows for one
and goes through all of them for each row of the batch.

The source is the master of what it says. A source that says no more than 'open' leaves the state that work here has reached."""

_CLOCKS = """
UPDATE requests_clockstop c SET ended_at = greatest(%(now)s, c.started_at)
FROM import_stage s JOIN requests_request r ON r.id = s.request_id
WHERE c.jurisdiction_id = %(city)s AND c.request_id = s.request_id AND c.ended_at IS NULL
    AND r.state <> 'waiting'
"""

_PROMISES = """
INSERT INTO requests_promise (jurisdiction_id, request_id, step, sequence, due_at, made_at, reason, note,
    catalogue_version_id, policy)
SELECT %(city)s, s.request_id, %(step)s, coalesce(last.sequence, 0) + 1, s.due_at, %(now)s, %(reason)s, '', %(version)s, ''
FROM import_stage s
LEFT JOIN LATERAL (
    SELECT p.sequence, p.due_at FROM requests_promise p
    WHERE p.jurisdiction_id = %(city)s AND p.request_id = s.request_id AND p.step = %(step)s
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
    contacts: list[str] = field(default_factory=list)
    """Lines of COPY for the new ones, by `Writer.prepare`, as are `promises`."""
    promises: list[str] = field(default_factory=list)


class Writer:
    """Writes the batches of one import."""

    def __init__(self, jurisdiction: Jurisdiction, mapping: Mapping, words: Words, *, by: Actor) -> None:
        self._city = jurisdiction
        self._zone = jurisdiction.zone
        self._mapping = mapping
        self._words = words
        self._by = by

    def write(self, batch: Batch) -> None:
        """All of the batch or nothing. Numbers are taken first and apart, so that filings need not wait for the batch.

        Nobody is told of a batch before the import's own end is committed, so no batch waits for the disk by itself.
        """
        numbers = self._numbers(batch.new)
        with transaction.atomic():
            _run("SET LOCAL synchronous_commit = off")
            known = self._known(batch.changed)
            if batch.new:
                self._add(batch, numbers)
            if batch.changed:
                self._change(batch.changed, known)
            if batch.events:
                append_composed(batch.events)
            append_many(self._city.pk, self._updated(batch.changed, known), self._by)

    def _add(self, batch: Batch, numbers: Sequence[str]) -> None:
        interactions.write_added(batch.contacts)
        ids = zip(batch.ids.requests, batch.ids.contacts, numbers, batch.new, strict=True)
        copy_lines(_ADDED, [f"{request}\t{contact}\t{number}\t{draft.line}" for request, contact, number, draft in ids])
        copy_lines(_PROMISED, batch.promises)

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

    def _change(self, drafts: Sequence[Draft], known: dict[str, tuple[int, int]]) -> None:
        _run(_STAGE)
        lines = ["{}\t{}\t{}".format(*known[draft.source_id], draft.line) for draft in drafts]
        copy_lines(f"import_stage (request_id, interaction_id, {_TOLD})", lines)
        _run("ANALYZE import_stage (request_id, interaction_id)")
        values: dict[str, str | int | datetime] = {
            "city": self._city.pk,
            "version": self._words.version_id,
            "step": Step.RESOLUTION.value,
            "reason": PromiseReason.IMPORTED.value,
            "now": now(),
        }
        interactions.correct_staged("import_stage")
        for sql in (_UPDATE, _CLOCKS, _PROMISES):
            _run(sql, values)
        _run("TRUNCATE import_stage")

    def reserve(self, count: int) -> Ids:
        """For up to so many new rows; those that are not used are lost, as with any sequence."""
        return Ids(
            reserve_ids("requests_request_id_seq", count), interactions.reserve_ids(count), reserve_event_ids(count)
        )

    def prepare(self, batch: Batch, ids: Ids) -> None:
        """All of a batch's lines and events, before its turn has come to be written. Works without the database."""
        for draft in batch.changed:
            self._spell(draft, "\n")
        batch.ids = ids.first(len(batch.new))
        if batch.new:
            self._prepare_new(batch)

    def _prepare_new(self, batch: Batch) -> None:
        """COPY's lines of requests, contacts and promises: what is the same in each row is spelt once."""
        city, mapping, version = self._city.pk, self._mapping, self._words.version_id
        same = (
            f"\t{city}\t{version}\t{mapping.priority.value}\t{mapping.publicity.value}\t{COMPLETION}\t{now().isoformat()}"
            f"\t{mapping.source}\t\t\t\t\t0\t0\t0\t\t1\n"
        )
        promised = f"\t{city}\t{Step.RESOLUTION.value}\t1\t{PromiseReason.IMPORTED.value}\t\t{version}\t\n"
        events = []
        for request_id, contact_id, draft in zip(batch.ids.requests, batch.ids.contacts, batch.new, strict=True):
            received, due = self._spell(draft, same)
            source_id = escaped(draft.source_id)
            batch.contacts.append(
                interactions.added_line(contact_id, city, draft.channel, received, mapping.source, source_id)
            )
            if due:
                batch.promises.append(f"{request_id}\t{due}\t{received}{promised}")
            events.append(NewEvent("request.imported", "request", request_id, draft.body, draft.received_at))
        batch.events = compose(events, batch.ids.events, self._by)

    def _spell(self, d: Draft, end: str) -> tuple[str, str | None]:
        """Its line with this end, and its event's body as `canonical` would spell it: digits, codes and times without escapes.

        Gives the times of receiving and of the promise as they stand there.
        """
        service_id, team_id = self._words.of(d.naming)
        digest, received, due = d.digest.hex(), d.received_at.isoformat(), d.due_at.isoformat() if d.due_at else None
        ended = d.ended_at.isoformat() if d.ended_at else NULL
        done = "" if end == "\n" else f"\t{ended}"
        d.line = (
            f"{escaped(d.source_id)}\t\\\\x{digest}\t{service_id}\t{team_id}\t{d.state}\t{d.channel}"
            f"\t{received}\t{due or NULL}\t{ended}"
            f"\t{d.outcome}\t{escaped(d.outcome_note)}\t{escaped(d.description)}\t{escaped(d.address)}"
            f"\t{escaped(d.kept)}\t{escaped(msgspec.json.encode(d.areas).decode())}"
            f"\t{or_null(d.latitude)}\t{or_null(d.longitude)}{done}{end}"
        )
        promise = f'"due_at":"{due}",' if due else ""
        d.body = (
            f'{{"digest":"{digest}",{promise}"service":{service_id},"source":"{self._mapping.source}",'
            f'"state":"{d.state}","team":{team_id}}}'
        )
        return received, due

    def _updated(self, drafts: Sequence[Draft], known: dict[str, tuple[int, int]]) -> Iterator[NewEvent]:
        at = now()
        for draft in drafts:
            yield NewEvent("request.import_updated", "request", known[draft.source_id][0], draft.body, at)


def local_year(moment: datetime, zone: ZoneInfo) -> int:
    """Of the city's own calendar. Only around New Year can the year at the source's offset be another."""
    if moment.month in (1, 12) and moment.day in (1, 31):
        return moment.astimezone(zone).year
    return moment.year


def _run(sql: str, values: dict[str, str | int | datetime] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
