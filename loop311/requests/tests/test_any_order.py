"""Verbs in any order, by anybody: whatever happens, the invariants of a request hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loop311.accounts.models import Team
from loop311.catalog.definitions import EvidenceKind, Step
from loop311.kit.problems import Conflict, Invalid
from loop311.ledger.models import Event, Head
from loop311.requests import services
from loop311.requests.models import ClockStop, Evidence, Promise, Request
from loop311.requests.policies import State, missing_evidence, transitions
from loop311.requests.testing import MONDAY, City, make_city
from loop311.residents.models import Resident

Act = Callable[[City, list[Request], Request, timedelta], object]

ACTS: dict[str, Act] = {
    "assign": lambda c, _, r, t: services.assign(r, by=c.system, at=MONDAY + t),
    "start": lambda c, _, r, t: services.start(r, by=c.system, at=MONDAY + t),
    "wait": lambda c, _, r, t: services.wait(r, reason="rain", by=c.system, at=MONDAY + t),
    "resume": lambda c, _, r, t: services.resume(r, by=c.system, at=MONDAY + t),
    "hand over": lambda c, _, r, t: services.hand_over(r, owner="state-roads", by=c.system, at=MONDAY + t),
    "photo": lambda c, _, r, t: services.add_evidence(
        r, services.Proof(kind=EvidenceKind.PHOTO, reference="p1"), by=c.system, at=MONDAY + t
    ),
    "resolve": lambda c, _, r, t: services.resolve(r, outcome="filled", by=c.system, at=MONDAY + t),
    "tell": lambda c, _, r, t: services.resolve(r, outcome="told", by=c.system, at=MONDAY + t),
    "decline": lambda c, _, r, t: services.decline(r, outcome="not-ours", by=c.system, at=MONDAY + t),
    "confirm": lambda c, _, r, t: services.confirm(r, by=c.system, at=MONDAY + t),
    "dispute": lambda c, _, r, t: services.dispute(r, text="no", by=c.system, at=MONDAY + t),
    "join": lambda c, all_, r, t: services.join(r, leading=all_[r.pk % len(all_)], by=c.system, at=MONDAY + t),
    "separate": lambda c, _, r, t: services.separate(r, by=c.system, at=MONDAY + t),
    "reroute": lambda c, _, r, t: services.reroute(
        r, team=Team.objects.get(jurisdiction=c.jurisdiction, code="south"), by=c.system, at=MONDAY + t
    ),
    "change service": lambda c, _, r, t: services.change_service(
        r, service_code="sign" if r.service.code == "pothole" else "pothole", answers={}, by=c.system, at=MONDAY + t
    ),
    "a week passes": lambda _c, _a, _r, t: services.sweep(MONDAY + t + timedelta(days=8)),
}

STEPS = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 3)), max_size=40)


@pytest.mark.slow
@given(steps=STEPS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_invariants_hold_after_any_verbs(db: None, steps: list[tuple[str, int]]) -> None:
    city = make_city(f"any-{Request.objects.count()}-{Event.objects.count()}")
    requests = [city.file(resident=_resident(city)) for _ in range(3)] + [city.file()]
    first_promises = {r.pk: r.due_at for r in requests}
    for number, (name, which) in enumerate(steps):
        _try(ACTS[name], city, requests, which, timedelta(hours=number + 1))
    for before in requests:
        after = Request.objects.select_related("jurisdiction", "service").get(pk=before.pk)
        assert (after.number, after.received_at, after.interaction_id) == (
            before.number,
            before.received_at,
            before.interaction_id,
        )
        _check_promises(after, first_promises[after.pk])
        _check_end(after)
        _check_family(after)
        _check_chain(after)


def _resident(city: City) -> Resident:
    return Resident.objects.create(jurisdiction=city.jurisdiction, name="R", language="en", created_at=MONDAY)


def _try(act: Act, city: City, requests: list[Request], which: int, at: timedelta) -> None:
    request = Request.objects.select_related("jurisdiction", "service").get(pk=requests[which].pk)
    before = (request.state, request.version)
    try:
        act(city, requests, request, at)
    except (Conflict, Invalid):
        request.refresh_from_db()
        assert (request.state, request.version) == before


def _check_promises(request: Request, first: object) -> None:
    promises = list(Promise.objects.filter(request=request, step=Step.RESOLUTION).order_by("sequence"))
    assert [p.sequence for p in promises] == list(range(1, len(promises) + 1))
    assert promises[0].due_at == first
    assert promises[-1].due_at == request.due_at
    stopped = ClockStop.objects.filter(request=request, ended_at__isnull=True).exists()
    assert stopped == (request.state == State.WAITING)


def _check_end(request: Request) -> None:
    ended = request.state in (State.CLOSED, State.DECLINED)
    assert ended == (request.ended_at is not None)
    if request.state in (State.DONE, State.CLOSED) and request.leading_id is None:
        shown = Evidence.objects.filter(request=request, pk__gt=request.evidence_after).values_list("kind", flat=True)
        assert missing_evidence(request.completion, shown) == []
        assert request.outcome


def _check_family(request: Request) -> None:
    assert request.joined_count == Request.objects.filter(leading_id=request.pk).count()
    if request.leading is not None:
        assert request.leading.leading_id is None
        assert request.state in (State.JOINED, request.leading.state)
    else:
        assert request.state != State.JOINED


def _check_chain(request: Request) -> None:
    events = list(Event.objects.filter(subject_type="request", subject_id=request.pk).order_by("sequence"))
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert bytes(Head.objects.get(subject_type="request", subject_id=request.pk).hash) == bytes(events[-1].hash)


def test_every_state_is_reached_and_left_by_the_table() -> None:
    befores, afters = {b for b, _ in transitions()}, {a for _, a in transitions()}
    assert afters == set(State)
    assert set(State) - befores == {State.CLOSED}
