"""Work sheets: what a crew takes along on paper, one page each, with a code that opens the request on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from qrcode import ERROR_CORRECT_M, QRCode
from qrcode.image.svg import SvgPathImage

from loop311.desk.access import Desk
from loop311.desk.asking import read
from loop311.desk.reading import named_areas
from loop311.kit.problems import Invalid, NotFound
from loop311.requests.attachments import newest_photos
from loop311.requests.models import Attachment, Request
from loop311.requests.services import terms_of

MOST = 50
"""Sheets at a time."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Nothing of who asked stands on it: paper is left in cars."""

    request: Request
    areas: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str]]
    needed: Sequence[Sequence[str]]
    photo: Attachment | None
    address: str
    code: SafeString


def sheets(desk: Desk, numbers: Sequence[str]) -> list[Sheet]:
    """In the order asked for; the same number of queries however many."""
    if not numbers:
        raise Invalid(_("Pick at least one request."))
    if len(numbers) > MOST:
        raise Invalid(_("Pick at most {n} requests at a time.").format(n=MOST))
    rows = Request.objects.filter(jurisdiction=desk.city, number__in=numbers)
    found = {
        each.number: each
        for each in rows.select_related("jurisdiction", "service", "team", "assignee", "catalogue_version")
    }
    if not found or set(numbers) - set(found):
        raise NotFound(_("There is no request with this number in this city."))
    photos = newest_photos(desk.city.pk, [each.pk for each in found.values()])
    wanted = [found[number] for number in dict.fromkeys(numbers)]
    areas = named_areas(desk, [each.areas for each in wanted])
    return [_sheet(desk, each, lying, photos) for each, lying in zip(wanted, areas, strict=True)]


def _sheet(desk: Desk, request: Request, areas: Sequence[tuple[str, str]], photos: dict[int, Attachment]) -> Sheet:
    address = settings.BASE_URL + reverse("desk:request", args=[request.number])
    answers = read(terms_of(request).service, request.answers, desk.language)
    return Sheet(request, areas, answers, request.completion, photos.get(request.pk), address, code_of(address))


def code_of(address: str) -> SafeString:
    """A QR code as inline SVG without styles."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=2)
    code.add_data(address)
    drawn: str = code.make_image(image_factory=SvgPathImage).to_string(encoding="unicode")
    return mark_safe(drawn)  # noqa: S308 - drawn by us from our own address
