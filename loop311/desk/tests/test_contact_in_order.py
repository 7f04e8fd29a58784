"""A slow line: what is sent arrives in the order in which it was done, and the keyboard stays where it is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from loop311.desk.contact.content import read
from loop311.desk.models import Draft
from loop311.desk.testing import Sitting, a_call_center
from loop311.desk.tests.driving import CHROMIUM, Driver, drive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]


@pytest.fixture
def desk() -> Sitting:
    return a_call_center()


def play(desk: Sitting, server: Any, flow: Any) -> None:
    assert drive(server, desk.client.cookies["sessionid"].value, flow) == []


def held_up(driver: Driver, most: int) -> list[Route]:
    """From now on so many of the words that are sent wait here."""
    letters: list[Route] = []
    driver.tab.route("**/go/", lambda route: letters.append(route) if len(letters) < most else route.continue_())
    return letters


def at_what_they_want(driver: Driver) -> None:
    """A new contact, the keyboard where the caller's words go."""
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")
    driver.press("Alt+2")
    driver.on("#c-want")


def wait_for(driver: Driver, letters: list[Route], count: int) -> None:
    for _ in range(600):
        if len(letters) >= count:
            break
        driver.tab.wait_for_timeout(100)
    assert len(letters) == count


def an_address_whose_list_is_slow(driver: Driver) -> list[Route]:
    """A list stands there, the next one is on its way, and the keyboard is in the one that stands there."""
    at_what_they_want(driver)
    driver.type("pothole")
    driver.until("Pothole", "#proposals")
    driver.press("Enter", "Enter")
    driver.until("Something else", "#want")
    driver.on("[name=q-danger]")
    driver.press("Alt+3")
    driver.on("#c-address")
    driver.type("412 el")
    driver.until("412 Elm St", "#places")
    letters = held_up(driver, 1)
    driver.tab.keyboard.type("m")
    wait_for(driver, letters, 1)
    driver.press("ArrowDown")
    driver.on("#places .choices button")
    return letters


def arrives(driver: Driver, letters: list[Route]) -> None:
    with driver.tab.expect_response("**/go/"):
        letters[0].continue_()
    driver.settle()


def chosen_early(driver: Driver) -> None:
    letters = an_address_whose_list_is_slow(driver)
    driver.press("Enter")
    driver.press("Tab", "Tab")  # to other buttons: what was pressed stays what was pressed
    driver.tab.wait_for_timeout(1000)
    arrives(driver, letters)
    driver.until("Found:", "#places")
    expect(driver.tab.locator("#c-address")).to_have_value("412 Elm St")
    expect(driver.tab.locator("#saved")).to_contain_text("Kept at")
    driver.settle()


def test_a_place_chosen_before_the_last_list_came_stays_chosen(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, chosen_early)
    assert read(Draft.objects.get().content).place.endswith("412 Elm St")


def put_anew(driver: Driver) -> None:
    letters = an_address_whose_list_is_slow(driver)
    arrives(driver, letters)
    driver.tab.wait_for_timeout(200)
    driver.on("#places .choices button")
    driver.press("Enter")
    driver.until("Found:", "#places")


def test_a_list_that_is_put_anew_under_the_keyboard_leaves_it_on_its_choice(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, put_anew)
    assert read(Draft.objects.get().content).place.endswith("412 Elm St")


def typed_meanwhile(driver: Driver) -> None:
    at_what_they_want(driver)
    driver.type("pothole")
    driver.until("Pothole", "#proposals")
    steps: list[Route] = []
    driver.tab.route("**/service/", lambda route: steps.append(route))
    driver.press("Enter", "Enter")
    wait_for(driver, steps, 1)
    driver.press("Alt+3")
    driver.on("#c-address")
    driver.tab.keyboard.type("by the school")
    steps[0].continue_()
    driver.until("Something else", "#want")
    expect(driver.tab.locator("#c-address")).to_have_value("by the school")
    expect(driver.tab.locator("#saved")).to_contain_text("Kept at")
    driver.settle()


def test_what_is_typed_before_the_answer_comes_stays(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, typed_meanwhile)
    content = read(Draft.objects.get().content)
    assert (content.service, content.word("address")) == ("pothole", "by the school")


def more_words(driver: Driver) -> None:
    at_what_they_want(driver)
    letters = held_up(driver, 2)
    driver.tab.keyboard.type("first words")
    wait_for(driver, letters, 1)
    driver.tab.keyboard.type(" and more")
    expect(driver.tab.locator("#saved")).to_have_text("Not kept yet")
    letters[0].continue_()
    wait_for(driver, letters, 2)
    driver.tab.wait_for_timeout(200)
    expect(driver.tab.locator("#saved")).to_have_text("Not kept yet", timeout=1)
    letters[1].continue_()
    expect(driver.tab.locator("#saved")).to_contain_text("Kept at")


def test_words_are_called_kept_only_when_all_of_them_are(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, more_words)
    assert read(Draft.objects.get().content).word("want") == "first words and more"


def gone_on(driver: Driver) -> None:
    """The step's answer would put the keyboard on *Wrap up*, where the next space ends the contact."""
    at_what_they_want(driver)
    driver.type("the garbage truck has not come yet")
    driver.until("Garbage not picked up yet today", "#answer")
    steps: list[Route] = []
    driver.tab.route("**/inform/", lambda route: steps.append(route))
    driver.press("Alt+7", "Alt+i")
    wait_for(driver, steps, 1)
    driver.press("Alt+2")
    driver.on("#c-want")
    steps[0].continue_()
    driver.until("Garbage not picked up yet today", "#holds")
    driver.tab.wait_for_timeout(300)
    driver.on("#c-want")
    with driver.tab.expect_response("**/go/"):
        driver.tab.keyboard.type("and a pot hole")
    expect(driver.tab.locator("#c-want")).to_have_value("and a pot hole")
    driver.settle()


def test_who_went_on_before_the_answer_came_keeps_the_keyboard(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, gone_on)
    assert Draft.objects.get().interaction.ended_at is None
