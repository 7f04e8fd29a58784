"""What a connector to a department's own system is: seven calls, answered in a few plain words. No Django, no tables.

A connector only speaks. When to speak, how often to try again, what an answer means for the request, and what is written down
is the room's business (`workorders/services`): it calls one connector from one process at a time for the same order.
Every method may block up to `Setup.timeout` seconds and may be called again with the same arguments after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec

from loop311.kit.structs import learn


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What goes over the counter: frozen, compared by value."""


# --- What we say -------------------------------------------------------------------------------------------------------


class Contact(Value, frozen=True, kw_only=True):
    """Who reported it. Only there when the mapping says that the department needs it."""

    name: str = ""
    phone: str = ""
    email: str = ""


class Proven(Value, frozen=True, kw_only=True):
    """A piece of evidence, ours or theirs. `kind` is a value of catalog.definitions.EvidenceKind."""

    kind: str
    reference: str = ""
    """Where the thing itself is: an address, an attachment's id, a reading."""
    note: str = ""
    latitude: float | None = None
    longitude: float | None = None


class Attached(Value, frozen=True, kw_only=True):
    """The file behind a piece of our evidence."""

    name: str
    content_type: str
    data: bytes


class Outgoing(Value, frozen=True, kw_only=True):
    """An order as the mapping has translated it, ready to be said in their words."""

    number: str
    """The request's public number, for people."""
    reference: str
    """Our mark on their record, unique for ever, also among cities: 'city-26-00000001', or 'city-26-00000001.2' for the request's
    second order; at most 60 characters. Write it where it can be searched for: `lookup` finds by it what was created although the
    answer was lost."""
    service: str
    """Our service's code."""
    theirs: str
    """Their service, tracker, category ... as the mapping names it."""
    title: str
    description: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    attributes: Mapping[str, str | Sequence[str]] = {}
    """Their field -> their value or values: mapped answers and the mapping's constants. Values are text already."""
    priority: str = ""
    """Theirs; empty when the mapping has none."""
    received_at: datetime
    due_at: datetime | None = None
    url: str = ""
    """The request's page here, for their staff."""
    contact: Contact | None = None
    their_key: str = ""
    """Empty until they have given one."""
    their_url: str = ""
    token: str = ""
    """What they gave when the key comes later."""
    opened_at: datetime | None = None
    """When the hand-over was begun: what was lost on its way was not created before."""


class ChangeKind(StrEnum):
    COMMENT = "comment"
    EVIDENCE = "evidence"
    PRIORITY = "priority"
    STATE = "state"
    DUE = "due"
    ERASED = "erased"
    """The reporter's words were erased here; ask them to do the same."""


class Change(Value, frozen=True, kw_only=True):
    """One thing that follows a handed-over order. Changes of an order come in order, one at a time."""

    id: str
    """The same each time this change is tried; their side (or the connector) tells by it what was said already."""
    kind: ChangeKind
    at: datetime
    text: str = ""
    """In words, for every kind: a connector that knows no better writes them as a note."""
    state: str = ""
    """With STATE: our state now."""
    status: str = ""
    """With STATE: their status for it, by the mapping; empty means: leave theirs alone, say `text`."""
    priority: str = ""
    """With PRIORITY: theirs; empty as for `status`."""
    due_at: datetime | None = None
    evidence: tuple[Proven, ...] = ()
    again: bool = False
    """An earlier try may have arrived: look before you say it twice."""


# --- What they say -----------------------------------------------------------------------------------------------------


class Done(Value, frozen=True, kw_only=True):
    """They have it. `their_key` may still be empty after `create` (a token, a file in a folder): then the order is *sent*, and
    is *acknowledged* when `lookup`, `poll` or a call-back names the key."""

    their_key: str = ""
    their_url: str = ""
    token: str = ""


class TryLater(Value, frozen=True, kw_only=True):
    """Certainly not taken (no connection, 429, 503): the same again later. `reason` is shown: no personal data, no secret."""

    reason: str
    after: timedelta | None = None
    """What they asked for; otherwise the room's own back-off."""


class Refused(Value, frozen=True, kw_only=True):
    """They will never take it as it is (400, 403, 404, 422): the order is parked for a person, with this reason."""

    reason: str
    may_pass: bool = False
    """It names nothing that we said: their back end may be down. Tried a few times more before a person is asked."""


class Unknown(Value, frozen=True, kw_only=True):
    """The answer was lost (time-out after sending, connection cut, 500, half a body): they may have it or not.

    The order is looked up before `create` is tried again; `update` and `cancel` come again with `again=True`.
    """

    reason: str


Answer = Done | TryLater | Refused | Unknown


