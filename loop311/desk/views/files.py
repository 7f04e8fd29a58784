"""Photos and documents of requests, to staff of their city only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from loop311.desk.access import Desk, desk_page
from loop311.kit.downloads import download
from loop311.requests import attachments


@require_GET
@desk_page("requests.read", may_be_kept=True)
def file(request: HttpRequest, desk: Desk, number: str, attachment_id: int) -> HttpResponse:
    return download(attachments.file_of(attachments.find(desk.city.pk, number, attachment_id)))


@require_GET
@desk_page("requests.read", may_be_kept=True)
def thumbnail(request: HttpRequest, desk: Desk, number: str, attachment_id: int) -> HttpResponse:
    return download(attachments.thumbnail_of(attachments.find(desk.city.pk, number, attachment_id)))
