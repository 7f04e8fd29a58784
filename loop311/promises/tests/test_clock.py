from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop311.catalog.definitions import Calendar, Hours, SpecialDay
from loop311.kit.problems import Invalid
from loop311.promises.clock import ALWAYS, Clocks, NeverDue, WorkingClock, clock_for
from loop311.promises.hours import instant, last_day
from loop311.promises.tests.model import DAY, MINUTE, WEEK, ZONES, Stepper, office

CHICAGO = ZoneInfo("America/Chicago")
NIGHT = Calendar(code="night", weekdays=dict.fromkeys(WEEK, (Hours(start=time(22), end=time(6)),)))


def local(text: str, zone: ZoneInfo = CHICAGO, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def added(calendar: Calendar, start: str, working: timedelta, zone: ZoneInfo = CHICAGO) -> str:
    end = WorkingClock(calendar, zone).add(local(start, zone), working).astimezone(zone)
    return end.strftime("%a %Y-%m-%d %H:%M")


# --- Against the slow model --------------------------------------------------------------------------------------------

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
stretches = st.lists(st.builds(Hours, start=times, end=times), max_size=2).map(tuple)
near_a_jump = st.sampled_from(
    [date(2026, 3, 6), date(2026, 10, 30), date(2026, 4, 3), date(2026, 12, 29), date(2011, 12, 27)]
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[WorkingClock, Stepper, datetime, date]:
    first = draw(near_a_jump)
    special = tuple(
        SpecialDay(on=first + offset * DAY, hours=draw(stretches))
        for offset in draw(st.sets(st.integers(1, 9), max_size=2))
    )
    calendar = Calendar(
        code="drawn", weekdays=draw(st.dictionaries(st.sampled_from(WEEK), stretches)), special_days=special
    )
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    start = datetime.combine(first, time(), UTC) + timedelta(minutes=draw(st.integers(2 * 1440, 5 * 1440)))
    return WorkingClock(calendar, zone), Stepper(calendar, zone, first - 2 * DAY, 16), start, first


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(1, 3000))
def test_adding_agrees_with_looking_at_the_wall_every_minute(
    case: tuple[WorkingClock, Stepper, datetime, date], minutes: int
) -> None:
    clock, model, start, _ = case
    minutes = min(minutes, model.elapsed(start, start + 5 * DAY))
    assert clock.add(start, minutes * MINUTE) == model.add(start, minutes)


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 5 * 1440))
def test_elapsed_time_agrees_with_looking_at_the_wall_every_minute(
    case: tuple[WorkingClock, Stepper, datetime, date], minutes: int
) -> None:
    clock, model, start, _ = case
    end = start + minutes * MINUTE
    assert clock.elapsed(start, end) == model.elapsed(start, end) * MINUTE
    assert clock.is_open(start) is (start in model.open)


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(1, 3))
def test_the_end_of_an_open_day_agrees_with_the_model(
    case: tuple[WorkingClock, Stepper, datetime, date], number: int
) -> None:
    clock, model, _, first = case
    known = [day for day in model.closings if day >= first]
    if len(known) > number:
        assert clock.closing(first, number) == model.closing(first, number)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(0, 70 * 366 * 1440).map(lambda number: datetime(1990, 1, 1, tzinfo=UTC) + number * MINUTE),
    st.timedeltas(timedelta(), timedelta(days=400)),
    st.timedeltas(timedelta(), timedelta(days=90)),
)
def test_adding_what_has_elapsed_comes_back_and_more_is_never_earlier(
    zone: str, at: datetime, distance: timedelta, working: timedelta
) -> None:
    clock = clock_for(office(holidays="US-TX"), ZoneInfo(zone))
    end = clock.add(at, working)
    assert clock.elapsed(at, end) == working
    assert end >= at
    assert clock.add(at, working + distance) >= end
    assert clock.add(at + distance, working) >= end
    assert clock.elapsed(at, at + distance) + clock.elapsed(at + distance, at + 2 * distance) == clock.elapsed(
        at, at + 2 * distance
    )


# --- Traps, one by one -------------------------------------------------------------------------------------------------


