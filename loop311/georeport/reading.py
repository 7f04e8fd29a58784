"""What real servers send, as our values: tolerant of all that was ever seen, silent about nothing that matters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from loop311.georeport.model import (
    Attribute,
    AttributeValue,
    CreateResult,
    Discovery,
    Endpoint,
    ErrorItem,
    RequestItem,
    ServiceDefinition,
    ServiceItem,
    TokenResult,
    UpdateItem,
)
from loop311.georeport.parsing import Unreadable, parse, rows

Row = Mapping[str, Any]
_NOTHING = {"", "null", "none", "nil"}
_TRUE = {"true", "1", "yes"}
_MOST = 500
"""Characters of an error's text."""


# --- Single values -------------------------------------------------------------------------------------------------------


def text(value: object) -> str | None:
    """None for all the ways of saying nothing. Numbers keep their digits; a thing is no text."""
    if value is None or isinstance(value, (Mapping, list)):
        return None
    found = "true" if value is True else "false" if value is False else str(value).strip()
    return None if found.lower() in _NOTHING else found


def boolean(value: object) -> bool:
    """'true', 'True', 1 and true are true."""
    return (text(value) or "").lower() in _TRUE


def number(value: object) -> float | None:
    try:
        found = float(text(value) or "nan")
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def instant(value: object, zone: tzinfo) -> datetime | None:
    """UTC in whole seconds. Without an offset the time is that of `zone`; a space before an offset was a plus sign."""
    found = text(value)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(_mended(found))
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _mended(written: str) -> str:
    at = written.upper()
    head, separator, offset = at.rpartition(" ")
    if separator and "T" in head and offset[:2].isdigit():
        return f"{head}+{offset}"
    return at


