"""Contacts of imported requests, set-wise: part of this room's services, called by the requests room's import."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from loop311.interactions.policies import ContactOutcome
from loop311.kit import copying
from loop311.kit.copying import copy_lines


def reserve_ids(count: int) -> list[int]:
    """Ids for contacts about to be written with `write_added`."""
    return copying.reserve_ids("interactions_interaction_id_seq", count)


def added_line(contact_id: int, jurisdiction_id: int, channel: str, at: str, source: str, source_id: str) -> str:
    """A new contact for `write_added`, begun and over when the request was taken; the texts are escaped for COPY."""
    return f"{contact_id}\t{jurisdiction_id}\t{channel}\t\t\t{at}\t{at}\t\t{ContactOutcome.REQUEST.value}\t{source}\t{source_id}\n"


def write_added(lines: Sequence[str]) -> None:
    copy_lines(
        "interactions_interaction (id, jurisdiction_id, channel, on_behalf_of, language, started_at, ended_at, topic,"
        " outcome, source, source_id)",
        lines,
    )


def correct_staged(table: str) -> None:
    """Contacts whose request has changed at its source: `table` is a temporary one with interaction_id, channel, received_at.

    The ids were read by the caller from the city's own rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE interactions_interaction i"
            " SET channel = s.channel, started_at = s.received_at, ended_at = s.received_at"
            f" FROM {table} s WHERE i.id = s.interaction_id"
            " AND (i.channel, i.started_at) IS DISTINCT FROM (s.channel, s.received_at)"
        )
