"""What is written in either format is read back as the same values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from loop311.georeport import reading, render
from loop311.georeport.model import (
    Attribute,
    AttributeValue,
    CreateResult,
    ErrorItem,
    Item,
    RequestItem,
    ServiceDefinition,
    ServiceItem,
    TokenResult,
    UpdateItem,
)
from loop311.georeport.render import Format

_letters = st.characters(min_codepoint=33, max_codepoint=0xD7FF, exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])
words = st.text(_letters, min_size=1, max_size=12).filter(lambda said: reading.text(said) == said)
prose = st.lists(words, min_size=1, max_size=6).map("\n".join) | words
maybe = st.none() | prose
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
latitudes = st.floats(-90, 90, allow_nan=False).filter(lambda n: abs(n) > 1e-6)
longitudes = st.floats(-180, 180, allow_nan=False).filter(lambda n: abs(n) > 1e-6)


@st.composite
def requests(draw: Any) -> RequestItem:
    placed = draw(st.booleans())
    return RequestItem(
        service_request_id=draw(words),
        status=draw(st.sampled_from(["open", "closed"])),
        **{name: draw(maybe) for name in _TEXTS},
        zipcode=draw(st.none() | st.from_regex(r"[0-9]{5}", fullmatch=True)),
        lat=draw(latitudes) if placed else None,
        long=draw(longitudes) if placed else None,
        **{name: draw(st.none() | instants) for name in _TIMES},
    )


_TEXTS = (
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "address",
    "address_id",
    "media_url",
)
_TIMES = ("requested_datetime", "updated_datetime", "expected_datetime")
services = st.builds(
    ServiceItem,
    service_code=words,
    service_name=prose,
    description=maybe,
    metadata=st.booleans(),
    type=st.sampled_from(["realtime", "batch", "blackbox"]),
    keywords=maybe,
    group=maybe,
)
attributes = st.builds(
    Attribute,
    variable=st.just(True),
    code=words,
    datatype=st.sampled_from(["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]),
    required=st.booleans(),
    datatype_description=maybe,
    description=maybe,
    values=st.lists(st.builds(AttributeValue, key=words, name=prose), max_size=4).map(tuple),
)


def _numbered(found: list[Attribute]) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(**{f: getattr(each, f) for f in each.__struct_fields__ if f != "order"}, order=place)
        for place, each in enumerate(found, 1)
    )


definitions = st.builds(
    ServiceDefinition, service_code=words, attributes=st.lists(attributes, max_size=4).map(_numbered)
)


def both(items: list[Any], kind: type[Item], read: Any) -> None:
    for format_ in Format:
        body = render.listed(items, kind, format_)
        assert read(body) == items
        assert render.listed(items, kind, format_) == body


@given(st.lists(requests(), max_size=4))
def test_requests_come_back_as_they_were(items: list[RequestItem]) -> None:
    both(items, RequestItem, lambda body: reading.requests(body, UTC))


@given(st.lists(services, max_size=4))
def test_services_come_back_as_they_were(items: list[ServiceItem]) -> None:
    both(items, ServiceItem, reading.services)


@given(definitions)
def test_definitions_come_back_as_they_were(item: ServiceDefinition) -> None:
    for format_ in Format:
        assert reading.definition(render.whole(item, format_)) == item


@given(st.lists(st.builds(ErrorItem, code=st.sampled_from([400, 403, 404]), description=prose), min_size=1, max_size=3))
def test_errors_come_back_as_they_were(items: list[ErrorItem]) -> None:
    both(items, ErrorItem, lambda body: reading.errors(body, 400))


@given(
    st.lists(
        st.builds(
            UpdateItem,
            update_id=words,
            service_request_id=words,
            status=st.sampled_from(["open", "closed", "fixed"]),
            updated_datetime=instants,
            description=maybe,
            media_url=st.just(UNSET) | words,
            external_status_code=st.just(UNSET) | words,
            customer_reference=st.just(UNSET) | words,
        ),
        max_size=3,
    )
)
def test_updates_come_back_as_they_were(items: list[UpdateItem]) -> None:
    both(items, UpdateItem, lambda body: reading.updates(body, UTC))


@given(words, st.booleans())
def test_an_id_or_a_token_comes_back_and_the_other_is_absent(said: str, is_token: bool) -> None:
    result = CreateResult(token=said) if is_token else CreateResult(service_request_id=said)
    for format_ in Format:
        body = render.listed([result], CreateResult, format_)
        assert reading.created(body) == result
        assert (b"service_request_id" in body) is not is_token


@given(words)
def test_a_token_without_its_id_yet_comes_back(said: str) -> None:
    result = TokenResult(service_request_id=None, token=said)
    for format_ in Format:
        assert reading.token(render.listed([result], TokenResult, format_)) == result


def test_no_requests_are_an_empty_list_in_both_formats() -> None:
    assert render.listed([], RequestItem, Format.JSON) == b"[]"
    assert render.listed([], RequestItem, Format.XML).endswith(b"<service_requests/>")


def test_long_lists_come_in_pieces_and_are_one_list() -> None:
    items = [RequestItem(service_request_id=str(number), status="open") for number in range(1000)]
    for format_ in Format:
        pieces = list(render.pieces(iter(items), RequestItem, format_))
        assert len(pieces) > 4
        assert [item.service_request_id for item in reading.requests(b"".join(pieces), UTC)] == list(
            map(str, range(1000))
        )


def test_an_empty_date_is_left_out_of_xml_and_null_in_json() -> None:
    item = RequestItem(service_request_id="1", status="open")
    assert b"requested_datetime" not in render.listed([item], RequestItem, Format.XML)
    assert b'"requested_datetime":null' in render.listed([item], RequestItem, Format.JSON)


def test_xml_never_holds_what_xml_cannot() -> None:
    item = RequestItem(service_request_id="1", status="open", description="a\x00b\x0bc]]>&<\ud800\uffff")
    assert reading.requests(render.listed([item], RequestItem, Format.XML), UTC)[0].description == "abc]]>&<"
