"""Another server of Open311 GeoReport v2: a neighbouring city, a county, a department that has one.

An order is a request there, an update follows it through `servicerequestupdates` where they take them; what happened there is
asked for by their updates or, of servers that have none, by the ids of what is open.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import UNSET

from loop311.georeport import sending
from loop311.georeport.client import Client, Declined, Unreached
from loop311.georeport.model import RequestItem, UpdateItem
from loop311.georeport.profile import Profile
from loop311.georeport.sending import (
    Accepted,
    NewRequest,
    NewUpdate,
    Sent,
    Waiting,
)
from loop311.kit.clock import now
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
)

_MARK = re.compile(r"\[ref-([A-Za-z0-9._-]{1,80})\]")
_STRAYS = timedelta(days=30)
"""How far back the comparison looks for records with our mark that no order leads to."""


class Open311Options(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    profile: Profile
    """How their server speaks; see `georeport/profile.py`. The key is the link's `secret`."""
    follows: Literal["updates", "updated_after", "ids"] = "ids"
    """How to hear what happened there."""
    takes_updates: bool = True
    """False: they cannot be told anything more by machine, and nothing is."""
    unchanged: str = "open"
    """The status that says nothing new, with a comment."""
    cancelled: str = "closed"
    """The status of an order that is not theirs any more."""

    def __post_init__(self) -> None:
        if self.profile.api_key:
            raise ValueError("profile.api_key: keys do not stand in settings; say with `secret` where it is")


class Open311:
    def __init__(self, setup: Setup) -> None:
        self._options: Open311Options = setup.options
        self._setup = setup
        given = self._options.profile
        limits = msgspec.structs.replace(
            given.limits, connect_seconds=min(given.limits.connect_seconds, setup.timeout),
            read_seconds=min(given.limits.read_seconds, setup.timeout),
            whole_seconds=min(given.limits.whole_seconds, setup.timeout * 2), tries=1,
        )  # fmt: skip
        profile = msgspec.structs.replace(given, api_key=setup.secret, limits=limits)
        self._client = Client(profile, transport=setup.transport)

    @property
    def repeats_safely(self) -> bool:
        return self._options.profile.keeps_keys

    def close(self) -> None:
        self._client.close()

    # --- Saying ----------------------------------------------------------------------------------------------------------

    def create(self, order: Outgoing) -> Answer:
        return _answer(self._client.file(_request(order)), of_filing=True)

    def update(self, order: Outgoing, change: Change) -> Answer:
        """Repeated safely: they know an update by its id."""
        if not self._options.takes_updates:
            return Done(their_key=order.their_key)
        status = change.status or self._options.unchanged
        return self._say(order, change.id, status, change.at, change.text, _picture(change))

    def cancel(self, order: Outgoing, why: str) -> Answer:
        if not self._options.takes_updates:
            return Refused(reason="They cannot be told by machine that it is cancelled: tell them.")
        return self._say(order, f"{order.reference}-cancel", self._options.cancelled, now(), why, "")

    def _say(self, order: Outgoing, identity: str, status: str, at: datetime, text: str, picture: str) -> Answer:
        update = NewUpdate(
            update_id=identity, service_request_id=order.their_key, status=status,
            updated_datetime=at, description=text or status, media_url=picture,
        )  # fmt: skip
        return _answer(self._client.send_update(update), of_filing=False)

    # --- Asking ----------------------------------------------------------------------------------------------------------

    def lookup(self, order: Outgoing) -> Report | None:
        try:
            if order.their_key:
                found = self._client.one(order.their_key)
            elif order.token:
                key = self._client.token(order.token)
                found = self._client.one(key) if key else None
                if key and found is None:  # not public (yet): it is there all the same
                    return Report(
                        id=f"token:{order.token}", their_key=key, reference=order.reference, at=order.received_at
                    )
            elif self._options.profile.shows_reference:
                found = self._client.find_sent(_request(order), since=order.opened_at or order.received_at)
            else:
                raise CannotTell("Their list does not show our mark: somebody must ask them.")
        except (Unreached, Declined) as error:
            raise CannotTell(str(error)) from error
        return _report(found, order.reference) if found is not None else None

    def poll(self, since: datetime) -> Iterable[Report]:
        try:
            return self._poll(since)
        except (Unreached, Declined) as error:
            raise CannotTell(str(error)) from error

    def _poll(self, since: datetime) -> list[Report]:
        if self._options.follows == "updates":
            until = max(now() + max(self._client.skew or timedelta(), timedelta()), since)
            reports = [_news(item) for item in self._client.updates(since, until)]
        elif self._options.follows == "updated_after":
            found = self._client.requests(updated_after=since, codes=self._setup.services)
            reports = [report for item in found for report in _reports(item)]
        else:
            keys = list(self._setup.keys())
            found = self._client.requests(ids=keys) if keys else iter(())
            reports = [report for item in found for report in _reports(item)]
        self._refuse_gaps()
        return sorted(reports, key=lambda report: (report.at, report.id))

    def _refuse_gaps(self) -> None:
        if self._client.gaps:
            raise CannotTell(f"Part of their list cannot be read: {self._client.gaps[0].reason}")

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        raise Unreadable("An Open311 server is asked; it does not call.")

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        try:
            states = [_state(item) for item in self._client.requests(ids=keys)] if keys else []
            states += [] if not self._bears_marks() else list(self._strays(set(keys)))
        except (Unreached, Declined) as error:
            raise CannotTell(str(error)) from error
        self._refuse_gaps()
        return states

    def _bears_marks(self) -> bool:
        profile = self._options.profile
        return profile.shows_reference and profile.reference_in == "description"

    def _strays(self, known: set[str]) -> Iterator[TheirState]:
        for item in self._client.requests(start=now() - _STRAYS, codes=self._setup.services):
            if item.service_request_id not in known and _MARK.search(item.description or ""):
                yield _state(item)

    def test(self) -> Tested:
        try:
            services = self._client.services()
        except Declined as declined:
            return Tested(ok=False, words=f"They refuse: {declined}")
        except Unreached as error:
            return Tested(ok=False, words=f"They do not answer: {error}")
        missing = sorted(set(self._setup.services) - {service.service_code for service in services})
        if missing:
            return Tested(ok=False, words=f"They have no service {', '.join(missing)}.")
        return Tested(ok=True, words=f"They answer; {len(services)} services.")


