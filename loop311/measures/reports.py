"""Reports over past and present requests. The definitions are fixed in docs/reference/measures.md; one query per report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from enum import StrEnum

from django.db import connection

from loop311.catalog.definitions import Step
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Forbidden, Invalid
from loop311.places.models import Layer
from loop311.requests.models import Request


class By(StrEnum):
    """What the rows of a report are."""

    SERVICE = "service"
    DEPARTMENT = "department"
    AREA = "area"
    CHANNEL = "channel"
    MONTH = "month"


class Against(StrEnum):
    """Which promise lateness is measured against."""

    CURRENT = "current"  # the newest, which pauses and changes have moved
    FIRST = "first"  # the one given when the request was filed


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one set of requests; see the docs for each definition. Shares and days are None where there is nothing to divide."""

    opened: int = 0
    closed: int = 0
    open: int = 0
    open_late: int = 0
    on_time_share: float | None = None
    median_days: float | None = None
    p90_days: float | None = None
    joined: int = 0
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One service, department, area, channel or month. The key '' stands for requests that have none."""

    key: str
    name: str
    measures: Measures

    def plain(self) -> dict[str, object]:
        return {"key": self.key, "name": self.name, **asdict(self.measures)}


@dataclass(frozen=True, slots=True)
class Report:
    total: Measures
    rows: Sequence[Row]

    def plain(self) -> dict[str, object]:
        """As JSON writes it."""
        return {"total": asdict(self.total), "rows": [row.plain() for row in self.rows]}


_KEYS = {
    # what a row is: (key, name, joins)
    By.SERVICE: (
        "s.code",
        "coalesce(s.names ->> %(language)s, s.code)",
        "JOIN catalog_service s ON s.jurisdiction_id = r.jurisdiction_id AND s.id = r.service_id",
    ),
    By.DEPARTMENT: (
        "d.code",
        "coalesce(d.names ->> %(language)s, d.code)",
        "JOIN accounts_team t ON t.jurisdiction_id = r.jurisdiction_id AND t.id = r.team_id"
        " JOIN accounts_department d ON d.jurisdiction_id = t.jurisdiction_id AND d.id = t.department_id",
    ),
    By.AREA: ("coalesce(r.areas ->> %(layer)s, '')", "coalesce(r.areas ->> %(layer)s, '')", ""),
    By.CHANNEL: ("r.channel", "r.channel", ""),
    By.MONTH: (
        "to_char(r.received_at AT TIME ZONE %(zone)s, 'YYYY-MM')",
        "to_char(r.received_at AT TIME ZONE %(zone)s, 'YYYY-MM')",
        "",
    ),
}

_DUE = {
    Against.CURRENT: ("r.due_at", ""),
    Against.FIRST: (
        "p.due_at",
        "LEFT JOIN requests_promise p ON p.jurisdiction_id = r.jurisdiction_id AND p.request_id = r.id"
        " AND p.step = %(step)s AND p.sequence = 1",
    ),
}

_REPORT = """
WITH lived AS (
    SELECT {key} AS key, {name} AS name, coalesce(r.done_at, r.ended_at) AS done_at, r.received_at, {due} AS due_at,
        coalesce(c.started_at, %(at)s) AS clock_at, r.leading_id IS NOT NULL AS is_joined, r.reopened_count > 0 AS was_reopened
    FROM requests_request r
    {joins}
    {promise}
    LEFT JOIN requests_clockstop c
        ON c.jurisdiction_id = r.jurisdiction_id AND c.request_id = r.id AND c.ended_at IS NULL
    WHERE r.jurisdiction_id = %(city)s AND r.received_at >= %(start)s AND r.received_at < %(end)s
)
SELECT coalesce(key, ''), max(name), grouping(key) = 1,
    count(*),
    count(done_at),
    count(*) FILTER (WHERE done_at IS NULL),
    count(*) FILTER (WHERE done_at IS NULL AND due_at < clock_at),
    count(*) FILTER (WHERE done_at <= due_at)::float8
        / nullif(count(*) FILTER (WHERE due_at IS NOT NULL AND (done_at IS NOT NULL OR due_at < clock_at)), 0),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM done_at - received_at)::float8 / 86400),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM done_at - received_at)::float8 / 86400),
    count(*) FILTER (WHERE is_joined),
    count(*) FILTER (WHERE was_reopened)
