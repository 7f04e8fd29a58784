"""Many rows through COPY in its text form: a line is put together with one f-string, which no adapter of values matches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction

_log = logging.getLogger(__name__)

_AT_ONCE = 1_000
"""Lines in one message to the server."""

NULL = "\\N"

_PATIENCE = "3s"
"""For a table's lock; an automatic vacuum gives way after one second."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})


def copy_lines(into: str, lines: Sequence[str]) -> None:
    """`into` is a table with its columns; a line has their texts between tabs and ends in a line feed."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for start in range(0, len(lines), _AT_ONCE):
            copy.write("".join(lines[start : start + _AT_ONCE]))


def reserve_ids(sequence: str, count: int) -> list[int]:
    """The next ids of a sequence, for rows about to be written; one text is fetched three times as fast as rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(nextval(%s::regclass)::text, ',') FROM generate_series(1, %s)", [sequence, count]
        )
        return [int(each) for each in (cursor.fetchone()[0] or "").split(",") if each]


def escaped(text: str) -> str:
    """Any text as one column of a line, without NUL, which PostgreSQL cannot hold."""
    return text.translate(_ESCAPES) if "\\" in text or not text.isprintable() else text


def or_null(value: object) -> object:
    return NULL if value is None else value


class Fill(NamedTuple):
    """To how many hundredths a page of a table is filled."""

    usually: int
    now: int


@contextmanager
def into_new_pages(tables: Mapping[str, Fill]) -> Iterator[None]:
    """While very many rows are written, put them into new pages and not into what room old ones have left (ADR 10).

    PostgreSQL fills a page only to its table's fillfactor, and that much must be free in a page it takes up again. So with
    a lower one the old pages' leftovers no longer count. Without effect inside a transaction, whose end would keep the
    lock, or where the tables are not ours to alter. Who is killed in here leaves the lower number, until the next time.
    """
    altered = (
        bool(tables) and not connection.in_atomic_block and _fill({each: fill.now for each, fill in tables.items()})
    )
    try:
        yield
    finally:
        if altered:
            _fill({each: fill.usually for each, fill in tables.items()})


def _fill(tables: Mapping[str, int]) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            for table in sorted(tables):
                cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} SET (fillfactor = {tables[table]:d})")
    except DatabaseError:
        _log.warning("pages are filled as before", extra={"tables": sorted(tables)})
        return False
    return True
