"""Pure rules of what the city knows: what a text may be, who may publish, which translation still holds, what a gap is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from loop311.kit.problems import FieldProblem


class Audience(StrEnum):
    STAFF = "staff"
    PUBLIC = "public"


class VersionState(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"  # waits for the second person
    PUBLISHED = "published"
    REPLACED = "replaced"  # by a newer draft or a newer publication


class Review(StrEnum):
    """Of one language's text."""

    ORIGINAL = "original"
    TRANSLATED = "translated"
    CHECKED = "checked"  # a translation that somebody else has read


class Rating(StrEnum):
    HELPFUL = "helpful"
    WRONG = "wrong"
    OUTDATED = "outdated"


class GapState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


class Dismissal(StrEnum):
    NOT_CITY = "not_city"  # not a matter of this city, and we say so
    DUPLICATE = "duplicate"
    MISTAKE = "mistake"


DECIDED: dict[VersionState, frozenset[VersionState]] = {
    VersionState.DRAFT: frozenset({VersionState.REVIEW, VersionState.REPLACED}),
    VersionState.REVIEW: frozenset({VersionState.DRAFT, VersionState.PUBLISHED, VersionState.REPLACED}),
    VersionState.PUBLISHED: frozenset({VersionState.REPLACED}),
    VersionState.REPLACED: frozenset(),
}
"""State of a version -> what may follow; the migration writes the same into a trigger."""

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
"""Codes may stand in the ledger and in addresses: nobody's words."""

MOST_TITLE = 120
ANSWER_LINES = 2
ANSWER_LINE = 160
"""Characters. Two such lines are read aloud in some twenty seconds."""
MOST_BODY = 20_000
MOST_KEYWORDS = 30
MOST_KEYWORD = 60
MOST_SERVICES = 20
MOST_LANGUAGES = 12
MOST_WORDS = 300
MOST_FEEDBACK = 2000

GAP_MINUTES = 30
"""In which nobody-knows-this-yet is answered, unless the city has said otherwise."""
LONGEST_GAP = 7 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """An article's text in one language."""

    language: str
    title: str
    answer: str
    """At most two lines, to be read aloud."""
    body: str = ""
    """Markdown."""
    keywords: tuple[str, ...] = ()
    """What callers say when they mean this."""
    review: Review = Review.ORIGINAL

    def same_words(self, other: Words | None) -> bool:
        return other is not None and replace(self, review=other.review) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything a version says. `owner_team` or `owner_staff` is the id of who answers for it: exactly one of them."""

    topic: str
    audience: Audience
    texts: tuple[Words, ...]
    owner_team: int | None = None
    owner_staff: int | None = None
    services: tuple[str, ...] = ()
    expires_on: date | None = None
    """The last day on which it holds without being checked again."""

    def text(self, language: str) -> Words | None:
        return next((text for text in self.texts if text.language == language), None)

    @property
    def original(self) -> Words | None:
        return next((text for text in self.texts if text.review is Review.ORIGINAL), None)


# --- What may be written -----------------------------------------------------------------------------------------------


def clean_words(text: Words) -> Words:
    """Line ends, outer spaces and the composed form of accents, as they are kept."""
    return replace(
        text,
        title=one_line(text.title),
        answer="\n".join(filter(None, (one_line(line) for line in _lines(text.answer)))),
        body="\n".join(line.rstrip() for line in _lines(text.body)).strip("\n"),
        keywords=tuple(dict.fromkeys(filter(None, (one_line(word) for word in text.keywords)))),
    )


def one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _lines(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def faults(content: Content, languages: Sequence[str]) -> list[FieldProblem]:
    """What must be mended before it can be kept; a field of a text is named 'language.field'."""
    found = [*_about(content)]
    spoken = [text.language for text in content.texts]
    if not content.texts:
        found.append(FieldProblem("texts", "An article needs a text in at least one language."))
    elif spoken != list(dict.fromkeys(spoken)):
        found.append(FieldProblem("texts", "One language has two texts."))
    elif sum(text.review is Review.ORIGINAL for text in content.texts) != 1:
        found.append(FieldProblem("texts", "Exactly one text is the original; the others are translations."))
    for text in content.texts:
        found += _faults_of(text, languages)
    return found


def _about(content: Content) -> Iterable[FieldProblem]:
    if not CODE.fullmatch(content.topic):
        yield FieldProblem("topic", "The topic is a code: lower-case letters, digits, hyphens and underscores.")
    if (content.owner_team is None) == (content.owner_staff is None):
        yield FieldProblem("owner", "Say who answers for it: one team or one member of staff.")
    if len(content.services) > MOST_SERVICES or not all(CODE.fullmatch(code) for code in content.services):
        yield FieldProblem("services", f"At most {MOST_SERVICES} codes of services.")
    if len(content.texts) > MOST_LANGUAGES:
        yield FieldProblem("texts", f"At most {MOST_LANGUAGES} languages.")


def _faults_of(text: Words, languages: Sequence[str]) -> Iterable[FieldProblem]:
    """`languages`: the city's."""

    def fault(field: str, detail: str) -> FieldProblem:
        return FieldProblem(f"{text.language}.{field}", detail)

    if text.language not in languages:
        yield fault("language", f"The city's languages are {', '.join(languages)}.")
    if not text.title or len(text.title) > MOST_TITLE:
        yield fault("title", f"A title has 1 to {MOST_TITLE} characters.")
    refusal = answer_refusal(text.answer)
    if refusal:
        yield fault("answer", refusal)
    if len(text.body) > MOST_BODY:
        yield fault("body", f"The text has {len(text.body):,} characters; {MOST_BODY:,} are the most.")
    if len(text.keywords) > MOST_KEYWORDS or any(len(word) > MOST_KEYWORD for word in text.keywords):
        yield fault("keywords", f"At most {MOST_KEYWORDS} phrases of {MOST_KEYWORD} characters each.")
    for field in _unwritable(text):
        yield fault(field, "There is a character in it that cannot be shown.")


