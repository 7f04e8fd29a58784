"""A city kept in memory while its past is played, and then written at once: the small writes that every verb is made of."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db import connection

from loop311.accounts.models import Team
from loop311.catalog import services as catalogue
from loop311.catalog.definitions import Priority, Step
from loop311.catalog.models import CatalogueVersion, Service
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction, InteractionLink
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import format_number, reserve_numbers
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Conflict
from loop311.ledger.bulk import NewEvent, append_many
from loop311.promises import policies as promise_policies
from loop311.promises.policies import Pause
from loop311.requests.models import ClockStop, Comment, Evidence, Promise, Request
from loop311.requests.policies import PromiseReason, State, Verb, may_follow
from loop311.requests.services import Proof, Terms
from loop311.requests.services.promising import first_escalation, terms
from loop311.requests.services.storing import History, snapshot, store

_BLOCK = 2000


class Ids:
    """Ids of a table, taken from its sequence in blocks."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._free: list[int] = []

    def take(self) -> int:
        if not self._free:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                    [self._table, _BLOCK],
                )
                self._free = sorted((row[0] for row in cursor.fetchall()), reverse=True)
        return self._free.pop()


@dataclass(slots=True)
class Life:
    """A request with its past. There is one object for each request, and it is as it is now."""

    request: Request
    history: History
    followers: list[Life] = field(default_factory=list)
    """Those that ever followed it, in the order of their ids."""

    def following(self, *states: State) -> list[Life]:
        mine = self.request.pk
        return [f for f in self.followers if f.request.leading_id == mine and f.request.state in states]


