"""How the database is addressed: pure look-ups, nothing is started here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from loop311.kit.database.place import place_of
from loop311.kit.database.problem import DatabaseUnavailable

NAME = "loop311"
"""Of the embedded server's database and of its role."""

_SETTING_OF = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def connection_url(home: Path) -> str:
    """The embedded server's URL: a socket in a private folder, where the system says who connects (no password)."""
    return f"postgresql://{NAME}@/{NAME}?host={quote(str(place_of(home).socket), safe='')}"


def connection_settings(url: str | None, home: Path) -> dict[str, Any]:
    """Django's DATABASES entry for a PostgreSQL URL, or for the embedded server of `home` when there is none."""
    try:
        parts = conninfo_to_dict(url or connection_url(home))
    except ProgrammingError as error:
        raise DatabaseUnavailable("DATABASE_URL is not a PostgreSQL address (postgresql://user@host/name).") from error
    options = {"connect_timeout": "5", "server_side_binding": True, "prepare_threshold": 2} | {
        key: value for key, value in parts.items() if key not in _SETTING_OF
    }
    return {
        "ENGINE": "loop311.kit.backend",
        **{setting: str(parts[key]) for key, setting in _SETTING_OF.items() if key in parts},
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
