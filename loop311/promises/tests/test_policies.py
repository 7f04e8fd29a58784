from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loop311.catalog.definitions import (
    Calendar,
    Duration,
    Escalation,
    EscalationLevel,
    Hours,
    Priority,
    PromisePolicy,
    Step,
    Tell,
    Unit,
)
from loop311.promises.clock import Clocks
from loop311.promises.policies import (
    Lived,
    Pause,
    PlannedPromise,
    after_pauses,
    due,
    due_escalations,
    escalation_times,
    on_time,
    plan,
    replan,
    restate,
)
from loop311.promises.tests.model import WEEK, office

CHICAGO = ZoneInfo("America/Chicago")
NIGHT = Calendar(code="night", weekdays=dict.fromkeys(WEEK, (Hours(start=time(22), end=time(6)),)))
CLOCKS = Clocks([office(holidays="US-TX"), NIGHT], CHICAGO)
HOUR = timedelta(hours=1)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO, fold=fold)


def lasting(amount: int, unit: Unit, calendar: str = "office") -> Duration:
    return Duration(amount=amount, unit=unit, calendar=calendar)


def policy(resolution: Duration, **more: object) -> PromisePolicy:
    return PromisePolicy(code="pothole", resolution=resolution, **more)  # type: ignore[arg-type]


def shown(at: datetime) -> str:
    return at.astimezone(CHICAGO).strftime("%a %Y-%m-%d %H:%M")


# --- Due ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "filed", "expected"),
    [
        (lasting(90, Unit.MINUTES), "2026-11-20T16:00", "Mon 2026-11-23 08:30"),
        (lasting(4, Unit.HOURS, "always"), "2026-11-20T22:00", "Sat 2026-11-21 02:00"),
        (lasting(1, Unit.BUSINESS_DAYS), "2026-11-20T09:00", "Mon 2026-11-23 17:00"),
        (lasting(1, Unit.BUSINESS_DAYS), "2026-11-20T23:59", "Mon 2026-11-23 17:00"),
        (lasting(1, Unit.BUSINESS_DAYS), "2026-11-21T12:00", "Mon 2026-11-23 17:00"),  # filed on a Saturday
        (lasting(3, Unit.BUSINESS_DAYS), "2026-11-24T09:00", "Tue 2026-12-01 17:00"),  # over Thanksgiving
        (lasting(0, Unit.BUSINESS_DAYS), "2026-11-20T09:00", "Fri 2026-11-20 17:00"),
        (lasting(0, Unit.BUSINESS_DAYS), "2026-11-20T17:30", "Mon 2026-11-23 17:00"),
        (lasting(2, Unit.BUSINESS_DAYS, "always"), "2026-11-20T09:00", "Mon 2026-11-23 00:00"),
        (lasting(1, Unit.BUSINESS_DAYS, "night"), "2026-11-20T09:00", "Sun 2026-11-22 06:00"),
        (lasting(5, Unit.CALENDAR_DAYS), "2026-11-20T09:17", "Wed 2026-11-25 09:17"),
        (lasting(2, Unit.CALENDAR_DAYS), "2026-03-07T09:00", "Mon 2026-03-09 09:00"),  # an hour is missing
        (lasting(2, Unit.CALENDAR_DAYS), "2026-10-31T09:00", "Mon 2026-11-02 09:00"),  # an hour comes twice
        (lasting(1, Unit.CALENDAR_DAYS), "2026-03-07T02:30", "Sun 2026-03-08 03:00"),  # 02:30 does not exist
        (lasting(0, Unit.CALENDAR_DAYS), "2026-03-07T02:30", "Sat 2026-03-07 02:30"),
    ],
)
def test_a_duration_ends(duration: Duration, filed: str, expected: str) -> None:
    assert shown(due(duration, local(filed), CLOCKS)) == expected


def test_a_calendar_day_that_ends_in_the_hour_that_comes_twice_ends_the_first_time() -> None:
    expected = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert due(lasting(1, Unit.CALENDAR_DAYS), local("2026-10-31T01:30"), CLOCKS) == expected


def test_no_days_from_within_the_second_showing_of_an_hour_is_not_an_hour_earlier() -> None:
    filed = local("2026-11-01T01:30", fold=1).astimezone(UTC)
    assert due(lasting(0, Unit.CALENDAR_DAYS), filed, CLOCKS) == filed


# --- Plan --------------------------------------------------------------------------------------------------------------

