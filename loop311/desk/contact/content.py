"""What was typed and chosen in a contact so far: words by field, bounded, as JSON in its draft. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from loop311.kit.problems import FieldProblem, Invalid, TooLarge
from loop311.kit.structs import learn

OF_THE_CALLER = ("who", "name", "phone", "email", "language", "on_behalf_of", "anonymous")
OF_THE_THING = ("want", "address", "location_note", "description")
OF_THE_CALL_BACK = ("day", "start", "end", "reason")
OF_THE_END = ("topic", "outcome")
PREFIX = "q-"
"""Fields of a service's questions."""

_TYPED = {*OF_THE_CALLER, *OF_THE_THING, *OF_THE_CALL_BACK, *OF_THE_END}
_QUESTION = re.compile(r"q-[a-z0-9][a-z0-9_-]{0,79}")
_MOST_FIELDS, _MOST_VALUES, _LONGEST, _MOST_TEXT = 120, 60, 20_000, 100_000


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A question answered at once. `title` is the article's or service's name, never the caller's words."""

    topic: str
    title: str
    article: str = ""
    """Its code."""


class Content(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One contact. The fields up to `part` are about the thing in hand; another thing empties them."""

    typed: dict[str, list[str]] = {}
    service: str = ""
    place: str = ""
    """As desk.filing.written spells it: latitude, longitude, text."""
    join: str = ""
    """Number of the request that is the same thing in the world."""
    part: int = 1
    """Counts the things of this contact; the key under which each is filed once."""
    filed: dict[str, str] = {}
    """Part -> number of the request that came of it."""
    given: list[Given] = []
    gaps: list[int] = []
    """Ids of questions nobody could answer, passed on to those who find out."""
    danger: str = ""
    """Service whose safety question was answered with danger."""

    def word(self, field: str) -> str:
        values = self.typed.get(field)
        return values[0].strip() if values else ""

    @property
    def number(self) -> str:
        """Of the request that came of the thing in hand; empty as long as it is not filed."""
        return self.filed.get(str(self.part), "")

    @property
    def is_anonymous(self) -> bool:
        return bool(self.word("anonymous"))

    def take(self, sent: Sent) -> None:
        """Keep what a form says. What it did not show stays as it was; `shown` names boxes that may have been emptied."""
        before = self.word("address")
        for field in sent.getlist("shown"):
            if _is_kept(field):
                self.typed.pop(field, None)
        for field in sent:
            if _is_kept(field):
                self.typed[field] = [_bounded(field, value) for value in sent.getlist(field)[:_MOST_VALUES]]
        self._check()
        if self.word("address") != before:
            self.place = ""

    def _check(self) -> None:
        size = sum(len(value) for values in self.typed.values() for value in values)
        if len(self.typed) > _MOST_FIELDS or size > _MOST_TEXT:
            raise TooLarge("A contact's draft holds at most 100,000 characters; shorten the longest text.")

    def next_thing(self) -> None:
        """The caller asks for something else: only what is about the caller stays."""
        kept = {*OF_THE_CALLER, *OF_THE_END}
        self.typed = {field: values for field, values in self.typed.items() if field in kept}
        self.service = self.place = self.join = ""
        self.part += 1

    def forget_answers(self) -> None:
        self.typed = {field: values for field, values in self.typed.items() if not field.startswith(PREFIX)}


class Sent(Protocol):
    """The part of Django's QueryDict that is used here."""

    def __iter__(self) -> Iterator[str]: ...

    def getlist(self, key: str) -> list[str]: ...


def read(stored: Mapping[str, object]) -> Content:
    return msgspec.convert(stored, Content)


def written(content: Content) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(content)
    return found


def differences(mine: Content, theirs: Content) -> list[tuple[str, str, str]]:
    """(field, my words, theirs) where two windows differ."""
    fields = sorted({*mine.typed, *theirs.typed})
    pairs = [(field, ", ".join(mine.typed.get(field, [])), ", ".join(theirs.typed.get(field, []))) for field in fields]
    return [(field, here, there) for field, here, there in pairs if here.strip() != there.strip()]


def _is_kept(field: str) -> bool:
    return field in _TYPED or _QUESTION.fullmatch(field) is not None


def _bounded(field: str, value: str) -> str:
    """PostgreSQL keeps neither NUL nor half a surrogate pair."""
    if len(value) > _LONGEST:
        detail = f"This is longer than {_LONGEST} characters."
        raise Invalid(detail, fields=[FieldProblem(field, detail)])
    return "".join(c for c in value if c != "\x00" and not "\ud800" <= c <= "\udfff")


learn(Content)
