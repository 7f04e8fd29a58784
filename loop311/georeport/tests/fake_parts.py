"""What the fake city hears, and how it understands it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from loop311.georeport.conform.checks.updates import STATUSES
from loop311.georeport.model import Attribute, RequestItem, ServiceDefinition, ServiceItem, UpdateItem
from loop311.georeport.reading import instant
from loop311.georeport.render import Format

_WINDOW = timedelta(days=90)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    """Below the endpoint, without its ending."""
    ending: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    content_type: str = ""
    body: bytes = b""

    @property
    def format(self) -> Format:
        if self.ending in tuple(Format):
            return Format(self.ending)
        return Format.JSON if not self.ending and "json" in self.headers.get("accept", "") else Format.XML

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        if self.content_type.startswith("multipart/form-data"):
            return _multipart(self.content_type, self.body)
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    def all(self, name: str) -> list[str]:
        """Values of the query: between commas, or repeated."""
        return [part.strip() for key, value in self.query if key == name for part in value.split(",") if part.strip()]

    def one(self, name: str) -> str:
        return next((value.strip() for key, value in self.query if key == name), "")

    def sent(self, name: str) -> str:
        return next((value.strip() for key, value in self.form if key == name), "")


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename() is None and isinstance(content, bytes):
            found.append((str(name), content.decode()))
    return found


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, status: int, *sentences: str, **headers: str) -> None:
        self.status, self.sentences, self.headers = status, sentences or ("That does not go.",), headers


def asked_of(environ: Mapping[str, Any]) -> Asked:
    path = _path(environ["PATH_INFO"]).removeprefix("/open311/v2/")
    rest, dot, ending = path.rpartition(".")
    is_ending = bool(dot) and ending.isalpha()
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Asked(
        environ["REQUEST_METHOD"],
        rest if is_ending else path,
        ending if is_ending else "",
        parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers,
        environ.get("CONTENT_TYPE", ""),
        environ["wsgi.input"].read(length) if length else b"",
    )


def _path(info: str) -> str:
    """As bytes in the manner of WSGI; httpx's transport says it in letters already."""
    try:
        return info.encode("latin-1").decode()
    except UnicodeError:
        return info


def moment(written: str, name: str) -> datetime | None:
    found = instant(written, UTC)
    if written and found is None:
        raise Refused(400, f"{name} is no date.")
    return found


@dataclass
class Searching:
    """Which requests are meant by a query."""

    asked: Asked
    now: datetime
    codes: set[str]

    def of(self, items: list[RequestItem]) -> list[RequestItem]:
        if ids := self.asked.all("service_request_id"):
            return [item for item in items if item.service_request_id in ids]
        self.check()
        start, end = self.window()
        found = [item for item in items if item.requested_datetime and start <= item.requested_datetime <= end]
        found = [item for item in found if self.is_meant(item) and self.is_near(item) and self.is_changed(item)]
        return sorted(found, key=lambda item: str(item.requested_datetime), reverse=True)

    def window(self) -> tuple[datetime, datetime]:
        start, end = (moment(self.asked.one(name), name) for name in ("start_date", "end_date"))
        if start is None:
            end = end or self.now + timedelta(hours=1)
            return end - _WINDOW, end
        end = end or min(self.now + timedelta(hours=1), start + _WINDOW)
        if end < start or end - start > _WINDOW:
            raise Refused(400, "The dates are no window of 90 days.")
        return start, end

    def check(self) -> None:
        codes, statuses = self.asked.all("service_code"), {each.lower() for each in self.asked.all("status")}
        if statuses - {"open", "closed"}:
            raise Refused(400, "status is open or closed.")
        if codes and not self.codes & set(codes):
            raise Refused(404, f"There is no service_code {codes[0]}.")

    def is_meant(self, item: RequestItem) -> bool:
        codes, statuses = self.asked.all("service_code"), {each.lower() for each in self.asked.all("status")}
        return (not codes or item.service_code in codes) and (not statuses or item.status in statuses)

    def is_near(self, item: RequestItem) -> bool:
        latitude, longitude = item.lat or 0, item.long or 0
        if box := self.asked.one("bbox"):
            west, south, east, north = map(float, box.split(","))
            return west <= longitude <= east and south <= latitude <= north
        if radius := self.asked.one("radius"):
            across, up = longitude - float(self.asked.one("long")), latitude - float(self.asked.one("lat"))
            return float(((across * 83_000) ** 2 + (up * 111_000) ** 2) ** 0.5) <= float(radius)
        return True

    def is_changed(self, item: RequestItem) -> bool:
        after, before = (moment(self.asked.one(name), name) for name in ("updated_after", "updated_before"))
        changed = item.updated_datetime or self.now
        return (not after or changed >= after) and (not before or changed <= before)


