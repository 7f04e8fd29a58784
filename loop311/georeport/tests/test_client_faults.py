"""A server that hangs, breaks off, drips, lies: every filing ends in an outcome that says whether it may be sent again."""

from __future__ import annotations

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from loop311.georeport.client import (
    Accepted,
    Client,
    Declined,
    NewRequest,
    NewUpdate,
    Refused,
    TryLater,
    Unknown,
    Unreached,
    Waiting,
)
from loop311.georeport.profile import Limits
from loop311.georeport.testing import Answer, Asked, drip, hang, hang_up, reply, serving
from loop311.georeport.wire import Reply
from loop311.kit.clock import now

IMPATIENT = Limits(connect_seconds=10, read_seconds=1, whole_seconds=2, pause_seconds=0.01)
"""Where the other side says nothing, or never ends."""
NEW = NewRequest(service_code="pothole", reference="SPR-7", description="Deep", lat=41.5, long=-87.5)
TAKEN = reply(b'[{"service_request_id": "101"}]')
DUPLICATE = b"<errors><error><code>400</code><description>base is a duplicate.</description></error></errors>"


def listed(*ids: str, words: str = "", at: str = "2026-03-01T09:00:00Z") -> bytes:
    rows = [
        {"service_request_id": each, "status": "open", "requested_datetime": at, "description": words} for each in ids
    ]
    return reply(json.dumps(rows).encode())


# --- Filing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (TAKEN, Accepted(service_request_id="101")),
        (reply(b'[{"service_request_id": 0}]'), Accepted(service_request_id="0")),
        (reply(b'{"service_requests": [{"token": "t"}]}', 201), Waiting(token="t")),
        (reply(b'[{"service_request_id": "7", "token": "7"}]'), Accepted(service_request_id="7")),
    ],
)
def test_what_was_taken_is_accepted_or_waits(answer: bytes, outcome: object) -> None:
    with serving([answer]) as server, Client(server.profile()) as client:
        assert client.file(NEW) == outcome


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hang, id="time-out after accept"),
        pytest.param(hang_up, id="hangs up"),
        pytest.param(reply(b"<html>Sorry</html>", 500), id="500"),
        pytest.param(reply(b"", 502), id="502"),
        pytest.param(reply(b'[{"service_req', length=900), id="half a body"),
        pytest.param(reply(b"<html><body>Welcome</body></html>"), id="a web page with 200"),
        pytest.param(reply(b"[{}]"), id="neither id nor token"),
        pytest.param(reply(b"", 303, "Location: /elsewhere"), id="see other"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX: 1\r\n", 600, 0.1), id="headers that never end"),
        pytest.param(reply(b" " * 200_000), id="too large"),
    ],
)
def test_a_lost_answer_is_unknown_and_sent_once(answer: Answer) -> None:
    limits = msgspec.structs.replace(IMPATIENT, largest_bytes=100_000)
    with serving([answer]) as server, Client(server.profile(limits=limits)) as client:
        outcome = client.file(NEW)
        assert isinstance(outcome, Unknown)
        assert not outcome.is_delivered
    assert len(server.asked) == 1


def test_a_slow_drip_is_cut_off_at_the_whole_time_out() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"

    def act(connection: socket.socket) -> None:
        connection.sendall(head)
        drip(b" ", 600, 0.1)(connection)

    with serving([act]) as server, Client(server.profile(limits=IMPATIENT)) as client:
        before = time.monotonic()
        assert isinstance(client.file(NEW), Unknown)
        assert time.monotonic() - before < 20, "it waited for the end"


def test_nobody_there_is_later() -> None:
    with serving([TAKEN]) as server:
        profile = server.profile()
    with Client(profile) as client:
        assert isinstance(client.file(NEW), TryLater)


def test_too_many_requests_is_later_when_they_say() -> None:
    with serving([reply(b'[{"description":"slower"}]', 429, "Retry-After: 7")]) as server:
        assert Client(server.profile()).file(NEW) == TryLater(reason="HTTP 429: slower", after=7)


def test_later_is_said_in_seconds_or_as_a_date() -> None:
    date = format_datetime(now() + timedelta(hours=2), usegmt=True)
    said = [Reply(status=429, body=b"", headers={"retry-after": each}).retry_after for each in ("7", date, "soon", "")]
    assert (said[0], said[2], said[3]) == (7, None, None)
    assert 7000 < (said[1] or 0) <= 7200


@pytest.mark.parametrize(
    ("body", "fields", "may_pass"),
    [
        (b'[{"code":400,"description":"lat is outside the city"}]', ("lat",), False),
        (b"<errors><error><code>400</code><description>Back end down</description></error></errors>", (), True),
    ],
)
def test_a_refusal_says_what_it_is_about(body: bytes, fields: tuple[str, ...], may_pass: bool) -> None:
    with serving([reply(body, 400)]) as server:
        outcome = Client(server.profile()).file(NEW)
        assert isinstance(outcome, Refused)
        assert (outcome.status, outcome.fields, outcome.may_pass) == (400, fields, may_pass)


