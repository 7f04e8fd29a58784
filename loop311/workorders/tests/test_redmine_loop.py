"""The whole loop with a real Redmine: from a request to its issue and back, also while Redmine is killed under load."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from loop311.kit.clock import now
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.policies import State
from loop311.workorders import services, working
from loop311.workorders.connectors.redmine_words import reference_in
from loop311.workorders.live.crew import Crew, Killer
from loop311.workorders.live.redmine import LiveRedmine
from loop311.workorders.models import Incoming, Link, Mismatch, Order
from loop311.workorders.policies import LinkState
from loop311.workorders.testing import Linked, follow, linked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("redmine"),
    pytest.mark.django_db(transaction=True),
]

KILLS, MOST = 3, 40
"""`script/kill-redmine` goes on for ten minutes, with the whole product."""


@pytest.fixture
def here(redmine: LiveRedmine, monkeypatch: pytest.MonkeyPatch) -> Linked:
    monkeypatch.setenv("LOOP311_LINK_TEST", redmine.key)
    monkeypatch.setattr(working, "PATIENCE", 60.0)  # a busy machine is no break
    slug = f"elm-{len(redmine.foreman.issues())}"  # Redmine remembers the tests before: their marks are other ones
    return linked(
        slug,
        connector="redmine",
        settings={"url": redmine.url, "project": "streets", "number_field": redmine.number_field},
        call_secret="",
        services={
            "pothole": {
                "theirs": "Bug",
                "attributes": {"danger": {"theirs": "Depth", "values": {"yes": "deep", "no": "shallow"}}},
                "required": ["Depth"],
                "outcome": "filled",
            }
        },
        priorities={"emergency": "Urgent", "standard": "Normal"},
        states={"in_progress": "In Progress"},
        statuses={
            "New": {"means": "nothing"},
            "In Progress": {"means": "started"},
            "Feedback": {"means": "nothing"},
            "Resolved": {"means": "done"},
            "Closed": {"means": "done"},
            "Rejected": {"means": "cancelled"},
        },
    )


def _work(here: Linked) -> None:
    """What the worker does, by the real clock."""
    follow(here.city)
    working.send(here.link.pk)


def _order(request: Request) -> Order:
    return Order.objects.get(request=request, holds=True)


def test_a_request_its_comment_and_its_status_go_there_and_theirs_come_back(here: Linked, redmine: LiveRedmine) -> None:
    request = here.city.file(at=now(), description="By the school.")
    working.beat(here.link.pk)
    _work(here)
    order = _order(request)
    issue = redmine.foreman.issue(order.their_key)
    assert issue["subject"] == f"[311 {order.reference}] Pothole"
    assert {field["value"] for field in issue["custom_fields"]} == {order.reference, "shallow"}

    requests.comment(request, text="The gate is locked.", by=here.city.system)
    _work(here)
    redmine.foreman.work(order.their_key, status="In Progress", notes="On our way.")
    working.beat(here.link.pk)
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS
    assert request.comments.filter(text="Streets work orders: On our way.").count() == 1
    _work(here)
    notes = [journal["notes"] for journal in redmine.foreman.issue(order.their_key)["journals"]]
    assert sum("The gate is locked." in note for note in notes) == 1

    redmine.foreman.work(order.their_key, status="Resolved", notes="Filled.")
    working.beat(here.link.pk)
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS, "their word is not enough: this service wants a photo"
    _work(here)
    notes = [journal["notes"] for journal in redmine.foreman.issue(order.their_key)["journals"]]
    assert sum("Closed there, but not proved" in note for note in notes) == 1

    redmine.foreman.work(order.their_key, photo=b"\x89PNG\r\n\x1a\nafter")
    working.beat(here.link.pk)
    request.refresh_from_db()
    assert request.state == State.DONE
    assert working.reconcile(here.link.pk).open == 0
    assert not Mismatch.objects.filter(mended_at__isnull=True).exists()


def test_a_break_shows_within_two_minutes_and_so_does_its_end(here: Linked, redmine: LiveRedmine) -> None:
    at = now()
    assert working.beat(here.link.pk, at=at) == LinkState.UP
    redmine.kill()
    try:
        broke = at + timedelta(seconds=1)
        assert working.beat(here.link.pk, at=broke + timedelta(seconds=59)) == LinkState.SHAKY
        working.beat(here.link.pk, at=broke + timedelta(seconds=94))
        services.mark_silent(broke + timedelta(seconds=119))
        assert Link.objects.get(pk=here.link.pk).standing(broke + timedelta(seconds=120)) == LinkState.DOWN
    finally:
        redmine.start()
    assert working.beat(here.link.pk, at=broke + timedelta(seconds=180)) == LinkState.UP


def test_redmine_killed_under_load_loses_and_doubles_nothing(here: Linked, redmine: LiveRedmine) -> None:
    chance = random.Random(311)
    crew, killer = Crew(redmine.foreman, chance), Killer(redmine, chance)
    filed: list[Request] = []
    before = {row["id"] for row in redmine.foreman.issues()}
    for row in redmine.foreman.issues(status_id="open"):
        redmine.foreman.work(str(row["id"]), status="Closed")
    crew.start()
    killer.start()
    try:
        _load(here, filed, killer, chance)
    finally:
        killer.over.set()
        killer.join(300)
        crew.over.set()
        crew.join(300)
    _drain(here)
    assert killer.kills >= KILLS
    _nothing_lost_or_doubled(redmine, filed, before)
    compared = working.reconcile(here.link.pk, at=now() + timedelta(hours=9))
    assert (compared.open, Mismatch.objects.filter(mended_at__isnull=True).count()) == (0, 0)


def _load(here: Linked, filed: list[Request], killer: Killer, chance: random.Random) -> None:
    """Requests and comments as fast as they can be said; waits of the back-off are passed over."""
    end, ahead = time.monotonic() + 600, timedelta()
    while time.monotonic() < end and killer.kills < KILLS:
        if len(filed) < MOST:
            request = here.city.file(at=now(), address=f"{len(filed) + 1} Elm St")
            requests.comment(request, text=f"Comment on {request.number}.", by=here.city.system)
            filed.append(request)
        ahead += timedelta(seconds=7)
        if chance.random() < 0.2:
            working.beat(here.link.pk, at=now() + ahead)
        _say(here, ahead)
        time.sleep(chance.uniform(0, 0.2))


def _say(here: Linked, ahead: timedelta) -> None:
    follow(here.city)
    working.send(here.link.pk, at=now() + ahead)


def _drain(here: Linked) -> None:
    for turn in range(60):
        working.beat(here.link.pk, at=now() + timedelta(hours=1, minutes=turn))
        _say(here, timedelta(hours=1, minutes=turn))
        if turn > 2 and not Order.objects.filter(next_at__isnull=False).exists():
            return
    stuck = Order.objects.filter(next_at__isnull=False).values_list("reference", "state", "reason")
    raise AssertionError(f"still to be said: {list(stuck)}")


def _nothing_lost_or_doubled(redmine: LiveRedmine, filed: list[Request], before: set[int]) -> None:
    issues = [row for row in redmine.foreman.issues() if row["id"] not in before]
    ours = {order.reference: order.request for order in Order.objects.select_related("request")}
    references = Counter(reference_in(row["subject"]) for row in issues)
    assert references == Counter(list(ours))
    assert {request.pk for request in ours.values()} == {request.pk for request in filed}
    for row in issues:
        _agrees(ours[reference_in(row["subject"])], redmine.foreman.issue(str(row["id"])))


def _agrees(request: Request, issue: dict[str, Any]) -> None:
    order = _order(request)
    assert (order.state, order.their_key) == ("acknowledged", str(issue["id"]))
    notes = [journal["notes"] or "" for journal in issue["journals"]]
    marks = Counter(re.findall(r"\(Loop311 [0-9a-f]+\)", "\n".join(notes)))
    assert set(marks.values()) <= {1}, f"said twice: {marks}"
    assert sum(f"Comment on {request.number}." in note for note in notes) == 1
    theirs = [j for j in issue["journals"] if j["user"]["name"].startswith("foreman")]
    heard = set(Incoming.objects.filter(order=order, report__startswith="journal:").values_list("report", flat=True))
    assert heard == {f"journal:{journal['id']}" for journal in theirs}
    expected = {"New": State.RECEIVED, "In Progress": State.IN_PROGRESS, "Resolved": State.DONE}
    assert State(request.state) in (expected[issue["status"]["name"]], State.ASSIGNED), json.dumps(issue)