def test_time_outside_the_hours_begins_to_count_at_the_next_opening() -> None:
    assert added(office(), "2026-11-20T18:30", hours(1)) == "Mon 2026-11-23 09:00"


def test_time_that_fits_exactly_ends_at_the_closing_and_not_at_the_next_opening() -> None:
    assert added(office(), "2026-11-20T13:00", hours(4)) == "Fri 2026-11-20 17:00"


def test_a_break_at_noon_does_not_count() -> None:
    assert added(office(), "2026-11-18T11:30", hours(1)) == "Wed 2026-11-18 13:30"


def test_no_time_at_all_is_over_at_once() -> None:
    assert added(office(), "2026-11-22T03:00", hours(0)) == "Sun 2026-11-22 03:00"


def test_public_holidays_and_their_observed_days_are_closed() -> None:
    calendar = office(holidays="US-TX")
    assert added(calendar, "2026-11-25T16:00", hours(2)) == "Mon 2026-11-30 09:00"  # Thanksgiving and the day after
    assert added(calendar, "2026-07-02T16:00", hours(2)) == "Mon 2026-07-06 09:00"  # the fourth is a Saturday
    assert added(calendar, "2021-12-30T16:00", hours(2)) == "Mon 2022-01-03 09:00"  # observed in the year before


def test_a_special_day_wins_over_a_holiday_and_over_the_weekday() -> None:
    half = SpecialDay(on=date(2026, 12, 24), hours=(Hours(start=time(8), end=time(12)),), name="Christmas Eve")
    closed = SpecialDay(on=date(2026, 12, 23), name="Inventory")
    calendar = office(holidays="US-TX", special_days=(half, closed))
    assert added(calendar, "2026-12-22T16:00", hours(3)) == "Thu 2026-12-24 10:00"
    assert added(calendar, "2026-12-22T16:00", hours(6)) == "Mon 2026-12-28 09:00"


def test_hours_across_midnight_belong_to_the_day_they_begin_on() -> None:
    assert added(NIGHT, "2026-11-20T23:00", hours(7)) == "Sat 2026-11-21 06:00"
    closed = Calendar(code="n", weekdays=NIGHT.weekdays, special_days=(SpecialDay(on=date(2026, 11, 21)),))
    assert added(closed, "2026-11-21T05:00", hours(2)) == "Sun 2026-11-22 23:00"


def test_midnight_as_an_end_is_the_end_of_the_day() -> None:
    late = Calendar(code="late", weekdays={"mon": (Hours(start=time(20), end=time(0)),)})
    assert added(late, "2026-11-23T20:00", hours(4)) == "Tue 2026-11-24 00:00"


def test_hours_that_touch_or_overlap_count_once() -> None:
    both = (
        Hours(start=time(8), end=time(14)),
        Hours(start=time(12), end=time(16)),
        Hours(start=time(16), end=time(17)),
    )
    clock = WorkingClock(Calendar(code="both", weekdays={"mon": both}), CHICAGO)
    assert clock.elapsed(local("2026-11-23T00:00"), local("2026-11-24T00:00")) == hours(9)


@pytest.mark.parametrize(("night", "worked"), [("2026-03-07", 7), ("2026-10-31", 9), ("2026-05-02", 8)])
def test_the_night_of_the_change_is_an_hour_shorter_or_longer(night: str, worked: int) -> None:
    start = local(f"{night}T22:00")
    assert WorkingClock(NIGHT, CHICAGO).elapsed(start, start + DAY / 2) == hours(worked)


def test_round_the_clock_is_clock_time_through_both_changes() -> None:
    clock = clock_for(ALWAYS, CHICAGO)
    for day in ("2026-03-07T12:00", "2026-10-31T12:00"):
        start = local(day).astimezone(UTC)
        assert clock.add(start, hours(24)) == start + hours(24)
        assert clock.elapsed(start, start + hours(24)) == hours(24)


def test_a_skipped_local_time_means_the_moment_of_the_jump() -> None:
    for zone, skipped, jump in (
        ("America/Chicago", "2026-03-08T02:30", "2026-03-08T08:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30+00:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00+00:00"),
    ):
        assert instant(datetime.fromisoformat(skipped), ZoneInfo(zone)) == datetime.fromisoformat(jump)


