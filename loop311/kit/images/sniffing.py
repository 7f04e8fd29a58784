"""What a file is, by its content; its name is only believed where it says the same."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

from loop311.kit.problems import FieldProblem, Invalid, TooLarge

FIELD = "file"
"""The field that every refusal is placed at."""

LARGEST_PHOTO = 20_000_000
LARGEST_DOCUMENT = 10_000_000
"""Bytes, as they come."""


class Kind(StrEnum):
    """Media types that are read here."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"


_SEND = "Send a photo or a PDF."
_AS_A_PHOTO = "Send the photo as JPEG, PNG or WebP."
_HEIC = (
    "This is a HEIC photo, which most browsers cannot show. On the phone choose 'Most compatible' (Settings, Camera, Formats), "
    "or share it as JPEG, then send it again."
)
_KNOWN: tuple[tuple[bytes, str], ...] = (
    (rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", _HEIC),
    (rb"....ftypavi[fs]", f"This is an AVIF picture. {_AS_A_PHOTO}"),
    (rb"....ftyp", "This is a film. Send a photo of it instead: JPEG, PNG or WebP."),
    (rb"GIF8[79]a", f"This is a GIF. {_AS_A_PHOTO}"),
    (rb"(II\*\x00|MM\x00\*)", f"This is a TIFF or raw picture. {_AS_A_PHOTO}"),
    (rb"BM", f"This is a BMP picture. {_AS_A_PHOTO}"),
    (rb"PK\x03\x04|PK\x05\x06|\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", f"This is an archive or an office document. {_SEND}"),
    (rb"(\xef\xbb\xbf)?\s*<", f"This is a web page or a drawing with code (HTML, SVG, XML). {_SEND}"),
    (rb"MZ|\x7fELF|#!|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe", f"This is a program. {_SEND}"),
)  # fmt: skip
_REFUSED = tuple((re.compile(pattern, re.DOTALL), sentence) for pattern, sentence in _KNOWN)

_CARRIED = re.compile(
    rb"<script[\s>/]|<html[\s>]|<!doctype|<\?php|http://www\.w3\.org/2000/svg|%PDF-[12]\.", re.IGNORECASE
)
"""What no honest photo holds, long enough not to come up by chance in millions of bytes."""

_RUNS = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")


def refuse(sentence: str) -> Invalid:
    return Invalid(sentence, fields=[FieldProblem(FIELD, sentence)])


def kind_of(data: bytes, name: str = "") -> Kind:
    """Raises Invalid, or TooLarge, with one sentence for whatever is not taken."""
    if not data:
        raise refuse("The file is empty.")
    kind = _begins(data)
    if kind is None:
        raise refuse(_sentence(data))
    if len(data) > (LARGEST_DOCUMENT if kind is Kind.PDF else LARGEST_PHOTO):
        raise TooLarge(too_large(kind))
    _check_name(kind, name)
    (_check_document if kind is Kind.PDF else _check_photo)(data)
    return kind


def too_large(kind: Kind | None = None) -> str:
    if kind is Kind.PDF:
        return f"A document may have at most {LARGEST_DOCUMENT // 1_000_000} MB."
    return f"A photo may have at most {LARGEST_PHOTO // 1_000_000} MB, a document {LARGEST_DOCUMENT // 1_000_000} MB."


def _begins(data: bytes) -> Kind | None:
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    return Kind.PDF if data.startswith(b"%PDF-") else None


def _sentence(data: bytes) -> str:
    for pattern, sentence in _REFUSED:
        if pattern.match(data):
            return sentence
    return "This is neither a photo (JPEG, PNG, WebP) nor a PDF."


_ENDINGS = {
    ".pdf": Kind.PDF, ".jpg": None, ".jpeg": None, ".png": None, ".webp": None,
}  # fmt: skip
"""A phone that calls a JPEG '.png' means no harm; a PDF that is called a photo is not what it says."""


def _check_name(kind: Kind, name: str) -> None:
    ending = PurePath(name.lower()).suffix
    if ending and (ending not in _ENDINGS or (_ENDINGS[ending] is Kind.PDF) != (kind is Kind.PDF)):
        what = "a PDF" if kind is Kind.PDF else "a photo"
        raise refuse(f"The file is named '{ending[:20]}' but is {what}. Give it its right name, then send it again.")


def _check_photo(data: bytes) -> None:
    if _CARRIED.search(data) or holds_archive(data):
        raise refuse(
            "This photo carries something else inside (a web page, a document or an archive). Send the plain photo."
        )


def holds_archive(data: bytes) -> bool:
    """A ZIP's directory whose comment reaches just to the end of the file: what programs that open archives look for."""
    start = max(0, len(data) - 22 - 65_535)
    at = data.rfind(b"PK\x05\x06", start)
    while at >= 0:
        comment = int.from_bytes(data[at + 20 : at + 22], "little")
        if at + 22 + comment <= len(data) <= at + 22 + comment + 2:
            return True
        at = data.rfind(b"PK\x05\x06", start, at)
    return False


def _check_document(data: bytes) -> None:
    """No proof that it is harmless (its parts may be packed): that is why a document is never shown, only downloaded."""
    if not re.match(rb"%PDF-[12]\.\d", data) or b"%%EOF" not in data[-1024:]:
        raise refuse("This PDF is broken or was cut off. Save it again, then send it.")
    if holds_archive(data) or re.search(rb"<script[\s>/]|<html[\s>]|<!doctype html", data, re.IGNORECASE):
        raise refuse(
            "This PDF carries something else inside (a web page or an archive). Print it into a new PDF, then send that."
        )
    if _RUNS.search(data):
        raise refuse("This PDF holds a program or another file. Print it into a new PDF, then send that.")
