"""What GeoReport v2 leaves open, decided: how its arguments are read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loop311.georeport.reading import instant
from loop311.kit.problems import FieldProblem, Invalid

LONGEST_WINDOW = timedelta(days=90)
MOST = 1_000
"""Requests in one answer."""
LONGEST_TEXT = 4_000
"""Characters of a description, after line ends are one character."""
_ATTRIBUTE = re.compile(r"attribute\[(?P<code>.+?)\](?:\[\d*\])?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def refuse(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields=[FieldProblem(field, sentence)])


def attributes(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """code -> values, from attribute[C]=, attribute[C][]=, attribute[C][0]= and repeats; an empty value is not given."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        match = _ATTRIBUTE.fullmatch(name)
        said = printable(value).strip()
        if match and said:
            found.setdefault(match["code"], []).append(said)
    return found


def listed(values: Iterable[str]) -> list[str]:
    """'a,b' and repeated parameters alike; empty ones are absent."""
    return [part for value in values for text in value.split(",") if (part := text.strip())]


def statuses(values: Iterable[str]) -> frozenset[str]:
    """Of `open` and `closed`, in any case; nothing asked is both."""
    wanted = frozenset(value.lower() for value in listed(values))
    if strange := wanted - {"open", "closed"}:
        raise refuse("status", f"There is no status {sorted(strange)[0][:40]!r}; they are open and closed.")
    return wanted or frozenset({"open", "closed"})


@dataclass(frozen=True, slots=True)
class Window:
    start: datetime
    end: datetime
    """Both belong to it."""


def window(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """At most 90 days; the last 90 when nothing is said, the 90 after `start` or before `end` when one is."""
    if start is None:
        end = end or now
        return Window(end - LONGEST_WINDOW, end)
    end = end or max(start, min(now, start + LONGEST_WINDOW))
    if end < start:
        raise refuse("start_date", "The start_date lies after the end_date.")
    if end - start > LONGEST_WINDOW:
        raise refuse("start_date", "The dates span more than 90 days; ask for shorter parts.")
    return Window(start, end)


def moment(field: str, written: str) -> datetime | None:
    """A W3C date and time; one without an offset is UTC. None when it is empty."""
    if not written.strip():
        return None
    found = instant(written, UTC)
    if found is None or not 1900 <= found.year <= 2200:
        raise refuse(field, f"{field} is no date and time such as 2026-03-01T09:00:00Z.")
    return found


def words(field: str, written: str) -> str:
    """Line ends as one character, nothing that XML cannot hold, at most 4,000 characters."""
    text = printable(written).strip()
    if len(text) > LONGEST_TEXT:
        raise refuse(field, f"{field} has {len(text)} characters; it may have {LONGEST_TEXT}.")
    return text


def printable(written: str) -> str:
    """Line ends as one character, and nothing that XML cannot hold."""
    return _UNPRINTABLE.sub("", written.replace("\r\n", "\n").replace("\r", "\n"))


def line(written: str) -> str:
    """The same, in one line."""
    return " ".join(printable(written).split())


def degrees(field: str, written: str, most: float) -> float | None:
    """None when empty. Commas, NaN and what lies beyond the globe are refused."""
    if not written.strip():
        return None
    try:
        value = float(written) if "_" not in written else None
    except ValueError:
        value = None
    if value is None or not -most <= value <= most:
        raise refuse(field, f"{field} must be a number of degrees from -{most:g} to {most:g}, such as 30.2672.")
    return value
