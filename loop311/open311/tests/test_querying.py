"""GET requests: every argument of a list, and what the list says of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loop311.georeport import reading
from loop311.kit.clock import now
from loop311.kit.testing import browser
from loop311.open311 import finding, querying
from loop311.open311.testing import get
from loop311.requests.models import Request
from loop311.requests.services import comment
from loop311.requests.testing import City

pytestmark = pytest.mark.django_db


def numbers(query: str = "") -> list[str]:
    return [each["service_request_id"] for each in get(f"requests.json?{query}").json()]


def three(city: City) -> list[str]:
    """Numbers, newest first."""
    return [city.file(at=now() - timedelta(minutes=age)).number for age in range(3)]


# --- Pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["page_size", "per_page"])
def test_pages_follow_one_another_and_end_empty(city: City, size: str) -> None:
    all_of_them = three(city)
    assert numbers(f"{size}=2") == all_of_them[:2]
    assert numbers(f"{size}=2&page=2") == all_of_them[2:]
    assert numbers(f"{size}=2&page=3") == []


def test_a_page_says_how_many_there_are_and_where_the_others_are(city: City) -> None:
    three(city)
    first = get("requests.json?page_size=2&status=open&api_key=l311_secret")
    assert first["X-Total-Count"] == "3"
    assert 'page=2>; rel="next"' in first["Link"]
    assert "secret" not in first["Link"]
    assert "status=open" in first["Link"]
    last = get("requests.json?page_size=2&page=2")
    assert (last["X-Total-Count"], "next" in last["Link"], 'rel="prev"' in last["Link"]) == ("3", False, True)
    assert not get("requests.json").has_header("Link")
    assert get("requests.json?page=9&page_size=2")["X-Total-Count"] == "3"


def test_a_count_beyond_what_is_counted_says_so(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    three(city)
    monkeypatch.setattr(finding, "MOST_COUNTED", 2)
    monkeypatch.setattr(querying, "MOST_COUNTED", 2)
    response = get("requests.json?page_size=1")
    assert (response["X-Total-Count"], response["X-Total-Count-Exceeded"]) == ("2", "true")


def test_a_long_list_comes_in_pieces_and_is_the_same(city: City) -> None:
    for _ in range(101):
        city.file(at=now())
    xml, told = get("requests.xml"), get("requests.json")
    assert xml.streaming
    assert told.streaming
    zone = city.jurisdiction.zone
    found = reading.requests(xml.getvalue(), zone)
    assert len(found) == 101
    assert found == reading.requests(told.getvalue(), zone)


# --- What has changed ----------------------------------------------------------------------------------------------------


def test_who_holds_a_list_gets_304_until_something_in_it_changes(city: City) -> None:
    request = city.file(at=now())
    before = get("requests.json")
    assert before["Last-Modified"]
    again = get("requests.json", 304, **{"If-None-Match": before["ETag"]})
    assert again.content == b""
    assert get("requests.xml")["ETag"] != before["ETag"]
    comment(request, text="Seen", by=city.system)
    get("requests.json", 200, **{"If-None-Match": before["ETag"]})


def test_a_single_request_has_a_tag_too(city: City) -> None:
    path = f"requests/{city.file(at=now()).number}.json"
    get(path, 304, **{"If-None-Match": get(path)["ETag"]})


def test_changes_are_found_by_their_time_not_by_the_filing(city: City) -> None:
    old, other = city.file(at=now() - timedelta(days=200)), city.file(at=now() - timedelta(days=199))
    comment(old, text="Seen", by=city.system)
    since = (now() - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"updated_after={since}") == [old.number]
    assert numbers(f"updated_before={since}") == [other.number]
    assert numbers(f"updated_after={since}&updated_before={since}") == []
    year = (now() - timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"updated_after={year}") == [other.number, old.number]
    assert numbers() == []


def test_closed_says_when_it_was_closed_and_changes_by_what_comes_later(city: City) -> None:
    done = city.done(city.file(at=now() - timedelta(hours=9)), at=now() - timedelta(hours=3))
    comment(done, text="Later", by=city.system)
    (seen,) = get("requests.json?status=closed").json()
    assert done.done_at is not None
    assert seen["updated_datetime"] == done.done_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"updated_after={(now() - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}") == [done.number]


# --- Where ---------------------------------------------------------------------------------------------------------------


def test_requests_are_found_around_a_point_and_in_a_box(city: City) -> None:
    near = city.file(at=now(), latitude=41.8500, longitude=-87.6500)
    city.file(at=now(), latitude=41.8600, longitude=-87.6500)
    city.file(at=now())
    assert numbers("lat=41.8505&long=-87.65&radius=100") == [near.number]
    assert len(numbers("lat=41.8505&long=-87.65&radius=5000")) == 2
    assert numbers("bbox=-87.66,41.84,-87.64,41.855") == [near.number]
    assert len(numbers("bbox=-87.66,41.84,-87.64,41.87")) == 2


def test_asking_by_place_tells_no_more_of_a_sensitive_one_than_its_block(city: City) -> None:
    request = city.file(at=now(), latitude=41.85040, longitude=-87.65040)
    Request.objects.filter(pk=request.pk).update(publicity="block", version=2)
    assert numbers("lat=41.8504&long=-87.6504&radius=10") == []
    assert numbers("lat=41.85&long=-87.65&radius=10") == [request.number]
    assert numbers("bbox=-87.6505,41.8503,-87.6503,41.8505") == []
    assert numbers("bbox=-87.6501,41.8499,-87.6499,41.8501") == [request.number]


@pytest.mark.parametrize(
    "query",
    ["lat=1", "long=1", "lat=1&long=NaN", "lat=1&long=1&radius=0", "lat=1&long=1&radius=99999999", "bbox=1,2,3",
     "bbox=1,2,3,x", "bbox=3,2,1,4", "bbox=,,,", "updated_after=2026-02-02&updated_before=2026-01-01", "per_page=0",
     "start_date=2026-13-01", "status=open,maybe", "page=%00", "q=%00"],
)  # fmt: skip
def test_what_cannot_be_meant_is_400_never_everything(city: City, query: str) -> None:
    assert get(f"requests.json?{query}", 400).json()[0]["code"] == 400


@pytest.mark.parametrize("path", ["requests/1%00.json", "tokens/%00.json", "services/%00.json", "media/a/b/9.jpg"])
def test_nothing_strange_in_an_address_is_more_than_404(city: City, path: str) -> None:
    get(path, 404)


# --- Dates ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{:%Y-%m-%dT%H:%M:%SZ}", "{:%Y-%m-%dT%H:%M:%S.000Z}", "{:%Y-%m-%dT%H:%M:%S}",
                                     "{:%Y-%m-%dT%H:%M:%S} 00:00", "{:%Y-%m-%dT%H:%M:%S}%2B00:00", "{:%Y-%m-%d}"])  # fmt: skip
def test_dates_are_read_as_clients_write_them(city: City, written: str) -> None:
    request = city.file(at=now() - timedelta(minutes=1))
    assert numbers(f"start_date={written.format(now() - timedelta(days=1))}") == [request.number]


def test_times_as_they_are_given_out_find_the_request_again(city: City) -> None:
    at = (now() - timedelta(days=2)).replace(microsecond=700_000)
    number = city.file(at=at).number
    (told,) = get(f"requests/{number}.json").json()
    made, changed = told["requested_datetime"], told["updated_datetime"]
    assert numbers(f"start_date={made}&end_date={made}") == [number]
    assert numbers(f"updated_after={changed}&updated_before={changed}") == [number]


def test_one_end_of_the_window_makes_ninety_days(city: City) -> None:
    old = city.file(at=now() - timedelta(days=100))
    end = (now() - timedelta(days=95)).strftime("%Y-%m-%dT%H:%M:%SZ")
    start = (now() - timedelta(days=101)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert numbers(f"end_date={end}") == [old.number]
    assert numbers(f"start_date={start}") == [old.number]


def test_a_window_that_has_not_begun_is_empty(city: City) -> None:
    city.file(at=now())
    assert numbers(f"start_date={(now() + timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}") == []


# --- Extensions ----------------------------------------------------------------------------------------------------------


def test_extensions_come_only_when_asked_for_and_alike_in_both_formats(city: City) -> None:
    request = city.file(at=now(), latitude=41.85, longitude=-87.65)
    Request.objects.filter(pk=request.pk).update(areas={"council_district": "7"}, joined_count=2, version=2)
    assert "extended_attributes" not in get("requests.json").json()[0]
    for path in ("requests.json?extensions=true", f"requests/{request.number}.json?extensions=true"):
        (seen,) = get(path).json()
        more = seen["extended_attributes"]
        assert (more["detailed_status"], more["channel"], more["joined_count"]) == ("received", "phone", 2)
        assert more["areas"] == [{"layer": "council_district", "key": "7"}]
        assert more["promised_datetime"] == more["first_promised_datetime"] == seen["expected_datetime"]
    xml = get("requests.xml?extensions=true").content
    assert b"<area><layer>council_district</layer><key>7</key></area>" in xml


def test_extensions_tell_the_outcome_of_a_closed_one(city: City) -> None:
    city.done(city.file(at=now() - timedelta(hours=9)), at=now() - timedelta(hours=3))
    (seen,) = get("requests.json?extensions=true").json()
    assert seen["extended_attributes"]["outcome"] == "filled"
    assert "The work was done." in seen["extended_attributes"]["outcome_sentence"]


def test_any_page_may_read_and_may_ask_first(city: City) -> None:
    response: Any = browser().options("/open311/v2/requests.json")
    assert response.status_code == 200
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert "X-Total-Count" in get("requests.json")["Access-Control-Expose-Headers"]


def test_who_asks_with_a_clock_that_is_ahead_finds_nothing_yet(city: City) -> None:
    later = (now() + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name in ("requests", "servicerequestupdates"):
        assert get(f"{name}.json?start_date={later}").json() == []


def test_extensions_of_a_sensitive_request_name_no_area(city: City) -> None:
    request = city.file(at=now())
    Request.objects.filter(pk=request.pk).update(areas={"plat": "7"}, publicity="block", version=2)
    (seen,) = get("requests.json?extensions=true").json()
    assert "areas" not in seen["extended_attributes"]
