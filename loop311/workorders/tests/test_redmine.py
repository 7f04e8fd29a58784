"""What the connector makes of a Redmine that fails, lies or stands in for another: no live one is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from loop311.kit.clock import now
from loop311.workorders.connectors import kind_of
from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Change,
    ChangeKind,
    Connector,
    Done,
    Refused,
    Setup,
    TryLater,
    Unknown,
    Unreadable,
)
from loop311.workorders.connectors.redmine import Redmine, RedmineOptions
from loop311.workorders.connectors.redmine_api import MOST_BYTES
from loop311.workorders.connectors.redmine_words import mark, plain, reference_in, subject
from loop311.workorders.tests.redmine_story import GOING, ORDER

THEIRS = msgspec.structs.replace(ORDER, their_key="5")
AT = "2026-11-20T10:00:00Z"


def _issue(number: int, reference: str = "24-00000007", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "status": {"id": 1, "name": "New"},
        "updated_on": AT,
        "subject": f"[311 {reference}] Pothole" if reference else "Theirs alone",
        **more,
    }


class Fake:
    """A well Redmine; `on` puts something else in one place."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.queries: list[httpx.QueryParams] = []
        self.headers: dict[str, str] = {}
        self.answers: dict[str, Any] = {
            "GET /users/current.json": {"user": {"id": 7}},
            "GET /issue_statuses.json": {
                "issue_statuses": [
                    {"id": 1, "name": "New", "is_closed": False},
                    {"id": 2, "name": "In Progress", "is_closed": False},
                    {"id": 6, "name": "Rejected", "is_closed": True},
                ]
            },
            "GET /enumerations/issue_priorities.json": {"issue_priorities": [{"id": 3, "name": "High"}]},
            "GET /projects/streets.json": {
                "project": {
                    "id": 1,
                    "name": "Streets",
                    "identifier": "streets",
                    "trackers": [{"id": 1, "name": "Bug"}],
                    "issue_custom_fields": [{"id": 1, "name": "Loop311 number"}, {"id": 2, "name": "Depth"}],
                }
            },
            "POST /issues.json": (201, {"issue": _issue(5)}),
            "PUT /issues/5.json": (204, None),
            "GET /issues/5.json": {"issue": _issue(5)},
            "GET /issues.json": {"issues": [], "total_count": 0},
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.method} {request.url.path}"
        self.asked.append(asked)
        self.queries.append(request.url.params)
        answer = self.answers[asked]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx.Response(status, json=body, headers=self.headers)

    def sent(self) -> list[str]:
        return [asked for asked in self.asked if not asked.startswith("GET")]


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def ours(fake: Fake) -> Redmine:
    options = RedmineOptions(url="https://work.example.org/", project="streets")
    setup = Setup(
        link="streets", options=options, secret="k", services=("Bug",), transport=httpx.MockTransport(fake), timeout=1
    )
    return Redmine(setup)


def _fails(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("as told", request=request)

    return answer


def test_it_is_a_connector_that_links_may_name() -> None:
    kind = kind_of("redmine")
    setup = Setup(link="x", options=RedmineOptions(url="https://work.example.org", project="streets"), secret="k")
    assert isinstance(kind.make(setup), Connector)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (_fails(httpx.ConnectError), TryLater),
        (_fails(httpx.ConnectTimeout), TryLater),
        (_fails(httpx.ReadTimeout), Unknown),
        (_fails(httpx.WriteError), Unknown),
        (_fails(httpx.RemoteProtocolError), Unknown),
        ((500, None), Unknown),
        ((502, None), Unknown),
        ((408, None), Unknown),
        ((503, None), TryLater),
        ((429, None), TryLater),
        ((401, None), TryLater),
        ((302, None), TryLater),
        ((422, {"errors": ["Depth is not included in the list"]}), Refused),
        ((400, None), Refused),
        ((403, None), Refused),
        ((404, None), Refused),
        ((413, None), Refused),
        (httpx.Response(201, text='{"issue":{"id":5,'), Unknown),
        (httpx.Response(200, text="<html>Welcome</html>"), Unknown),
        (httpx.Response(201, content=b"x" * (MOST_BYTES + 1)), Unknown),
    ],
)
def test_each_way_to_fail_is_told_apart_by_whether_they_may_have_it(
    fake: Fake, ours: Redmine, told: Any, kind: type[Answer]
) -> None:
    fake.answers["POST /issues.json"] = told
    answer = ours.create(ORDER)
    assert isinstance(answer, kind)
    assert fake.sent() == ["POST /issues.json"]


