"""Every verb from its form; a stale form is answered with what has changed and loses nothing."""

from __future__ import annotations

import pytest

from loop311.accounts.policies import Role
from loop311.desk.history import SENTENCES
from loop311.desk.testing import Sitting, sit
from loop311.desk.verbs import ACTS
from loop311.kit.clock import now
from loop311.kit.testing import page
from loop311.requests import services
from loop311.requests.events import EVENTS
from loop311.requests.policies import Verb
from loop311.requests.testing import make_city
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    return sit()


def test_a_request_goes_all_the_way_round(desk: Sitting) -> None:
    request = desk.city.file()
    steps: list[tuple[str, dict[str, object], str]] = [
        ("take", {}, "assigned"),
        ("start", {}, "in_progress"),
        ("comment", {"text": "On my way", "is_public": "on"}, "in_progress"),
        ("wait", {"reason": "rain"}, "waiting"),
        ("resume", {}, "in_progress"),
        ("add-evidence", {"kind": "photo", "reference": "p1.jpg"}, "in_progress"),
        ("resolve", {"outcome": "filled", "note": "cold mix"}, "done"),
        ("dispute", {"text": "Still there"}, "received"),
        ("assign", {"assignee": ""}, "assigned"),
        ("add-evidence", {"kind": "inspection"}, "assigned"),
        ("resolve", {"outcome": "filled"}, "done"),
        ("confirm", {}, "closed"),
    ]
    for name, data, state in steps:
        assert desk.act(request, name, **data) == 302, name
        request.refresh_from_db()
        assert request.state == state, name
        text = page(desk.client, f"/desk/requests/{request.number}/").text
    for sentence in ("Assigned to lead.", "The clock was stopped until the rain has stopped.", "Reopened", "Closed"):
        assert sentence in text
    assert "On my way" in text


def test_the_other_ends_and_moves(desk: Sitting) -> None:
    handed, moved, declined = (desk.city.file() for _ in range(3))
    leading, joined = desk.city.file(), desk.city.file()
    assert desk.act(handed, "hand-over", owner="state-roads", reference="TX-7") == 302
    assert desk.act(moved, "reroute", team="south") == 302
    assert desk.act(declined, "decline", outcome="not-ours") == 302
    assert desk.act(joined, "join", leading=leading.number) == 302
    text = page(desk.client, f"/desk/requests/{joined.number}/").text
    assert f"Joined to {leading.number}" in text
    assert joined.number in page(desk.client, f"/desk/requests/{leading.number}/").text
    assert desk.act(joined, "separate") == 302
    assert "TX-7" in page(desk.client, f"/desk/requests/{handed.number}/").text
    assert "Moved from North to South." in page(desk.client, f"/desk/requests/{moved.number}/").text
    assert "It is not the city's." in page(desk.client, f"/desk/requests/{declined.number}/").text


def test_a_stale_form_is_answered_with_what_changed_and_keeps_the_words(desk: Sitting) -> None:
    request = desk.city.file()
    seen = request.version
    services.start(request, by=desk.city.member)
    path = f"/desk/requests/{request.number}/comment/"
    sent = {"version": str(seen), "text": "Half a page of careful words"}
    shown = page(desk.client, path, status=409, data=sent, post=True)
    assert "was changed meanwhile" in shown.text
    assert "Work has begun. crew" in shown.text
    assert "Half a page of careful words" in shown.html
    again = shown.html.split('id="comment-version"')[0].rsplit("<input", 1)[1]
    request.refresh_from_db()
    assert f'value="{request.version}"' in again + shown.html.split('id="comment-version"')[1][:20]
    assert not request.comments.exists()
    assert desk.act(request, "comment", text="Half a page of careful words") == 302


def test_resolving_without_proof_says_what_is_missing(desk: Sitting) -> None:
    request = desk.city.file()
    services.start(request, by=desk.city.member)
    request.refresh_from_db()
    sent = {"version": str(request.version), "outcome": "filled"}
    shown = page(desk.client, f"/desk/requests/{request.number}/resolve/", status=409, data=sent, post=True)
    assert "without proof: photo or inspection" in shown.text


