"""Photos inside a contact: kept with the draft, shown, taken out again, attached with the request, and harmless."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from loop311.accounts.policies import Role
from loop311.desk.contact import drafts
from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.test_contact import ELM, Window, begin
from loop311.kit.files import GRACE
from loop311.kit.testing import page, same_number_of_queries
from loop311.kit.tests import pictures
from loop311.kit.uploads import Upload
from loop311.ledger.models import Event
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares
from loop311.requests import services as requests
from loop311.requests.models import Attachment, Enclosure, Request
from loop311.residents import services as residents
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db

PHOTO = Upload("IMG_1.jpg", pictures.from_a_phone())
PERMIT = Upload("permit.pdf", pictures.document())


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.LOOP311_HOME = tmp_path
    return tmp_path


@pytest.fixture
def desk() -> Sitting:
    found = sit(role=Role.CONCIERGE)
    city = found.city
    load_boundaries(city.jurisdiction, "district", squares(2), by=city.system, is_boundary=True)
    load_addresses(city.jurisdiction, [Address("412 Elm St", 32.05, -96.95)], by=city.system)
    return found


def sent(*files: Upload) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(each.name, each.data) for each in files]


def pothole(desk: Sitting, **typed: Any) -> Window:
    window = begin(desk)
    window.step("service", "pothole", want="deep", **typed)
    window.step("place", ELM, address="412 Elm St", **{"q-danger": "no"})
    return window


def small_pictures(window: Window) -> list[str]:
    return [image["src"] for image in window.look().images]


def test_a_photo_waits_with_the_draft_and_goes_with_the_request(desk: Sitting) -> None:
    window = pothole(desk)
    window.step("add-photo", want="deep", photos=sent(PHOTO, PERMIT))
    (src,) = small_pictures(window)
    assert desk.client.get(src)["Content-Type"] == "image/jpeg"
    assert "Photo 1 of this contact" in window.page.check().html
    window.step("file")
    photo, permit = Attachment.objects.order_by("pk")
    assert {photo.request, permit.request} == {Request.objects.get()}
    assert (photo.role, permit.role, photo.evidence, photo.latitude is None) == ("photo", "document", None, False)
    assert Event.objects.filter(kind="request.attached").count() == 2
    assert not Enclosure.objects.exists()
    assert "IMG_1" not in str(list(Attachment.objects.values()))
    window.step("another")
    assert small_pictures(window) == []


def test_a_photo_that_comes_with_the_save_itself_is_attached_too(desk: Sitting) -> None:
    pothole(desk).step("file", photos=sent(PHOTO))
    assert Request.objects.get().attachments.count() == 1


def test_a_report_that_is_joined_brings_its_photo(desk: Sitting) -> None:
    leading = desk.city.file(latitude=32.05, longitude=-96.95)
    window = pothole(desk)
    window.step("join", leading.number, photos=sent(PHOTO))
    window.step("file")
    joined = Request.objects.exclude(pk=leading.pk).get()
    assert (joined.state, joined.attachments.count()) == ("joined", 1)


def test_the_same_photo_twice_and_the_same_save_twice_are_one(desk: Sitting) -> None:
    window = pothole(desk)
    window.step("add-photo", photos=sent(PHOTO, PHOTO))
    window.step("add-photo", photos=sent(PHOTO))
    assert len(small_pictures(window)) == 1
    before = dict(window.state)
    for _ in range(2):
        window.state = before
        window.step("file")
    assert Request.objects.get().attachments.count() == 1


def test_a_photo_is_taken_out_again_and_its_file_goes(desk: Sitting, home: Path) -> None:
    window = pothole(desk)
    window.step("add-photo", photos=sent(PHOTO))
    photo = Enclosure.objects.get()
    window.step("remove-photo", str(photo.pk))
    assert small_pictures(window) == []
    assert desk.client.get(f"{window.address}photos/{photo.pk}/").status_code == 404
    window.step("remove-photo", str(photo.pk), 404)
    then = time.time() - GRACE - 1
    kept = [path for path in (home / "files").rglob("*") if path.is_file() and path.parent.name != "pending"]
    kept = [path for path in kept if len(path.name) == 64]
    for path in kept:
        os.utime(path, (then, then))
    assert requests.sweep_files([desk.city.jurisdiction.pk])["dropped"] == 1
    assert (len(kept), [path for path in kept if path.exists()]) == (2, [])
    window.look()
    window.step("file")
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("upload", "status", "sentence"),
    [
        (Upload("a.svg", pictures.DRAWING), 422, "drawing with code"),
        (Upload("b.jpg", pictures.photo() + pictures.archive()), 422, "carries something else"),
        (Upload("a.png", pictures.huge_png()), 422, "too large to be unpacked"),
        (Upload("a.png", pictures.png_with_swollen_text()), 422, "photo"),
        (Upload("a.jpg", b""), 422, "empty"),
        (Upload("a.jpg", pictures.photo() + bytes(21_000_000)), 413, "at most 20 MB"),
        (Upload("a.jpg", pictures.photo() + bytes(30_000_000)), 413, "All together may have 25 MB"),
    ],
)
@pytest.mark.parametrize("step", ["add-photo", "file"])
def test_a_hostile_file_is_one_sentence_and_loses_nothing(
    desk: Sitting, step: str, upload: Upload, status: int, sentence: str
) -> None:
    window = pothole(desk)
    sent_words = {"want": "half a page of careful words", "photos": sent(upload), "location_note": "behind the shed"}
    shown = window.step(step, "", status, **sent_words).check()
    assert sentence in shown.text
    assert "half a page of careful words" in shown.text
    assert "behind the shed" in window.look().html
    assert not Enclosure.objects.exists()
    assert not Request.objects.exists()


def test_a_full_disk_is_said_and_the_words_stay(desk: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    window = pothole(desk)
    monkeypatch.setattr("os.fsync", full)
    shown = window.step("file", "", 503, want="careful words", photos=sent(PHOTO))
    assert "the disk is full" in shown.text
    assert "careful words" in window.look().text


def test_nothing_chosen_and_too_many_are_sentences(desk: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    window = begin(desk)
    assert "Choose a photo or a PDF." in window.step("add-photo", "", 422).text
    monkeypatch.setattr("loop311.requests.services.enclosing.MOST", 1)
    assert "at most 1 photos" in window.step("add-photo", "", 422, photos=sent(PHOTO, PERMIT)).text
    assert not Enclosure.objects.exists()


def test_a_refused_save_keeps_the_photo(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "pothole")
    window.step("file", "", 422, photos=sent(PHOTO))
    assert len(small_pictures(window)) == 1


def test_photos_of_a_thing_that_is_not_filed_go_with_it(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "sign", photos=sent(PHOTO))
    window.step("inform", "sign")
    assert small_pictures(window) == []
    window.step("service", "sign", photos=sent(PERMIT))
    window.step("end")
    assert not Enclosure.objects.filter(dropped_at__isnull=True).exists()


def test_an_erased_resident_leaves_no_photo_in_an_open_contact(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction)
    window = begin(desk)
    window.step("caller", str(resident.pk), photos=sent(PHOTO))
    residents.erase(resident, by=desk.city.system)
    drafts.forget_resident(Event.objects.get(kind="resident.erased").pk)
    assert small_pictures(window) == []
    assert Enclosure.objects.get().latitude is None


def test_nobody_else_sees_a_photo_of_my_contact(desk: Sitting) -> None:
    window = begin(desk)
    window.step("add-photo", photos=sent(PHOTO))
    (src,) = small_pictures(window)
    other = sit(desk.city, Role.CONCIERGE, name="other")
    page(other.client, src, status=404)
    assert other.client.post(f"{window.address}add-photo/", {"photos": sent(PERMIT)}).status_code == 404
    assert src.replace(str(window.number), str(begin(other).number)) != src
    page(other.client, src.replace(f"/{window.number}/", f"/{begin(other).number}/"), status=404)


def test_many_photos_ask_the_database_no_more(desk: Sitting) -> None:
    window = begin(desk)
    window.step("add-photo", photos=sent(PHOTO))
    more = [Upload(f"{n}.jpg", pictures.photo(size=(40 + n, 30))) for n in range(4)]
    same_number_of_queries(
        lambda: desk.client.get(window.address), lambda: window.step("add-photo", photos=sent(*more))
    )
