"""servicerequestupdates: what systems that follow requests read, and what partners tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from loop311.accounts.testing import a_secret
from loop311.catalog.definitions import EvidenceKind
from loop311.georeport import reading
from loop311.georeport.model import UpdateItem
from loop311.kit.clock import now
from loop311.kit.testing import at_once, browser, same_number_of_queries
from loop311.kit.tests.pictures import photo
from loop311.open311.taking import STATUSES
from loop311.open311.testing import get, said, send
from loop311.requests.models import Comment, Request
from loop311.requests.policies import State
from loop311.requests.services import Proof, add_evidence, assign, comment, decline, resume, start, wait
from loop311.requests.testing import City, make_city

pytestmark = pytest.mark.django_db
SCOPES = [
    f"requests.{verb}"
    for verb in ("comment", "assign", "start", "resume", "resolve", "decline", "dispute", "add_evidence")
]


@pytest.fixture(autouse=True)
def _files_lie_elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path


@pytest.fixture
def partner(city: City) -> str:
    return a_secret(city.jurisdiction, SCOPES)


def updates(city: City, query: str = "", ending: str = "json") -> list[UpdateItem]:
    answer = get(f"servicerequestupdates.{ending}?{query}")
    return reading.updates(answer.content, city.jurisdiction.zone)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- Reading -------------------------------------------------------------------------------------------------------------


def test_nothing_has_happened(city: City) -> None:
    city.file(at=now())
    assert get("servicerequestupdates.json").json() == []
    assert get("servicerequestupdates.xml").content.endswith(b"<service_request_updates/>")


def test_every_change_and_public_word_is_an_update_the_same_in_both_formats(city: City) -> None:
    request = city.file(at=now())
    request = assign(request, by=city.system)
    request = start(request, by=city.system)
    request = comment(request, text="For staff", by=city.system)
    request = comment(request, text="Tomorrow; ring 512-555-0123", by=city.system, is_public=True)
    request = wait(request, reason="rain", by=city.system)
    request = resume(request, by=city.system)
    decline(request, outcome="not-ours", by=city.system)
    told = updates(city)
    assert [update.status for update in told] == [
        "planned", "in_progress", "in_progress", "action_scheduled", "in_progress", "no_further_action",
    ]  # fmt: skip
    assert told[2].description == "Tomorrow; ring [removed]"
    assert told[3].description == "We can go on when the rain has stopped."
    assert {update.service_request_id for update in told} == {request.number}
    assert len({update.update_id for update in told}) == 6
    assert updates(city, ending="xml") == told
    assert updates(city) == told


def test_a_window_holds_what_lies_in_it_and_both_its_ends(city: City) -> None:
    assign(city.file(at=now()), by=city.system)
    [update] = updates(city)
    at = update.updated_datetime
    assert updates(city, f"start_date={stamp(at)}&end_date={stamp(at)}") == [update]
    assert updates(city, f"start_date={stamp(at + timedelta(seconds=1))}") == []
    assert updates(city, f"end_date={stamp(at - timedelta(seconds=1))}") == []


@pytest.mark.parametrize("query", ["start_date=x", "start_date=2026-01-01&end_date=2026-03-01", "page=0",
                                   "start_date=2026-02-01&end_date=2026-01-01"])  # fmt: skip
def test_a_window_that_cannot_be_meant_is_400(city: City, query: str) -> None:
    get(f"servicerequestupdates.json?{query}", 400)


def test_updates_come_in_pages_and_of_the_requests_that_are_asked_for(city: City) -> None:
    first, second = (assign(city.file(at=now()), by=city.system) for _ in range(2))
    page = get("servicerequestupdates.json?page_size=1")
    assert 'rel="next"' in page["Link"]
    assert [update.service_request_id for update in updates(city, "page_size=1&page=2")] == [second.number]
    assert [update.service_request_id for update in updates(city, f"service_request_id={first.number}")] == [
        first.number
    ]


def test_nothing_is_told_of_hidden_requests_and_other_cities(city: City) -> None:
    request = assign(city.file(at=now()), by=city.system)
    Request.objects.filter(pk=request.pk).update(publicity="hidden", version=9)
    other = make_city("shelbyville")
    assign(other.file(at=now()), by=other.system)
    assert updates(city, "jurisdiction_id=springfield") == []


def test_many_updates_ask_as_few_queries_as_one(city: City) -> None:
    assign(city.file(at=now()), by=city.system)
    more = lambda: [assign(city.file(at=now()), by=city.system) for _ in range(3)]  # noqa: E731
    assert same_number_of_queries(lambda: get("servicerequestupdates.json"), more) <= 5


# --- Telling -------------------------------------------------------------------------------------------------------------


def tell(
    key: str, request: Request, status: Any, answer: int = 200, *, client: Client | None = None, **form: Any
) -> Any:
    sent = {
        "api_key": key,
        "service_request_id": request.number,
        "update_id": "1",
        "status": status,
        "updated_datetime": stamp(now()),
        "description": "We looked at it.",
        **form,
    }
    return send("servicerequestupdates.json", sent, answer, client=client)


def comments(request: Request) -> str:
    return "\n".join(Comment.objects.filter(request=request).order_by("pk").values_list("text", flat=True))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("unchanged", "received"), ("OPEN", "received"), ("for_triage", "received"), ("INVESTIGATING", "assigned"),
        ("planned", "assigned"), ("Action scheduled", "assigned"), ("IN_PROGRESS", "in_progress"), ("cancelled", "declined"),
        ("NO_FURTHER_ACTION", "declined"), ("not_councils_responsibility", "declined"), ("duplicate", "received"),
        ("internal_referral", "received"), ("reopen", "received"), ("fixed", "received"), ("CLOSED", "received"),
    ],
)  # fmt: skip
def test_every_status_of_the_extension_is_understood(city: City, partner: str, status: str, state: str) -> None:
    request = city.file(at=now())
    assert tell(partner, request, status) == [{"update_id": "1"}]
    request.refresh_from_db()
    assert request.state == state
    assert "We looked at it." in comments(request)


def test_the_list_of_statuses_is_whole() -> None:
    assert len(STATUSES) == 15


def test_the_same_in_xml(city: City, partner: str) -> None:
    form = {"api_key": partner, "service_request_id": city.file(at=now()).number, "update_id": "a", "status": "OPEN",
            "updated_datetime": stamp(now()), "description": "x"}  # fmt: skip
    answer = browser().post("/open311/v2/servicerequestupdates.xml", form)
    assert answer.status_code == 200
    assert b"<request_update><update_id>a</update_id></request_update>" in answer.content


def test_fixed_without_the_services_evidence_asks_the_team_for_it(city: City, partner: str) -> None:
    request = city.file(at=now())
    tell(partner, request, "fixed")
    request.refresh_from_db()
    assert request.state == State.RECEIVED
    assert "photo or inspection" in comments(request)
    assert not Comment.objects.filter(is_public=True).exists()


def test_fixed_with_the_evidence_is_done(city: City, partner: str) -> None:
    request = start(city.file(at=now()), by=city.system)
    add_evidence(request, Proof(kind=EvidenceKind.PHOTO, reference="p1"), by=city.system)
    tell(partner, request, "fixed", external_status_code="filled")
    request.refresh_from_db()
    assert (request.state, request.outcome) == (State.DONE, "filled")


def test_a_photo_that_comes_with_fixed_is_evidence_if_the_key_may_give_it(city: City, partner: str) -> None:
    request, other = city.file(at=now()), city.file(at=now())
    tell(partner, request, "fixed", media=SimpleUploadedFile("a.jpg", photo()))
    weaker = a_secret(city.jurisdiction, ["requests.comment", "requests.resolve"])
    tell(weaker, other, "fixed", media=SimpleUploadedFile("a.jpg", photo()))
    request.refresh_from_db()
    other.refresh_from_db()
    assert (request.state, other.state) == (State.DONE, State.RECEIVED)
    assert other.attachments.get().evidence_id is None


def test_open_on_what_is_done_is_a_no(city: City, partner: str) -> None:
    request = city.done(city.file(at=now() - timedelta(hours=9)), at=now() - timedelta(hours=1))
    tell(partner, request, "open")
    request.refresh_from_db()
    assert (request.state, request.reopened_count) == (State.RECEIVED, 1)


def test_a_scope_that_is_missing_leaves_the_request_and_tells_the_team(city: City) -> None:
    request = city.file(at=now())
    tell(a_secret(city.jurisdiction, ["requests.comment"]), request, "in_progress")
    request.refresh_from_db()
    assert request.state == State.RECEIVED
    assert "in_progress" in comments(request)


def test_an_update_counts_once(city: City, partner: str) -> None:
    request, at = city.file(at=now()), stamp(now())
    for _ in range(2):
        assert tell(partner, request, "in_progress", updated_datetime=at) == [{"update_id": "1"}]
    assert Comment.objects.count() == 1
    assert "used before" in said(tell(partner, request, "fixed", 400, updated_datetime=at))
    other: dict[str, Any] = {"updated_datetime": at, "external_status_code": "filled"}
    assert "used before" in said(tell(partner, request, "in_progress", 400, **other)), (
        "another outcome is another content"
    )
    tell(a_secret(city.jurisdiction, SCOPES), request, "unchanged")
    assert Comment.objects.count() == 2


def test_everything_that_is_missing_is_said_at_once(city: City, partner: str) -> None:
    errors = tell(partner, city.file(at=now()), "lost", 400, update_id="", updated_datetime="")
    assert [word for word in ("update_id", "updated_datetime", "status") if word not in said(errors)] == []


def test_who_may_not_is_403_and_what_is_not_there_404(city: City, partner: str, key: str) -> None:
    request = city.file(at=now())
    tell("", request, "open", 403)
    tell("l311_wrong", request, "open", 403)
    tell(key, request, "open", 403)
    tell(partner, request, "open", 404, service_request_id="99-1")
    Request.objects.filter(pk=request.pk).update(publicity="hidden", version=2)
    tell(partner, request, "open", 404)


def test_what_a_partner_says_is_not_told_to_it_again(city: City, partner: str) -> None:
    tell(partner, city.file(at=now()), "unchanged")
    assert updates(city) == []


@pytest.mark.django_db(transaction=True)
def test_one_update_told_twice_at_the_same_instant_counts_once(city: City, partner: str) -> None:
    request, at = city.file(at=now()), stamp(now())
    answers = at_once([lambda: tell(partner, request, "in_progress", updated_datetime=at)] * 3)
    assert answers == [[{"update_id": "1"}]] * 3
    assert Comment.objects.count() == 1
