"""What msgspec says about a value, in a sentence for the person who wrote it."""

from __future__ import annotations

import re

import msgspec

from loop311.catalog.files.parsing import Path

_WHERE = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<position>\d+)\]")
_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "keys with values",
    "array": "a list",
    "null": "nothing",
    "date": "a date such as 2026-07-04",
}
_PATTERNS = (
    (re.compile(r"Object contains unknown field `(.*)`"), "There is no field {0!r} here."),
    (re.compile(r"Object missing required field `(.*)`"), "The field {0!r} is missing."),
    (re.compile(r"Invalid enum value '?(.*?)'?"), "{0!r} is not one of the words allowed here."),
    (re.compile(r"Expected `str` matching regex '\^\[a-z0-9\].*"), "A code holds only a-z, 0-9, - and _."),
    (re.compile(r"Expected `str` matching regex '\^\[a-z\]\{2,3\}.*"), "This is not a language such as en or es."),
    (re.compile(r"Expected `str` matching regex '\^\(mon.*"), "A weekday is one of mon tue wed thu fri sat sun."),
    (re.compile(r"Invalid RFC3339 encoded time"), "This is not a time such as '08:00'."),
    (re.compile(r"Invalid RFC3339 encoded date"), "This is not a date such as 2026-07-04."),
    (re.compile(r"Invalid ISO8601 duration"), "This is not a length of time such as PT4H or P2D."),
)


def sentence_of(error: msgspec.ValidationError) -> tuple[str, Path]:
    """(one sentence, the path inside the value, as far as msgspec names it)."""
    text = str(error)
    where = _WHERE.search(text)
    message = text[: where.start()] if where else text
    return _sentence(message), _path(where["path"]) if where else ()


def _sentence(message: str) -> str:
    for pattern, sentence in _PATTERNS:
        match = pattern.fullmatch(message)
        if match:
            return sentence.format(*match.groups())
    for name, words in _TYPES.items():
        message = message.replace(f"`{name}`", words)
    hint = "; put it in quotes" if "text" in message.split(",")[0] and "got" in message else ""
    return f"{message}{hint}.".replace("`", "")


def _path(text: str) -> Path:
    """'.questions[1].texts[...]' -> ('questions', 1, 'texts'): msgspec does not name the keys of a mapping."""
    known = text.split("[...]")[0]
    return tuple(int(m["position"]) if m["position"] else m["key"] for m in _STEP.finditer(known))
