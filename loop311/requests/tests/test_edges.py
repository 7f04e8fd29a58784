"""What comes in broken, odd, or from another system's past gets one clear sentence, never a 500."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loop311.requests.models import Request
from loop311.requests.testing import City
from loop311.requests.tests.import_files import bring_in
from loop311.requests.tests.test_api import FILING, Caller
from loop311.residents.services import erase
from loop311.residents.testing import a_resident


@pytest.fixture
def caller(city: City) -> Caller:
    return Caller(city)


@pytest.mark.parametrize(
    "path",
    [
        "/requests/%00",
        "/requests/26-00000001%00/history",
        "/requests?q=%00",
        "/requests?team=%00",
        "/requests?service=%00",
        "/requests?area=side:%00",
        "/requests?area=%00:x",
        "/requests?cursor=%00",
        "/requests?resident_id=9223372036854775807",
        "/requests/near?latitude=90&longitude=0",
        "/requests/near?latitude=-90&longitude=180&radius_metres=5000",
        "/requests/near?latitude=1&longitude=1&service=%00",
        "/requests/{number}?language=%00",
        "/requests/{number}/restated?catalogue_version=2147483647",
    ],
)
def test_odd_questions_are_answered(caller: Caller, path: str) -> None:
    number = caller.file()
    status, answer = caller.get(path.replace("{number}", number))
    assert status < 500, answer


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("dispute", {"text": "\x00"}),
        ("comments", {"text": "a\x00"}),
        ("comments", {"text": "\ud800"}),
        ("evidence", {"kind": "photo", "reference": "\x00"}),
        ("evidence", {"kind": "photo", "reference": "p", "note": "\x00"}),
        ("evidence", {"kind": "position", "latitude": 1}),
        ("evidence", {"kind": "photo", "latitude": 1}),
        ("resolve", {"outcome": "told", "note": "\x00"}),
        ("decline", {"outcome": "not-ours", "note": "\x00"}),
        ("hand-over", {"owner": "state-roads", "reference": "\x00"}),
        ("join", {"leading": "\x00"}),
        ("change-service", {"service_code": "sign", "answers": {"x": "\x00"}}),
        ("change-service", {"service_code": "pothole", "answers": {"danger": ["no", "no"], "depth": 1e308}}),
        ("assign", {"assignee_id": 9223372036854775807}),
        ("reroute", {"team": "north"}),
    ],
)
def test_odd_verbs_are_answered(caller: Caller, verb: str, body: dict[str, Any]) -> None:
    number = caller.file()
    status, answer = caller.post(f"/requests/{number}/{verb}", body)
    assert status < 500, answer
    status, answer = caller.get(f"/requests/{number}")
    assert status == 200, answer


VERBS: list[tuple[str, dict[str, Any]]] = [
    ("assign", {}),
    ("start", {}),
    ("wait", {"reason": "rain"}),
    ("resume", {}),
    ("hand-over", {"owner": "state-roads"}),
    ("resolve", {"outcome": "filled"}),
    ("resolve", {"outcome": "imported_done"}),
    ("evidence", {"kind": "record", "reference": "r"}),
    ("evidence", {"kind": "photo", "reference": "p"}),
    ("resolve", {"outcome": "filled"}),
    ("resolve", {"outcome": "imported_done"}),
    ("dispute", {"text": "no"}),
    ("confirm", {}),
    ("reroute", {"team": "south"}),
    ("change-service", {"service_code": "sign"}),
    ("comments", {"text": "x", "is_public": True}),
    ("start", {}),
    ("decline", {"outcome": "not-ours"}),
    ("dispute", {"text": "no"}),
]


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ({}, {"done", "declined"}),
        ({"due": ""}, {"done", "declined"}),
        ({"type": "Moon dust"}, {"done", "declined"}),
        ({"type": "Moon dust", "due": "", "status": "Working"}, {"done", "declined"}),
        ({"status": "Closed", "closed": "2024-03-02 09:00:00", "closure": "Filled."}, {"closed"}),
        ({"status": "Refused", "closed": "2024-03-02 09:00:00", "closure": "No."}, {"declined"}),
    ],
)
def test_an_imported_request_answers_every_verb(
    city: City, caller: Caller, tmp_path: Path, row: dict[str, str], seen: set[str]
) -> None:
    bring_in(city.jurisdiction, tmp_path / "rows.csv", row)
    request = Request.objects.exclude(source="").get()
    states = {request.state}
    for verb, body in VERBS:
        status, answer = caller.post(f"/requests/{request.number}/{verb}", body)
        assert status < 500, answer
        for part in ("", "/history", "/promises", "/restated?catalogue_version=1", "/restated?catalogue_version=2"):
            status, answer = caller.get(f"/requests/{request.number}{part}")
            assert status in (200, 404), answer
        request.refresh_from_db()
        states.add(request.state)
    assert seen <= states


def test_what_was_imported_open_ends_here_only_with_the_services_own_proof(
    city: City, caller: Caller, tmp_path: Path
) -> None:
    bring_in(city.jurisdiction, tmp_path / "rows.csv", {})
    number = Request.objects.exclude(source="").get().number
    caller.post(f"/requests/{number}/evidence", {"kind": "statement", "note": "We were there."})
    status, answer = caller.post(f"/requests/{number}/resolve", {"outcome": "filled"})
    assert (status, answer["missing_evidence"]) == (409, [["photo", "inspection"]])
    caller.post(f"/requests/{number}/evidence", {"kind": "photo", "reference": "p"})
    assert caller.post(f"/requests/{number}/resolve", {"outcome": "filled"})[0] == 200


def test_nothing_is_filed_for_somebody_who_was_erased(city: City, caller: Caller) -> None:
    person = a_resident(city.jurisdiction)
    erase(person, by=city.system)
    status, answer = caller.post("/requests", {**FILING, "resident_id": person.pk})
    assert status == 422, answer
    assert not Request.objects.exists()
