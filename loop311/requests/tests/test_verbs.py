from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loop311.accounts.models import Team
from loop311.catalog.definitions import EvidenceKind
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.ledger.models import Event
from loop311.requests import services
from loop311.requests.models import Comment, Escalated, Promise, Request
from loop311.requests.policies import KEPT_SOMEWHERE, State
from loop311.requests.services import Proof
from loop311.requests.services.handing import reference_digest
from loop311.requests.testing import MONDAY, City, make_city

PHOTO = Proof(kind=EvidenceKind.PHOTO, reference="p1")


def kinds(request: Request) -> list[str]:
    events = Event.objects.filter(subject_type="request", subject_id=request.pk).order_by("sequence")
    return [kind.removeprefix("request.") for kind in events.values_list("kind", flat=True)]


def test_a_request_travels_the_whole_loop(city: City) -> None:
    request = city.done(services.assign(city.file(), assignee=city.crew, by=city.system))
    assert (request.state, request.outcome) == ("done", "filled")
    request = services.confirm(request, by=city.concierge)
    assert request.state == "closed"
    assert kinds(request) == [
        "filed", "assigned", "assigned", "started", "evidence_added", "done", "evidence_added", "confirmed", "closed",
    ]  # fmt: skip


def test_no_end_without_the_services_evidence(city: City) -> None:
    request = services.start(city.file(), by=city.system)
    with pytest.raises(Conflict, match="photo or inspection"):
        services.resolve(request, outcome="filled", by=city.system)
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS


def test_an_outcome_that_is_information_is_proved_by_the_statement(city: City) -> None:
    request = services.resolve(city.file(), outcome="told", note="Explained the rule.", by=city.system)
    assert request.state == "done"
    assert request.evidence.get().kind == "statement"


def test_only_the_services_own_outcomes_end_it(city: City) -> None:
    request = services.add_evidence(city.file(), PHOTO, by=city.system)
    with pytest.raises(Invalid, match="possible are: filled, told"):
        services.resolve(request, outcome="not-ours", by=city.system)


def test_a_no_reopens_with_the_original_clock_and_old_proof_proves_nothing(city: City) -> None:
    request = city.file()
    due = request.due_at
    request = services.dispute(
        city.done(request), text="Still there!", by=city.concierge, at=MONDAY + timedelta(days=1)
    )
    assert (request.state, request.reopened_count, request.due_at) == ("received", 1, due)
    assert Comment.objects.get().text == "Still there!"
    with pytest.raises(Conflict, match="without proof"):
        services.resolve(request, outcome="filled", by=city.system)


def test_after_the_window_it_closes_and_a_no_comes_too_late(city: City) -> None:
    request = city.done(city.file())
    assert services.sweep(MONDAY + timedelta(days=5))["closed"] == 0
    assert services.sweep(MONDAY + timedelta(days=8))["closed"] == 1
    request.refresh_from_db()
    assert request.state == "closed"
    with pytest.raises(Conflict):
        services.dispute(request, by=city.concierge)


def test_a_declined_request_can_be_objected_to(city: City) -> None:
    request = services.decline(city.file(), outcome="not-ours", by=city.system, at=MONDAY)
    assert request.ended_at == MONDAY
    request = services.dispute(request, by=city.concierge, at=MONDAY + timedelta(days=2))
    assert (request.state, request.ended_at, request.outcome) == ("received", None, "")


def test_waiting_stops_the_clock_and_resuming_makes_a_new_promise(city: City) -> None:
    request = city.file()
    first = request.due_at
    request = services.wait(request, reason="rain", by=city.system, at=MONDAY + timedelta(hours=1))
    request = services.resume(request, by=city.system, at=MONDAY + timedelta(days=3))
    assert request.due_at is not None
    assert first is not None
    assert request.due_at > first
    promises = list(Promise.objects.filter(step="resolution").order_by("sequence"))
    assert [p.reason for p in promises] == ["filed", "resumed"]
    assert promises[0].due_at == first


