"""Pure rules of the residents room: how addresses are written, who may be merged with whom, what a merge would show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

import phonenumbers


class Kind(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"


class PointKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"  # voice only
    MOBILE = "mobile"  # voice and SMS


# --- How things are written --------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@(?:[^\s@.<>(),;:\"\[\]\\]{1,63}\.)+[^\s@.<>(),;:\"\[\]\\0-9]{2,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


def normalise_email(text: str) -> str | None:
    """The address in lower case and composed form, or None when it is none. No mail system in use tells capitals apart."""
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())
    if len(address) > 254 or not _EMAIL.fullmatch(address) or ".." in address or not address.isprintable():
        return None
    return address


def normalise_phone(text: str, region: str) -> str | None:
    """E.164 without extension ('+12145550123'), or None when no telephone has this number.

    `region`: the country of numbers that are written without one.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def normalise_point(kind: str, text: str, region: str) -> str | None:
    """The one spelling of a contact point's address, or None."""
    return normalise_email(text) if kind == PointKind.EMAIL else normalise_phone(text, region)


_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
    | dict.fromkeys("'\u2019\u2018\u02bc`\u00b4", "")
)
"""Letters that are not taken apart into a letter and its accent; apostrophes go, so that O'Brien is found as obrien."""


def searchable(*texts: str) -> str:
    """What people are searched by: lower case, no accents, letters and digits only, one space between words."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold().translate(_PLAIN))
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFKC", letters.casefold()).split())


def indexed(*texts: str) -> str:
    """The same as the index holds it: a space on either side of every word, so that the beginnings of words can be asked for."""
    words = searchable(*texts)
    return f" {words} " if words else ""


# --- How alike -----------------------------------------------------------------------------------------------------------


def likeness(typed: Sequence[str], words: Sequence[str]) -> float:
    """How well the typed words fit what is written, 0 to 1: the mean over each one's best partner; 0 when one has none.

    The beginning of a word counts for the word, a little less than the whole: people are found while they are being typed.
    """
    fits = [max((_alike(each, word) for word in words), default=0.0) for each in typed]
    return 0.0 if not fits or min(fits) < LEAST_ALIKE else sum(fits) / len(fits)


LEAST_ALIKE = 0.6
"""Of two words: one slip in three letters, two in five."""
BEGUN = 0.9
"""And more: the word itself, or its beginning."""


def _alike(typed: str, word: str) -> float:
    if typed == word:
        return 1.0
    if word.startswith(typed):
        return BEGUN + 0.05 * len(typed) / len(word)
    if not typed.isalpha():  # 412 is not nearly 413
        return 0.0
    whole = 1 - slips(typed, word) / max(len(typed), len(word))
    begun = 1 - slips(typed, word[: len(typed)]) / len(typed) - 0.1
    return min(max(whole, begun), 0.89)


def swapped(word: str) -> list[str]:
    """The word, and it with each two neighbours the other way round: 'gracia' -> 'garcia' among them."""
    swaps = (word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1))
    return list(dict.fromkeys([word, *swaps]))


def slips(one: str, other: str) -> int:
    """How many letters were added, left out, mistaken or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def is_language(text: str) -> bool:
    """A language tag: 'es', 'zh-Hant'."""
    return bool(_LANGUAGE.fullmatch(text)) and len(text) <= 35


def is_zone(text: str) -> bool:
    """An IANA name of a time zone: 'America/New_York'."""
    return text in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_code(text: str) -> bool:
    """A code that may stand in the ledger: it can hold nobody's words."""
    return bool(_CODE.fullmatch(text))


# --- Merging -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """One way to reach somebody."""

    id: int
    kind: str
    address: str
    is_preferred: bool = False
    may_notify: bool = True
    is_unsubscribed: bool = False
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A resident as a merge sees one."""

    id: int
    kind: str
    name: str
    language: str
    address: str
    is_erased: bool
    merged_into: int | None
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: nothing is moved; `differences` are the fields in which the kept one's word will stand."""

    refusal: str | None
    differences: tuple[str, ...]
    points: tuple[Point, ...]


def merge_refusal(kept: Person, gone: Person) -> str | None:
    """Why these two cannot be merged, in a sentence, or None."""
    if kept.id == gone.id:
        return "A resident cannot be merged with itself."
    if kept.is_erased or gone.is_erased:
        return "One of the two was erased; there is nothing left to merge."
    if kept.merged_into is not None or gone.merged_into is not None:
        return "One of the two has been merged into another already; merge the one that stands for it."
    if kept.kind != gone.kind:
        return "A person and an organisation are never the same."
    return None


def preview(kept: Person, gone: Person) -> Preview:
    """What the one that stays would look like."""
    fields = ("name", "language", "address")
    differing = (f for f in fields if getattr(gone, f) and getattr(kept, f) != getattr(gone, f))
    return Preview(merge_refusal(kept, gone), tuple(differing), combined((kept.points, gone.points)))


def combined(groups: Iterable[Sequence[Point]]) -> tuple[Point, ...]:
    """The contact points of several identities as one list, the first group's first, each address once.

    Where one address stands in several, the stricter word counts: unsubscribed in one is unsubscribed.
    """
    found: dict[tuple[str, str], Point] = {}
    for point in (p for group in groups for p in group):
        key = (point.kind, point.address)
        before = found.get(key)
        found[key] = point if before is None else _stricter(before, point)
    return tuple(found.values())


def _stricter(first: Point, second: Point) -> Point:
    return replace(
        first,
        may_notify=first.may_notify and second.may_notify,
        is_unsubscribed=first.is_unsubscribed or second.is_unsubscribed,
        is_verified=first.is_verified or second.is_verified,
        is_preferred=first.is_preferred or second.is_preferred,
    )


def same_name(one: str, other: str) -> bool:
    """Whether two names may be the same person's: equal when normalised, or one of them unknown."""
    first, second = searchable(one), searchable(other)
    return not first or not second or first == second