def test_a_local_time_that_comes_twice_means_the_first() -> None:
    assert instant(datetime.fromisoformat("2026-11-01T01:30"), CHICAGO) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_hours_that_the_jump_swallows_do_not_open() -> None:
    early = Calendar(code="early", weekdays={"sun": (Hours(start=time(2), end=time(2, 45)),)})
    assert added(early, "2026-03-08T00:00", hours(0.25)) == "Sun 2026-03-15 02:15"


def test_a_start_in_any_zone_gives_the_same_answer_in_utc() -> None:
    clock, start = clock_for(office(), CHICAGO), local("2026-11-20T16:30")
    assert clock.add(start, hours(1)) == clock.add(start.astimezone(ZoneInfo("Asia/Kathmandu")), hours(1))
    assert clock.add(start, hours(1)).tzinfo is UTC


def test_a_midnight_promise_is_told_by_the_day_before() -> None:
    assert last_day(local("2026-11-24T00:00"), CHICAGO) == date(2026, 11, 23)
    assert last_day(local("2026-11-24T00:00:01"), CHICAGO) == date(2026, 11, 24)


# --- Edges ---------------------------------------------------------------------------------------------------------------


def test_a_calendar_that_never_opens_is_a_sentence_and_not_an_endless_search() -> None:
    clock = WorkingClock(Calendar(code="shut"), ZoneInfo("Asia/Kathmandu"))
    for _ in range(2):
        with pytest.raises(NeverDue, match="shut"):
            clock.add(local("2026-11-22T00:00"), hours(1))
    with pytest.raises(NeverDue):
        clock.closing(date(2026, 11, 22), 1)


def test_a_filing_before_all_calendars_is_refused() -> None:
    with pytest.raises(NeverDue, match="1066"):
        WorkingClock(office(), CHICAGO).add(datetime(1066, 10, 14, tzinfo=UTC), hours(1))


def test_years_are_learned_as_they_are_asked_for_in_any_order() -> None:
    clock = WorkingClock(office(), CHICAGO)
    for year in (2026, 1999, 2040, 2012):
        monday = WorkingClock(office(), CHICAGO).add(local(f"{year}-06-06T00:00"), hours(1))
        assert clock.add(local(f"{year}-06-06T00:00"), hours(1)) == monday
    assert clock.elapsed(local("1999-01-01T00:00"), local("2040-01-01T00:00")) > 41 * 50 * 5 * hours(8)


def test_an_unknown_holiday_code_names_itself() -> None:
    with pytest.raises(Invalid, match="US-Nowhere"):
        WorkingClock(office(holidays="US-Nowhere"), CHICAGO).add(local("2026-11-20T16:30"), hours(1))


def test_a_calendar_the_catalogue_does_not_have_names_itself() -> None:
    with pytest.raises(Invalid, match="moonlight"):
        Clocks([office()], CHICAGO)["moonlight"]


def test_clocks_are_shared_by_content() -> None:
    assert clock_for(office(), CHICAGO) is clock_for(office(), ZoneInfo("America/Chicago"))
    assert clock_for(office(), CHICAGO) is not clock_for(office(), ZoneInfo("America/New_York"))
    assert Clocks([office()], CHICAGO)["office"] is clock_for(office(), CHICAGO)


def test_a_naive_time_is_refused() -> None:
    naive, clock = datetime(2026, 1, 1), clock_for(office(), CHICAGO)  # noqa: DTZ001 - that is the trap
    with pytest.raises(TypeError):
        clock.elapsed(naive, datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(TypeError):
        clock.add(naive, hours(1))


def test_threads_that_meet_an_unknown_year_together_agree() -> None:
    clock = WorkingClock(office(holidays="US-TX"), CHICAGO)
    starts = [local(f"{year}-03-02T09:00") for year in range(1990, 2050, 3)]
    expected = [WorkingClock(office(holidays="US-TX"), CHICAGO).add(start, hours(20)) for start in starts]
    seen: list[list[datetime]] = []

    def ask() -> None:
        seen.append([clock.add(start, hours(20)) for start in starts])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 8
