"""Open requests that may be the same thing in the world, for the desk: see `loop311.requests.known`.

To join, file with `services.Filing(leading=known.request)`: one call, one transaction, a number of its own.
"""

from __future__ import annotations

from loop311.desk.access import Desk
from loop311.requests import known as requests
from loop311.requests.known import LIMIT, Known

__all__ = ["Known", "already_known"]


def already_known(desk: Desk, service_code: str, latitude: float, longitude: float, limit: int = LIMIT) -> list[Known]:
    """Nearest first; empty where the service never joins."""
    return requests.already_known(desk.city, service_code, latitude, longitude, limit=limit, language=desk.language)
