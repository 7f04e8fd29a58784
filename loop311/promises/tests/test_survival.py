"""The estimate against the definition, written out naively over single things."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from loop311.promises.survival import Lasted, Step, still_open, time_until

THINGS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=60)
"""(how long, whether it ended)."""
SHARES = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9, 1.0])


def counted(things: list[tuple[int, bool]]) -> list[Lasted]:
    """One by one, or gathered, must not matter: half of them are gathered."""
    return [Lasted(after, int(ended), int(not ended)) for after, ended in things]


def naive_share_open(things: list[tuple[int, bool]], after: int) -> float:
    """The product, over each end up to `after`, of the share of those then still there that did not end then."""
    share = 1.0
    for moment in sorted({length for length, ended in things if ended and length <= after}):
        there = [length for length, _ in things if length >= moment]
        ends = [length for length, ended in things if ended and length == moment]
        share *= 1 - len(ends) / len(there)
    return share


@given(THINGS)
def test_the_estimate_is_kaplan_and_meiers(things: list[tuple[int, bool]]) -> None:
    for step in still_open(counted(things)):
        assert math.isclose(step.share, naive_share_open(things, step.after), abs_tol=1e-9)


@given(THINGS)
def test_gathering_equal_times_changes_nothing(things: list[tuple[int, bool]]) -> None:
    lengths = {length for length, _ in things}
    gathered = [
        Lasted(length, sum(e for ln, e in things if ln == length), sum(not e for ln, e in things if ln == length))
        for length in lengths
    ]
    assert [(s.after, round(s.share, 9)) for s in still_open(gathered)] == [
        (s.after, round(s.share, 9)) for s in still_open(counted(things))
    ]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), SHARES)
def test_when_all_have_ended_it_is_the_ordinary_quantile(lengths: list[int], share: float) -> None:
    steps = still_open([Lasted(length, ended=1) for length in lengths])
    assert time_until(steps, share) == sorted(lengths)[math.ceil(round(share * len(lengths), 9)) - 1]


@given(THINGS, SHARES)
def test_one_more_open_one_never_makes_it_look_quicker(things: list[tuple[int, bool]], share: float) -> None:
    before = time_until(still_open(counted(things)), share)
    after = time_until(still_open([*counted(things), Lasted(40, open=1)]), share)
    assert after is None or (before is not None and before <= after)


def test_leaving_out_the_open_ones_would_be_a_lie() -> None:
    ended = [Lasted(1, ended=5)]
    assert time_until(still_open(ended), 0.9) == 1
    assert time_until(still_open([*ended, Lasted(30, open=5)]), 0.5) == 1
    assert time_until(still_open([*ended, Lasted(30, open=5)]), 0.9) is None


def test_of_nothing_nothing_is_said() -> None:
    assert still_open([]) == []
    assert time_until([], 0.5) is None
    assert still_open([Lasted(3, open=2)]) == []
    assert still_open([Lasted(3, ended=1, open=1)]) == [Step(3, 0.5)]
