"""The statements of one real action, and a pgbench script that does the same again and again.

What the database gave back (ids, numbers) is taken up by the script and used where the product used it, so that every
run writes rows of its own. Everything else stands in the script as the product sent it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

Params = Sequence[object] | Mapping[str, object] | None

_GIVES = re.compile(r"\b(RETURNING|nextval)\b", re.IGNORECASE)
_PLACE = re.compile(r"%(?:\((\w+)\))?([s%])")
_QUOTED = re.compile(r"( E)?'(?:[^']|'')*'")
_NUMBER = re.compile(r"\d\d-\d{8}")


@dataclass(slots=True)
class Statement:
    """One statement as it was sent. `gave` are the columns and values of its single row, where it gives new values."""

    text: str
    params: Params = None
    gave: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Everything the block sends over Django's connection, with the beginnings and ends of its transactions."""
    statements: list[Statement] = []

    def note(execute: Callable[..., Any], text: str, params: Params, many: bool, context: dict[str, Any]) -> Any:
        if connection.in_atomic_block and not _is_open(statements):
            statements.append(Statement("BEGIN"))
        result = execute(text, params, many, context)
        statements.append(Statement(text, params, _given(text, context["cursor"].cursor)))
        return result

    database: Any = connection  # its private parts: only they know when a transaction ends
    commit = database._commit

    def note_commit() -> None:
        commit()
        if _is_open(statements):
            statements.append(Statement("COMMIT"))

    database._commit = note_commit
    try:
        with connection.execute_wrapper(note):
            yield statements
    finally:
        database._commit = commit


def _is_open(statements: list[Statement]) -> bool:
    marks = [statement.text for statement in statements if statement.text in ("BEGIN", "COMMIT")]
    return bool(marks) and marks[-1] == "BEGIN"


def _given(text: str, cursor: psycopg.Cursor[Any]) -> list[tuple[str, str | None]]:
    result = cursor.pgresult
    if not _GIVES.search(text) or result is None or result.ntuples != 1 or cursor.description is None:
        return []
    values = [result.get_value(0, column) for column in range(result.nfields)]
    names = [column.name for column in cursor.description]
    return [(name, value.decode() if value is not None else None) for name, value in zip(names, values, strict=True)]


class Script:
    """A pgbench script under construction. `expressions` are values to be replaced: {1234: ":resident"}."""

    def __init__(self, head: str, expressions: Mapping[object, str]) -> None:
        self._lines = [head]
        self._expressions = {str(value): text for value, text in expressions.items()}

    @classmethod
    def of(cls, statements: Sequence[Statement], *, head: str = "", expressions: Mapping[object, str]) -> str:
        script = cls(head, expressions)
        for number, statement in enumerate(statements):
            script._add(number, statement)
        return "\n".join(script._lines) + "\n"

    def _add(self, number: int, statement: Statement) -> None:
        text = self._filled(statement)
        if not statement.gave:
            self._lines.append(f"{text};")
            return
        names = [f"c{column}" for column in range(len(statement.gave))]
        if text.lstrip().upper().startswith("SELECT"):
            text = f"SELECT * FROM ({text}) AS given ({', '.join(names)})"
        else:
            names = [name for name, _ in statement.gave]
        self._lines.append(f"{text}\n\\gset s{number}_")
        self._remember(number, names, [value for _, value in statement.gave])

    def _remember(self, number: int, names: Sequence[str], values: Sequence[str | None]) -> None:
        """Only values too large to be anything but fresh ids."""
        for name, value in zip(names, values, strict=True):
            if value is not None and value.isdigit() and int(value) >= 10_000_000:
                self._expressions[value] = f":s{number}_{name}"

    def _filled(self, statement: Statement) -> str:
        params = statement.params
        if not params:
            return statement.text
        places = iter(params.values() if isinstance(params, Mapping) else params)

        def fill(match: re.Match[str]) -> str:
            if match[2] == "%":
                return "%"
            return self._value(params[match[1]] if isinstance(params, Mapping) else next(places))

        return _PLACE.sub(fill, statement.text)

    def _value(self, value: object) -> str:
        if isinstance(value, list | tuple) and any(self._expression(each) for each in value):
            return f"ARRAY[{', '.join(self._value(each) for each in value)}]"
        return self._expression(value) or _harmless(sql.Literal(value).as_string(connection.connection))

    def _expression(self, value: object) -> str | None:
        if not isinstance(value, int | str) or isinstance(value, bool):
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value) and (counter := self._counter(value)):
            return f"('{value[:3]}' || lpad({counter}::text, 8, '0'))"
        return self._expressions.get(str(value))

    def _counter(self, number: str) -> str | None:
        return self._expressions.get(str(int(number[3:])))


def _harmless(literal: str) -> str:
    """pgbench takes ':name' for a variable, also in quotes: colons in quoted text are written as escapes."""

    def escape(match: re.Match[str]) -> str:
        text = match[0] if match[1] else f" E{match[0]}".replace("\\", "\\\\")
        return text.replace(":", "\\x3a")

    return _QUOTED.sub(escape, literal)
