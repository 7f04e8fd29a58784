"""Who is calling: found by whatever is known, with everything the desk needs, in one city, in the same number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_secret, bearer
from loop311.callbacks.testing import a_callback
from loop311.desk.access import Desk
from loop311.desk.callers import Caller, caller, callers
from loop311.interactions import services as interactions
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden
from loop311.kit.testing import same_number_of_queries
from loop311.requests.testing import City, acting, employ, make_city
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> City:
    return make_city()


def desk_of(city: City, role: Role = Role.CONCIERGE, name: str = "taker") -> Desk:
    staff = employ(city.jurisdiction, name, role)
    return Desk(city.jurisdiction, staff, acting(staff), (city.jurisdiction,))


def only(found: list[Caller]) -> Caller:
    assert len(found) == 1, [each.resident.name for each in found]
    return found[0]


def test_a_caller_comes_with_everything_at_once(city: City) -> None:
    ana = a_resident(city.jurisdiction, "Ana López", mobile="214-555-0123", email="ana@example.org", language="es")
    residents.set_consent(ana, "surveys", given=True, how="phone-1", by=city.system)
    request = city.file(resident=ana, at=now())
    ended = city.file(resident=ana, at=now())
    city.done(ended, at=now())
    callback = a_callback(city.jurisdiction, resident=ana, request=request, reason="the crew's answer")
    found = only(callers(desk_of(city), "214 555 0123"))
    assert (found.resident, found.why, found.what, found.language) == (ana, "phone", "+12145550123", "es")
    assert [point.kind for point in found.points] == ["email", "mobile"]
    assert found.consents == {"surveys": True}
    assert [(each.number, each.is_open, each.is_late) for each in found.requests][-1] == (request.number, True, False)
    assert found.requests[-1].due_at == request.due_at
    assert found.requests[-1].sentence == "Tenemos su solicitud."
    assert found.requests[-1].service == "Pothole"
    assert [(each.id, each.reason) for each in found.callbacks] == [(callback.pk, "the crew's answer")]
    assert len(found.contacts) == 3
    assert found.last_at == found.contacts[0].at


@pytest.mark.parametrize("form", ["{}", "{short}", "{bare}"])
def test_a_request_s_number_tells_whose_it_is_open_or_not(city: City, form: str) -> None:
    ana = a_resident(city.jurisdiction, "Ana")
    number = city.done(city.file(resident=ana)).number
    typed = form.format(number, short=f"{number[:3]}{int(number[3:])}", bare=number.replace("-", ""))
    found = only(callers(desk_of(city), typed))
    assert (found.resident, found.why, found.what) == (ana, "number", number)
    assert found.asked_about is not None
    assert found.asked_about.state == "done"


def test_an_anonymous_request_s_number_finds_nobody(city: City) -> None:
    assert callers(desk_of(city), city.file().number) == []


@pytest.mark.parametrize("typed", ["412 Elm Street", "412 elm", "412 Eml St", "412 el"])
def test_an_address_finds_who_asked_there_and_who_lives_there(city: City, typed: str) -> None:
    asked = a_resident(city.jurisdiction, "Asked there")
    city.file(resident=asked, address="412 Elm St")
    city.file(resident=a_resident(city.jurisdiction, "Elsewhere"), address="4120 Elm St")
    city.file(address="412 Elm St")
    lives = a_resident(city.jurisdiction, "Lives there")
    residents.update(lives, address="412 Elm Street", by=city.system)
    found = {each.resident.name: each.why for each in callers(desk_of(city), typed)}
    assert found == {"Asked there": "asked_at", "Lives there": "address"}


def test_a_merged_caller_is_the_one_who_stands_for_all(city: City) -> None:
    kept, gone = (
        a_resident(city.jurisdiction, "Ana Lopez"),
        a_resident(city.jurisdiction, "A. Lopes", mobile="214-555-0123"),
    )
    old = city.file(resident=gone, at=now())
    residents.merge(kept, gone, by=city.system)
    new = city.file(resident=kept, at=now() + timedelta(minutes=1))
    for text in ("0123", "Lopez", old.number):
        found = only(callers(desk_of(city, name=text), text))
        assert found.resident == kept
        assert [each.number for each in found.requests] == [new.number, old.number]
        assert found.identities == (kept.pk, gone.pk)
    assert caller(desk_of(city), gone.pk) == caller(desk_of(city, name="b"), kept.pk)


def test_among_equals_whoever_was_in_touch_last_comes_first(city: City) -> None:
    people = [a_resident(city.jurisdiction, "Ana Lopez") for _ in range(3)]
    interactions.begin(city.jurisdiction, "phone", resident=people[1], by=city.system)
    assert [each.resident for each in callers(desk_of(city), "Ana Lopez", limit=2)] == [people[1], people[2]]


def test_the_last_contacts_are_five_and_the_newest_first(city: City) -> None:
    ana = a_resident(city.jurisdiction, "Ana Lopez")
    for hours in (1, 7, 3, 5, 2, 9):
        interactions.begin(city.jurisdiction, "phone", resident=ana, by=city.system, at=now() - timedelta(hours=hours))
    found = only(callers(desk_of(city), "Ana Lopez")).contacts
    assert len(found) == 5
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)


def test_nobody_of_another_city_is_found(city: City) -> None:
    there = make_city("otherville")
    stranger = a_resident(there.jurisdiction, "Ana Lopez", mobile="214-555-0123", email="ana@example.org")
    theirs = [there.file(resident=stranger, address="412 Elm St") for _ in range(3)][-1]
    for text in ("Ana Lopez", "0123", "2145550123", "ana@example.org", "412 Elm St", theirs.number):
        assert callers(desk_of(city, name=text), text) == []
    assert caller(desk_of(city), stranger.pk) is None


def test_an_erased_caller_is_not_found(city: City) -> None:
    ana = a_resident(city.jurisdiction, "Ana Lopez", mobile="214-555-0123")
    request = city.file(resident=ana, address="412 Elm St")
    residents.erase(ana, by=city.system)
    for text in ("Ana Lopez", "0123", "412 Elm St", request.number):
        assert callers(desk_of(city, name=text), text) == []


@pytest.mark.parametrize("text", ["", "  ", "a", "12", "\x00", "%", "@", "-", "26-", "' OR 1=1 --", "x" * 5000])
def test_odd_words_find_nobody_and_break_nothing(city: City, text: str) -> None:
    a_resident(city.jurisdiction, "Ana Lopez", mobile="214-555-0123", email="ana@example.org")
    assert callers(desk_of(city), text) == []


def test_what_may_not_be_read_is_not_told(city: City) -> None:
    a_resident(city.jurisdiction, "Ana Lopez", mobile="214-555-0123")
    nobody = Actor(ActorKind.STAFF, city.jurisdiction.pk, 1)
    desk = desk_of(city)
    with pytest.raises(Forbidden):
        callers(Desk(desk.city, desk.staff, nobody, desk.cities), "Ana Lopez")
    little = Actor(ActorKind.STAFF, city.jurisdiction.pk, 1, frozenset({"residents.read"}))
    city.file(resident=Resident.objects.get())
    found = only(callers(Desk(desk.city, desk.staff, little, desk.cities), "Ana Lopez"))
    assert (found.requests, found.contacts, found.callbacks) == ((), (), ())


@pytest.mark.parametrize("text", ["Ana Lopez", "ana lopes", "0123", "ana@exa", "412 Elm"])
def test_the_number_of_queries_does_not_depend_on_what_is_found(city: City, text: str) -> None:
    desk = desk_of(city)

    def one_more() -> None:
        ana = a_resident(city.jurisdiction, "Ana Lopez", mobile="214-555-0123", email="ana@example.org")
        residents.update(ana, address="412 Elm St", by=system(city.jurisdiction.pk))
        residents.merge(ana, a_resident(city.jurisdiction, "Ana Lopez"), by=city.system)
        for _ in range(3):
            city.file(resident=ana, address="412 Elm St")
        a_callback(city.jurisdiction, resident=ana)

    def more() -> None:
        for _ in range(5):
            one_more()

    more()
    count = same_number_of_queries(lambda: callers(desk, text), more)
    assert count <= 18


def test_another_system_asks_who_is_calling(city: City) -> None:
    ana = a_resident(city.jurisdiction, "Ana López", mobile="214-555-0123", language="es")
    request = city.file(resident=ana, at=now())
    headers = bearer(a_secret(city.jurisdiction, ["residents.read", "requests.read", "interactions.read"]))
    answer = Client().get("/api/v1/residents/find?q=%2B1 214 555 0123", headers=headers)
    assert answer.status_code == 200, answer.content
    [found] = answer.json()["items"]
    assert (found["resident"], found["why"], found["language"]) == (ana.pk, "phone", "es")
    assert [(each["number"], each["sentence"]) for each in found["requests"]] == [
        (request.number, "Tenemos su solicitud.")
    ]
    assert [each["channel"] for each in found["contacts"]] == ["phone"]
    assert found["callbacks"] == []
    assert Client().get("/api/v1/residents/find?q=ab", headers=headers).json() == {"items": []}
    less = bearer(a_secret(city.jurisdiction, ["requests.read"]))
    assert Client().get("/api/v1/residents/find?q=0123", headers=less).status_code == 403
