"""With a real Redmine, where Debian's packages are installed; and with its recorded answers everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from loop311.workorders.connectors.base import (
    Attached,
    CannotTell,
    Change,
    ChangeKind,
    Done,
    Proven,
    Refused,
    Setup,
    TryLater,
)
from loop311.workorders.connectors.redmine import Redmine
from loop311.workorders.live.recording import PRETENDED, Recorder, Replay
from loop311.workorders.live.redmine import LiveRedmine
from loop311.workorders.tests.redmine_story import GOING, ORDER, RECORDED, Story, redmine_setup, redmine_story, tell

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("redmine")]


@pytest.fixture
def ours(redmine: LiveRedmine) -> Redmine:
    return Redmine(_setup(redmine))


def _setup(redmine: LiveRedmine) -> Setup:
    return redmine_setup(redmine.url, redmine.key, redmine.number_field)


@pytest.fixture(scope="module")
def told(redmine: LiveRedmine) -> tuple[Story, Recorder]:
    return tell(redmine)


@pytest.fixture(scope="module", params=["live", "recorded"])
def story(request: pytest.FixtureRequest) -> Story:
    if request.param == "recorded":
        return redmine_story(Redmine(redmine_setup(PRETENDED, "x", 1, Replay(RECORDED))), None)
    live: tuple[Story, Recorder] = request.getfixturevalue("told")
    return live[0]


def test_an_order_arrives_once_and_is_found_by_our_number(story: Story) -> None:
    assert story.tested.ok, story.tested.words
    assert story.tested.statuses == ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
    assert story.before is None
    assert story.found is not None
    assert (story.found.their_key, story.found.status) == (story.created.their_key, "New")
    assert story.created.their_url.endswith(f"/issues/{story.created.their_key}")


def test_their_status_words_and_photo_arrive_and_ours_do_not_come_back(story: Story) -> None:
    (heard,) = [report for report in story.heard if report.reference == ORDER.reference]
    assert (heard.status, heard.words, heard.their_key) == ("Resolved", "Filled it.", story.created.their_key)
    assert [(proof.kind, proof.note) for proof in heard.evidence] == [("photo", "after.png")]


def test_a_step_their_workflow_forbids_is_refused_in_words(story: Story) -> None:
    assert isinstance(story.refused, Refused)
    assert story.refused.reason == "Their workflow does not let our user go from In Progress to Feedback."


def test_what_is_gone_is_left_out_and_what_stands_is_named(story: Story) -> None:
    (state,) = [state for state in story.standing if state.reference == ORDER.reference]
    assert (state.their_key, state.status) == (story.created.their_key, "Resolved")
    assert "999999" not in [state.their_key for state in story.standing]


def test_cancelling_twice_is_cancelling_once(story: Story) -> None:
    assert isinstance(story.cancelled, Done)
    assert story.cancelled_again == story.cancelled


def test_the_recorded_answers_are_what_redmine_answers_today(told: tuple[Story, Recorder]) -> None:
    """The same calls with the same codes; what they hold is compared by the tests above."""
    kept = msgspec.json.decode(RECORDED.read_bytes())
    assert _outline(told[1].kept) == _outline(kept)


def _outline(rows: list[dict[str, object]]) -> set[tuple[str, object]]:
    """Each call with each of its codes; how often and in which order depends on the issues of the tests that ran before."""
    return {(re.sub(r"\d+", "N", str(row["asked"])), row["status"]) for row in rows}


def test_peoples_words_are_shown_as_they_are(redmine: LiveRedmine, ours: Redmine) -> None:
    created = ours.create(msgspec.structs.replace(ORDER, reference="24-00000008"))
    assert isinstance(created, Done)
    page = redmine.foreman.page(f"/issues/{created.their_key}")
    words = page.split('<div class="wiki">')[1].split("</div>")[0]
    assert "*Deep* !http://x.example/y.png! #1 {{toc}} " in words
    for made in ("<strong>", "<img", "<b>", 'class="issue', "<ul"):
        assert made not in words
    assert 'href="https://311.example.org/desk/requests/24-00000007/"' in words


def test_what_is_asked_for_is_kept_in_their_fields(redmine: LiveRedmine, ours: Redmine) -> None:
    created = ours.create(msgspec.structs.replace(ORDER, reference="24-00000009"))
    assert isinstance(created, Done)
    issue = redmine.foreman.issue(created.their_key)
    fields = {field["name"]: field["value"] for field in issue["custom_fields"]}
    assert fields == {"Loop311 number": "24-00000009", "Depth": "deep"}
    assert (issue["priority"]["name"], issue["due_date"]) == ("High", "2026-11-24")  # the evening before, in Chicago


def test_evidence_goes_along_as_a_file(redmine: LiveRedmine) -> None:
    photo = Attached(name="before.png", content_type="image/png", data=b"\x89PNG\r\n\x1a\nreally")
    ours = Redmine(_with(_setup(redmine), photo))
    created = ours.create(msgspec.structs.replace(ORDER, reference="24-00000010"))
    assert isinstance(created, Done)
    order = msgspec.structs.replace(ORDER, reference="24-00000010", their_key=created.their_key)
    proof = Proven(kind="photo", reference="photo-1", note="before")
    change = Change(id="event-9", kind=ChangeKind.EVIDENCE, at=GOING.at, text="A photo.", evidence=(proof,))
    assert isinstance(ours.update(order, change), Done)
    issue = redmine.foreman.issue(created.their_key)
    assert [file["filename"] for file in issue["attachments"]] == ["before.png"]
    assert "A photo." in issue["journals"][0]["notes"]


def _with(setup: Setup, photo: Attached) -> Setup:
    return Setup(
        link=setup.link, options=setup.options, secret=setup.secret, services=setup.services, fetch=lambda _: photo
    )


def test_erased_words_are_overwritten_there(redmine: LiveRedmine, ours: Redmine) -> None:
    created = ours.create(msgspec.structs.replace(ORDER, reference="24-00000011", description="Name and address"))
    assert isinstance(created, Done)
    order = msgspec.structs.replace(ORDER, reference="24-00000011", their_key=created.their_key, description="")
    erased = Change(id="event-10", kind=ChangeKind.ERASED, at=GOING.at, text="The words were erased.")
    assert isinstance(ours.update(order, erased), Done)
    assert "Name and address" not in redmine.foreman.issue(created.their_key)["description"]


def test_a_record_of_ours_that_nobody_here_knows_is_found(redmine: LiveRedmine, ours: Redmine) -> None:
    created = ours.create(msgspec.structs.replace(ORDER, reference="24-00000012"))
    assert isinstance(created, Done)
    assert "24-00000012" in [state.reference for state in ours.reconcile([])]


def test_an_issue_they_deleted_is_no_more_to_be_cancelled(redmine: LiveRedmine, ours: Redmine) -> None:
    order = msgspec.structs.replace(ORDER, reference="24-00000013")
    created = ours.create(order)
    assert isinstance(created, Done)
    redmine.foreman.ask("DELETE", f"/issues/{created.their_key}.json")
    order = msgspec.structs.replace(order, their_key=created.their_key)
    assert isinstance(ours.update(order, GOING), Refused)
    assert isinstance(ours.cancel(order, "Gone."), Done)
    assert list(ours.reconcile([created.their_key])) == [
        s for s in ours.reconcile([]) if s.their_key != created.their_key
    ]


def test_a_wrong_key_is_no_empty_list(redmine: LiveRedmine) -> None:
    """Redmine answers a wrong key's look at a list with an empty one: that must not pass for 'nothing there'."""
    wrong = Redmine(redmine_setup(redmine.url, "0" * 40, redmine.number_field))
    assert wrong.test().words == "Redmine does not accept the key: renew it."
    assert wrong.create(ORDER) == TryLater(reason="Redmine does not accept the key: renew it.")
    for ask in (
        lambda: wrong.lookup(ORDER),
        lambda: wrong.poll(datetime.now(UTC) - timedelta(days=1)),
        lambda: wrong.reconcile(["1"]),
    ):
        with pytest.raises(CannotTell, match="does not accept the key"):
            ask()


def test_a_redmine_that_is_down_has_taken_nothing_and_knows_all_when_it_is_back(
    redmine: LiveRedmine, ours: Redmine
) -> None:
    order = msgspec.structs.replace(ORDER, reference="24-00000014")
    assert isinstance(ours.create(order), Done)
    redmine.kill()
    try:
        assert not ours.test().ok
        assert isinstance(ours.create(msgspec.structs.replace(ORDER, reference="24-00000015")), TryLater)
    finally:
        redmine.start()
    assert ours.test().ok
    assert ours.lookup(order) is not None
    assert ours.lookup(msgspec.structs.replace(ORDER, reference="24-00000015")) is None
