"""How often a token is used: counted by day and call, limited by the minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loop311.accounts import usage
from loop311.accounts.services import create_token
from loop311.accounts.testing import a_city, a_secret
from loop311.kit.actor import system

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def test_calls_are_counted_by_day_and_kind() -> None:
    city = a_city()
    secret = a_secret(city)
    for minutes, call in ((0, "file"), (1, "file"), (2, "update"), (24 * 60, "file")):
        usage.count(secret, call, at=NOON + timedelta(minutes=minutes))
    days = usage.days_of(city, since=NOON)
    assert [(day.day, day.call, day.count) for day in days] == [
        ("2026-03-03", "file", 1), ("2026-03-02", "file", 2), ("2026-03-02", "update", 1),
    ]  # fmt: skip
    assert usage.days_of(city, since=NOON + timedelta(days=1)) == days[:1]
    assert usage.days_of(a_city(), since=NOON) == []


def test_the_limit_is_of_each_minute_and_what_is_beyond_it_is_counted_apart() -> None:
    city = a_city()
    _, secret = create_token(city, "few", ["requests.file"], by=system(city.pk), per_minute=2)
    used = [usage.count(secret, "file", at=NOON + timedelta(seconds=second)) for second in (0, 1, 2, 30)]
    assert [each.is_too_much for each in used] == [False, False, True, False]
    assert used[2].seconds_left == 28
    (day,) = usage.days_of(city, since=NOON)
    assert (day.count, day.refused) == (4, 1)


def test_without_a_limit_of_its_own_a_token_has_the_usual_one() -> None:
    used = usage.count(a_secret(a_city()), "file")
    assert (used.in_minute, used.limit) == (1, usage.PER_MINUTE)
