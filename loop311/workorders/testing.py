"""Builders for tests of this room: a city whose pothole crew has a system of its own, and that system, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from loop311.accounts.policies import Role
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.ledger.services import handle, handlers_of
from loop311.requests.models import Request
from loop311.requests.testing import City, employ, make_city
from loop311.workorders import services, working
from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Change,
    Done,
    Outgoing,
    Proven,
    Report,
    Tested,
    TheirState,
    TryLater,
)
from loop311.workorders.mapping import LinksFile
from loop311.workorders.models import Link, Order

LINK: dict[str, Any] = {
    "code": "streets",
    "name": "Streets work orders",
    "connector": "webhook",
    "owner": "boss@elmville.example",
    "settings": {"url": "http://127.0.0.1:9/in", "states_url": "http://127.0.0.1:9/states"},
    "secret": "env:LOOP311_LINK_TEST",
    "call_secret": "env:LOOP311_LINK_TEST",
    "teams": ["north"],
    "services": {
        "pothole": {
            "theirs": "POTH",
            "attributes": {"danger": {"theirs": "urgent", "values": {"yes": "1", "no": "0"}}},
            "required": ["urgent"],
            "outcome": "filled",
        }
    },
    "priorities": {"emergency": "P1", "standard": "P3"},
    "states": {"in_progress": "Doing", "done": "Finished", "closed": "Finished", "received": "New"},
    "statuses": {
        "New": {"means": "nothing"},
        "Doing": {"means": "started"},
        "Rain": {"means": "waiting", "reason": "rain"},
        "Finished": {"means": "done"},
        "Rejected": {"means": "declined", "outcome": "not-ours"},
        "Deleted": {"means": "cancelled"},
    },
}
"""A link for `make_city`; change what a test is about."""


@dataclass
class Record:
    key: str
    reference: str
    status: str
    at: datetime
    notes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


@dataclass
class Department:
    """A department's system that does as it is told, unless told to fail. One for all connectors made to it."""

    at: datetime = field(default_factory=now)
    """Its clock."""
    records: dict[str, Record] = field(default_factory=dict)
    created: int = 0
    reports: list[Report] = field(default_factory=list)
    next_answers: list[Answer | BaseException] = field(default_factory=list)
    """Said instead of the truth, one for each call, after it was carried out where `carries_out`."""
    carries_out: bool = False
    """Whether what is answered falsely was done all the same: an answer that was lost."""
    is_up: bool = True
    repeats_safely: bool = False
    calls: list[str] = field(default_factory=list)

    def tick(self, seconds: float = 1) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at

    # --- As a connector --------------------------------------------------------------------------------------------------

    def create(self, order: Outgoing) -> Answer:
        return self._answer("create", order, lambda: self._create(order))

    def update(self, order: Outgoing, change: Change) -> Answer:
        return self._answer(f"update {change.kind}", order, lambda: self._update(order, change))

    def cancel(self, order: Outgoing, why: str) -> Answer:
        return self._answer("cancel", order, lambda: self._cancel(order))

    def _answer(self, call: str, order: Outgoing, act: Callable[[], Answer]) -> Answer:
        self.calls.append(f"{call} {order.reference}")
        if not self.is_up:
            return TryLater(reason="They do not answer.")
        if not self.next_answers:
            return act()
        if self.carries_out:
            act()
        answer = self.next_answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _create(self, order: Outgoing) -> Answer:
        key = str(100 + self.created)
        self.created += 1
        self.records[key] = Record(key, order.reference, "New", self.tick())
        return Done(their_key=key, their_url=f"https://streets.example/{key}")

    def _update(self, order: Outgoing, change: Change) -> Answer:
        record = self.records[order.their_key]
        if change.id not in record.changes:
            record.changes.append(change.id)
            record.notes.append(change.text)
            record.status = change.status or record.status
            record.at = self.tick()
        return Done(their_key=record.key)

    def _cancel(self, order: Outgoing) -> Answer:
        if order.their_key in self.records:
            self.records[order.their_key].status = "Deleted"
            self.records[order.their_key].at = self.tick()
        return Done(their_key=order.their_key)

    def lookup(self, order: Outgoing) -> Report | None:
        self.calls.append(f"lookup {order.reference}")
        self._must_be_up()
        found = [r for r in self.records.values() if r.reference == order.reference]
        if not found:
            return None
        return Report(
            id=f"look:{found[0].key}:{found[0].status}", their_key=found[0].key, status=found[0].status, at=found[0].at
        )

    def _must_be_up(self) -> None:
        if not self.is_up:
            raise CannotTell("They do not answer.")

    def poll(self, since: datetime) -> Iterable[Report]:
        self._must_be_up()
        return [report for report in self.reports if report.at >= since]

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        return []

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        self._must_be_up()
        return [
            TheirState(their_key=r.key, reference=r.reference, status=r.status, at=r.at) for r in self.records.values()
        ]

    def test(self) -> Tested:
        return Tested(ok=self.is_up, words="They answer." if self.is_up else "They do not answer.")

    # --- What its people do ----------------------------------------------------------------------------------------------

    def set(
        self, key: str, status: str = "", *, words: str = "", evidence: Sequence[Proven] = (), ago: float = 0
    ) -> Report:
        """Somebody there changes a record; `ago` seconds before now by their clock."""
        record = self.records[key]
        at = self.tick() - timedelta(seconds=ago)
        if status and not ago:
            record.status, record.at = status, at
        report = Report(
            id=f"r{len(self.reports)}", their_key=key, status=status, words=words, at=at, evidence=tuple(evidence)
        )
        self.reports.append(report)
        return report


