"""Another Open311 server that fails in every way servers were seen to: each order is there once, whatever was lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from loop311.georeport.profile import Profile
from loop311.kit.clock import now
from loop311.requests import services as requests
from loop311.workorders import services, working
from loop311.workorders.connectors import base
from loop311.workorders.connectors.base import CannotTell, Change, ChangeKind, Setup
from loop311.workorders.connectors.open311 import Open311, Open311Options
from loop311.workorders.models import Link
from loop311.workorders.policies import SETTLING
from loop311.workorders.testing import Linked, linked

BASE = "https://oakville.example/v2/"


@dataclass
class City:
    """A GeoReport server in memory: `faults` are what it does to the answers of its next filings, after it has taken them."""

    filed: list[dict[str, str]] = field(default_factory=list)
    updates: list[dict[str, str]] = field(default_factory=list)
    faults: list[Callable[[httpx.Response], httpx.Response]] = field(default_factory=list)
    gives_tokens: bool = False
    resolves_tokens: bool = False
    status: str = "open"
    skew: timedelta = timedelta()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, form = request.url.path.removeprefix("/v2/"), dict(parse_qsl(request.content.decode()))
        if request.method == "POST":
            return self._take(path, form)
        if path == "services.json":
            return httpx.Response(200, json=[{"service_code": "POTH", "service_name": "Pothole", "metadata": False}])
        if path.startswith("tokens/"):
            key = path.removeprefix("tokens/").removesuffix(".json").removeprefix("t")
            return httpx.Response(
                200, json=[{"token": f"t{key}", "service_request_id": key if self.resolves_tokens else ""}]
            )
        rows = [self._row(n, sent) for n, sent in enumerate(self.filed)]
        ids = request.url.params.get("service_request_id", "")
        if found := re.fullmatch(r"requests/(\d+)\.json", path):
            ids = found[1]
        return httpx.Response(200, json=[row for row in rows if not ids or row["service_request_id"] in ids.split(",")])

    def _take(self, path: str, form: dict[str, str]) -> httpx.Response:
        if path == "servicerequestupdates.json":
            self.updates.append(form)
            return httpx.Response(200, json=[{"update_id": form["update_id"]}])
        self.filed.append(form)
        key = len(self.filed) - 1
        answer = httpx.Response(
            200, json=[{"token": f"t{key}"} if self.gives_tokens else {"service_request_id": str(key)}]
        )
        return self.faults.pop(0)(answer) if self.faults else answer

    def _row(self, number: int, sent: dict[str, str]) -> dict[str, object]:
        at = now() + self.skew
        return {
            "service_request_id": str(number), "status": self.status, "service_code": "POTH",
            "description": sent["description"], "requested_datetime": at.isoformat(), "updated_datetime": at.isoformat(),
        }  # fmt: skip


def time_out(answer: httpx.Response) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


def cut(answer: httpx.Response) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def broken(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(500, text="<html>Oops</html>")


def half(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, text='[{"service_req')


def duplicate(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(400, json=[{"code": 400, "description": "base is a duplicate"}])


def connector(city: City, keys: Callable[[], Sequence[str]] = tuple, **options: object) -> Open311:
    said = Open311Options(profile=Profile(base=BASE), **options)  # type: ignore[arg-type]
    return Open311(Setup(link="oak", options=said, services=("POTH",), keys=keys, transport=httpx.MockTransport(city)))


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def here(city: City, monkeypatch: pytest.MonkeyPatch) -> Linked:
    def make(link: Link, **_: object) -> Open311:
        return connector(city, keys=lambda: services.open_keys(link))

    monkeypatch.setattr(working, "connector_of", make)
    statuses = {"open": {"means": "nothing"}, "closed": {"means": "done"}}
    pothole = {"theirs": "POTH", "outcome": "filled"}
    settings = {"profile": {"base": BASE}}
    return linked(connector="open311", settings=settings, services={"pothole": pothole}, statuses=statuses, states={})


def work(here: Linked, later: float = 1) -> None:
    here.follow()
    here.at += timedelta(seconds=later)
    services.note_beat(here.link.pk, ok=True, said="", at=here.at)
    working.send(here.link.pk, at=here.at)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [time_out, cut, broken, half, duplicate])
def test_whatever_happens_to_the_answer_it_is_there_once(
    here: Linked, city: City, fault: Callable[[httpx.Response], httpx.Response]
) -> None:
    city.faults = [fault]
    request = here.city.file(description="Deep.", latitude=41.0, longitude=-87.0)
    work(here)
    assert here.order(request).state == "unknown"
    work(here, SETTLING.total_seconds() + 20)
    order = here.order(request)
    assert (order.state, order.their_key, len(city.filed)) == ("acknowledged", "0", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("skew", [timedelta(hours=-9), timedelta(hours=9)])
def test_it_is_found_again_whatever_their_clock_says(here: Linked, city: City, skew: timedelta) -> None:
    city.faults, city.skew = [time_out], skew
    request = here.city.file()
    work(here)
    work(here, SETTLING.total_seconds() + 20)
    assert (here.order(request).state, len(city.filed)) == ("acknowledged", 1)


@pytest.mark.django_db
def test_a_token_that_resolves_late_is_followed_and_what_follows_waits_for_it(here: Linked, city: City) -> None:
    city.gives_tokens = True
    request = here.city.file()
    work(here)
    order = here.order(request)
    assert (order.state, order.token, order.their_key) == ("sent", "t0", "")
    requests.comment(request, text="Mind the dog.", by=here.city.system)
    work(here, 60)
    assert (here.order(request).state, city.updates) == ("sent", [])
    city.resolves_tokens = True
    work(here, 3600)
    order.refresh_from_db()
    assert (order.state, order.their_key) == ("acknowledged", "0")
    assert [sent["description"] for sent in city.updates] == ["Mind the dog."]


@pytest.mark.django_db
def test_what_is_closed_there_is_heard_by_asking_for_what_is_open(here: Linked, city: City) -> None:
    request = here.city.file()
    work(here)
    city.status = "closed"
    working.beat(here.link.pk, at=here.at)
    assert here.order(request).their_status == "closed"


@pytest.mark.django_db
def test_a_refusal_that_names_nothing_is_tried_a_few_times_before_a_person_is_asked(here: Linked, city: City) -> None:
    def away(answer: httpx.Response) -> httpx.Response:
        city.filed.pop()
        return httpx.Response(400, json=[{"code": 400, "description": "The back end did not answer."}])

    city.faults = [away] * 9
    request = here.city.file()
    for _ in range(9):
        work(here, 3600)
    assert (here.order(request).state, len(city.faults)) == ("parked", 3)


# --- The connector alone -----------------------------------------------------------------------------------------------

ORDER = base.Outgoing(
    number="26-1", reference="elm-26-1", service="pothole", theirs="POTH", title="Pothole", their_key="0",
    description="Deep.", address="1 Elm St", received_at=datetime.fromisoformat("2026-03-02T15:00:00+00:00"),
    contact=base.Contact(name="Ana Maria Diaz", phone="+12145550123"),
)  # fmt: skip
CHANGE = Change(id="elm-26-1-7", kind=ChangeKind.COMMENT, at=ORDER.received_at, text="Mind the dog.")


def test_a_person_is_named_only_when_the_order_names_one(city: City) -> None:
    connector(city).create(ORDER)
    assert (city.filed[0]["first_name"], city.filed[0]["last_name"]) == ("Ana Maria", "Diaz")
    assert "[ref-elm-26-1]" in city.filed[0]["description"]
    connector(city).create(msgspec.structs.replace(ORDER, contact=None))
    assert not {"first_name", "last_name", "phone", "email"} & set(city.filed[1])


def test_changes_and_the_cancelling_are_updates_with_ids_of_their_own(city: City) -> None:
    speaking = connector(city, unchanged="unchanged", cancelled="cancelled")
    speaking.update(ORDER, CHANGE)
    speaking.cancel(ORDER, "Another team has it now.")
    assert [(sent["update_id"], sent["status"]) for sent in city.updates] == [
        ("elm-26-1-7", "UNCHANGED"), ("elm-26-1-cancel", "CANCELLED"),
    ]  # fmt: skip


def test_who_takes_no_updates_is_told_nothing_and_must_be_told_of_the_cancelling_by_a_person(city: City) -> None:
    speaking = connector(city, takes_updates=False)
    assert type(speaking.update(ORDER, CHANGE)).__name__ == "Done"
    assert type(speaking.cancel(ORDER, "x")).__name__ == "Refused"
    assert city.updates == []


def test_the_comparison_finds_records_with_our_mark_that_no_order_leads_to(city: City) -> None:
    speaking = connector(city)
    speaking.create(ORDER)
    speaking.create(ORDER)
    assert [(state.their_key, state.reference) for state in speaking.reconcile(["0"])] == [
        ("0", "elm-26-1"),
        ("1", "elm-26-1"),
    ]


def test_a_service_they_do_not_have_is_said_by_the_test() -> None:
    empty = httpx.MockTransport(lambda request: httpx.Response(200, json=[]))
    said = Open311(
        Setup(link="oak", options=Open311Options(profile=Profile(base=BASE)), services=("POTH",), transport=empty)
    )
    assert said.test().words == "They have no service POTH."


@pytest.mark.parametrize("status", [403, 500])
def test_who_cannot_be_asked_says_nothing(status: int) -> None:
    away = httpx.MockTransport(lambda request: httpx.Response(status))
    said = Open311(
        Setup(link="oak", options=Open311Options(profile=Profile(base=BASE)), keys=lambda: ["1"], transport=away)
    )
    assert not said.test().ok
    for asked in (lambda: said.lookup(ORDER), lambda: said.poll(now()), lambda: said.reconcile(["1"])):
        with pytest.raises(CannotTell):
            asked()


def test_keys_do_not_stand_in_settings() -> None:
    with pytest.raises(ValueError, match="secret"):
        Open311Options(profile=Profile(base=BASE, api_key="k"))
