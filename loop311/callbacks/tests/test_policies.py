"""When a call-back is due, late, or may be called failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.callbacks.policies import (
    SPOKEN_TO,
    AttemptOutcome,
    CallbackState,
    Tried,
    Way,
    failure_refusal,
    is_due,
    is_late,
    ways_left,
    window_refusal,
)
from loop311.callbacks.sentences import window_in_words

NINE = datetime(2026, 3, 2, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
tries = st.lists(st.builds(Tried, st.sampled_from(Way), st.sampled_from(AttemptOutcome)), max_size=5)
moments = st.datetimes(min_value=datetime(2026, 3, 1), max_value=datetime(2026, 3, 4), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is the strategy's


@given(st.sampled_from(CallbackState), moments)
def test_only_an_open_one_is_due_or_late_and_never_both(state: CallbackState, at: datetime) -> None:
    due, late = is_due(state, NINE, NINE + HOUR, at), is_late(state, NINE + HOUR, at)
    assert not (due and late)
    assert state is CallbackState.OPEN or not (due or late)
    assert state is not CallbackState.OPEN or (due or late) == (at >= NINE)


@given(tries, st.booleans())
def test_nobody_is_out_of_reach_before_two_ways_were_tried_in_vain(attempts: list[Tried], in_window: bool) -> None:
    may_fail = failure_refusal(attempts, in_window=in_window) is None
    in_vain = all(t.outcome not in SPOKEN_TO for t in attempts)
    assert may_fail == (in_window and in_vain and len({t.way for t in attempts}) >= 2)


@given(tries, st.sets(st.sampled_from(["phone", "mobile", "email"])))
def test_what_is_left_was_not_tried_and_there_is_always_a_second_way(attempts: list[Tried], kinds: set[str]) -> None:
    left = ways_left(attempts, kinds)
    assert not set(left) & {t.way for t in attempts}
    assert len(set(left) | {t.way for t in attempts}) >= 2


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        (NINE, NINE + HOUR, True),
        (NINE - 2 * HOUR, NINE + HOUR, True),
        (NINE, NINE, False),
        (NINE + HOUR, NINE, False),
        (NINE - 2 * HOUR, NINE - HOUR, False),
        (NINE, NINE + timedelta(days=8), False),
    ],
)
def test_windows(start: datetime, end: datetime, good: bool) -> None:
    assert (window_refusal(start, end, NINE) is None) is good


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "March 2, 2026, 9 a.m. to 11 a.m. (CST)"),
        ("es", "2 de marzo de 2026, de 09:00 a 11:00 (CST)"),
        ("vi", "March 2, 2026, 9 a.m. to 11 a.m. (CST)"),
    ],
)
def test_a_window_is_told_in_the_citys_time_and_the_residents_language(language: str, words: str) -> None:
    assert window_in_words(NINE, NINE + 2 * HOUR, ZoneInfo("America/Chicago"), language) == words


def test_a_window_over_midnight_names_both_days() -> None:
    told = window_in_words(NINE, NINE + timedelta(days=1), ZoneInfo("America/Chicago"), "en")
    assert "March 2" in told
    assert "March 3" in told
