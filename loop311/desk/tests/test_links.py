"""Links at the desk: a break is seen, and every stuck or contradictory pair can be mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.kit.testing import page, same_number_of_queries
from loop311.requests import services as requests
from loop311.workorders import services, working
from loop311.workorders.connectors.base import Refused, Report, Unknown
from loop311.workorders.models import Link, Mismatch, Order
from loop311.workorders.testing import LINK, PHOTO, Linked, linked, links

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Linked:
    """A city with a link whose department is in memory, also for what the pages ask."""
    found = linked()
    monkeypatch.setattr(working, "connector_of", lambda link, **_: found.department)
    return found


@pytest.fixture
def desk(here: Linked) -> Sitting:
    return sit(here.city, Role.DEPARTMENT_MANAGER)


ONE = "/desk/links/streets/"


def post(desk: Sitting, order: Order, name: str, status: int = 302, **data: str) -> str:
    order.refresh_from_db()
    sent = {"version": str(order.version), **data}
    response = desk.client.post(f"{ONE}orders/{order.pk}/{name}/", sent)
    assert response.status_code == status, response.content.decode()[-3000:]
    order.refresh_from_db()
    return response.content.decode()


def test_a_city_without_links_says_how_to_get_one() -> None:
    assert "loop311 workorders load" in page(sit().client, "/desk/links/").text


def test_a_link_shows_its_state_heartbeat_depth_and_owner(here: Linked, desk: Sitting) -> None:
    here.city.file()
    here.follow()
    text = page(desk.client, "/desk/links/").text
    assert "Streets work orders" in text
    assert "not heard of yet" in text
    here.beat()
    assert "works" in page(desk.client, "/desk/links/").text
    assert "boss" in text


def test_a_break_is_on_the_page_although_no_worker_is_there_to_say_so(here: Linked, desk: Sitting) -> None:
    early = here.at - timedelta(minutes=10)
    Link.objects.update(heard_at=early, since=early, state="up")
    for path in ("/desk/links/", ONE):
        text = page(desk.client, path).text.lower()
        assert "silent for 10 minutes" in text
        assert "is not lost" in text


def test_when_all_agrees_there_is_nothing_to_mend(here: Linked, desk: Sitting) -> None:
    here.hand_over()
    assert "Nothing is stuck, and both sides agree." in page(desk.client, ONE).text


def test_the_connection_is_tried(here: Linked, desk: Sitting) -> None:
    assert desk.client.post(f"{ONE}test/", {"from": "list"}).headers["Location"] == "/desk/links/"
    assert "They answer." in page(desk.client, "/desk/links/").text
    here.department.is_up = False
    desk.client.post(f"{ONE}test/")
    assert "They do not answer." in page(desk.client, ONE).text


def test_paused_compared_and_gone_on(here: Linked, desk: Sitting) -> None:
    desk.client.post(f"{ONE}pause/")
    assert "Go on" in page(desk.client, ONE).text
    assert desk.client.post(f"{ONE}pause/").status_code == 409
    desk.client.post(f"{ONE}go-on/")
    desk.client.post(f"{ONE}compare/")
    assert "0 pairs compared; 0 do not agree." in page(desk.client, ONE).text
    assert desk.client.post(f"{ONE}explode/").status_code == 404


# --- Mending -----------------------------------------------------------------------------------------------------------


def stuck(here: Linked, *answers: Any) -> Order:
    here.department.next_answers = list(answers)
    return here.hand_over()[1]


def test_what_was_refused_is_tried_again(here: Linked, desk: Sitting) -> None:
    order = stuck(here, Refused(reason="Urgent must be a letter."))
    text = page(desk.client, ONE).text
    assert "Urgent must be a letter." in text
    assert "waits for a person" in text
    post(desk, order, "try-again")
    here.work()
    order.refresh_from_db()
    assert order.state == "acknowledged"
    assert "Nothing is stuck" in page(desk.client, ONE).text


def test_a_lost_answer_is_looked_up_by_hand(here: Linked, desk: Sitting) -> None:
    here.department.carries_out = True
    order = stuck(here, Unknown(reason="time-out"))
    post(desk, order, "look-up")
    assert (order.state, order.their_key) == ("acknowledged", "100")


def test_looking_up_says_that_they_could_not_be_asked(here: Linked, desk: Sitting) -> None:
    order = stuck(here, Unknown(reason="time-out"))
    here.department.is_up = False
    assert "They could not be asked" in post(desk, order, "look-up", 503)


def test_somebody_answers_for_it_that_they_do_not_have_it(here: Linked, desk: Sitting) -> None:
    order = stuck(here, Unknown(reason="time-out"))
    post(desk, order, "send-anew")
    here.work()
    assert [call.split()[0] for call in here.department.calls] == ["create", "create"]


def test_their_record_is_named_by_hand_and_only_once(here: Linked, desk: Sitting) -> None:
    _, first = here.hand_over()
    order = stuck(here, Unknown(reason="time-out"))
    assert "is the record of" in post(desk, order, "link-key", 422, their_key="100")
    assert "This field is required" in post(desk, order, "link-key", 422, their_key="")
    post(desk, order, "link-key", their_key="777")
    assert (order.state, order.their_key, first.their_key) == ("acknowledged", "777", "100")


def test_an_old_view_of_a_pair_changes_nothing(here: Linked, desk: Sitting) -> None:
    order = stuck(here, Refused(reason="no"))
    assert "changed meanwhile" in post(desk, order, "park", 409, reason="x", version="1")


def test_theirs_is_taken_with_evidence_only(here: Linked, desk: Sitting) -> None:
    request, order = here.hand_over()
    here.department.set("100", "Finished")
    here.beat()
    assert "evidence is missing" in page(desk.client, ONE).text
    assert "cannot be done without proof" in post(desk, order, "take-theirs", 409)
    requests.add_evidence(request, requests.Proof(kind="inspection"), by=here.city.system)  # type: ignore[arg-type]
    post(desk, order, "take-theirs")
    request.refresh_from_db()
    assert (request.state, Mismatch.objects.get().how) == ("done", "take_theirs")


def test_their_no_becomes_ours_by_a_person(here: Linked, desk: Sitting) -> None:
    request, order = here.hand_over()
    here.department.set("100", "Rejected")
    here.beat()
    post(desk, order, "take-theirs")
    request.refresh_from_db()
    assert (request.state, request.outcome) == ("declined", "not-ours")


def test_ours_is_said_again(here: Linked, desk: Sitting) -> None:
    _, order = here.hand_over()
    here.department.set("100", "Rejected")
    here.beat()
    post(desk, order, "take-ours")
    here.work()
    assert here.department.records["100"].status == "New"


def test_it_is_cancelled_there_and_stays_here(here: Linked, desk: Sitting) -> None:
    request, order = here.hand_over()
    here.department.set("100", "Odd")
    here.beat()
    post(desk, order, "cancel-there")
    here.work()
    request.refresh_from_db()
    order.refresh_from_db()
    assert (request.state, order.state, here.department.records["100"].status) == ("received", "cancelled", "Deleted")


def test_it_waits_with_a_reason_and_goes_on(here: Linked, desk: Sitting) -> None:
    _, order = here.hand_over()
    here.department.set("100", "Odd")
    here.beat()
    post(desk, order, "park", reason="They are moving house.")
    assert "They are moving house." in page(desk.client, ONE).text
    assert order.state == "parked"


def test_what_waited_with_nothing_to_be_said_goes_on_too(here: Linked, desk: Sitting) -> None:
    _, order = here.hand_over()
    here.department.set("100", "Odd")
    here.beat()
    post(desk, order, "park", reason="They are moving house.")
    post(desk, order, "try-again")
    assert (order.state, order.reason, order.next_at) == ("acknowledged", "", None)
    assert [each.kind for each in Mismatch.objects.filter(mended_at=None)] == ["unknown_status"]


def test_who_cannot_tell_how_it_stands_does_not_say_that_both_sides_agree(
    here: Linked, desk: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order = here.hand_over()
    here.department.set("100", "Finished")
    here.beat()
    silent = Report(id="sent", their_key="100", at=here.at)
    monkeypatch.setattr(here.department, "lookup", lambda order: silent)
    post(desk, order, "look-up")
    text = page(desk.client, ONE).text
    assert "Both sides agree" not in text
    assert "does not say how it stands" in text


def test_their_no_without_an_outcome_of_ours_says_where_to_choose_one(here: Linked, desk: Sitting) -> None:
    changed = {
        **LINK,
        "owner": here.link.owner.user.email,
        "statuses": {**LINK["statuses"], "Rejected": {"means": "declined"}},
    }
    services.load(here.city.jurisdiction, links(changed), by=here.city.system)
    _, order = here.hand_over()
    here.department.set("100", "Rejected")
    here.beat()
    assert "Decline the request on its own page" in post(desk, order, "take-theirs", 409)


@pytest.mark.parametrize("how", ["cancelled", "removed"])
def test_what_is_gone_there_is_handed_over_anew(here: Linked, desk: Sitting, how: str) -> None:
    request, order = here.hand_over()
    if how == "cancelled":
        here.department.set("100", "Deleted")
        here.beat()
    else:
        here.department.records.pop("100")
        here.reconcile()
    post(desk, order, "hand-over-anew")
    here.work()
    order.refresh_from_db()
    assert (order.state, here.order(request).reference) == ("cancelled", f"elmville-{request.number}.2")
    assert [record.status for record in here.department.records.values()][-1] == "New"
    assert "Nothing is stuck" in page(desk.client, ONE).text
    assert here.reconcile().open == 0


def test_a_system_that_knows_our_numbers_only_is_not_asked_for_another(here: Linked, desk: Sitting) -> None:
    """A file names orders by our mark: under another name nothing of theirs would be found any more."""
    here.hand_over()
    here.department.set("100", "Deleted")
    here.beat()
    assert "Name their record" in page(desk.client, ONE).text
    Link.objects.update(connector="folder")
    assert "Name their record" not in page(desk.client, ONE).text


def test_what_is_missing_to_believe_them_is_named(here: Linked, desk: Sitting) -> None:
    here.hand_over()
    here.department.set("100", "Finished")
    here.beat()
    assert "Missing: photo or inspection." in page(desk.client, ONE).text


def test_a_record_that_leads_nowhere_is_looked_at(here: Linked, desk: Sitting) -> None:
    here.hand_over()
    first = here.department.records["100"]
    here.department.records["300"] = type(first)("300", "elmville-26-09999999", "New", first.at)
    here.reconcile()
    assert "lead nowhere" in page(desk.client, ONE).text
    mismatch = Mismatch.objects.get()
    desk.client.post(f"{ONE}mismatches/{mismatch.pk}/")
    assert "lead nowhere" not in page(desk.client, ONE).text


def test_who_may_only_read_sees_the_pairs_and_no_button(here: Linked) -> None:
    stuck(here, Refused(reason="no"))
    text = page(sit(here.city, Role.AUDITOR, name="reader").client, ONE).text
    assert "waits for a person" in text
    assert "Try again now" not in text


def test_the_pages_cost_the_same_whatever_their_length(here: Linked, desk: Sitting) -> None:
    stuck(here, Refused(reason="no"))

    def more() -> None:
        for _ in range(3):
            stuck(here, Refused(reason="no"))

    same_number_of_queries(lambda: page(desk.client, ONE), more)
    same_number_of_queries(lambda: page(desk.client, "/desk/links/"), lambda: services.mark_silent())


def test_done_there_is_done_here_with_their_photo_and_nothing_is_left_to_mend(here: Linked, desk: Sitting) -> None:
    here.hand_over()
    here.department.set("100", "Finished", evidence=[PHOTO])
    here.beat()
    assert "Nothing is stuck" in page(desk.client, ONE).text


def test_a_request_shows_its_work_order(here: Linked, desk: Sitting) -> None:
    request, _ = here.hand_over()
    text = page(desk.client, f"/desk/requests/{request.number}/").text
    assert "Streets work orders : 100 they have it" in text