def test_the_clock_stops_only_for_a_reason_on_the_closed_list(city: City) -> None:
    with pytest.raises(Invalid, match="rain"):
        services.wait(city.file(), reason="holiday", by=city.system)


def test_a_stopped_clock_runs_again_by_itself_after_its_longest_time(city: City) -> None:
    request = services.wait(city.file(), reason="rain", by=city.system, at=MONDAY)
    assert services.sweep(MONDAY + timedelta(days=11))["resumed"] == 1
    request.refresh_from_db()
    assert request.state == "in_progress"


def test_a_hand_over_keeps_number_and_clock(city: City) -> None:
    before = city.file()
    after = services.hand_over(before, owner="state-roads", reference="TX-9", by=city.system)
    assert (after.number, after.due_at, after.received_at) == (before.number, before.due_at, before.received_at)
    assert after.team_id == before.team_id


def test_changing_the_service_keeps_number_history_and_first_promise(city: City) -> None:
    before = city.file()
    after = services.change_service(before, service_code="sign", by=city.system, at=MONDAY + timedelta(days=1))
    assert (after.number, after.service.code, after.team.code) == (before.number, "sign", "signs")
    assert after.due_at == datetime(2026, 4, 1, 14, 0, tzinfo=UTC)  # thirty days from the filing; daylight saving came
    first = Promise.objects.get(request=after, step="resolution", sequence=1)
    assert first.due_at == before.due_at
    assert "danger: no" in Comment.objects.get().text


def test_changing_the_service_obeys_a_routing_rule_that_hands_over(city: City) -> None:
    before = services.change_service(city.file(), service_code="sign", by=city.system)
    deep = {"danger": "no", "depth": 55}
    after = services.change_service(before, service_code="pothole", answers=deep, by=city.system)
    assert (after.state, after.handed_to, after.team.code) == ("handed_over", "state-roads", "north")
    assert (after.number, after.received_at) == (before.number, before.received_at)
    assert kinds(after)[-2:] == ["service_changed", "handed_over"]


def test_the_outside_owners_number_stays_when_a_change_of_service_finds_the_same_owner(city: City) -> None:
    handed = services.hand_over(city.file(), owner="state-roads", reference="TX-9", by=city.system)
    deep = {"danger": "no", "depth": 55}
    again = services.change_service(handed, service_code="pothole", answers=deep, by=city.system)
    assert (again.state, again.handed_reference) == ("handed_over", "TX-9")
    moved = services.change_service(again, service_code="sign", by=city.system)
    assert moved.state == "received"


def test_a_re_route_is_a_persons_decision_so_no_routing_rule_is_asked(city: City) -> None:
    request = services.assign(city.file(answers={"danger": "no", "depth": 55}), by=city.system)
    request = services.reroute(request, team=Team.objects.get(code="signs"), by=city.system)
    assert (request.state, request.team.code) == ("received", "signs")


def test_what_staff_type_as_an_outside_number_stands_in_no_event(city: City) -> None:
    request = services.hand_over(city.file(), owner="state-roads", reference="ask for Mr. Resident", by=city.system)
    body = Event.objects.get(kind="request.handed_over").body
    assert "Resident" not in body
    assert (
        json.loads(body)["digest"] == reference_digest(request) != hashlib.sha256(b"ask for Mr. Resident").hexdigest()
    )


def test_rerouting_makes_another_team_accountable(city: City) -> None:
    request = services.assign(city.file(), assignee=city.crew, by=city.system)
    south = Team.objects.get(code="south")
    request = services.reroute(request, team=south, by=city.system)
    assert (request.team, request.assignee, request.state) == (south, None, "received")


def test_only_a_member_of_the_team_can_be_assigned(city: City) -> None:
    request = services.reroute(city.file(), team=Team.objects.get(code="south"), by=city.system)
    with pytest.raises(Invalid, match="member of the accountable team"):
        services.assign(request, assignee=city.crew, by=city.system)


def test_a_stale_write_is_a_clear_conflict(city: City) -> None:
    request = city.file()
    services.start(request, by=city.system, version=1)
    with pytest.raises(Conflict, match="changed meanwhile") as caught:
        services.assign(request, by=city.system, version=1)
    assert caught.value.extra["version"] == 2