def test_what_they_say_is_wrong_is_shown(fake: Fake, ours: Redmine) -> None:
    fake.answers["POST /issues.json"] = (422, {"errors": ["Depth is not included in the list", "Subject is too long"]})
    assert ours.create(ORDER) == Refused(reason="Depth is not included in the list; Subject is too long")


def test_they_are_left_alone_as_long_as_they_ask(fake: Fake, ours: Redmine) -> None:
    fake.answers["POST /issues.json"] = httpx.Response(429, headers={"Retry-After": "120"})
    answer = ours.create(ORDER)
    assert isinstance(answer, TryLater)
    assert answer.after == timedelta(minutes=2)


def test_when_all_is_refused_orders_wait_and_are_not_parked_one_by_one(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /projects/streets.json"] = (403, None)
    assert ours.create(ORDER) == TryLater(reason="Redmine shows our user no project streets.")
    assert not fake.sent()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"theirs": "Feature"}, "Project streets has no tracker 'Feature'."),
        ({"attributes": {"Width": "3"}}, "Project streets has no custom field 'Width'."),
        ({"priority": "Very"}, "Redmine has no priority 'Very'."),
    ],
)
def test_what_the_mapping_names_and_they_do_not_have_is_refused_in_words(
    fake: Fake, ours: Redmine, change: dict[str, Any], said: str
) -> None:
    assert ours.create(msgspec.structs.replace(ORDER, **change)) == Refused(reason=said)
    assert not fake.sent()


def test_a_change_whose_answer_was_lost_is_looked_for_before_it_is_said_again(fake: Fake, ours: Redmine) -> None:
    fake.answers["PUT /issues/5.json"] = _fails(httpx.ReadTimeout)
    comment = Change(id="event-3", kind=ChangeKind.COMMENT, at=GOING.at, text="The gate is locked.")
    assert isinstance(ours.update(THEIRS, comment), Unknown)
    written = {"id": 1, "created_on": AT, "user": {"id": 7}, "notes": f"The gate is locked. {mark(comment)}"}
    fake.answers["GET /issues/5.json"] = {"issue": _issue(5, journals=[written])}
    assert isinstance(ours.update(THEIRS, msgspec.structs.replace(comment, again=True)), Done)
    assert fake.sent() == ["PUT /issues/5.json"]


def test_a_change_that_did_not_arrive_is_said_again(fake: Fake, ours: Redmine) -> None:
    again = Change(id="event-3", kind=ChangeKind.COMMENT, at=GOING.at, text="The gate is locked.", again=True)
    assert isinstance(ours.update(THEIRS, again), Done)
    assert fake.sent() == ["PUT /issues/5.json"]


