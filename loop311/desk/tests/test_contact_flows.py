"""The five contacts of a concierge's day, by keyboard alone, in light and dark, at 1366 x 768 and at 400 % zoom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loop311.desk.models import Draft
from loop311.desk.testing import ELM, Sitting, a_call_center
from loop311.desk.tests.driving import CHROMIUM, LOOKS, WIDE, Driver, Look, drive
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.requests.models import Request
from loop311.requests.services import Filing, file
from loop311.residents.testing import a_resident

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]
looks = pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)


@pytest.fixture
def desk() -> Sitting:
    found = a_call_center()
    city = found.city.jurisdiction
    a_resident(city, "Demo Caller", mobile="214-555-0123", email="caller@example.org")
    a_resident(city, "Demo Vecina", mobile="214-555-0177", language="es")
    return found


def play(desk: Sitting, server: Any, flow: Any, look: Look) -> None:
    assert drive(server, desk.client.cookies["sessionid"].value, flow, look) == []
    assert not Draft.objects.exists()


def identified(driver: Driver, words: str, name: str) -> None:
    """Enter begins; who calls is found by what they say, one arrow and Enter choose."""
    driver.on(".begin button")
    driver.see("begin")
    driver.press("Enter")
    driver.on("#c-who")
    driver.type(words)
    driver.until(name, "#found")
    driver.see("who")
    driver.press("ArrowDown", "Enter")
    driver.on("#c-want")
    driver.until(name, "#caller")


def wanted(driver: Driver, words: str, service: str) -> None:
    driver.type(words)
    driver.until(service, "#proposals")
    driver.see("what")
    driver.press("Enter")
    for _ in range(6):
        if service in driver.tab.evaluate("document.activeElement.textContent"):
            break
        driver.press("ArrowDown")
    driver.press("Enter")
    driver.until(service, "#want .chosen")


def placed(driver: Driver, words: str, address: str) -> None:
    driver.press("Alt+3")
    driver.on("#c-address")
    driver.type(words)
    driver.until(address, "#places")
    driver.see("where")
    driver.press("ArrowDown", "Enter")
    driver.until("Found:", "#places")


def wrapped_up(driver: Driver) -> None:
    driver.press("Alt+9")
    driver.on("#wrap-up")
    driver.press("Enter")
    driver.until("The contact is wrapped up.")
    driver.see("over")


def missed_garbage(driver: Driver) -> None:
    identified(driver, "2145550123", "Demo Caller")
    wanted(driver, "the garbage truck has not come yet", "Garbage not collected")
    placed(driver, "412 el", "412 Elm St")
    driver.radio("out_by_seven", "yes")
    driver.radio("truck_since", "no")
    driver.until("the truck may only be late", "#advice")
    driver.press("Alt+7")
    driver.see("answer")
    driver.fits()
    driver.press("Alt+i")
    driver.until("Information", "#holds")
    driver.see("noted")
    wrapped_up(driver)


@looks
def test_missed_garbage_before_the_cut_off_is_information(desk: Sitting, live_server: Any, look: Look) -> None:
    play(desk, live_server, missed_garbage, look)
    contact = Interaction.objects.get()
    assert (contact.outcome, contact.topic) == ("information", "trash")
    assert contact.resident is not None
    assert not Request.objects.exists()


def loose_dog(driver: Driver) -> None:
    identified(driver, "demo caller", "Demo Caller")
    wanted(driver, "a dog is loose and barks at people, aggressive", "Aggressive dog loose now")
    driver.until("Has anyone been bitten", "#safety")
    driver.radio("danger", "yes")
    driver.until("Stay on the line with 911", "#safety")
    driver.see("danger")
    driver.in_view("#safety legend", "#safety .danger", "#c-address", "#save")
    urgent(driver)
    driver.press("Alt+4")
    driver.radio("danger", "no")
    driver.settle()
    placed(driver, "77 oak", "77 Oak Ave")
    answer_dog(driver)
    driver.see("questions")
    driver.press("Control+Enter")
    driver.on("#done")
    driver.until("Your number is", "#promise")
    driver.see("saved")
    wrapped_up(driver)


def urgent(driver: Driver) -> None:
    """In danger, too, everything is gone through by keyboard, and the banner and the way to save stay in sight."""
    stays = ("#safety .danger", "#save")
    driver.press("Alt+3")
    driver.on("#c-address")
    driver.type("77")
    driver.until("77 Oak Ave", "#places")
    driver.in_view(*stays)
    driver.press("ArrowDown")
    driver.in_view(*stays)
    for _ in range(12):
        driver.press("Tab")
        driver.in_view(*stays)
        if driver.active("name") == "q-near_children":
            break
    driver.see("danger-questions")
    driver.press("Alt+3")
    driver.press("Control+a", "Delete")
    driver.settle()


def answer_dog(driver: Driver) -> None:
    driver.press("Alt+4")
    while driver.active("name") != "q-how_many":
        driver.press("Tab")
    driver.type("2")
    driver.press("Tab")
    driver.type("brown, went towards the school")
    driver.radio("near_children", "true")


@looks
def test_a_loose_dog_begins_with_the_safety_question(desk: Sitting, live_server: Any, look: Look) -> None:
    play(desk, live_server, loose_dog, look)
    request = Request.objects.get()
    assert (request.service.code, request.priority) == ("dog_aggressive", "emergency")
    assert request.answers["how_many"] == 2
    assert Event.objects.filter(kind="interaction.danger_reported").count() == 1
    assert Interaction.objects.get().outcome == "transferred"


def known_pothole(driver: Driver) -> None:
    identified(driver, "caller@example.org", "Demo Caller")
    wanted(driver, "pothole", "Pothole")
    driver.until("Is anyone hurt", "#safety")
    driver.radio("danger", "no")
    placed(driver, "412 elm", "412 Elm St")
    driver.until("Is it this one?", "#known")
    driver.on("#known button")
    driver.see("known")
    driver.press("Enter")
    driver.until("Joined to", "#promise")
    driver.radio("size", "tire")
    driver.radio("edge", "round")
    driver.radio("bottom_visible", "yes")
    driver.see("to-join")
    driver.fits()
    driver.press("Control+Enter")
    driver.on("#done")
    driver.until("The same problem as another report", "#promise")
    driver.see("joined")
    wrapped_up(driver)


@looks
def test_a_pothole_that_is_known_is_joined_with_one_key(desk: Sitting, live_server: Any, look: Look) -> None:
    answers = {"danger": "no", "size": "tire", "edge": "round", "bottom_visible": "yes"}
    asked = Filing(service_code="pothole", answers=answers, address="412 Elm St", latitude=ELM[0], longitude=ELM[1])
    first = file(desk.city.jurisdiction, asked, by=desk.city.concierge, at=now() - timedelta(days=2))
    play(desk, live_server, known_pothole, look)
    request = Request.objects.exclude(pk=first.pk).get()
    assert (request.leading, request.state) == (first, "joined")
    assert request.number != first.number
    contact = Interaction.objects.get(pk=request.interaction_id)
    assert (contact.outcome, contact.topic) == ("request", "pothole")


def information_only(driver: Driver) -> None:
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")
    driver.press("Alt+2")
    driver.type("what are the library hours")
    driver.until("Library", "#answer")
    driver.see("answer")
    driver.press("Alt+i")
    driver.until("Information", "#holds")
    driver.on("#wrap-up")
    driver.see("noted")
    driver.press("Enter")
    driver.until("The contact is wrapped up.")


@looks
def test_information_takes_one_key_and_no_name(desk: Sitting, live_server: Any, look: Look) -> None:
    play(desk, live_server, information_only, look)
    contact = Interaction.objects.get()
    assert (contact.outcome, contact.resident) == ("information", None)
    assert contact.topic


def the_other_answer(driver: Driver) -> None:
    """What is logged is the answer that was opened, and the first where none is."""
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")
    driver.press("Alt+2")
    driver.type("the garbage truck has not come yet")
    driver.until("Garbage not picked up yet today", "#answer")
    driver.press("Alt+7", "Enter")
    driver.press("Alt+i")
    driver.until("Garbage not picked up yet today", "#holds")
    driver.press("Alt+2")
    driver.type("the garbage truck has not come yet")
    driver.until("Garbage not picked up yet today", "#answer")
    driver.press("Alt+7", "Tab", "Tab", "Enter")
    driver.until("Holiday", "#answer")
    driver.press("Alt+i")
    driver.until("Holiday", "#holds")
    driver.press("Alt+9", "Enter")
    driver.until("The contact is wrapped up.")


def test_the_key_for_information_takes_the_answer_that_was_opened(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, the_other_answer, WIDE)
    told = Event.objects.filter(kind="interaction.answered").count()
    assert told == 2


def spanish_caller(driver: Driver) -> None:
    identified(driver, "demo vecina", "Demo Vecina")
    driver.until("¿En qué le puedo ayudar?", "#want")
    wanted(driver, "hay un bache grande en mi calle", "Pothole")
    driver.until("¿Hay alguien herido", "#safety")
    driver.until("Is anyone hurt", "#safety")
    driver.see("safety")
    driver.radio("danger", "no")
    placed(driver, "412 elm", "412 Elm St")
    driver.radio("size", "larger")
    driver.radio("edge", "round")
    driver.radio("bottom_visible", "yes")
    driver.until("a más tardar el", "#promise")
    driver.see("promise")
    driver.press("Control+Enter")
    driver.on("#done")
    driver.until("Su número es", "#promise")
    driver.until("Your number is", "#promise")
    driver.see("saved")
    wrapped_up(driver)


@looks
def test_a_spanish_caller_hears_spanish_and_the_desk_reads_along(desk: Sitting, live_server: Any, look: Look) -> None:
    play(desk, live_server, spanish_caller, look)
    contact = Interaction.objects.get()
    assert (contact.language, contact.outcome) == ("es", "request")
    assert Request.objects.get().description == "hay un bache grande en mi calle"
