"""The server that is looked at: how it is asked, and what several checks want to know of it. Every question is put once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from loop311.georeport.conform.registry import Failed, NotOffered, NotRun, given
from loop311.georeport.conform.strict import Complaint, Read, Row, listed, moment, whole
from loop311.georeport.conform.wire import Pairs, Question, Reply, Wire
from loop311.georeport.model import Discovery, RequestItem, ServiceDefinition, ServiceItem
from loop311.georeport.reading import boolean, text
from loop311.georeport.render import Format, instant

T = TypeVar("T")
NOBODY = "loop311-conform-no-such"
"""A code, an id, a token and a jurisdiction that no server has."""
MOST_DEFINITIONS = 10
"""Definitions that are read, so that a list of hundreds is not asked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    url: str
    """Of the endpoint: what stands before services.xml."""
    discovery: str = ""
    """Of discovery, without its ending; below the endpoint unless said."""
    jurisdiction: str = ""
    key: str = ""
    services: tuple[str, ...] = ()
    """That test requests may be filed for."""
    write: bool = False
    here: bool = False
    """File at `url` although discovery names an endpoint for tests."""
    position: tuple[str, str] | None = None
    """Latitude and longitude for test requests."""
    address: str = ""
    address_id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    private: str = ""
    """The id of a request that must not be public."""
    burst: int = 0
    """Questions without a pause that may be asked to meet the limit."""
    token: str = ""
    """One that has led to an id by now."""
    wait: float = 10
    """Seconds that are waited for the id of a token."""


@dataclass(frozen=True, slots=True)
class Known:
    """A request that is there for certain."""

    id: str
    code: str
    at: datetime
    row: Row

    def around(self, margin: timedelta = timedelta(hours=1)) -> Pairs:
        """Its window. Not later than a server may think now is."""
        return [("start_date", instant(self.at - margin)), ("end_date", instant(self.at + margin))]


