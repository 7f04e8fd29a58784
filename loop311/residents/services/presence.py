"""Holding a resident while words of theirs are written down elsewhere."""

from __future__ import annotations

from django.db import connection

_HELD = "SELECT erased_at IS NULL FROM residents_resident WHERE jurisdiction_id = %s AND id = %s FOR KEY SHARE"


def hold(jurisdiction_id: int, resident_id: int) -> bool:
    """False when this resident was erased; else nobody erases them before the caller's transaction ends.

    So whatever it writes is there when the handlers of `resident.erased` look for it. One statement; holds up no other writer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [jurisdiction_id, resident_id])
        row = cursor.fetchone()
    return row is None or bool(row[0])