def test_a_closed_request_cannot_be_assigned(city: City) -> None:
    request = services.confirm(city.done(city.file()), by=city.system)
    with pytest.raises(Conflict, match="closed"):
        services.assign(request, by=city.system)


def test_an_auditor_changes_nothing(city: City) -> None:
    with pytest.raises(Forbidden):
        services.start(city.file(), by=city.auditor)


def test_another_citys_request_is_not_found(city: City) -> None:
    with pytest.raises(NotFound):
        services.start(make_city("oakton").file(), by=city.system)


def test_the_resident_cannot_be_made_to_say_yes_by_evidence(city: City) -> None:
    with pytest.raises(Invalid, match="confirming"):
        services.add_evidence(city.file(), Proof(kind=EvidenceKind.RESIDENT_YES), by=city.system)


@pytest.mark.parametrize("kind", sorted(KEPT_SOMEWHERE))
def test_a_photo_that_is_nowhere_proves_nothing(city: City, kind: str) -> None:
    request = city.file()
    with pytest.raises(Invalid, match=f"Say where the {kind} is kept") as refused:
        services.add_evidence(request, Proof(kind=EvidenceKind(kind), reference=" "), by=city.member)
    assert [fault.field for fault in refused.value.fields] == ["reference"]
    services.add_evidence(request, Proof(kind=EvidenceKind(kind), digest=b"\1" * 32), by=city.member)


def test_what_a_person_saw_and_says_is_one_tap(city: City) -> None:
    for kind in (EvidenceKind.INSPECTION, EvidenceKind.STATEMENT):
        services.add_evidence(city.file(), Proof(kind=kind), by=city.member)


def test_the_same_comment_twice_with_one_key_is_one_comment(city: City) -> None:
    request = city.file()
    for _ in range(2):
        services.comment(request, text="Seen", key="c", by=city.member)
    assert Comment.objects.count() == 1


@pytest.mark.parametrize("change", [{"latitude": 1.0, "longitude": 2.0}, {"digest": b"\1" * 32}])
def test_another_proof_under_the_same_key_is_refused(city: City, change: dict[str, Any]) -> None:
    request = city.file()
    first = Proof(kind=EvidenceKind.PHOTO, reference="a.jpg")
    services.add_evidence(request, first, by=city.member, key="k")
    services.add_evidence(request, first, by=city.member, key="k")
    assert request.evidence.count() == 1
    with pytest.raises(Invalid, match="used before") as refused:
        services.add_evidence(request, replace(first, **change), by=city.member, key="k")
    assert [fault.field for fault in refused.value.fields] == ["Idempotency-Key"]


def test_escalation_climbs_each_step_once_and_stops_with_the_clock(city: City) -> None:
    request = city.file()
    assert request.due_at is not None
    due = request.due_at
    assert services.sweep(due - timedelta(hours=5))["escalated"] == 0
    assert services.sweep(due - timedelta(hours=3))["escalated"] == 1
    assert services.sweep(due - timedelta(hours=3))["escalated"] == 0
    assert services.sweep(due + timedelta(minutes=1))["escalated"] == 1
    assert set(Escalated.objects.values_list("level", flat=True)) == {"at_risk", "late"}


def test_a_done_request_does_not_escalate(city: City) -> None:
    city.done(city.file())
    assert services.sweep(MONDAY + timedelta(days=6))["escalated"] == 0


def test_erasing_a_persons_words_leaves_the_record(city: City) -> None:
    from loop311.residents.models import Resident  # noqa: PLC0415 - only this test needs one

    resident = Resident.objects.create(jurisdiction=city.jurisdiction, name="R", language="en", created_at=MONDAY)
    request = city.file(resident=resident, description="secret", latitude=None, longitude=None)
    assert services.erase_words([resident.pk], by=city.system) == 1
    request.refresh_from_db()
    assert (request.description, request.address, request.answers, bytes(request.salt)) == ("", "", {}, b"")
    assert request.number == "26-00000001"
