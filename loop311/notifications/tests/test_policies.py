"""Quiet hours, waiting times, names and texts: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.notifications.policies import (
    MOST_ATTEMPTS,
    Quiet,
    fill,
    held_until,
    is_news,
    may_be_told,
    message_id,
    one_line,
    smtp_settings,
    tidy,
    wait_after,
)

CHICAGO = ZoneInfo("America/Chicago")
instants = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(instants, st.builds(Quiet, clocks, clocks))
def test_a_text_is_held_at_most_a_day_and_never_into_the_quiet_hours(at: datetime, quiet: Quiet) -> None:
    until = held_until(at, CHICAGO, quiet)
    if until is not None:
        assert at < until <= at + timedelta(hours=25)
        assert held_until(until, CHICAGO, quiet) is None or until.astimezone(CHICAGO).fold


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-03-04T20:59", None),
        ("2026-03-04T21:00", "2026-03-05T08:00"),
        ("2026-03-05T07:59", "2026-03-05T08:00"),
        ("2026-03-05T08:00", None),
        ("2026-03-07T23:00", "2026-03-08T08:00"),  # the night an hour is left out
        ("2026-10-31T23:00", "2026-11-01T08:00"),  # the night an hour comes twice
    ],
)
def test_the_usual_quiet_hours_are_nine_to_eight_by_the_citys_clock(local: str, until: str | None) -> None:
    def instant(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)

    assert held_until(instant(local), CHICAGO, Quiet()) == (instant(until) if until else None)


def test_equal_times_mean_never_quiet() -> None:
    assert held_until(datetime(2026, 3, 5, 9, tzinfo=UTC), CHICAGO, Quiet(time(9), time(9))) is None


def test_waits_grow_and_end() -> None:
    waits = [wait_after(n) for n in range(1, MOST_ATTEMPTS)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8)]
    assert waits == sorted(waits, key=lambda wait: wait or timedelta())
    assert wait_after(MOST_ATTEMPTS) is None


def test_unsubscribing_holds_everything_but_the_answer_to_what_was_just_asked() -> None:
    assert may_be_told("request.filed", may_notify=True, is_unsubscribed=True)
    assert not may_be_told("request.done", may_notify=True, is_unsubscribed=True)
    assert not may_be_told("request.filed", may_notify=False, is_unsubscribed=False)


def test_what_happened_long_before_it_was_recorded_is_no_news() -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    assert is_news(at, at + timedelta(hours=23))
    assert not is_news(at, at + timedelta(days=2))


def test_the_same_event_and_point_have_one_message_id() -> None:
    assert message_id(1, 2, "city.example") == message_id(1, 2, "city.example")
    assert len({message_id(1, 2, "h"), message_id(2, 1, "h"), message_id(12, 0, "h"), message_id(1, 20, "h")}) == 4


@pytest.mark.parametrize(
    "text", ["{number.__class__}", "{number[0]}", "{number!r}", "{number:>100000000}", "{}", "{{number}", "{unknown}"]
)
def test_only_plain_known_names_are_placeholders(text: str) -> None:
    assert fill(text, {"number": "7"}) in (text, "{7")


def test_a_value_is_never_read_as_a_text() -> None:
    assert fill("{address} {city}", {"address": "{city} {link}", "city": "Elm"}) == "{city} {link} Elm"


def test_headers_get_one_line_and_bodies_no_gaps() -> None:
    assert one_line("a\r\nBcc: b@example.org") == "a Bcc: b@example.org"
    assert tidy("\n\na \n\n\n\nb\n\n") == "a\n\nb\n"


def test_the_mail_servers_address_is_read() -> None:
    assert smtp_settings("smtp://us%40er:p%3Aw@mail.example:587?starttls=1") == {
        "EMAIL_HOST": "mail.example",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "us@er",
        "EMAIL_HOST_PASSWORD": "p:w",
        "EMAIL_USE_SSL": False,
        "EMAIL_USE_TLS": True,
    }
    assert smtp_settings("smtps://mail.example")["EMAIL_PORT"] == 465
    with pytest.raises(ValueError, match="LOOP311_SMTP_URL"):
        smtp_settings("mail.example:25")
