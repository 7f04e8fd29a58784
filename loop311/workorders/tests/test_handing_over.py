"""From a request to the department's record: handed over once, followed, taken back, whoever is killed on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loop311.accounts.models import Team
from loop311.catalog.definitions import EvidenceKind
from loop311.kit.clock import now
from loop311.kit.testing import at_once
from loop311.ledger.models import Event
from loop311.ledger.services import append
from loop311.requests import services as requests
from loop311.workorders import services, working
from loop311.workorders.connectors.base import Refused, TryLater, Unknown
from loop311.workorders.models import Mismatch, Order, Outgoing
from loop311.workorders.policies import SETTLING
from loop311.workorders.testing import LINK, Linked, linked, links

pytestmark = pytest.mark.django_db
NEVER_MIND = SETTLING.total_seconds() + 1


def test_a_request_of_the_links_team_is_handed_over_and_acknowledged() -> None:
    here = linked()
    request, order = here.hand_over()
    assert (order.state, order.their_key, order.reference) == ("acknowledged", "100", f"elmville-{request.number}")
    assert here.department.records["100"].reference == f"elmville-{request.number}"
    kinds = Event.objects.filter(subject_type="workorder").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["workorder.opened", "workorder.acknowledged"]


def test_a_request_of_another_team_or_service_is_not() -> None:
    here = linked()
    here.city.file(service_code="sign", answers={})
    here.work()
    assert not Order.objects.exists()


def test_what_follows_is_said_in_order_and_once() -> None:
    here = linked()
    request, _ = here.hand_over()
    by = here.city.system
    requests.start(request, by=by)
    requests.comment(request, text="Mind the dog.", by=by)
    requests.add_evidence(request, requests.Proof(kind=EvidenceKind.PHOTO, reference="p1", note="filled"), by=by)
    here.work()
    here.work()
    record = here.department.records["100"]
    assert record.notes == ["Work has begun.", "Mind the dog.", "Evidence was added here (photo). filled. p1"]
    assert record.status == "Doing"


def test_they_hear_how_many_report_the_same_and_a_flood_of_reports_is_one_word() -> None:
    here = linked()
    leading, order = here.hand_over()
    by = here.city.system
    for _ in range(3):
        requests.join(here.city.file(), leading=leading, by=by)
    here.work()
    notes = here.department.records[order.their_key or "100"].notes
    assert notes == ["4 reports of this problem by now; one work order for all of them."]
    requests.join(here.city.file(), leading=leading, by=by)
    here.work()
    assert notes[-1].startswith("5 reports")


def test_a_comment_that_was_erased_meanwhile_is_not_said() -> None:
    here = linked()
    request, _ = here.hand_over()
    requests.comment(request, text="Call Ana at home.", by=here.city.system)
    here.follow()
    request.comments.update(text="")
    here.work()
    assert here.department.records["100"].notes == []
    assert not Outgoing.objects.filter(ended_at__isnull=True).exists()


def test_what_they_answered_is_erased_with_the_reporters_words() -> None:
    here = linked()
    here.department.next_answers = [Refused(reason="What is 'Ana at 5 Elm'?")]
    request, order = here.hand_over()
    append("request.words_erased", "request", request.pk, {"number": request.number, "state": "received", "version": 1},
           by=here.city.system)  # fmt: skip
    here.follow()
    order.refresh_from_db()
    assert (order.state, order.reason) == ("parked", "(erased)")


# --- Elsewhere ---------------------------------------------------------------------------------------------------------


def two_links() -> Linked:
    """Potholes of the north and of the south crew go to two systems; here both are the same department in memory."""
    here = linked()
    south = {**LINK, "code": "south-streets", "teams": ["south"], "owner": "boss@elmville.example"}
    north = {**LINK, "owner": "boss@elmville.example"}
    services.load(here.city.jurisdiction, links(north, south), by=here.city.system)
    return here


def test_a_reroute_cancels_there_and_creates_elsewhere_under_the_same_number_and_clock() -> None:
    here = two_links()
    request, before = here.hand_over()
    due = request.due_at
    requests.reroute(request, team=Team.objects.get(code="south"), by=here.city.system)
    here.work()
    here.link = type(here.link).objects.get(code="south-streets")
    here.work()
    before.refresh_from_db()
    request.refresh_from_db()
    after = here.order(request)
    assert (before.state, before.holds) == ("cancelled", False)
    assert here.department.records["100"].status == "Deleted"
    assert (after.state, after.reference, after.link.code) == (
        "acknowledged",
        f"elmville-{request.number}.2",
        "south-streets",
    )
    assert request.due_at == due


@pytest.mark.parametrize("how", ["hand_over", "decline", "join", "change_service"])
def test_what_is_not_theirs_any_more_is_cancelled_there(how: str) -> None:
    here = linked()
    request, order = here.hand_over()
    by = here.city.system
    if how == "hand_over":
        requests.hand_over(request, owner="state-roads", by=by)
    elif how == "decline":
        requests.decline(request, outcome="not-ours", by=by)
    elif how == "join":
        requests.join(request, leading=here.city.file(), by=by)
    else:
        requests.change_service(request, service_code="sign", by=by)
    here.work()
    order.refresh_from_db()
    assert (order.state, here.department.records["100"].status) == ("cancelled", "Deleted")


def test_what_was_never_said_is_not_cancelled_there_but_dropped() -> None:
    here = linked()
    request = here.city.file()
    here.follow()
    requests.decline(request, outcome="not-ours", by=here.city.system)
    here.work()
    assert here.department.calls == []
    assert here.order(request).state == "cancelled"


def test_a_request_that_is_open_again_after_it_was_declined_is_a_second_order() -> None:
    here = linked()
    request, _ = here.hand_over()
    requests.decline(request, outcome="not-ours", by=here.city.system)
    here.work()
    requests.dispute(request, by=here.city.system)
    here.work()
    assert here.order(request).reference == f"elmville-{request.number}.2"
    assert [record.status for record in here.department.records.values()] == ["Deleted", "New"]


def test_what_a_person_cancelled_there_is_not_handed_over_again_by_a_word_but_by_a_way_that_leads_back() -> None:
    here = linked()
    request, order = here.hand_over()
    services.cancel_there(order, by=here.city.system)
    here.work()
    requests.comment(request, text="Still the same hole.", by=here.city.system)
    here.work()
    assert [record.status for record in here.department.records.values()] == ["Deleted"]
    assert services.take_up(here.link, by=here.city.system) == 0
    requests.reroute(request, team=Team.objects.get(code="south"), by=here.city.system)
    here.work()
    requests.reroute(request, team=Team.objects.get(code="north"), by=here.city.system)
    here.work()
    assert [record.status for record in here.department.records.values()] == ["Deleted", "New"]


def test_one_handed_over_outside_goes_to_the_link_of_that_owner_and_stays_through_its_end() -> None:
    here = linked(teams=[], outside_owners=["state-roads"])
    request = here.city.file(answers={"danger": "no", "depth": 55})
    here.work()
    order = here.order(request)
    assert order.state == "acknowledged"
    here.department.set("100", "Doing")
    here.beat()
    here.work()
    request.refresh_from_db()
    assert (request.state, request.handed_reference) == ("handed_over", "100")
    assert Event.objects.filter(kind="request.handed_over").count() == 2, "the resident is told their number, once"
    requests.add_evidence(request, requests.Proof(kind=EvidenceKind.PHOTO, reference="p1"), by=here.city.system)
    here.department.set("100", "Finished")
    here.beat()
    here.work()
    request.refresh_from_db()
    order.refresh_from_db()
    assert (request.state, order.holds) == ("done", True)


# --- What goes wrong ---------------------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_looked_up_before_anything_is_said_again() -> None:
    here = linked()
    here.department.next_answers, here.department.carries_out = [Unknown(reason="time-out")], True
    request, order = here.hand_over()
    assert order.state == "unknown"
    here.work(later=NEVER_MIND)
    assert (here.order(request).state, len(here.department.records)) == ("acknowledged", 1)
    assert here.department.calls == [f"create elmville-{request.number}", f"lookup elmville-{request.number}"]


def test_a_filing_that_was_lost_on_its_way_is_said_again_after_the_look_up() -> None:
    here = linked()
    here.department.next_answers = [Unknown(reason="time-out")]
    request, _ = here.hand_over()
    here.work(later=NEVER_MIND)
    assert (here.order(request).state, len(here.department.records)) == ("acknowledged", 1)
    assert [call.split()[0] for call in here.department.calls] == ["create", "lookup", "create"]


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


@pytest.mark.parametrize("accepted", [True, False])
def test_killed_between_their_yes_and_our_note_nothing_is_lost_or_doubled(accepted: bool) -> None:
    here = linked()
    here.department.next_answers, here.department.carries_out = [Killed()], accepted
    request = here.city.file()
    with pytest.raises(Killed):
        here.work()
    assert here.order(request).state == "sending"
    here.work(later=1)
    assert here.order(request).state == "sending", "it may still be on its way"
    here.work(later=NEVER_MIND)
    assert (here.order(request).state, len(here.department.records)) == ("acknowledged", 1)


@pytest.mark.parametrize("accepted", [True, False])
def test_killed_while_a_comment_is_said_it_stands_there_once(accepted: bool) -> None:
    here = linked()
    request, _ = here.hand_over()
    requests.comment(request, text="Mind the dog.", by=here.city.system)
    here.department.next_answers, here.department.carries_out = [Killed()], accepted
    with pytest.raises(Killed):
        here.work()
    here.work(later=NEVER_MIND)
    assert here.department.records["100"].notes == ["Mind the dog."]


def test_a_request_taken_back_while_its_filing_is_in_doubt_is_looked_up_and_cancelled() -> None:
    here = linked()
    here.department.next_answers, here.department.carries_out = [Unknown(reason="time-out")], True
    request, order = here.hand_over()
    requests.decline(request, outcome="not-ours", by=here.city.system)
    here.work(later=NEVER_MIND)
    order.refresh_from_db()
    assert (order.state, here.department.records["100"].status) == ("cancelled", "Deleted")


def test_what_they_turn_away_is_said_again_later_with_growing_pauses() -> None:
    here = linked()
    here.department.next_answers = [TryLater(reason="503"), TryLater(reason="503")]
    request, order = here.hand_over()
    assert (order.state, order.fails, order.reason) == ("unprocessed", 1, "503")
    first = order.next_at - here.at if order.next_at else timedelta()
    assert timedelta(seconds=5) <= first <= timedelta(seconds=10)
    here.work(later=11)
    order.refresh_from_db()
    second = order.next_at - here.at if order.next_at else timedelta()
    assert timedelta(seconds=10) <= second <= timedelta(seconds=20)
    here.work(later=21)
    assert here.order(request).state == "acknowledged"


def test_what_they_refuse_waits_for_a_person_and_has_an_owner() -> None:
    here = linked()
    here.department.next_answers = [Refused(reason="Field `urgent` must be a letter.")]
    _, order = here.hand_over()
    found = Mismatch.objects.get()
    assert (order.state, order.next_at, found.kind, found.owner) == ("parked", None, "parked", here.link.owner)
    services.try_again(order, by=here.city.system, at=here.at)
    here.work()
    order.refresh_from_db()
    found.refresh_from_db()
    assert (order.state, found.how) == ("acknowledged", "try_again")


def test_a_field_they_require_and_nobody_answered_is_held_not_guessed() -> None:
    pothole = {**LINK["services"]["pothole"], "attributes": {"depth": {"theirs": "depth"}}, "required": ["depth"]}
    here = linked(services={"pothole": pothole})
    _, order = here.hand_over()
    assert (order.state, here.department.calls) == ("parked", [])
    assert "require depth" in order.reason


def test_a_connector_that_breaks_leaves_it_in_doubt() -> None:
    here = linked()
    here.department.next_answers, here.department.carries_out = [ValueError("odd")], True
    request, order = here.hand_over()
    assert (order.state, order.reason) == ("unknown", "The connector failed (ValueError).")
    here.work(later=NEVER_MIND)
    assert (here.order(request).state, len(here.department.records)) == ("acknowledged", 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_say_it_once() -> None:
    here = linked()
    for _ in range(5):
        here.city.file()
    here.follow()
    at = now() + timedelta(seconds=1)  # five filings may take longer than a second
    at_once([lambda: working.send(here.link.pk, at=at, make=here.make)] * 4)
    working.send(here.link.pk, at=at, make=here.make)
    assert len(here.department.records) == 5
    assert sorted(here.department.calls) == sorted(set(here.department.calls))
