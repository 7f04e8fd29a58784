"""Another server of GeoReport v2, asked and told: tolerant of what it sends, never repeating what it may have taken."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

import httpx
import msgspec

from loop311.georeport import answers, reading, sending
from loop311.georeport.harvesting import Declined, Gap, Harvest, Unreached
from loop311.georeport.model import Discovery, RequestItem, ServiceDefinition, ServiceItem, UpdateItem
from loop311.georeport.parsing import Unreadable, parse, rows
from loop311.georeport.profile import Profile
from loop311.georeport.sending import (
    Accepted,
    File,
    NewRequest,
    NewUpdate,
    Pair,
    Refused,
    Sent,
    TryLater,
    Unknown,
    Waiting,
)
from loop311.georeport.windows import sliced
from loop311.georeport.wire import Lost, Reply, Wire
from loop311.kit.clock import now

__all__ = [
    "Accepted",
    "Client",
    "Declined",
    "Gap",
    "NewRequest",
    "NewUpdate",
    "Profile",
    "Refused",
    "Sent",
    "TryLater",
    "Unknown",
    "Unreached",
    "Waiting",
]

T = TypeVar("T")
Found = tuple[RequestItem, str]
"""A request, and all that they say of it, as text."""
_LONGEST_PAUSE = 60.0
_SOON = timedelta(minutes=1)
"""After our present: what they call now."""
_MARGIN = timedelta(days=1)
"""By which clocks and zones may differ when a lost filing is looked for."""


class Client:
    """Calls to one server. Not for several threads at once.

    Reading calls are repeated after network failures and raise Unreached or Declined; sending calls are sent once and
    always give an outcome.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.profile = profile
        self.gaps: list[Gap] = []
        """What `requests` and `updates` had to leave out."""
        self._wire = Wire(profile, transport)
        self._sleep = sleep
        self._definitions: dict[str, ServiceDefinition] = {}
        self._changeset = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    @property
    def skew(self) -> timedelta | None:
        """Their clock less ours; None before the first answer that had a date."""
        return self._wire.skew

    # --- What there is ---------------------------------------------------------------------------------------------------

    def discovery(self) -> Discovery:
        """Forgets the definitions when the endpoint has changed since."""
        found = self._read(self.profile.discovery_address, [], reading.discovery)
        if found.changeset != self._changeset:
            self._definitions.clear()
            self._changeset = found.changeset
        return found

    def services(self) -> list[ServiceItem]:
        return self._read(self.profile.address("services"), self._jurisdiction(), self._services)

    def definition(self, code: str) -> ServiceDefinition:
        """By their code. Asked once; `discovery` notices changes."""
        if code not in self._definitions:
            address = self.profile.address("definition", code=code)
            self._definitions[code] = self._read(address, self._jurisdiction(), reading.definition)
        return self._definitions[code]

    # --- Requests --------------------------------------------------------------------------------------------------------

    def one(self, service_request_id: str) -> RequestItem | None:
        """None when they know none of this id, or show none."""
        address = self.profile.address("request", id=service_request_id)
        try:
            found = self._read(address, self._jurisdiction(), self._requests)
        except Declined as declined:
            if declined.status == 404:
                return None
            raise
        return found[0][0] if found else None

    def requests(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        ids: Sequence[str] = (),
        codes: Sequence[str] = (),
        statuses: Sequence[str] = (),
        updated_after: datetime | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Iterator[RequestItem]:
        """Each once, whatever the server's pages and windows; those without an id are left out.

        Rows that break the server's answer are left out as narrowly as can be, and stand in `gaps`.
        """
        narrowed = [
            ("service_code", ",".join(map(self.profile.their_code, codes))),
            ("status", ",".join(statuses)),
            ("updated_after", self.profile.date(updated_after) if updated_after and (start or end) else ""),
            *(extra or {}).items(),
        ]
        query = [(name, value) for name, value in narrowed if value]
        found = self._harvest().by_ids(ids) if ids else self._by_time(query, start, end, updated_after)
        yield from self._each_once(item for item, _ in found)

    def _each_once(self, found: Iterable[RequestItem]) -> Iterator[RequestItem]:
        seen: dict[str, datetime | None] = {}
        for item in found:
            number = item.service_request_id
            if number is None:
                continue
            if number not in seen:
                seen[number] = item.requested_datetime
                yield item
            elif seen[number] != item.requested_datetime:  # Cologne was seen to do so
                self.gaps.append(Gap(what=number, reason="two different requests bear this id"))

    def _harvest(self, field: str = "requested_datetime") -> Harvest[Found]:
        return Harvest(self.profile, self._ask_requests, self.gaps, lambda found: getattr(found[0], field))

    def _by_time(
        self, query: list[Pair], start: datetime | None, end: datetime | None, updated_after: datetime | None
    ) -> Iterator[Found]:
        """By the time of change when only that is asked for, else by the time of filing; the last 90 days when none is."""
        until = end or now() + max(self.skew or timedelta(), timedelta()) + _SOON
        if updated_after and not (start or end):
            windows = sliced(updated_after, until, self.profile.longest_window)
            return self._harvest("updated_datetime").by_time(windows, query, ("updated_after", "updated_before"))
        windows = sliced(start or until - self.profile.longest_window, until, self.profile.longest_window)
        return self._harvest().by_time(windows, query, ("start_date", "end_date"))

    def updates(self, start: datetime, end: datetime) -> list[UpdateItem]:
        """Changes between the two, oldest first, each once (servicerequestupdates)."""
        harvest = Harvest(self.profile, self._ask_updates, self.gaps, lambda item: item.updated_datetime)
        windows = sliced(start, end, timedelta(days=self.profile.updates_span_days))
        found = {item.update_id: item for item in harvest.by_time(windows, [], ("start_date", "end_date"))}
        return sorted(found.values(), key=lambda item: (item.updated_datetime, item.update_id))

    def token(self, token: str) -> str | None:
        """The id, or None: not yet. Whether they say so with 404, an empty answer or an empty id is the same."""
        address = self.profile.address("token", token=token)
        try:
            found = self._read(address, self._jurisdiction(), reading.token)
        except Declined as declined:
            if declined.status == 404:
                return None
            raise
        return found.service_request_id if found else None

    def await_token(self, token: str, *, seconds: float, pause: float = 2.0) -> str | None:
        """Asks until the id is there or the time is over. A failure on the way is no end."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = self.token(token)
            except Unreached:
                found = None
            if found is not None or time.monotonic() + pause > deadline:
                return found
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    # --- Sending ---------------------------------------------------------------------------------------------------------

    def file(self, new: NewRequest) -> Sent:
        """Sent once. After Unknown ask `find_sent` before it is filed again; `file_once` does both."""
        if lacks := sending.missing(new, self.profile):
            return Refused(status=0, errors=tuple(lacks))
        form = sending.form(new, self.profile)
        headers = {"Idempotency-Key": new.reference} if self.profile.keeps_keys else {}
        is_blackbox = self.profile.their_code(new.service_code) in self.profile.blackbox_codes
        reply = self._post("requests", form, sending.files(new, self.profile), headers)
        return answers.of_filing(reply, form, is_blackbox=is_blackbox) if isinstance(reply, Reply) else reply

    def file_once(self, new: NewRequest, *, tried_at: datetime | None) -> Sent:
        """Files it unless an earlier try, begun at `tried_at`, is found to have arrived. The one call for an outbox."""
        if tried_at is None or self.profile.keeps_keys:
            return self.file(new)
        if not self.profile.shows_reference:
            return Unknown(reason="their list does not show our reference: somebody must ask them")
        try:
            found = self.find_sent(new, since=tried_at)
        except (Unreached, Declined) as error:
            return Unknown(reason=f"the earlier filing could not be looked up: {error}")
        return self.file(new) if found is None else Accepted(service_request_id=found.service_request_id)

    def find_sent(self, new: NewRequest, *, since: datetime) -> RequestItem | None:
        """The request that bears our reference, filed since then by any clock; None when their list has none."""
        in_words = self.profile.reference_in == "description"
        wanted = sending.mark(new.reference) if in_words else json.dumps(new.reference)
        query = [("service_code", self.profile.their_code(new.service_code))]
        query += [] if in_words else [("extensions", "true")]
        before = len(self.gaps)
        harvest = self._harvest()
        windows = sliced(since - _MARGIN, now() + _MARGIN, self.profile.longest_window)
        for item, raw in harvest.by_time(windows, query, ("start_date", "end_date")):
            if wanted in raw:
                return item
        if len(self.gaps) > before:
            raise Unreached(f"part of their list cannot be read: {self.gaps[-1].reason}", answered=True)
        return None

    def send_update(self, update: NewUpdate) -> Sent:
        """The same `update_id` again changes nothing, so that after Unknown it may simply be sent again."""
        reply = self._post("updates", sending.update_form(update, self.profile), [], {})
        if not isinstance(reply, Reply):
            return reply
        return answers.of_update(reply, update.service_request_id)

    def _post(self, name: str, form: list[Pair], files: list[File], headers: dict[str, str]) -> Reply | Sent:
        """Once, whatever happens; the key is added here."""
        key, place = self.profile.api_key, self.profile.api_key_in
        address = self.profile.address(name)
        if key and place == "form":
            form = [*form, ("api_key", key)]
        elif key and place == "address":
            address = str(httpx.URL(address).copy_merge_params({"api_key": key}))
        elif key:
            headers = {**headers, "X-API-Key": key}
        try:
            return self._wire.post(address, form, files, headers)
        except Lost as lost:
            return answers.of_loss(lost)

    # --- One question ----------------------------------------------------------------------------------------------------

    def _jurisdiction(self) -> list[Pair]:
        return [("jurisdiction_id", self.profile.jurisdiction_id)] if self.profile.jurisdiction_id else []

    def _ask_requests(self, query: list[Pair]) -> list[Found]:
        return self._list("requests", query, self._requests)

    def _ask_updates(self, query: list[Pair]) -> list[UpdateItem]:
        if self.profile.updates_need_key:
            query = [*query, ("api_key", self.profile.api_key)]
        return self._list("updates", query, lambda body: reading.updates(body, self.profile.time_zone))

    def _list(self, name: str, query: list[Pair], read: Callable[[bytes], list[T]]) -> list[T]:
        try:
            return self._read(self.profile.address(name), [*self._jurisdiction(), *query], read)
        except Declined as declined:
            if declined.status == 404 and self.profile.empty_404:
                return []
            raise

    def _services(self, body: bytes) -> list[ServiceItem]:
        return reading.services_of(self._unwrapped(parse(body)))

    def _requests(self, body: bytes) -> list[Found]:
        return [(self._request(row), json.dumps(row, ensure_ascii=False)) for row in rows(self._unwrapped(parse(body)))]

    def _request(self, row: Mapping[str, Any]) -> RequestItem:
        """With our word for its service and, of a status that only this server uses, what the profile says."""
        found = reading.request(row, self.profile.time_zone)
        code, word = found.service_code, reading.text(row.get("status")) or ""
        return msgspec.structs.replace(
            found,
            status=self.profile.status(word),
            raw_status=word,
            service_code=self.profile.our_code(code) if code else None,
        )

    def _unwrapped(self, found: Any) -> Any:
        wrapper = self.profile.wrapper
        return found[wrapper] if wrapper and isinstance(found, Mapping) and wrapper in found else found

    def _read(self, address: str, query: list[Pair], read: Callable[[bytes], T]) -> T:
        """Asked up to `tries` times, with a growing pause. Raises Unreached or Declined."""
        limits = self.profile.limits
        pause = limits.pause_seconds
        for remaining in reversed(range(limits.tries)):
            try:
                return self._once(address, query, read)
            except _Failed as failed:
                if not remaining:
                    raise Unreached(failed.reason, answered=failed.answered) from failed
                wait = failed.after if failed.after is not None else pause * random.uniform(0.8, 1.2)  # noqa: S311
                self._sleep(min(wait, _LONGEST_PAUSE))
                pause *= 2
        raise Unreached("it was not asked", answered=False)

    def _once(self, address: str, query: list[Pair], read: Callable[[bytes], T]) -> T:
        try:
            reply = self._wire.get(address, query)
        except Lost as lost:
            raise _Failed(lost.reason, answered=lost.was_sent) from lost
        if reply.status in answers.TURNED_AWAY or reply.status >= 500:
            raise _Failed(answers.said(reply), answered=True, after=reply.retry_after)
        if reply.status not in range(200, 300):
            raise Declined(reply.status, reading.errors(reply.body, reply.status))
        try:
            return read(reply.body)
        except Unreadable as error:
            raise _Failed(str(error), answered=True) from error


class _Failed(Exception):
    """One try."""

    def __init__(self, reason: str, *, answered: bool, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.answered, self.after = reason, answered, after