POTHOLE = policy(
    lasting(3, Unit.BUSINESS_DAYS),
    first_response=lasting(8, Unit.HOURS),
    urgent_resolution=lasting(4, Unit.HOURS, "always"),
    stop_reasons=("resident", "weather"),
    escalations=(
        Escalation(level=EscalationLevel.LATER, tell=(Tell.DIRECTOR,), after_due=timedelta(days=2)),
        Escalation(level=EscalationLevel.AT_RISK, tell=(Tell.TEAM_LEAD,), before_due=timedelta(days=1)),
        Escalation(level=EscalationLevel.LATE, tell=(Tell.OWNER, Tell.TEAM_LEAD)),
    ),
)


def test_a_plan_promises_a_first_response_and_a_resolution() -> None:
    first, last = plan(POTHOLE, Priority.STANDARD, local("2026-11-18T09:00"), CLOCKS)
    assert (first.step, shown(first.due_at)) == (Step.FIRST_RESPONSE, "Thu 2026-11-19 09:00")
    assert (last.step, shown(last.due_at)) == (Step.RESOLUTION, "Mon 2026-11-23 17:00")


@pytest.mark.parametrize("priority", [Priority.URGENT, Priority.EMERGENCY])
def test_urgent_requests_have_the_urgent_promise_and_no_later_first_response(priority: Priority) -> None:
    filed = local("2026-11-18T16:00")
    assert [promise.due_at for promise in plan(POTHOLE, priority, filed, CLOCKS)] == [filed + 4 * HOUR] * 2


def test_without_an_urgent_promise_the_usual_one_holds() -> None:
    usual = policy(lasting(2, Unit.HOURS, "always"))
    filed = local("2026-11-18T16:00")
    assert plan(usual, Priority.EMERGENCY, filed, CLOCKS) == (PlannedPromise(Step.RESOLUTION, filed + 2 * HOUR),)


# --- Pauses ------------------------------------------------------------------------------------------------------------


def moved(duration: Duration, filed: str, *pauses: tuple[str, str | None], resumed: str = "2027-01-01") -> str:
    stops = [Pause(local(start), local(end) if end else None) for start, end in pauses]
    return shown(after_pauses(policy(duration), Priority.STANDARD, local(filed), stops, CLOCKS, local(resumed)))


def test_working_time_of_a_pause_does_not_count() -> None:
    eight = lasting(8, Unit.HOURS)
    assert moved(eight, "2026-11-18T09:00") == "Thu 2026-11-19 09:00"
    assert moved(eight, "2026-11-18T09:00", ("2026-11-18T11:00", "2026-11-18T15:00")) == "Thu 2026-11-19 12:00"


def test_a_pause_that_lasts_ends_when_the_clock_is_said_to_run_again() -> None:
    paused = ("2026-11-18T11:00", None)
    assert (
        moved(lasting(8, Unit.HOURS), "2026-11-18T09:00", paused, resumed="2026-11-18T15:00") == "Thu 2026-11-19 12:00"
    )


def test_pauses_that_overlap_count_once_and_in_any_order() -> None:
    pauses = ("2026-11-18T14:00", "2026-11-18T15:00"), ("2026-11-18T11:00", "2026-11-18T14:30")
    assert moved(lasting(8, Unit.HOURS), "2026-11-18T09:00", *pauses) == "Thu 2026-11-19 12:00"


def test_a_pause_does_not_mend_a_promise_that_is_already_broken() -> None:
    late = ("2026-11-19T10:00", "2026-11-25T15:00")
    assert moved(lasting(8, Unit.HOURS), "2026-11-18T09:00", late) == "Thu 2026-11-19 09:00"
    assert moved(lasting(1, Unit.BUSINESS_DAYS), "2026-11-17T09:00", late) == "Wed 2026-11-18 17:00"


def test_a_business_day_does_not_count_when_its_closing_comes_in_a_pause() -> None:
    two = lasting(2, Unit.BUSINESS_DAYS)
    assert moved(two, "2026-11-16T09:00") == "Wed 2026-11-18 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-17T08:00", "2026-11-17T16:00")) == "Wed 2026-11-18 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-17T16:00", "2026-11-17T18:00")) == "Thu 2026-11-19 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-17T16:00", "2026-11-17T17:00")) == "Thu 2026-11-19 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-17T17:00", "2026-11-18T08:00")) == "Wed 2026-11-18 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-16T10:00", "2026-11-16T19:00")) == "Wed 2026-11-18 17:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-16T10:00", "2026-11-24T10:00")) == "Wed 2026-11-25 17:00"


def test_a_same_day_promise_moves_to_the_next_open_day_when_it_is_paused_over_the_closing() -> None:
    today = lasting(0, Unit.BUSINESS_DAYS)
    assert moved(today, "2026-11-20T09:00", ("2026-11-20T16:00", "2026-11-21T12:00")) == "Mon 2026-11-23 17:00"


