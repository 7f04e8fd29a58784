"""Photos, documents and attacks made on the spot."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

SCRIPT = b"<script>alert(1)</script>"


def photo(
    form: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", colour: Any = "orange", **saved: Any
) -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, form, **saved)
    return file.getvalue()


def from_a_phone(*, turned: int = 1, offset: str = "-06:00", satellite: bool = False, **saved: Any) -> bytes:
    """A JPEG with the notes a phone writes: 32.7767 N, 96.797 W, nine in the morning of 2 March 2026."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turned, "A phone"
    camera = {36867: "2026:03:02 09:00:00", **({36881: offset} if offset else {})}
    gps: dict[int, Any] = {1: "N", 2: _degrees(32, 46, 36), 3: "W", 4: _degrees(96, 47, 49)}
    if satellite:
        gps |= {7: _degrees(15, 0, 1), 29: "2026:03:02"}
    exif.get_ifd(0x8769).update(camera)
    exif.get_ifd(0x8825).update(gps)
    return photo(exif=exif.tobytes(), **saved)


def _degrees(*parts: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(part, 1) for part in parts)


def archive(name: str = "inner.html", content: bytes = SCRIPT) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return file.getvalue()


def huge_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """Says it has 3.6 thousand million pixels, in a few hundred bytes."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def png_with_swollen_text() -> bytes:
    """A small picture whose compressed note unpacks to a hundred million bytes."""
    plain = photo("PNG")
    note = b"note\x00\x00" + zlib.compress(bytes(100_000_000), 9)
    return plain[:33] + _chunk(b"zTXt", note) + plain[33:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def moving(form: str) -> bytes:
    file = BytesIO()
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    first.save(file, form, save_all=True, append_images=[second], duration=100)
    return file.getvalue()


def document(inside: bytes = b"") -> bytes:
    return b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog " + inside + b">>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)