PHOTO = Proven(kind="photo", reference="https://streets.example/photo.jpg")


@dataclass
class Linked:
    """A city, its department, and the link between them."""

    city: City
    department: Department
    link: Link
    at: datetime = field(default_factory=now)

    def make(self, link: Link) -> Department:
        return self.department

    def follow(self) -> None:
        """What the worker does with every event that was not handled yet."""
        follow(self.city)

    def work(self, *, later: float = 1) -> int:
        """Events followed, then everything that is due said, `later` seconds on; in between they are heard of while they are up."""
        self.follow()
        self.at = max(self.at + timedelta(seconds=later), now())  # what a page did meanwhile, by the real clock, is due
        if self.department.is_up:
            services.note_beat(self.link.pk, ok=True, said="They answer.", at=self.at)
        return working.send(self.link.pk, at=self.at, make=self.make)

    def beat(self, *, later: float = 1) -> str:
        self.at += timedelta(seconds=later)
        return working.beat(self.link.pk, at=self.at, make=self.make)

    def reconcile(self, *, later: float = 1) -> services.Compared:
        self.at += timedelta(seconds=later)
        return working.reconcile(self.link.pk, at=self.at, make=self.make)

    def hand_over(self, **changes: object) -> tuple[Request, Order]:
        """A pothole that the department has."""
        request = self.city.file(**changes)  # type: ignore[arg-type]
        self.work()
        return request, self.order(request)

    def order(self, request: Request) -> Order:
        return Order.objects.filter(request=request).latest("pk")


def follow(city: City) -> None:
    """What the worker does with every event of the city, for this room's handler alone."""
    for event in Event.objects.filter(jurisdiction=city.jurisdiction, kind__in=list(services.FOLLOWED)).order_by("pk"):
        for name, handler in handlers_of(event.kind):
            if handler is services.follow:
                handle(event.pk, event.kind, name)


def linked(slug: str = "elmville", **changes: object) -> Linked:
    """A city with one link, as LINK says but for the changes, and somebody who owns it."""
    return link_up(make_city(slug), **changes)


def link_up(city: City, **changes: object) -> Linked:
    """The same for a city that is there already."""
    boss = employ(city.jurisdiction, "boss", Role.DEPARTMENT_MANAGER)
    said = {**LINK, "owner": boss.user.email, **changes}
    services.load(city.jurisdiction, links(said), by=city.system)
    return Linked(city, Department(), Link.objects.get(jurisdiction=city.jurisdiction, code=said["code"]))


def links(*said: Mapping[str, object]) -> LinksFile:
    return msgspec.convert({"links": [dict(each) for each in said]}, LinksFile)