@pytest.mark.parametrize("verb", ["resolve", "decline"])
def test_words_beside_an_outcome_are_said_to_go_to_the_reporters(desk: Sitting, verb: str) -> None:
    request = desk.city.file()
    sent = {"version": str(request.version), "outcome": "none"}
    shown = page(desk.client, f"/desk/requests/{request.number}/{verb}/", status=422, data=sent, post=True)
    assert "Words for the resident" in shown.text
    assert "Sent with the outcome to everybody who reported it." in shown.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("comment", {"text": ""}),
        ("comment", {"text": "x\x00"}),
        ("wait", {"reason": "tired"}),
        ("wait", {}),
        ("reroute", {"team": "nobody"}),
        ("join", {"leading": "26-99999999"}),
        ("add-evidence", {"kind": "resident_yes"}),
        ("add-evidence", {"kind": "position"}),
        ("add-evidence", {"kind": "photo"}),
        ("add-evidence", {"kind": "photo", "latitude": "nan"}),
        ("resolve", {"outcome": "not-ours"}),
        ("assign", {"assignee": "999"}),
        ("start", {"version": "soon"}),
        ("start", {"version": ""}),
    ],
)
def test_a_form_that_must_be_mended_is_422_and_changes_nothing(desk: Sitting, name: str, data: dict[str, str]) -> None:
    request = desk.city.file()
    sent = {"version": str(request.version), **data}
    page(desk.client, f"/desk/requests/{request.number}/{name}/", status=422, data=sent, post=True)
    version = request.version
    request.refresh_from_db()
    assert request.version == version


def test_an_unknown_verb_is_not_there_and_a_verb_is_only_posted(desk: Sitting) -> None:
    request = desk.city.file()
    assert desk.act(request, "explode") == 404
    assert desk.client.get(f"/desk/requests/{request.number}/start/").status_code == 405


def test_only_what_the_state_and_the_role_allow_is_offered(desk: Sitting) -> None:
    request = desk.city.file()
    text = page(desk.client, f"/desk/requests/{request.number}/").text
    assert "Take it" in text
    assert "The resident says yes" not in text
    assert "Go on" not in text
    concierge = sit(desk.city, Role.CONCIERGE, name="front")
    text = page(concierge.client, f"/desk/requests/{request.number}/").text
    assert "Report it done" not in text
    assert "Comment" in text


def test_every_verb_has_a_form_and_every_event_a_sentence() -> None:
    by_the_clock_or_elsewhere = {Verb.CLOSE, Verb.CHANGE_SERVICE}
    assert {act.verb for act in ACTS} == set(Verb) - by_the_clock_or_elsewhere
    assert set(SENTENCES) == set(EVENTS)


def test_the_service_is_changed_with_its_questions(desk: Sitting) -> None:
    request = desk.city.file()
    path = f"/desk/requests/{request.number}/service/"
    page(desk.client, path)
    page(desk.client, path + "?service=sign")
    sent = {"service": "sign", "version": str(request.version)}
    assert desk.client.post(path, sent).status_code == 302
    request.refresh_from_db()
    assert request.service.code == "sign"
    assert "changed from Pothole to Sign" in page(desk.client, f"/desk/requests/{request.number}/").text
    stale = page(desk.client, path, status=409, data=sent, post=True)
    assert "changed meanwhile" in stale.text
    back = {"service": "pothole", "version": str(request.version)}
    assert desk.client.post(path, {**back, "asked": ["danger", "depth"]}).status_code == 422
    assert desk.client.post(path, {**back, "asked": ["danger", "depth"], "q-danger": "no"}).status_code == 302
    page(desk.client, path + "?service=unknown", status=404)


def test_another_citys_staff_cannot_be_assigned(desk: Sitting) -> None:
    other = make_city("otherville")
    request = desk.city.file()
    assert desk.act(request, "assign", assignee=other.crew.pk) == 422


def test_the_leading_requests_page_shows_what_a_joined_reporter_said_no_with() -> None:
    desk = sit()
    city = desk.city
    person = a_resident(city.jurisdiction, email="r@example.org")
    leading, follower = city.file(), city.file(resident=person)
    follower = services.join(follower, leading=leading, by=city.system)
    city.done(leading, at=now())
    services.dispute(follower, text="Only half of it is filled", by=city.system)
    shown = page(desk.client, f"/desk/requests/{leading.number}/").text
    assert "Only half of it is filled" in shown
    assert f"on the joined report {follower.number}" in " ".join(shown.split())
    assert f"who reported {follower.number} said no" in shown