def test_when_nobody_can_tell_whether_the_status_was_taken_it_stays_unknown(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /issues/5.json"] = (500, None)
    assert isinstance(ours.update(THEIRS, GOING), Unknown)


def test_a_status_they_change_right_after_us_does_not_make_ours_refused(fake: Fake, ours: Redmine) -> None:
    step = {"property": "attr", "name": "status_id", "old_value": "1", "new_value": "2"}
    journal = {"id": 1, "created_on": AT, "user": {"id": 7}, "notes": mark(GOING), "details": [step]}
    fake.answers["GET /issues/5.json"] = {"issue": _issue(5, journals=[journal])}
    assert isinstance(ours.update(THEIRS, GOING), Done)


def test_a_missing_issue_is_cancelled_only_when_it_is_redmine_that_says_so(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /issues/5.json"] = (404, None)
    assert isinstance(ours.cancel(THEIRS, "Not theirs."), Done)
    fake.answers["GET /users/current.json"] = httpx.Response(404, text="<html>It works!</html>")
    assert isinstance(ours.cancel(THEIRS, "Not theirs."), TryLater)


def test_the_issue_with_our_number_is_found_among_those_that_look_like_it(fake: Fake, ours: Redmine) -> None:
    rows = [_issue(3, "24-000000071"), _issue(4, ""), _issue(5), _issue(6)]
    fake.answers["GET /issues.json"] = {"issues": rows, "total_count": 4}
    found = ours.lookup(ORDER)
    assert found is not None
    assert found.their_key == "5"


def test_a_field_that_is_no_filter_is_not_taken_for_an_answer(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /issues.json"] = {"issues": [_issue(n, "") for n in range(100)], "total_count": 90_000}
    with pytest.raises(CannotTell, match="used as a filter"):
        ours.lookup(ORDER)


def test_a_poll_looks_back_far_enough_when_their_clock_is_behind(fake: Fake, ours: Redmine) -> None:
    fake.headers["Date"] = format_datetime(now() - timedelta(hours=3), usegmt=True)
    since = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert list(ours.poll(since)) == []
    asked = fake.queries[-1]["updated_on"]
    assert "2026-11-20T08:59:00Z" < asked.removeprefix(">=") <= "2026-11-20T09:00:01Z"


def test_a_poll_skips_nothing_when_their_clock_is_ahead(fake: Fake, ours: Redmine) -> None:
    """From when to ask is said by their clock: moving it forward would leave out what happened while we could not ask."""
    fake.headers["Date"] = format_datetime(now() + timedelta(hours=3), usegmt=True)
    list(ours.poll(datetime(2026, 11, 20, 12, 0, tzinfo=UTC)))
    assert fake.queries[-1]["updated_on"] == ">=2026-11-20T12:00:00Z"


def test_issues_that_were_read_are_not_read_again_and_again(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /issues.json"] = {"issues": [_issue(5)], "total_count": 1}
    changed = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    for since, read in ((changed - timedelta(minutes=9), 1), (changed - timedelta(minutes=7), 0)):
        fake.asked.clear()
        list(ours.poll(since))
        assert fake.asked.count("GET /issues/5.json") == read
    assert ours.newest == changed


def test_a_poll_that_takes_too_long_is_gone_on_with(fake: Fake, ours: Redmine, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [_issue(n, updated_on=f"2026-11-20T10:0{9 - n}:00Z") for n in (5, 6, 7)]
    fake.answers["GET /issues.json"] = {"issues": rows, "total_count": 3}
    clock = [0.0]

    def slow(request: httpx.Request) -> httpx.Response:
        clock[0] += 99
        return httpx.Response(200, json={"issue": _issue(7)})

    fake.answers["GET /issues/7.json"] = slow
    monkeypatch.setattr("loop311.workorders.connectors.redmine.time.monotonic", lambda: clock[0])
    list(ours.poll(datetime(2026, 11, 20, 9, 50, tzinfo=UTC)))
    assert [asked for asked in fake.asked if asked.startswith("GET /issues/")] == ["GET /issues/7.json"]
    assert ours.newest == datetime(2026, 11, 20, 10, 3, tzinfo=UTC)


def _happenings(*journals: dict[str, Any]) -> dict[str, Any]:
    return {"issue": _issue(5, journals=list(journals))}


def test_reports_come_oldest_first_and_ours_are_not_among_them(fake: Fake, ours: Redmine) -> None:
    step = {"property": "attr", "name": "status_id", "old_value": "1", "new_value": "2"}
    field = {"property": "attr", "name": "done_ratio", "old_value": "0", "new_value": "50"}
    fake.answers["GET /issues.json"] = {"issues": [_issue(5), _issue(6, "")], "total_count": 2}
    fake.answers["GET /issues/5.json"] = _happenings(
        {"id": 12, "created_on": "2026-11-20T10:00:05Z", "user": {"id": 8}, "notes": "Later"},
        {"id": 9, "created_on": AT, "user": {"id": 8}, "notes": " Going ", "details": [step]},
        {"id": 10, "created_on": AT, "user": {"id": 7}, "notes": "Ours"},
        {"id": 11, "created_on": AT, "user": {"id": 8}, "notes": "", "details": [field]},
        {"id": 2, "created_on": "2026-11-01T10:00:00Z", "user": {"id": 8}, "notes": "Long ago"},
        {"id": 13, "created_on": "2026-11-20T10:00:06Z", "notes": None, "details": [{**step, "new_value": "77"}]},
    )
    heard = list(ours.poll(datetime(2026, 11, 20, 9, 51, tzinfo=UTC)))
    assert [(report.id, report.status, report.words) for report in heard] == [
        ("journal:9", "In Progress", "Going"),
        ("journal:12", "", "Later"),
        ("journal:13", "77", ""),
    ]
    assert {report.reference for report in heard} == {"24-00000007"}


def test_a_list_that_shrinks_while_it_is_read_is_read_again(fake: Fake, ours: Redmine) -> None:
    """Deleting a row moves all later ones forward: the next page would begin behind one that nobody saw."""
    totals = iter([150, 149, 149, 149])

    def page(request: httpx.Request) -> httpx.Response:
        offset, total = int(request.url.params["offset"]), next(totals)
        first = 1 if total == 150 else 2
        rows = [_issue(first + n) for n in range(offset, min(offset + 100, total))]
        return httpx.Response(200, json={"issues": rows, "total_count": total})

    fake.answers["GET /issues.json"] = page
    fake.answers.update({f"GET /issues/{n}.json": (404, None) for n in range(1, 152)})
    list(ours.poll(datetime(2026, 11, 20, tzinfo=UTC)))
    assert {f"GET /issues/{n}.json" for n in range(2, 151)} <= set(fake.asked)


def test_half_a_list_is_no_list(fake: Fake, ours: Redmine) -> None:
    fake.answers["GET /issues.json"] = httpx.Response(200, text='{"issues":[')
    with pytest.raises(CannotTell):
        ours.reconcile(["5"])
    with pytest.raises(CannotTell):
        ours.poll(datetime(2026, 11, 20, tzinfo=UTC))


def test_many_keys_are_asked_for_in_lists(fake: Fake, ours: Redmine) -> None:
    assert list(ours.reconcile([str(n) for n in range(250)])) == []
    assert [len(query["issue_id"].split(",")) for query in fake.queries if "issue_id" in query] == [100, 100, 50]


@pytest.mark.parametrize(
    ("place", "answer", "said"),
    [
        ("GET /users/current.json", (401, None), "Redmine does not accept the key: renew it."),
        ("GET /users/current.json", _fails(httpx.ConnectError), "Redmine cannot be reached (ConnectError)."),
        ("GET /users/current.json", (200, ["?"]), "/users/current.json: that is no answer of Redmine's."),
        ("GET /projects/streets.json", (404, None), "Redmine shows our user no project streets."),
    ],
)
def test_the_heartbeat_says_what_to_mend(fake: Fake, ours: Redmine, place: str, answer: Any, said: str) -> None:
    fake.answers[place] = answer
    tested = ours.test()
    assert (tested.ok, tested.words) == (False, said)


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ({"status": 5}, "Project streets is closed or archived."),
        ({"trackers": []}, "Project streets has no tracker Bug."),
    ],
)
def test_the_heartbeat_looks_at_the_project(fake: Fake, ours: Redmine, project: dict[str, Any], said: str) -> None:
    fake.answers["GET /projects/streets.json"]["project"].update(project)
    assert ours.test().words == said


def test_it_is_asked_and_does_not_call(ours: Redmine) -> None:
    with pytest.raises(Unreadable):
        ours.receive({}, b"{}")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://work.example.org"}, "an https address is needed"),
        ({"url": "work.example.org"}, "an https address is needed"),
        ({"url": "https://work.example.org", "time_zone": "Mars"}, "there is no zone"),
        ({"url": "https://work.example.org", "key": "x"}, "unknown field"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"project": "streets", **settings}, RedmineOptions)


def test_words_cannot_get_out_of_their_block() -> None:
    hostile = "a</pre>\r\n<pre>{{include(x)}}\x00\x0b<code>"
    textile = plain(hostile, "textile")
    assert textile.count("</pre>") == textile.count("<pre>") == 1
    assert "\x00" not in textile
    assert all(line.startswith("    ") for line in plain(hostile, "common_mark").split("\n"))
    assert plain("as it is", "none") == "as it is"


def test_the_mark_in_a_subject_is_read_back() -> None:
    assert reference_in(subject(ORDER)) == "24-00000007"
    assert reference_in("[urgent] Bridge") == ""
    long = subject(msgspec.structs.replace(ORDER, title="x" * 400))
    assert len(long) == 255
