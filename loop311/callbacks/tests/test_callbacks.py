"""Call-backs: promised, tried, kept, failed, late; and what must never happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, a_member, a_team, actor_of
from loop311.callbacks import services
from loop311.callbacks.models import Attempt, Callback
from loop311.callbacks.policies import CallbackState, Way
from loop311.callbacks.services import Wish
from loop311.callbacks.tasks import mark_late_callbacks
from loop311.callbacks.testing import a_callback
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.kit.testing import at_once
from loop311.ledger import services as ledger
from loop311.ledger.models import Event
from loop311.requests.models import Request
from loop311.requests.testing import make_city
from loop311.residents import services as residents
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def history(callback: Callback) -> list[str]:
    events = Event.objects.filter(subject_type="callback", subject_id=callback.pk).order_by("sequence")
    return [event.kind for event in events]


def test_a_promise_has_a_team_a_number_a_window_and_the_contact_it_was_asked_in() -> None:
    city = a_city()
    owner = a_member(city)
    callback = a_callback(city, owner=owner, reason="wants to hear about the pipe")
    assert callback.state == CallbackState.OPEN
    assert callback.owner == owner
    assert callback.contact_point.address == "+12145550123"
    assert callback.interaction.resident_id == callback.resident_id
    assert "pipe" not in "".join(Event.objects.values_list("body", flat=True))


def test_about_a_request_the_requests_team_is_accountable() -> None:
    city = make_city()
    request = city.file()
    callback = a_callback(city.jurisdiction, request=request, team=None)
    assert callback.team_id == request.team_id


def test_reaching_the_resident_keeps_the_promise() -> None:
    city = a_city()
    callback = a_callback(city)
    services.attempt(callback, outcome="no_answer", by=actor_of(city))
    kept = services.keep(callback, by=actor_of(city))
    assert kept.state == CallbackState.KEPT
    assert history(callback) == ["callback.promised", "callback.attempted", "callback.attempted", "callback.kept"]
    with pytest.raises(Conflict):
        services.attempt(callback, outcome="reached", by=actor_of(city))


def test_one_way_is_not_enough_to_give_up() -> None:
    city = a_city()
    callback = a_callback(city)
    for _ in range(4):
        services.attempt(callback, outcome="no_answer", by=actor_of(city))
    with pytest.raises(Conflict, match="2 different ways"):
        services.fail(callback, by=actor_of(city))
    services.attempt(callback, outcome="message_left", way="email", by=actor_of(city))
    assert services.fail(callback, by=actor_of(city)).state == CallbackState.FAILED


def test_nobody_gives_up_before_the_promised_window() -> None:
    city = a_city()
    callback = a_callback(city, window_start=now() + HOUR, window_end=now() + 2 * HOUR)
    for way in (Way.CALL, Way.EMAIL):
        services.attempt(callback, outcome="no_answer", way=way, by=actor_of(city))
    with pytest.raises(Conflict, match="since the promised window began"):
        services.fail(callback, by=actor_of(city))
    services.attempt(callback, outcome="no_answer", by=actor_of(city), at=now() + HOUR)
    assert services.fail(callback, by=actor_of(city)).state == CallbackState.FAILED


def test_a_failed_call_back_never_closes_a_physical_problem() -> None:
    city = make_city()
    request = city.file()
    before = Request.objects.filter(pk=request.pk).values().get()
    callback = a_callback(city.jurisdiction, request=request, team=None)
    for way in (Way.CALL, Way.EMAIL, Way.LETTER):
        services.attempt(callback, outcome="no_answer", way=way, by=city.system)
    services.fail(callback, by=city.system)
    assert Request.objects.filter(pk=request.pk).values().get() == before
    assert Event.objects.filter(subject_type="request", subject_id=request.pk).count() == 1


def test_one_that_cannot_be_marked_late_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    city = a_city()
    first, second = (a_callback(city, at=now() - 3 * HOUR) for _ in range(2))
    append = ledger.append

    def stumbling(kind: str, subject_type: str, subject_id: int, *args: Any, **kwargs: Any) -> int:
        if subject_id == first.pk:
            raise KeyError("something nobody thought of")
        return append(kind, subject_type, subject_id, *args, **kwargs)

    monkeypatch.setattr(ledger, "append", stumbling)
    monkeypatch.setattr(services, "_AT_ONCE", 1)
    assert services.mark_late() == 1
    assert history(second) == ["callback.promised", "callback.late"]
    first.refresh_from_db()
    assert first.late_at is None


def test_whose_window_has_passed_is_late_and_said_so_once() -> None:
    here, there = a_city(), a_city()
    past = now() - 3 * HOUR
    late = [a_callback(city, at=past) for city in (here, there)]
    on_time = a_callback(here)
    kept = a_callback(here, at=past)
    services.keep(kept, by=system(here.pk))
    assert services.mark_late() == 2
    assert services.mark_late() == 0
    mark_late_callbacks(timestamp=0)
    for callback in late:
        assert history(callback) == ["callback.promised", "callback.late"]
    assert history(on_time) == ["callback.promised"]
    assert "callback.late" not in history(kept)


def test_a_late_one_can_still_be_kept() -> None:
    city = a_city()
    callback = a_callback(city, at=now() - 3 * HOUR)
    services.mark_late()
    assert services.keep(callback, by=system(city.pk)).state == CallbackState.KEPT
    assert '"on_time":false' in Event.objects.get(kind="callback.kept").body


def test_another_team_or_person_takes_it_over() -> None:
    city = a_city()
    callback = a_callback(city, owner=a_member(city))
    moved = services.reassign(callback, team=a_team(city, "parks"), by=actor_of(city))
    assert (moved.team.code, moved.owner) == ("parks", None)
    member = a_member(city)
    assert services.reassign(callback, owner=member, by=actor_of(city)).owner == member
    with pytest.raises(Invalid):
        services.reassign(callback, by=actor_of(city))


def test_a_stale_change_is_told() -> None:
    city = a_city()
    callback = a_callback(city)
    services.attempt(callback, outcome="no_answer", version=1, by=actor_of(city))
    with pytest.raises(Conflict) as caught:
        services.cancel(callback, reason="not_needed", version=1, by=actor_of(city))
    assert caught.value.extra == {"version": 2}


def test_it_is_cancelled_only_for_a_reason_on_the_list() -> None:
    city = a_city()
    callback = a_callback(city)
    with pytest.raises(Invalid):
        services.cancel(callback, reason="no time", by=actor_of(city))
    assert services.cancel(callback, reason="not_needed", by=actor_of(city)).state == CallbackState.CANCELLED


def test_what_cannot_be_promised_is_told_field_by_field() -> None:
    city = a_city()
    by, at = system(city.pk), now()
    team, resident, unreachable = a_team(city), a_resident(city, mobile="2145550123"), a_resident(city)
    wishes = [
        ("window_end", resident, Wish(window_start=at, window_end=at - HOUR, team=team)),
        ("team", resident, Wish(window_start=at, window_end=at + HOUR)),
        ("contact_point", unreachable, Wish(window_start=at, window_end=at + HOUR, team=team)),
        ("contact_point", resident, Wish(window_start=at, window_end=at + HOUR, team=team, contact_point_id=999_999)),
        ("contact_point", resident, Wish(window_start=at, window_end=at + HOUR, team=team, way=Way.EMAIL)),
    ]
    for field, person, wish in wishes:
        with pytest.raises(Invalid) as caught:
            services.promise(person, wish, by=by)
        assert [f.field for f in caught.value.fields] == [field]
    assert not Callback.objects.exists()


def test_a_letter_needs_no_number() -> None:
    city = a_city()
    assert a_callback(city, resident=a_resident(city), way=Way.LETTER).contact_point is None


def test_nothing_crosses_to_another_city() -> None:
    here, there = a_city(), a_city()
    by = actor_of(here)
    theirs, resident, team = a_callback(there), a_resident(here, mobile="2145550123"), a_team(here)
    window: dict[str, Any] = {"window_start": now(), "window_end": now() + HOUR}
    attempts: list[Callable[[], object]] = [
        lambda: services.get(theirs.pk, by=by),
        lambda: services.keep(theirs, by=by),
        lambda: services.cancel(theirs, reason="not_needed", by=by),
        lambda: services.promise(theirs.resident, Wish(**window, team=team), by=by),
        lambda: services.promise(resident, Wish(**window, team=theirs.team), by=by),
        lambda: services.promise(resident, Wish(**window, team=team, owner=a_member(there)), by=by),
        lambda: services.promise(resident, Wish(**window, team=team, interaction=theirs.interaction), by=by),
        lambda: services.reassign(a_callback(here), team=theirs.team, by=by),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_an_auditor_promises_nothing() -> None:
    city = a_city()
    with pytest.raises(Forbidden):
        services.keep(a_callback(city), by=actor_of(city, Role.AUDITOR))


def test_erasing_the_resident_erases_what_it_was_about() -> None:
    city = a_city()
    callback = a_callback(city, reason="her pipe")
    residents.erase(callback.resident, by=system(city.pk))
    services.forget_resident(Event.objects.get(kind="resident.erased").pk)
    callback.refresh_from_db()
    assert callback.reason == ""


def test_the_database_itself_holds_what_was_promised() -> None:
    city = a_city()
    callback = a_callback(city)
    services.attempt(callback, outcome="no_answer", by=system(city.pk))
    row = Callback.objects.filter(pk=callback.pk)
    ended: dict[str, Any] = {"version": F("version") + 1, "ended_at": now()}
    for wrong in (
        {"state": "failed", **ended},
        {"state": "kept", **ended},
        {"state": "open", **ended},
        {"state": "gone", **ended},
        {"state": "cancelled", **ended},
        {"window_end": now() + 9 * HOUR, "version": F("version") + 1},
        {"reason": "same version"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.update(**wrong)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Attempt.objects.update(outcome="reached")


@pytest.mark.django_db(transaction=True)
def test_two_who_end_it_at_once_end_it_once() -> None:
    city = a_city()
    callback = a_callback(city)
    by = system(city.pk)
    results = at_once(
        [lambda: services.keep(callback, by=by), lambda: services.cancel(callback, reason="mistake", by=by)]
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert len([kind for kind in history(callback) if kind in ("callback.kept", "callback.cancelled")]) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_marking_at_once_say_it_once() -> None:
    city = a_city()
    callbacks = [a_callback(city, at=now() - 3 * HOUR) for _ in range(5)]
    results = at_once([services.mark_late, services.mark_late])
    assert sum(r for r in results if isinstance(r, int)) == 5
    assert all(history(c) == ["callback.promised", "callback.late"] for c in callbacks)
