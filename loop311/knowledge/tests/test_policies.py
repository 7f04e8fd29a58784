from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.knowledge.policies import (
    MOST_BODY,
    Audience,
    Content,
    Hand,
    Review,
    Words,
    answer_refusal,
    asked_words,
    carried_over,
    clean_words,
    faults,
    gap_key,
    gap_refusal,
    is_expired,
    is_second_person,
    query_of,
    rating_refusal,
)

EN = Words(language="en", title="Garbage", answer="Tomorrow.", body="Text.")
ES = Words(language="es", title="Basura", answer="Mañana.", review=Review.TRANSLATED)


def _content(*texts: Words) -> Content:
    return Content(topic="trash", audience=Audience.PUBLIC, texts=texts, owner_team=1)


def _fields(*texts: Words) -> list[str]:
    return [fault.field for fault in faults(_content(*texts), ("en", "es"))]


def test_an_article_in_two_languages_is_sound() -> None:
    assert _fields(EN, ES) == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "one\ntwo\nthree",
        "x" * 161,
        "See https://example.org",
        "Go to www.example.org",
        "**Now**",
        "[x]",
        "<b>now</b>",
    ],
)
def test_what_cannot_be_read_aloud_is_no_answer(answer: str) -> None:
    assert answer_refusal(answer)


def test_every_bound_is_named_with_its_language_and_field() -> None:
    bad = Words(language="en", title="t" * 121, answer="a\nb\nc", body="b" * (MOST_BODY + 1), keywords=("k" * 61,))
    assert _fields(bad) == ["en.title", "en.answer", "en.body", "en.keywords"]
    assert _fields(Words(language="en", title="a\x07b", answer="ok\u202e", body="\x00", keywords=("\x1b",))) == [
        "en.title", "en.answer", "en.body", "en.keywords",
    ]  # fmt: skip


def test_there_is_exactly_one_original_and_no_language_twice() -> None:
    assert _fields(ES) == ["texts"]
    assert _fields(EN, EN) == ["texts"]
    assert _fields() == ["texts"]
    assert _fields(EN, Words(language="xx", title="t", answer="a", review=Review.CHECKED)) == ["xx.language"]


def test_an_article_has_one_owner_and_codes_for_topic_and_services() -> None:
    whole = _content(EN)
    assert [f.field for f in faults(replace(whole, owner_team=None), ("en",))] == ["owner"]
    assert [f.field for f in faults(replace(whole, owner_staff=2), ("en",))] == ["owner"]
    assert [f.field for f in faults(replace(whole, topic="Trash day"), ("en",))] == ["topic"]
    assert [f.field for f in faults(replace(whole, services=("<script>",)), ("en",))] == ["services"]


def test_a_writer_is_no_second_person_but_the_machinery_publishes_what_it_loads() -> None:
    assert not is_second_person(Hand("staff", 1), Hand("staff", 1))
    assert is_second_person(Hand("staff", 1), Hand("staff", 2))
    assert is_second_person(Hand("staff", 1), Hand("application", 1))
    assert is_second_person(Hand("system", 0), Hand("system", 0))


def test_a_checked_translation_is_checked_again_when_the_original_changes() -> None:
    checked = replace(ES, review=Review.CHECKED)
    before = {"en": EN, "es": checked}
    assert carried_over([EN, ES], before)[1].review is Review.CHECKED
    assert carried_over([replace(EN, body="Other."), ES], before)[1].review is Review.TRANSLATED
    assert carried_over([EN, replace(ES, title="Otra")], before)[1].review is Review.TRANSLATED
    assert carried_over([EN, checked], {})[1].review is Review.TRANSLATED


def test_the_last_day_still_holds() -> None:
    assert not is_expired(date(2026, 3, 2), date(2026, 3, 2))
    assert is_expired(date(2026, 3, 2), date(2026, 3, 3))
    assert not is_expired(None, date(2999, 1, 1))


def test_the_same_question_typed_differently_is_one_gap() -> None:
    assert gap_key("¿Dónde hay  centros de enfriamiento?") == gap_key("donde hay centros de enfriamiento")
    assert gap_refusal("???")
    assert gap_refusal("x" * 301)
    assert gap_refusal("where is it") is None


def test_wrong_needs_words_and_helpful_does_not() -> None:
    assert rating_refusal("helpful", "") is None
    assert rating_refusal("wrong", " ") is not None
    assert rating_refusal("superb", "") is not None


@given(st.text(max_size=200))
def test_any_text_becomes_a_query_of_plain_words(text: str) -> None:
    words = asked_words(text)
    assert len(words) <= 16
    assert all(word.isalnum() or word for word in words)
    assert query_of(words, "|").count("'") == 2 * len(words)


@given(st.text(max_size=300), st.text(max_size=300))
def test_cleaning_twice_is_cleaning_once(answer: str, body: str) -> None:
    once = clean_words(Words(language="en", title=answer, answer=answer, body=body, keywords=(answer, body)))
    assert clean_words(once) == once
