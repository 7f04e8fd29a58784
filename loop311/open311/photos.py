"""Photos that anybody may see: those that apps sent to show the problem, and only of exact places.

Never those that prove the work, nor what staff keeps with a request: nobody has looked whether a stranger may see that.
"""

from __future__ import annotations

from loop311.catalog.definitions import Publicity
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import ActorKind
from loop311.kit.downloads import File
from loop311.kit.problems import NotFound
from loop311.open311.finding import Row
from loop311.requests import attachments
from loop311.requests.policies import AttachmentRole


def shown(city: Jurisdiction, request: Row, photo: int) -> File:
    """The photo itself, as it was written anew here: no place, time or maker of the camera is in it. Raises NotFound."""
    found = attachments.find(city.pk, request.number, photo)
    is_ours = found.evidence_id is not None or found.actor_kind == ActorKind.STAFF
    if request.publicity != Publicity.EXACT or found.role != AttachmentRole.PHOTO or is_ours:
        raise NotFound("There is no such photo.")
    return attachments.file_of(found)
