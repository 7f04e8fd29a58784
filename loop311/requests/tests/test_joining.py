from __future__ import annotations

import json
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from loop311.catalog.definitions import EvidenceKind
from loop311.kit.actor import Actor
from loop311.kit.problems import Conflict, Invalid
from loop311.kit.testing import at_once
from loop311.ledger.models import Event
from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.queries import comments_of
from loop311.requests.services import Proof, access
from loop311.requests.testing import MONDAY, City, make_city
from loop311.residents.models import Resident


def reporter(city: City) -> Resident:
    return Resident.objects.create(jurisdiction=city.jurisdiction, name="R", language="en", created_at=MONDAY)


def family(city: City, followers: int = 2) -> tuple[Request, list[Request]]:
    leading = city.file(resident=reporter(city))
    joined = [
        services.join(city.file(resident=reporter(city)), leading=leading, by=city.concierge) for _ in range(followers)
    ]
    leading.refresh_from_db()
    return leading, joined


def told(request: Request) -> list[str]:
    return list(
        Event.objects.filter(subject_id=request.pk, subject_type="request")
        .order_by("sequence")
        .values_list("kind", flat=True)
    )


def test_each_reporter_keeps_a_number_and_is_told_the_true_end(city: City) -> None:
    leading, joined = family(city)
    assert leading.joined_count == 2
    city.done(leading)
    services.sweep(MONDAY + timedelta(days=20))
    for follower in joined:
        follower.refresh_from_db()
        assert (follower.state, follower.outcome) == ("closed", "filled")
        assert told(follower)[-2:] == ["request.leader_done", "request.leader_closed"]


def test_one_yes_does_not_take_away_the_others_chance_to_say_no(city: City) -> None:
    leading, joined = family(city)
    leading = city.done(leading)
    services.confirm(joined[0], by=city.concierge)
    leading.refresh_from_db()
    assert leading.state == "done"
    services.confirm(joined[1], by=city.concierge)
    assert services.confirm(leading, by=city.concierge).state == "closed"
    joined[0].refresh_from_db()
    assert joined[0].state == "closed"


def test_a_followers_no_reopens_the_leading_request(city: City) -> None:
    leading, joined = family(city)
    city.done(leading)
    follower = services.dispute(joined[0], text="Still there", by=city.concierge, at=MONDAY + timedelta(days=1))
    leading.refresh_from_db()
    assert (leading.state, follower.state) == ("received", "joined")
    assert told(joined[1])[-1] == "request.leader_reopened"


def test_a_followers_no_is_read_where_the_work_is_done_and_no_word_of_it_is_in_the_ledger(city: City) -> None:
    leading, joined = family(city)
    city.done(leading)
    services.dispute(joined[0], text="Still there", by=city.concierge, at=MONDAY + timedelta(days=1))
    [words] = comments_of(leading)
    assert (words.text, words.request.number) == ("Still there", joined[0].number)
    assert comments_of(joined[1]) == []
    body = json.loads(Event.objects.get(kind="request.reopened").body)
    assert body["follower"] == joined[0].pk
    assert not Event.objects.filter(body__contains="Still there").exists()


def test_followers_are_declined_with_the_leader_and_each_may_object(city: City) -> None:
    leading, joined = family(city)
    services.decline(leading, outcome="not-ours", by=city.system, at=MONDAY)
    follower = joined[0]
    follower.refresh_from_db()
    assert follower.state == "declined"
    follower = services.dispute(follower, by=city.concierge, at=MONDAY + timedelta(days=1))
    assert (follower.state, follower.leading_id) == ("received", None)
    leading.refresh_from_db()
    assert (leading.state, leading.joined_count) == ("declined", 1)


def test_objecting_to_the_declined_leader_brings_its_followers_back(city: City) -> None:
    leading, joined = family(city)
    leading = services.decline(leading, outcome="not-ours", by=city.system, at=MONDAY)
    services.dispute(leading, by=city.concierge, at=MONDAY + timedelta(days=1))
    joined[1].refresh_from_db()
    assert joined[1].state == "joined"


