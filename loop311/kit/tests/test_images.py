"""Photos are written anew from their pixels; whatever is not a plain photo or PDF is refused with one sentence."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from loop311.kit.images import Readied, reading, ready
from loop311.kit.images.developing import Refused, develop
from loop311.kit.images.sniffing import LARGEST_DOCUMENT, LARGEST_PHOTO, holds_archive, kind_of
from loop311.kit.problems import Invalid, Problem, TooLarge
from loop311.kit.tests import pictures

NOW = datetime(2026, 3, 3, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")


def test_a_photo_is_written_anew_and_tells_where_and_when_it_was_taken() -> None:
    sent = pictures.from_a_phone()
    kept = ready(sent, "IMG_1.JPG")
    assert (kept.media_type, kept.width, kept.height) == ("image/jpeg", 64, 48)
    assert kept.latitude == pytest.approx(32.776667)
    assert kept.longitude == pytest.approx(-96.796944)
    assert kept.taken_at(CHICAGO, before=NOW) == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert kept.data != sent
    for data in (kept.data, kept.thumbnail):
        again = Image.open(BytesIO(data))
        assert not again.getexif()
        assert b"A phone" not in data
        assert b"Exif" not in data
        assert set(again.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}


def test_the_satellites_clock_goes_before_the_cameras_and_the_citys_zone_stands_in() -> None:
    assert ready(pictures.from_a_phone(satellite=True)).taken == "2026-03-02T15:00:01+00:00"
    local = ready(pictures.from_a_phone(offset=""))
    assert local.taken == "2026-03-02T09:00:00"
    assert local.taken_at(CHICAGO, before=NOW) == datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "taken", ["", "nonsense", "1970-01-01T00:00:00", "2031-01-01T00:00:00", "0001-01-01T00:00:00+23:59"]
)
def test_a_clock_that_cannot_be_right_is_not_believed(taken: str) -> None:
    assert Readied(b"", "image/jpeg", taken=taken).taken_at(CHICAGO, before=NOW) is None


def test_a_photo_stands_upright_whatever_its_notes_said() -> None:
    assert (ready(pictures.from_a_phone(turned=6)).width, ready(pictures.from_a_phone(turned=6)).height) == (48, 64)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (pictures.photo("PNG"), "image/jpeg"),
        (pictures.photo("WEBP"), "image/jpeg"),
        (pictures.photo("PNG", mode="RGBA", colour=(255, 0, 0, 255)), "image/jpeg"),
        (pictures.photo("PNG", mode="RGBA", colour=(255, 0, 0, 90)), "image/png"),
        (pictures.photo("PNG", mode="I;16", colour=40_000), "image/jpeg"),
        (pictures.photo("PNG", mode="1", colour=1), "image/jpeg"),
        (pictures.photo("PNG", mode="P", colour=3), "image/jpeg"),
        (pictures.photo("JPEG", mode="CMYK", colour=(1, 2, 3, 4)), "image/jpeg"),
        (pictures.photo("JPEG", mode="L", colour=9), "image/jpeg"),
    ],
)
def test_every_kind_of_photo_is_taken_and_only_a_clear_one_stays_png(sent: bytes, kept: str) -> None:
    assert ready(sent).media_type == kept


def test_a_large_photo_is_kept_smaller_with_a_small_one_beside_it() -> None:
    kept = ready(pictures.photo(size=(6000, 3000)))
    assert (kept.width, kept.height) == (3000, 1500)
    assert Image.open(BytesIO(kept.thumbnail)).size == (360, 180)


def test_a_document_is_kept_as_it_came_and_has_no_small_picture() -> None:
    kept = ready(pictures.document(), "permit.pdf")
    assert (kept.media_type, kept.data, kept.is_photo) == ("application/pdf", pictures.document(), False)


PHOTO, PDF = pictures.photo(), pictures.document()
ATTACKS = {
    "nothing": (b"", "a.jpg", "empty"),
    "a drawing with a script": (pictures.DRAWING, "a.svg", "drawing with code"),
    "a drawing that is called a photo": (pictures.DRAWING, "a.jpg", "drawing with code"),
    "a web page that is called a photo": (b"\xef\xbb\xbf <!DOCTYPE html><p>", "a.jpg", "web page"),
    "a photo that is an archive too": (PHOTO + pictures.archive(), "a.jpg", "carries something else"),
    "a photo that is a web page too": (PHOTO + b"<html><body>" + pictures.SCRIPT, "a.jpg", "carries something else"),
    "a photo with a script in its notes": (pictures.photo(comment=pictures.SCRIPT), "a.jpg", "carries something else"),
    "a photo that is a document too": (PHOTO + PDF, "a.jpg", "carries something else"),
    "a picture that is a program of a server too": (pictures.photo("PNG") + b"<?php system(1);", "a.png", "carries something"),
    "an archive": (pictures.archive(), "a.zip", "archive"),
    "an archive that unpacks to a hundred million bytes": (pictures.archive("a", bytes(100_000_000)), "a.jpg", "archive"),
    "a packed file": (gzip.compress(bytes(1000)), "a.jpg", "archive"),
    "a picture of 3.6 thousand million pixels": (pictures.huge_png(), "a.png", "too large to be unpacked"),
    "a cut photo": (pictures.photo(size=(400, 400), colour="red")[:-300], "a.jpg", "broken or was cut off"),
    "a cut picture": (pictures.photo("PNG", size=(400, 400))[:-60], "a.png", "broken or was cut off"),
    "only the beginning of a photo": (b"\xff\xd8\xff\xe0" + bytes(40), "a.jpg", "broken or was cut off"),
    "a moving picture": (pictures.moving("PNG"), "a.png", "moving picture"),
    "another moving picture": (pictures.moving("WEBP"), "a.webp", "moving picture"),
    "a GIF": (pictures.photo("GIF"), "a.gif", "GIF"),
    "a TIFF": (pictures.photo("TIFF"), "a.tif", "TIFF"),
    "a photo of a phone that browsers cannot show": (pictures.HEIC, "IMG_1.HEIC", "Most compatible"),
    "a film": (b"\x00\x00\x00\x18ftypmp42" + bytes(100), "a.mp4", "film"),
    "a program": (b"MZ" + bytes(100), "a.jpg", "program"),
    "words": (b"Dear city,", "a.jpg", "neither a photo"),
    "a document that is called a photo": (PDF, "photo.jpg", "is a PDF"),
    "a photo that is called a document": (PHOTO, "photo.pdf", "is a photo"),
    "a photo that is called a web page": (PHOTO, "photo.html", "named '.html'"),
    "a document with a program": (pictures.document(b"/OpenAction << /S /JavaScript >>"), "a.pdf", "holds a program"),
    "a document with a file inside": (pictures.document(b"/EmbeddedFile "), "a.pdf", "holds a program"),
    "a document that is an archive too": (PDF + pictures.archive(), "a.pdf", "carries something else"),
    "a document that is a web page too": (pictures.document(b"<html><script>"), "a.pdf", "carries something else"),
    "half a document": (PDF[:-10], "a.pdf", "cut off"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_no_plain_photo_or_document_is_refused_with_a_sentence(name: str) -> None:
    data, called, sentence = ATTACKS[name]
    with pytest.raises(Invalid) as refused:
        ready(data, called)
    assert sentence in refused.value.detail
    assert refused.value.fields[0].field == "file"


def test_what_is_too_large_is_refused_before_anything_reads_it() -> None:
    for data in (PHOTO + bytes(LARGEST_PHOTO), PDF[:-6] + bytes(LARGEST_DOCUMENT) + b"%%EOF\n"):
        with pytest.raises(TooLarge, match="at most"):
            ready(data)


def test_a_note_that_swells_costs_nothing() -> None:
    with pytest.raises(Invalid):
        ready(pictures.png_with_swollen_text())


def test_a_phones_film_behind_the_photo_is_left_behind() -> None:
    kept = ready(PHOTO + b"\x00\x00\x00\x18ftypmp42" + b"film" * 50)
    assert b"film" not in kept.data


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "import os; os.abort()", "print('{'); raise SystemExit(1)",
                                     "bytearray(10**10)"])  # fmt: skip
def test_whatever_happens_to_the_program_the_sender_gets_a_sentence(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "developing.py"
    path.write_text(f"import resource; resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))\n{program}\n")
    monkeypatch.setattr(reading, "_PROGRAM", path)
    monkeypatch.setattr(reading, "PATIENCE", 1)
    with pytest.raises(Invalid, match="too large to be unpacked"):
        ready(PHOTO)
    monkeypatch.undo()
    assert ready(PHOTO).is_photo


@given(
    st.binary(max_size=300), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"%PDF-1.4", b""])
)
def test_no_bytes_make_anything_but_a_sentence(data: bytes, start: bytes) -> None:
    try:
        kind_of(start + data)
        develop(start + data)
    except (Problem, Refused):
        return
    pytest.fail(f"taken: {start + data!r}")


@given(st.integers(0, 600), st.integers(0, 255))
def test_one_wrong_byte_never_does_more_than_break_the_photo(place: int, value: int) -> None:
    sent = bytearray(pictures.from_a_phone())
    sent[place % len(sent)] = value
    try:
        facts, data, small = develop(bytes(sent))
    except Refused:
        return
    assert data[:2] == small[:2] == b"\xff\xd8"
    assert abs(facts.get("latitude", 0)) <= 90
    assert abs(facts.get("longitude", 0)) <= 180


@given(st.binary(max_size=40))
def test_an_archive_is_found_whatever_stands_before_it(before: bytes) -> None:
    assert holds_archive(before + pictures.archive())
    assert not holds_archive(before)