def test_round_the_clock_days_end_at_midnight_also_for_pauses() -> None:
    one = lasting(1, Unit.BUSINESS_DAYS, "always")
    assert moved(one, "2026-11-16T09:00") == "Wed 2026-11-18 00:00"
    assert moved(one, "2026-11-16T09:00", ("2026-11-17T23:00", "2026-11-18T01:00")) == "Thu 2026-11-19 00:00"


def test_a_calendar_day_does_not_count_when_it_ends_in_a_pause() -> None:
    two = lasting(2, Unit.CALENDAR_DAYS)
    assert moved(two, "2026-11-16T09:00", ("2026-11-16T10:00", "2026-11-17T08:00")) == "Wed 2026-11-18 09:00"
    assert moved(two, "2026-11-16T09:00", ("2026-11-16T10:00", "2026-11-19T10:00")) == "Sat 2026-11-21 09:00"


def test_the_first_response_is_not_moved_by_a_pause_after_it_was_given() -> None:
    filed, answered, resumed = local("2026-11-18T09:00"), local("2026-11-18T10:00"), local("2026-11-18T15:00")
    pause = [Pause(local("2026-11-18T11:00"))]
    given_, open_ = (
        replan(POTHOLE, Priority.STANDARD, filed, pause, CLOCKS, resumed, first_responded_at=at)[0].due_at
        for at in (answered, None)
    )
    assert (shown(given_), shown(open_)) == ("Thu 2026-11-19 09:00", "Thu 2026-11-19 12:00")


durations = st.builds(
    Duration,
    amount=st.integers(0, 60),
    unit=st.sampled_from(Unit),
    calendar=st.sampled_from(["always", "office", "night"]),
)
# Round the two nights on which the clocks change, and round Thanksgiving.
filings = st.sampled_from(["2026-03-06", "2026-10-30", "2026-11-24"]).flatmap(
    lambda day: st.integers(0, 3 * 24 * 60).map(
        lambda minutes: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    )
)
minutes = st.integers(0, 6 * 24 * 60).map(lambda number: timedelta(minutes=number))
pauses = st.lists(st.tuples(minutes, minutes), max_size=4)


def paused(duration: Duration, filed: datetime, stops: list[tuple[timedelta, timedelta]]) -> datetime:
    rows = [Pause(filed + begin, filed + begin + length) for begin, length in stops]
    return after_pauses(policy(duration), Priority.STANDARD, filed, rows, CLOCKS, filed)


@settings(deadline=None)
@given(durations, filings)
def test_without_a_pause_the_promise_stays(duration: Duration, filed: datetime) -> None:
    assert paused(duration, filed, []) == paused(duration, filed, [(HOUR, timedelta())]) == due(duration, filed, CLOCKS)


@settings(deadline=None)
@given(durations, filings, pauses)
def test_a_promise_is_never_due_before_it_was_made_nor_earlier_for_a_pause(
    duration: Duration, filed: datetime, stops: list[tuple[timedelta, timedelta]]
) -> None:
    assert filed <= due(duration, filed, CLOCKS) <= paused(duration, filed, stops)


@settings(max_examples=200, deadline=None)
@given(durations, filings, pauses, minutes, minutes, minutes, minutes)
def test_a_longer_pause_never_brings_the_date_forward(
    duration: Duration,
    filed: datetime,
    others: list[tuple[timedelta, timedelta]],
    begin: timedelta,
    length: timedelta,
    earlier: timedelta,
    later: timedelta,
) -> None:
    earlier = min(earlier, begin)
    shorter, longer = (begin, length), (begin - earlier, length + earlier + later)
    assert paused(duration, filed, [*others, longer]) >= paused(duration, filed, [*others, shorter])


@settings(deadline=None)
@given(
    st.sampled_from([("office", 18), ("night", 7)]),
    st.builds(lasting, st.integers(0, 60), st.sampled_from([Unit.MINUTES, Unit.HOURS, Unit.BUSINESS_DAYS])),
    filings,
    st.integers(0, 5),
    st.integers(0, 6 * 60),
    st.integers(0, 7 * 60),
)
def test_a_pause_while_nobody_works_changes_nothing(
    team: tuple[str, int], duration: Duration, filed: datetime, day: int, begin: int, length: int
) -> None:
    calendar, from_ = team
    evening = filed.astimezone(CHICAGO).replace(hour=from_, minute=0, fold=0) + timedelta(days=day, minutes=begin)
    pause = Pause(evening, evening + timedelta(minutes=length))
    promise = policy(lasting(duration.amount, duration.unit, calendar))
    paused_ = after_pauses(promise, Priority.STANDARD, filed, [pause], CLOCKS, filed)
    assert paused_ == due(promise.resolution, filed, CLOCKS)


