"""What every room's `api.py` is written with: checked input, quick JSON out, windows of long lists.

Inputs are `Input` models: unknown fields are refused and JSON types are taken at their word ("5" is no number, true is
no 1). Instants are `When`, dates `Day`, closed lists `Annotated[SomeEnum, LAX]`, ids in the path `Id`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from loop311.kit.problems import FieldProblem, Invalid, Malformed, TooLarge, WrongMediaType

LARGEST_BODY = 1_000_000
"""Bytes of JSON an operation reads."""
DEEPEST = 40
"""Levels of nesting an operation reads."""
LARGEST_ID = 2**63 - 1

LAX = Strict(False)
"""For fields that JSON can only send as text: Annotated[Channel, LAX]."""


def note_permission(request: HttpRequest, permission: str) -> None:
    """Remembers what the operation asked for; the test that walks all operations compares it with the table."""
    request.permissions_asked = [*permissions_asked(request), permission]  # type: ignore[attr-defined]


def permissions_asked(request: HttpRequest) -> list[str]:
    """In the order asked."""
    return list(getattr(request, "permissions_asked", ()))


class Input(BaseModel):
    """What a sender writes."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True, allow_inf_nan=False)


def _instant(value: object) -> datetime:
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("Write an instant like 2026-03-01T09:00:00Z.")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("Write an instant like 2026-03-01T09:00:00Z.") from None
    if instant.tzinfo is None:
        raise ValueError("The instant needs its offset: 2026-03-01T09:00:00Z or ...-06:00.")
    return _in_utc(instant)


def _in_utc(instant: datetime) -> datetime:
    try:
        utc = instant.astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueError("The instant must lie in the years 1900 to 2200.") from None
    if not 1900 <= utc.year <= 2200:
        raise ValueError("The instant must lie in the years 1900 to 2200.")
    return utc


def _day(value: object) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError("Write a date like 2026-03-01.")
    return day


When = Annotated[datetime, LAX, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, LAX, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def _clean(value: str) -> str:
    if "\x00" in value:
        raise ValueError("A NUL character cannot be stored.")
    return value


Line = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
"""A short text: a name, an address."""
Prose = Annotated[str, Field(max_length=10_000), AfterValidator(_clean)]
"""A long text."""


class Window(BaseModel):
    """Which part of a long list; use as `window: Query[Window]`."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    after: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = Field(
        None, description="`next` of the window before this one."
    )


def _number(text: str) -> int | float:
    """JSON knows one kind of number: 3.0 is the integer 3, whichever way a sender's library writes it."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


_decoder = msgspec.json.Decoder(float_hook=_number)


class JsonParser(Parser):
    """Reads JSON bodies: bounded, of the right kind, without NUL characters anywhere."""

    def parse_body(self, request: HttpRequest) -> Any:
        if len(request.body) > LARGEST_BODY:
            raise TooLarge(f"The body may have at most {LARGEST_BODY} bytes.")
        if request.content_type != "application/json":
            raise WrongMediaType("Send JSON, with the header 'Content-Type: application/json'.")
        try:
            data = _decoder.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
            raise Malformed("The body is not valid JSON.") from None
        unfit = [FieldProblem(field, detail) for field, detail in _unfit(data, "", 0)]
        if unfit:
            raise Invalid("Some texts or numbers cannot be stored.", fields=unfit)
        return data

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        unfit = [FieldProblem(key, _NUL) for key, values in data.lists() if any(map(_holds_nul, [key, *values]))]
        if unfit:
            raise Invalid("A NUL character cannot be stored.", fields=unfit)
        return super().parse_querydict(data, list_fields, request)


def _holds_nul(value: object) -> bool:
    return isinstance(value, str) and "\x00" in value  # an uploaded file would be read to its end


_NUL = "A NUL character cannot be stored."


def _unfit(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Paths of what PostgreSQL cannot hold: NUL characters (in names too), infinite numbers, endless nesting."""
    if depth > DEEPEST:
        yield path, f"This is nested more than {DEEPEST} levels deep."
    elif isinstance(value, dict):
        yield from _unfit_members(value, path, depth)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit(item, _join(path, str(index)), depth + 1)
    elif isinstance(value, str) and "\x00" in value:
        yield path or "body", _NUL
    elif isinstance(value, float) and not math.isfinite(value):
        yield path or "body", "This number is too large."


def _unfit_members(value: dict[str, object], path: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if "\x00" in key:
            yield _join(path, key.replace("\x00", "\\u0000")), "A NUL character cannot be part of a field's name."
        else:
            yield from _unfit(item, _join(path, key), depth + 1)


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


class JsonRenderer(BaseRenderer):
    """JSON by msgspec: instants in UTC with Z."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return _encoder.encode(data)


def quick(data: object, status: int = 200) -> HttpResponse:
    """Answer plain values or msgspec structs as they are, for long lists: no schema object is built per row."""
    return HttpResponse(_encoder.encode(data), status=status, content_type="application/json")
