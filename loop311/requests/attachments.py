"""Reading what was attached: the files themselves, and the newest photo of many requests at once."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from loop311.kit.downloads import File
from loop311.kit.problems import NotFound
from loop311.requests.models import Attachment, Enclosure
from loop311.requests.policies import AttachmentRole
from loop311.requests.services.attaching import store

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def of_request(jurisdiction_id: int, request_id: int) -> QuerySet[Attachment]:
    """Oldest first, without the erased."""
    rows = Attachment.objects.filter(jurisdiction_id=jurisdiction_id, request_id=request_id, erased_at__isnull=True)
    return rows.order_by("pk")


def newest_photos(jurisdiction_id: int, request_ids: Iterable[int]) -> dict[int, Attachment]:
    """Request id -> its newest photo, for those that have one; one query. The address of its small picture: `thumbnail_path`."""
    rows = Attachment.objects.filter(
        jurisdiction_id=jurisdiction_id,
        request_id__in=list(request_ids),
        role=AttachmentRole.PHOTO,
        erased_at__isnull=True,
    )
    return {row.request_id: row for row in rows.order_by("request_id", "-pk").distinct("request_id")}


def newest_photo(jurisdiction_id: int, request_id: int) -> Attachment | None:
    return newest_photos(jurisdiction_id, [request_id]).get(request_id)


def find(jurisdiction_id: int, number: str, attachment_id: int) -> Attachment:
    """NotFound for another request's, another city's or an erased one."""
    rows = Attachment.objects.filter(
        jurisdiction_id=jurisdiction_id, request__number=number, pk=attachment_id, erased_at__isnull=True
    )
    row = rows.select_related("request").first()
    if row is None:
        raise NotFound("There is no such file here.")
    return row


def file_of(attachment: Attachment) -> File:
    """`attachment.request` is known."""
    ending = _ENDINGS[attachment.media_type]
    data = store(attachment.jurisdiction_id).read(bytes(attachment.digest))
    return File(data, attachment.media_type, f"{attachment.request.number}-{attachment.pk}.{ending}")


def thumbnail_of(attachment: Attachment) -> File:
    if attachment.thumbnail_digest is None:
        raise NotFound("A document has no small picture.")
    data = store(attachment.jurisdiction_id).read(bytes(attachment.thumbnail_digest))
    return File(data, "image/jpeg", f"{attachment.request.number}-{attachment.pk}-small.jpg")


def enclosure_thumbnail(jurisdiction_id: int, interaction_id: int, enclosure_id: int) -> File:
    """The small picture of what waits in a contact; NotFound for another contact's, a dropped one, a document."""
    rows = Enclosure.objects.filter(jurisdiction_id=jurisdiction_id, interaction_id=interaction_id, pk=enclosure_id)
    row = rows.filter(dropped_at__isnull=True, thumbnail_digest__isnull=False).first()
    if row is None or row.thumbnail_digest is None:
        raise NotFound("There is no such photo here.")
    return File(store(jurisdiction_id).read(bytes(row.thumbnail_digest)), "image/jpeg", f"contact-{row.pk}-small.jpg")
