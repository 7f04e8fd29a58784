"""What another promise would have meant: past requests judged by the policies of any version of the catalogue.

The same pure functions that made the promises judge them again (`promises.policies.restate`), so a restated share can be
compared with the one the city published, and a lowered target cannot hide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import index_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden
from loop311.measures.reports import between
from loop311.promises.clock import Clocks
from loop311.promises.policies import Lived, Pause, on_time, restate
from loop311.requests.models import ClockStop, Request
from loop311.routing.policies import priority


@dataclass(slots=True)
class Kept:
    """How many requests of a service were judged, and how many kept the promise."""

    judged: int = 0
    kept: int = 0

    @property
    def share(self) -> float | None:
        return self.kept / self.judged if self.judged else None

    def count(self, kept: bool | None) -> None:
        """None is a request still open and not yet late: judged by nobody."""
        if kept is not None:
            self.judged += 1
            self.kept += kept


@dataclass(slots=True)
class Restatement:
    """One service: its own promises beside those of the version asked for."""

    key: str
    own: Kept = field(default_factory=Kept)
    restated: Kept = field(default_factory=Kept)
    without: int = 0
    """Requests the version has no promise for, because it has no such service."""

    def plain(self) -> dict[str, object]:
        shares = {"own_share": self.own.share, "restated_share": self.restated.share}
        return {"key": self.key, **shares, **{k: v for k, v in asdict(self).items() if k != "key"}}


class _Row(NamedTuple):
    pk: int
    service: str
    answers: dict[str, object]
    areas: dict[str, str]
    received_at: datetime
    first_responded_at: datetime | None
    done_at: datetime | None
    due_at: datetime | None


def restated_report(
    jurisdiction: Jurisdiction,
    version: CatalogueVersion,
    *,
    by: Actor,
    start: date | None = None,
    end: date | None = None,
    at: datetime | None = None,
) -> list[Restatement]:
    """By service, requests opened from local day `start` up to, not including, `end`, as they stand at `at` (now)."""
    if by.jurisdiction_id != jurisdiction.pk or not by.may("measures.read"):
        raise Forbidden("You may not read reports.")
    at = at or now()
    index = index_of(version.pk)
    clocks = Clocks(index.calendars.values(), jurisdiction.zone)
    pauses = _pauses(jurisdiction)
    found: dict[str, Restatement] = {}
    for row in _rows(jurisdiction, start, end):
        line = found.setdefault(row.service, Restatement(row.service))
        line.own.count(on_time(row.due_at, row.done_at, now=at) if row.due_at else None)
        service = index.services.get(row.service)
        policy = index.promise_of(service) if service else None
        if service is None or policy is None:
            line.without += 1
            continue
        rank = priority(service, row.answers, row.areas).priority  # type: ignore[arg-type]  # answers were checked at filing
        lived = Lived(row.received_at, rank, pauses[row.pk], row.first_responded_at, row.done_at)
        line.restated.count(restate(lived, policy, clocks, now=at).on_time)
    return [found[key] for key in sorted(found)]


def _rows(jurisdiction: Jurisdiction, start: date | None, end: date | None) -> Iterator[_Row]:
    since, until = between(jurisdiction, start, end)
    rows = Request.objects.filter(jurisdiction=jurisdiction, received_at__gte=since, received_at__lt=until)
    columns = ("pk", "service__code", "answers", "areas", "received_at", "first_responded_at", "done_at", "due_at")
    return (_Row(*row) for row in rows.order_by("pk").values_list(*columns).iterator(chunk_size=5000))


def _pauses(jurisdiction: Jurisdiction) -> defaultdict[int, tuple[Pause, ...]]:
    found: defaultdict[int, tuple[Pause, ...]] = defaultdict(tuple)
    stops = ClockStop.objects.filter(jurisdiction=jurisdiction).order_by("request_id", "started_at")
    for request_id, reason, started_at, ended_at in stops.values_list("request_id", "reason", "started_at", "ended_at"):
        found[request_id] += (Pause(started_at, ended_at, reason),)
    return found