def test_a_filing_is_never_led_elsewhere() -> None:
    with serving([reply(b"", 307, "Location: /v3/requests.json"), TAKEN]) as server:
        outcome = Client(server.profile()).file(NEW)
        assert isinstance(outcome, Refused)
        assert "/v3/requests.json" in outcome.reason
        assert len(server.asked) == 1


def test_a_duplicate_is_delivered() -> None:
    with serving([reply(DUPLICATE, 400)]) as server:
        outcome = Client(server.profile()).file(NEW)
        assert isinstance(outcome, Unknown)
        assert outcome.is_delivered


def test_what_a_server_needs_is_never_guessed() -> None:
    with serving([TAKEN]) as server:
        outcome = Client(server.profile(needs_email=True, needs_address=True)).file(NEW)
        assert isinstance(outcome, Refused)
        assert outcome.reason == "The other side needs email. The other side needs address_string."
        assert server.asked == []


# --- Looking up before repeating -----------------------------------------------------------------------------------------


class Keeps:
    """Takes a filing, loses the first answer, and lists what it took."""

    def __init__(self, clock: timedelta = timedelta()) -> None:
        self.taken: list[dict[str, str]] = []
        self.clock = clock

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            start, end = (datetime.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
            rows = [row for row in self.taken if start <= datetime.fromisoformat(row["requested_datetime"]) <= end]
            return reply(json.dumps(rows).encode())
        at = (now() + self.clock).replace(microsecond=0).isoformat()
        number = str(len(self.taken) + 1)
        self.taken.append({**dict(asked.form), "service_request_id": number, "requested_datetime": at})
        return hang_up if len(self.taken) == 1 else reply(json.dumps([{"service_request_id": number}]).encode())


@pytest.mark.parametrize("hours", [-20, 0, 20])
def test_a_filing_whose_answer_was_lost_is_found_and_not_filed_again_whatever_their_clock_says(hours: int) -> None:
    server_side = Keeps(timedelta(hours=hours))
    with serving(server_side) as server, Client(server.profile()) as client:
        at = now()
        assert isinstance(client.file_once(NEW, tried_at=None), Unknown)
        assert client.file_once(NEW, tried_at=at) == Accepted(service_request_id="1")
        assert len(server_side.taken) == 1


def test_what_never_arrived_is_filed_again() -> None:
    answers: list[Answer] = [hang_up, listed("1", words="another [ref-SPR-70]"), TAKEN]
    with serving(answers) as server, Client(server.profile()) as client:
        at = now()
        assert isinstance(client.file_once(NEW, tried_at=None), Unknown)
        assert client.file_once(NEW, tried_at=at) == Accepted(service_request_id="101")


@pytest.mark.parametrize("answer", [reply(b"", 500), reply(b"<html>Maintenance</html>"), reply(b"", 403)])
def test_while_it_cannot_be_looked_up_it_is_not_sent(answer: bytes) -> None:
    with serving([answer]) as server, Client(server.profile()) as client:
        assert isinstance(client.file_once(NEW, tried_at=now()), Unknown)
        assert {asked.method for asked in server.asked} == {"GET"}


def test_where_our_reference_is_not_shown_a_person_must_ask() -> None:
    with serving([TAKEN]) as server:
        assert isinstance(Client(server.profile(shows_reference=False)).file_once(NEW, tried_at=now()), Unknown)
        assert server.asked == []


def test_a_server_that_keeps_keys_is_simply_sent_the_same_again() -> None:
    with serving([hang_up, TAKEN]) as server, Client(server.profile(keeps_keys=True)) as client:
        assert isinstance(client.file(NEW), Unknown)
        assert client.file_once(NEW, tried_at=now()) == Accepted(service_request_id="101")
        assert {asked.headers["idempotency-key"] for asked in server.asked} == {"SPR-7"}


def test_our_reference_in_an_attribute_is_found_again() -> None:
    row = {"service_request_id": "5", "status": "open", "attributes": {"their_ref": "SPR-7"}}
    with serving([reply(json.dumps([row]).encode())]) as server:
        client = Client(server.profile(reference_in="their_ref"))
        found = client.find_sent(NEW, since=now())
        assert found is not None
        assert found.service_request_id == "5"
        assert server.asked[0].query["extensions"] == "true"


# --- Tokens --------------------------------------------------------------------------------------------------------------


def test_a_token_that_resolves_late_is_waited_for() -> None:
    answers = [
        reply(b"", 404),
        reply(b""),
        reply(b'[{"token":"t","service_request_id":""}]'),
        reply(b"", 500),
        reply(b'[{"token":"t","service_request_id":"9"}]'),
    ]
    with serving(answers) as server, Client(server.profile(), sleep=lambda _: None) as client:
        assert client.await_token("t", seconds=30, pause=0.01) == "9"


def test_a_token_that_never_resolves_is_given_up_at_the_deadline() -> None:
    with serving([reply(b"[]")]) as server, Client(server.profile()) as client:
        assert client.await_token("t", seconds=0.2, pause=0.05) is None


# --- Reading -------------------------------------------------------------------------------------------------------------


def test_a_reading_call_is_repeated_with_growing_pauses() -> None:
    pauses: list[float] = []
    answers = [reply(b"", 503, "Retry-After: 4"), reply(b"<html>Later</html>"), listed("1")]
    with serving(answers) as server, Client(server.profile(), sleep=pauses.append) as client:
        assert [item.service_request_id for item in client.requests(ids=["1"])] == ["1"]
        assert pauses[0] == 4
        assert 0.01 < pauses[1] < 0.03


@pytest.mark.parametrize("answer", [hang, reply(b"", 500), reply(b"<html>"), reply(b"[{", length=90)])
def test_after_the_last_try_it_is_unreached(answer: Answer) -> None:
    with serving([answer]) as server, Client(server.profile(limits=IMPATIENT)) as client, pytest.raises(Unreached):
        client.services()
    assert len(server.asked) == 3


def test_a_refusal_is_not_asked_again() -> None:
    with serving([reply(b"<error>No key</error>", 403)]) as server, Client(server.profile()) as client:
        with pytest.raises(Declined, match="No key"):
            client.services()
        assert len(server.asked) == 1


def test_a_reading_call_is_led_on_by_the_same_server_only() -> None:
    with serving([reply(b"", 301, "Location: /new/services.json"), reply(b'[{"service_code":"1"}]')]) as server:
        assert [each.service_code for each in Client(server.profile()).services()] == ["1"]
    elsewhere = reply(b"", 302, "Location: http://localhost:1/services.json")
    with serving([elsewhere]) as server, pytest.raises(Unreached, match="leads to another address"):
        Client(server.profile()).services()


def test_an_answer_that_unpacks_to_far_too_much_is_cut_off() -> None:
    packed = gzip.compress(b" " * 30_000_000)
    limits = Limits(largest_bytes=1_000_000, tries=1)
    answer = reply(packed, 200, "Content-Encoding: gzip")
    with serving([answer]) as server, pytest.raises(Unreached, match="larger than 1,000,000 bytes"):
        Client(server.profile(limits=limits)).services()


def test_broken_compression_can_be_switched_off() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.headers["accept-encoding"] == "identity":
            return reply(b"[]")
        return reply(b"no gzip", 200, "Content-Encoding: gzip")

    with serving(answer) as server:
        assert Client(server.profile(accept_encoding=False)).services() == []
        with pytest.raises(Unreached):
            Client(server.profile()).services()


def test_how_far_their_clock_is_off_is_known() -> None:
    written = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    with serving([reply(b"[]", 200, f"Date: {written}")]) as server, Client(server.profile()) as client:
        client.services()
        assert abs((client.skew or timedelta()) - timedelta(minutes=10)) < timedelta(minutes=1)


def test_one_row_that_breaks_their_answers_costs_an_hour_and_not_the_batch() -> None:
    """Chicago answers 500 for a window that holds a bad row."""
    bad = datetime(2026, 2, 1, 12, tzinfo=UTC)
    good = [datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC), bad + timedelta(hours=3)]

    def answer(asked: Asked) -> Answer:
        start, end = (datetime.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
        if start <= bad <= end:
            return reply(b"", 500)
        return reply(
            json.dumps(
                [{"service_request_id": at.isoformat(), "status": "open"} for at in good if start <= at <= end]
            ).encode()
        )

    with serving(answer) as server, Client(server.profile(), sleep=lambda _: None) as client:
        found = client.requests(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC))
        assert {item.service_request_id for item in found} == {at.isoformat() for at in good}
        assert client.gaps
        assert all("2026-02-01" in gap.what for gap in client.gaps)


