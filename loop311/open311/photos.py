"""Photos that anybody may see: those that show the problem, never those that prove the work, and only of exact places."""

from __future__ import annotations

from loop311.catalog.definitions import Publicity
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.downloads import File
from loop311.kit.problems import NotFound
from loop311.open311.finding import Row
from loop311.requests import attachments
from loop311.requests.policies import AttachmentRole


def shown(city: Jurisdiction, request: Row, photo: int) -> File:
    """The photo itself, as it was written anew here: no place, time or maker of the camera is in it. Raises NotFound."""
    found = attachments.find(city.pk, request.number, photo)
    if request.publicity != Publicity.EXACT or found.role != AttachmentRole.PHOTO or found.evidence_id is not None:
        raise NotFound("There is no such photo.")
    return attachments.file_of(found)