class Target:
    def __init__(self, options: Options, wire: Wire) -> None:
        self.options = options
        self.wire = wire
        self.base = options.url.rstrip("/") + "/"
        self._replies: dict[Question, Reply] = {}
        self._reads: dict[Question, Read] = {}
        self._known: dict[str, object] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What was found out already; also that it could not be: nothing is filed again because it failed."""
        if name not in self._known:
            try:
                self._known[name] = make()
            except (Failed, NotRun, NotOffered) as reason:
                self._known[name] = reason
        found = self._known[name]
        if isinstance(found, (Failed, NotRun, NotOffered)):
            raise found
        return found  # type: ignore[return-value]

    def forget_lists(self) -> None:
        """Something was filed: lists are asked for again."""
        self._replies = {asked: reply for asked, reply in self._replies.items() if not _is_list(asked)}
        self._known.pop("known", None)

    # --- Asking ----------------------------------------------------------------------------------------------------------

    def get(
        self,
        path: str,
        ending: str = "",
        query: Pairs = (),
        *,
        headers: Pairs = (),
        method: str = "GET",
        base: str = "",
        jurisdiction: bool = True,
        fresh: bool = False,
    ) -> Reply:
        """The same question is put once, unless fresh."""
        question = Question(
            method,
            f"{base or self.base}{path}{'.' if ending else ''}{ending}",
            Format.JSON if ending == "json" else Format.XML,
            (*self._whose(jurisdiction, query), *query),
            headers=tuple(headers),
        )
        if fresh or question not in self._replies:
            self._replies[question] = self.wire.send(question)
        return self._replies[question]

    def _whose(self, wanted: bool, query: Pairs) -> Pairs:
        named = any(name == "jurisdiction_id" for name, _ in query)
        return (
            [("jurisdiction_id", self.options.jurisdiction)]
            if wanted and self.options.jurisdiction and not named
            else []
        )

    def ask(self, query: Pairs = (), format_: Format | None = None, *, fresh: bool = False) -> Read:
        """The list of requests: that it is given. Raises NotRun when it is none, for its shape is another check's matter."""
        reply = self.queried(query, format_, fresh=fresh).must_be(200)
        with given("the list of requests"):
            return self._once_read(reply, lambda: listed(reply, RequestItem))

    def queried(self, query: Pairs, format_: Format | None = None, *, fresh: bool = False) -> Reply:
        """What comes to this query. Raises NotRun where there is no list even without one."""
        if query:
            with given("the list of requests"):
                self.read_requests(format_ or self.format)
        return self.get("requests", format_ or self.format, query, fresh=fresh)

    def read_requests(self, format_: Format) -> Read:
        """The list without any argument, and its shape."""
        reply = self.get("requests", format_)
        return self._once_read(reply, lambda: listed(reply.must_be(200), RequestItem))

    def _once_read(self, reply: Reply, read: Callable[[], Read]) -> Read:
        """The same answer is taken apart once."""
        found = self._reads.get(reply.question)
        if found is None or found.reply is not reply:
            found = self._reads[reply.question] = read()
        return found

    def single(self, id_: str, format_: Format | None = None, *, base: str = "", fresh: bool = False) -> Read:
        reply = self.get(f"requests/{segment(id_)}", format_ or self.format, base=base, fresh=fresh).must_be(200)
        with given("one request"):
            return listed(reply, RequestItem)

    # --- Formats ---------------------------------------------------------------------------------------------------------

    @property
    def formats(self) -> tuple[Format, ...]:
        return (Format.XML, Format.JSON) if self.once("json", self._offers_json) else (Format.XML,)

    @property
    def format(self) -> Format:
        """Where one is enough."""
        return self.formats[-1]

    def in_each(self, look: Callable[[Format], None]) -> None:
        """In each format that is offered. One that cannot be looked at does not hide the other's faults."""
        reasons = []
        for format_ in self.formats:
            try:
                look(format_)
            except NotRun as reason:
                reasons.append(reason)
        if reasons:
            raise reasons[0]

    def every_request(self, complaint: Complaint, expected: str) -> None:
        self.in_each(lambda format_: self.sample(format_).every(complaint, expected))

    def every_service(self, complaint: Complaint, expected: str) -> None:
        self.in_each(lambda format_: self.services(format_).every(complaint, expected))

    def json(self) -> Format:
        """Raises NotOffered."""
        if Format.JSON not in self.formats:
            raise NotOffered("JSON is not offered")
        return Format.JSON

    def _offers_json(self) -> bool:
        try:
            return self.get("services", "json").status == 200 or self._announces_json()
        except Failed:
            return False

    def _announces_json(self) -> bool:
        try:
            return any("json" in str(row.get("formats")) for row in self.endpoints())
        except NotRun:
            return False

    # --- What is there ---------------------------------------------------------------------------------------------------

    def read_discovery(self, format_: Format) -> Read:
        where = self.options.discovery or self.base + "discovery"
        return whole(self.get("", format_, base=where, jurisdiction=False).must_be(200), Discovery)

    def discovery(self, format_: Format = Format.XML) -> Read:
        with given("discovery"):
            return self.read_discovery(format_)

    def endpoints(self, format_: Format = Format.XML) -> list[Row]:
        found = self.discovery(format_).one.get("endpoints")
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def read_services(self, format_: Format) -> Read:
        reply = self.get("services", format_)
        return self._once_read(reply, lambda: listed(reply.must_be(200), ServiceItem))

    def services(self, format_: Format | None = None) -> Read:
        with given("the list of services"):
            return self.read_services(format_ or self.format)

    def read_definition(self, code: str, format_: Format) -> Read:
        reply = self.get(f"services/{segment(code)}", format_)
        return self._once_read(reply, lambda: whole(reply.must_be(200), ServiceDefinition))

    def definition_codes(self) -> list[str]:
        """Services that have a definition, those that were named first. Raises NotRun without any."""
        rows = self.services().rows
        codes = [code for row in rows if boolean(row.get("metadata")) and (code := text(row.get("service_code")))]
        if not codes:
            raise NotRun("no service has a definition (metadata is true of none)")
        return sorted(codes, key=lambda code: code not in self.options.services)[:MOST_DEFINITIONS]

    def definitions(self, format_: Format | None = None) -> list[tuple[Read, list[Row]]]:
        """Each with its attributes."""
        return [self.definition(code, format_) for code in self.definition_codes()]

    def definition(self, code: str, format_: Format | None = None) -> tuple[Read, list[Row]]:
        with given("a definition"):
            found = self.read_definition(code, format_ or self.format)
            return found, attributes_of(found)

    def sample(self, format_: Format | None = None) -> Read:
        """The list of requests without any argument. Raises NotRun when it is empty."""
        with given("the list of requests"):
            found = self.ask((), format_)
        if not found.rows:
            raise NotRun("there is no request in the last 90 days")
        return found

    def known(self) -> Known:
        """From the middle of the list, so that nothing is true of it by chance."""
        return self.once("known", self._find_known)

    def _find_known(self) -> Known:
        found = self.all_known()
        return found[len(found) // 2]

    def all_known(self) -> list[Known]:
        """The newest first."""
        found = [known for row in self.sample().rows if (known := _known(row))]
        if not found:
            raise NotRun("no request has an id, a service_code and a time")
        return sorted(found, key=lambda known: known.at, reverse=True)


def _is_list(question: Question) -> bool:
    return question.url.rpartition("/")[2].partition(".")[0] == "requests"


def _known(row: Row) -> Known | None:
    id_, code, at = (
        text(row.get("service_request_id")),
        text(row.get("service_code")),
        moment(row, "requested_datetime"),
    )
    return Known(id_, code, at, row) if id_ and code and at else None


def attributes_of(found: Read) -> list[Row]:
    attributes = found.one.get("attributes")
    if attributes in (None, ""):
        return []
    if not isinstance(attributes, list) or not all(isinstance(each, dict) for each in attributes):
        raise found.wrong("attributes that are no list of things", "attributes/attribute, an array in JSON")
    return attributes


def segment(code: str) -> str:
    """As a part of an address."""
    return quote(code, safe="")


def joined(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"
