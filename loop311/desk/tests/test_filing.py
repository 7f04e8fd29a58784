"""Taking a request down page after page, without scripts."""

from __future__ import annotations

import re
import uuid

import pytest

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.kit.testing import Page, page
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares
from loop311.requests.models import Request
from loop311.residents import services as residents
from loop311.residents.models import Resident

pytestmark = pytest.mark.django_db
POTHOLE = "/desk/file/pothole/"


@pytest.fixture
def desk() -> Sitting:
    found = sit(role=Role.CONCIERGE)
    city = found.city
    load_boundaries(city.jurisdiction, "district", squares(2), by=city.system, is_boundary=True)
    rows = [
        Address("412 Elm St", 32.05, -96.95),
        Address("414 Elm St", 32.05, -96.94),
        Address("1 Far Rd", 40.0, -96.9),
    ]
    load_addresses(city.jurisdiction, rows, by=city.system)
    return found


def answered(**more: str) -> dict[str, str]:
    """Both questions seen, the details filled in for an anonymous caller."""
    return {
        "q-danger": "no",
        "asked": "danger",
        "channel": "phone",
        "language": "en",
        "key": str(uuid.uuid4()),
        **more,
    }


def post(desk: Sitting, data: dict[str, str], status: int = 200) -> Page:
    response = desk.client.post(POTHOLE, {**data, "asked": ["danger", "depth"]})
    assert response.status_code == status, response.content.decode()[:3000]
    return Page(html=response.content.decode(), policy=response.headers["Content-Security-Policy"])


def test_from_question_to_number(desk: Sitting) -> None:
    assert "danger now" in page(desk.client, POTHOLE).text
    details = post(desk, {"q-danger": "no", "q-depth": "3"}).check()
    assert "where and who" in details.text
    key = re.findall(r'name="key" value="([0-9a-f-]{36})"', details.html)[0]
    sent = answered(key=key, address="412 elm", name="Demo Resident", phone="214 555 0123", language="es")
    chosen = post(desk, {**sent, "search": "1"}).check()
    assert "412 Elm St" in chosen.text
    post(desk, {**sent, "q-depth": "3", "place": "32.050000,-96.950000,412 Elm St"}, 302)
    request = Request.objects.get()
    assert (request.address, request.latitude, request.areas) == ("412 Elm St", 32.05, {"district": "1"})
    assert request.answers == {"danger": "no", "depth": 3}
    assert request.resident is not None
    assert (request.resident.name, request.resident.language) == ("Demo Resident", "es")
    assert request.number in page(desk.client, f"/desk/requests/{request.number}/").text


def test_sending_the_form_twice_files_once(desk: Sitting) -> None:
    sent = answered(address="somewhere unknown")
    for _ in range(2):
        post(desk, sent, 302)
    assert Request.objects.count() == 1


def test_an_unanswered_question_is_asked_again_with_its_reason(desk: Sitting) -> None:
    shown = post(desk, {"q-depth": "3"}, 422).check()
    assert "must be answered" in shown.text
    assert 'value="3"' in shown.html
    shown = post(desk, {"q-danger": "no", "q-depth": "deep"}, 422)
    assert "How deep" in shown.text


def test_danger_is_answered_with_the_advice_at_once(desk: Sitting) -> None:
    assert "Dial 911." in post(desk, {"q-danger": "yes"}).text


def test_several_places_must_be_chosen_from_once(desk: Sitting) -> None:
    sent = answered(address="elm")
    shown = post(desk, sent).check()
    assert "Which of these is meant?" in shown.text
    post(desk, {**sent, "place": "none", "searched": "elm"}, 302)
    request = Request.objects.get()
    assert (request.address, request.latitude) == ("elm", None)


def test_a_place_outside_the_city_is_refused_at_its_field(desk: Sitting) -> None:
    shown = post(desk, answered(address="1 far rd", place="40.000000,-96.900000,1 Far Rd"), 422).check()
    assert "outside the city" in shown.text
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"address": ""},
        {"address": "x", "channel": "dream"},
        {"address": "x", "key": "no"},
        {"address": "x", "language": "fr"},
        {"address": "x", "phone": "12"},
        {"address": "x", "email": "nobody"},
        {"address": "x", "description": "\x00"},
        {"address": "x", "place": "1,2,<b>"},
        {"address": "y" * 400},
    ],
)
def test_what_must_be_mended_is_422_and_nothing_is_stored(desk: Sitting, data: dict[str, str]) -> None:
    post(desk, answered(name="Demo Resident", **data) if "email" not in data else answered(**data), 422).check()
    assert not Request.objects.exists()
    assert not Resident.objects.exists()


def test_a_known_resident_is_not_asked_again(desk: Sitting) -> None:
    person = residents.create(desk.city.jurisdiction, by=desk.city.system, name="Demo Resident")
    assert f"?resident={person.pk}" in page(desk.client, f"/desk/file/?resident={person.pk}").html
    post(desk, answered(address="x", resident=str(person.pk)), 302)
    assert Request.objects.get().resident == person


def test_the_picker_finds_by_words_in_any_language(desk: Sitting) -> None:
    assert "Pothole" in page(desk.client, "/desk/file/?q=pothole").text
    assert "Pothole" in page(desk.client, "/desk/file/?q=a+pottole").text
    assert "Sign" not in page(desk.client, "/desk/file/?q=pothole").text.replace("Sign out", "")
    assert "No service fits these words" in page(desk.client, "/desk/file/?q=elephant").text
    page(desk.client, "/desk/file/unknown/", status=404)
