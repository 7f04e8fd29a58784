"""The values as bytes: the same values, the same bytes. Long lists come in pieces, so that none is held whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from xml.sax.saxutils import escape

import msgspec
from msgspec import UNSET

from loop311.georeport.model import LISTS, MEMBERS, SINGLE, Item

PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_AT_ONCE = 200
"""Members in one piece."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold in any spelling."""


class Format(StrEnum):
    XML = "xml"
    JSON = "json"

    @property
    def media_type(self) -> str:
        return {"xml": "text/xml", "json": "application/json"}[self.value]


def whole(item: Item, format_: Format) -> bytes:
    """A resource that is one thing: discovery, a definition."""
    if format_ is Format.JSON:
        return _json(item)
    return PROLOG + _element(SINGLE[type(item)], item).encode()


def listed(items: Sequence[Item], kind: type[Item], format_: Format) -> bytes:
    """A resource that is a list, of `kind`, whole."""
    return b"".join(pieces(items, kind, format_))


def pieces(items: Iterable[Item], kind: type[Item], format_: Format) -> Iterator[bytes]:
    """The same list, piece by piece."""
    source = iter(items)
    return _json_pieces(source) if format_ is Format.JSON else _xml_pieces(source, kind)


def _json_pieces(items: Iterator[Item]) -> Iterator[bytes]:
    between = b"["
    while batch := list(islice(items, _AT_ONCE)):
        yield between + _json(batch)[1:-1]
        between = b","
    yield b"]" if between == b"," else b"[]"


def _xml_pieces(items: Iterator[Item], kind: type[Item]) -> Iterator[bytes]:
    words = LISTS[kind]
    first = list(islice(items, _AT_ONCE))
    if not first:
        yield PROLOG + f"<{words.root}/>".encode()
        return
    yield PROLOG + f"<{words.root}>".encode()
    while first:
        yield "".join(_element(words.member, item) for item in first).encode()
        first = list(islice(items, _AT_ONCE))
    yield f"</{words.root}>".encode()


_encoder = msgspec.json.Encoder()


def _json(value: object) -> bytes:
    return _encoder.encode(value)


def instant(at: datetime) -> str:
    """W3C date and time in whole seconds, UTC: 2026-03-01T09:00:00Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _element(name: str, value: object) -> str:
    """One element; nothing for what is left out and for an empty date, which XML's readers cannot take."""
    if value is UNSET:
        return ""
    inside = _inside(name, value)
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"


def _inside(name: str, value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Item):
        return "".join(_fields(value))
    return _container(name, value)


def _container(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(_element(str(key), inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        member = MEMBERS.get(name, "item")
        return "".join(_element(member, inner) for inner in value)
    return str(value)


def _fields(item: Item) -> Iterator[str]:
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if value is None and field.endswith("_datetime"):
            continue
        yield _element(field, value)


def _text(value: str) -> str:
    return escape(_FORBIDDEN.sub("", value)).replace("\r", "&#13;")
