"""A small faithful GeoReport v2 server over `render`, as a WSGI application, that can be told to be wrong in one way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from loop311.georeport import render
from loop311.georeport.model import (
    GEOREPORT_V2,
    Attribute,
    AttributeValue,
    CreateResult,
    Discovery,
    Endpoint,
    ErrorItem,
    Item,
    RequestItem,
    ServiceDefinition,
    ServiceItem,
    TokenResult,
    UpdateItem,
    UpdateResult,
)
from loop311.georeport.render import Format
from loop311.georeport.tests.fake_parts import Answer, Asked, Filing, Refused, Searching, Telling, asked_of, moment
from loop311.kit.clock import now

BASE = "http://fake.example/open311/v2/"
JURISDICTION = "fake.example"
KEY = "k-7f3a"
HIDDEN = "r-hidden"
ODD_CODE = "lamp: número 1.6"
LARGEST = 1_000_000
PATIENCE = 4
"""The same question so often in a row."""


def attributes() -> tuple[Attribute, ...]:
    def values(*keys: str) -> tuple[AttributeValue, ...]:
        return tuple(AttributeValue(key=key, name=f"It is {key}") for key in keys)

    kinds = ("singlevaluelist", "multivaluelist", "number", "datetime", "string", "text")
    codes = ("danger", "features", "depth", "seen", "owner", "history")
    return (
        Attribute(variable=False, code="info", datatype="string", required=False, order=1, description="Dial 911"),
        *(
            Attribute(
                variable=True,
                code=code,
                datatype=kind,
                required=code in ("danger", "depth"),
                order=order,
                description=f"{code.title()}?",
                values=values("yes", "no") if "list" in kind else (),
            )
            for order, (code, kind) in enumerate(zip(codes, kinds, strict=True), 2)
        ),
    )


def past(at: datetime) -> list[RequestItem]:
    """Twelve requests, the last two of them older than 90 days, and one that is hidden."""

    def request(n: int, id_: str, days: float) -> RequestItem:
        made = at - timedelta(days=days)
        return RequestItem(
            service_request_id=id_,
            status="closed" if n % 3 == 0 else "open",
            service_name="Pothole",
            service_code="pothole" if n % 2 else "graffiti",
            description=f"Number {n}",
            agency_responsible="Streets",
            requested_datetime=made,
            updated_datetime=made + timedelta(hours=5 * n),
            expected_datetime=None if n % 4 == 0 else made + timedelta(days=7),
            address=f"{n} Elm Street",
            address_id="A-1" if n == 2 else None,
            zipcode="02111",
            lat=41.8 + n / 100,
            long=-87.6 - n / 100,
            media_url="https://fake.example/photo.jpg" if n == 5 else None,
        )

    recent = [request(n, f"r-{n:03}", n * 6) for n in range(1, 11)]
    return [*recent, request(11, "r-011", 120), request(12, "r-012", 300), request(13, HIDDEN, 3)]


Before = Callable[[Asked], Asked]
After = Callable[[Asked, Answer], Answer]


@dataclass
class FakeCity:
    started: datetime = field(default_factory=lambda: now().replace(microsecond=0))
    services: list[ServiceItem] = field(default_factory=list)
    definitions: dict[str, ServiceDefinition] = field(default_factory=dict)
    requests: list[RequestItem] = field(default_factory=list)
    updates: list[UpdateItem] = field(default_factory=list)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    """token -> its id, and how often it was asked for."""
    kept: dict[str, tuple[list[tuple[str, str]], Answer]] = field(default_factory=dict)
    """Idempotency-Key -> what came with it, and what was answered."""
    most: int = 1_000
    patience: int = PATIENCE
    prefix: str = "n-"
    before: list[Before] = field(default_factory=list)
    after: list[After] = field(default_factory=list)
    row: Callable[[RequestItem], RequestItem] = lambda item: item
    asked_last: tuple[Asked | None, int] = (None, 0)

    def __post_init__(self) -> None:
        for code, kind in (("pothole", "realtime"), ("graffiti", "batch"), ("tip", "blackbox"), (ODD_CODE, "realtime")):
            has_definition = code in ("pothole", ODD_CODE)
            item = ServiceItem(service_code=code, service_name=code.title(), type=kind, metadata=has_definition)
            self.services.append(item)
            self.definitions[code] = ServiceDefinition(
                service_code=code, attributes=attributes() if has_definition else ()
            )
        self.requests = past(self.started)
        self.updates = [
            UpdateItem(
                update_id=f"u-{n}",
                service_request_id=f"r-{n:03}",
                status="investigating",
                updated_datetime=self.started - timedelta(hours=7 * n),
                description="Looked at",
            )
            for n in range(1, 6)
        ]

    # --- WSGI ------------------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = asked_of(environ)
        for change in self.before:
            asked = change(asked)
        answer = self.answer(asked)
        for spoil in self.after:
            answer = spoil(asked, answer)
        start_response(f"{answer.status} Answer", list(answer.headers.items()))
        return [answer.body]

    def answer(self, asked: Asked) -> Answer:
        try:
            return self._headed(asked, self._found(asked))
        except Refused as refused:
            items = [ErrorItem(code=refused.status, description=sentence) for sentence in refused.sentences]
            answer = self._listed(asked, items, ErrorItem)
            named = {name.replace("_", "-"): value for name, value in refused.headers.items()}
            return replace(
                self._headed(asked, answer), status=refused.status, headers={**answer.headers, **named, **_OPEN}
            )

    def _found(self, asked: Asked) -> Answer:
        self._count(asked)
        if asked.ending not in ("", *Format):
            raise Refused(404, "The address ends in .xml or .json.")
        for pattern, methods, name in _ADDRESSES:
            match = re.fullmatch(pattern, asked.path)
            if match is None:
                continue
            if asked.method == "OPTIONS":
                return Answer(b"", headers={"Access-Control-Allow-Methods": ", ".join(methods)})
            if asked.method not in methods:
                raise Refused(405, "This method is not offered.", Allow=", ".join(methods))
            answer: Answer = getattr(self, f"{asked.method.lower()}_{name}")(asked, *match.groups())
            return answer
        raise Refused(404, "There is no such address.")

    def _count(self, asked: Asked) -> None:
        before, times = self.asked_last
        self.asked_last = (asked, times + 1 if asked == before else 1)
        if self.asked_last[1] > self.patience:
            raise Refused(429, "Not so fast.", Retry_After="5")

    def _headed(self, asked: Asked, answer: Answer) -> Answer:
        headers = {"Content-Type": f"{asked.format.media_type}; charset=utf-8", **answer.headers, **_OPEN}
        tag = f'"{hash(answer.body)}"'
        if asked.path.startswith("services") and asked.method == "GET":
            headers["ETag"] = tag
            if asked.headers.get("if-none-match") == tag:
                return Answer(b"", 304, headers)
        return replace(answer, headers=headers)

    def _listed(self, asked: Asked, items: Sequence[Item], kind: type[Item]) -> Answer:
        body = render.listed(items, kind, asked.format)
        return Answer(body, headers={"Content-Type": f"{asked.format.media_type}; charset=utf-8"})

    # --- Reading ---------------------------------------------------------------------------------------------------------

    def get_discovery(self, asked: Asked) -> Answer:
        endpoints = tuple(
            Endpoint(
                specification=GEOREPORT_V2,
                url=BASE,
                changeset="2026-01-01T00:00:00Z",
                type=kind,
                formats=("text/xml", "application/json"),
            )
            for kind in ("production", "test")
        )
        found = Discovery(
            changeset="2026-01-01T00:00:00Z", contact="Ring 311", key_service="Ask 311", endpoints=endpoints
        )
        return Answer(render.whole(found, asked.format), headers={"Content-Type": asked.format.media_type})

    def get_services(self, asked: Asked) -> Answer:
        self._check_city(asked)
        return self._listed(asked, self.services, ServiceItem)

    def get_definition(self, asked: Asked, code: str) -> Answer:
        self._check_city(asked)
        found = self.definitions.get(code)
        if found is None:
            raise Refused(404, f"There is no service_code {code}.")
        return Answer(render.whole(found, asked.format))

    def get_requests(self, asked: Asked) -> Answer:
        self._check_city(asked)
        public = [item for item in self.requests if item.service_request_id != HIDDEN]
        found = Searching(asked, self.started, {item.service_code for item in self.services}).of(public)
        size = int(asked.one("page_size") or self.most)
        first = (int(asked.one("page") or 1) - 1) * size
        items = [self._shown(item, asked) for item in found[first : first + size]]
        return replace(self._listed(asked, items, RequestItem), headers={"X-Total-Count": str(len(found))})

    def _shown(self, item: RequestItem, asked: Asked) -> RequestItem:
        shown = self.row(item)
        if asked.one("extensions") != "true":
            return shown
        return RequestItem(
            **{name: getattr(shown, name) for name in shown.__struct_fields__}
            | {"extended_attributes": {"joined": "2"}}
        )

    def get_request(self, asked: Asked, id_: str) -> Answer:
        self._check_city(asked)
        for item in self.requests:
            if item.service_request_id == id_ and id_ != HIDDEN:
                return self._listed(asked, [self._shown(item, asked)], RequestItem)
        raise Refused(404, f"There is no service_request_id {id_}.")

    def get_token(self, asked: Asked, token: str) -> Answer:
        """The id is there when it is asked for the second time."""
        if token not in self.tokens:
            raise Refused(404, f"There is no token {token}.")
        times = self.tokens[token]
        times.append("asked")
        id_ = times[0] if len(times) > 2 else None
        return self._listed(asked, [TokenResult(service_request_id=id_, token=token)], TokenResult)

    def get_updates(self, asked: Asked) -> Answer:
        start, end = (moment(asked.one(name), name) for name in ("start_date", "end_date"))
        found = [
            each
            for each in self.updates
            if (not start or each.updated_datetime >= start) and (not end or each.updated_datetime <= end)
        ]
        return self._listed(asked, found, UpdateItem)

    def _check_city(self, asked: Asked) -> None:
        named = [value for key, value in [*asked.query, *asked.form] if key == "jurisdiction_id" and value]
        if not named:
            raise Refused(400, "jurisdiction_id is missing.")
        if len(set(named)) > 1:
            raise Refused(400, "jurisdiction_id is given twice, and differently.")
        if named[0] != JURISDICTION:
            raise Refused(404, f"There is no jurisdiction_id {named[0]}.")

    # --- Writing ---------------------------------------------------------------------------------------------------------

    def check_sender(self, asked: Asked) -> None:
        self._check_form(asked)
        self._check_city(asked)
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if KEY not in (asked.sent("api_key"), asked.one("api_key"), asked.headers.get("x-api-key"), bearer):
            raise Refused(403, "The api_key is missing or wrong.")

    def _check_form(self, asked: Asked) -> None:
        if asked.content_type.partition(";")[0] not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise Refused(415, "Send a form.")
        if len(asked.body) > LARGEST:
            raise Refused(413, "That is too large.")

    def post_requests(self, asked: Asked) -> Answer:
        self.check_sender(asked)
        key = asked.headers.get("idempotency-key", "")
        form, answer = self.kept.get(key) or (asked.form, None)
        if form != asked.form:
            raise Refused(400, "This Idempotency-Key was sent with another content.")
        if answer is None:
            answer = self._filed(asked)
        if key:
            self.kept[key] = (form, answer)
        return answer

    def _filed(self, asked: Asked) -> Answer:
        service = next((each for each in self.services if each.service_code == asked.sent("service_code")), None)
        if service is None:
            code = asked.sent("service_code")
            raise Refused(
                404 if code else 400, f"There is no service_code {code}." if code else "service_code is missing."
            )
        item = Filing(asked, self.definitions[service.service_code]).item(
            service, f"{self.prefix}{len(self.requests):03}", now()
        )
        self.requests.insert(0, item)
        if service.type == "batch":
            token = f"t-{len(self.tokens)}-9c1e"
            self.tokens[token] = [str(item.service_request_id)]
            return self._listed(asked, [CreateResult(token=token)], CreateResult)
        told = (
            CreateResult()
            if service.type == "blackbox"
            else CreateResult(service_request_id=str(item.service_request_id))
        )
        return self._listed(asked, [told], CreateResult)

    def post_updates(self, asked: Asked) -> Answer:
        self.check_sender(asked)
        told = Telling(asked).item({item.service_request_id for item in self.requests})
        if told.update_id not in {each.update_id for each in self.updates}:
            self.updates.append(told)
        return self._listed(asked, [UpdateResult(update_id=told.update_id)], UpdateResult)


_OPEN = {"Access-Control-Allow-Origin": "*"}
_READ, _WRITE = ("GET", "HEAD", "OPTIONS"), ("GET", "HEAD", "POST", "OPTIONS")
_ADDRESSES = (
    (r"discovery", _READ, "discovery"),
    (r"services", _READ, "services"),
    (r"services/([^/]+)", _READ, "definition"),
    (r"requests", _WRITE, "requests"),
    (r"requests?/([^/]+)", _READ, "request"),
    (r"tokens/([^/]+)", _READ, "token"),
    (r"servicerequestupdates", _WRITE, "updates"),
)
