"""For each check that only reads: the mistake that it, and it alone, finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loop311.georeport import render
from loop311.georeport.conform.target import NOBODY
from loop311.georeport.model import AttributeValue, RequestItem, ServiceItem
from loop311.georeport.tests.fake_city import BASE, HIDDEN, JURISDICTION, ODD_CODE, FakeCity
from loop311.georeport.tests.fake_parts import Answer, Asked
from loop311.georeport.tests.faulting import (
    PAGE,
    Fault,
    When,
    answers,
    at,
    attribute,
    body,
    both,
    fails,
    header,
    hears,
    no,
    overlooks,
    plain,
    query,
    reads,
    row,
    service,
    status,
    takes_any_city,
    together,
    turned,
    update,
)

DISCOVERY, SERVICES, POTHOLE = at("discovery"), at("services"), at("services/pothole")
XML, JSON = at("services", "xml"), at("services", "json")
UNKNOWN = at(f"services/{NOBODY}")

discovery: dict[str, Fault] = {
    "discovery.both-formats": status(at("discovery", "json"), 404),
    "discovery.fields": turned(DISCOVERY, '<key_service>.*?</key_service>|"key_service":"[^"]*",', ""),
    "discovery.endpoint-fields": together(
        turned(at("discovery", "xml"), "<changeset>[^<]*</changeset>(<type>)", r"\1"),
        turned(at("discovery", "json"), '"changeset":"[^"]*",("type")', r"\1"),
    ),
    "discovery.same-in-both": turned(at("discovery", "json"), "Ring 311", "Ring 911"),
    "discovery.specification": turned(DISCOVERY, "GeoReport_v2", "GeoReport_v3"),
    "discovery.type": turned(DISCOVERY, "production", "live"),
    "discovery.formats-array": turned(at("discovery", "json"), r'"endpoints":(\[.*\])', r'"endpoints":{"endpoint":\1}'),
    "discovery.xml-listed": turned(DISCOVERY, '<format>text/xml</format>|"text/xml",', ""),
    "discovery.two-endpoints": together(
        turned(at("discovery", "xml"), "</endpoint><endpoint>.*?</endpoint>", "</endpoint>"),
        turned(at("discovery", "json"), r"(\]\}),\{.*?\]\}", r"\1"),
    ),
    "discovery.url-ends-in-slash": turned(DISCOVERY, BASE, BASE[:-1]),
    "discovery.changeset-past": turned(DISCOVERY, "2026-01-01", "2126-01-01"),
    "discovery.bare-types": header(at("discovery", "xml"), "Content-Type", "text/xml; charset=utf-8"),
}

headers: dict[str, Fault] = {
    "headers.type-xml": header(XML, "Content-Type", "application/xml; charset=utf-8"),
    "headers.type-json": header(JSON, "Content-Type", "text/json; charset=utf-8"),
    "headers.charset": header(XML, "Content-Type", "text/xml"),
    "headers.xml-declaration": turned(XML, r"<\?xml.*?\?>\n", ""),
    "headers.utf-8": answers(JSON, lambda _, answer: replace(answer, body=answer.body.decode().encode("latin-1"))),
    "headers.no-namespace": turned(XML, "<service>", '<service><x:note xmlns:x="http://other.example"/>'),
    "headers.no-attributes": turned(XML, "<services>", '<services type="array">'),
    "headers.cors": header(SERVICES, "Access-Control-Allow-Origin"),
    "headers.cors-preflight": status(at("requests", method="OPTIONS"), 405),
    "headers.etag": header(SERVICES, "ETag"),
    "headers.not-modified": hears(
        at("services", also=lambda asked: "if-none-match" in asked.headers), lambda asked: replace(asked, headers={})
    ),
    "headers.unknown-ending": hears(at("services", "pdf"), lambda asked: replace(asked, ending="xml")),
    "headers.ending-decides": hears(
        at("services", "xml", also=lambda asked: "json" in asked.headers.get("accept", "")),
        lambda asked: replace(asked, ending="json"),
    ),
    "headers.accept-fallback": hears(
        at("services", also=lambda asked: not asked.ending), lambda asked: replace(asked, headers={})
    ),
    "headers.last-dot": hears(at(rf"services/{NOBODY}\.1\.6"), lambda asked: replace(asked, ending="")),
    "headers.encoded-codes": fails(at("services/.*café"), 400),
}

services: dict[str, Fault] = {
    "services.list-xml": turned(XML, "services>", "list>"),
    "services.list-json": turned(JSON, r'^(\[\{"service_code.*)$', r'{"services":\1}', 1),
    "services.required": service("tip", service_name=None),
    "services.all-fields": turned(SERVICES, '<keywords/>|"keywords":null,', ""),
    "services.unique-codes": lambda city: city.services.append(city.services[2]),
    "services.types": service(ODD_CODE, type="instant"),
    "services.metadata-xml": turned(XML, "<metadata>true", "<metadata>1"),
    "services.metadata-json": turned(JSON, '"metadata":true', '"metadata":"true"'),
    "services.codes-are-texts": together(service("tip", service_code="311"), turned(JSON, '"311"', "311")),
    "services.texts": turned(JSON, '"group":null', '"group":["a"]'),
    "services.keywords": together(service("tip", keywords="a,b"), turned(JSON, '"a,b"', '["a","b"]')),
    "services.whole": lambda city: city.after.append(
        lambda asked, answer: (
            city._listed(asked, city.services[:1], ServiceItem)
            if asked.one("page_size") and SERVICES(asked)
            else answer
        )
    ),
    "services.same-count": turned(JSON, r",\{[^{]*\}\]$", "]"),
    "services.stable-order": lambda city: _to_and_fro(city)(city),
    "services.unknown-jurisdiction": takes_any_city("services"),
    "services.missing-jurisdiction": fails(at("services", also=lambda asked: not asked.one("jurisdiction_id")), 404),
}


def _to_and_fro(city: FakeCity) -> Fault:
    """Every other time in the other order."""
    times = [0]

    def change(asked: Asked, answer: Answer) -> Answer:
        times[0] += 1
        return city._listed(asked, city.services[:: 1 if times[0] % 2 else -1], ServiceItem)

    return answers(both(JSON, lambda asked: len(asked.query) == 1 and answered_so(asked)), change)


def answered_so(asked: Asked) -> bool:
    return asked.one("jurisdiction_id") == JURISDICTION and "xml" not in asked.headers.get("accept", "")


definition: dict[str, Fault] = {
    "definition.exists": status(at("services/pothole", "xml"), 404),
    "definition.shape-xml": turned(at("services/pothole", "xml"), "</?attributes>", ""),
    "definition.shape-json": turned(at("services/pothole", "json"), r"^(\{.*)$", r"[\1]", 1),
    "definition.names-its-service": together(
        turned(at("services/pothole", "xml"), "<service_code>pothole", "<service_code>hole"),
        turned(at("services/pothole", "json"), '"service_code":"pothole"', '"service_code":"hole"'),
    ),
    "definition.required": attribute("history", required=None),
    "definition.all-fields": turned(POTHOLE, '<datatype_description/>|"datatype_description":null,', ""),
    "definition.datatypes": attribute("history", datatype="essay"),
    "definition.booleans-xml": turned(at("services/pothole", "xml"), "<required>true", "<required>1"),
    "definition.booleans-json": turned(at("services/pothole", "json"), '"required":true', '"required":"true"'),
    "definition.order": attribute("history", order=1),
    "definition.order-is-number": turned(at("services/pothole", "json"), '"order":3', '"order":"3"'),
    "definition.texts": together(
        attribute("features", values=(AttributeValue(key="1", name="One"), AttributeValue(key="2", name="Two"))),
        turned(at("services/pothole", "json"), '"key":"1"', '"key":1'),
    ),
    "definition.unique-codes": attribute("history", code="owner"),
    "definition.values": attribute("features", values=()),
    "definition.no-other-values": attribute("info", values=(AttributeValue(key="1", name="One"),)),
    "definition.display-only": attribute("info", required=True),
    "definition.unknown": body(UNKNOWN, "[]"),
    "definition.unknown-jurisdiction": takes_any_city("services/.+"),
    "definition.without-metadata": fails(at("services/graffiti"), 404),
}

ZULU = r"[^.]*Z"


def _recent(city: FakeCity) -> list[RequestItem]:
    """What the plain list holds, the newest first."""
    return city.requests[:-3]


def _every(city: FakeCity, asked: Asked) -> Answer:
    """All that is public, whatever was asked."""
    return city._listed(asked, city.requests[:-1], RequestItem)


def _hours(asked: Asked) -> float:
    """Of the window that is asked for; nothing for one of strange words."""
    try:
        start, end = (datetime.fromisoformat(asked.one(name)) for name in ("start_date", "end_date"))
    except ValueError:
        return 0.5
    return (end - start) / timedelta(hours=1)


def window(hours: float) -> When:
    """Both dates in the plainest spelling, and nothing else."""
    names = {"start_date", "end_date", "jurisdiction_id"}
    return both(
        query("start_date", ZULU),
        query("end_date", ZULU),
        lambda asked: {name for name, _ in asked.query} <= names and _hours(asked) == hours,
    )


ONLY_START = both(query("start_date", ZULU), no(query("end_date")))
ONLY_END = both(query("end_date", r"[^.]*00Z|[^.]*\d\dZ"), no(query("start_date")), no(query("end_date", ".*13-45.*")))
CODES = query("service_code")
IDS = query("service_request_id", ".+")

queries: dict[str, Fault] = {
    "query.list-xml": turned(plain("xml"), "service_requests>", "requests>"),
    "query.list-json": turned(plain("json"), r"^(.*)$", r'{"service_requests":\1}', 1),
    "query.default-window": lambda city: hears(
        plain(),
        lambda asked: replace(
            asked, query=[*asked.query, ("end_date", render.instant(city.started - timedelta(days=40)))]
        ),
    )(city),
    "query.most": lambda city: answers(
        plain(), lambda asked, _: city._listed(asked, [each for each in _recent(city) for _ in range(101)], RequestItem)
    )(city),
    "query.order": lambda city: answers(
        plain(), lambda asked, _: city._listed(asked, _recent(city)[::-1], RequestItem)
    )(city),
    "query.empty": fails(both(query("start_date", "1991.*"), no(IDS)), 404),
    "query.empty-argument": fails(both(query("status", ""), CODES), 400),
    "query.unknown-argument": fails(query("colour"), 400),
    "query.unknown-jurisdiction": takes_any_city("requests"),
    "query.private": lambda city: answers(
        query("service_request_id", HIDDEN), lambda asked, _: city._listed(asked, city.requests[-1:], RequestItem)
    )(city),
    "query.service-code": overlooks(
        both(query("service_code", "[a-z]+"), lambda asked: len(asked.all("service_code")) == 1, no(IDS)),
        "service_code",
    ),
    "query.service-codes": reads(query("service_code", "[a-z]+,[a-z]+"), "service_code", lambda v: v[0].split(",")[:1]),
    "query.service-codes-repeated": reads(
        both(CODES, lambda asked: sum(name == "service_code" for name, _ in asked.query) > 1),
        "service_code",
        lambda values: values[-1:],
    ),
    "query.spaces": reads(query("service_code", ".* , .*"), "service_code", lambda values: values[0].split(" , ")[:1]),
    "query.unknown-service": body(both(query("service_code", NOBODY), no(IDS)), "[]"),
    "query.unknown-service-beside": fails(query("service_code", f"{NOBODY},.*"), 404),
    "query.status-open": overlooks(query("status", "open"), "status"),
    "query.status-closed": overlooks(query("status", "closed"), "status"),
    "query.statuses": reads(query("status", "open,closed"), "status", lambda _: ["open"]),
    "query.status-any-case": fails(query("status", "OPEN"), 400),
    "query.unknown-status": overlooks(query("status", "done"), "status"),
    "query.ids": reads(query("service_request_id", "[^,]*,[^,]*"), "service_request_id", lambda v: v[0].split(",")[:1]),
    "query.ids-repeated": reads(
        both(IDS, lambda asked: sum(name == "service_request_id" for name, _ in asked.query) > 1),
        "service_request_id",
        lambda values: values[:1],
    ),
    "query.ids-override": body(both(IDS, query("status", ".+")), "[]"),
    "query.ids-override-dates": body(both(IDS, query("start_date", ".+")), "[]"),
    "query.unknown-id": fails(query("service_request_id", f".*{NOBODY}"), 404),
    "query.between": overlooks(window(2), "start_date", "end_date"),
    "query.start-only": overlooks(ONLY_START, "start_date"),
    "query.end-only": overlooks(ONLY_END, "end_date"),
    "query.bounds": body(window(0), "[]"),
    "query.over-90-days": lambda city: answers(window(400 * 24), lambda asked, _: _every(city, asked))(city),
    "query.start-after-end": overlooks(window(-1), "start_date", "end_date"),
    "query.bad-date": overlooks(query("start_date", "yesterday"), "start_date"),
    "query.date-with-offset": fails(query("start_date", r".*\+02:00"), 400),
    "query.date-with-space": fails(query("start_date", ".* 02:00"), 400),
    "query.date-with-fraction": fails(query("start_date", r".*\.250Z"), 400),
    "query.date-without-zone": fails(query("start_date", r".*T\d\d:\d\d:\d\d"), 400),
    "query.date-without-time": fails(query("start_date", r"[\d-]+"), 400),
    "query.paging": reads(query("page_size", "1"), "page", lambda _: ["1"]),
    "query.paging-past-end": overlooks(query("page", "9999"), "page", "page_size"),
    "query.paging-says-more": header(query("page_size", "1"), "X-Total-Count"),
    "query.updated-after": overlooks(query("updated_after", "20.*"), "updated_after"),
    "query.updated-before": overlooks(query("updated_before", "20.*"), "updated_before"),
    "query.bbox": overlooks(query("bbox", "-8.*"), "bbox"),
    "query.radius": overlooks(query("radius", "200"), "radius"),
    "query.extensions": hears(plain(), lambda asked: replace(asked, query=[*asked.query, ("extensions", "true")])),
}

ONE = at("requests/.*")

single: dict[str, Fault] = {
    "single.array-of-one": turned(at("requests/.*", "json"), r"^\[(.+)\]$", r"[\1,\1]"),
    "single.same-as-in-list": turned(ONE, r'(requested_datetime(?:>|":"))20', r"\g<1>19"),
    "single.unknown": body(at(f"requests/{NOBODY}"), "[]"),
    "single.unknown-jurisdiction": takes_any_city("requests/.+"),
    "single.private": fails(at(f"requests/{HIDDEN}"), 403),
    "single.alias": fails(at("request/.*"), 404),
}

R4, R3 = r'("service_request_id":"r-004"[^{}]*?)', "(<service_request_id>r-003(?:(?!</request>).)*?)"

fields: dict[str, Fault] = {
    "fields.required": row(requested_datetime=None),
    "fields.all-present": turned(plain(), '<zipcode/>|<zipcode>[^<]*</zipcode>|"zipcode":[^,]*,', ""),
    "fields.status": together(
        turned(plain("json"), R4 + '"open"', r'\1"submitted"'),
        turned(plain("xml"), "(<service_request_id>r-004</service_request_id><status>)open", r"\1submitted"),
    ),
    "fields.dates": turned(plain("json"), R4 + r'("requested_datetime":"[^"]*)Z', r"\1\2"),
    "fields.whole-seconds": turned(plain("json"), R4 + r'("requested_datetime":"[^"]*)Z', r"\1\2.500Z"),
    "fields.no-empty-dates": turned(plain("xml"), "(<address>4 Elm)", r"<expected_datetime/>\1"),
    "fields.closed-time": together(
        turned(plain("xml"), R3 + "<updated_datetime>20", r"\1<updated_datetime>19"),
        turned(
            plain("json"), r'("service_request_id":"r-003"[^{}]*?)"updated_datetime":"20', r'\1"updated_datetime":"19'
        ),
    ),
    "fields.identifiers": together(row(zipcode="12111"), turned(plain("json"), '"12111"', "12111")),
    "fields.texts": turned(
        plain("json"), '"agency_responsible":"Streets"', '"agency_responsible":{"recipient":["Streets"]}'
    ),
    "fields.numbers": turned(plain("json"), R4 + r'"lat":([\d.]+)', r'\1"lat":"\2"'),
    "fields.positions": row(long=None),
    "fields.nulls": turned(plain("json"), '"media_url":null', '"media_url":""'),
    "fields.description-length": row(description="x" * 4001),
    "fields.no-html": row(description="<b>Deep</b> hole"),
    "fields.media-url": row(media_url="photo.jpg"),
    "fields.no-reporter": turned(plain("json"), R4 + '"zipcode"', r'\1"email":"ada@example.org","zipcode"'),
}

errors: dict[str, Fault] = {
    "errors.body-xml": status(at(f"services/{NOBODY}", "xml"), 404, b"<error>There is none</error>"),
    "errors.body-json": status(at(f"services/{NOBODY}", "json"), 404, b'{"error": {"message": "There is none"}}'),
    "errors.media-type": header(UNKNOWN, "Content-Type", "text/html"),
    "errors.code": turned(UNKNOWN, "404", "900"),
    "errors.400-in-both": status(query("status", "never"), 400, PAGE),
    "errors.unknown-address": status(at(f"{NOBODY}/at/all"), 404, PAGE),
    "errors.405": header(at("services", method="PUT"), "Allow"),
}

UPDATES = "servicerequestupdates"

updates: dict[str, Fault] = {
    "updates.list": turned(
        at(UPDATES, "xml", also=lambda asked: "1991" not in asked.one("start_date")),
        "service_request_updates>",
        "updates>",
    ),
    "updates.fields": update("u-3", status=None),
    "updates.unique": update("u-3", update_id="u-2"),
    "updates.statuses": update("u-3", status="wonderful"),
    "updates.window": overlooks(
        at(UPDATES, also=lambda asked: asked.one("start_date") == asked.one("end_date")), "start_date", "end_date"
    ),
    "updates.empty": fails(at(UPDATES, also=lambda asked: "1991" in asked.one("start_date")), 404),
}

tokens: dict[str, Fault] = {"tokens.unknown": body(at(f"tokens/{NOBODY}"), "[]")}

agreement: dict[str, Fault] = {
    "agreement.services": turned(JSON, '"Tip"', '"Tips"'),
    "agreement.definitions": turned(at("services/pothole", "json"), '"Owner\\?"', '"Whose?"'),
    "agreement.requests": turned(plain("json"), '"Number 4"', '"Number four"'),
    "agreement.single": turned(at("requests/.*", "json"), '"description":"', '"description":"~'),
}

READING = (
    discovery | headers | services | definition | queries | single | fields | errors | updates | tokens | agreement
)
