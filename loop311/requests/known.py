"""What is known already around a point: open requests that may be the same thing in the world, for the caller to recognise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import cached_property

from loop311.catalog.definitions import Joining
from loop311.catalog.services import at as catalogue_at
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.requests.attachments import newest_photos
from loop311.requests.models import Attachment, Request
from loop311.requests.queries import Near, joinable_codes, open_near
from loop311.requests.sentences import public_sentence, say
from loop311.requests.whereabouts import check_position

LIMIT = 5


@dataclass(frozen=True)
class Known:
    """An open request nearby. `reporters` counts everybody who reported it; `photo` is the newest one's, if there is any."""

    request: Request
    service_name: str
    metres: float
    age: timedelta
    photo: Attachment | None

    @property
    def number(self) -> str:
        return self.request.number

    @property
    def reporters(self) -> int:
        return self.request.joined_count + 1

    @property
    def due_at(self) -> datetime | None:
        return self.request.due_at

    @cached_property
    def sentences(self) -> Mapping[str, str]:
        """How it stands, in each language of the city."""
        return {language: public_sentence(self.request, language) for language in self.request.jurisdiction.languages}


def already_known(
    jurisdiction: Jurisdiction,
    service_code: str,
    latitude: float,
    longitude: float,
    *,
    limit: int = LIMIT,
    language: str = "",
    at: datetime | None = None,
) -> list[Known]:
    """Of the service and those people confuse it with, as near and recent as the catalogue says; nearest first. Three queries."""
    check_position(latitude, longitude)
    at, language = at or now(), language or jurisdiction.languages[0]
    _version, index = catalogue_at(jurisdiction, at)
    service = index.services.get(service_code)
    joining = service.joining if service else Joining()
    if not joining.radius_metres:
        return []
    near = open_near(
        jurisdiction.pk,
        latitude,
        longitude,
        joining.radius_metres,
        service_codes=joinable_codes(service_code, joining),
        since=at - timedelta(days=joining.days),
        limit=limit,
    )
    photos = newest_photos(jurisdiction.pk, [each.request.pk for each in near])
    return [_known(each, jurisdiction, photos, language, at) for each in near]


def _known(
    near: Near, jurisdiction: Jurisdiction, photos: Mapping[int, Attachment], language: str, at: datetime
) -> Known:
    request = near.request
    request.jurisdiction = jurisdiction
    name = say(request.service.names, language, request.service.code)
    return Known(request, name, near.metres, at - request.received_at, photos.get(request.pk))
