"""An answer as rows, or the sentence that says why it is none. Nothing is tolerated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from loop311.georeport.conform.registry import Failed, given
from loop311.georeport.conform.wire import Reply
from loop311.georeport.model import LISTS, SINGLE, ErrorItem, Item
from loop311.georeport.parsing import parse
from loop311.georeport.reading import text
from loop311.georeport.render import Format

Row = Mapping[str, Any]
Complaint = Callable[[Row], str | None]
"""What is to be said about a row, if anything."""


@dataclass(frozen=True, slots=True)
class Read:
    """An answer of status 200 that has the shape it should have."""

    reply: Reply
    rows: list[Row]

    def wrong(self, came: str, expected: str) -> Failed:
        return self.reply.wrong(came, expected)

    def every(self, complaint: Complaint, expected: str) -> None:
        """Fails with the first row about which there is something to say."""
        for row in self.rows:
            if came := complaint(row):
                raise self.wrong(f"{name_of(row)} with {came}", expected)

    def count(self, noun: str = "request") -> str:
        return f"{len(self.rows):,} {noun}{'' if len(self.rows) == 1 else 's'}"

    @property
    def ids(self) -> list[str]:
        return [id_ for row in self.rows if (id_ := text(row.get("service_request_id")))]

    @property
    def one(self) -> Row:
        return self.rows[0]


def name_of(row: Row) -> str:
    for field in ("update_id", "service_request_id", "service_code", "code", "url"):
        if found := text(row.get(field)):
            return f"{field} {found}"
    return "a member"


def listed(reply: Reply, kind: type[Item]) -> Read:
    """A list resource: an array of objects, or the root and members that the format names."""
    if reply.question.format is Format.JSON:
        return Read(reply, _array(reply))
    words = LISTS[kind]
    root = element(reply)
    if root.tag != words.root:
        raise reply.wrong(f"<{root.tag}> as the root", f"<{words.root}>")
    strange = next((child.tag for child in root if child.tag != words.member), None)
    if strange:
        raise reply.wrong(f"<{strange}> in <{words.root}>", f"<{words.member}> only")
    return Read(reply, [row if isinstance(row, Mapping) else {} for row in parse(reply.body)])


def _array(reply: Reply) -> list[Row]:
    value = told(reply)
    if not isinstance(value, list):
        raise reply.wrong(f"a JSON {_kind(value)}", "a JSON array")
    strange = next((member for member in value if not isinstance(member, dict)), None)
    if strange is not None:
        raise reply.wrong(f"a JSON {_kind(strange)} in the array", "objects only")
    return value


def whole(reply: Reply, kind: type[Item]) -> Read:
    """A resource that is one thing."""
    if reply.question.format is Format.JSON:
        value = told(reply)
        if not isinstance(value, dict):
            raise reply.wrong(f"a JSON {_kind(value)}", "a JSON object")
        return Read(reply, [value])
    root = element(reply)
    if root.tag != SINGLE[kind]:
        raise reply.wrong(f"<{root.tag}> as the root", f"<{SINGLE[kind]}>")
    value = parse(reply.body)
    return Read(reply, [value if isinstance(value, Mapping) else {}])


def errors(reply: Reply) -> Read:
    """The body of an error: codes and descriptions."""
    found = listed(reply, ErrorItem)
    if not found.rows:
        raise found.wrong("no error in the body", "at least one error with code and description")
    found.every(lambda row: None if text(row.get("code")) else "no code", "a code in every error")
    found.every(lambda row: None if text(row.get("description")) else "no description", "a sentence in every error")
    return found


def refused(reply: Reply, *statuses: int) -> Read:
    return errors(reply.must_be(*statuses))


def complaints(reply: Reply, *statuses: int) -> Read:
    """The same where its words matter, and its shape is another check's matter."""
    reply.must_be(*statuses)
    with given("the body of an error"):
        return errors(reply)


def element(reply: Reply) -> Element:
    try:
        root: Element = fromstring(reply.body, forbid_dtd=True)
    except DefusedXmlException:
        raise reply.wrong("XML with a document type or entities", "XML without") from None
    except (ParseError, ValueError, LookupError) as error:
        raise reply.wrong(f"no well-formed XML ({error}: {reply.quoted()})", "XML") from None
    return root


def told(reply: Reply) -> Any:
    try:
        return json.loads(reply.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise reply.wrong(f"no JSON ({error}: {reply.quoted()})", "JSON") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _kind(value: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def moment(row: Row, field: str) -> datetime | None:
    """None unless it is a W3C date and time with its zone."""
    written = text(row.get(field))
    if written is None or "T" not in written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo else None
