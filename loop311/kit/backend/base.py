"""The database backend named in the settings. See the package's docstring."""

from __future__ import annotations

import re
import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader

_SEARCH = re.compile(r"\b(?:I?LIKE|starts_with|similarity)\b|@@|%>|<%|%%|<->", re.IGNORECASE)


class PlanningCursor(base.ServerBindingCursor):  # type: ignore[name-defined,misc]  # the stubs do not know it
    """Searches by words are planned for the words they are asked with; all else is prepared when it comes again.

    One plan for any words would read a whole table for a rare name, since it must also do for the beginning of a common one.
    """

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Any:
        if prepare is None and isinstance(query, str) and _SEARCH.search(query):
            prepare = False
        return super().execute(query, params, prepare=prepare, binary=binary)


class DatabaseWrapper(base.DatabaseWrapper):
    """Three changes for speed.

    Cursors read timestamptz with psycopg's loader, which psycopg replaces by its C twin; the connection's zone is UTC.
    Whether a kept connection still lives is asked of the socket; Django would ask the server, once for every web request.
    Statements are prepared, but for searches.
    """

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": PlanningCursor}

    def is_usable(self) -> bool:
        """An idle connection has nothing to read unless the server said good-bye or has died: only then is it asked."""
        if self.connection is None or self.connection.closed:
            return False
        return not _has_something_to_read(self.connection.fileno()) or super().is_usable()

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if self.timezone_name == "UTC":
            cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        return cursor


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLPRI)
    return bool(poll.poll(0))  # also true after a hang-up or an error
