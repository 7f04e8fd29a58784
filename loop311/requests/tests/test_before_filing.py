"""Before anything is saved: whereabouts, what is known already, what would be promised; and filing joined to what is known."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from loop311.accounts.testing import a_secret, bearer
from loop311.kit.problems import Conflict, Forbidden, Invalid
from loop311.kit.testing import at_once, same_number_of_queries
from loop311.ledger.models import Event
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import collection, square, squares
from loop311.requests import services
from loop311.requests.known import already_known
from loop311.requests.models import Request
from loop311.requests.previewing import preview
from loop311.requests.receipts import receipt
from loop311.requests.services import Filing
from loop311.requests.testing import MONDAY, City, make_city
from loop311.requests.whereabouts import whereabouts

HERE = (32.05, -96.95)
"""In the middle of the western of two squares."""
SOUTH = (32.05, -96.85)


@pytest.fixture
def placed(city: City) -> City:
    """Two squares are the city, the eastern one is its south side; Oakville lies north of it."""
    j, by = city.jurisdiction, city.system
    load_boundaries(j, "limits", squares(2), by=by, is_boundary=True, name="City limits")
    south = collection(({"key": "south", "name": "South side"}, [square(-96.9, 32.0, 0.1)]))
    load_boundaries(j, "side", south, by=by, key_property="key")
    oakville = collection(({"key": "oakville"}, [square(-97.0, 32.1, 0.1)]))
    load_boundaries(j, "neighbor", oakville, by=by)
    load_addresses(j, [Address("412 Elm St", 32.0501, -96.95)], by=by)
    return city


def test_a_point_has_areas_with_names_an_address_and_a_team(placed: City) -> None:
    found = whereabouts(placed.jurisdiction, *SOUTH, service_code="pothole")
    assert [(a.layer, a.layer_name, a.key, a.name) for a in found.areas] == [
        ("limits", "City limits", "2", "2"), ("side", "Side", "south", "South side"),
    ]  # fmt: skip
    assert (found.inside_city, found.team, found.team_name, found.owner, found.tell) == (
        True,
        "south",
        "South",
        None,
        {},
    )
    assert whereabouts(placed.jurisdiction, *HERE, service_code="pothole").team == "north"
    assert whereabouts(placed.jurisdiction, *HERE).address == "412 Elm St"


def test_answers_decide_whose_it_is_and_what_the_caller_hears(placed: City) -> None:
    find = partial(whereabouts, placed.jurisdiction, *HERE, service_code="pothole")
    found = find(answers={"danger": "no", "depth": "55", "colour": "red"})
    assert found.owner is not None
    assert (found.team, found.owner.code, found.owner.phone) == ("north", "state-roads", "512-555-0100")
    assert found.tell["en"] == (
        "State roads is responsible for this. We pass it on and keep watching it."
        " They fill it themselves. Their phone: 512-555-0100."
    )
    assert found.tell["es"].startswith("State roads (es) es responsable")
    assert find(answers={"depth": "nonsense"}).owner is None


@pytest.mark.parametrize(
    ("point", "owner", "said"),
    [
        ((32.15, -96.95), "neighbors", "Oakville is responsible there. Oakville has a 311 too."),
        ((33.0, -96.95), "county", "The county looks after roads out there. Their phone: 512-555-0199. https://"),
    ],
)
def test_outside_the_city_the_caller_hears_whose_it_is(
    placed: City, point: tuple[float, float], owner: str, said: str
) -> None:
    found = whereabouts(placed.jurisdiction, *point, service_code="pothole")
    assert found.owner is not None
    assert (found.inside_city, found.team, found.owner.code) == (False, "", owner)
    assert "outside Elmville" in found.tell["en"]
    assert said in found.tell["en"]
    assert preview(placed.jurisdiction, "pothole", latitude=point[0], longitude=point[1]) is None


def test_a_position_that_is_none_is_refused(placed: City) -> None:
    with pytest.raises(Invalid):
        whereabouts(placed.jurisdiction, 91.0, float("nan"))
    with pytest.raises(Invalid, match="both"):
        preview(placed.jurisdiction, "pothole", latitude=32.0)


def test_the_preview_is_what_filing_then_promises(placed: City) -> None:
    latitude, longitude = SOUTH
    danger = {"danger": "yes"}
    seen = preview(placed.jurisdiction, "pothole", answers=danger, latitude=latitude, longitude=longitude, at=MONDAY)
    filed = placed.file(at=MONDAY, answers=danger, latitude=latitude, longitude=longitude)
    assert seen is not None
    assert (seen.due_at, seen.first_response_due_at, seen.team, seen.priority, seen.areas) == (
        filed.due_at, filed.first_response_due_at, filed.team.code, filed.priority, filed.areas,
    )  # fmt: skip
    assert seen.sentences["en"] == "South plans to fill it by Monday, March 2."
    assert Request.objects.count() == 1
    assert preview(placed.jurisdiction, "no-such") is None


def test_what_is_known_comes_with_age_reporters_and_promise(placed: City) -> None:
    request = placed.file(latitude=HERE[0], longitude=HERE[1])
    placed.file(latitude=HERE[0] + 0.01, longitude=HERE[1])
    services.join(placed.file(), leading=request, by=placed.concierge)
    found = already_known(placed.jurisdiction, "pothole", HERE[0] + 0.0001, HERE[1], at=MONDAY + timedelta(days=3))
    assert [(k.number, k.reporters, k.age, k.due_at) for k in found] == [
        (request.number, 2, timedelta(days=3), request.due_at)
    ]
    assert 10 < found[0].metres < 12
    assert found[0].photo is None
    assert found[0].sentences == {"en": "We have your request.", "es": "Tenemos su solicitud."}
    late = MONDAY + timedelta(days=90)
    assert already_known(placed.jurisdiction, "pothole", *HERE, at=late) == []
    assert already_known(placed.jurisdiction, "sign", *HERE, at=MONDAY) == []
    assert already_known(make_city("other").jurisdiction, "pothole", *HERE, at=MONDAY) == []


def test_what_is_known_costs_the_same_however_much_it_is(placed: City) -> None:
    def look() -> object:
        found = already_known(placed.jurisdiction, "pothole", *HERE, limit=20, at=MONDAY)
        return [(k.sentences, k.service_name, k.photo) for k in found]

    def more() -> None:
        for _ in range(5):
            placed.file(latitude=HERE[0], longitude=HERE[1])

    more()
    assert same_number_of_queries(look, more) == 3
    assert same_number_of_queries(lambda: whereabouts(placed.jurisdiction, *HERE, service_code="pothole"), more) == 3

    def promise() -> object:
        return preview(placed.jurisdiction, "pothole", latitude=HERE[0], longitude=HERE[1])

    assert same_number_of_queries(promise, more) == 2


# --- Filing joined -----------------------------------------------------------------------------------------------------


def joined(city: City, leading: Request, key: str | None = None, answers: object = None) -> Request:
    return city.file(leading=leading, key=key, answers=answers or {"danger": "no"})


def test_one_call_files_a_request_joined_and_its_reporter_is_told_the_true_end(city: City) -> None:
    leading = city.file()
    request = joined(city, leading, key="k")
    again = joined(city, leading, key="k")
    assert again.pk == request.pk
    assert (request.state, request.leading_id) == ("joined", leading.pk)
    assert request.number != leading.number
    leading.refresh_from_db()
    assert leading.joined_count == 1
    city.done(leading)
    services.sweep(MONDAY + timedelta(days=20))
    request.refresh_from_db()
    assert (request.state, request.outcome) == ("closed", "filled")
    kinds = Event.objects.filter(subject_id=request.pk, subject_type="request").order_by("sequence")
    assert list(kinds.values_list("kind", flat=True)) == [
        "request.filed", "request.joined", "request.leader_done", "request.leader_closed",
    ]  # fmt: skip
    with pytest.raises(Invalid, match="used before"):
        city.file(key="k")


def test_a_request_filed_joined_to_a_joined_one_follows_the_leading_one(city: City) -> None:
    leading = city.file()
    assert joined(city, joined(city, leading)).leading_id == leading.pk


def test_a_request_filed_joined_is_not_handed_over_a_second_time(city: City) -> None:
    deep = {"danger": "no", "depth": 55}
    leading = city.file(answers=deep)
    assert leading.state == "handed_over"
    assert joined(city, leading, answers=deep).state == "joined"


def test_nothing_is_filed_joined_to_what_has_ended(city: City) -> None:
    leading = city.done(city.file())
    with pytest.raises(Conflict, match="stand by itself"):
        joined(city, leading)
    assert Request.objects.count() == 1


def test_who_may_not_join_cannot_file_joined(city: City) -> None:
    with pytest.raises(Forbidden):
        services.file(
            city.jurisdiction,
            Filing(service_code="pothole", answers={"danger": "no"}, address="x", leading=city.file()),
            by=city.auditor,
        )


@pytest.mark.django_db(transaction=True)
def test_many_file_joined_to_one_at_the_same_time() -> None:
    city = make_city()
    leading = city.file()
    done = at_once([partial(joined, city, leading) for _ in range(4)] + [partial(city.file) for _ in range(2)])
    assert not [each for each in done if isinstance(each, Exception)]
    leading.refresh_from_db()
    assert leading.joined_count == 4
    assert Request.objects.filter(leading=leading).count() == 4


# --- The receipt -------------------------------------------------------------------------------------------------------


def test_a_receipt_of_a_hand_over_has_number_phone_and_sentence(city: City) -> None:
    request = city.file(answers={"danger": "no", "depth": 55})
    taken = receipt(request, "en")
    assert taken.owner is not None
    assert (taken.number, taken.owner.phone) == (request.number, "512-555-0100")
    assert "They fill it themselves. Their phone: 512-555-0100." in taken.text
    assert taken.text.startswith(f"Elmville 311: {request.number}, Pothole.")
    assert "Planned by Thursday, March 5." in taken.text
    assert receipt(request, "es").text.startswith(f"311 de Elmville: {request.number}, Pothole (es).")
    follower = joined(city, request)
    assert receipt(follower, "en").owner == taken.owner


def test_a_receipt_of_a_plain_request_says_how_it_stands(city: City) -> None:
    taken = receipt(city.file(), "en")
    assert (taken.owner, taken.sentences[0]) == (None, "We have your request.")
    assert "Planned by" not in receipt(city.done(city.file()), "en").text


# --- The API -----------------------------------------------------------------------------------------------------------


def test_the_api_answers_all_of_it_and_files_joined(placed: City) -> None:
    headers = bearer(a_secret(placed.jurisdiction))
    at = f"latitude={HERE[0]}&longitude={HERE[1]}"
    get = partial(Client().get, headers=headers)
    where = get(f"/api/v1/requests/whereabouts?{at}&service=pothole").json()
    assert (where["team"], where["inside_city"], where["address"]) == ("north", True, "412 Elm St")
    leading = services.file(
        placed.jurisdiction,
        Filing(service_code="pothole", answers={"danger": "no"}, latitude=HERE[0], longitude=HERE[1]),
        by=placed.concierge,
    )
    known = get(f"/api/v1/requests/known?{at}&service=pothole").json()
    assert [(each["number"], each["reporters"]) for each in known] == [(leading.number, 1)]

    def post(path: str, body: dict[str, object]) -> object:
        return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)

    body: dict[str, object] = {"service_code": "pothole", "answers": {"danger": "no"}}
    assert post("/api/v1/requests/preview", body).json()["team"] == "north"  # type: ignore[attr-defined]
    filed = post("/api/v1/requests", {**body, "address": "x", "leading": leading.number})
    assert filed.json()["leading"] == leading.number  # type: ignore[attr-defined]
    assert post("/api/v1/requests", {**body, "address": "x", "leading": "26-99999999"}).status_code == 422  # type: ignore[attr-defined]
    assert get(f"/api/v1/requests/{leading.number}/receipt?language=es").json()["language"] == "es"


def test_nobody_joins_to_another_citys_request(city: City) -> None:
    theirs = make_city("other")
    theirs.file()
    number = theirs.file().number
    body = {"service_code": "pothole", "answers": {"danger": "no"}, "address": "x", "leading": number}
    headers = bearer(a_secret(city.jurisdiction))
    answer = Client().post("/api/v1/requests", json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == 422
    assert not city.jurisdiction.request_set.exists()