def _request(order: Outgoing) -> NewRequest:
    contact = order.contact
    first, _, last = (contact.name if contact else "").strip().rpartition(" ")
    return NewRequest(
        service_code=order.theirs, reference=order.reference, description=order.description, lat=order.latitude,
        long=order.longitude, address=order.address, attributes=order.attributes,
        email=contact.email if contact else "", phone=contact.phone if contact else "",
        first_name=first, last_name=last,
    )  # fmt: skip


def _answer(sent: Sent, *, of_filing: bool) -> Answer:
    match sent:
        case Accepted():
            return Done(their_key=sent.service_request_id or "")
        case Waiting():
            return Done(token=sent.token)
        case sending.Refused():
            return Refused(reason=sent.reason, may_pass=sent.may_pass)
        case sending.TryLater():
            after = timedelta(seconds=sent.after) if sent.after is not None else None
            return TryLater(reason=sent.reason, after=after)
        case sending.Unknown():
            return Unknown(reason=sent.reason)


def _picture(change: Change) -> str:
    return next((proof.reference for proof in change.evidence if proof.reference.startswith("http")), "")


def _report(item: RequestItem, reference: str = "") -> Report:
    """How it stands, without what was written."""
    key, status = item.service_request_id or "", _status(item)
    at = item.updated_datetime or item.requested_datetime or datetime.fromtimestamp(0, UTC)
    return Report(
        id=f"state:{key}:{status}:{at.isoformat()}", their_key=key, reference=reference or _mark_in(item), status=status, at=at,
    )  # fmt: skip


def _reports(item: RequestItem) -> Iterator[Report]:
    """What they wrote comes first: it may say why it is closed. Each once, however often the rest changes."""
    standing = _report(item)
    notes = (item.status_notes or "").strip()
    if notes:
        digest = hashlib.sha256(notes.encode()).hexdigest()[:16]
        yield Report(
            id=f"notes:{standing.their_key}:{digest}", their_key=standing.their_key, words=notes, at=standing.at
        )
    yield standing


def _status(item: RequestItem) -> str:
    raw = item.raw_status
    return raw if isinstance(raw, str) and raw else item.status


def _mark_in(item: RequestItem) -> str:
    found = _MARK.search(item.description or "")
    return found[1] if found else ""


def _news(item: UpdateItem) -> Report:
    picture = "" if item.media_url is UNSET else item.media_url
    return Report(
        id=f"update:{item.update_id}", their_key=item.service_request_id, status=item.status, at=item.updated_datetime,
        words=item.description or "", evidence=(Proven(kind="photo", reference=picture),) if picture else (),
    )  # fmt: skip


def _state(item: RequestItem) -> TheirState:
    at = item.updated_datetime or item.requested_datetime
    return TheirState(their_key=item.service_request_id or "", reference=_mark_in(item), status=_status(item), at=at)


OPEN311 = Kind(
    make=Open311, options=Open311Options, summary="Another server of Open311 GeoReport v2.", needs_secret=False
)
