"""The conformance suite: all of it passes on a faithful server, and each check fails on a server that is wrong in that."""

from __future__ import annotations

import httpx
import pytest

from loop311.georeport.conform.registry import CHECKS
from loop311.georeport.conform.run import Result, run
from loop311.georeport.conform.target import Options
from loop311.georeport.conform.wire import Wire
from loop311.georeport.tests.fake_city import BASE, HIDDEN, JURISDICTION, KEY, FakeCity
from loop311.georeport.tests.faults import READING
from loop311.georeport.tests.faults_of_filing import WRITING

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
