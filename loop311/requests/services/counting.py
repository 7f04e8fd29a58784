"""Counting how long requests of each service have taken lately, by area, so that a screen can say so at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection, transaction

from loop311.kit.clock import now
from loop311.places.models import Layer
from loop311.promises.survival import Lasted, still_open, time_until
from loop311.requests.models import UsualTime

LATELY = timedelta(days=180)
"""Only requests received this recently are looked at."""
ENOUGH = 20
"""With fewer done ones nothing is kept: it would say more about chance than about the city."""

_COUNTING = 3112
"""Our class of advisory locks."""

# Hours, rounded up: to the hour for three days, to a quarter of a day for three weeks, to whole days beyond. A declined one was
# last seen undone when it was declined. Joined ones would count one piece of work many times.
_COUNT = """
WITH lived AS (
    SELECT service_id, areas, state IN ('done', 'closed') AS is_done,
           extract(epoch FROM CASE WHEN state IN ('done', 'closed', 'declined') THEN coalesce(done_at, ended_at)
                              ELSE %(at)s END - received_at) / 3600 AS hours
    FROM requests_request
    WHERE jurisdiction_id = %(city)s AND received_at >= %(since)s AND received_at < %(at)s AND leading_id IS NULL
), rounded AS (
    SELECT service_id, areas, is_done, (CASE WHEN hours <= 72 THEN ceil(hours) WHEN hours <= 504 THEN ceil(hours / 6) * 6
                                        ELSE ceil(hours / 24) * 24 END)::int AS hours
    FROM lived WHERE hours >= 0
), gathered AS (
    SELECT service_id, areas, hours, count(*) FILTER (WHERE is_done) AS ended, count(*) FILTER (WHERE NOT is_done) AS open
    FROM rounded GROUP BY service_id, areas, hours
)
SELECT service_id, p.layer, p.area, hours, sum(ended)::int, sum(open)::int
FROM gathered CROSS JOIN LATERAL (
    SELECT '' AS layer, '' AS area UNION ALL SELECT key, value FROM jsonb_each_text(areas) WHERE NOT key = ANY(%(whole)s)
) p
GROUP BY service_id, p.layer, p.area, hours ORDER BY service_id, p.layer, p.area, hours
"""

Row = tuple[int, str, str, int, int, int]


@transaction.atomic
def count_usual_times(jurisdiction_id: int, *, at: datetime | None = None) -> int:
    """Look at the city's requests of the last half year anew; how many services and areas something can be said of."""
    at = at or now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_COUNTING, jurisdiction_id % 2**31])
        cursor.execute(
            _COUNT, {"city": jurisdiction_id, "at": at, "since": at - LATELY, "whole": _whole(jurisdiction_id)}
        )
        found = list(_usual(cursor.fetchall(), jurisdiction_id, at))
    UsualTime.objects.filter(jurisdiction_id=jurisdiction_id).delete()
    UsualTime.objects.bulk_create(found, batch_size=1000)
    return len(found)


def _whole(jurisdiction_id: int) -> list[str]:
    """The layers whose areas are the city itself."""
    rows = Layer.objects.filter(jurisdiction_id=jurisdiction_id, is_boundary=True)
    return list(rows.values_list("code", flat=True))


def _usual(rows: Sequence[Row], jurisdiction_id: int, at: datetime) -> Iterator[UsualTime]:
    """Of rows in the order of service, layer and area."""
    for (service_id, layer, area), group in groupby(rows, key=lambda row: row[:3]):
        lasted = [Lasted(hours, ended, open_) for *_, hours, ended, open_ in group]
        done = sum(each.ended for each in lasted)
        if done < ENOUGH:
            continue
        steps = still_open(lasted)
        yield UsualTime(
            jurisdiction_id=jurisdiction_id,
            service_id=service_id,
            layer=layer,
            area=area,
            sample=done + sum(each.open for each in lasted),
            done=done,
            median_hours=time_until(steps, 0.5),
            p90_hours=time_until(steps, 0.9),
            longest_hours=max(each.after for each in lasted),
            counted_at=at,
        )
