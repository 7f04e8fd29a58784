"""Taking residents down, changing and finding them."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, actor_of
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.ledger.models import Event
from loop311.residents import services
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.services import PointInput
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


def test_a_resident_has_several_contact_points_each_in_one_spelling() -> None:
    city = a_city()
    resident = services.create(
        city,
        name="Resident",
        contact_points=[
            PointInput("mobile", "(214) 555-0123"),
            PointInput("email", "Me@Example.org"),
            PointInput("mobile", "+1 214 555 0123"),
        ],
        by=system(city.pk),
    )
    assert resident.language == "en"
    assert [(p.kind, p.address) for p in services.contact_points(resident)] == [
        ("mobile", "+12145550123"),
        ("email", "me@example.org"),
    ]


@pytest.mark.parametrize(
    ("point", "field"),
    [
        (PointInput("email", "nobody"), "contact_points.0.address"),
        (PointInput("phone", "911"), "contact_points.0.address"),
        (PointInput("pigeon", "loft"), "contact_points.0.kind"),
    ],
)
def test_an_address_nobody_can_be_reached_at_is_named_and_nobody_is_taken_down(point: PointInput, field: str) -> None:
    city = a_city()
    with pytest.raises(Invalid) as caught:
        services.create(city, name="Resident", contact_points=[point], by=system(city.pk))
    assert [f.field for f in caught.value.fields] == [field]
    assert not Resident.objects.exists()


def test_nobody_nameless_and_unreachable_is_taken_down() -> None:
    city = a_city()
    with pytest.raises(Invalid):
        services.create(city, by=system(city.pk))


def test_a_stale_change_is_told_and_changes_nothing() -> None:
    city = a_city()
    resident = a_resident(city)
    services.update(resident, name="First", version=1, by=system(city.pk))
    with pytest.raises(Conflict) as caught:
        services.update(resident, name="Second", version=1, by=system(city.pk))
    assert caught.value.extra == {"version": 2}
    resident.refresh_from_db()
    assert resident.name == "First"


def test_a_change_that_changes_nothing_leaves_no_trace() -> None:
    city = a_city()
    resident = a_resident(city)
    services.update(resident, name=resident.name, by=system(city.pk))
    assert Event.objects.filter(subject_type="resident").count() == 1


def test_the_diary_holds_no_word_of_a_resident() -> None:
    city = a_city()
    resident = a_resident(city, "Zebulon", email="zebulon@example.org", mobile="214-555-0123")
    services.update(resident, name="Yolanda", address="9 Secret St", note="dog", by=system(city.pk))
    services.set_consent(resident, "surveys", given=True, how="phone-2026-01", by=system(city.pk))
    told = "".join(Event.objects.values_list("body", flat=True))
    for word in ("Zebulon", "zebulon", "555", "Yolanda", "Secret", "dog"):
        assert word not in told


@pytest.mark.parametrize("words", ["2145550123", "ANA@example.org", "Ana Lopez", "ana lopes", "elm st", "412 Elm"])
def test_a_resident_is_found_by_number_address_and_almost_by_name(words: str) -> None:
    city = a_city()
    ana = a_resident(city, "Ana López", email="ana@example.org", mobile="214-555-0123")
    services.update(ana, address="412 Elm St", by=system(city.pk))
    a_resident(city, "Somebody Else", email="else@example.org")
    assert services.find(words, by=actor_of(city)) == [ana]


def test_another_citys_residents_are_never_found() -> None:
    here, there = a_city(), a_city()
    stranger = a_resident(there, "Ana López", email="ana@example.org")
    assert services.find("Ana López", by=actor_of(here)) == []
    assert services.find("ana@example.org", by=actor_of(here)) == []
    with pytest.raises(NotFound):
        services.get(stranger.pk, by=actor_of(here))
    with pytest.raises(NotFound):
        services.update(stranger, name="Mine", by=actor_of(here))


def test_finding_takes_the_same_queries_whatever_is_found(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    city = a_city()
    who = actor_of(city)
    for number in range(12):
        a_resident(city, "Ana", email=f"ana{number}@example.org")
        if number in (2, 11):  # fewer than three also look for slips
            with django_assert_num_queries(4):
                assert len(services.find("Ana", by=who)) == number + 1


def test_two_letters_would_find_everybody_so_they_are_refused() -> None:
    city = a_city()
    with pytest.raises(Invalid):
        services.find("an", by=actor_of(city))


def test_who_writes_again_is_recognised() -> None:
    city = a_city()
    points = [PointInput("email", "ana@example.org")]
    first = services.recognise(city, name="Ana", contact_points=points, by=system(city.pk))
    assert services.recognise(city, name="ANA", contact_points=points, by=system(city.pk)) == first
    assert services.recognise(city, contact_points=points, by=system(city.pk)) == first
    assert services.recognise(city, name="Benito", contact_points=points, by=system(city.pk)) != first


def test_a_resident_may_change_himself_and_nobody_else() -> None:
    city = a_city()
    me, other = a_resident(city), a_resident(city)
    myself = Actor(ActorKind.RESIDENT, city.pk, me.pk)
    services.update(me, name="Me", by=myself)
    with pytest.raises(NotFound):
        services.update(other, name="Me", by=myself)


def test_an_auditor_reads_and_does_not_write() -> None:
    city = a_city()
    resident, auditor = a_resident(city), actor_of(city, Role.AUDITOR)
    assert services.get(resident.pk, by=auditor) == resident
    with pytest.raises(Forbidden):
        services.update(resident, name="Other", by=auditor)


def test_the_newest_word_on_a_purpose_counts() -> None:
    city = a_city()
    resident = a_resident(city)
    services.set_consent(resident, "surveys", given=True, how="phone-1", by=system(city.pk))
    services.set_consent(resident, "outreach", given=True, how="phone-1", by=system(city.pk))
    services.set_consent(resident, "surveys", given=False, how="web-2", by=system(city.pk))
    assert services.consents(resident, by=system(city.pk)) == {"surveys": False, "outreach": True}


def test_consent_is_written_in_codes_only() -> None:
    city = a_city()
    with pytest.raises(Invalid):
        services.set_consent(a_resident(city), "surveys", given=True, how="She said yes!", by=system(city.pk))


def test_contact_points_come_and_go_and_every_change_raises_the_version() -> None:
    city = a_city()
    by = system(city.pk)
    resident = a_resident(city, email="one@example.org")
    added = services.add_contact_point(resident, PointInput("mobile", "214-555-0123", is_preferred=True), by=by)
    again = services.add_contact_point(resident, PointInput("mobile", "2145550123"), by=by)
    assert again == added
    assert services.contact_points(resident)[0].id == added.pk
    first = ContactPoint.objects.get(address="one@example.org")
    services.set_preferred(first, by=by)
    services.remove_contact_point(added, by=by)
    services.unsubscribe(first, by=by)
    services.verify_contact_point(first, by=by)
    [left] = services.contact_points(resident)
    assert (left.id, left.is_unsubscribed, left.is_preferred, left.is_verified) == (first.pk, True, True, True)
    services.resubscribe(first, by=by)
    assert not services.contact_points(resident)[0].is_unsubscribed
    resident.refresh_from_db()
    assert resident.version == 7
    assert Event.objects.filter(subject_type="resident", subject_id=resident.pk).count() == 7


def test_a_removed_point_can_be_added_again() -> None:
    city = a_city()
    resident = a_resident(city, email="one@example.org")
    point = ContactPoint.objects.get()
    services.remove_contact_point(point, by=system(city.pk))
    again = services.add_contact_point(resident, PointInput("email", "one@example.org"), by=system(city.pk))
    assert again.pk != point.pk
