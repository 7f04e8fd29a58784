"""Nothing typed is lost: a broken connection, an expired sign-in, two windows, a window that was closed, the same key twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from loop311.accounts.policies import Role
from loop311.desk.contact.content import read
from loop311.desk.models import Draft
from loop311.desk.testing import Sitting, a_call_center, sit
from loop311.desk.tests.driving import CHROMIUM, PATIENCE, Driver, drive, place_the_pothole
from loop311.requests.models import Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]
PASSWORD = "a-long-word-for-tests"


@pytest.fixture
def desk() -> Sitting:
    return a_call_center()


def play(desk: Sitting, server: Any, flow: Any) -> None:
    assert drive(server, desk.client.cookies["sessionid"].value, flow) == []


def kept(field: str) -> str:
    return read(Draft.objects.get().content).word(field)


def begun(driver: Driver) -> None:
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")


def wants(driver: Driver, words: str) -> None:
    driver.press("Alt+2")
    driver.on("#c-want")
    driver.type(words)


def saved(driver: Driver) -> None:
    """The server has every word."""
    expect(driver.tab.locator("#saved")).to_contain_text("Kept at", timeout=PATIENCE)
    driver.settle()


def a_broken_connection(driver: Driver) -> None:
    begun(driver)
    driver.tab.context.set_offline(True)
    wants(driver, "words without a connection")
    driver.until("No connection", "#banner")
    driver.see("offline")
    driver.tab.context.set_offline(False)
    driver.until("The connection is back", "#banner")
    saved(driver)
    driver.see("back")


def test_words_typed_without_a_connection_arrive_when_it_is_back(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, a_broken_connection)
    assert kept("want") == "words without a connection"


def a_closed_window(driver: Driver) -> None:
    begun(driver)
    address = driver.tab.url
    driver.tab.context.set_offline(True)
    wants(driver, "words of a window that was closed")
    driver.until("No connection", "#banner")
    driver.tab.close()
    driver.tab.context.set_offline(False)
    driver.tab = driver.tab.context.new_page()
    driver.tab.goto(address)
    expect(driver.tab.locator("#c-want")).to_have_value("words of a window that was closed")
    saved(driver)


def test_words_of_a_window_that_was_closed_come_back(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, a_closed_window)
    assert kept("want") == "words of a window that was closed"


def an_expired_sign_in(driver: Driver) -> None:
    begun(driver)
    driver.tab.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    wants(driver, "words after the shift's end")
    driver.until("You were signed out", "#banner")
    driver.see("signed-out")
    with driver.tab.context.expect_page() as opened:
        driver.tab.locator("#banner a").press("Enter")
    other = opened.value
    other.fill("#id_login", "concierge@port-elm.example")
    other.fill("#id_password", PASSWORD)
    other.keyboard.press("Enter")
    other.get_by_text("You are signed in").first.wait_for()
    other.close()
    driver.until("The connection is back", "#banner")
    saved(driver)
    driver.press("Alt+2")
    driver.type(" and after signing in again")
    saved(driver)


def test_after_an_expired_sign_in_the_contact_goes_on(desk: Sitting, live_server: Any) -> None:
    desk.staff.user.set_password(PASSWORD)
    desk.staff.user.save()
    desk.client.force_login(desk.staff.user)
    play(desk, live_server, an_expired_sign_in)
    assert kept("want") == "words after the shift's end and after signing in again"


def two_windows(driver: Driver) -> None:
    begun(driver)
    other = driver.tab.context.new_page()
    other.goto(driver.tab.url)
    wants(driver, "words of the first window")
    saved(driver)
    other.locator("#c-want").press_sequentially("words of the second window", delay=5)
    expect(other.locator("#wrong")).to_contain_text("changed in another window", timeout=PATIENCE)
    expect(other.locator("#wrong")).to_contain_text("words of the first window")
    expect(other.locator("#c-want")).to_have_value("words of the second window")
    first, driver.tab = driver.tab, other
    driver.see("two-windows")
    driver.tab.locator("#wrong button").press("Enter")
    expect(driver.tab.locator("#wrong")).not_to_contain_text("changed in another window")
    first.close()


def test_of_two_windows_the_second_is_told_and_decides(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, two_windows)
    assert kept("want") == "words of the second window"


def taken_over(driver: Driver) -> None:
    """A supervisor takes the contact over while it is open here; words typed afterwards stay in this browser."""
    begun(driver)
    wants(driver, "words of the first owner")
    saved(driver)
    browser = driver.tab.context.browser
    assert browser is not None
    supervisor = browser.new_context()
    supervisor.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": BOSS["session"], "url": driver.base}])
    desk = supervisor.new_page()
    desk.goto(f"{driver.base}/desk/contacts/open/")
    mine, driver.tab = driver.tab, desk
    driver.tab.locator("th a").focus()
    driver.see("list")
    driver.press("Enter")
    driver.tab.get_by_role("button", name="Take it over").focus()
    driver.see("look")
    driver.press("Enter")
    expect(desk.locator("#c-want")).to_have_value("words of the first owner")
    driver.tab = mine
    driver.type(" that came too late")
    driver.until("goes on with this contact", "#wrong")
    driver.until("that came too late", "#wrong")
    driver.on("#wrong")
    driver.see("told")
    expect(driver.tab.locator("#c-want")).to_have_value("words of the first owner that came too late")
    driver.tab.reload()
    driver.until("that came too late", "#left")
    driver.tab.locator("#left button").focus()
    driver.see("left-words")
    supervisor.close()


BOSS: dict[str, str] = {}


def test_who_comes_back_to_a_contact_that_was_taken_over_is_told_and_keeps_every_word(
    desk: Sitting, live_server: Any
) -> None:
    boss = sit(desk.city, Role.SUPERVISOR, team="concierge_desk", name="boss")
    BOSS["session"] = boss.client.cookies["sessionid"].value
    play(desk, live_server, taken_over)
    assert kept("want") == "words of the first owner"


def the_map(driver: Driver) -> None:
    begun(driver)
    wants(driver, "pothole")
    driver.until("Pothole", "#proposals")
    driver.press("Enter", "Enter")
    driver.until("Something else", "#want")
    driver.on("[name=q-danger]")
    driver.press("Alt+m")
    expect(driver.tab.locator("city-map[ready]")).to_be_visible(timeout=PATIENCE)
    driver.see("map")
    driver.tab.locator("city-map .city-map__bar button").press("Enter")
    driver.until("Found:", "#places")
    driver.see("point")


def test_a_point_of_the_map_is_chosen_as_the_place(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, the_map)
    assert read(Draft.objects.get().content).place


def shortcuts(driver: Driver) -> None:
    begun(driver)
    driver.press("Alt+9")
    driver.on("#wrap-up")
    driver.press("?")
    expect(driver.tab.locator("#keys")).to_be_visible()
    driver.see("shortcuts")
    driver.press("Escape")
    expect(driver.tab.locator("#keys")).not_to_be_visible()
    driver.on("#wrap-up")
    for key, place in (("Alt+1", "#c-who"), ("Alt+2", "#c-want"), ("Alt+3", "#c-address")):
        driver.press(key)
        driver.on(place)
    driver.type("?")
    expect(driver.tab.locator("#keys")).not_to_be_visible()


def test_shortcuts_are_shown_and_lead_where_they_say(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, shortcuts)


def refused(driver: Driver) -> None:
    """A save with things to mend: the keyboard is at the first of them, everything typed stays."""
    begun(driver)
    wants(driver, "pothole")
    driver.until("Pothole", "#proposals")
    driver.press("Enter", "Enter")
    driver.until("Something else", "#want")
    driver.on("[name=q-danger]")
    driver.press("Control+Enter")
    driver.until("Not done yet", "#wrong")
    driver.on("[name=q-danger]")
    driver.see("refused")
    place_the_pothole(driver)
    driver.press("Alt+6")
    driver.on("#save")
    driver.press("Enter", "Enter")
    driver.on("#done")


def test_what_is_refused_is_mended_and_enter_twice_saves_once(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, refused)
    assert Request.objects.get().description == "pothole"
