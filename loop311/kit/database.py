"""Which PostgreSQL: the one `DATABASE_URL` names, or our own under the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict


def connection_settings(url: str | None, home: Path) -> dict[str, Any]:
    """Django's DATABASES entry for a PostgreSQL URL (or the embedded server's, when there is none)."""
    parts = conninfo_to_dict(url or "")
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options = {key: value for key, value in parts.items() if key not in named}
    return {
        "ENGINE": "loop311.kit.backend",
        **{setting: str(parts[key]) for key, setting in named.items() if key in parts},
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
