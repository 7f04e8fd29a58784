"""Who may be meant: any spelling of a number, slips of the finger in a name, within one city."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from loop311.accounts.testing import a_city
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.residents import queries, services
from loop311.residents.models import Resident
from loop311.residents.policies import LEAST_ALIKE, indexed, likeness, slips, swapped
from loop311.residents.queries import Why
from loop311.residents.testing import a_resident

words = st.text(st.characters(categories=["Ll"], max_codepoint=127), min_size=1, max_size=12)


@pytest.fixture
def city() -> Jurisdiction:
    return a_city()


def found(city: Jurisdiction, text: str) -> list[tuple[str, str]]:
    names = dict(Resident.objects.values_list("pk", "name"))
    return [(names[m.resident_id], m.why.value) for m in queries.matching(city.pk, text)]


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "spelling", ["2145550123", "(214) 555-0123", "214.555.0123", "+1 214 555 0123", "1-214-555-0123", "214-555-0123 x9"]
)
def test_a_telephone_number_is_found_in_any_spelling(city: Jurisdiction, spelling: str) -> None:
    a_resident(city, "Ana", mobile="214-555-0123")
    a_resident(city, "Other area", mobile="972-555-0123")
    assert found(city, spelling) == [("Ana", "phone")]


@pytest.mark.parametrize("end", ["0123", "50123", "550123", "5550123", "555-0123"])
def test_the_last_digits_are_enough(city: Jurisdiction, end: str) -> None:
    a_resident(city, "Ana", mobile="214-555-0123")
    a_resident(city, "Benito", mobile="214-555-0124")
    assert found(city, end) == [("Ana", "phone_end")]


def test_three_digits_find_nobody_by_number(city: Jurisdiction) -> None:
    a_resident(city, "Ana", mobile="214-555-0123")
    assert found(city, "123") == []


def test_a_mistaken_area_code_still_shows_who_has_the_rest(city: Jurisdiction) -> None:
    a_resident(city, "Ana", mobile="214-555-0123")
    assert found(city, "972-555-0123") == [("Ana", "phone_end")]


@pytest.mark.parametrize("typed", ["ana.lopez@example.org", "ANA.LOPEZ@EXAMPLE.ORG"])
def test_an_e_mail_address_is_found_whole(city: Jurisdiction, typed: str) -> None:
    a_resident(city, "Ana", email="ana.lopez@example.org")
    a_resident(city, "Nearly", email="ana.lopez2@example.org")
    assert found(city, typed) == [("Ana", "email")]


@pytest.mark.parametrize("typed", ["ana.lopez@", "ana.lopez@exa", "ana.lopez@exmaple.org", "ana.lopes@example.org"])
def test_an_e_mail_address_is_found_while_it_is_typed_or_mistyped(city: Jurisdiction, typed: str) -> None:
    a_resident(city, "Ana", email="ana.lopez@example.org")
    assert ("Ana", "email_like") in found(city, typed)


def test_signs_that_mean_something_to_the_database_mean_nothing_here(city: Jurisdiction) -> None:
    a_resident(city, "Ana", email="ana@example.org", mobile="214-555-0123")
    for text in ("%%%%@", "a%%@example.org", "___@", "\\\\\\@x", "%%%%", "____", "'; --", "\\%\\%\\%"):
        assert found(city, text) == []


@pytest.mark.parametrize(
    "typed", ["Ana López", "lopez ana", "ANA LOP", "ana lopes", "aan lopez", "lópez", "lopze", "ana lpez", "ann lopez"]
)
def test_a_name_is_found_in_any_order_half_typed_or_mistyped(city: Jurisdiction, typed: str) -> None:
    a_resident(city, "Ana López")
    a_resident(city, "Somebody Else")
    assert [name for name, _why in found(city, typed)] == ["Ana López"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Sean O'Brien", "obrien"), ("Sean O\u2019Brien", "o'brien"), ("Łukasz Bjørn", "lukasz bjorn"), ("王伟", "王伟")],
)
def test_names_of_every_sort_are_found(city: Jurisdiction, name: str, typed: str) -> None:
    a_resident(city, name)
    assert found(city, typed) == [(name, "name")]


def test_a_mistyped_name_is_looked_for_in_the_index_and_nothing_after_it_is_told_so(city: Jurisdiction) -> None:
    a_resident(city, "Ana López")
    with CaptureQueriesContext(connection) as asked:
        assert found(city, "ana lopes")
    settings = [each["sql"] for each in asked if "enable_seqscan" in each["sql"]]
    assert ["'off'" in sql for sql in settings] == [True, False]
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


def test_the_likelier_name_comes_first(city: Jurisdiction) -> None:
    for name in ("Marian Garcia", "Maria Garcia", "Mario Garzia"):
        a_resident(city, name)
    by_name = [name for name, _why in found(city, "maria garcia")]
    assert by_name == ["Maria Garcia", "Marian Garcia"]
    thorough = queries.matching(city.pk, "maria garcia", thorough=True)
    assert [match.what for match in thorough] == [*by_name, "Mario Garzia"]


def test_a_house_number_is_whole_and_never_nearly_another(city: Jurisdiction) -> None:
    for name, number in (("Ana", "12"), ("Benito", "1204"), ("Carla", "13")):
        person = a_resident(city, name)
        services.update(person, address=f"{number} Elm Street", by=system(city.pk))
    assert found(city, "12 elm") == [("Ana", "address")]
    assert found(city, "12 eml") == [("Ana", "address")]
    assert found(city, "1204 elm") == [("Benito", "address")]


def test_another_citys_people_are_never_found(city: Jurisdiction) -> None:
    there = a_city()
    stranger = a_resident(there, "Ana López", email="ana@example.org", mobile="214-555-0123")
    for text in ("Ana López", "ana lopes", "ana@example.org", "ana@exampel.org", "2145550123", "0123"):
        assert found(city, text) == []
    assert queries.standing_for(city.pk, [stranger.pk]) == {}
    assert queries.known(city.pk, [stranger.pk]) == []


def test_what_was_removed_or_erased_finds_nobody(city: Jurisdiction) -> None:
    by = system(city.pk)
    ana = a_resident(city, "Ana", mobile="214-555-0123")
    services.remove_contact_point(ana.contact_points.get(), by=by)
    assert found(city, "0123") == []
    services.erase(ana, by=by)
    assert found(city, "Ana") == []
    assert queries.standing_for(city.pk, [ana.pk]) == {}


def test_merged_people_are_one_with_all_their_points_and_words(city: Jurisdiction) -> None:
    by = system(city.pk)
    one, two, three = (a_resident(city, f"Ana {n}", mobile=f"214-555-012{n}") for n in range(3))
    services.set_consent(one, "surveys", given=True, how="phone-1", by=by)
    services.set_consent(two, "surveys", given=False, how="phone-1", by=by)
    services.merge(two, one, by=by)
    services.merge(three, two, by=by)
    assert queries.standing_for(city.pk, [one.pk, two.pk, three.pk]) == dict.fromkeys(
        [one.pk, two.pk, three.pk], three.pk
    )
    [known] = queries.known(city.pk, [three.pk])
    assert known.identities == (one.pk, two.pk, three.pk)
    assert {p.address for p in known.points} == {f"+1214555012{n}" for n in range(3)}
    assert known.consents == {"surveys": False}
    assert known.points == services.contact_points(three)


def test_looking_for_slips_leaves_the_databases_threshold_as_it_was(city: Jurisdiction) -> None:
    queries.by_words(city.pk, "nobody at all")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('pg_trgm.word_similarity_threshold')")
        assert cursor.fetchone() == ("0.6",)


# --- How alike ---------------------------------------------------------------------------------------------------------


@given(words, words)
def test_slips_count_the_same_both_ways_and_none_means_the_same(one: str, other: str) -> None:
    assert slips(one, other) == slips(other, one)
    assert (slips(one, other) == 0) == (one == other)
    assert slips(one, other) <= max(len(one), len(other))


@given(words)
def test_a_swap_of_neighbours_is_one_slip(word: str) -> None:
    assert all(slips(word, other) <= 1 for other in swapped(word))
    assert swapped(word)[0] == word


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, max_size=6))
def test_likeness_is_a_share_and_whole_for_the_words_themselves(typed: list[str], written: list[str]) -> None:
    assert 0 <= likeness(typed, written) <= 1
    assert likeness(typed, typed) == 1.0
    assert likeness(typed, written) == 0 or likeness(typed, written) >= LEAST_ALIKE


def test_what_is_indexed_begins_every_word_with_a_space() -> None:
    assert indexed("Ana", "9 Elm St") == " ana 9 elm st "
    assert indexed("", " ") == ""


def test_every_reason_of_this_room_is_known_by_its_code() -> None:
    assert {why.value for why in Why} == {
        "phone", "phone_end", "email", "email_like", "name", "name_like", "address"
    }  # fmt: skip


def test_in_a_city_of_another_country_numbers_are_read_and_found_as_they_are_written_there() -> None:
    city = create("camden", name="Camden", time_zone="Europe/London", country="GB")
    person = a_resident(city, mobile="07400 123456")
    assert person.contact_points.get().address == "+447400123456"
    assert [match.resident_id for match in queries.by_phone(city.pk, "(07400) 123-456")] == [person.pk]
