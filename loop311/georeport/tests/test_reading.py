"""What real servers were seen to send is understood; what nobody can understand is said."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec import UNSET

from loop311.georeport import reading
from loop311.georeport.model import ErrorItem
from loop311.georeport.parsing import Unreadable, parse

ZONE = ZoneInfo("America/Chicago")
SAVED = Path(os.environ.get("LOOP311_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data") / "open311"


@pytest.mark.parametrize("written", ["", " ", "null", "NULL", None, "nil"])
def test_all_the_ways_of_saying_nothing_are_nothing(written: object) -> None:
    assert reading.text(written) is None


@pytest.mark.parametrize(("written", "meant"), [(True, True), ("True", True), (1, True), ("false", False), (0, False)])
def test_booleans_come_as_words_and_numbers(written: object, meant: bool) -> None:
    assert reading.boolean(written) is meant


def test_ids_keep_their_leading_zeros() -> None:
    (found,) = reading.services(b'[{"service_code": "001", "service_name": "Cans"}]')
    assert found.service_code == "001"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2012-12-01T13:53:02-06:00", datetime(2012, 12, 1, 19, 53, 2, tzinfo=UTC)),
        ("2012-12-01T13:53:02 02:00", datetime(2012, 12, 1, 11, 53, 2, tzinfo=UTC)),  # a plus sign that was not encoded
        ("2018-03-01T10:00:00.123456z", datetime(2018, 3, 1, 10, tzinfo=UTC)),
        ("2018-03-01T10:00:00+0000", datetime(2018, 3, 1, 10, tzinfo=UTC)),
        ("2012-05-22 23:57:23.97", datetime(2012, 5, 23, 4, 57, 23, tzinfo=UTC)),  # San Francisco: local, no offset
        ("2018-03-01", datetime(2018, 3, 1, 6, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_of_every_kind_are_read(written: str, meant: datetime | None) -> None:
    assert reading.instant(written, ZONE) == meant


@pytest.mark.parametrize(
    "row", [{"lat": "0.0", "long": "0"}, {"lat": 41.8}, {"lat": "NaN", "long": 3}, {"lat": 91, "long": 3}]
)
def test_positions_that_mean_nothing_are_none(row: dict[str, object]) -> None:
    assert reading.position(row) == (None, None)


def test_a_status_nobody_knows_is_open() -> None:
    assert [r.status for r in reading.requests(b'[{"status":"submitted"},{"status":"Closed"}]', ZONE)] == [
        "open",
        "closed",
    ]


def test_wrapped_lists_are_unwrapped() -> None:
    for body in (
        b'{"service_requests": [{"service_request_id": 7}]}',
        b'{"service_requests": {"request": [{"service_request_id": 7}]}}',
    ):
        assert [r.service_request_id for r in reading.requests(body, ZONE)] == ["7"]


def test_media_and_agencies_come_as_lists_and_objects() -> None:
    agency = b'"agency_responsible": {"recipient": ["Streets", "Parks"]}'
    body = b'[{"media_url": ["", {"url": "http://example.com/a.jpg"}], ' + agency + b"}]"
    (found,) = reading.requests(body, ZONE)
    assert (found.media_url, found.agency_responsible) == ("http://example.com/a.jpg", "Streets, Parks")


@pytest.mark.parametrize(
    ("body", "described"),
    [
        (b"<errors><error><code>400</code><description>Bad</description></error></errors>", "Bad"),
        (b"<error>No key</error>", "No key"),
        (b'[{"code":403,"description":"Bad"}]', "Bad"),
        (b'{"error":{"code":400,"message":"Bad"}}', "Bad"),
        (b'{"code":400,"detail":"Bad"}', "Bad"),
        (b'[{"message":"Bad"}]', "Bad"),
        (b"<html><body>Sorry</body></html>", "<html><body>Sorry</body></html>"),
        (b"plain words", "plain words"),
        (b"", "HTTP 403"),
    ],
)
def test_errors_of_every_shape_say_what_they_say(body: bytes, described: str) -> None:
    assert [each.description for each in reading.errors(body, 403)] == [described]


def test_a_definition_without_the_wrapper_is_read() -> None:
    body = b"""<service_definition><service_code>1</service_code><attribute><code>a</code><variable>true</variable>
        <datatype>string</datatype><required>true</required><order>2</order></attribute></service_definition>"""
    assert [each.code for each in reading.definition(body).attributes] == ["a"]


def test_none_may_be_chosen() -> None:
    body = b"""{"service_code":"1","attributes":[{"code":"a","datatype":"singlevaluelist","values":
        [{"key":"none","name":"None"},{"key":"null","name":null},{"key":false,"name":"No"},{"key":null,"name":"x"}]}]}"""
    found = reading.definition(body).attributes[0].values
    assert [(each.key, each.name) for each in found] == [("none", "None"), ("null", "null"), ("false", "No")]


def test_what_is_only_shown_is_never_required() -> None:
    body = b'{"service_code":"1","attributes":[{"code":"a","variable":"false","required":"true","datatype":"string"}]}'
    assert reading.definition(body).attributes[0].required is False


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Down for maintenance</body></html>", b"[{]", b"<a><b></a>", b"certainly", b"[" * 100_000],
)
def test_what_is_neither_says_so(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_entities_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><services><service><service_code>&b;</service_code></service></services>'
    )
    with pytest.raises(Unreadable, match="document type or entities"):
        reading.services(bomb)


# --- Saved answers of real cities ----------------------------------------------------------------------------------------


def saved(name: str) -> bytes:
    if not SAVED.is_dir():
        pytest.skip("the saved answers of real Open311 servers are not here")
    return (SAVED / name).read_bytes()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bloomington_2012_services.json", 46),
        ("boston_2018_services.json", 118),
        ("boston_2018_service_definitions.json", 4),
        ("dc_2012_services.xml", 86),
        ("giessen_2018_services.xml", 8),
        ("sf_2012_services.xml", 38),
    ],
)
def test_every_saved_service_list_is_read_whole(name: str, count: int) -> None:
    found = reading.services(saved(name))
    assert len(found) == count
    assert all(service.service_code and service.service_name for service in found)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count", "without_id"),
    [
        ("bloomington_2012_requests.json", 21, 0),
        ("chicago_2012_requests.json", 50, 7),
        ("chicago_2012_requests_empty.json", 0, 0),
        ("chicago_2012_request_single_extensions.json", 1, 0),
        ("koeln_2023_requests_archive.json", 50, 0),
        ("toronto_2018_requests_single.xml", 1, 0),
    ],
)
def test_every_saved_list_of_requests_is_read_whole(name: str, count: int, without_id: int) -> None:
    found = reading.requests(saved(name), ZONE)
    assert (len(found), sum(each.service_request_id is None for each in found)) == (count, without_id)
    assert all(each.requested_datetime for each in found)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("chicago_service_definition_pothole.json", 2),
        ("dc_2012_service_definition_S0301.xml", 6),
        ("merton_uk_service_definition.xml", 6),
    ],
)
def test_every_saved_definition_is_read_in_order(name: str, attributes: int) -> None:
    found = reading.definition(saved(name)).attributes
    assert len(found) == attributes
    assert [each.order for each in found] == sorted(each.order for each in found)


@pytest.mark.real_data
def test_the_other_saved_answers_are_read() -> None:
    assert reading.created(saved("boston_2012_post_token.xml")).token == "503fc045901932078800163c"
    assert reading.created(saved("boston_2012_post_token.xml")).service_request_id is UNSET
    duplicate = reading.errors(saved("boston_2012_post_error_duplicate.xml"), 400)
    assert duplicate == [ErrorItem(code=400, description="Invalid service request: base is a duplicate.")]
    assert "Invalid api_key" in reading.errors(saved("sf_2011_error_403_legacy.xml"), 403)[0].description
    assert [
        len(reading.discovery(saved(name)).endpoints)
        for name in ("boston_2011_discovery.json", "dc_2012_discovery.xml")
    ] == [2, 2]


@pytest.mark.real_data
def test_a_broken_answer_is_a_failure_of_the_transport() -> None:
    with pytest.raises(Unreadable, match="broken XML"):
        reading.requests(saved("sf_2010_requests.xml"), ZONE)
