"""Many events at once are the same events as one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.kit.problems import Conflict
from loop311.ledger import bulk, services
from loop311.ledger.bulk import NewEvent, append_composed, append_many, compose, reserve_ids
from loop311.ledger.models import Event, Head
from loop311.ledger.policies import GENESIS, Fact, event_hash, iso

pytestmark = pytest.mark.django_db
AT = datetime(2011, 7, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def city() -> Jurisdiction:
    return create("elm", name="Elm", time_zone="America/Chicago", languages=["en"])


@pytest.fixture
def unwired() -> Iterator[None]:
    wired = dict(services._handlers)
    services.wire({})
    yield
    services._handlers.update(wired)


def _facts(subjects: int, each: int) -> Iterator[NewEvent]:
    for turn in range(each):
        for subject in range(1, subjects + 1):
            yield NewEvent("thing.seen", "thing", subject, {"turn": turn}, AT)


def _assert_every_chain_holds() -> None:
    ends: dict[tuple[str, int], tuple[int, bytes]] = {}
    for e in Event.objects.order_by("subject_type", "subject_id", "sequence"):
        sequence, previous = ends.get((e.subject_type, e.subject_id), (0, GENESIS))
        fact = Fact(
            e.pk, e.jurisdiction_id, e.subject_type, e.subject_id, sequence + 1, e.kind, iso(e.at),
            e.actor_kind, e.actor_ref, e.body, iso(e.recorded_at),
        )  # fmt: skip
        assert bytes(e.hash) == event_hash(previous, fact)
        ends[e.subject_type, e.subject_id] = (sequence + 1, bytes(e.hash))
    assert {(h.subject_type, h.subject_id): (h.sequence, bytes(h.hash)) for h in Head.objects.all()} == ends


def test_many_events_of_new_and_known_subjects_make_whole_chains(
    city: Jurisdiction, unwired: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 7)
    by = system(city.pk)
    services.append("thing.found", "thing", 3, {}, by=by, first=True)
    assert append_many(city.pk, _facts(subjects=10, each=3), by) == 30
    services.append("thing.lost", "thing", 3, {}, by=by)
    assert append_many(city.pk, _facts(subjects=12, each=1), by) == 12
    _assert_every_chain_holds()
    assert Event.objects.filter(subject_id=3).count() == 6


def test_each_event_keeps_when_it_happened_and_when_it_was_written(city: Jurisdiction, unwired: None) -> None:
    append_many(city.pk, _facts(1, 1), system(city.pk))
    event = Event.objects.get()
    assert event.at == AT
    assert event.recorded_at > AT


def test_events_composed_beforehand_are_the_same_and_soon_too_old(
    city: Jurisdiction, unwired: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = system(city.pk)
    awkward = NewEvent("thing.\\seen", "thing\t", 9, {"what": 'tab\t "quoted" back\\slash \n', "due": None}, AT)
    composed = compose([*_facts(5, 1), awkward], reserve_ids(6), by)
    append_composed(composed)
    _assert_every_chain_holds()
    assert json.loads(Event.objects.get(subject_id=9).body) == awkward.body
    later = compose([*_facts(5, 1)], reserve_ids(5), by)
    monkeypatch.setattr(bulk, "now", lambda: later.recorded_at + bulk.LATEST + timedelta(seconds=1))
    with pytest.raises(Conflict, match="too long"):
        append_composed(later)


def test_wired_kinds_get_their_jobs_in_bulk_too(city: Jurisdiction, unwired: None) -> None:
    services.wire({"thing.seen": (print,)})
    append_many(city.pk, _facts(2, 1), system(city.pk))
    jobs = ProcrastinateJob.objects.filter(task_name="ledger.deliver")
    assert sorted(job.args["event_id"] for job in jobs) == sorted(Event.objects.values_list("pk", flat=True))


def test_nobody_writes_into_another_citys_ledger(city: Jurisdiction) -> None:
    with pytest.raises(ValueError, match="own city"):
        append_many(city.pk + 1, _facts(1, 1), system(city.pk))
