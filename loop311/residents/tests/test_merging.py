"""Merging two residents, undoing it, and erasing a person."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, actor_of
from loop311.kit.actor import system
from loop311.kit.problems import Conflict, Forbidden, NotFound
from loop311.kit.testing import at_once
from loop311.ledger.models import Event
from loop311.residents import services
from loop311.residents.models import Consent, ContactPoint, Merge, Resident
from loop311.residents.services import PointInput
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


def test_a_merged_resident_is_found_as_the_one_who_stands_for_both() -> None:
    city = a_city()
    kept = a_resident(city, "Ana Lopez", email="ana@example.org")
    gone = a_resident(city, "A. Lopez", mobile="214-555-0123")
    services.merge(kept, gone, by=actor_of(city))
    gone.refresh_from_db()
    assert services.find("2145550123", by=actor_of(city)) == [kept]
    assert services.find("Lopez", by=actor_of(city)) == [kept]
    assert {p.address for p in services.contact_points(gone)} == {"ana@example.org", "+12145550123"}


def test_merges_of_merges_all_lead_to_the_last() -> None:
    city = a_city()
    people = [a_resident(city, f"Ana {n}") for n in range(4)]
    for before, after in itertools.pairwise(people):
        services.merge(after, before, by=system(city.pk))
    first = Resident.objects.get(pk=people[0].pk)
    assert services.standing(first) == people[-1]
    assert services.identity_ids(people[-1]) == sorted(p.pk for p in people)


def test_undoing_restores_both_exactly() -> None:
    city = a_city()
    kept = a_resident(city, "Ana", email="ana@example.org")
    gone = a_resident(city, "Anna", email="anna@example.org")
    services.set_consent(gone, "surveys", given=True, how="phone-1", by=system(city.pk))
    before = _everything()
    services.merge(kept, gone, reason="same address", by=actor_of(city))
    assert services.consents(kept, by=system(city.pk)) == {"surveys": True}
    services.undo_merge(gone, by=actor_of(city))
    assert _everything() == before
    assert services.contact_points(kept)[0].address == "ana@example.org"
    assert services.consents(kept, by=system(city.pk)) == {}


def _everything() -> list[object]:
    residents = Resident.objects.order_by("pk").values("id", "name", "search", "merged_into_id", "language")
    return [list(residents), list(ContactPoint.objects.order_by("pk").values()), list(Consent.objects.values())]


def test_a_merge_in_the_middle_can_be_undone_and_merged_again() -> None:
    city = a_city()
    by = system(city.pk)
    one, two, three = (a_resident(city, f"Ana {n}") for n in range(3))
    services.merge(two, one, by=by)
    services.merge(three, two, by=by)
    services.undo_merge(one, by=by)
    one.refresh_from_db()
    assert services.standing(one) == one
    services.merge(three, one, by=by)
    assert services.identity_ids(three) == [one.pk, two.pk, three.pk]


def test_what_cannot_be_merged_is_told_why() -> None:
    city = a_city()
    by = system(city.pk)
    one, two, three = (a_resident(city, f"Ana {n}") for n in range(3))
    firm = services.create(city, name="Ana & Co", kind="organisation", by=by)
    services.merge(two, one, by=by)
    for kept, gone, word in (
        (one, one, "itself"),
        (three, one, "already"),
        (one, three, "already"),
        (three, firm, "never"),
    ):
        with pytest.raises(Conflict, match=word):
            services.merge(kept, gone, by=by)
        kept.refresh_from_db()
        gone.refresh_from_db()
        assert services.preview_merge(kept, gone, by=by).refusal
    with pytest.raises(Conflict, match="not merged"):
        services.undo_merge(three, by=by)


def test_a_preview_shows_the_result_and_changes_nothing() -> None:
    city = a_city()
    kept, gone = a_resident(city, "Ana", email="ana@example.org"), a_resident(city, "Anna", email="anna@example.org")
    seen = services.preview_merge(kept, gone, by=actor_of(city))
    assert seen.refusal is None
    assert seen.differences == ("name",)
    assert [p.address for p in seen.points] == ["ana@example.org", "anna@example.org"]
    assert not Merge.objects.exists()


def test_nobody_merges_across_cities_nor_without_permission() -> None:
    here, there = a_city(), a_city()
    mine, other = a_resident(here), a_resident(there)
    for kept, gone in ((mine, other), (other, mine)):
        with pytest.raises(NotFound):
            services.merge(kept, gone, by=actor_of(here))
    with pytest.raises(Forbidden):
        services.merge(mine, a_resident(here), by=actor_of(here, Role.AUDITOR))


def test_both_histories_tell_of_the_merge() -> None:
    city = a_city()
    kept, gone = a_resident(city), a_resident(city)
    services.merge(kept, gone, by=actor_of(city))
    services.undo_merge(gone, by=actor_of(city))
    for person in (kept, gone):
        kinds = Event.objects.filter(subject_type="resident", subject_id=person.pk).order_by("sequence")
        assert [e.kind for e in kinds] == ["resident.created", "resident.merged", "resident.merge_undone"]


def test_the_database_itself_refuses_a_circle() -> None:
    city = a_city()
    one, two = a_resident(city), a_resident(city)
    services.merge(two, one, by=system(city.pk))
    with pytest.raises(DatabaseError), transaction.atomic():
        Resident.objects.filter(pk=two.pk).update(merged_into=one)
    with pytest.raises(DatabaseError), transaction.atomic():
        Resident.objects.filter(pk=two.pk).update(merged_into=two)


@pytest.mark.django_db(transaction=True)
def test_merging_each_into_the_other_at_once_merges_once() -> None:
    city = a_city()
    one, two = a_resident(city), a_resident(city)
    outcomes = _at_once(
        lambda: services.merge(one, two, by=system(city.pk)), lambda: services.merge(two, one, by=system(city.pk))
    )
    assert sorted(outcomes) == ["Conflict", "done"]
    assert Merge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_three_merging_in_a_circle_at_once_never_close_it() -> None:
    city = a_city()
    people = [a_resident(city, f"Ana {n}") for n in range(3)]
    by = system(city.pk)
    pairs = [(people[n], people[(n + 1) % 3]) for n in range(3)]
    _at_once(*[lambda pair=pair: services.merge(*pair, by=by) for pair in pairs])
    standing = {services.standing(Resident.objects.get(pk=p.pk)).pk for p in people}
    assert standing
    assert Resident.objects.filter(merged_into__isnull=True).count() == 3 - Merge.objects.count()


@pytest.mark.django_db(transaction=True)
def test_one_who_writes_twice_at_once_is_taken_down_once() -> None:
    city = a_city()
    points = [PointInput("email", "ana@example.org"), PointInput("mobile", "2145550123")]
    write = [
        lambda points=list(order): services.recognise(city, name="Ana", contact_points=points, by=system(city.pk))
        for order in (points, points[::-1]) * 3
    ]
    assert set(_at_once(*write)) == {"done"}
    assert Resident.objects.count() == 1


def _at_once(*calls: Callable[[], object]) -> list[str]:
    """Run all together; each gives 'done' or the name of its problem."""
    results = at_once(calls)
    return [type(r).__name__ if isinstance(r, Exception) else "done" for r in results]


def test_erasing_empties_every_identity_and_keeps_the_rows() -> None:
    city = a_city()
    kept = a_resident(city, "Ana Lopez", email="ana@example.org")
    gone = a_resident(city, "Anna Lopez", mobile="214-555-0123")
    services.merge(kept, gone, reason="Lopez twice", by=system(city.pk))
    ids = services.erase(gone, by=actor_of(city, Role.ADMINISTRATOR))
    assert ids == [kept.pk, gone.pk]
    with connection.cursor() as cursor:
        for table in ("resident", "contactpoint", "consent", "merge"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM residents_{table} t")
            [kept_words] = cursor.fetchone()
            assert not any(word in kept_words for word in ("Lopez", "lopez", "ana@", "5550123"))
    assert services.contact_points(kept) == ()
    assert services.find("Lopez", by=actor_of(city)) == []
    assert Resident.objects.filter(erased_at__isnull=False).count() == 2


def test_an_erased_resident_cannot_be_changed_merged_or_erased_again() -> None:
    city = a_city()
    by = system(city.pk)
    one, two = a_resident(city), a_resident(city)
    services.erase(one, by=by)
    for attempt in (
        lambda: services.update(one, name="Back", by=by),
        lambda: services.merge(two, one, by=by),
        lambda: services.merge(one, two, by=by),
        lambda: services.erase(one, by=by),
    ):
        with pytest.raises(Conflict):
            attempt()


def test_only_an_administrator_erases() -> None:
    city = a_city()
    with pytest.raises(Forbidden):
        services.erase(a_resident(city), by=actor_of(city, Role.SUPERVISOR))
