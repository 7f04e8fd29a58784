"""Requests as the public sees them: never who reported, a sensitive one only to its block."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from msgspec import UNSET

from loop311.catalog.definitions import Publicity
from loop311.georeport.model import RequestItem
from loop311.jurisdictions.models import Jurisdiction
from loop311.open311 import extending
from loop311.open311.finding import Row
from loop311.requests.publicity import public_place, public_words
from loop311.requests.sentences import Standing, say, sentence

_KEPT = 4_096
_place = lru_cache(maxsize=_KEPT)(public_place)
_words = lru_cache(maxsize=_KEPT)(public_words)
"""Whoever follows a city asks for its newest requests again and again."""


def items(rows: Iterable[Row], city: Jurisdiction, language: str, *, extensions: bool = False) -> Iterator[RequestItem]:
    zone = city.zone
    photos = f"{settings.BASE_URL}/open311/v2/media/{city.slug}"
    for row in rows:
        team = _said(row.team_names, language, row.team_code)
        told = sentence(_standing(row, team, zone), language)
        names = (row.reporter,) if row.reporter else ()
        address, latitude, longitude = _place(row.publicity, row.address, row.latitude, row.longitude, names=names)
        yield RequestItem(
            service_request_id=row.number,
            status="closed" if row.closed_at else "open",
            status_notes=told,
            service_name=_said(row.service_names, language, row.service_code),
            service_code=row.service_code,
            description=_words(row.description, names) or None,
            agency_responsible=team,
            requested_datetime=row.received_at,
            updated_datetime=row.closed_at or row.updated_at,
            expected_datetime=row.due_at,
            address=address or None,
            lat=latitude,
            long=longitude,
            media_url=_photo(row, photos),
            extended_attributes=extending.attributes(row, told) if extensions else UNSET,
        )


def _standing(row: Row, team: str, zone: ZoneInfo) -> Standing:
    return Standing.of(row, version_id=row.catalogue_version_id, service_code=row.service_code, team=team, zone=zone)


def _photo(row: Row, folder: str) -> str | None:
    """Of the first photo that shows the problem, where its exact place is public."""
    if row.photo is None or row.publicity != Publicity.EXACT:
        return None
    return f"{folder}/{row.number}/{row.photo}.jpg"


@lru_cache(maxsize=8_192)
def _said(names: str, language: str, code: str) -> str:
    """Of a service or team; a list names a few of them again and again."""
    return say(json.loads(names), language, code)