@settings(deadline=None)
@given(durations, filings, filings)
def test_who_files_later_is_never_promised_an_earlier_date(duration: Duration, one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    if duration.unit is Unit.CALENDAR_DAYS:  # the hour that comes twice is the same wall time for both
        assume(not any(at.astimezone(CHICAGO).fold for at in (first, second)))
    assert due(duration, first, CLOCKS) <= due(duration, second, CLOCKS)


# --- Escalation --------------------------------------------------------------------------------------------------------

DUE = datetime(2026, 11, 23, 23, tzinfo=UTC)


def test_escalations_come_in_the_order_of_time() -> None:
    assert [(step.level, step.at) for step in escalation_times(POTHOLE, DUE)] == [
        (EscalationLevel.AT_RISK, DUE - timedelta(days=1)),
        (EscalationLevel.LATE, DUE),
        (EscalationLevel.LATER, DUE + timedelta(days=2)),
    ]


def test_only_steps_that_are_reached_and_not_yet_climbed_are_due() -> None:
    later = DUE + timedelta(hours=1)
    assert due_escalations(POTHOLE, DUE, DUE - timedelta(days=2), ()) == ()
    both = due_escalations(POTHOLE, DUE, later, ())
    assert [step.level for step in both] == [EscalationLevel.AT_RISK, EscalationLevel.LATE]
    (late,) = due_escalations(POTHOLE, DUE, later, {EscalationLevel.AT_RISK})
    assert late.tell == (Tell.OWNER, Tell.TEAM_LEAD)


def test_one_level_written_twice_tells_everybody_at_the_earlier_time() -> None:
    twice = policy(
        lasting(1, Unit.HOURS),
        escalations=(
            Escalation(level=EscalationLevel.LATER, tell=(Tell.DIRECTOR,), after_due=timedelta(days=3)),
            Escalation(level=EscalationLevel.LATER, tell=(Tell.TEAM_LEAD, Tell.DIRECTOR), after_due=timedelta(days=1)),
        ),
    )
    (step,) = escalation_times(twice, DUE)
    assert (step.at, step.tell) == (DUE + timedelta(days=1), (Tell.DIRECTOR, Tell.TEAM_LEAD))


# --- Restating ---------------------------------------------------------------------------------------------------------


def test_on_time_is_up_to_the_due_time_itself() -> None:
    assert on_time(DUE, DUE) is True
    assert on_time(DUE, DUE + timedelta(microseconds=1)) is False


def test_an_open_request_is_undecided_until_it_is_late() -> None:
    assert on_time(DUE, None) is None
    assert on_time(DUE, None, now=DUE) is None
    assert on_time(DUE, None, now=DUE + HOUR) is False


def test_a_past_request_can_be_judged_by_another_version_of_the_promise() -> None:
    filed = local("2026-11-16T09:00")
    lived = Lived(filed, Priority.STANDARD, done_at=local("2026-11-18T12:00"))
    padded = policy(lasting(45, Unit.CALENDAR_DAYS))
    old = policy(lasting(1, Unit.BUSINESS_DAYS))
    assert restate(lived, padded, CLOCKS).on_time is True
    assert restate(lived, old, CLOCKS).on_time is False
    assert restate(lived, POTHOLE, CLOCKS).first_response_on_time is False  # the end was the first they heard


def test_only_the_other_version_s_own_reasons_stop_its_clock() -> None:
    pause = Pause(local("2026-11-16T10:00"), local("2026-11-20T10:00"), "weather")
    lived = Lived(local("2026-11-16T09:00"), Priority.STANDARD, (pause,), done_at=local("2026-11-20T12:00"))
    stopping = policy(lasting(1, Unit.BUSINESS_DAYS), stop_reasons=("weather",))
    running = policy(lasting(1, Unit.BUSINESS_DAYS))
    assert [restate(lived, each, CLOCKS).on_time for each in (stopping, running)] == [True, False]


def test_an_open_request_is_restated_as_of_now() -> None:
    lived = Lived(local("2026-11-16T09:00"), Priority.STANDARD, (Pause(local("2026-11-16T10:00"), None, "weather"),))
    now = local("2026-12-16T09:00")
    assert restate(lived, POTHOLE, CLOCKS, now=now).on_time is None
    assert restate(lived, policy(lasting(3, Unit.BUSINESS_DAYS)), CLOCKS, now=now).on_time is False
