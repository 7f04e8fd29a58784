"""What the city keeps under codes is shown by its name: areas, topics, questions and their choices, kinds of messages."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from typing import Any

import pytest

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.test_contact import begin
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.kit.testing import page
from loop311.places.services import load_boundaries
from loop311.places.testing import collection, square
from loop311.requests.models import Request
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    found = sit(role=Role.CONCIERGE)
    shapes = collection(({"area": "ne", "label": "Old Harbor"}, [square(-97.0, 32.0, 0.2)]))
    names: dict[str, Any] = {"key_property": "area", "name_property": "label", "name": "Service areas"}
    day, by = date(2020, 1, 1), found.city.system
    load_boundaries(found.city.jurisdiction, "service_area", shapes, effective_on=day, by=by, **names)
    return found


def test_areas_stand_by_their_names_on_the_page_and_on_the_work_sheet(desk: Sitting) -> None:
    request = desk.city.file(latitude=32.05, longitude=-96.95)
    assert request.areas == {"service_area": "ne"}
    for address in (f"/desk/requests/{request.number}/", f"/desk/sheets/?pick={request.number}"):
        assert "Service areas: Old Harbor" in page(desk.client, address).text


def test_an_area_that_no_layer_knows_any_more_is_still_told(desk: Sitting) -> None:
    request = desk.city.file()
    Request.objects.filter(pk=request.pk).update(areas={"old_ward": "7"}, version=request.version + 1)
    assert "Old ward: 7" in page(desk.client, f"/desk/requests/{request.number}/").text


def test_a_contact_is_named_by_the_service_it_was_about(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, "Demo Caller")
    for topic in ("sign", "opening_hours"):
        contact = interactions.begin(desk.city.jurisdiction, channel="phone", resident=resident, by=desk.city.concierge)
        interactions.end(contact, outcome="information", topic=topic, by=desk.city.concierge)
    shown = page(desk.client, f"/desk/residents/{resident.pk}/").text
    assert "(Sign)" in shown
    assert "(Opening hours)" in shown
    window = begin(desk)
    assert "(Sign)" in window.step("caller", str(resident.pk)).text


def test_words_typed_in_two_windows_stand_under_their_questions(desk: Sitting) -> None:
    one = begin(desk)
    one.step("service", "pothole")
    two = type(one)(one.client, one.address)
    two.step("go", **{"q-danger": "no", "q-depth": "4"})
    shown = one.step("go", "", 409, **{"q-danger": "yes", "q-depth": "5"})
    assert "Is somebody in danger now?: here “Yes”, there “No”" in shown.text
    assert "How deep, in inches?: here “5”, there “4”" in shown.text


def test_words_left_in_a_browser_come_with_the_names_of_their_fields(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "pothole")
    boss = sit(desk.city, Role.SUPERVISOR, name="boss")
    boss.client.post(f"/desk/contacts/open/{window.number}/take/")
    shown = page(desk.client, window.address, status=409)
    found = re.search(r'data-wording="([^"]*)"', shown.html)
    assert found is not None
    wording = json.loads(unescape(found[1]))
    assert wording["fields"]["q-danger"] == "Is somebody in danger now?"
    assert wording["values"]["q-danger"]["yes"] == "Yes"
    assert wording["fields"]["location_note"] == "How to find it"
    assert wording["other"] == "An answer"
    assert Interaction.objects.count() == 1
