"""What an order looks like in Redmine. Pure. People's words are never read as mark-up: no pictures, links or macros out of them."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from loop311.workorders.connectors.base import Change, Outgoing, Proven

_LONGEST_SUBJECT = 255
_LONGEST = 60_000
"""Characters of a text; the smallest text column under a Redmine holds 65,535 bytes of MySQL's."""

_WIDTH = 100

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
_TAG = re.compile(r"<(?=[/!A-Za-z])")
_SUBJECT = re.compile(r"\[311 ([^\[\]\s]{1,60})\]")


def subject(order: Outgoing) -> str:
    """'[311 24-00012345] Pothole'."""
    return f"[311 {order.reference}] {_line(order.title.removesuffix(order.number))}"[:_LONGEST_SUBJECT]


def reference_in(subject: str) -> str:
    """Our mark in a subject, or empty."""
    found = _SUBJECT.match(subject)
    return found[1] if found else ""


def description(order: Outgoing, markup: str, zone: tzinfo) -> str:
    facts = [order.description, "", *_facts(order, zone)]
    return f"Loop311 {order.number} {order.url}".strip() + "\n\n" + plain("\n".join(facts).strip(), markup)


def _facts(order: Outgoing, zone: tzinfo) -> Sequence[str]:
    where = "" if order.latitude is None else f"{order.latitude:.6f}, {order.longitude:.6f}"
    contact = order.contact
    known = {
        "Address": order.address,
        "Position": where,
        "Received": _day(order.received_at, zone),
        "Promised": _day(order.due_at, zone),
        "Reported by": " · ".join(filter(None, (contact.name, contact.phone, contact.email))) if contact else "",
    }
    return [f"{name}: {_line(value)}" for name, value in known.items() if value]


def note(change: Change, markup: str) -> str:
    """The words of a change, with a mark at the end by which it is found again."""
    lines = [change.text, *(_proof(proof) for proof in change.evidence)]
    return plain("\n".join(filter(None, lines)), markup) + "\n\n" + mark(change)


def mark(change: Change) -> str:
    return f"(Loop311 {hashlib.sha256(change.id.encode()).hexdigest()[:12]})"


def _proof(proof: Proven) -> str:
    where = "" if proof.latitude is None else f"({proof.latitude:.6f}, {proof.longitude:.6f})"
    return " ".join(filter(None, (f"{proof.kind}:", proof.note, proof.reference, where)))


def plain(text: str, markup: str) -> str:
    """The text so that Redmine shows it as it is."""
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))[:_LONGEST]
    if not text.strip() or markup == "none":
        return text
    lines = [piece for line in text.split("\n") for piece in _folded(line)]  # as it stands is also: not folded by them
    if markup == "textile":  # a word joiner after the < keeps any tag from ending or nesting in ours
        return "<pre>\n" + _TAG.sub("<\u2060", "\n".join(lines)) + "\n</pre>"
    return "\n".join(f"    {line}" for line in lines)


def _folded(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def custom_fields(attributes: Mapping[str, str | Sequence[str]], ids: Mapping[str, int]) -> list[dict[str, object]]:
    """Raises KeyError for a field that is neither a number nor a name of theirs."""
    return [
        {"id": int(name) if name.isdigit() else ids[name], "value": value if isinstance(value, str) else list(value)}
        for name, value in attributes.items()
    ]


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}" if moment else ""
