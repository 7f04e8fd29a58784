"""Is a chain whole? Pure: rows in, faults out. What each kind of tampering looks like, and how it is named."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loop311.ledger.policies import GENESIS, Fact, event_hash, seal


class Fault(NamedTuple):
    """One thing that is not as it was written: of which subject ('request 12'), at which event's id, in one sentence."""

    subject: str
    event: int | None
    sentence: str


class Head(NamedTuple):
    """The head's row as it stands in the table."""

    sequence: int
    hash: bytes
    seal: bytes


class Link(NamedTuple):
    """An event as it stands in the table, and its chain's head."""

    fact: Fact
    previous: bytes
    hash: bytes
    head: Head | None


def chain_faults(links: Iterable[Link], key: bytes) -> Iterator[Fault]:
    """All faults of one subject's chain, whose links come in the order of their sequence (at least one)."""
    last: Link | None = None
    for link in links:
        yield from _link_faults(last, link)
        last = link
    if last is not None:
        yield from _end_faults(last, key)


def subject_of(fact: Fact) -> str:
    return f"{fact.subject_type} {fact.subject_id}"


def _link_faults(last: Link | None, link: Link) -> Iterator[Fault]:
    fact = link.fact
    expected = last.fact.sequence + 1 if last else 1
    if fact.sequence > expected:
        missing = _range(expected, fact.sequence - 1)
        yield Fault(subject_of(fact), fact.id, f"Removed: {missing} before event {fact.sequence} ({fact.kind}).")
    elif fact.sequence < expected:
        yield Fault(subject_of(fact), fact.id, f"Inserted: event {fact.sequence} ({fact.kind}) stands twice.")
    elif link.previous != (last.hash if last else GENESIS):
        yield _broken(last, link)
    if event_hash(link.previous, fact) != link.hash:
        yield Fault(subject_of(fact), fact.id, f"Edited: event {fact.sequence} ({fact.kind}) is not as it was written.")


def _broken(last: Link | None, link: Link) -> Fault:
    fact = link.fact
    before = f"event {last.fact.sequence} ({last.fact.kind})" if last else "the beginning"
    return Fault(
        subject_of(fact),
        fact.id,
        f"Replaced or re-ordered: event {fact.sequence} ({fact.kind}) does not follow {before} as it stands.",
    )


def _end_faults(last: Link, key: bytes) -> Iterator[Fault]:
    """Compares the last event with the head; when the head is not ours, nothing it says can be relied upon."""
    fact, subject, end = last.fact, subject_of(last.fact), last.head
    if end is None:
        yield Fault(subject, fact.id, "Inserted, or its head removed: these events have no head.")
        return
    if end.sequence > fact.sequence:
        missing = _range(fact.sequence + 1, end.sequence)
        yield Fault(subject, fact.id, f"Removed: {missing} at the end, after event {fact.sequence} ({fact.kind}).")
    elif end.sequence < fact.sequence:
        added = _range(end.sequence + 1, fact.sequence)
        yield Fault(subject, fact.id, f"Inserted: {added} at the end, after the head; or the head was put back.")
    elif end.hash != last.hash:
        yield Fault(subject, fact.id, f"Replaced: event {fact.sequence} ({fact.kind}) is not the one the head names.")
    expected = seal(key, fact.jurisdiction_id, fact.subject_type, fact.subject_id, end.sequence, end.hash)
    if not hmac.compare_digest(expected, end.seal):
        yield Fault(
            subject,
            fact.id,
            f"Edited: the head's seal is not ours, so event {fact.sequence} ({fact.kind}) may be replaced"
            " or later ones removed.",
        )


def _range(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"
