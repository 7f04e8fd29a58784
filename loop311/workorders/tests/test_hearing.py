"""What happens on their side becomes the request's own verbs, or a mismatch with an owner. Nothing is guessed or counts twice."""

from __future__ import annotations

import pytest

from loop311.catalog.definitions import EvidenceKind
from loop311.ledger.models import Event
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.workorders.connectors.base import Proven, Report
from loop311.workorders.models import Incoming, Mismatch, Order
from loop311.workorders.services import hear, load
from loop311.workorders.testing import LINK, PHOTO, Linked, linked, links

pytestmark = pytest.mark.django_db


def handed() -> tuple[Linked, Request, Order]:
    here = linked()
    return here, *here.hand_over()


def test_work_that_begins_there_begins_here_and_is_not_said_back() -> None:
    here, request, order = handed()
    here.department.set("100", "doing ")
    here.beat()
    here.work()
    request.refresh_from_db()
    order.refresh_from_db()
    assert (request.state, order.their_status) == ("in_progress", "doing ")
    assert here.department.calls == [f"create elmville-{request.number}"]
    started = Event.objects.get(kind="request.started")
    assert (started.actor_kind, started.actor_ref) == ("application", -here.link.pk)


def test_their_words_become_an_internal_comment_once() -> None:
    here, request, _ = handed()
    here.department.set("100", words="Crew is on site.")
    here.beat()
    here.beat()
    said = request.comments.get()
    assert (said.text, said.is_public) == ("Streets work orders: Crew is on site.", False)
    assert Incoming.objects.count() == 1


def test_closed_there_with_evidence_is_done_here() -> None:
    here, request, _ = handed()
    here.department.set("100", "Finished", evidence=[PHOTO])
    here.beat()
    request.refresh_from_db()
    assert (request.state, request.outcome) == ("done", "filled")
    assert not Mismatch.objects.exists()


def test_closed_there_without_evidence_is_not_done_and_they_are_asked_for_it_once() -> None:
    here, request, _ = handed()
    here.department.set("100", "Finished")
    here.beat()
    here.department.set("100", "Finished", words="Done, I say.")
    here.beat()
    here.work()
    request.refresh_from_db()
    found = Mismatch.objects.get(mended_at=None)
    assert (request.state, found.kind, found.theirs, found.owner) == (
        "received",
        "unproved",
        "Finished",
        here.link.owner,
    )
    asked = [note for note in here.department.records["100"].notes if "not proved" in note]
    assert len(asked) == 1


def test_evidence_that_comes_after_the_asking_makes_it_done_and_mends_the_mismatch() -> None:
    here, request, _ = handed()
    here.department.set("100", "Finished")
    here.beat()
    here.department.set("100", evidence=[PHOTO])
    here.beat()
    request.refresh_from_db()
    assert (request.state, Mismatch.objects.get().how) == ("done", "agreed")


def test_evidence_added_here_and_done_here_mends_it_too() -> None:
    here, request, _ = handed()
    here.department.set("100", "Finished")
    here.beat()
    requests.add_evidence(request, requests.Proof(kind=EvidenceKind.INSPECTION), by=here.city.system)
    requests.resolve(request, outcome="filled", by=here.city.system)
    here.work()
    assert Mismatch.objects.get().how == "agreed"


def test_where_another_systems_record_is_evidence_their_record_is_it() -> None:
    here, request, _ = handed()
    Request.objects.filter(pk=request.pk).update(completion=[["photo", "record"]], version=9)
    here.department.set("100", "Finished")
    here.beat()
    request.refresh_from_db()
    assert (request.state, request.evidence.get().kind) == ("done", "record")


def test_a_status_nobody_gave_a_meaning_changes_nothing_and_is_shown() -> None:
    here, request, _ = handed()
    here.department.set("100", "On hold (K7)")
    here.beat()
    request.refresh_from_db()
    assert request.state == "received"
    assert Mismatch.objects.values_list("kind", "theirs").get() == ("unknown_status", "On hold (K7)")


def test_a_status_with_a_meaning_that_follows_mends_the_unknown_one() -> None:
    here, _, _ = handed()
    here.department.set("100", "On hold (K7)")
    here.beat()
    here.department.set("100", "Doing")
    here.beat()
    assert Mismatch.objects.get().how == "agreed"


