"""/api/v1/requests/{number}/attachments: photos and documents in and out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from loop311.kit.api import Id
from loop311.kit.downloads import download
from loop311.kit.images.sniffing import Kind
from loop311.kit.problems import FieldProblem, Invalid, WrongMediaType
from loop311.kit.uploads import uploads
from loop311.requests import attachments, schemas, services
from loop311.requests.api import Key, Number, actor, find, show

router = Router(tags=["requests"])

_FILES: dict[str, Any] = {"responses": {200: {"content": {kind.value: {} for kind in Kind}}}}


@router.get("/requests/{number}/attachments", response=list[schemas.AttachmentOut], summary="Its photos and documents")
def attached(request: HttpRequest, number: Number) -> list[dict[str, Any]]:
    found = find(number, actor(request, "read"))
    return [schemas.attachment(row) for row in attachments.of_request(found.jurisdiction_id, found.pk)]


@router.get("/requests/{number}/attachments/{attachment_id}", summary="The file itself", openapi_extra=_FILES)
def attached_file(request: HttpRequest, number: Number, attachment_id: Id) -> HttpResponse:
    by = actor(request, "read")
    return download(attachments.file_of(attachments.find(by.jurisdiction_id, number, attachment_id)))


@router.post("/requests/{number}/attachments", response={201: schemas.RequestOut}, summary="Add a photo or a PDF")
def attach(
    request: HttpRequest, number: Number, form: Form[schemas.AttachIn], key: Key, file: File[UploadedFile | None] = None
) -> Status[dict[str, Any]]:
    """JPEG, PNG, WebP or PDF as multipart/form-data, one at a time."""
    by = actor(request, "add_evidence")
    found = find(number, by)
    if request.content_type != "multipart/form-data":
        raise WrongMediaType("Send the file as multipart/form-data, in a field named 'file'.")
    sent = uploads(request, "file")
    if len(sent) != 1:
        raise Invalid("Send one file at a time.", fields=[FieldProblem("file", "One file is needed.")])
    services.attach(found, sent, by=by, proves=form.proves, note=form.note, version=form.version, key=key)
    return Status(201, show(number, by))
