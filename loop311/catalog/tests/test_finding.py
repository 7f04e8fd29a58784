"""A caller's words into services: tolerant of typing, in all languages, ranked, never a historical one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.catalog.files import STARTER, read
from loop311.catalog.finding import Finder, words_of
from loop311.catalog.testing import edited, small_catalogue

STARTERS = read(STARTER).catalogue
FINDER = Finder.of(STARTERS)


def best(words: str) -> str:
    found = FINDER.find(words)
    return found[0].code if found else ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("pothole", "pothole"),
        ("there is a pot hole on my street", "pothole"),
        ("streetlight out", "street_light"),
        ("my trash wasn't picked up", "missed_garbage"),
        ("dead cat on the road", "dead_animal"),
        ("barking dog next door", "animal_nuisance"),
        ("tall grass at the vacant lot", "high_weeds"),
        ("storm drain blocked", "storm_drain"),
        ("stop sign down", "stop_sign_down"),
        ("bache", "pothole"),
        ("un animal muerto", "dead_animal"),
        ("fuga de agua", "water_main_break"),
    ],
)
def test_a_callers_words_find_the_service_in_either_language(words: str, code: str) -> None:
    assert best(words) == code


@pytest.mark.parametrize("typed", ["poth", "potole", "potholle", "ptohole", "pothoel", "POTHÓLE", "potholes"])
def test_beginnings_endings_accents_and_mistyped_letters_are_forgiven(typed: str) -> None:
    assert best(typed) == "pothole"


def test_only_the_last_word_may_be_a_beginning() -> None:
    assert best("graff") in ("graffiti_public", "graffiti_private")
    assert not FINDER.find("graff zzzz")


def test_words_that_fit_nothing_find_nothing() -> None:
    assert not FINDER.find("elephant")
    assert not FINDER.find("")
    assert not FINDER.find("?!  ...")
    assert not FINDER.find("xq")


def test_a_keyword_said_as_a_whole_comes_before_parts_of_others() -> None:
    assert [best("loose dog"), best("dead dog"), best("barking dog")] == [
        "animal_loose",
        "dead_animal",
        "animal_nuisance",
    ]


def test_a_historical_service_is_never_found() -> None:
    assert [found.code for found in Finder.of(small_catalogue()).find("bache")] == ["pothole"]
    old = edited(small_catalogue(), "services.pothole", historical=True)
    assert Finder.of(old).find("bache") == []


def test_every_service_is_the_first_found_by_its_own_name() -> None:
    """In both languages; two names that share all their words may change places."""
    missed = [
        (service.code, name)
        for service in STARTERS.services
        for name in service.names.values()
        if service.code not in [found.code for found in FINDER.find(name)[:2]]
    ]
    assert missed == []


def test_a_catalogue_without_services_finds_nothing() -> None:
    assert Finder.of(msgspec.structs.replace(small_catalogue(), services=())).find("pothole") == []


def test_words_are_folded() -> None:
    assert words_of("Árbol caído, ÑANDÚ don't O'Neil\u2019s") == ["arbol", "caido", "nandu", "dont", "oneils"]


@given(st.text(max_size=300), st.integers(min_value=1, max_value=20))
def test_whatever_is_typed_the_answer_is_short_ranked_and_offered(words: str, limit: int) -> None:
    found = FINDER.find(words, limit)
    assert len(found) <= limit
    assert {each.code for each in found} <= {service.code for service in STARTERS.services}
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


@given(st.sampled_from([name for s in STARTERS.services for name in s.names.values() if len(name) > 9]), st.data())
def test_one_mistyped_letter_in_a_long_name_still_finds_it(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(min_value=0, max_value=len(name) - 1))
    code = next(service.code for service in STARTERS.services if name in service.names.values())
    typed = name[:place] + "x" + name[place + 1 :]
    assert code in [found.code for found in FINDER.find(typed)]
