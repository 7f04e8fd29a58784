"""Group 9: what stands in a request."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from loop311.georeport.conform.filer import filer
from loop311.georeport.conform.registry import OURS, SPEC, check
from loop311.georeport.conform.strict import Row, element, moment
from loop311.georeport.conform.target import Target, joined
from loop311.georeport.reading import number, text
from loop311.georeport.render import Format
from loop311.kit.clock import now

_REQUIRED = ("service_request_id", "status", "service_code", "requested_datetime")
_DATES = ("requested_datetime", "updated_datetime", "expected_datetime")
_NUMBERS = ("lat", "long")
_TEXTS = (
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", *_DATES, "address", "address_id", "zipcode",
)  # fmt: skip
_STANDARD = (*_TEXTS, *_NUMBERS, "media_url")
_REPORTER = ("email", "first_name", "last_name", "phone", "device_id", "deviceid", "account_id")
_HTML = re.compile(r"</?[a-z][a-z0-9]*(\s[^<>]*)?/?>|&(amp|lt|gt|nbsp|quot|#\d+);", re.IGNORECASE)
_MOST = 4_000


def _first(names: tuple[str, ...], complaint: Callable[[str, object], str | None]) -> Callable[[Row], str | None]:
    """Of a row: what is to be said about the first of these fields."""

    def of_row(row: Row) -> str | None:
        return next((came for name in names if name in row and (came := complaint(name, row[name]))), None)

    return of_row


def _shown(name: str, value: object) -> str:
    return f"{name} {str(value)[:60]!r}"


@check("fields.required", SPEC, "Each request has service_request_id, status, service_code and requested_datetime.")
def required(at: Target) -> None:
    def missing(row: Row) -> str | None:
        names = [name for name in _REQUIRED if text(row.get(name)) is None]
        return f"no {joined(names)}" if names else None

    at.every_request(missing, "all of " + joined(_REQUIRED))


@check("fields.all-present", OURS, "Every standard field is there, also when it is empty; in XML except dates.")
def all_present(at: Target) -> None:
    def left_out(row: Row, names: set[str]) -> str | None:
        missing = sorted(names - set(row))
        return f"{joined(missing)} left out" if missing else None

    def look(format_: Format) -> None:
        names = set(_STANDARD) - (set(_DATES) if format_ is Format.XML else set())
        at.sample(format_).every(lambda row: left_out(row, names), "every standard field, empty or null")

    at.in_each(look)


@check("fields.status", SPEC, "The status is open or closed.")
def status(at: Target) -> None:
    at.sample().every(
        _first(("status",), lambda n, v: None if text(v) in ("open", "closed", None) else _shown(n, v)),
        "open or closed",
    )


@check("fields.dates", SPEC, "Dates are W3C dates and times with their zone.")
def dates(at: Target) -> None:
    at.every_request(
        lambda row: next((_shown(n, row[n]) for n in _DATES if text(row.get(n)) and moment(row, n) is None), None),
        "a date and time such as 2026-03-01T09:00:00Z",
    )


@check("fields.whole-seconds", OURS, "Dates are in whole seconds: some readers answer fractions with an error.")
def whole_seconds(at: Target) -> None:
    at.sample().every(_first(_DATES, lambda n, v: _shown(n, v) if "." in (text(v) or "") else None), "whole seconds")


@check("fields.no-empty-dates", OURS, "In XML an empty date is left out, for an empty element is no date.")
def no_empty_dates(at: Target) -> None:
    found = at.sample(Format.XML)
    empty = [each.tag for each in element(found.reply).iter() if each.tag in _DATES and not (each.text or "").strip()]
    if empty:
        raise found.wrong(f"an empty <{empty[0]}>", "it left out")


@check(
    "fields.closed-time",
    SPEC,
    "The updated_datetime of a closed request is when it was closed: after it was made, not to come.",
)
def closed_time(at: Target) -> None:
    def complaint(row: Row) -> str | None:
        made, closed = moment(row, "requested_datetime"), moment(row, "updated_datetime")
        if text(row.get("status")) != "closed" or made is None:
            return None
        if closed is None:
            return "status closed and no updated_datetime"
        is_right = made - timedelta(seconds=1) <= closed <= now() + timedelta(minutes=5)
        return None if is_right else _shown("updated_datetime", row["updated_datetime"])

    at.sample().every(complaint, "the time of closing")


@check("fields.identifiers", OURS, "In JSON ids, codes and zip codes are texts: leading zeros count.")
def identifiers(at: Target) -> None:
    names = ("service_request_id", "service_code", "address_id", "zipcode")
    at.sample(at.json()).every(
        _first(names, lambda n, v: None if isinstance(v, str | None) else f"{n} {v!r}"), "texts in quotes"
    )


@check("fields.texts", SPEC, "In JSON all fields but lat and long are texts or null, never objects or lists.")
def texts(at: Target) -> None:
    at.sample(at.json()).every(
        _first(_TEXTS, lambda n, v: _shown(n, v) if isinstance(v, dict | list | bool) else None), "a text or null"
    )


@check("fields.numbers", SPEC, "In JSON lat and long are numbers or null.")
def numbers(at: Target) -> None:
    at.sample(at.json()).every(
        _first(_NUMBERS, lambda n, v: None if isinstance(v, int | float | None) else _shown(n, v)), "a number or null"
    )


@check("fields.positions", SPEC, "lat and long are degrees on the globe, both or neither.")
def positions(at: Target) -> None:
    def complaint(row: Row) -> str | None:
        values = [text(row.get(name)) for name in _NUMBERS]
        if (values[0] is None) != (values[1] is None):
            return f"lat {values[0]} and long {values[1]}"
        degrees = [number(value) for value in values if value is not None]
        is_right = all(d is not None and abs(d) <= most for d, most in zip(degrees, (90, 180), strict=False))
        return None if is_right else f"lat {values[0]}, long {values[1]}"

    at.every_request(complaint, "two numbers within 90 and 180, or none")


@check(
    "fields.nulls",
    OURS,
    'Nothing is null in JSON: no "" for a number, a date or an address, and never the word "null".',
)
def nulls(at: Target) -> None:
    names = (*_DATES, *_NUMBERS, "media_url")
    found = at.sample(at.json())
    found.every(_first(names, lambda n, v: _shown(n, v) if v == "" else None), "null")
    found.every(_first(_STANDARD, lambda n, v: _shown(n, v) if v in ("null", "None", "nil") else None), "null")


@check("fields.description-length", SPEC, "A description has at most 4,000 characters.")
def description_length(at: Target) -> None:
    at.sample().every(
        lambda row: (
            f"a description of {len(said):,} characters"
            if len(said := text(row.get("description")) or "") > _MOST
            else None
        ),
        "4,000 at most",
    )


@check("fields.no-html", SPEC, "Words are plain: no HTML in description and status_notes.")
def no_html(at: Target) -> None:
    at.sample().every(
        _first(
            ("description", "status_notes"),
            lambda n, v: _shown(n, found[0]) if (found := _HTML.search(str(v or ""))) else None,
        ),
        "plain words",
    )


@check("fields.media-url", SPEC, "media_url is one absolute address, or nothing.")
def media_url(at: Target) -> None:
    def complaint(name: str, value: object) -> str | None:
        if value is None or value == "":
            return None
        is_address = (
            isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)
        )
        return None if is_address else _shown(name, value)

    at.every_request(_first(("media_url",), complaint), "one address, or nothing")


@check("fields.no-reporter", SPEC, "Nothing says who reported: no field for it.")
def no_reporter(at: Target) -> None:
    at.every_request(_first(_REPORTER, lambda n, _: f"the field {n}"), "nobody's name, address or number")


@check("fields.reporter-not-told", SPEC, "What a reporter says of themselves comes back in no answer.", writes=True)
def reporter_not_told(at: Target) -> None:
    by = filer(at)
    person = {
        "first_name": "Testgiven",
        "last_name": "Testfamily",
        "email": "test.reporter@example.org",
        "phone": "+1 512 555 0142",
        "device_id": "test-device-7c1f5a",
    }
    filed = by.file(by.form(**person))
    for format_ in at.formats:
        found = by.seen(filed, format_)
        for name, value in person.items():
            if value.encode() in found.reply.body:
                raise found.wrong(f"the {name} that was sent", "nothing about the reporter")
