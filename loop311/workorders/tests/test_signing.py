"""Signatures as Standard Webhooks has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.workorders.signing import NotGenuine, headers, verify

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_standards_own_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    made = headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.text(max_size=40).filter(lambda text: text.encode("utf-8", "ignore") != b""))
def test_what_was_signed_is_genuine_and_nothing_else(body: bytes, secret: str) -> None:
    secret = secret.encode("utf-8", "ignore").decode()
    made = headers(secret, "m1", AT, body)
    assert verify(secret, made, body, AT) == "m1"
    for other in ({**made, "webhook-id": "m2"}, {**made, "webhook-timestamp": "1772463601"}):
        with pytest.raises(NotGenuine):
            verify(secret, other, body, AT)
    with pytest.raises(NotGenuine):
        verify(secret, made, body + b" ", AT)
    with pytest.raises(NotGenuine):
        verify(secret + "x", made, body, AT)


@pytest.mark.parametrize("off", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_a_clock_may_be_five_minutes_off_and_no_more(off: timedelta) -> None:
    made = headers(SECRET, "m1", AT, b"")
    assert verify(SECRET, made, b"", AT + off * 0.9) == "m1"
    with pytest.raises(NotGenuine):
        verify(SECRET, made, b"", AT + off)


@pytest.mark.parametrize("stamp", ["", "now", "-1", "9" * 30, "٣", "1772463600.5"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    made = {**headers(SECRET, "m1", AT, b""), "webhook-timestamp": stamp}
    with pytest.raises(NotGenuine):
        verify(SECRET, made, b"", AT)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    made = headers(SECRET, "m1", AT, b"")
    made["webhook-signature"] = f"v1,AAAA v2,BBBB {made['webhook-signature']}"
    assert verify(SECRET, made, b"", AT) == "m1"


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(NotGenuine):
        verify("", headers("", "m1", AT, b""), b"", AT)
