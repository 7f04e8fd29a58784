"""Run as a program of its own: a photo comes in on standard input, a header line, the photo written anew and a small one go out.

It is started with an empty environment and knows nothing of us: whatever a hostile photo does to it, it finds no secret and
no connection, and it ends by the limits it sets itself before it reads a byte. Only Pillow and the standard library are imported.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import warnings
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

MOST_PIXELS = 64_000_000
LONGEST, SMALL = 3_000, 360
"""Pixels of the longer side of what is kept."""
MEMORY, SECONDS = 1_500_000_000, 15
"""Of address space and of computing."""

_FORMATS = ("JPEG", "PNG", "WEBP")


def limit() -> None:
    """The kernel ends us beyond these."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Refused(Exception):
    """The argument is a code of `reading.REFUSALS`."""


def develop(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """(facts, photo, small photo). Raises Refused."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image, facts = _loaded(data)
    except Refused:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise Refused("bomb") from None
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, ArithmeticError, LookupError, TypeError):
        raise Refused("broken") from None
    return _written(image, facts)


def _loaded(data: bytes) -> tuple[Image.Image, dict[str, Any]]:
    image = Image.open(BytesIO(data), formats=_FORMATS)
    _check(image)
    facts = _told(image)
    image.draft(None, (LONGEST, LONGEST))  # a JPEG need not be unpacked larger than it will be kept
    image.load()
    return image, facts


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width < 1 or height < 1 or width * height > MOST_PIXELS or max(width, height) > 65_000:
        raise Refused("bomb")
    if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise Refused("moving")


def _written(image: Image.Image, facts: dict[str, Any]) -> tuple[dict[str, Any], bytes, bytes]:
    image.thumbnail((LONGEST, LONGEST))
    turned = ImageOps.exif_transpose(image)
    plain = _plain(turned)
    photo = BytesIO()
    if plain.mode == "RGBA":
        plain.save(photo, "PNG", optimize=True)
    else:
        plain.save(photo, "JPEG", quality=86, optimize=True, progressive=True)
    small = _on_white(plain)
    small.thumbnail((SMALL, SMALL))
    thumbnail = BytesIO()
    small.save(thumbnail, "JPEG", quality=78, optimize=True)
    media = "image/png" if plain.mode == "RGBA" else "image/jpeg"
    facts |= {"media_type": media, "width": plain.width, "height": plain.height}
    return facts, photo.getvalue(), thumbnail.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """Pixels alone, in a new picture: nothing of what the file said besides can come along."""
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema() != (255, 255):
            return _copied(clear)
    if image.mode.startswith("I"):  # sixteen bits of grey
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    return _copied(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))


def _copied(image: Image.Image) -> Image.Image:
    fresh = Image.new(image.mode, image.size)
    fresh.paste(image)
    return fresh


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.copy()
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


# --- What the camera wrote down ----------------------------------------------------------------------------------------


def _told(image: Image.Image) -> dict[str, Any]:
    """Where and when it was taken, as far as that can be believed; a photo with senseless notes is a photo without."""
    try:
        exif = image.getexif()
        gps, shot = exif.get_ifd(0x8825), exif.get_ifd(0x8769)
        latitude, longitude = _degrees(gps, 1, 90), _degrees(gps, 3, 180)
        taken = _by_satellite(gps) or _by_camera(shot)
    except Exception:  # whatever a hostile file can make a reader of notes raise
        return {}
    facts: dict[str, Any] = {"taken": taken} if taken else {}
    if latitude is not None and longitude is not None and (latitude, longitude) != (0.0, 0.0):
        facts |= {"latitude": round(latitude, 6), "longitude": round(longitude, 6)}
    return facts


def _degrees(gps: dict[int, Any], tag: int, most: float) -> float | None:
    """Degrees, minutes and seconds after the letter of the hemisphere."""
    if tag + 1 not in gps or tag not in gps:
        return None
    degrees, minutes, seconds = (float(part) for part in gps[tag + 1])
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most:
        return None
    return -value if str(gps[tag]).strip("\x00 ").upper() in ("S", "W") else value


def _by_satellite(gps: dict[int, Any]) -> str:
    if 29 not in gps or 7 not in gps:
        return ""
    hours, minutes, seconds = (int(float(part)) for part in gps[7])
    day = str(gps[29]).strip("\x00 ").replace(":", "-")
    return f"{day}T{hours:02}:{minutes:02}:{seconds:02}+00:00"


def _by_camera(shot: dict[int, Any]) -> str:
    day, _, clock = str(shot.get(36867, "")).strip("\x00 ").partition(" ")
    if not day or not clock:
        return ""
    return f"{day.replace(':', '-')}T{clock}{str(shot.get(36881, '')).strip(chr(0) + ' ')}"


def main() -> None:
    limit()
    try:
        facts, photo, small = develop(sys.stdin.buffer.read())
    except Refused as refused:
        facts, photo, small = {"refused": str(refused)}, b"", b""
    except MemoryError:
        facts, photo, small = {"refused": "bomb"}, b"", b""
    header = json.dumps({**facts, "sizes": [len(photo), len(small)]}).encode()
    sys.stdout.buffer.write(header + b"\n" + photo + small)


if __name__ == "__main__":
    main()
