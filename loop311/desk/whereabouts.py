"""What the city makes of a point, for the desk: see `loop311.requests.whereabouts`."""

from __future__ import annotations

from collections.abc import Mapping

from loop311.desk.access import Desk
from loop311.requests import previewing
from loop311.requests import whereabouts as requests
from loop311.requests.previewing import Preview
from loop311.requests.whereabouts import Whereabouts

__all__ = ["Preview", "Whereabouts", "preview", "whereabouts"]


def whereabouts(
    desk: Desk, service_code: str, latitude: float, longitude: float, answers: Mapping[str, object] | None = None
) -> Whereabouts:
    """Areas, receiving team, owner outside the city; `service_code` may be empty while nothing is chosen yet."""
    return requests.whereabouts(
        desk.city, latitude, longitude, service_code=service_code, answers=answers, language=desk.language
    )


def preview(
    desk: Desk,
    service_code: str,
    *,
    answers: Mapping[str, object] | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
) -> Preview | None:
    """The promise as it would be made now; None outside the city. Nothing is saved."""
    return previewing.preview(
        desk.city, service_code, answers=answers, latitude=latitude, longitude=longitude, language=desk.language
    )
