"""What others change is told to open pages: only to those it concerns, in their own city, and again after a broken line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from loop311.accounts.policies import Role
from loop311.desk.live import views
from loop311.desk.live.hub import HUB, KEPT, SKEW, Hub, stamp
from loop311.desk.testing import Sitting, sit
from loop311.kit.testing import at_most_queries, page
from loop311.ledger import announcing
from loop311.requests import services
from loop311.requests.testing import make_city

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> Sitting:
    """Somebody whose page is open, and the process listening."""
    found = sit()
    ask(found)
    wait_for(lambda: HUB.is_listening)
    time.sleep(SKEW / 1000)  # what the city's founding announced is told no more
    return found


def ask(desk: Sitting, *topics: str, since: int | None = None, city: int | None = None) -> str:
    answer = asked(desk.client, city or desk.city.jurisdiction.pk, *topics, since=since)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    return str(answer.content.decode())


def asked(client: Client, city: int, *topics: str, since: int | None = None) -> Any:
    head = {"Last-Event-ID": str(since)} if since is not None else {}
    return client.get("/desk/live/", {"city": str(city), "topic": list(topics)}, headers=head)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_a_change_is_told_to_those_it_concerns(desk: Sitting) -> None:
    before = stamp()
    request, other = desk.city.file(), desk.city.file()
    services.start(request, by=desk.city.member)
    mine, team = f"request:{request.pk}", f"team:{request.team_id}"
    wait_for(lambda: "request.started" in ask(desk, mine, since=before))
    told = ask(desk, mine, since=before)
    assert told.startswith("retry: 1000\nid: ")
    assert f'"type":"request","id":{request.pk},"kind":"request.filed"' in told
    assert f'"id":{other.pk},' not in told
    assert ask(desk, team, since=before).count("event: change") == 3
    assert "event:" not in ask(desk, "team:999", "callback", since=before)
    assert "event:" not in ask(desk, mine, since=stamp() + SKEW + 1), "what is known is not told again"


def test_nothing_is_told_of_what_was_taken_back(desk: Sitting) -> None:
    before = stamp()
    with transaction.atomic():
        services.start(desk.city.file(), by=desk.city.member)
        transaction.set_rollback(True)
    last = desk.city.file()
    wait_for(lambda: f'"id":{last.pk},' in ask(desk, "request", since=before))
    assert ask(desk, "request", since=before).count("event: change") == 1


def test_a_request_that_moves_is_told_to_both_teams(desk: Sitting) -> None:
    request = desk.city.file()
    before, north = stamp() + SKEW, request.team_id
    time.sleep(SKEW / 1000)
    south = sit(desk.city, team="south", name="south").staff.teams.get()
    services.reroute(request, team=south, by=desk.city.concierge)
    told = [f"team:{north}", f"team:{south.pk}"]
    wait_for(lambda: all("request.rerouted" in ask(desk, team, since=before) for team in told))


def test_another_city_hears_nothing(desk: Sitting) -> None:
    other, before = sit(make_city("other")), stamp()
    request = desk.city.file()
    wait_for(lambda: "event: change" in ask(desk, "request", since=before))
    assert f'"id":{request.pk},' not in ask(other, "request", f"request:{request.pk}", since=before)
    assert asked(other.client, desk.city.jurisdiction.pk, "request").status_code == 204


def test_what_is_announced_holds_nothing_personal(desk: Sitting) -> None:
    before = stamp()
    desk.city.file(description="Bitten by a dog at 5 Oak St", address="5 Oak St")
    wait_for(lambda: "event: change" in ask(desk, "request", since=before))
    told = ask(desk, "request", since=before)
    assert "Oak" not in told
    assert "26-" not in told


def test_who_is_known_is_answered_without_the_database_and_not_for_long(
    desk: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "TRUSTED_FOR", 3600)
    views.forget_seats()
    ask(desk, "request")
    with at_most_queries(0):
        ask(desk, "request")
    desk.client.logout()
    monkeypatch.setattr(views, "TRUSTED_FOR", 0)
    views.forget_seats()
    assert asked(desk.client, desk.city.jurisdiction.pk).status_code == 302
    assert asked(Client(), desk.city.jurisdiction.pk).status_code == 302


def test_every_role_may_listen_and_nobody_posts(desk: Sitting) -> None:
    ask(sit(desk.city, Role.AUDITOR, name="reader"), "request")
    assert desk.client.post("/desk/live/").status_code == 405


def test_odd_questions_are_answered_plainly(desk: Sitting) -> None:
    for since in (-1, 10**20):
        assert asked(desk.client, desk.city.jurisdiction.pk, "'; --", "x" * 500, since=since).status_code == 200
    many = [f"request:{n}" for n in range(500)]
    assert asked(desk.client, desk.city.jurisdiction.pk, *many).status_code == 200


def test_after_a_broken_line_everything_is_looked_at_again(desk: Sitting) -> None:
    before = stamp()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
            " AND datname = current_database()"
        )
    wait_for(lambda: "event: reset" in ask(desk, "request", since=before))
    after = stamp()
    desk.city.file()
    wait_for(lambda: "event: change" in ask(desk, "request", since=after))


def test_who_was_away_for_longer_than_is_remembered_looks_at_everything_again() -> None:
    hub = Hub()
    hub._listener.ensure = lambda: None  # type: ignore[method-assign]
    assert hub.since(1, stamp(), ["request"]) is None
    hub._begin()
    for event in range(KEPT + 1):
        hub._hear(announcing.words(1, event, "request", 7, "request.started", ["team:3"]))
    hub._heard[1][0] = type(hub._heard[1][0])(stamp() + 3_600_000, hub._heard[1][0].what)
    assert hub.since(1, stamp(), ["request"]) is None
    assert hub.since(2, stamp(), ["request"]) == []


@pytest.mark.parametrize("line", ["", "nonsense", "1 2 request x kind", "a 2 request 3 kind", "1 2 request"])
def test_a_line_that_we_did_not_write_is_passed_over(line: str) -> None:
    assert announcing.read(line) is None


# --- What the page shows -----------------------------------------------------------------------------------------------


def test_the_changes_of_others_are_explained_and_my_own_are_not(desk: Sitting) -> None:
    request = desk.city.file()
    path = f"/desk/requests/{request.number}/changes/?since={request.version}"
    assert "a moment ago" not in page(desk.client, path).text
    services.start(request, by=desk.city.member)
    assert desk.act(request, "comment", text="mine") == 302
    text = page(desk.client, path)
    assert "crew changed this a moment ago: Work has begun." in text.text
    assert "internal comment" not in text.text
    assert 'data-live-seen="3"' in text.html
    page(desk.client, f"/desk/requests/{request.number}/changes/?since=x")
    page(desk.client, "/desk/requests/26-99999999/changes/", status=404)


def test_pages_say_what_they_listen_to(desk: Sitting) -> None:
    request = desk.city.file()
    shown = page(desk.client, f"/desk/requests/{request.number}/").html
    assert f'topics="request:{request.pk}"' in shown
    assert f'explain="/desk/requests/{request.number}/changes/?since=1"' in shown
    assert f'topics="team:{request.team_id}"' in page(desk.client, "/desk/queue/north/").html