def position(row: Row) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees, both or neither; 0,0 lies in the sea off Africa and means nothing."""
    latitude, longitude = number(row.get("lat")), number(row.get("long", row.get("lng")))
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)


# --- Resources -----------------------------------------------------------------------------------------------------------


def services(body: bytes) -> list[ServiceItem]:
    """Those that have a code. Raises Unreadable."""
    return services_of(parse(body))


def services_of(parsed: object) -> list[ServiceItem]:
    return [found for row in rows(parsed) if (found := _service(row))]


def _service(row: Row) -> ServiceItem | None:
    code = text(row.get("service_code"))
    if code is None:
        return None
    return ServiceItem(
        service_code=code,
        service_name=text(row.get("service_name")) or code,
        description=text(row.get("description")),
        metadata=boolean(row.get("metadata")),
        type=(text(row.get("type")) or "realtime").lower(),
        keywords=_joined(row.get("keywords")),
        group=text(row.get("group")),
    )


def _joined(value: object) -> str | None:
    """Keywords are one text; some send a list."""
    if isinstance(value, list):
        return ",".join(filter(None, map(text, value))) or None
    return text(value)


def definition(body: bytes) -> ServiceDefinition:
    """Attributes in their order; a server without any sends an empty list, or none. Raises Unreadable."""
    found = parse(body)
    row = next(iter(rows(found)), None)
    code = text(row.get("service_code")) if row else None
    if row is None or code is None:
        raise Unreadable("the definition names no service_code")
    wrapped = row.get("attributes", row.get("attribute"))
    attributes = [found for item in _list(wrapped) if (found := _attribute(item))]
    return ServiceDefinition(service_code=code, attributes=tuple(sorted(attributes, key=lambda each: each.order)))


def _attribute(row: Row) -> Attribute | None:
    code = text(row.get("code"))
    if code is None:
        return None
    variable = boolean(row.get("variable", True))
    return Attribute(
        variable=variable,
        code=code,
        datatype=(text(row.get("datatype")) or "string").lower(),
        required=variable and boolean(row.get("required")),
        datatype_description=text(row.get("datatype_description")),
        order=int(number(row.get("order")) or 0),
        description=text(row.get("description")),
        values=tuple(found for item in _list(row.get("values")) if (found := _value(item))),
    )


def _value(row: Row) -> AttributeValue | None:
    """'none' and 'null' are words here: somebody may choose them."""
    key, name = _word(row.get("key")), _word(row.get("name"))
    return AttributeValue(key=key, name=name or key) if key else None


def _word(value: object) -> str:
    return "" if value is None else (text(value) or str(value).strip())


def _list(value: object) -> list[Row]:
    """A list, the lone member that stood for one, or what is wrapped once more ({"value": [...]})."""
    if (
        isinstance(value, Mapping)
        and len(value) == 1
        and isinstance(inside := next(iter(value.values())), (list, Mapping))
    ):
        return _list(inside)
    members = value if isinstance(value, list) else [value]
    return [member for member in members if isinstance(member, Mapping)]


def requests(body: bytes, zone: tzinfo) -> list[RequestItem]:
    """As they came; one without an id has None there. Raises Unreadable."""
    return [request(row, zone) for row in rows(parse(body))]


def request(row: Row, zone: tzinfo) -> RequestItem:
    latitude, longitude = position(row)
    return RequestItem(
        service_request_id=text(row.get("service_request_id", row.get("servicerequest_id"))),
        status=_status(row),
        status_notes=text(row.get("status_notes", row.get("status_note"))),
        service_name=text(row.get("service_name")),
        service_code=text(row.get("service_code")),
        description=text(row.get("description")),
        agency_responsible=_agency(row.get("agency_responsible")),
        service_notice=text(row.get("service_notice")),
        requested_datetime=instant(row.get("requested_datetime"), zone),
        updated_datetime=instant(row.get("updated_datetime"), zone),
        expected_datetime=instant(row.get("expected_datetime"), zone),
        address=text(row.get("address", row.get("address_string"))),
        address_id=text(row.get("address_id", row.get("adress_id"))),
        zipcode=_zipcode(row.get("zipcode")),
        lat=latitude,
        long=longitude,
        media_url=_media(row.get("media_url")),
    )


def _status(row: Row) -> str:
    """'closed' or 'open': words that nobody knows ('submitted') mean that it is not over."""
    return "closed" if (text(row.get("status")) or "").lower() == "closed" else "open"


def _agency(value: object) -> str | None:
    """FixMyStreet sends an object with a list of recipients."""
    if isinstance(value, Mapping):
        recipients = value.get("recipient")
        names = recipients if isinstance(recipients, list) else [recipients]
        return ", ".join(filter(None, map(text, names))) or None
    return text(value)


def _zipcode(value: object) -> str | None:
    found = text(value)
    return None if found == "0" else found


def _media(value: object) -> str | None:
    """One address; of several the first, also where each is an object."""
    if isinstance(value, list):
        return next(filter(None, map(_media, value)), None)
    if isinstance(value, Mapping):
        return next(filter(None, (text(value.get(name)) for name in ("url", "media_url", "href"))), None)
    return text(value)


def created(body: bytes) -> CreateResult:
    """Presence counts, not truth: an id may be "0". Raises Unreadable when there is no such answer at all."""
    for row in rows(parse(body)):
        given = {name: found for name in _RESULT if (found := text(row.get(name))) is not None}
        return CreateResult(**given)
    raise Unreadable("the answer to the filing holds no request")


_RESULT = ("service_request_id", "token", "service_notice", "account_id")


def token(body: bytes) -> TokenResult | None:
    """None when the answer is empty: not yet."""
    for row in rows(parse(body)):
        return TokenResult(service_request_id=text(row.get("service_request_id")), token=text(row.get("token")) or "")
    return None


def updates(body: bytes, zone: tzinfo) -> list[UpdateItem]:
    """Those that say which request, when and what; the others cannot be used."""
    return [found for row in rows(parse(body)) if (found := _update(row, zone))]


def _update(row: Row, zone: tzinfo) -> UpdateItem | None:
    at = instant(row.get("updated_datetime"), zone)
    update_id, request_id = text(row.get("update_id")), text(row.get("service_request_id"))
    if at is None or update_id is None or request_id is None:
        return None
    return UpdateItem(
        update_id=update_id,
        service_request_id=request_id,
        status=(text(row.get("status")) or "unchanged").lower(),
        updated_datetime=at,
        description=text(row.get("description")),
        **{name: said for name in _BESIDES if (said := _media(row.get(name))) is not None},
    )


_BESIDES = ("media_url", "external_status_code", "customer_reference")


def discovery(body: bytes) -> Discovery:
    """Raises Unreadable."""
    found = parse(body)
    row = next(iter(rows(found)), None)
    if row is None:
        raise Unreadable("no discovery document")
    return Discovery(
        changeset=text(row.get("changeset")) or "",
        contact=text(row.get("contact")) or "",
        key_service=text(row.get("key_service")) or "",
        endpoints=tuple(_endpoint(item) for item in _list(row.get("endpoints"))),
    )


def _endpoint(row: Row) -> Endpoint:
    formats = row.get("formats")
    found = formats if isinstance(formats, list) else [formats]
    return Endpoint(
        specification=text(row.get("specification")) or "",
        url=text(row.get("url")) or "",
        changeset=text(row.get("changeset")) or "",
        type=(text(row.get("type")) or "production").lower(),
        formats=tuple(filter(None, map(text, found))),
    )


# --- Errors --------------------------------------------------------------------------------------------------------------


def errors(body: bytes, status: int) -> list[ErrorItem]:
    """What went wrong, from any of the shapes that were seen; at the worst the beginning of the answer itself."""
    try:
        found = parse(body)
    except Unreadable:
        return [ErrorItem(code=status, description=body[:_MOST].decode("utf-8", "replace").strip() or f"HTTP {status}")]
    listed = [item for row in _complaints(found) if (item := _error(row, status))]
    return listed or [ErrorItem(code=status, description=f"HTTP {status}")]


def _complaints(found: Any) -> list[Any]:
    if isinstance(found, Mapping):
        inside = found.get("errors", found.get("error", found))
        return inside if isinstance(inside, list) else [inside]
    return found if isinstance(found, list) else [found]


def _error(row: Any, status: int) -> ErrorItem | None:
    if not isinstance(row, Mapping):
        words = text(row)
        return ErrorItem(code=status, description=words[:_MOST]) if words else None
    words = next(filter(None, (text(row.get(name)) for name in ("description", "message", "detail"))), None)
    code = number(row.get("code"))
    return ErrorItem(code=int(code) if code else status, description=words[:_MOST]) if words else None
