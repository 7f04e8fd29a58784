"""Promises of a request: made, followed by the next, never edited; and the escalation that hangs on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Max

from loop311.catalog.definitions import Priority, PromisePolicy, Service, Step
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import index_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.promises import policies as promise_policies
from loop311.promises.clock import Clocks
from loop311.promises.policies import Pause
from loop311.requests.models import ClockStop, Promise, Request
from loop311.requests.policies import PromiseReason


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request was filed under: its service, promise policy and clocks, of one catalogue version."""

    version_id: int
    index: CatalogueIndex
    service: Service
    policy: PromisePolicy | None
    clocks: Clocks

    @property
    def completion(self) -> list[list[str]]:
        rule = self.index.completion_rules[self.service.completion]
        return [[kind.value for kind in group] for group in rule.all_of]


def terms_of(request: Request) -> Terms:
    """The terms of the version the request is under now; cached per version, so no query."""
    service_code = request.service.code
    return terms(request.jurisdiction, request.catalogue_version_id, service_code)


def terms(jurisdiction: Jurisdiction, version_id: int, service_code: str) -> Terms:
    index = index_of(version_id)
    service = index.services[service_code]
    return Terms(version_id, index, service, index.promise_of(service), clocks_of(version_id, jurisdiction.time_zone))


@lru_cache(maxsize=128)
def clocks_of(version_id: int, zone: str) -> Clocks:
    """The compiled calendars of one version in the city's zone; versions are immutable, so they stay in the process."""
    return Clocks(index_of(version_id).calendars.values(), ZoneInfo(zone))


def next_promise(
    request: Request, step: Step, due_at: datetime, reason: PromiseReason, *, at: datetime, note: str = ""
) -> Promise:
    """Add the next promise of a step. The caller saves the request's due date, which the database checks against it."""
    last = request.promises.filter(jurisdiction_id=request.jurisdiction_id, step=step).aggregate(Max("sequence"))
    policy = terms_of(request).policy
    return Promise.objects.create(
        jurisdiction_id=request.jurisdiction_id,
        request=request,
        step=step,
        sequence=(last["sequence__max"] or 0) + 1,
        due_at=due_at,
        made_at=at,
        reason=reason,
        note=note,
        catalogue_version_id=request.catalogue_version_id,
        policy=policy.code if policy else "",
    )


def stop_clock(request: Request, reason: str, *, at: datetime, ends_by: datetime | None) -> None:
    ClockStop.objects.create(
        jurisdiction_id=request.jurisdiction_id, request=request, reason=reason, started_at=at, ends_by=ends_by
    )


def run_clock(request: Request, *, at: datetime) -> Promise | None:
    """End the open stop and promise anew if the date moves; the caller saves `due_at` and `escalate_at`."""
    stops = ClockStop.objects.filter(jurisdiction_id=request.jurisdiction_id, request=request)
    if not stops.filter(ended_at__isnull=True).update(ended_at=at):
        return None
    policy = terms_of(request).policy
    if policy is None or request.due_at is None:
        return None
    due_at = due_after_stops(request, terms_of(request), at=at)
    promise = None
    if due_at > request.due_at:
        promise = next_promise(request, Step.RESOLUTION, due_at, PromiseReason.RESUMED, at=at)
        request.due_at = due_at
    request.escalate_at = first_escalation(policy, request.due_at)
    return promise


def due_after_stops(request: Request, under: Terms, *, at: datetime) -> datetime:
    """When the resolution is due by these terms, from the day it was first asked, less the time the clock stood still."""
    assert under.policy is not None  # noqa: S101 - the callers have looked
    return promise_policies.after_pauses(
        under.policy, Priority(request.priority), request.received_at, pauses_of(request), under.clocks, at
    )


def pauses_of(request: Request) -> list[Pause]:
    stops = ClockStop.objects.filter(jurisdiction_id=request.jurisdiction_id, request=request).order_by("started_at")
    return [Pause(stop.started_at, stop.ended_at, stop.reason) for stop in stops]


def first_escalation(policy: PromisePolicy | None, due_at: datetime | None) -> datetime | None:
    """When the lowest step of the ladder is due for this promise."""
    if policy is None or due_at is None:
        return None
    return min((step.at for step in promise_policies.escalation_times(policy, due_at)), default=None)