def test_a_separated_request_is_open_again_under_its_own_clock(city: City) -> None:
    leading, joined = family(city)
    due = joined[0].due_at
    follower = services.separate(joined[0], by=city.concierge)
    leading.refresh_from_db()
    assert (follower.state, follower.leading_id, follower.due_at, leading.joined_count) == ("received", None, due, 1)


def test_joining_a_joined_request_follows_its_leader(city: City) -> None:
    leading, joined = family(city)
    third = services.join(city.file(), leading=joined[0], by=city.concierge)
    assert third.leading_id == leading.pk


def test_a_request_follows_neither_itself_nor_an_ended_one_nor_while_it_leads(city: City) -> None:
    leading, _ = family(city)
    lonely = city.file()
    with pytest.raises(Invalid):
        services.join(lonely, leading=lonely, by=city.concierge)
    with pytest.raises(Conflict, match="leads 2 others"):
        services.join(leading, leading=lonely, by=city.concierge)
    with pytest.raises(Conflict, match="no longer being worked on"):
        services.join(lonely, leading=city.done(leading), by=city.concierge)


@pytest.mark.django_db(transaction=True)
def test_joining_each_to_the_other_at_once_joins_one() -> None:
    city = make_city()
    for _ in range(10):
        one, other = city.file(), city.file()
        outcomes = at_once([partial(_joined, city, one, other), partial(_joined, city, other, one)])
        assert set(outcomes) == {"ok", "refused"}


def _joined(city: City, request: Request, leading: Request) -> str:
    try:
        services.join(request, leading=leading, by=city.concierge)
    except (Conflict, Invalid):
        return "refused"
    return "ok"


@pytest.mark.django_db(transaction=True)
def test_who_finds_it_joined_meanwhile_lets_go_before_holding_the_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held the other way round, whoever holds the leading request and wants its followers would wait for ever."""
    city = make_city()
    request, leading = city.file(), city.file()
    lock, seen = access.lock, list[int]()

    def others_come_first(request_id: int, *, by: Actor) -> Request:
        if not seen:
            at_once([partial(_joined, city, request, leading)])
        seen.append(request_id)
        if request_id == leading.pk:
            assert at_once([partial(_is_free, request)]) == [True]
        return lock(request_id, by=by)

    def join_unwatched(request_id: int, *, by: Actor) -> Request:
        return (others_come_first if threading.current_thread() is here else lock)(request_id, by=by)

    here = threading.current_thread()
    monkeypatch.setattr(access, "lock", join_unwatched)
    services.separate(request, by=city.concierge)
    assert seen == [request.pk, leading.pk, request.pk]


def _is_free(request: Request) -> bool:
    with transaction.atomic():
        return Request.objects.select_for_update(skip_locked=True).filter(pk=request.pk).exists()


def test_the_yes_of_one_reporter_counts_after_another_was_erased(city: City) -> None:
    leading, joined = family(city)
    leading = city.done(leading)
    services.confirm(joined[0], by=city.concierge)
    services.erase_words([leading.resident_id or 0], by=city.system)
    services.confirm(joined[1], by=city.concierge)
    assert services.confirm(leading, by=city.concierge).state == "closed"


def test_an_older_view_of_a_joined_request_does_not_say_yes(city: City) -> None:
    leading, joined = family(city)
    city.done(leading)
    with pytest.raises(Conflict, match="changed meanwhile"):
        services.confirm(joined[0], by=city.concierge, version=1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_joining_disputing_and_resolving_at_once_never_deadlocks_nor_miscounts() -> None:
    city = make_city()
    leading = city.file(resident=reporter(city))
    services.add_evidence(leading, Proof(kind=EvidenceKind.PHOTO, reference="p1"), by=city.system)
    others = [city.file(resident=reporter(city)) for _ in range(12)]

    def attempt(number: int) -> str:
        try:
            services.join(others[number], leading=leading, by=city.concierge)
            if number % 3 == 0:
                services.separate(others[number], by=city.concierge)
            if number % 4 == 0:
                services.resolve(leading, outcome="filled", by=city.system)
        except Conflict:
            return "conflict"
        return "ok"

    outcomes = at_once([partial(attempt, n) for n in range(12)])
    assert set(outcomes) <= {"ok", "conflict"}
    leading.refresh_from_db()
    assert leading.joined_count == Request.objects.filter(leading=leading).count()
