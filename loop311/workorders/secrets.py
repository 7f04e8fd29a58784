"""Where a link's secrets are: in the environment or in a file, so that neither the database nor a page nor a log holds one."""

from __future__ import annotations

import os
from pathlib import Path

from loop311.kit.problems import Invalid


def secret_at(place: str) -> str:
    """The secret of 'env:NAME' or 'file:/path'; '' for no place. Raises Invalid when nothing is there."""
    if not place:
        return ""
    kind, _, where = place.partition(":")
    found = os.environ.get(where, "") if kind == "env" else _read(Path(where))
    if not found:
        raise Invalid(f"There is no secret at {place}.")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
