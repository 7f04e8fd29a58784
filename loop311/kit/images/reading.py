"""From the bytes somebody sent to what is kept of them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from loop311.kit.images.sniffing import Kind, kind_of, refuse
from loop311.kit.problems import Unavailable

READ_HERE = ",".join(kind.value for kind in Kind)
"""For the `accept` attribute of a file field."""

PATIENCE = 30
"""Seconds of waiting for one photo, and for a turn."""

_AT_ONCE = threading.BoundedSemaphore(2)
"""Photos developed at a time in one process of ours."""

_PROGRAM = Path(__file__).with_name("developing.py")

REFUSALS = {
    "bomb": "This picture is too large to be unpacked: at most 64 million pixels are taken.",
    "moving": "This is a moving picture. Send a single photo.",
    "broken": "This photo is broken or was cut off. Take or save it again, then send it.",
}


@dataclass(frozen=True, slots=True)
class Readied:
    """What is kept of a photo or document. Position in WGS84 degrees; pixels are 0 for a document."""

    data: bytes
    media_type: str
    thumbnail: bytes = b""
    """A small JPEG; empty for a document."""
    width: int = 0
    height: int = 0
    latitude: float | None = None
    longitude: float | None = None
    taken: str = ""
    """ISO; without an offset it is the wall time where the photo was taken."""

    @property
    def is_photo(self) -> bool:
        return bool(self.thumbnail)

    def taken_at(self, zone: tzinfo, *, before: datetime) -> datetime | None:
        """The instant, in UTC; None where the camera's clock cannot be right: before 1990 or more than a day after `before`."""
        try:
            at = datetime.fromisoformat(self.taken)
            at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return at if datetime(1990, 1, 1, tzinfo=UTC) <= at <= before + timedelta(days=1) else None


def ready(data: bytes, name: str = "") -> Readied:
    """Raises Invalid or TooLarge with one sentence; Unavailable when too many photos come at once. Takes a moment: call it
    outside of a transaction.
    """
    kind = kind_of(data, name)
    if kind is Kind.PDF:
        return Readied(data, kind.value)
    if not _AT_ONCE.acquire(timeout=PATIENCE):
        raise Unavailable("Many photos are coming in just now; send it again in a minute.")
    try:
        return _read(_developed(data))
    finally:
        _AT_ONCE.release()


def _developed(data: bytes) -> bytes:
    """What the program wrote; nothing when the kernel ended it or it took too long."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(_PROGRAM)],
            input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, env={}, cwd="/", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return b""
    return done.stdout if done.returncode == 0 else b""


def _read(answer: bytes) -> Readied:
    header, _, rest = answer.partition(b"\n")
    if not header:
        raise refuse(REFUSALS["bomb"])
    facts: dict[str, Any] = json.loads(header)
    if "refused" in facts:
        raise refuse(REFUSALS[facts["refused"]])
    first, second = facts["sizes"]
    if len(rest) != first + second:
        raise refuse(REFUSALS["broken"])
    return Readied(
        data=rest[:first],
        media_type=Kind(facts["media_type"]).value,
        thumbnail=rest[first:],
        width=int(facts["width"]),
        height=int(facts["height"]),
        latitude=_within(facts.get("latitude"), 90),
        longitude=_within(facts.get("longitude"), 180),
        taken=str(facts.get("taken", ""))[:40],
    )


def _within(value: object, most: float) -> float | None:
    return value if isinstance(value, float) and math.isfinite(value) and abs(value) <= most else None
