"""What of a request anybody may see."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.requests.publicity import Place, block, public_address, public_place, public_words, strictest


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Call me at 512-555-0123 or (512) 555 0123", "Call me at [removed] or [removed]"),
        ("write to maria.doe+311@mail.example.org.", "write to [removed]."),
        ("pole 4411 near 1200 Elm, 3 ft deep", "pole 4411 near 1200 Elm, 3 ft deep"),
    ],
)
def test_words_lose_what_reaches_a_person(written: str, shown: str) -> None:
    assert public_words(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<b>Deep</b> hole &amp; <script>alert(1)</script>", "Deep hole & alert(1)"),
        ("one<br/>two</p>three", "one\ntwo\nthree"),
        ("a < b, 3<4, <3 and AT&T &co", "a < b, 3<4, <3 and AT&T &co"),
        ("&lt;b&gt;Deep&amp;lt;/b&amp;gt;", "Deep"),
        ('<img src=x onerror="alert(1)"', '< img src=x onerror="alert(1)"'),
        ("maria&#64;mail.example<b>.org</b>", "[removed]"),
        ("&nbsp;&#12;&#0;", " \ufffd"),
    ],
)
def test_words_lose_their_markup(written: str, shown: str) -> None:
    assert public_words(written).strip(" ") == shown.strip(" ")


@given(st.text(alphabet="<>/!&;#ab r\n=", max_size=60))
def test_no_public_words_are_markup_however_it_is_nested(written: str) -> None:
    shown = public_words(written)
    assert not re.search(r"</?[a-z!]", shown, re.IGNORECASE)
    assert public_words(shown) == shown


@pytest.mark.parametrize("written", ["ask for Maria  Doe inside", "ask for DOE, MARIA inside"])
def test_the_whole_name_of_a_reporter_is_removed_wherever_it_stands(written: str) -> None:
    assert public_words(written, ["", "Maria Doe"]) == "ask for [removed] inside"
    assert public_words("Maria Street, Doeville", ["Maria Doe"]) == "Maria Street, Doeville"


def test_of_two_rules_the_stricter_one_holds() -> None:
    assert strictest("exact", "block") == strictest("block", "exact") == "block"
    assert strictest("hidden", "exact", "block") == "hidden"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1200 Elm St Apt 5, Austin", "1200 Elm St, Austin"),
        ("1200 Elm St, Unit B", "1200 Elm St"),
        ("1200 Elm St #12", "1200 Elm St"),
        ("1200 Elm St Suite # 400", "1200 Elm St"),
        ("Unit Street and Flat Creek Rd", "Unit Street and Flat Creek Rd"),
        ("1200 Elm St, ring 512-555-0123", "1200 Elm St, ring [removed]"),
        ("18476 MIDWAY RD, DALLAS, TX, 75287", "18476 MIDWAY RD, DALLAS, TX, 75287"),
    ],
)
def test_an_address_loses_the_door_behind_which_somebody_lives(written: str, shown: str) -> None:
    assert public_address(written) == shown


def test_a_service_that_is_not_published_exactly_shows_the_block() -> None:
    place = ("1234 Elm Street", 30.26123, -97.74456)
    assert public_place("exact", *place) == Place(*place)
    assert public_place("block", *place) == Place("1200 block of Elm Street", 30.261, -97.745)
    assert public_place("whatever comes", *place) == public_place("block", *place)
    assert public_place("block", "", None, None) == Place("", None, None)


@given(st.integers(0, 99_999), st.text(st.characters(categories=["L", "Nd", "Zs"]), min_size=1).map(str.strip))
def test_a_block_never_tells_the_house(number: int, street: str) -> None:
    shown = block(f"{number} {street}")
    assert not street or shown == f"{number // 100 * 100} block of {street}"
