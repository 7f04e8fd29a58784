"""What servers differ in: paths, dates, pages, forms, words; and every saved answer, through the client over a socket."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.georeport.client import Accepted, Client, NewRequest, Unreached
from loop311.georeport.profile import Limits, Paging, Paths, Profile, of
from loop311.georeport.sending import Medium, description, form
from loop311.georeport.testing import Answer, Asked, reply, serving
from loop311.georeport.tests.test_reading import SAVED, saved
from loop311.georeport.windows import sliced

HERE = "https://city.example/open311/v2"
NEW = NewRequest(service_code="pothole", reference="SPR-7", description="Deep", lat=41.5, long=-87.00001)
AT = datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)
TAKEN = reply(b'[{"service_request_id": "101"}]')


def profile(**switches: Any) -> Profile:
    return of({"base": HERE, **switches})


# --- Profiles ------------------------------------------------------------------------------------------------------------


def test_the_defaults_are_the_specification() -> None:
    ours = profile()
    assert ours.address("services") == f"{HERE}/services.json"
    assert ours.address("request", id="12/3 4") == f"{HERE}/requests/12%2F3%204.json"
    assert ours.discovery_address == f"{HERE}/discovery.json"


def test_every_switch_is_in_the_how_to() -> None:
    told = (Path(__file__).parents[3] / "docs/how-to/open311-other-city.md").read_text("utf-8")
    names = [name for part in (Profile, Paths, Paging, Limits) for name in part.__struct_fields__]
    assert [name for name in names if not re.search(rf"\b{name}\b", told)] == []


def test_every_path_can_be_another() -> None:
    odd = profile(format="xml", paths={"request": "request/{id}.{format}"})
    assert odd.address("request", id="7") == f"{HERE}/request/7.xml"


@pytest.mark.parametrize(
    ("style", "written"),
    [("utc", "2026-03-01T09:00:00Z"), ("offset", "2026-03-01T03:00:00-06:00"), ("naive", "2026-03-01T03:00:00")],
)
def test_dates_are_written_in_their_style(style: str, written: str) -> None:
    assert profile(date_style=style, zone="America/Chicago").date(AT) == written


@pytest.mark.parametrize(
    ("switches", "clause"),
    [
        ({"base": "ftp://city.example"}, "no http or https address"),
        ({"base": "http://city.example/"}, "use https"),
        ({"zone": "Mars/North"}, "no time zone"),
        ({"date_styel": "utc"}, "date_styel"),
        ({"api_key": "s\u00e9same"}, "no header can hold"),
    ],
)
def test_a_profile_with_a_mistake_says_so(switches: dict[str, str], clause: str) -> None:
    with pytest.raises(ValueError, match=clause):
        profile(**switches)


def test_words_of_their_own_become_ours() -> None:
    ours = profile(statuses={"fixed": "closed"}, code_aliases={"pothole": "4fd3"})
    assert [ours.status(raw) for raw in ("Fixed", "CLOSED", "submitted")] == ["closed", "closed", "open"]
    assert (ours.their_code("pothole"), ours.our_code("4fd3"), ours.our_code("other")) == ("4fd3", "pothole", "other")


# --- Forms ---------------------------------------------------------------------------------------------------------------


def test_several_values_are_sent_in_their_style() -> None:
    new = NewRequest(service_code="a", reference="r", attributes={"one": "x", "two": ["y", "z"]})
    for style, names in (
        ("brackets", ["attribute[one]", "attribute[two][]", "attribute[two][]"]),
        ("repeat", ["attribute[one]", "attribute[two]", "attribute[two]"]),
    ):
        sent = [pair for pair in form(new, profile(attribute_style=style)) if pair[0].startswith("attribute")]
        assert [name for name, _ in sent] == names
        assert [value for _, value in sent] == ["x", "y", "z"]


def test_positions_are_plain_numbers_and_empty_arguments_are_left_out() -> None:
    sent = dict(form(NEW, profile(code_aliases={"pothole": "4fd3"})))
    assert (sent["lat"], sent["long"], sent["service_code"]) == ("41.5", "-87.00001", "4fd3")
    assert set(sent) == {"service_code", "lat", "long", "description"}
    assert dict(form(NewRequest(service_code="a", reference="r", lat=0.00001, long=0.0), profile()))["lat"] == "0.00001"


@given(st.text(max_size=6000), st.from_regex(r"[A-Za-z0-9._-]{1,80}", fullmatch=True))
def test_a_description_is_never_too_long_and_never_loses_our_reference(said: str, reference: str) -> None:
    written = description(NewRequest(service_code="a", reference=reference, description=said), profile())
    assert len(written) <= 4000
    assert written.endswith(f"[ref-{reference}]")


@pytest.mark.parametrize("reference", ["", "two words", "x" * 81, "a]"])
def test_a_reference_is_a_plain_word(reference: str) -> None:
    with pytest.raises(ValueError, match="a reference has"):
        NewRequest(service_code="a", reference=reference)


def test_pictures_go_the_way_they_take_them() -> None:
    picture = Medium(name="hole.jpg", media_type="image/jpeg", data=b"\xff\xd8bytes")
    new = NewRequest(service_code="a", reference="r", address="1 Main", media_urls=("u1", "u2"), media=(picture,))
    assert [v for n, v in form(new, profile(media_style="urls")) if n == "media_url"] == ["u1", "u2"]
    assert [v for n, v in form(new, profile(media_style="url")) if n == "media_url"] == ["u1"]
    assert "media_url" not in dict(form(new, profile(media_style="none")))
    with serving([TAKEN]) as server:
        client = Client(server.profile(media_style="multipart", media_field="photo1", api_key="k"))
        assert client.file(new) == Accepted(service_request_id="101")
    body = server.asked[0].body
    assert b'name="photo1"; filename="hole.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8bytes' in body
    assert b'name="api_key"\r\n\r\nk\r\n' in body


@pytest.mark.parametrize("place", ["form", "header", "address"])
def test_the_key_stands_where_they_look_for_it_and_only_on_filings(place: str) -> None:
    with serving([reply(b"[]"), TAKEN]) as server:
        client = Client(server.profile(api_key="sesame", api_key_in=place, jurisdiction_id="city.example"))
        client.services()
        client.file(NEW)
    read, filed = server.asked
    assert "sesame" not in f"{read.query}{read.headers}"
    assert read.query == {"jurisdiction_id": "city.example"}
    found = {"form": dict(filed.form), "header": filed.headers, "address": filed.query}[place]
    assert "sesame" in found.values()
    assert filed.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"


# --- Windows and pages ---------------------------------------------------------------------------------------------------

_days = st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(_days, _days, st.floats(1, 90))
def test_slices_cover_the_whole_time_and_none_is_too_long(start: datetime, end: datetime, most: float) -> None:
    longest = timedelta(days=most)
    found = list(sliced(start, end, longest))
    assert all(window.end - window.start <= longest for window in found)
    assert all(later.start == earlier.end for later, earlier in pairwise(found))
    if start < end:
        assert (found[-1].start, found[0].end) == (start, end)
    else:
        assert found == []


class Cuts:
    """Requests an hour apart, at most so many in one answer, with or without pages."""

    def __init__(self, count: int, most: int, *, page: str = "", past_end: str = "empty") -> None:
        self.times = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(count)]
        self.most, self.page, self.past_end = most, page, past_end

    def __call__(self, asked: Asked) -> Answer:
        start, end = (datetime.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
        assert end - start <= timedelta(days=90)
        found = [at for at in self.times if start <= at <= end][::-1]
        page = int(asked.query.get(self.page, 1)) if self.page else 1
        rows = found[(page - 1) * self.most : page * self.most]
        if not rows and page > 1:
            if self.past_end == "error":
                return reply(b"[]", 400)
            if self.past_end == "last":
                rows = found[-self.most :]
        return reply(json.dumps([row(at.isoformat(), at) for at in rows]).encode())


def row(number: str, at: datetime) -> dict[str, str]:
    return {"service_request_id": number, "status": "open", "requested_datetime": at.isoformat()}


@pytest.mark.parametrize(
    "paging", [{"most": 7}, {"page": "page", "size": "page_size", "size_value": 7}, {"page": "page"}]
)
@pytest.mark.parametrize("past_end", ["empty", "error", "last"])
def test_every_request_is_read_once_however_it_is_cut(paging: dict[str, Any], past_end: str) -> None:
    server_side = Cuts(140, 7, page=str(paging.get("page", "")), past_end=past_end)
    with serving(server_side) as server, Client(server.profile(paging=paging)) as client:
        end = datetime(2026, 3, 1, tzinfo=UTC)
        found = [item.service_request_id for item in client.requests(start=end - timedelta(days=200), end=end)]
        assert len(found) == len(set(found)) == 140
        assert client.gaps == []


def test_a_usual_page_size_counts_as_full_where_none_is_known() -> None:
    with serving(Cuts(120, 50)) as server, Client(server.profile()) as client:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert len(list(client.requests(start=start, end=start + timedelta(days=30)))) == 120


def test_a_server_that_shows_fewer_at_once_than_asked_for_is_read_to_its_end() -> None:
    paging = {"page": "page", "size": "page_size", "size_value": 500}
    with serving(Cuts(120, 50, page="page")) as server, Client(server.profile(paging=paging)) as client:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert len(list(client.requests(start=start, end=start + timedelta(days=30)))) == 120


def test_what_cannot_be_told_apart_by_time_is_named_as_a_gap() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [row(str(n), start) for n in range(50)]
    with serving([reply(json.dumps(rows).encode())]) as server, Client(server.profile()) as client:
        assert len(list(client.requests(start=start, end=start + timedelta(seconds=2)))) == 50
        assert client.gaps[0].reason == "there are more, and the server shows 50 at once"


def test_a_server_that_pays_no_heed_to_dates_is_asked_once() -> None:
    rows = [row(str(n), datetime(2020, 1, 1, tzinfo=UTC)) for n in range(50)]
    with serving([reply(json.dumps(rows).encode())]) as server, Client(server.profile()) as client:
        assert len(list(client.requests(start=datetime(2025, 1, 1, tzinfo=UTC)))) == 50
        assert [gap.reason for gap in client.gaps] == ["the server shows 50 at once and pays no heed to dates"]
        assert len(server.asked) == 1


def test_what_changed_is_asked_by_the_time_of_change() -> None:
    with serving([reply(b"[]")]) as server, Client(server.profile()) as client:
        assert list(client.requests(updated_after=datetime.now(UTC) - timedelta(days=1), statuses=["open"])) == []
        assert set(server.asked[0].query) == {"updated_after", "updated_before", "status"}


def test_404_on_a_list_is_an_empty_list() -> None:
    with serving([reply(b"", 404)]) as server:
        assert list(Client(server.profile()).requests(ids=["1"])) == []
        assert Client(server.profile()).one("1") is None


def test_a_definition_is_asked_again_only_when_the_endpoint_has_changed() -> None:
    made = json.dumps({"service_code": "1", "attributes": []}).encode()
    told = [json.dumps({"changeset": each, "endpoints": []}).encode() for each in ("a", "a", "b")]
    with serving([*map(reply, (told[0], made, told[1], told[2], made))]) as server:
        client = Client(server.profile())
        for _ in range(3):
            client.discovery()
            client.definition("1")
    assert [asked.path for asked in server.asked].count("/v2/services/1.json") == 2


def test_a_wrapper_nobody_knew_can_be_named() -> None:
    with serving([reply(b'{"data": [{"service_code": "1"}], "total": 1}')]) as server:
        assert [each.service_code for each in Client(server.profile(wrapper="data")).services()] == ["1"]


def test_their_own_word_for_a_status_is_kept() -> None:
    body = json.dumps([{"service_request_id": "1", "status": "Fixed", "service_code": "4fd3"}]).encode()
    with serving([reply(body)]) as server:
        found = Client(server.profile(statuses={"fixed": "closed"}, code_aliases={"pothole": "4fd3"})).one("1")
    assert found is not None
    assert (found.status, found.raw_status, found.service_code) == ("closed", "Fixed", "pothole")


# --- Saved answers of real cities ----------------------------------------------------------------------------------------


@pytest.mark.real_data
def test_no_saved_answer_is_left_unread() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert saved("chicago_2012_requests_empty.json") == b"[]"
    assert [path.name for path in SAVED.iterdir() if f'"{path.name}"' not in tests] == []


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bloomington_2012_services.json", 46),
        ("boston_2018_services.json", 118),
        ("dc_2012_services.xml", 86),
        ("giessen_2018_services.xml", 8),
        ("sf_2012_services.xml", 38),
    ],
)
def test_every_saved_service_list_comes_through(name: str, count: int) -> None:
    with serving([reply(saved(name))]) as server, Client(server.profile()) as client:
        assert len(client.services()) == count


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bloomington_2012_requests.json", 21),
        ("chicago_2012_requests.json", 43),
        ("chicago_2012_requests_empty.json", 0),
        ("chicago_2012_request_single_extensions.json", 1),
        ("koeln_2023_requests_archive.json", 49),  # two different ones bear one id
        ("toronto_2018_requests_single.xml", 1),
    ],
)
def test_every_saved_list_of_requests_comes_through_without_those_that_have_no_id(name: str, count: int) -> None:
    with serving([reply(saved(name))]) as server, Client(server.profile(paging={"most": 1000})) as client:
        assert len(list(client.requests())) == count
        assert [gap.what for gap in client.gaps] == (["A-173374"] if name.startswith("koeln") else [])


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    [
        "chicago_service_definition_pothole.json",
        "dc_2012_service_definition_S0301.xml",
        "merton_uk_service_definition.xml",
    ],
)
def test_every_saved_definition_comes_through(name: str) -> None:
    with serving([reply(saved(name))]) as server, Client(server.profile()) as client:
        assert client.definition("any").attributes


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["boston_2011_discovery.json", "dc_2012_discovery.xml"])
def test_every_saved_discovery_comes_through(name: str) -> None:
    with serving([reply(saved(name))]) as server, Client(server.profile()) as client:
        assert client.discovery().endpoints


@pytest.mark.real_data
def test_the_saved_answers_to_filings_have_their_outcomes() -> None:
    kinds = []
    for name, status in (
        ("boston_2012_post_token.xml", 200),
        ("boston_2012_post_error_duplicate.xml", 400),
        ("sf_2011_error_403_legacy.xml", 403),
    ):
        with serving([reply(saved(name), status)]) as server:
            kinds.append(type(Client(server.profile()).file(NEW)).__name__)
    assert kinds == ["Waiting", "Unknown", "Refused"]


@pytest.mark.real_data
def test_an_answer_that_is_not_well_formed_does_not_break_a_batch() -> None:
    broken, whole = saved("sf_2010_requests.xml"), saved("toronto_2018_requests_single.xml")

    def answer(asked: Asked) -> Answer:
        ids = asked.query.get("service_request_id", "13").split(",")
        return reply(broken if "13" in ids else whole)

    with serving(answer) as server, Client(server.profile(), sleep=lambda _: None) as client:
        assert len(list(client.requests(ids=["13", "14"]))) == 1
        assert [gap.what for gap in client.gaps] == ["13"]
        with pytest.raises(Unreached, match="broken XML"):
            client.one("13")
