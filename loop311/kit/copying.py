"""Many rows through COPY in its text form: a line is put together with one f-string, which no adapter of values matches."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

_AT_ONCE = 1_000
"""Lines in one message to the server."""

NULL = "\\N"

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
