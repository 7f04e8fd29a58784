"""The database backend named in the settings. See the package's docstring."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader


class DatabaseWrapper(base.DatabaseWrapper):
    """Cursors read timestamptz with psycopg's loader, which psycopg replaces by its C twin; the connection's zone is UTC."""

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if self.timezone_name == "UTC":
            cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        return cursor
