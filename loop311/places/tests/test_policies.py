from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.places.policies import (
    Parts,
    are_degrees,
    block_text,
    box_around,
    distance_metres,
    is_position,
    normalise,
    parse,
    spellings,
    to_block,
)

latitudes = st.floats(-80, 80)
longitudes = st.floats(-179, 179)


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("412 Elm Street", "412 elm st"),
        ("  412  ELM st. ", "412 elm st"),
        ("North Élm Avenue", "n elm ave"),
        ("Elm St and Third Ave", "elm st & 3rd ave"),
        ("Elm @ 3rd", "elm & 3rd"),
        ("elm/third", "elm & 3rd"),
        ("elm &", "elm"),
        ("O'Brien Rd", "obrien rd"),
        ("O\u2019Brien Rd", "obrien rd"),
        ("!!!", ""),
    ],
)
def test_one_address_has_one_spelling(written: str, searched: str) -> None:
    assert normalise(written) == searched


@given(st.text(max_size=80))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_a_word_being_typed_may_become_its_short_form() -> None:
    assert spellings("stre") == {"stre", "st"}
    assert spellings("e") == {"e"}


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 91.0])
def test_what_cannot_be_degrees_is_no_position(odd: float) -> None:
    assert not are_degrees(odd, 0.5)
    assert not is_position(odd, 0.5)
    assert not is_position(0.0, 0.0)
    assert is_position(29.4, -98.5)


def test_distances_are_those_of_the_sphere() -> None:
    assert distance_metres(0, 0, 0, 180) == pytest.approx(math.pi * 6_371_008.8)
    assert distance_metres(42.0, -71.0, 42.001, -71.0) == pytest.approx(111.195, rel=1e-3)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_the_same_both_ways_and_none_to_oneself(a: float, b: float, c: float, d: float) -> None:
    assert distance_metres(a, b, c, d) == pytest.approx(distance_metres(c, d, a, b))
    assert distance_metres(a, b, a, b) == 0


@given(latitudes, st.floats(-170, 170), st.floats(1, 1000), st.floats(0, 2 * math.pi))
def test_the_box_holds_the_whole_circle(latitude: float, longitude: float, metres: float, angle: float) -> None:
    south, west, north, east = box_around(latitude, longitude, metres)
    up = math.degrees(metres / 6_371_008.8)
    point = latitude + up * math.sin(angle), longitude + up * math.cos(angle) / math.cos(math.radians(latitude))
    if distance_metres(latitude, longitude, *point) <= metres:
        assert south <= point[0] <= north
        assert west <= point[1] <= east


@given(latitudes, longitudes)
def test_a_block_is_near_and_the_same_for_its_neighbours(latitude: float, longitude: float) -> None:
    block = to_block(latitude, longitude)
    assert to_block(*block) == block
    assert distance_metres(latitude, longitude, *block) < 160


def test_a_block_has_no_house_number() -> None:
    assert block_text("412 Elm St") == "400 block of Elm St"
    assert block_text("7B Elm St") == "0 block of Elm St"
    assert block_text("Elm St & 3rd Ave") == "Elm St & 3rd Ave"


def test_usaddress_tells_the_parts() -> None:
    assert parse("412 N Elm St Apt 3, Millbrook, TX 75001") == Parts(
        number="412", street="N Elm St", unit="Apt 3", city="Millbrook", state="TX", postcode="75001"
    )
    crossing = parse("Elm St and 3rd Ave")
    assert (crossing.street, crossing.crossing) == ("Elm St", "3rd Ave")


@given(st.text(max_size=400))
def test_no_text_is_too_odd_to_parse(text: str) -> None:
    assert isinstance(parse(text), Parts)
