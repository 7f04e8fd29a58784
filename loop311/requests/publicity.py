"""What of a request anybody may see, said once for every door and every file: never who reported, never a hidden one. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from loop311.catalog.definitions import Publicity
from loop311.requests.policies import State

CLOSED = frozenset({State.DONE, State.CLOSED, State.DECLINED})
"""What the public calls closed; everything else is open. A disputed end is open again."""

REMOVED = "[removed]"
"""Stands where an e-mail address or a telephone number stood in public words."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])\(?(?:\+?\d[\s().-]{0,2}){7,15}(?![\w-])")
_SOME_NUMBER = re.compile(r"\d[\s().-]{0,2}\d[\s().-]{0,2}\d[\s().-]{0,2}\d[\s().-]{0,2}\d")
"""Found far sooner than that there is no telephone number; words without it need not be searched for one."""
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--.*?-->|<[!?][^<>]*>", re.IGNORECASE | re.DOTALL)
_HALF_A_TAG = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_HOUSE = re.compile(r"^(\d+)(\s+\S)")
_UNIT = re.compile(
    r",?\s*(?:\b(?:apt|apartment|suite|ste|unit|flat|room|lot|trlr|trailer)\b\.?\s*(?:#\s*)?|#\s*)(?=[\w-]*\d|\w\b)[\w-]+",
    re.IGNORECASE,
)
_SUSPICIOUS = re.compile(rf"[@#]|{_SOME_NUMBER.pattern}|\b(?:ap|su|st[e ]|un|fl|ro|lo|tr)", re.IGNORECASE)
"""Only such addresses can hold more than a place."""


class Place(NamedTuple):
    """Where it is, as far as anybody may know."""

    address: str
    latitude: float | None
    longitude: float | None


_STRICTER = {Publicity.EXACT.value: 0, Publicity.BLOCK.value: 1, Publicity.HIDDEN.value: 2}


def strictest(*rules: str) -> str:
    """Of what held when it was filed and what holds today, say; what is not known is stricter than all."""
    return max(rules, key=lambda rule: _STRICTER.get(rule, 3))


def public_place(
    publicity: str, address: str, latitude: float | None, longitude: float | None, *, names: Iterable[str] = ()
) -> Place:
    """The place itself only of a service that is published exactly; of any other its block. `names`: as `public_words`."""
    shown = public_address(address, names)
    if publicity == Publicity.EXACT:
        return Place(shown, latitude, longitude)
    return Place(block(shown), *block_position(latitude, longitude))


def public_words(text: str, names: Iterable[str] = ()) -> str:
    """Without markup, e-mail addresses and telephone numbers, which people write into descriptions, and these whole names."""
    shown = _plain(text) if "<" in text or "&" in text else text
    shown = _EMAIL.sub(REMOVED, shown) if "@" in shown else shown
    if _SOME_NUMBER.search(shown):
        shown = _PHONE.sub(REMOVED, shown)
    for name in names:
        words = name.split()
        if words and words[0].casefold() in shown.casefold():
            shown = _named(words).sub(REMOVED, shown)
    return shown


def _plain(text: str) -> str:
    """Whoever shows it as HTML, as some apps do, shows words and runs nothing. Each round shortens the text."""
    before = None
    while text != before:
        before, text = text, _ENTITY.sub(_character, _TAG.sub("", _BREAK.sub("\n", text)))
    return _HALF_A_TAG.sub("< ", text)


def _character(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    return character if character.isprintable() else " "


def _named(words: Sequence[str]) -> re.Pattern[str]:
    """The name as it is written, or with its last word first ('Doe, Maria')."""
    spellings = [words, [words[-1], *words[:-1]]] if len(words) > 1 else [words]
    either = "|".join(r"[\s,]+".join(map(re.escape, spelling)) for spelling in spellings)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def public_address(text: str, names: Iterable[str] = ()) -> str:
    """As `public_words`, and without the door behind which somebody lives: 'Apt 5', '#12'."""
    if not names and not _SUSPICIOUS.search(text):
        return text
    return _UNIT.sub("", public_words(text, names))


def block(address: str) -> str:
    """'1234 Elm Street' is '1200 block of Elm Street'; what begins with no house number stays."""
    match = _HOUSE.match(address.strip())
    if match is None:
        return address
    rest = address.strip()[match.end(1) :].strip()
    return f"{int(match[1]) // 100 * 100} block of {rest}"


def block_position(latitude: float | None, longitude: float | None) -> tuple[float | None, float | None]:
    """To a thousandth of a degree: about a hundred metres."""
    return (latitude if latitude is None else round(latitude, 3)), (
        longitude if longitude is None else round(longitude, 3)
    )


def closed_at(state: str, done_at: datetime | None, ended_at: datetime | None, updated_at: datetime) -> datetime | None:
    """When it was reported done, else when it ended; None while it is open."""
    return (done_at or ended_at or updated_at) if state in CLOSED else None
