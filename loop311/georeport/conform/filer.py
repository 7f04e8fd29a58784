"""Filing clearly marked test requests, as few as the checks need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from loop311.georeport.conform.registry import NotRun, given
from loop311.georeport.conform.strict import Read, Row, listed
from loop311.georeport.conform.target import Target
from loop311.georeport.conform.wire import Pairs, Question, Reply
from loop311.georeport.model import GEOREPORT_V2, CreateResult
from loop311.georeport.reading import boolean, number, text
from loop311.georeport.render import Format

MARK = "TEST of the Open311 interface by loop311 conform, please ignore"
"""Stands in every description that is sent."""
ADDRESS = "1 Test Street"
Form = dict[str, str | list[str] | None]
_SENT = {"number": "1", "datetime": "2026-03-01T09:00:00Z"}
"""What answers an attribute of this datatype; words answer all others."""


@dataclass(frozen=True, slots=True)
class Filed:
    """An accepted filing."""

    read: Read
    id: str | None
    token: str | None


class Filer:
    def __init__(self, at: Target) -> None:
        if not at.options.write:
            raise NotRun("it files test requests: give --write")
        if not at.options.key:
            raise NotRun("it files test requests: give --key")
        if not at.options.services:
            raise NotRun("it files test requests: give --service, the code they may be filed for")
        self.at = at
        self.base = _base(at)
        self.service = self.of_type("realtime") or self.named()[0]
        self.code = str(text(self.service.get("service_code")))

    # --- Which service ---------------------------------------------------------------------------------------------------

    def named(self) -> list[Row]:
        """The services that may be filed for, as they were named."""
        by_code = {text(row.get("service_code")): row for row in self.at.services().rows}
        found = [by_code[code] for code in self.at.options.services if code in by_code]
        if not found:
            raise NotRun(f"there is no service {' or '.join(self.at.options.services)}")
        return found

    def of_type(self, type_: str) -> Row | None:
        return next((row for row in self.named() if text(row.get("type")) == type_), None)

    def attributes(self, code: str = "") -> list[Row]:
        """What may be sent."""
        code = code or self.code
        service = next(row for row in self.named() if text(row.get("service_code")) == code)
        if not boolean(service.get("metadata")):
            return []
        _, attributes = self.at.definition(code)
        return [row for row in attributes if text(row.get("code")) and boolean(row.get("variable", True))]

    def attribute(self, *datatypes: str, optional: bool = False) -> Row:
        """Raises NotRun without one."""
        for row in self.attributes():
            if text(row.get("datatype")) in datatypes and not (optional and boolean(row.get("required"))):
                return row
        raise NotRun(f"the service {self.code} has no attribute of the type {' or '.join(datatypes)}")

    def required(self) -> list[str]:
        codes = [str(text(row.get("code"))) for row in self.attributes() if boolean(row.get("required"))]
        if not codes:
            raise NotRun(f"the service {self.code} has no required attribute")
        return codes

    # --- What is sent ----------------------------------------------------------------------------------------------------

    def form(self, code: str = "", **changes: str | list[str] | None) -> Form:
        """All that a filing needs; None takes an argument away."""
        latitude, longitude = self.position()
        answers = {
            name: value
            for row in self.attributes(code)
            if boolean(row.get("required"))
            for name, value in [self.answer(row)]
        }
        whole: Form = {
            "service_code": code or self.code,
            "lat": latitude,
            "long": longitude,
            "address_string": self.address(),
            "description": MARK,
            **answers,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def answer(self, attribute: Row) -> tuple[str, str | list[str]]:
        code, datatype = str(text(attribute.get("code"))), text(attribute.get("datatype")) or "string"
        wanted = [value for name, value in self.at.options.attributes if name == code]
        if datatype == "multivaluelist":
            return f"attribute[{code}][]", wanted or keys_of(attribute)[:1]
        if datatype == "singlevaluelist":
            return f"attribute[{code}]", (wanted or keys_of(attribute))[0]
        return f"attribute[{code}]", (wanted or [_SENT.get(datatype, "test")])[0]

    def position(self) -> tuple[str, str]:
        """Where requests are known to lie, so that it is inside the city. Raises NotRun."""
        if self.at.options.position:
            return self.at.options.position
        for row in self._rows():
            if number(row.get("lat")) is not None and number(row.get("long")) is not None:
                return str(row["lat"]), str(row["long"])
        raise NotRun("no request shows where the city is: give --at LAT,LONG")

    def address(self) -> str:
        known = next((found for row in self._rows() if (found := text(row.get("address")))), None)
        return self.at.options.address or known or ADDRESS

    def _rows(self) -> list[Row]:
        try:
            return self.at.sample().rows
        except NotRun:
            return []

    # --- Sending ---------------------------------------------------------------------------------------------------------

    def post(
        self,
        form: Mapping[str, str | list[str] | None],
        ending: str = "",
        *,
        key: str | None = None,
        query: Pairs = (),
        headers: Pairs = (),
        content: bytes = b"",
        path: str = "requests",
    ) -> Reply:
        """`key` takes the place of the key in the form; empty for none. With `content` the form is only told of."""
        ending = ending or self.at.format
        question = Question(
            "POST",
            f"{self.base}{path}.{ending}",
            Format(ending),
            query=tuple(query),
            form=tuple(self.pairs(form, self.at.options.key if key is None else key)),
            headers=tuple(headers),
            content=content,
        )
        return self.at.wire.send(question)

    def pairs(self, form: Mapping[str, str | list[str] | None], key: str = "") -> list[tuple[str, str]]:
        pairs = [("api_key", key)] if key else []
        if self.at.options.jurisdiction and "jurisdiction_id" not in form:
            pairs.append(("jurisdiction_id", self.at.options.jurisdiction))
        for name, value in form.items():
            pairs += [(name, each) for each in ([value] if isinstance(value, str) else value or [])]
        return [(name, value) for name, value in pairs if not (name == "jurisdiction_id" and value == "-")]

    def file(self, form: Mapping[str, str | list[str] | None], **how: Any) -> Filed:
        """Raises Failed unless it is accepted with an answer of the right shape; NotRun when even a plain one is not."""
        self.filed()
        return self._file(form, **how)

    def first(self) -> Filed:
        """The plain test request, filed once."""
        return self.at.once("filed", lambda: self._file(self.form()))

    def _file(self, form: Mapping[str, str | list[str] | None], **how: Any) -> Filed:
        filed = accepted(self.post(form, **how))
        self.at.forget_lists()
        return filed

    def filed(self) -> Filed:
        """The plain test request that all checks may look at. Raises NotRun when even that is refused."""
        with given("a filed request"):
            return self.first()

    def seen(self, filed: Filed, format_: Format | None = None) -> Read:
        """As the public reads it. Raises NotRun when it cannot be."""
        if not filed.id:
            raise NotRun("the filing gave no id at once")
        with given("the filed request"):
            found = self.at.single(filed.id, format_, base=self.base, fresh=True)
        if not found.rows:
            raise NotRun("the filed request is not public")
        return found


def accepted(reply: Reply) -> Filed:
    if not 200 <= reply.status < 300:
        raise reply.wrong(f"status {reply.status} ({reply.quoted()})", "status 200 and a filed request")
    found = listed(reply, CreateResult)
    if len(found.rows) != 1:
        raise found.wrong(f"{len(found.rows)} requests", "one")
    return Filed(found, text(found.one.get("service_request_id")), text(found.one.get("token")))


def filer(at: Target) -> Filer:
    """Raises NotRun unless test requests may be filed."""
    return at.once("filer", lambda: Filer(at))


def keys_of(attribute: Row) -> list[str]:
    """Raises NotRun without any."""
    found = attribute.get("values")
    keys = [key for each in found if (key := text(each.get("key")))] if isinstance(found, list) else []
    if not keys:
        raise NotRun(f"the attribute {attribute.get('code')} has no values")
    return keys


def _base(at: Target) -> str:
    """The endpoint for tests when discovery names one; the key is sent to no other host than it was given for."""
    try:
        found = [text(row.get("url")) or "" for row in at.endpoints() if _is_for_tests(row)]
    except NotRun:
        found = []
    if not found or at.options.here:
        return at.base
    base = found[0].rstrip("/") + "/"
    if urlsplit(base).netloc != urlsplit(at.base).netloc:
        raise NotRun(f"discovery names {base} for tests, at another host: give that address, or --here")
    return base


def _is_for_tests(row: Row) -> bool:
    return text(row.get("type")) == "test" and text(row.get("specification")) == GEOREPORT_V2


def unencoded(pairs: Pairs) -> bytes:
    """A form whose names keep their brackets."""
    return "&".join(f"{name}={urlencode({'': value})[1:]}" for name, value in pairs).encode()
