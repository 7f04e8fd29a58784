"""YAML text to plain values, strictly, remembering lines.

A plain word is a number, `true`, `false`, `null` or text: `no`, `on`, `08:00`, `2026-07-04` and `0123` are text, as written.
Keys are always text. An alias (*name) repeats what its anchor (&name) stands for, within bounds. Tags, merge keys, repeated
keys, several documents and deep nesting are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MAX_BYTES = 4_000_000
MAX_DEPTH = 30
MAX_VALUES = 300_000
"""Of one file, each alias counted with all it repeats: small text cannot grow without bound."""

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
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
    """Where each value stands; what an alias repeats has no lines of its own."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Value
    values: int
    """How many values it is made of."""
    depth: int


def parse(text: str) -> Parsed:
    """The one document of the text. Raises Unreadable."""
    try:
        return _Reader(iter(yaml.parse(text, Loader=_LOADER))).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(
            mark.line + 1 if mark else 1, f"This is not YAML: {error.problem or error.context}."
        ) from error
    except yaml.YAMLError as error:
        raise Unreadable(1, "The file holds characters that YAML does not allow.") from error


@dataclass(slots=True)
class _Reader:
    events: Iterator[yaml.Event]
    lines: dict[Path, int] = field(default_factory=dict)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    values: int = 0
    deepest: int = 0

    def document(self) -> Parsed:
        value: Value = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                _require(documents == 1, event, "There are several documents in this file: write one.")
            elif isinstance(event, yaml.NodeEvent):
                value = self.node(event, ())
        return Parsed(value, self.lines)

    def node(self, event: yaml.Event, path: Path) -> Value:
        self.lines[path] = _line(event)
        before, outer_depth, self.deepest = self.values, self.deepest, len(path)
        value = self.content(event, path)
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, yaml.AliasEvent):
            self.anchors[anchor] = _Anchored(value, self.values - before, self.deepest - len(path))
        self.deepest = max(outer_depth, self.deepest)
        return value

    def content(self, event: yaml.Event, path: Path) -> Value:
        self.count(event, 1, len(path))
        _require(getattr(event, "tag", None) in (None, "!"), event, "Tags (!name) are not read here.")
        match event:
            case yaml.AliasEvent():
                return self.repeated(event, path)
            case yaml.MappingStartEvent():
                return self.mapping(path)
            case yaml.SequenceStartEvent():
                return self.sequence(path)
            case yaml.ScalarEvent():
                plain = event.implicit[0]  # written without quotes
                return plain_word(event.value) if plain else str(event.value)
        raise Unreadable(_line(event), "There is no value here.")

    def repeated(self, event: yaml.AliasEvent, path: Path) -> Value:
        anchored = self.anchors.get(event.anchor or "")
        if anchored is None:
            raise Unreadable(_line(event), f"Nothing before this is called &{event.anchor}.")
        self.count(event, anchored.values, len(path) + anchored.depth)
        return anchored.value

    def count(self, event: yaml.Event, values: int, depth: int) -> None:
        self.values += values
        self.deepest = max(self.deepest, depth)
        _require(self.values <= MAX_VALUES, event, f"The file holds more than {MAX_VALUES} values.")
        _require(depth <= MAX_DEPTH, event, "This is nested too deeply.")

    def mapping(self, path: Path) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable(_line(event), "A key must be plain text.")
            key = event.value
            _require(key not in values, event, f"The key {key!r} stands here twice.")
            _require(key != "<<", event, "Merge keys (<<) are not read here: write it out.")
            values[key] = self.node(next(self.events), (*path, key))
            self.lines[(*path, key)] = _line(event)
        return values

    def sequence(self, path: Path) -> list[Value]:
        values: list[Value] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            values.append(self.node(event, (*path, len(values))))
        return values


def _require(fine: bool, event: yaml.Event, sentence: str) -> None:
    if not fine:
        raise Unreadable(_line(event), sentence)


def plain_word(written: str) -> str | int | float | bool | None:
    """What a word without quotes means."""
    if written in _WORDS:
        return _WORDS[written]
    if _WHOLE.fullmatch(written):
        return int(written)
    number = float(written) if _DECIMAL.fullmatch(written) else math.inf
    return number if math.isfinite(number) else written


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