@dataclass
class Filing:
    """A form, and what is wrong with it: all at once."""

    asked: Asked
    definition: ServiceDefinition
    wrong: list[str] = field(default_factory=list)

    def item(self, service: ServiceItem, id_: str, at: datetime) -> RequestItem:
        latitude, longitude = self.place()
        description = self.words()
        self.answers()
        if self.wrong:
            raise Refused(400, *self.wrong)
        return RequestItem(
            service_request_id=id_,
            status="open",
            service_name=service.service_name,
            service_code=service.service_code,
            description=description,
            requested_datetime=at.replace(microsecond=0),
            updated_datetime=at.replace(microsecond=0),
            address=self.asked.sent("address_string") or None,
            lat=latitude,
            long=longitude,
        )

    def place(self) -> tuple[float | None, float | None]:
        found = [self.degrees("lat", 90), self.degrees("long", 180)]
        if (found[0] is None) != (found[1] is None):
            self.wrong.append(f"{'lat' if found[0] is None else 'long'} is missing.")
        if found[0] is None and not self.asked.sent("address_string") and not self.asked.sent("address_id"):
            self.wrong.append("Say where.")
        return found[0], found[1]

    def degrees(self, name: str, most: float) -> float | None:
        written = self.asked.sent(name)
        try:
            found = float(written) if written else None
        except ValueError:
            found = 999
        if found is not None and not -most <= found <= most:
            self.wrong.append(f"{name} is not in degrees.")
        return found

    def words(self) -> str:
        written = next((value for key, value in self.asked.form if key == "description"), "")
        text = _UNPRINTABLE.sub("", written.replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > 4_000:
            self.wrong.append("description is too long.")
        return text

    def answers(self) -> None:
        given: dict[str, list[str]] = {}
        for key, value in self.asked.form:
            if (match := re.fullmatch(r"attribute\[(.+?)\](\[\d*\])?", key)) and value:
                given.setdefault(match[1], []).append(value)
        for attribute in self.definition.attributes:
            self.answer(attribute, given.get(attribute.code, []))

    def answer(self, attribute: Attribute, values: list[str]) -> None:
        if attribute.required and attribute.variable and not values:
            self.wrong.append(f"attribute[{attribute.code}] is missing.")
        keys = [value.key for value in attribute.values]
        if keys and not {value.lower() for value in values} <= set(keys):
            self.wrong.append(f"attribute[{attribute.code}] is one of {', '.join(keys)}.")


@dataclass
class Telling:
    """A change that another system tells."""

    asked: Asked

    def item(self, ids: set[str | None]) -> UpdateItem:
        sent = {
            name: self.asked.sent(name) for name in ("update_id", "service_request_id", "status", "updated_datetime")
        }
        at = moment(sent["updated_datetime"], "updated_datetime")
        if at is None or not all(sent.values()) or sent["status"].lower() not in STATUSES:
            raise Refused(400, "update_id, service_request_id, status or updated_datetime is missing or wrong.")
        if sent["service_request_id"] not in ids:
            raise Refused(400, "There is no such request.")
        return UpdateItem(
            update_id=sent["update_id"],
            service_request_id=sent["service_request_id"],
            status=sent["status"].lower(),
            updated_datetime=at,
        )