FROM lived GROUP BY GROUPING SETS ((), (key)) ORDER BY grouping(key) DESC, key
"""

_FULLEST_LAYER = """
SELECT layer FROM (
    SELECT jsonb_object_keys(areas) AS layer
    FROM (SELECT areas FROM requests_request WHERE jurisdiction_id = %s ORDER BY received_at DESC, id DESC LIMIT 5000) newest
) named GROUP BY layer ORDER BY count(*) DESC, layer LIMIT 1
"""

_ALWAYS = (date(1, 1, 2), date(9999, 12, 30))


def requests_report(
    jurisdiction: Jurisdiction,
    *,
    by: Actor,
    rows: By = By.SERVICE,
    start: date | None = None,
    end: date | None = None,
    layer: str = "",
    against: Against = Against.CURRENT,
    at: datetime | None = None,
) -> Report:
    """Requests opened from the local day `start` up to, not including, `end`, as they stand at `at` (now).

    `layer` names the layer whose areas are the rows; without it, the one in which most of the newest requests lie.
    Raises Forbidden, and Invalid for days or a layer that cannot be.
    """
    if by.jurisdiction_id != jurisdiction.pk or not by.may("measures.read"):
        raise Forbidden("You may not read reports.")
    _check(rows, start, end, layer)
    key, name, joins = _KEYS[rows]
    due, promise = _DUE[against]
    since, until = between(jurisdiction, start, end)
    with connection.cursor() as cursor:
        cursor.execute(
            _REPORT.format(key=key, name=name, joins=joins, due=due, promise=promise),
            {
                "city": jurisdiction.pk,
                "start": since,
                "end": until,
                "zone": jurisdiction.time_zone,
                "language": jurisdiction.languages[0],
                "layer": layer or (fullest_layer(jurisdiction) if rows is By.AREA else ""),
                "step": Step.RESOLUTION.value,
                "at": at or now(),
            },
        )
        found = [(key, name, is_total, Measures(*values)) for key, name, is_total, *values in cursor.fetchall()]
    if layer and not any(key for key, _, is_total, _ in found if not is_total):
        _check_layer(jurisdiction, layer)
    total = next((measures for _, _, is_total, measures in found if is_total), Measures())
    return Report(total, [Row(key, name or "", measures) for key, name, is_total, measures in found if not is_total])


def _check(rows: By, start: date | None, end: date | None, layer: str) -> None:
    if start and end and start > end:
        raise Invalid("The report ends before it begins.", fields=[FieldProblem("to", "is before `from`")])
    if layer and rows is not By.AREA:
        raise Invalid(
            "Only a report by area has a layer.", fields=[FieldProblem("layer", "goes with a report by area")]
        )


def _check_layer(jurisdiction: Jurisdiction, layer: str) -> None:
    """Of a layer in whose areas nothing lies: a new one is empty, a misspelt one is none."""
    known = (
        Layer.objects.filter(jurisdiction=jurisdiction, kind="areas").values_list("code", flat=True).order_by("code")
    )
    here = Request.objects.filter(jurisdiction_id=jurisdiction.pk, areas__has_key=layer)
    if layer in known or here.exists():
        return
    detail = f"There is no layer {layer[:80]!r}; there are: {', '.join(known[:20]) or 'none'}."
    raise Invalid(detail, fields=[FieldProblem("layer", detail)])


def fullest_layer(jurisdiction: Jurisdiction) -> str:
    """The layer in which most of the newest 5,000 requests lie; empty when none lies in any."""
    with connection.cursor() as cursor:
        cursor.execute(_FULLEST_LAYER, [jurisdiction.pk])
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def between(jurisdiction: Jurisdiction, start: date | None, end: date | None) -> tuple[datetime, datetime]:
    """From the first instant of local day `start` up to that of `end`; None is as far as it goes."""
    return _midnight(start or _ALWAYS[0], jurisdiction), _midnight(end or _ALWAYS[1], jurisdiction)


def _midnight(day: date, jurisdiction: Jurisdiction) -> datetime:
    return datetime.combine(day, time.min, jurisdiction.zone)