class Memory:
    def __init__(self, jurisdiction: Jurisdiction, at: datetime) -> None:
        """`at`: when the catalogue version is in force under which everything is played."""
        self.jurisdiction = jurisdiction
        self.version: CatalogueVersion
        self.version, self.index = catalogue.at(jurisdiction, at)
        self.lives: dict[int, Life] = {}
        self._events: list[NewEvent] = []
        self._contacts: list[Interaction] = []
        self._links: list[InteractionLink] = []
        self._numbers: dict[int, tuple[int, int]] = {}
        self._order = 0
        self._ids: dict[str, Ids] = {}

    @cached_property
    def services(self) -> dict[str, Service]:
        return {service.code: service for service in Service.objects.filter(jurisdiction=self.jurisdiction)}

    @cached_property
    def teams(self) -> dict[str, int]:
        return dict(Team.objects.filter(jurisdiction=self.jurisdiction).values_list("code", "pk"))

    def save(self) -> None:
        """Everything into the database; the memory is empty then."""
        by = system(self.jurisdiction.pk)
        interactions.store(self._contacts, self._links, by=by)
        store([life.history for life in self.lives.values()], by=by)
        append_many(self.jurisdiction.pk, self._events, by)
        for year, (_, used) in self._numbers.items():
            reserve_numbers(self.jurisdiction.pk, "request", year, used - 1)
        self.lives, self._events, self._contacts, self._links = {}, [], [], []

    def filed(self, count: int) -> None:
        """Nothing is in the database yet."""

    # --- Small writes --------------------------------------------------------------------------------------------------

    def take_id(self, table: str) -> int:
        return self._ids.setdefault(table, Ids(table)).take()

    def next_number(self, at: datetime) -> str:
        """Counted here; the series is moved on when all is saved."""
        year = at.astimezone(self.jurisdiction.zone).year
        first, used = self._numbers.get(year) or (reserve_numbers(self.jurisdiction.pk, "request", year, 1), 0)
        self._numbers[year] = (first, used + 1)
        return format_number(year, first + used)

    def terms(self, service_code: str) -> Terms:
        return terms(self.jurisdiction, self.version.pk, service_code)

    def event(
        self, kind: str, subject_type: str, subject_id: int, body: Mapping[str, object], by: Actor, at: datetime
    ) -> None:
        self._events.append(NewEvent(kind, subject_type, subject_id, body, at, by))

    def contact(self, row: Interaction) -> None:
        self._contacts.append(row)

    def link_row(self, row: InteractionLink) -> None:
        self._links.append(row)

    def life(self, request: Request, verb: Verb) -> Life:
        """Raises Conflict when the verb is not possible now."""
        life = self.lives[request.pk]
        if not may_follow(verb, State(life.request.state)):
            raise Conflict(f"Request {request.number} does not allow: {verb}.")
        return life

    def begin(self, request: Request) -> Life:
        """A request that has just been filed; numbered by its object as it is now."""
        life = Life(request, History(copy.copy(request), request.pk))
        self.lives[request.pk] = life
        return life

    def write(self, life: Life, kind: str, body: Mapping[str, object], *, by: Actor, at: datetime) -> None:
        """The next version, and its event."""
        request = life.request
        request.updated_at = at
        self.keep_version(life)
        carried = {"number": request.number, "state": request.state, "version": request.version}
        self.event(kind, "request", request.pk, {**carried, **body}, by, at)

    def keep_version(self, life: Life) -> None:
        """Of several versions in one state the last is enough: what the database judges is the change of state."""
        life.request.version += 1
        self._order += 1
        lived, now = life.history.lived, snapshot(life.request)
        if lived and lived[-1][1][0] == now[0]:
            lived.pop()
        lived.append((self._order, now))

    def evidence(self, life: Life, proof: Proof, *, by: Actor, at: datetime) -> None:
        row = Evidence(
            pk=self.take_id("requests_evidence"),
            jurisdiction_id=self.jurisdiction.pk,
            request_id=life.request.pk,
            kind=proof.kind,
            at=at,
            actor_kind=by.kind.value,
            actor_ref=by.ref,
            latitude=proof.latitude,
            longitude=proof.longitude,
            reference=proof.reference,
            digest=proof.digest,
            note=proof.note,
        )
        life.history.evidence.append(row)
        body = {"evidence": row.pk, "kind": proof.kind, "digest": proof.digest.hex() if proof.digest else None}
        self.write(life, "request.evidence_added", body, by=by, at=at)

    def words(self, life: Life, text: str, *, by: Actor, at: datetime) -> int:
        row = Comment(
            pk=self.take_id("requests_comment"),
            jurisdiction_id=self.jurisdiction.pk,
            request_id=life.request.pk,
            at=at,
            actor_kind=by.kind.value,
            actor_ref=by.ref,
            text=text,
        )
        life.history.comments.append(row)
        return row.pk

    def promise(self, life: Life, step: Step, due_at: datetime, reason: PromiseReason, *, at: datetime) -> Promise:
        policy = self.terms(life.request.service.code).policy
        row = Promise(
            pk=self.take_id("requests_promise"),
            jurisdiction_id=self.jurisdiction.pk,
            request_id=life.request.pk,
            step=step,
            sequence=1 + sum(p.step == step for p in life.history.promises),
            due_at=due_at,
            made_at=at,
            reason=reason,
            catalogue_version_id=self.version.pk,
            policy=policy.code if policy else "",
        )
        life.history.promises.append(row)
        return row

    def stop_clock(self, life: Life, reason: str, *, at: datetime, ends_by: datetime | None) -> None:
        stop = ClockStop(
            jurisdiction_id=self.jurisdiction.pk,
            request_id=life.request.pk,
            reason=reason,
            started_at=at,
            ends_by=ends_by,
        )
        life.history.stops.append(stop)

    def run_clock(self, life: Life, *, by: Actor, at: datetime) -> None:
        """End a stop of the clock, if there is one, and promise anew if the date moves."""
        request = life.request
        request.waiting_reason = ""
        standing = [stop for stop in life.history.stops if stop.ended_at is None]
        for stop in standing:
            stop.ended_at = at
        policy = self.terms(request.service.code).policy
        if not standing or policy is None or request.due_at is None:
            return
        due_at = self.due_after_stops(life, request.service.code, at)
        moved = due_at > request.due_at
        if moved:
            self.promise(life, Step.RESOLUTION, due_at, PromiseReason.RESUMED, at=at)
            request.due_at = due_at
        request.escalate_at = first_escalation(policy, request.due_at)
        if moved:
            body = {"step": Step.RESOLUTION, "due_at": due_at.isoformat(), "reason": PromiseReason.RESUMED}
            self.write(life, "request.promise_changed", body, by=by, at=at)

    def due_after_stops(self, life: Life, service_code: str, at: datetime) -> datetime:
        under = self.terms(service_code)
        assert under.policy is not None  # noqa: S101 - every service of the starter has one
        pauses = [Pause(stop.started_at, stop.ended_at, stop.reason) for stop in life.history.stops]
        priority, received_at = Priority(life.request.priority), life.request.received_at
        return promise_policies.after_pauses(under.policy, priority, received_at, pauses, under.clocks, at)
