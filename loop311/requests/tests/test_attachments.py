"""Photos and documents: named only when kept, proving only what they should, gone when the words are erased."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client

from loop311.accounts.testing import a_secret, bearer
from loop311.catalog.definitions import EvidenceKind
from loop311.kit import uploads as kit_uploads
from loop311.kit.files import GRACE
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable
from loop311.kit.testing import same_number_of_queries
from loop311.kit.tests import pictures
from loop311.kit.uploads import Upload
from loop311.ledger.models import Event
from loop311.requests import attachments, services
from loop311.requests.models import Attachment, Request
from loop311.requests.services.attaching import store
from loop311.requests.testing import City, make_city
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db

PHOTO = Upload("IMG_1.jpg", pictures.from_a_phone())
PERMIT = Upload("permit.pdf", pictures.document())


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.LOOP311_HOME = tmp_path
    return tmp_path


@pytest.fixture
def city() -> City:
    return make_city()


def files(home: Path) -> list[Path]:
    return [path for path in (home / "files").rglob("*") if path.is_file() and len(path.name) == 64]


def everything_is_older(home: Path) -> None:
    then = time.time() - GRACE - 1
    for path in (home / "files").rglob("*"):
        os.utime(path, (then, then))


def test_a_photo_proves_the_work_and_its_event_carries_the_files_digest(city: City) -> None:
    request = services.attach(city.file(), [PHOTO], by=city.member, note="after")
    row = request.attachments.get()
    body = json.loads(Event.objects.get(kind="request.evidence_added").body)
    assert body["digest"] == bytes(row.digest).hex() == hashlib.sha256(attachments.file_of(row).data).hexdigest()
    assert bytes(row.received_digest) == hashlib.sha256(PHOTO.data).digest()
    assert row.evidence is not None
    assert (row.evidence.kind, row.evidence.note, row.evidence.latitude) == (EvidenceKind.PHOTO, "after", None)
    assert row.taken_at == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert services.resolve(services.start(request, by=city.member), outcome="filled", by=city.member).state == "done"


def test_a_photo_of_the_problem_proves_nothing(city: City) -> None:
    request = services.attach(city.file(), [PHOTO], by=city.concierge, proves=False, note="from the caller")
    assert not request.evidence.exists()
    assert Event.objects.filter(kind="request.attached").count() == 1
    with pytest.raises(Conflict, match="without proof: photo"):
        services.resolve(request, outcome="filled", by=city.system)


def test_a_document_is_evidence_of_its_own_kind(city: City) -> None:
    request = services.attach(city.file(), [PERMIT], by=city.member)
    assert request.evidence.get().kind == EvidenceKind.DOCUMENT
    assert attachments.newest_photo(request.jurisdiction_id, request.pk) is None


def test_several_files_come_all_or_none(city: City) -> None:
    request = city.file()
    with pytest.raises(Invalid, match="drawing with code"):
        services.attach(request, [PHOTO, Upload("a.svg", pictures.DRAWING)], by=city.member)
    with pytest.raises(Invalid, match="Choose a photo"):
        services.attach(request, [], by=city.member)
    assert services.attach(request, [PHOTO, PERMIT], by=city.member).attachments.count() == 2


def test_who_may_not_add_evidence_attaches_nothing_and_nothing_is_read(city: City, home: Path) -> None:
    with pytest.raises(Forbidden):
        services.attach(city.file(), [PHOTO], by=city.auditor)
    assert not (home / "files").exists()


def test_the_same_key_adds_nothing_twice_and_a_stale_view_adds_nothing(city: City) -> None:
    request = city.file()
    for _ in range(2):
        services.attach(request, [PHOTO], by=city.member, key="k-1")
    assert request.attachments.count() == 1
    with pytest.raises(Conflict, match="changed meanwhile"):
        services.attach(request, [PHOTO], by=city.member, version=1)
    with pytest.raises(Invalid, match="idempotency key"):
        services.attach(request, [PERMIT], by=city.member, key="k-1")


def test_another_citys_request_takes_nothing(city: City) -> None:
    other = make_city("other")
    with pytest.raises(NotFound):
        services.attach(other.file(), [PHOTO], by=city.member)


def test_a_request_holds_only_so_many(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop311.requests.services.attaching.MOST", 1)
    request = services.attach(city.file(), [PERMIT], by=city.member)
    with pytest.raises(Invalid, match="at most 1 photos"):
        services.attach(request, [PERMIT], by=city.member)


def test_a_full_disk_changes_nothing(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    request = city.file()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unavailable, match="disk is full"):
        services.attach(request, [PERMIT], by=city.member)
    assert not request.attachments.exists()
    assert Request.objects.get(pk=request.pk).version == request.version


def test_a_file_whose_row_never_came_is_swept_and_one_with_a_row_stays(city: City, home: Path) -> None:
    request = services.attach(city.file(), [PERMIT], by=city.member)
    store(city.jurisdiction.pk).put(b"of a server that died before it committed")
    assert services.sweep_files([city.jurisdiction.pk]) == {"orphans": 0, "erased": 0, "dropped": 0}
    everything_is_older(home)
    assert services.sweep_files([city.jurisdiction.pk]) == {"orphans": 1, "erased": 0, "dropped": 0}
    assert attachments.file_of(request.attachments.select_related("request").get()).data == PERMIT.data


def test_erasing_the_words_erases_the_files(city: City, home: Path) -> None:
    person = a_resident(city.jurisdiction)
    mine, others = city.file(resident=person), city.file()
    services.attach(mine, [PHOTO], by=city.member, proves=False, note="my door")
    for request in (mine, others):
        services.attach(request, [PERMIT], by=city.member)
    assert len(files(home)) == 3
    services.erase_words([person.pk], by=city.system)
    everything_is_older(home)
    services.remove_erased_files(Event.objects.get(kind="request.words_erased").pk)
    assert [path.read_bytes() for path in files(home)] == [PERMIT.data], "the other request names the same permit"
    row = mine.attachments.get(role="photo")
    assert (row.note, row.latitude, row.taken_at) == ("", None, None)
    assert row.removed_at is not None
    assert not attachments.of_request(city.jurisdiction.pk, mine.pk).exists()
    with pytest.raises(NotFound):
        attachments.find(city.jurisdiction.pk, mine.number, row.pk)


def test_what_was_attached_a_moment_before_its_erasure_goes_with_the_sweep(city: City, home: Path) -> None:
    person = a_resident(city.jurisdiction)
    services.attach(city.file(resident=person), [PHOTO], by=city.member)
    services.erase_words([person.pk], by=city.system)
    services.remove_erased_files(Event.objects.get(kind="request.words_erased").pk)
    assert len(files(home)) == 2
    everything_is_older(home)
    assert services.sweep_files([city.jurisdiction.pk])["erased"] == 1
    assert files(home) == []


def test_rows_are_only_added(city: City) -> None:
    services.attach(city.file(), [PERMIT], by=city.member)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE requests_attachment SET digest = '\\x00'")


def test_the_newest_photo_of_many_requests_costs_one_query(city: City) -> None:
    requests = [city.file(), city.file()]

    def ask() -> object:
        return attachments.newest_photos(city.jurisdiction.pk, [request.pk for request in requests])

    def more() -> None:
        for request in requests:
            services.attach(request, [PHOTO], by=city.member, proves=False)

    assert same_number_of_queries(ask, more) == 1
    newest = services.attach(requests[0], [PHOTO], by=city.member).attachments.latest("pk")
    assert attachments.newest_photos(city.jurisdiction.pk, [requests[0].pk]) == {requests[0].pk: newest}


# --- API ---------------------------------------------------------------------------------------------------------------


def post(city: City, number: str, upload: Upload, **fields: Any) -> Any:
    sent = {"file": SimpleUploadedFile(upload.name, upload.data), **fields}
    return Client().post(f"/api/v1/requests/{number}/attachments", sent, headers=bearer(a_secret(city.jurisdiction)))


def test_a_file_goes_in_and_comes_out_of_the_api(city: City) -> None:
    request = city.file()
    answer = post(city, request.number, PERMIT, proves="false", note="permit", version="1")
    assert (request.version, answer.status_code, answer.json()["version"]) == (1, 201, 2)
    head = bearer(a_secret(city.jurisdiction))
    (row,) = Client().get(f"/api/v1/requests/{request.number}/attachments", headers=head).json()
    assert (row["role"], row["proves"], row["sha256"]) == ("document", False, hashlib.sha256(PERMIT.data).hexdigest())
    file = Client().get(f"/api/v1/requests/{request.number}/attachments/{row['id']}", headers=head)
    assert file.content == PERMIT.data
    assert file["Content-Disposition"].startswith("attachment;")
    assert file["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert file["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("upload", "status", "sentence"),
    [
        (Upload("a.svg", pictures.DRAWING), 422, "drawing with code"),
        (Upload("a.png", pictures.huge_png()), 422, "too large to be unpacked"),
        (Upload("a.jpg", pictures.photo() + pictures.archive()), 422, "carries something else"),
        (Upload("a.jpg", pictures.photo() + bytes(21_000_000)), 413, "at most 20 MB"),
        (Upload("a.jpg", bytes(26_000_000)), 413, "at most 20 MB"),
    ],
)
def test_the_api_refuses_hostile_files_with_a_sentence(city: City, upload: Upload, status: int, sentence: str) -> None:
    request = city.file()
    answer = post(city, request.number, upload)
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]
    assert not Attachment.objects.exists()


def test_a_form_without_a_file_or_that_is_none_is_refused(city: City) -> None:
    path, head = f"/api/v1/requests/{city.file().number}/attachments", bearer(a_secret(city.jurisdiction))
    assert Client().post(path, {"note": "x"}, headers=head).status_code == 422
    assert Client().post(path, {}, content_type="application/json", headers=head).status_code == 415
    broken = Client().post(path, b"no form", content_type="multipart/form-data", headers=head)
    assert (broken.status_code, broken.json()["detail"]) == (400, "The form is not valid multipart/form-data.")
    many = {f"file{n}": SimpleUploadedFile("a", b"a") for n in range(101)}
    assert Client().post(path, many, headers=head).status_code == 400


def test_an_endless_upload_is_read_past_and_never_held(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_uploads, "MOST_IN_ONE", 1000)
    assert post(city, city.file().number, Upload("a.pdf", pictures.document() + bytes(2000))).status_code == 413
