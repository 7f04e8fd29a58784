"""Loading address points and intersections through COPY; the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.ledger import services as ledger
from loop311.places.addresses import Address, Reject
from loop311.places.services.boundaries import may_load

_COLUMNS = "kind, text, search, house_number, street, unit, postcode, latitude, longitude"

_STAGE = """
CREATE TEMPORARY TABLE places_incoming (
    row_number bigint, source_id text, kind text, text text, search text, house_number text, street text, unit text,
    postcode text, latitude double precision, longitude double precision
) ON COMMIT DROP
"""

_APPLY = f"""
WITH incoming AS (
    SELECT DISTINCT ON (source_id) * FROM places_incoming ORDER BY source_id, row_number DESC
), changed AS (
    UPDATE places_addresspoint a SET ({_COLUMNS}) = (SELECT {", ".join("i." + c for c in _COLUMNS.split(", "))})
    FROM incoming i WHERE a.jurisdiction_id = %(city)s AND a.source_id = i.source_id AND a.source_id <> ''
    AND ({", ".join("a." + c for c in _COLUMNS.split(", "))})
        IS DISTINCT FROM ({", ".join("i." + c for c in _COLUMNS.split(", "))})
    RETURNING 1
), added AS (
    INSERT INTO places_addresspoint (jurisdiction_id, source_id, {_COLUMNS})
    SELECT %(city)s, source_id, {_COLUMNS} FROM incoming i WHERE NOT EXISTS (
        SELECT FROM places_addresspoint a
        WHERE a.jurisdiction_id = %(city)s AND a.source_id = i.source_id AND a.source_id <> '')
    RETURNING 1
)
SELECT (SELECT count(*) FROM incoming), (SELECT count(*) FROM added), (SELECT count(*) FROM changed)
"""

_REPEATED = """
SELECT row_number FROM (
    SELECT row_number, row_number() OVER (PARTITION BY source_id ORDER BY row_number DESC) AS n FROM places_incoming
) numbered WHERE n > 1 ORDER BY row_number LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class AddressReport:
    """`read` is the sum of the other four counts. At most 1,000 rejects are kept."""

    read: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    rejects: tuple[Reject, ...]


@transaction.atomic
def load_addresses(jurisdiction: Jurisdiction, rows: Iterable[Address | Reject], *, by: Actor) -> AddressReport:
    """Add what is new, change what differs by source id; nothing is removed. Of rows with one id the last counts."""
    may_load(jurisdiction, by)
    read, rejects = 0, list[Reject]()
    with connection.cursor() as cursor:
        # One load of a city at a time: two that both insert the same new address would collide.
        cursor.execute("SELECT pg_advisory_xact_lock(311, %s)", [jurisdiction.pk])
        cursor.execute(_STAGE)
        with cursor.copy("COPY places_incoming FROM STDIN") as copy:
            for row in rows:
                read += 1
                if isinstance(row, Address):
                    copy.write_row(_staged(read, row))
                elif len(rejects) < 1000:
                    rejects.append(row)
        cursor.execute(_REPEATED)
        rejects.extend(Reject(number, "the same id stands again in a later row") for (number,) in cursor.fetchall())
        cursor.execute("ANALYZE places_incoming")
        cursor.execute(_APPLY, {"city": jurisdiction.pk})
        distinct, created, updated = cursor.fetchone()
        cursor.execute("DROP TABLE places_incoming")
    report = AddressReport(
        read=read,
        created=created,
        updated=updated,
        unchanged=distinct - created - updated,
        rejected=read - distinct,
        rejects=tuple(sorted(rejects, key=lambda reject: reject.row)[:1000]),
    )
    if created or updated:
        body = {"read": read, "created": created, "updated": updated, "rejected": report.rejected}
        ledger.append("addresses.loaded", "jurisdiction", jurisdiction.pk, body, by=by)
    return report


def _staged(number: int, row: Address) -> tuple[object, ...]:
    return (
        number,
        row.source_id or f"{row.kind}:{row.search}:{row.postcode}",
        row.kind,
        row.text,
        row.search,
        row.house_number,
        row.street,
        row.unit,
        row.postcode,
        row.latitude,
        row.longitude,
    )
