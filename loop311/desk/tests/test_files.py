"""Photos and documents on the request page: added, shown, and harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.kit.testing import Page, page, same_number_of_queries
from loop311.kit.tests import pictures
from loop311.kit.uploads import Upload
from loop311.requests import services
from loop311.requests.models import Attachment, Request
from loop311.requests.testing import make_city

pytestmark = pytest.mark.django_db

PHOTO = Upload("IMG_1.jpg", pictures.from_a_phone())
PERMIT = Upload("permit.pdf", pictures.document())


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path


@pytest.fixture
def desk() -> Sitting:
    return sit()


def send(desk: Sitting, request: Request, *files: Upload, **fields: str) -> Any:
    request.refresh_from_db()
    sent = {"version": str(request.version), "shows": "work", **fields}
    photos = [SimpleUploadedFile(each.name, each.data) for each in files]
    return desk.client.post(f"/desk/requests/{request.number}/attach/", {**sent, "photos": photos})


def shown(response: Any) -> Page:
    return Page(response.content.decode(), response.headers["Content-Security-Policy"]).check()


def test_photos_and_a_permit_are_added_at_once_and_seen(desk: Sitting) -> None:
    request = desk.city.file(latitude=32.7770, longitude=-96.7969)
    assert send(desk, request, PHOTO, PERMIT, note="before the rain").status_code == 302
    text = page(desk.client, f"/desk/requests/{request.number}/")
    assert {"Photo 1, of the work"} <= {image["alt"] for image in text.images}
    for words in (
        "Proof of the work",
        "before the rain",
        "taken Mar 2",  # and the year, in another one
        " m from the place",
        "Document 2, PDF",
    ):
        assert words in text.text
    assert desk.act(request, "resolve", outcome="filled") == 302


def test_a_photo_of_the_problem_is_no_proof(desk: Sitting) -> None:
    request = desk.city.file()
    send(desk, request, PHOTO, shows="problem", note="the caller's own")
    text = page(desk.client, f"/desk/requests/{request.number}/").text
    assert "A photo that shows the problem was added." in text
    assert "the caller's own" in text
    assert desk.act(request, "resolve", outcome="filled") == 409


@pytest.mark.parametrize(
    ("files", "status", "sentence"),
    [
        ([Upload("a.svg", pictures.DRAWING)], 422, "drawing with code"),
        ([PHOTO, Upload("b.jpg", pictures.photo() + pictures.archive())], 422, "carries something else"),
        ([Upload("a.HEIC", pictures.HEIC)], 422, "Most compatible"),
        ([Upload("a.jpg", b"")], 422, "The file is empty"),
        ([], 422, "Choose a photo or a PDF."),
        ([Upload("a.jpg", pictures.photo() + bytes(21_000_000))], 413, "at most 20 MB"),
        (
            [Upload(f"{n}.jpg", pictures.photo() + bytes(13_000_000)) for n in range(2)],
            413,
            "All together may have 25 MB",
        ),
    ],
)
def test_what_is_refused_says_why_at_the_field_and_keeps_the_words(
    desk: Sitting, files: list[Upload], status: int, sentence: str
) -> None:
    request = desk.city.file()
    answer = send(desk, request, *files, note="Half a page of careful words")
    assert answer.status_code == status
    text = shown(answer)
    assert sentence in text.text
    assert "Half a page of careful words" in text.html
    assert not Attachment.objects.exists()


def test_a_full_disk_is_said_and_nothing_has_happened(desk: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = send(desk, desk.city.file(), PERMIT)
    assert answer.status_code == 503
    assert "the disk is full" in shown(answer).text


def test_somebody_elses_change_meanwhile_is_explained(desk: Sitting) -> None:
    request = desk.city.file()
    services.start(request, by=desk.city.member)
    answer = send(desk, request, PERMIT, version="1", note="careful words")
    assert answer.status_code == 409
    assert "Work has begun. crew" in shown(answer).text


def test_files_are_given_out_so_that_nothing_in_them_runs(desk: Sitting) -> None:
    request = desk.city.file()
    send(desk, request, PHOTO, PERMIT)
    photo, permit = request.attachments.order_by("pk")
    address = f"/desk/requests/{request.number}/files"
    for path, how, media in (
        (f"{address}/{photo.pk}/", "inline", "image/jpeg"),
        (f"{address}/{photo.pk}/small/", "inline", "image/jpeg"),
        (f"{address}/{permit.pk}/", "attachment", "application/pdf"),
    ):
        answer = desk.client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, media)
        assert answer["Content-Disposition"].startswith(f'{how}; filename="{request.number}')
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, max-age=86400, immutable"
    assert desk.client.get(f"{address}/{permit.pk}/small/").status_code == 404


def test_only_the_citys_own_staff_see_its_files(desk: Sitting) -> None:
    request = desk.city.file()
    send(desk, request, PERMIT)
    path = f"/desk/requests/{request.number}/files/{request.attachments.get().pk}/"
    assert Client().get(path).status_code == 302
    stranger = sit(make_city("other"))
    stranger.city.file()
    assert stranger.client.get(path).status_code == 404
    assert sit(desk.city, Role.AUDITOR, name="reader").client.get(path).status_code == 200
    assert desk.client.get(path.replace(request.number, desk.city.file().number)).status_code == 404


def test_a_page_with_many_photos_asks_the_database_no_more(desk: Sitting) -> None:
    request = desk.city.file()
    send(desk, request, PHOTO)
    same_number_of_queries(
        lambda: page(desk.client, f"/desk/requests/{request.number}/"),
        lambda: send(desk, request, PHOTO, PHOTO, PERMIT),
    )
