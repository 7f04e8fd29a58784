"""A team's queue: chosen, kept, taken and done in bulk, whatever others do meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from loop311.accounts.models import Team
from loop311.accounts.policies import Role
from loop311.desk.models import SavedFilter
from loop311.desk.testing import Sitting, sit
from loop311.kit.clock import now
from loop311.kit.testing import Page, at_once, page, same_number_of_queries
from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.queries import cursor_after
from loop311.requests.testing import MONDAY, make_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    return sit()


def do(desk: Sitting, what: str, *requests: Request, **more: str) -> Any:
    sent = {"do": what, "pick": [f"{each.number}:{each.version}" for each in requests], **more}
    return desk.client.post("/desk/queue/north/do/", sent)


def shown(response: Any) -> Page:
    return Page(response.content.decode(), response.headers["Content-Security-Policy"]).check()


def rows(desk: Sitting, query: str = "") -> set[str]:
    content = desk.client.get(f"/desk/queue/north/{query}").content.decode()
    return {part.split('"')[0] for part in content.split('id="row-')[1:]}


def test_the_queue_is_chosen_from_by_each_filter(desk: Sitting) -> None:
    late, fresh = desk.city.file(address="1 Elm St"), desk.city.file(at=now(), address="9 Oak St")
    urgent = desk.city.file(at=now(), answers={"danger": "yes"}, address="3 Fir St")
    mine = services.assign(desk.city.file(at=now()), assignee=desk.staff, by=desk.city.system)
    everything = {late.number, fresh.number, urgent.number, mine.number}
    assert rows(desk) == everything
    for query, expected in {
        "?due=late": {late.number},
        "?due=soon": {urgent.number},
        "?due=none": set(),
        "?who=me": {mine.number},
        f"?who={desk.staff.pk}": {mine.number},
        "?who=nobody": everything - {mine.number},
        "?state=assigned": {mine.number},
        "?priority=emergency": {urgent.number},
        "?service=sign": set(),
        "?service=pothole&who=me": {mine.number},
        "?q=9+oak": {fresh.number},
        f"?q={late.number}": {late.number},
    }.items():
        assert rows(desk, query) == expected, query
    assert late.number in rows(desk, "?due=today")
    text = page(desk.client, "/desk/queue/north/").text
    assert "Open 4 Late 1 Due within a day 1 Nobody's yet 3" in text


def test_those_without_any_promise_stand_last_and_on_the_last_page(desk: Sitting) -> None:
    requests = [desk.city.file(at=MONDAY + timedelta(minutes=n)) for n in range(53)]
    with connection.cursor() as cursor:  # as an import leaves them
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE requests_request DISABLE TRIGGER USER")
        Request.objects.filter(pk__in=[each.pk for each in requests[:2]]).update(
            source="x", source_id=F("pk"), due_at=None
        )
        cursor.execute("ALTER TABLE requests_request ENABLE TRIGGER USER")
    first, link = desk.client.get("/desk/queue/north/").content.decode(), 'rel="next" href="'
    assert requests[0].number not in first
    after = first.split(link)[1].split('"')[0]
    assert rows(desk, after) == {requests[0].number, requests[1].number, requests[52].number}
    assert rows(desk, "?due=none") == {requests[0].number, requests[1].number}
    nearly = cursor_after(datetime(9000, 1, 1, tzinfo=UTC), requests[0].pk)
    assert rows(desk, f"?after={nearly}") == {requests[1].number}


@pytest.mark.parametrize("query", ["?due=yesterday", "?who=999999", "?area=x:y", "?after=nonsense"])
def test_an_odd_choice_is_named(desk: Sitting, query: str) -> None:
    desk.city.file()
    page(desk.client, f"/desk/queue/north/{query}", status=422)


def test_a_queue_asks_the_same_number_of_times_whatever_its_length(desk: Sitting) -> None:
    desk.city.file()
    count = same_number_of_queries(
        lambda: desk.client.get("/desk/queue/north/?who=nobody"), lambda: [desk.city.file() for _ in range(5)]
    )
    assert count <= 16


# --- Kept choices ------------------------------------------------------------------------------------------------------


def test_choices_are_kept_for_me_or_for_the_team(desk: Sitting) -> None:
    keep = "/desk/queue/north/keep/"
    assert desk.client.post(keep, {"name": "Mine late", "query": "due=late&who=me"}).status_code == 302
    desk.client.post(keep, {"name": "Nobody's", "query": "who=nobody", "for_team": "on"})
    assert 'href="?due=late&amp;who=me"' in page(desk.client, "/desk/queue/north/").html
    colleague = sit(desk.city, Role.TEAM_MEMBER, name="colleague")
    seen = page(colleague.client, "/desk/queue/north/").text
    assert "Nobody's" in seen
    assert "Mine late" not in seen
    shared = SavedFilter.objects.get(is_shared=True)
    assert colleague.client.post(f"{keep}{shared.pk}/").status_code == 302
    assert not SavedFilter.objects.filter(is_shared=True).exists()
    own = SavedFilter.objects.get()
    assert colleague.client.post(f"{keep}{own.pk}/").status_code == 404


def test_the_same_name_again_and_a_strangers_team_are_refused(desk: Sitting) -> None:
    keep = "/desk/queue/north/keep/"
    desk.client.post(keep, {"name": "Late", "query": "due=late"})
    assert "of this name here already" in page(desk.client, keep, status=422, data={"name": "Late"}, post=True).text
    page(desk.client, keep, status=422, data={"name": ""}, post=True)
    outside = sit(desk.city, Role.SUPERVISOR, team="south", name="outside")
    assert outside.client.post(keep, {"name": "All", "for_team": "on"}).status_code == 403


# --- In bulk -----------------------------------------------------------------------------------------------------------


def test_picked_ones_are_taken_started_and_moved(desk: Sitting) -> None:
    first, second = desk.city.file(), desk.city.file()
    assert "2 are yours now" in shown(do(desk, "take", first, second)).text
    for each in (first, second):
        each.refresh_from_db()
        assert each.assignee_id == desk.staff.pk
    assert "2 are started" in shown(do(desk, "start", first, second)).text
    first.refresh_from_db()
    assert "1 is moved" in shown(do(desk, "reroute", first, team="south")).text
    second.refresh_from_db()
    crew = str(desk.city.crew.pk)
    assert "1 is assigned" in shown(do(desk, "assign", second, assignee=crew)).text
    second.refresh_from_db()
    assert str(second.assignee_id) == crew


def test_one_conflict_loses_none_of_the_others_and_says_who_did_what(desk: Sitting) -> None:
    first, second, third = (desk.city.file() for _ in range(3))
    services.start(second, by=desk.city.member)
    text = shown(do(desk, "take", first, second, third)).text
    assert "2 are yours now" in text
    assert f"{second.number} crew: Work has begun." in text
    second.refresh_from_db()
    assert second.assignee_id is None


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"do": "take"}, "Pick at least one request."),
        ({"do": "", "pick": "26-1:1"}, "Choose what to do"),
        ({"do": "reroute", "pick": "26-1:1"}, "Choose the team."),
        ({"do": "take", "pick": "nonsense"}, "picked that is none"),
        ({"do": "take", "pick": [f"26-{n}:1" for n in range(101)]}, "at most 100"),
    ],
)
def test_what_cannot_be_done_at_all_is_said_at_once(desk: Sitting, sent: dict[str, str], sentence: str) -> None:
    desk.city.file()
    assert sentence in page(desk.client, "/desk/queue/north/do/", status=422, data=sent, post=True).text


def test_another_citys_rows_are_not_there_and_a_reader_does_nothing(desk: Sitting) -> None:
    other = make_city("other")
    theirs = [other.file() for _ in range(3)][-1]
    assert "There is no request with this number" in shown(do(desk, "take", theirs)).text
    reader = sit(desk.city, Role.AUDITOR, name="reader")
    assert do(reader, "take", desk.city.file()).status_code == 403
    assert "Pick " not in page(reader.client, "/desk/queue/north/").text


@pytest.mark.django_db(transaction=True)
def test_two_people_who_take_the_same_rows_at_once_get_each_row_once() -> None:
    first = sit()
    second = sit(first.city, Role.TEAM_MEMBER, name="second")
    requests = [first.city.file() for _ in range(6)]
    answers = at_once([lambda: do(first, "take", *requests), lambda: do(second, "take", *reversed(requests))])
    assert [getattr(answer, "status_code", answer) for answer in answers] == [200, 200]
    for request in requests:
        request.refresh_from_db()
        assert request.assignee_id in (first.staff.pk, second.staff.pk)
        assert request.version == 2, "one of the two was refused"


# --- Take next ---------------------------------------------------------------------------------------------------------


def test_the_most_urgent_comes_first_then_the_earliest_promise(desk: Sitting) -> None:
    later, sooner = desk.city.file(at=now()), desk.city.file()
    urgent = desk.city.file(at=now(), answers={"danger": "yes"})
    services.assign(desk.city.file(at=MONDAY - timedelta(days=9)), assignee=desk.city.crew, by=desk.city.system)
    for expected in (urgent, sooner, later):
        answer = desk.client.post("/desk/queue/north/next/")
        assert answer.headers["Location"] == f"/desk/requests/{expected.number}/"
    assert (
        desk.client.post("/desk/queue/north/next/", follow=True)
        .content.decode()
        .count("Nothing is waiting for somebody")
    )


def test_only_a_member_takes_from_the_teams_queue(desk: Sitting) -> None:
    desk.city.file()
    outside = sit(desk.city, Role.TEAM_LEAD, team="south", name="outside")
    page(outside.client, "/desk/queue/north/next/", status=422, post=True)
    assert "Take next" not in page(outside.client, "/desk/queue/north/").text


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_once_never_take_the_same() -> None:
    desk = sit()
    requests = [desk.city.file() for _ in range(15)]
    north = Team.objects.get(jurisdiction=desk.city.jurisdiction, code="north")

    def take() -> int:
        taken = services.take_next(north, assignee=desk.staff, by=desk.city.system)
        return taken.pk if taken else 0

    got = at_once([take] * 20)
    assert sorted(each for each in got if isinstance(each, int) and each) == sorted(each.pk for each in requests), got
    assert got.count(0) == 5


def test_no_page_of_a_queue_without_a_sign_in() -> None:
    for path in ("next/", "do/", "keep/", "keep/1/"):
        assert Client().post(f"/desk/queue/north/{path}").status_code == 302


# --- Work sheets -------------------------------------------------------------------------------------------------------


def test_a_work_sheet_says_what_the_crew_needs_and_nothing_of_who_asked(desk: Sitting) -> None:
    request = desk.city.file(description="Deep and wide", location_note="by the school", latitude=32.0, longitude=-97.0)
    text = page(desk.client, "/desk/sheets/", data={"pick": f"{request.number}:1"})
    for words in (
        request.number,
        "Pothole",
        "1 Elm St",
        "by the school",
        "Deep and wide",
        "Photo or Inspection",
        "Arrived",
    ):
        assert words in text.text
    assert "<svg" in text.html
    assert f"/desk/requests/{request.number}/" in text.text
    page(desk.client, "/desk/sheets/", status=422)
    page(desk.client, "/desk/sheets/?pick=26-99999999", status=404)


def test_sheets_of_many_requests_ask_the_database_no_more(desk: Sitting) -> None:
    numbers = [desk.city.file().number]

    def more() -> None:
        numbers.extend(desk.city.file().number for _ in range(4))

    same_number_of_queries(lambda: desk.client.get("/desk/sheets/", {"pick": numbers}), more)
