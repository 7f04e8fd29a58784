"""Reading what cities write: times, numbers, names. Pure; each raises Unreadable with the words for the rejects file."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

_LONGEST_CODE = 80
_YEARS = range(1900, 2200)
_END_OF_DAY = timedelta(days=1) - timedelta(seconds=1)
_REMEMBERED = 100_000


class Unreadable(ValueError):
    """The text is not what its column should hold; the message is a short clause."""


@lru_cache(maxsize=20_000)
def slug(name: str) -> str:
    """The stable code of a name: lower-case letters and digits joined by hyphens; at most 80, a longer one ends in a digest.

    Names that differ only in case, accents or punctuation have one code.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if code and len(code) <= _LONGEST_CODE:
        return code
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{code[: _LONGEST_CODE - 13].rstrip('-')}-{digest}" if code else f"n-{digest}"


def whole_number(text: str) -> str:
    """'5', '5.0' and '05' are '5'; anything else is no whole number and gives ''."""
    try:
        value = float(text)
    except ValueError:
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else ""


def coordinate(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class LocalTimes:
    """Reads times of one column: in the column's zone when they carry none, always returned with their offset from UTC.

    A time that the clocks skipped in spring is read by the offset before the change; a time that happened twice in
    autumn as the first of the two (`second` gives the other).
    """

    def __init__(self, zone: ZoneInfo, formats: tuple[str, ...], *, ends_day: bool = False) -> None:
        self._zone = zone
        self._readers = [_reader(pattern) for pattern in formats]
        self._ends_day = ends_day
        self._offsets: dict[str, timezone | None] = {}
        self._suffixes: dict[str, str] = {}
        self._seen: dict[str, datetime] = {}
        self._iso = formats[:1] == ("iso",)

    def __call__(self, text: str) -> datetime:
        """Aware. Raises Unreadable."""
        if self._iso and len(text) >= 19 and text[4] == text[7] == "-":
            try:
                return self._iso_time(text)
            except ValueError:
                pass
        known = self._seen.get(text)
        if known is None:
            known = self._read(text)
            if len(self._seen) > _REMEMBERED:
                self._seen.clear()
            self._seen[text] = known
        return known

    def _iso_time(self, text: str) -> datetime:
        """An hour's offset, once known, is read along with the time; that fails where the text has an offset of its own."""
        suffix = self._suffixes.get(text[:13])
        if suffix:
            try:
                return datetime.fromisoformat(text + suffix)
            except ValueError:
                pass
        placed = self._placed(datetime.fromisoformat(text), text[:13])
        offset = self._offsets.get(text[:13])
        if offset:
            self._suffixes[text[:13]] = str(offset)[3:]
        return placed

    def second(self, moment: datetime) -> datetime:
        """The later of the two instants with this local time, in the hour that the clocks repeat in autumn."""
        return moment.replace(tzinfo=self._zone, fold=1).astimezone(UTC)

    def _read(self, text: str) -> datetime:
        for read in self._readers:
            try:
                moment = read(text)
            except (ValueError, OverflowError, OSError):
                continue
            if self._ends_day and _is_date(text, moment):
                moment += _END_OF_DAY
            return self._placed(moment, moment.isoformat()[:13])
        raise Unreadable(f"{text[:40]!r} is not a time in the expected form")

    def _placed(self, moment: datetime, hour: str) -> datetime:
        if moment.year not in _YEARS:
            raise Unreadable(f"the year {moment.year} cannot be right")
        if moment.tzinfo is not None:
            return moment
        try:
            offset = self._offsets[hour]
        except KeyError:
            offset = self._offsets[hour] = self._offset_in(moment)
        if offset is None:
            return moment.replace(tzinfo=self._zone).astimezone(UTC)
        return moment.replace(tzinfo=offset)

    def _offset_in(self, moment: datetime) -> timezone | None:
        """The offset that holds all through the local hour; None when it changes within it."""
        first, last = moment.replace(minute=0, second=0, microsecond=0), moment.replace(minute=59, second=59)
        offsets = {m.replace(tzinfo=self._zone).utcoffset() for m in (first, last)}
        only = offsets.pop()
        return timezone(only) if not offsets and only is not None else None


def _reader(pattern: str) -> Callable[[str], datetime]:
    if pattern == "iso":
        return _iso
    if pattern == "epoch_s":
        return lambda text: datetime.fromtimestamp(float(text), UTC)
    if pattern == "epoch_ms":
        return lambda text: datetime.fromtimestamp(float(text) / 1000, UTC)
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is put on by the caller


def _iso(text: str) -> datetime:
    """Only with hyphens: a bare '20110706' may as well be a number."""
    if text[4:5] != "-":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _is_date(text: str, moment: datetime) -> bool:
    """No time of day was written, or midnight, which is how exports write a date."""
    return moment.tzinfo is None and moment.time() == datetime.min.time() and len(text) > 0
