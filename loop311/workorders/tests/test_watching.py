"""A link cannot break unseen: a break shows within two minutes, its owner is told, and every night both sides are compared."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loop311.kit.problems import Forbidden, NotFound
from loop311.ledger.models import Event
from loop311.requests import services as requests
from loop311.workorders import services, working
from loop311.workorders.connectors.base import CannotTell, Report
from loop311.workorders.models import Link, Mismatch
from loop311.workorders.policies import AGAIN
from loop311.workorders.queries import counted
from loop311.workorders.testing import Department, linked

pytestmark = pytest.mark.django_db


def test_a_break_shows_within_two_minutes_and_the_owner_is_told_once() -> None:
    here = linked()
    assert here.beat() == "up"
    here.department.is_up = False
    broken_at = here.at
    assert here.beat(later=60) == "shaky"
    assert here.beat(later=AGAIN.total_seconds()) == "down"
    assert here.at - broken_at < timedelta(minutes=2)
    here.beat(later=25)
    assert json.loads(Event.objects.get(kind="link.down").body)["owner"] == here.link.owner_id


def test_silence_shows_on_the_page_and_is_told_although_nothing_beats() -> None:
    here = linked()
    here.beat()
    later = here.at + timedelta(seconds=91)
    assert counted(here.city.jurisdiction.pk, later)[0].state == "down"
    assert services.mark_silent(later) == 1
    assert services.mark_silent(later) == 0
    assert Event.objects.filter(kind="link.down").count() == 1


def test_while_they_are_down_nothing_is_said_and_all_of_it_when_they_are_back() -> None:
    here = linked()
    here.beat()
    here.department.is_up = False
    requests_ = [here.city.file() for _ in range(4)]
    here.work()
    assert len(here.department.calls) == working.GIVES_UP, "the rest was not tried"
    here.beat(later=60)
    here.beat(later=35)
    here.work(later=600)
    assert len(here.department.calls) == working.GIVES_UP
    here.department.is_up = True
    assert here.beat(later=1) == "up"
    here.work()
    assert {here.order(request).state for request in requests_} == {"acknowledged"}
    assert len(here.department.records) == 4


def test_a_link_that_answers_and_cannot_tell_what_happened_is_not_up() -> None:
    class Mute(Department):
        def poll(self, since: object) -> list[object]:  # type: ignore[override]
            raise CannotTell("Half a list.")

    here = linked()
    here.department = Mute()
    here.beat()
    here.link.refresh_from_db()
    assert (here.link.state, here.link.said) == ("untested", "Half a list.")


@pytest.mark.parametrize("hours", [-9, 9])
def test_a_clock_of_theirs_that_goes_wrong_loses_nothing(hours: int) -> None:
    here = linked()
    request, _ = here.hand_over()
    here.department.at += timedelta(hours=hours)
    here.department.set("100", "Doing")
    here.beat()
    here.department.set("100", words="Still at it.")
    here.beat()
    request.refresh_from_db()
    assert (request.state, request.comments.count()) == ("in_progress", 1)


def test_a_report_that_cannot_be_taken_holds_up_no_other_and_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = linked()
    first, _ = here.hand_over()
    second, _ = here.hand_over()
    odd = here.department.set("100", words="odd")
    here.department.set("101", words="fine")
    hear = services.hear

    def breaks(link: Link, report: Report, at: datetime) -> str | None:
        if report.id == odd.id:
            raise ValueError("a mistake of ours")
        return hear(link, report, at)

    monkeypatch.setattr(services, "hear", breaks)
    here.beat()
    assert (first.comments.count(), second.comments.count()) == (0, 1)
    monkeypatch.undo()
    here.department.tick(3600)
    here.department.set("101", words="an hour later")
    here.beat()
    assert (first.comments.count(), second.comments.count()) == (1, 2)


def test_what_was_heard_already_is_not_looked_at_again() -> None:
    here = linked()
    here.hand_over()
    here.department.set("100", "Doing")
    here.beat()
    with CaptureQueriesContext(connection) as asked:
        here.beat()
    assert not [query for query in asked.captured_queries if "requests_request" in query["sql"]]


def test_a_secret_that_is_not_there_is_said_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOP311_LINK_TEST", raising=False)
    here = linked()
    here.city.file()
    here.follow()
    assert working.beat(here.link.pk, at=here.at) == "untested"
    here.link.refresh_from_db()
    assert here.link.said == "There is no secret at env:LOOP311_LINK_TEST."
    assert working.send(here.link.pk, at=here.at) == 0


def test_paused_nothing_is_said_and_going_on_says_it() -> None:
    here = linked()
    services.pause(here.link, by=here.city.system)
    request = here.city.file()
    here.work()
    assert here.department.calls == []
    services.go_on(here.link, by=here.city.system)
    here.work()
    assert here.order(request).state == "acknowledged"


def test_only_who_may_mend_pauses() -> None:
    here = linked()
    with pytest.raises(Forbidden):
        services.pause(here.link, by=here.city.concierge)


def test_trying_the_connection_says_what_it_found() -> None:
    here = linked()
    tested, state = working.try_out(here.link, make=here.make)
    assert (tested.ok, tested.words, state) == (True, "They answer.", "up")


# --- Compared ----------------------------------------------------------------------------------------------------------


def test_when_all_agrees_the_comparison_is_empty() -> None:
    here = linked()
    done, _ = here.hand_over()
    here.hand_over()
    here.city.done(done)
    here.work()
    gone, _ = here.hand_over()
    requests.decline(gone, outcome="not-ours", by=here.city.system)
    here.work()
    assert here.reconcile() == services.Compared(pairs=3, open=0, mended=0)
    assert here.reconcile().open == 0


def test_a_change_of_theirs_that_was_never_heard_is_caught_up_with() -> None:
    here = linked()
    request, _ = here.hand_over()
    here.department.set("100", "Doing")
    here.department.reports.clear()
    assert here.reconcile().open == 0
    request.refresh_from_db()
    assert request.state == "in_progress"


def test_a_record_that_is_gone_there_has_an_owner_until_it_is_back() -> None:
    here = linked()
    here.hand_over()
    record = here.department.records.pop("100")
    assert here.reconcile().open == 1
    assert Mismatch.objects.get().kind == "gone_there"
    here.department.records["100"] = record
    assert here.reconcile() == services.Compared(pairs=1, open=0, mended=1)


def test_a_second_record_with_our_mark_is_found() -> None:
    here = linked()
    _, order = here.hand_over()
    first = here.department.records["100"]
    here.department.records["200"] = type(first)("200", first.reference, "New", first.at)
    here.reconcile()
    found = Mismatch.objects.get()
    assert (found.kind, found.their_key, found.ours, found.order) == ("not_here", "200", "100", order)


def test_what_is_not_there_after_hours_is_found() -> None:
    here = linked()
    here.city.file()
    here.follow()
    here.reconcile(later=5 * 3600)
    assert Mismatch.objects.get().kind == "not_there"


def test_over_here_and_open_there_is_found_when_nothing_is_on_its_way() -> None:
    here = linked(states={})
    request, _ = here.hand_over()
    here.city.done(request)
    here.work()
    here.reconcile()
    assert Mismatch.objects.get().kind == "state_differs"


def test_half_a_list_concludes_nothing() -> None:
    here = linked()
    here.hand_over()
    here.department.is_up = False
    with pytest.raises(CannotTell):
        here.reconcile()
    assert not Mismatch.objects.exists()


def test_the_lists_cost_the_same_number_of_queries_whatever_their_length(django_assert_num_queries: object) -> None:
    here = linked()
    here.hand_over()
    with django_assert_num_queries(4):  # type: ignore[operator]
        counted(here.city.jurisdiction.pk, here.at)


def test_a_pair_stays_in_its_city_and_with_its_request() -> None:
    here, there = linked(), linked("oakville", owner="boss@oakville.example")
    _, order = here.hand_over()
    for change in ({"link": there.link}, {"request": there.city.file()}, {"reference": "x"}, {"link_id": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            type(order).objects.filter(pk=order.pk).update(**change)
    with pytest.raises(NotFound):
        services.try_again(order, by=there.city.system)
    with pytest.raises(NotFound):
        services.find_link(here.link.code + "x", by=there.city.system)