def test_a_meaning_that_is_written_down_later_is_followed_at_once() -> None:
    here, request, _ = handed()
    here.department.set("100", "On hold (K7)")
    here.beat()
    known = {**LINK["statuses"], "On hold (K7)": {"means": "started"}}
    said = {**LINK, "owner": here.link.owner.user.email, "statuses": known}
    load(here.city.jurisdiction, links(said), by=here.city.system)
    request.refresh_from_db()
    assert (request.state, Mismatch.objects.get().how) == ("in_progress", "agreed")


def test_an_older_report_never_overrides_a_newer_one() -> None:
    here, request, order = handed()
    here.department.set("100", "Finished", evidence=[PHOTO])
    here.department.set("100", "Doing", ago=30)
    here.beat()
    late = here.department.set("100", "New", words="typed earlier", ago=60)
    here.beat()
    request.refresh_from_db()
    order.refresh_from_db()
    assert (request.state, order.their_status) == ("done", "Finished")
    assert Incoming.objects.get(report=late.id).became == "older"
    assert request.comments.filter(text__endswith="typed earlier").exists()


def test_waiting_there_stops_the_clock_only_for_a_reason_on_the_list() -> None:
    here, request, _ = handed()
    here.department.set("100", "Rain")
    here.beat()
    request.refresh_from_db()
    assert (request.state, request.waiting_reason) == ("waiting", "rain")
    here.department.set("100", "Doing")
    here.beat()
    request.refresh_from_db()
    assert request.state == "in_progress"


@pytest.mark.parametrize(("status", "kind"), [("Rejected", "declined_there"), ("Deleted", "gone_there")])
def test_that_they_will_not_do_it_is_for_a_person_to_decide(status: str, kind: str) -> None:
    here, request, _ = handed()
    here.department.set("100", status)
    here.beat()
    request.refresh_from_db()
    assert (request.state, Mismatch.objects.get().kind) == ("received", kind)


def test_open_there_and_over_here_is_a_mismatch() -> None:
    here, request, _ = handed()
    here.city.done(request)
    here.work()
    here.department.set("100", "Doing")
    here.beat()
    request.refresh_from_db()
    assert (request.state, Mismatch.objects.get().kind) == ("done", "state_differs")


def test_what_is_no_evidence_here_stays_readable() -> None:
    here, request, _ = handed()
    here.department.set("100", evidence=[Proven(kind="resident_yes", note="she said so"), Proven(kind="hearsay")])
    here.beat()
    assert not request.evidence.exists()
    assert [comment.text for comment in request.comments.order_by("pk")] == ["resident_yes she said so", "hearsay"]


def test_a_report_about_nothing_of_ours_leaves_no_trace() -> None:
    here, _, order = handed()
    assert hear(here.link, Report(id="x", their_key="999", status="Finished", at=here.at), here.at) is None
    double = Report(id="y", their_key="998", reference=order.reference, status="Finished", at=here.at)
    assert hear(here.link, double, here.at) is None
    assert not Incoming.objects.exists()


def test_a_report_that_bears_our_mark_names_their_key() -> None:
    here = linked()
    request = here.city.file()
    here.follow()
    hear(
        here.link,
        Report(id="x", their_key="555", reference=f"elmville-{request.number}", status="New", at=here.at),
        here.at,
    )
    assert here.order(request).their_key == "555"


def test_no_word_of_anybody_stands_in_the_ledger() -> None:
    here, _, _ = handed()
    here.department.set("100", "Xyzzy", words="Xyzzy", evidence=[Proven(kind="photo", note="Xyzzy")])
    here.beat()
    assert not Event.objects.filter(body__icontains="xyzzy").exists()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://x/" + "a" * 3000, "https://x/\n"])
def test_an_address_of_theirs_that_is_none_of_the_web_is_not_kept(url: str) -> None:
    here, _, order = handed()
    kept = order.their_url
    hear(here.link, Report(id="x", their_key="100", status="Doing", at=here.department.tick(), their_url=url), here.at)
    order.refresh_from_db()
    assert order.their_url == kept