class Report(Value, frozen=True, kw_only=True):
    """Something that happened on their side."""

    id: str
    """Names this happening for ever: the same report heard twice (poll and call-back, overlap of polls) counts once.
    For instance 'journal:812', or their key with status and time where they number nothing."""
    their_key: str
    reference: str = ""
    """Our mark, where their record shows it."""
    status: str = ""
    """Theirs, raw, as the mapping's `statuses` names it; empty when only words or evidence came."""
    words: str = ""
    """What their staff wrote; becomes an internal comment."""
    at: datetime
    """When it happened there. An older one never overrides a newer."""
    their_url: str = ""
    evidence: tuple[Proven, ...] = ()


class TheirState(Value, frozen=True, kw_only=True):
    """How a record stands there now, for the nightly comparison."""

    their_key: str
    reference: str = ""
    status: str = ""
    at: datetime | None = None
    their_url: str = ""


class Tested(Value, frozen=True, kw_only=True):
    """Whether they can be spoken to: reached, let in, and what the mapping names exists there."""

    ok: bool
    words: str
    """One sentence for the page: 'Redmine 5.0.4 answers; project streets.' or what to mend."""
    statuses: tuple[str, ...] = ()
    """Every status they have, where they can tell: those without a meaning in the mapping are shown."""


class CannotTell(Exception):
    """Raised by `lookup`, `poll` and `reconcile` when they cannot be asked (down, refused, half an answer). It never means 'no'."""


class Unreadable(Exception):
    """Raised by `receive` for a call that cannot be read; its sentence goes back with a 400."""


@runtime_checkable
class Connector(Protocol):
    """The seven calls and the look-up. None of them raises for what the other side does, except as said here."""

    @property
    def repeats_safely(self) -> bool:
        """True when the same `create` twice is one record there whatever happens (a file's name, an idempotency key): the room
        then repeats an unknown one when `lookup` cannot be had."""
        ...

    def create(self, order: Outgoing) -> Answer: ...

    def update(self, order: Outgoing, change: Change) -> Answer: ...

    def cancel(self, order: Outgoing, why: str) -> Answer:
        """It is not theirs any more. Done also when it is cancelled, closed or gone there already. `why` is a sentence."""
        ...

    def lookup(self, order: Outgoing) -> Report | None:
        """Their record with our mark (`order.reference`, or `order.token`), and how it stands; None when there certainly is none.

        Raises CannotTell."""
        ...

    def poll(self, since: datetime) -> Iterable[Report]:
        """What happened there since then, oldest first; an overlap does no harm, a gap does. Raises CannotTell."""
        ...

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        """What a call-back says. Its signature, age and id have been checked already. Raises Unreadable."""
        ...

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        """How these stand there now, those that are gone left out; and, where they can be found, records that bear our mark and
        are not among `keys`. Raises CannotTell: half a list would look like missing records."""
        ...

    def test(self) -> Tested:
        """The heartbeat: quick and without effect."""
        ...

    # A connector that holds something open may have `close()`; it is called when the piece of work is over.


@runtime_checkable
class KeepsUntilTaken(Protocol):
    """A connector whose `poll` gives the same again until it is told that all of it is written down here."""

    def took(self) -> None:
        """Raises CannotTell; then it is given once more."""
        ...


@runtime_checkable
class KnowsNewest(Protocol):
    """A connector that can tell up to when, by their clock, its last `poll` has seen everything: also what brought no report."""

    newest: datetime | None


# --- How one is made ---------------------------------------------------------------------------------------------------


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a connector's `settings` in links.yaml. Secrets are not among them."""


def _nothing(_: Proven) -> Attached | None:
    return None


def _all(references: Collection[str]) -> Collection[str]:
    return references


@dataclass(frozen=True, slots=True)
class Setup:
    """All a connector is made from; one is made for each piece of work and thrown away."""

    link: str
    """The link's code."""
    options: Any
    """The settings, read into the kind's `Options`."""
    secret: str = field(repr=False, default="")
    """Password or key for them, from the environment or a file (see `workorders/secrets.py`); never in a table, log or sentence."""
    services: tuple[str, ...] = ()
    """Everything `Outgoing.theirs` may be."""
    timeout: float = 15.0
    fetch: Callable[[Proven], Attached | None] = _nothing
    """The file behind a piece of our evidence, for connectors that can hand it over; None when it has none or may not go there."""
    keys: Callable[[], Sequence[str]] = tuple
    """Their keys of the records that are not over, for those that can only be asked by key."""
    knows: Callable[[Collection[str]], Collection[str]] = _all
    """Of these marks those that an order of this link bears, for those that can send back what leads nowhere."""
    transport: Any = None
    """An httpx transport in tests; None otherwise."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connector, as `connectors/__init__.py` lists it."""

    make: Callable[[Setup], Connector]
    options: type[Options]
    summary: str
    needs_secret: bool = True
    calls_back: bool = False
    """Whether they may call us (`receive`)."""
    names_records: bool = True
    """Whether they have numbers of their own; otherwise our mark is their key."""

    def __post_init__(self) -> None:
        learn(self.options)