def test_a_server_that_is_down_is_not_asked_for_every_hour() -> None:
    with serving([reply(b"", 500)]) as server, Client(server.profile(), sleep=lambda _: None) as client:
        with pytest.raises(Unreached):
            list(client.requests(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 3, 1, tzinfo=UTC)))
        assert len(server.asked) <= 36


def test_an_id_that_breaks_their_answer_is_left_out_alone() -> None:
    def answer(asked: Asked) -> Answer:
        ids = asked.query["service_request_id"].split(",")
        return reply(b"<requests><", 200) if "13" in ids else listed(*ids)

    with serving(answer) as server, Client(server.profile(), sleep=lambda _: None) as client:
        found = [item.service_request_id for item in client.requests(ids=[str(n) for n in range(120)])]
        assert len(found) == 119
        assert [gap.what for gap in client.gaps] == ["13"]
        assert max(len(asked.query["service_request_id"].split(",")) for asked in server.asked) == 50


# --- Updates -------------------------------------------------------------------------------------------------------------


def test_an_update_that_they_have_already_is_as_good_as_taken() -> None:
    update = NewUpdate(
        update_id="u1", service_request_id="5", status="closed", updated_datetime=now(), description="Done"
    )
    exists = reply(b'[{"description":"update_id already exists"}]', 400)
    with serving([reply(b'[{"update_id":"u1"}]'), exists]) as server, Client(server.profile()) as client:
        assert client.send_update(update) == client.send_update(update) == Accepted(service_request_id="5")
        assert dict(server.asked[0].form)["status"] == "CLOSED"
