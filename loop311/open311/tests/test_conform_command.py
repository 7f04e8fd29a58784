"""`loop311 open311 conform`, against a small faithful server on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result
from defusedxml import ElementTree

from loop311.georeport.tests.fake_city import JURISDICTION, KEY, FakeCity
from loop311.georeport.tests.faults import READING
from loop311.kit.commands import needs_database
from loop311.open311.commands import open311
from loop311.open311.commands_conform import conform


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def fake() -> FakeCity:
    return FakeCity(patience=1_000)


@pytest.fixture
def address(fake: FakeCity) -> Iterator[str]:
    with make_server("127.0.0.1", 0, fake, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/open311/v2/"
        server.shutdown()
        thread.join()


def called(*arguments: str) -> Result:
    return CliRunner().invoke(open311, ["conform", "--rate", "0", "--jurisdiction", JURISDICTION, *arguments])


def test_a_faithful_server_is_0_and_the_table_says_what_was_not_run(address: str) -> None:
    result = called(address, "--strict", "--only", "discovery,post.accepted")
    assert result.exit_code == 0, result.output
    assert "  ok           discovery.both-formats\n" in result.output
    assert "  not run      post.accepted: it files test requests: give --write\n" in result.output
    assert result.output.endswith("13 checks: 12 passed, 1 not run\n")


def test_a_wrong_server_is_1_and_the_build_server_is_told(address: str, fake: FakeCity, tmp_path: Path) -> None:
    READING["services.types"](fake)
    result = called(address, "--only", "services", "--json", "--junit", str(tmp_path / "conform.xml"))
    assert result.exit_code == 1
    assert [c["id"] for c in json.loads(result.stdout)["checks"] if c["verdict"] == "failed"] == ["services.types"]
    assert ElementTree.fromstring((tmp_path / "conform.xml").read_bytes()).get("failures") == "1"


def test_test_requests_are_filed_where_and_how_it_is_said(address: str, fake: FakeCity) -> None:
    arguments = [
        "--write",
        "--key",
        KEY,
        "--service",
        "pothole",
        "--here",
        "--at",
        "41.5,-87.5",
        "--attribute",
        "danger=no",
    ]
    result = called(address, "--only", "post.accepted", *arguments)
    assert result.exit_code == 0, result.output
    assert (fake.requests[0].lat, fake.requests[0].long) == (41.5, -87.5)
    assert KEY not in result.output


def test_what_cannot_be_looked_at_is_2() -> None:
    result = called("http://127.0.0.1:9/open311/v2/")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no answer" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["city.example"], "URL is what stands before services.xml"),
        (["https://city.example/services.xml"], "URL is what stands before services.xml"),
        (["https://city.example/", "--only", "nothing"], "no check and no group 'nothing'"),
        (["https://city.example/", "--at", "here"], "--at is a latitude and a longitude"),
        (["https://city.example/", "--attribute", "danger"], "--attribute is CODE=VALUE"),
    ],
)
def test_what_is_meant_wrongly_is_said(arguments: list[str], said: str) -> None:
    result = called(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_it_needs_no_database() -> None:
    assert conform.callback is not None
    assert not needs_database(conform.callback)
