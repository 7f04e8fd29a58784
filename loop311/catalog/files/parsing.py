"""YAML text to plain values, strictly, remembering lines.

A plain word is a number, `true`, `false`, `null` or text: `no`, `on`, `08:00`, `2026-07-04` and `0123` are text, as written.
Keys are always text. Aliases, tags, repeated keys, several documents and deep nesting are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

MAX_DEPTH = 30
MAX_BYTES = 4_000_000

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None
Path = tuple[str | int, ...]
"""Keys and positions (from 0) from the top of a file."""


class Unreadable(Exception):
    """The text is not the YAML that is read here; `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Parsed:
    value: Value
    lines: dict[Path, int]
    """Where each value stands."""


def parse(text: str) -> Parsed:
    """The one document of the text. Raises Unreadable."""
    lines: dict[Path, int] = {}
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        value = _document(events, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(
            mark.line + 1 if mark else 1, f"This is not YAML: {error.problem or error.context}."
        ) from error
    except yaml.YAMLError as error:
        raise Unreadable(1, "The file holds characters that YAML does not allow.") from error
    return Parsed(value, lines)


def _document(events: Iterator[yaml.Event], lines: dict[Path, int]) -> Value:
    value: Value = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Unreadable(_line(event), "There are several documents in this file: write one.")
        elif isinstance(event, yaml.NodeEvent):
            value = _node(event, events, (), lines)
    return value


def _node(event: yaml.Event, events: Iterator[yaml.Event], path: Path, lines: dict[Path, int]) -> Value:
    lines[path] = _line(event)
    if len(path) > MAX_DEPTH:
        raise Unreadable(_line(event), "This is nested too deeply.")
    if isinstance(event, yaml.AliasEvent):
        raise Unreadable(_line(event), "Aliases (*name) are not read here: write it out.")
    if getattr(event, "tag", None) not in (None, "!"):
        raise Unreadable(_line(event), "Tags (!name) are not read here.")
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, path, lines)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, path, lines)
    if not isinstance(event, yaml.ScalarEvent):
        raise Unreadable(_line(event), "There is no value here.")
    plain = event.implicit[0]  # written without quotes
    return _scalar(event.value) if plain else str(event.value)


def _mapping(events: Iterator[yaml.Event], path: Path, lines: dict[Path, int]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise Unreadable(_line(event), "A key must be plain text.")
        key = event.value
        if key in values:
            raise Unreadable(_line(event), f"The key {key!r} stands here twice.")
        values[key] = _node(next(events), events, (*path, key), lines)
        lines[(*path, key)] = _line(event)
    return values


def _sequence(events: Iterator[yaml.Event], path: Path, lines: dict[Path, int]) -> list[Value]:
    values: list[Value] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        values.append(_node(event, events, (*path, len(values)), lines))
    return values


def _scalar(written: str) -> Value:
    if written in _WORDS:
        return _WORDS[written]
    if _WHOLE.fullmatch(written):
        return int(written)
    return float(written) if _DECIMAL.fullmatch(written) else written


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
