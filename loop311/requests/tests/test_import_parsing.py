"""Pure rules of reading, by property."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.requests.imports.parsing import LocalTimes, Unreadable, coordinate, slug, whole_number

ZONES = st.sampled_from(["America/Chicago", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001 - wall times


@given(ZONES, MOMENTS)
def test_a_local_time_is_the_instant_that_the_zone_itself_says(name: str, wall: datetime) -> None:
    zone = ZoneInfo(name)
    found = LocalTimes(zone, ("iso",))(wall.isoformat(" "))
    assert found.astimezone(UTC) == wall.replace(tzinfo=zone).astimezone(UTC)


@given(ZONES, MOMENTS.map(lambda wall: wall.replace(microsecond=0)), st.sampled_from(["", "+05:00", "Z"]))
def test_a_time_is_read_alike_whether_or_not_its_hour_was_read_before(name: str, wall: datetime, offset: str) -> None:
    times, text = LocalTimes(ZoneInfo(name), ("iso",)), f"{wall.isoformat(' ')}{offset}"
    first = times(text)
    times(wall.replace(minute=59 - wall.minute).isoformat(" "))
    assert times(text) == first == LocalTimes(ZoneInfo(name), ("iso",))(text)


@given(MOMENTS.map(lambda wall: wall.replace(second=0, microsecond=0)))
def test_every_form_of_one_time_is_read_alike(wall: datetime) -> None:
    zone = ZoneInfo("America/Chicago")
    times = LocalTimes(zone, ("iso", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M"))
    forms = {wall.isoformat(), wall.strftime("%m/%d/%Y %I:%M:%S %p"), wall.strftime("%d.%m.%Y %H:%M")}
    assert {times(form) for form in forms} == {wall.replace(tzinfo=zone).astimezone(UTC)}
    milliseconds = LocalTimes(zone, ("epoch_ms",))(str(int(times(wall.isoformat()).timestamp() * 1000)))
    assert milliseconds == times(wall.isoformat())


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_unreadable(text: str) -> None:
    times = LocalTimes(ZoneInfo("America/Chicago"), ("iso", "%m/%d/%Y", "epoch_s", "epoch_ms"), ends_day=True)
    with suppress(Unreadable):
        assert times(text).utcoffset() is not None


def test_a_date_that_ends_its_day_does_so_on_the_days_the_clocks_change() -> None:
    times = LocalTimes(ZoneInfo("America/Chicago"), ("iso",), ends_day=True)
    for day in ("2024-03-10", "2024-11-03", "2024-06-01"):
        assert times(day) + timedelta(seconds=1) == LocalTimes(ZoneInfo("America/Chicago"), ("iso",))(
            str(datetime.fromisoformat(day).date() + timedelta(days=1))
        )


@given(st.text(min_size=1, max_size=200))
def test_any_name_has_a_code_and_keeps_it(name: str) -> None:
    code = slug(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", code)
    assert slug(code) == code
    assert slug(f"  {name}!") == slug(f"{name}  ") or not re.search("[A-Za-z0-9]", name) or len(code) > 60


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", "5"), ("5.0", "5"), ("05", "5"), ("-3", "-3"), ("5.1", ""), ("x", ""), ("1e400", ""), ("", "")],
)
def test_whole_numbers(text: str, number: str) -> None:
    assert whole_number(text) == number


@given(st.text(max_size=20) | st.floats().map(str))
def test_a_coordinate_is_finite_or_none(text: str) -> None:
    found = coordinate(text)
    assert found is None or abs(found) < float("inf")
