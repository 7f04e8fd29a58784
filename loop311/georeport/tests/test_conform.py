"""The conformance suite: all of it passes on a faithful server, and each check fails on a server that is wrong in that."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from defusedxml import ElementTree

from loop311.georeport.conform import report
from loop311.georeport.conform.registry import CHECKS
from loop311.georeport.conform.run import Result, Unreachable, Verdict, chosen, exit_code, run
from loop311.georeport.conform.target import Options
from loop311.georeport.conform.wire import Wire
from loop311.georeport.tests.fake_city import BASE, HIDDEN, JURISDICTION, KEY, FakeCity
from loop311.georeport.tests.fake_parts import Answer
from loop311.georeport.tests.faults import READING
from loop311.georeport.tests.faults_of_filing import WRITING
from loop311.georeport.tests.test_reading import saved

FAULTS = READING | WRITING
ALSO = {"headers.utf-8": {"services.list-json"}}
"""What cannot be wrong alone."""

OPTIONS = Options(
    url=BASE,
    jurisdiction=JURISDICTION,
    key=KEY,
    services=("pothole", "graffiti", "tip"),
    write=True,
    private=HIDDEN,
    burst=10,
    wait=0.2,
)


def looked_at(city: FakeCity, options: Options = OPTIONS) -> dict[str, Result]:
    wire = Wire(rate=0, transport=httpx.WSGITransport(city))
    try:
        return {result.check.id: result for result in run(options, wire, CHECKS.values(), strict=True)}
    finally:
        wire.close()


def test_every_check_passes_on_a_faithful_server() -> None:
    results = looked_at(FakeCity())
    assert {id_: result.sentence for id_, result in results.items() if result.verdict != "passed"} == {}


def test_every_check_has_its_fault() -> None:
    assert set(FAULTS) == set(CHECKS)


@pytest.mark.parametrize("id_", CHECKS)
def test_a_check_fails_on_a_server_that_is_wrong_in_this(id_: str) -> None:
    city = FakeCity()
    FAULTS[id_](city)
    results = looked_at(city)
    failed = {name: result.sentence for name, result in results.items() if result.verdict == "failed"}
    assert set(failed) == {id_} | ALSO.get(id_, set()), failed


# --- What it is told ---------------------------------------------------------------------------------------------------------


def one(city: FakeCity, id_: str, **options: object) -> Result:
    wire = Wire(rate=0, transport=httpx.WSGITransport(city))
    try:
        (result,) = run(replace(OPTIONS, **options), wire, [CHECKS[id_]])  # type: ignore[arg-type]
    finally:
        wire.close()
    return result


def test_a_failure_says_what_was_asked_what_came_and_what_was_expected_but_not_the_key() -> None:
    city = FakeCity()
    FAULTS["post.address-string"](city)
    said = one(city, "post.address-string").sentence
    assert said.startswith(
        f"POST {BASE}requests.json with jurisdiction_id={JURISDICTION}, service_code=pothole, address_string="
    )
    assert "came status 400" in said
    assert said.endswith("expected status 200 and a filed request.")
    assert KEY not in said


def test_our_own_rules_are_warnings_unless_strict() -> None:
    city = FakeCity()
    FAULTS["headers.etag"](city)
    assert one(city, "headers.etag").verdict is Verdict.WARNED
    assert exit_code([one(city, "headers.etag")]) == 0
    assert looked_at(city)["headers.etag"].verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("missing", "reason"), [({"write": False}, "--write"), ({"key": ""}, "--key"), ({"services": ()}, "--service")]
)
def test_without_leave_nothing_is_sent_and_the_reason_is_told(missing: dict[str, object], reason: str) -> None:
    city = FakeCity()
    sent: list[str] = []
    city.before.append(lambda asked: sent.append(asked.method) or asked)  # type: ignore[func-returns-value]
    results = looked_at(city, replace(OPTIONS, **missing))  # type: ignore[arg-type]
    assert {r.verdict for r in results.values() if r.check.writes} == {Verdict.NOT_RUN}
    assert all(reason in r.sentence for r in results.values() if r.check.writes)
    assert "POST" not in sent
    assert {r.verdict for r in results.values() if not r.check.writes} <= {Verdict.PASSED, Verdict.NOT_RUN}


def test_every_test_request_says_that_it_is_one() -> None:
    city = FakeCity()
    before = len(city.requests)
    looked_at(city)
    filed = city.requests[:-before]
    assert 30 < len(filed) < 60
    assert all(str(item.description).startswith("TEST of the Open311 interface") for item in filed)


def test_the_key_goes_to_no_other_host_than_it_was_given_for() -> None:
    city = FakeCity()
    city.after.append(
        lambda asked, answer: replace(answer, body=answer.body.replace(b"//fake.example/", b"//evil.example/"))
    )
    result = one(city, "post.accepted")
    assert (result.verdict, "evil.example" in result.sentence) == (Verdict.NOT_RUN, True)
    assert one(city, "post.accepted", here=True).verdict is Verdict.PASSED


@pytest.mark.parametrize("services", [0, 1])
def test_no_service_and_one_service_are_lists_too(services: int) -> None:
    city = FakeCity()
    city.services = city.services[:services]
    city.requests = [item for item in city.requests if item.service_code == "pothole"][:services]
    failed = [
        r.check.id for r in looked_at(city, replace(OPTIONS, write=False)).values() if r.verdict is Verdict.FAILED
    ]
    assert failed == []


def test_without_json_its_checks_are_not_offered() -> None:
    city = FakeCity()
    city.after.append(
        lambda asked, answer: (
            Answer(b"", 404)
            if asked.ending == "json" and asked.path != "discovery"
            else replace(
                answer,
                body=answer.body.replace(b"<format>application/json</format>", b"").replace(
                    b',"application/json"', b""
                ),
            )
        )
    )
    results = looked_at(city)
    assert {id_ for id_, r in results.items() if r.verdict is Verdict.FAILED} == set()
    assert results["query.list-json"].verdict is Verdict.NOT_OFFERED
    assert results["post.accepted"].verdict is Verdict.PASSED


def test_of_definitions_that_cannot_be_had_nothing_is_concluded() -> None:
    city = FakeCity()
    city.after.append(lambda asked, answer: Answer(b"", 404) if asked.path.startswith("services/") else answer)
    results = looked_at(city)
    assert results["definition.exists"].verdict is Verdict.FAILED
    assert {results[f"definition.shape-{ending}"].verdict for ending in ("xml", "json")} == {Verdict.NOT_RUN}


def test_extensions_that_a_server_lacks_are_not_offered() -> None:
    city = FakeCity(patience=1_000)
    lacking = ("updated_after", "updated_before", "bbox", "lat", "long", "radius", "extensions", "page", "page_size")
    city.before.append(lambda asked: replace(asked, query=[pair for pair in asked.query if pair[0] not in lacking]))
    city.after.append(lambda asked, answer: Answer(b"", 404) if asked.path == "servicerequestupdates" else answer)
    results = looked_at(city)
    assert {id_ for id_, r in results.items() if r.verdict is Verdict.FAILED} == set()
    not_offered = {id_ for id_, r in results.items() if r.verdict is Verdict.NOT_OFFERED}
    assert {"query.bbox", "query.radius", "query.paging", "query.updated-after", "query.extensions"} < not_offered
    assert {id_ for id_ in CHECKS if id_.startswith("updates.")} < not_offered


STRANGE = [b"", b"null", b"[]", b"{}", b"[1]", b"[[]]", b'[{"service_code": {"a": []}}]', b"<html/>", b"<services/>", b"\xff\xfe",
           b'<services><service/><service a="b">x</service></services>', b'{"endpoints": 7, "attributes": [7]}',
           b'[{"service_request_id": [], "requested_datetime": 7, "lat": "x", "status": {}}]']  # fmt: skip


@pytest.mark.parametrize("body", STRANGE)
@pytest.mark.parametrize("status", [200, 400])
def test_whatever_a_server_answers_the_report_is_written(body: bytes, status: int) -> None:
    city = FakeCity()
    city.after.append(lambda asked, answer: Answer(body, status))
    results = list(looked_at(city).values())
    assert exit_code(results) == 1
    ElementTree.fromstring(report.junit(results, BASE))


@pytest.mark.parametrize("body", STRANGE[-5:])
@pytest.mark.parametrize("path", ["services", "services/pothole", "requests", "requests/.*", "discovery", "tokens/.*"])
def test_one_strange_resource_does_not_end_the_run(path: str, body: bytes) -> None:
    city = FakeCity()
    city.after.append(lambda asked, answer: Answer(body) if re.fullmatch(path, asked.path) else answer)
    assert len(looked_at(city)) == len(CHECKS)


def test_what_is_too_large_or_drips_or_breaks_off_is_a_failure_of_its_own() -> None:
    wire = Wire(rate=0, largest=1_000, transport=httpx.WSGITransport(FakeCity()))
    (result,) = run(OPTIONS, wire, [CHECKS["query.list-json"]])
    assert "more than 1,000 bytes" in result.sentence

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(20):
                time.sleep(0.02)
                yield b" "

    drip = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip()))
    with pytest.raises(Unreachable, match=r"a part only in 0.1 s"):
        run(OPTIONS, Wire(rate=0, timeout=0.1, transport=drip), [])


def test_it_asks_no_faster_than_it_may() -> None:
    wire = Wire(rate=50, transport=httpx.WSGITransport(FakeCity()))
    began = time.monotonic()
    run(OPTIONS, wire, chosen(["discovery"]))
    assert wire.asked >= 3
    assert time.monotonic() - began >= (wire.asked - 1) / 50


SEEN = {
    "giessen": ({"services.xml": "giessen_2018_services.xml"}, {"headers.no-attributes", "services.all-fields"}),
    "san francisco": (
        {"services.xml": "sf_2012_services.xml", "requests.xml": "sf_2010_requests.xml"},
        {"query.list-xml"},
    ),
    "toronto": ({"requests.xml": "toronto_2018_requests_single.xml"}, {"fields.no-empty-dates"}),
    "bloomington": (
        {"services.json": "bloomington_2012_services.json", "requests.json": "bloomington_2012_requests.json"},
        {"fields.nulls", "query.status-open", "query.ids"},
    ),
    "chicago": (
        {"services.json": "boston_2018_services.json", "requests.json": "chicago_2012_requests.json"},
        {"fields.required", "fields.status"},
    ),
    "cologne": (
        {"services.json": "boston_2018_services.json", "requests.json": "koeln_2023_requests_archive.json"},
        {"fields.all-present"},
    ),
}


@pytest.mark.real_data
@pytest.mark.parametrize("city", SEEN)
def test_what_cities_servers_were_seen_to_do_is_found(city: str) -> None:
    """Their saved answers, and 404 for all the rest."""
    files, faults = SEEN[city]

    def answer(request: httpx.Request) -> httpx.Response:
        name = files.get(request.url.path.removeprefix("/v2/"))
        kind = {"Content-Type": "application/json" if "json" in request.url.path else "text/xml"}
        return httpx.Response(200, content=saved(name), headers=kind) if name else httpx.Response(404)

    wire = Wire(rate=0, transport=httpx.MockTransport(answer))
    results = run(Options(url="https://city.example/v2/"), wire, CHECKS.values(), strict=True)
    failed = {result.check.id for result in results if result.verdict is Verdict.FAILED}
    assert faults <= failed
    assert len(failed) < 60


# --- The report --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed() -> list[Result]:
    """One of each verdict."""
    city = FakeCity()
    for id_ in ("services.types", "headers.etag"):
        FAULTS[id_](city)
    city.after.append(lambda asked, answer: Answer(b"", 404) if asked.path == "servicerequestupdates" else answer)
    wire = Wire(rate=0, transport=httpx.WSGITransport(city))
    return run(replace(OPTIONS, write=False), wire, CHECKS.values())


def test_junit_has_the_shape_that_build_servers_read(mixed: list[Result]) -> None:
    root = ElementTree.fromstring(report.junit(mixed, BASE))
    suites = root.findall("testsuite")
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in suites] == list(dict.fromkeys(check.group for check in CHECKS.values()))
    for counted in (root, *suites):
        cases = counted.findall(".//testcase")
        assert int(counted.get("tests", "")) == len(cases)
        assert int(counted.get("failures", "")) == len([case for case in cases if case.find("failure") is not None])
        assert int(counted.get("skipped", "")) == len([case for case in cases if case.find("skipped") is not None])
        assert (counted.get("errors"), float(counted.get("time", "")) >= 0) == ("0", True)
    named = {case.get("name"): case for case in root.iter("testcase")}
    assert set(named) == set(CHECKS)
    assert all(len(case) <= 1 and case.get("classname") == str(name).partition(".")[0] for name, case in named.items())
    failure, skipped = named["services.types"].find("failure"), named["post.accepted"].find("skipped")
    assert failure is not None
    assert "'instant'" in failure.get("message", "")
    assert skipped is not None
    assert "--write" in skipped.get("message", "")
    assert "not offered" in ElementTree.tostring(named["updates.list"]).decode()
    assert "warning: " in ElementTree.tostring(named["headers.etag"]).decode()


def test_the_table_and_the_plain_values_say_the_same(mixed: list[Result]) -> None:
    table, plain = report.table(mixed), report.plain(mixed, BASE)
    assert set(plain["counts"]) == {verdict.value for verdict in Verdict}
    assert plain["counts"]["failed"] == 1
    assert table.endswith(report.summary(mixed))
    assert re.search(r"FAILED\s+services.types\n\s+GET .*'instant'", table)
    assert len(plain["checks"]) == len(CHECKS)
    assert json.loads(json.dumps(plain)) == plain


def test_checks_are_chosen_by_id_and_by_group() -> None:
    assert [check.id for check in chosen(["tokens.unknown", "single.alias"])] == ["tokens.unknown", "single.alias"]
    assert {check.group for check in chosen(["fields"])} == {"fields"}
    with pytest.raises(KeyError):
        chosen(["fields.nothing"])


def test_the_page_lists_every_check_and_no_other() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "conformance.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9.-]+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    told = [
        (check.id, check.level.value, check.says + (" *Files.*" if check.writes else "")) for check in CHECKS.values()
    ]
    assert sorted(rows) == sorted(told)


# --- Over real sockets, by the command ---------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with make_server("127.0.0.1", 0, FakeCity(), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/open311/v2/"
        server.shutdown()
        thread.join()


def test_it_runs_over_real_sockets(address: str) -> None:
    wire = Wire(rate=0)
    options = replace(OPTIONS, url=address, here=True)
    results = run(options, wire, CHECKS.values(), strict=True)
    wire.close()
    assert {r.check.id: r.sentence for r in results if r.verdict is not Verdict.PASSED} == {}
