"""Contacts of imported requests, set-wise: part of this room's services, called by the requests room's import."""

from __future__ import annotations

from django.db import connection

from loop311.interactions.policies import ContactOutcome


def reserve_ids(count: int) -> list[int]:
    """Ids for contacts about to be written with `write_staged`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('interactions_interaction_id_seq') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def write_staged(table: str, jurisdiction_id: int, source: str, *, corrects: bool) -> None:
    """A contact for each row of a temporary table with interaction_id, channel, received_at and source_id.

    Rows with `is_new` make one, the others correct the one they have, whose id the caller read from the city's own rows.
    Each was begun and over when the request was taken. `corrects` says that there are such others.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interactions_interaction (id, jurisdiction_id, channel, on_behalf_of, language, started_at,"
            " ended_at, topic, outcome, source, source_id)"
            " SELECT interaction_id, %s, channel, '', '', received_at, received_at, '', %s, %s, source_id"
            f" FROM {table} WHERE is_new",
            [jurisdiction_id, ContactOutcome.REQUEST.value, source],
        )
        if corrects:
            cursor.execute(
                "UPDATE interactions_interaction i"
                " SET channel = s.channel, started_at = s.received_at, ended_at = s.received_at"
                f" FROM {table} s WHERE NOT s.is_new AND i.id = s.interaction_id"
                " AND (i.channel, i.started_at) IS DISTINCT FROM (s.channel, s.received_at)"
            )
