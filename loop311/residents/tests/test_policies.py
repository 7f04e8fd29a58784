"""How addresses are written, and what merging means, as pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.residents.policies import (
    Person,
    Point,
    combined,
    is_language,
    merge_refusal,
    normalise_email,
    normalise_phone,
    preview,
    same_name,
    searchable,
)

points = st.builds(
    Point,
    id=st.integers(1, 99),
    kind=st.sampled_from(["email", "phone", "mobile"]),
    address=st.sampled_from(["a@x.org", "b@x.org", "+12145550123"]),
    is_preferred=st.booleans(),
    may_notify=st.booleans(),
    is_unsubscribed=st.booleans(),
    is_verified=st.booleans(),
)
people = st.builds(
    Person,
    id=st.integers(1, 9),
    kind=st.sampled_from(["person", "organisation"]),
    name=st.text(max_size=5),
    language=st.sampled_from(["en", "es"]),
    address=st.text(max_size=5),
    is_erased=st.booleans(),
    merged_into=st.none() | st.integers(1, 9),
    points=st.lists(points, max_size=4).map(tuple),
)


@given(st.emails() | st.text())
def test_writing_an_email_address_twice_the_right_way_changes_nothing(text: str) -> None:
    once = normalise_email(text)
    assert once is None or normalise_email(once) == once


@given(st.from_regex(r"\+?[0-9 ().-]{3,16}", fullmatch=True) | st.text(max_size=30))
def test_writing_a_telephone_number_twice_the_right_way_changes_nothing(text: str) -> None:
    once = normalise_phone(text, "US")
    assert once is None or normalise_phone(once, "US") == once


@given(st.text())
def test_what_is_searched_is_plain_and_stays_so(text: str) -> None:
    once = searchable(text)
    assert searchable(once) == once
    assert "  " not in once
    assert "\x00" not in once


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" Ann@Example.ORG ", "ann@example.org"),
        ("a.b+c@sub.example.co", "a.b+c@sub.example.co"),
        ("no-at.example.org", None),
        ("two@at@example.org", None),
        ("a@localhost", None),
        ("a b@example.org", None),
        ("a@example.org\nBcc: x@example.org", None),
        ("", None),
    ],
)
def test_email_addresses(written: str, stored: str | None) -> None:
    assert normalise_email(written) == stored


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("(214) 555-0123", "+12145550123"),
        ("214.555.0123 x12", "+12145550123"),
        ("+44 20 7946 0000", "+442079460000"),
        ("911", None),
        ("12", None),
        ("not a number", None),
    ],
)
def test_telephone_numbers(written: str, stored: str | None) -> None:
    assert normalise_phone(written, "US") == stored


def test_accents_and_capitals_do_not_hide_a_name() -> None:
    assert searchable("José  GARCÍA-Núñez") == "jose garcia nunez"
    assert same_name("José", "jose")
    assert same_name("", "Ana")
    assert not same_name("Ana", "Jose")


@pytest.mark.parametrize(
    ("tag", "good"), [("es", True), ("zh-Hant", True), ("Spanish", False), ("", False), ("e", False)]
)
def test_language_tags(tag: str, good: bool) -> None:
    assert is_language(tag) is good


@given(people, people)
def test_whether_two_can_be_merged_does_not_depend_on_the_order(one: Person, other: Person) -> None:
    assert (merge_refusal(one, other) is None) == (merge_refusal(other, one) is None)


@given(people, people)
def test_a_merge_loses_no_way_to_reach_anybody(one: Person, other: Person) -> None:
    shown = {(p.kind, p.address) for p in preview(one, other).points}
    assert shown == {(p.kind, p.address) for p in (*one.points, *other.points)}


@given(st.lists(st.lists(points, max_size=3), max_size=3))
def test_who_unsubscribed_anywhere_is_unsubscribed(groups: list[list[Point]]) -> None:
    gone = {(p.kind, p.address) for group in groups for p in group if p.is_unsubscribed}
    shown = combined(groups)
    assert {(p.kind, p.address) for p in shown if p.is_unsubscribed} == gone
    assert len({(p.kind, p.address) for p in shown}) == len(shown)


def test_a_number_without_its_country_is_one_of_the_citys_country() -> None:
    assert normalise_phone("020 7946 0958", "GB") == "+442079460958"
    assert normalise_phone("020 7946 0958", "US") is None
    assert normalise_phone("+1 214 555 0123", "GB") == "+12145550123"
