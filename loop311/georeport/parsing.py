"""From the bytes of any real server to plain dicts and lists: XML and JSON in one shape, whatever wraps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from loop311.georeport.model import MEMBERS

LARGEST = 50_000_000
"""Bytes that are looked at."""
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_WRAPPERS = (
    "services",
    "service_requests",
    "requests",
    "discovery",
    "errors",
    "service_definition",
    "service_request_updates",
)
_QUOTED = 200
"""Characters of a strange answer that stand in our complaint."""


class Unreadable(Exception):
    """The answer is neither the XML nor the JSON of Open311; the message says what it looked like."""


def parse(body: bytes) -> Any:
    """Dicts, lists and texts. The first character decides what it is: media types of real servers cannot be trusted.

    Raises Unreadable.
    """
    if len(body) > LARGEST:
        raise Unreadable(f"the answer is larger than {LARGEST // 1_000_000} MB")
    text = _after_headers(body).lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"[", b"{"):
        return _unwrapped(_json(text))
    if text[:1] == b"<":
        return _xml(text)
    raise Unreadable(f"neither XML nor JSON: {_quoted(body)}" if text else "an empty answer")


def _after_headers(body: bytes) -> bytes:
    """Some saved answers begin with the lines of HTTP."""
    return body.partition(b"\r\n\r\n")[2] or body.partition(b"\n\n")[2] if body.startswith(b"HTTP/") else body


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"broken JSON: {_quoted(text)}") from error


def _unwrapped(value: Any) -> Any:
    """Toronto and others wrap the list: {"services": [...]}, {"service_requests": {"request": [...]}}."""
    if isinstance(value, dict) and len(value) == 1:
        (name, inside), *_ = value.items()
        if name in _WRAPPERS:
            return _only_member(inside)
    return value


def _only_member(inside: Any) -> Any:
    if isinstance(inside, dict) and len(inside) == 1:
        (member,) = inside.values()
        if isinstance(member, list):
            return member
    return inside


def _xml(text: bytes) -> Any:
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Unreadable("XML with a document type or entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"broken XML ({error}): {_quoted(text)}") from error
    if _local(root) == "html":
        raise Unreadable(f"a web page: {_quoted(text)}")
    return _root(root)


def _root(root: Element) -> Any:
    """A list for what the format calls a list, even of none; a dict for one thing; a text for a lone `<error>`."""
    name = _local(root)
    if name in ("services", "service_requests", "requests", "errors", "service_request_updates"):
        return [_value(child) for child in root]
    return {name: _value(root)} if name == "error" else _value(root)


def _value(element: Element) -> Any:
    if element.get(_NIL) in ("true", "1"):
        return None
    if not len(element):
        return None if _local(element) in MEMBERS else (element.text or "").strip()
    if _local(element) in MEMBERS:
        return [_value(child) for child in element]
    return _members(element)


def _members(element: Element) -> dict[str, Any]:
    """Tag -> value; a tag that comes again makes a list."""
    found: dict[str, Any] = {}
    for child in element:
        name, value = _local(child), _value(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _quoted(body: bytes) -> str:
    return " ".join(body[:_QUOTED].decode("utf-8", "replace").split())


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The members of a list resource; a lone thing is a list of one."""
    members = value if isinstance(value, list) else [value]
    return [member for member in members if isinstance(member, Mapping)]
