"""A department that programs its own end: signed calls with CloudEvents 1.0 bodies out, signed calls in, and one address that
tells how its records stand.

Signed as Standard Webhooks has it (`signing.py`), both ways. The id of a call is the same each time it is tried: whoever receives
it takes it once. Nothing in a body says who reported, unless the mapping says that the department needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from loop311.georeport.profile import Limits, Profile
from loop311.georeport.wire import Lost, Reply, Wire
from loop311.kit.clock import now
from loop311.kit.structs import learn
from loop311.workorders import signing
from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Change,
    Done,
    Kind,
    Options,
    Outgoing,
    Proven,
    Refused,
    Report,
    Setup,
    Tested,
    TheirState,
    TryLater,
    Unknown,
    Unreadable,
    Value,
)

_KIND = "org.loop311.workorder"
_LATER = frozenset({408, 425, 429, 503})
_LARGEST = 5_000_000
_AT_ONCE = 100
"""Keys that are asked about in one call."""


class WebhookOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    """Takes our calls."""
    states_url: str
    """Tells how records stand: GET with `key`, `reference` or `since`; without them an empty list. Without such an address
    nobody could see that both sides disagree."""
    source: str = "/loop311"
    """CloudEvents `source` of our calls."""

    def __post_init__(self) -> None:
        for address in (self.url, self.states_url):
            Profile(base=address)  # https, or this machine; raises ValueError


class Event(msgspec.Struct, kw_only=True):
    """A CloudEvent of theirs."""

    specversion: str
    id: str
    type: str
    data: State


class State(Value, frozen=True, kw_only=True):
    """How a record of theirs stands, or what happened to it: the one shape of all they say."""

    id: str = ""
    """Of the happening; without it key, status and time name it."""
    key: str = ""
    reference: str = ""
    """Our mark."""
    status: str = ""
    words: str = ""
    at: datetime
    url: str = ""
    evidence: tuple[Proven, ...] = ()


class Taken(Value, frozen=True, kw_only=True):
    """Their answer to a call; a body is not needed."""

    key: str = ""
    url: str = ""


class Webhook:
    repeats_safely = True

    def __init__(self, setup: Setup) -> None:
        self._options: WebhookOptions = setup.options
        self._secret = setup.secret
        limits = Limits(
            connect_seconds=setup.timeout, read_seconds=setup.timeout, whole_seconds=setup.timeout * 2, tries=1,
            largest_bytes=_LARGEST,
        )  # fmt: skip
        self._wire = Wire(Profile(base=self._options.url, limits=limits), setup.transport)

    def close(self) -> None:
        self._wire.close()

    # --- Saying ----------------------------------------------------------------------------------------------------------

    def create(self, order: Outgoing) -> Answer:
        return self._call("created", order.reference, order, order.received_at, {})

    def update(self, order: Outgoing, change: Change) -> Answer:
        said = {"change": {name: value for name, value in msgspec.to_builtins(change).items() if name != "again"}}
        return self._call("changed", change.id, order, change.at, said)

    def cancel(self, order: Outgoing, why: str) -> Answer:
        return self._call("cancelled", f"{order.reference}-cancel", order, now(), {"why": why})

    def _call(self, what: str, identity: str, order: Outgoing, at: datetime, more: Mapping[str, object]) -> Answer:
        event = {
            "specversion": "1.0",
            "id": identity,
            "source": self._options.source,
            "type": f"{_KIND}.{what}",
            "subject": order.reference,
            "time": at,
            "datacontenttype": "application/json",
            "data": {"order": order, **more},
        }
        body = msgspec.json.encode(event)
        headers = signing.headers(self._secret, identity, now(), body)
        try:
            reply = self._wire.send(
                "POST", self._options.url, body, {"Content-Type": "application/cloudevents+json", **headers}
            )
        except Lost as lost:
            return Unknown(reason=lost.reason) if lost.was_sent else TryLater(reason=lost.reason)
        return _answer(reply)

    # --- Asking ----------------------------------------------------------------------------------------------------------

    def lookup(self, order: Outgoing) -> Report | None:
        asked = {"key": order.their_key} if order.their_key else {"reference": order.reference}
        found = self._ask(asked)
        return _report(found[-1]) if found else None

    def poll(self, since: datetime) -> Iterable[Report]:
        return sorted(map(_report, self._ask({"since": since.isoformat()})), key=lambda report: report.at)

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        found: list[State] = []
        for start in range(0, len(keys), _AT_ONCE):
            found += self._ask({"key": list(keys[start : start + _AT_ONCE])})
        return [
            TheirState(their_key=each.key, reference=each.reference, status=each.status, at=each.at, their_url=each.url)
            for each in found
        ]

    def test(self) -> Tested:
        try:
            self._ask({})
        except CannotTell as error:
            return Tested(ok=False, words=str(error))
        return Tested(ok=True, words="They answer.")

    def _ask(self, query: Mapping[str, str | list[str]]) -> list[State]:
        address = self._options.states_url + (f"?{urlencode(query, doseq=True)}" if query else "")
        at = now()
        identity = f"ask-{int(at.timestamp() * 1000)}"
        headers = {"Accept": "application/json", **signing.headers(self._secret, identity, at, b"")}
        try:
            reply = self._wire.send("GET", address, b"", headers)
        except Lost as lost:
            raise CannotTell(f"They do not answer: {lost.reason}") from lost
        if reply.status != 200:
            raise CannotTell(f"They answer HTTP {reply.status} when asked how their records stand.")
        try:
            return msgspec.json.decode(reply.body, type=list[State])
        except msgspec.DecodeError as error:
            raise CannotTell("What they say of their records cannot be read.") from error

    # --- Hearing ---------------------------------------------------------------------------------------------------------

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        try:
            event = msgspec.json.decode(body, type=Event)
        except msgspec.DecodeError as error:
            raise Unreadable(f"This is no CloudEvent that is read here: {error}".replace("`", "")) from error
        if event.specversion != "1.0" or event.type != f"{_KIND}.reported":
            raise Unreadable(f"A CloudEvent 1.0 of type {_KIND}.reported is read here.")
        if not event.data.key and not event.data.reference:
            raise Unreadable("data.key or data.reference must say which record it is about.")
        return [_report(msgspec.structs.replace(event.data, id=event.data.id or event.id))]


def _answer(reply: Reply) -> Answer:
    if 200 <= reply.status < 300:
        try:
            taken = msgspec.json.decode(reply.body, type=Taken) if reply.body.strip() else Taken()
        except msgspec.DecodeError:
            taken = Taken()  # an answer in their own words; `lookup` and calls name the key
        return Done(their_key=taken.key, their_url=taken.url)
    if reply.status in _LATER:
        after = timedelta(seconds=reply.retry_after) if reply.retry_after is not None else None
        return TryLater(reason=f"HTTP {reply.status}", after=after)
    if reply.status >= 500:
        return Unknown(reason=f"HTTP {reply.status}")
    return Refused(reason=f"HTTP {reply.status}")


def _report(state: State) -> Report:
    return Report(
        id=state.id or f"{state.key or state.reference}:{state.status}:{state.at.isoformat()}",
        their_key=state.key, reference=state.reference, status=state.status, words=state.words, at=state.at,
        their_url=state.url, evidence=state.evidence,
    )  # fmt: skip


WEBHOOK = Kind(
    make=Webhook, options=WebhookOptions, summary="A system of the department's own, by signed calls.", calls_back=True
)


learn(Event, list[State], Taken)
