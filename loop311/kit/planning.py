"""Statements planned for the very values they ask about.

A statement that comes a second time is prepared (ADR 0012), and after some more PostgreSQL may use one plan for any values. For
the beginning of a word, or for words that one person in ten has, that plan reads the whole table. These statements therefore
have their values written into them by psycopg, which quotes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def ask(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(psycopg.ClientCursor(connection.connection).mogrify(statement, values))
        return list(cursor.fetchall())