def _unwritable(text: Words) -> list[str]:
    parts = {"title": (text.title,), "answer": (text.answer,), "body": (text.body,), "keywords": text.keywords}
    return [field for field, words in parts.items() if not all(is_writable(each) for each in words)]


def answer_refusal(answer: str) -> str | None:
    """Why these lines cannot be read aloud to a caller, or None."""
    lines = answer.split("\n") if answer else []
    if not 1 <= len(lines) <= ANSWER_LINES:
        return "The answer to be read aloud has one or two lines."
    if any(len(line) > ANSWER_LINE for line in lines):
        return f"A line to be read aloud has at most {ANSWER_LINE} characters."
    if re.search(r"://|www\.|[<>|`*#\[\]]", answer):
        return (
            "What is read aloud has no addresses of pages and no marks such as * or #; put those into the text below."
        )
    return None


def is_writable(text: str) -> bool:
    """No control characters but line feeds and tabs, and no marks that turn the direction of other people's text."""
    return not any(
        (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")
        or c in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
        for c in text
    )


# --- Who may do what with a version ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hand:
    """Who wrote or decided: kind and id of an actor."""

    kind: str
    ref: int


MACHINERY = "system"


def is_second_person(writer: Hand, publisher: Hand) -> bool:
    """The city's own machinery (files that were reviewed where they are kept) publishes what it loads; nobody else their own."""
    return publisher.kind == MACHINERY or writer != publisher


def carried_over(texts: Sequence[Words], before: Mapping[str, Words]) -> tuple[Words, ...]:
    """A checked translation stays checked only if neither it nor the original has changed since `before` (by language)."""
    original = next((text for text in texts if text.review is Review.ORIGINAL), None)
    was = next((text for text in before.values() if text.review is Review.ORIGINAL), None)
    same_original = original is not None and original.same_words(was)
    return tuple(_carried(text, before.get(text.language), same_original) for text in texts)


def _carried(text: Words, was: Words | None, same_original: bool) -> Words:
    if text.review is Review.ORIGINAL:
        return text
    holds = was is not None and was.review is Review.CHECKED and same_original and text.same_words(was)
    return replace(text, review=Review.CHECKED if holds else Review.TRANSLATED)


def is_expired(expires_on: date | None, today: date) -> bool:
    return expires_on is not None and expires_on < today


# --- Gaps --------------------------------------------------------------------------------------------------------------


def gap_key(words: str) -> str:
    """The same for the same question however it is typed: lower case, no accents, letters and digits only."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())


def gap_refusal(words: str) -> str | None:
    if not gap_key(words):
        return "Write what the caller wants to know."
    if len(words) > MOST_WORDS:
        return f"The question has at most {MOST_WORDS} characters."
    return None if is_writable(words) else "There is a character in it that cannot be shown."


def rating_refusal(rating: str, words: str) -> FieldProblem | None:
    if rating not in {each.value for each in Rating}:
        return FieldProblem("rating", f"It is one of {', '.join(Rating)}.")
    if rating == Rating.WRONG and not words.strip():
        return FieldProblem("words", "Say what is wrong, so that its owner can mend it.")
    if len(words) > MOST_FEEDBACK or not is_writable(words):
        return FieldProblem("words", f"At most {MOST_FEEDBACK} characters that can be shown.")
    return None


# --- Searching ---------------------------------------------------------------------------------------------------------

MOST_ASKED = 16
"""Words of a question that are looked for."""


def asked_words(text: str) -> list[str]:
    """The words of a question, as they can stand in a text search query."""
    return [word[:40] for word in re.findall(r"[^\W_]+", text)[:MOST_ASKED]]


def query_of(words: Sequence[str], joiner: str) -> str:
    """The last word may be only its beginning: it is still being typed."""
    return f" {joiner} ".join(f"'{word}'" for word in words) + ":*" if words else ""
