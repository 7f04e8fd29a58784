"""A photo in a contact at a real browser: chosen by keyboard, sent by itself, not lost by a broken line or a closed window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from loop311.desk.testing import Sitting, a_call_center
from loop311.desk.tests.driving import CHROMIUM, LOOKS, PATIENCE, Driver, Look, drive, place_the_pothole
from loop311.kit.tests import pictures
from loop311.requests.models import Enclosure, Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]
PASSWORD = "a-long-word-for-tests"
looks = pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
SMALL = "#photos .photos__all img"


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.LOOP311_HOME = tmp_path
    (tmp_path / "hole.jpg").write_bytes(pictures.photo(size=(640, 480)))
    (tmp_path / "drawing.svg").write_bytes(pictures.DRAWING)
    return tmp_path


@pytest.fixture
def desk() -> Sitting:
    return a_call_center()


def play(desk: Sitting, server: Any, flow: Any, look: Look = LOOKS[0]) -> None:
    assert drive(server, desk.client.cookies["sessionid"].value, flow, look) == []


def begun(driver: Driver) -> None:
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")


def chosen(driver: Driver, name: str = "hole.jpg") -> None:
    """The shortcut opens the browser's own chooser."""
    with driver.tab.expect_file_chooser() as opened:
        driver.tab.evaluate("document.hasFocus()")  # answered only when the chooser is being watched for
        driver.press("Alt+p")
    opened.value.set_files(Path(settings.LOOP311_HOME) / name)


def a_photo(driver: Driver) -> None:
    begun(driver)
    driver.press("Alt+2")
    driver.type("pothole")
    driver.until("Pothole", "#proposals")
    driver.press("Enter", "Enter")
    driver.until("Something else", "#want")
    driver.on("[name=q-danger]")
    chosen(driver, "drawing.svg")
    driver.until("drawing with code", "#photos")
    driver.on("#c-photos")
    driver.see("refused")
    chosen(driver)
    expect(driver.tab.locator(SMALL)).to_have_count(1, timeout=PATIENCE)
    driver.on("#c-photos")
    driver.see("kept")
    place_the_pothole(driver)
    driver.see("questions")
    driver.fits()
    driver.press("Control+Enter")
    driver.on("#done")


@looks
def test_a_photo_is_chosen_by_keyboard_and_goes_with_the_request(desk: Sitting, live_server: Any, look: Look) -> None:
    play(desk, live_server, a_photo, look)
    assert Request.objects.get().attachments.count() == 1


def taken_out(driver: Driver) -> None:
    begun(driver)
    chosen(driver)
    expect(driver.tab.locator(SMALL)).to_have_count(1, timeout=PATIENCE)
    driver.press("Tab")
    driver.press("Enter")
    expect(driver.tab.locator(SMALL)).to_have_count(0, timeout=PATIENCE)
    driver.on("#c-photos")


def test_a_photo_is_taken_out_by_keyboard(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, taken_out)
    assert not Enclosure.objects.filter(dropped_at__isnull=True).exists()


def a_broken_connection(driver: Driver) -> None:
    begun(driver)
    driver.tab.context.set_offline(True)
    chosen(driver)
    driver.until("No connection", "#banner")
    driver.tab.context.set_offline(False)
    expect(driver.tab.locator(SMALL)).to_have_count(1, timeout=PATIENCE)


def test_a_photo_chosen_without_a_connection_goes_when_it_is_back(desk: Sitting, live_server: Any) -> None:
    play(desk, live_server, a_broken_connection)
    assert Enclosure.objects.count() == 1


def a_closed_window(driver: Driver) -> None:
    begun(driver)
    address = driver.tab.url
    driver.tab.context.set_offline(True)
    chosen(driver)
    driver.until("No connection", "#banner")
    driver.tab.close()
    driver.tab.context.set_offline(False)
    driver.tab = driver.tab.context.new_page()
    driver.tab.goto(address)
    driver.until("Choose it again", "#banner")
    driver.see("choose-again")


def test_a_photo_of_a_window_that_was_closed_must_be_chosen_again_and_it_says_so(
    desk: Sitting, live_server: Any
) -> None:
    play(desk, live_server, a_closed_window)


def an_expired_sign_in(driver: Driver) -> None:
    begun(driver)
    driver.tab.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    chosen(driver)
    driver.until("You were signed out", "#banner")
    with driver.tab.context.expect_page() as opened:
        driver.tab.locator("#banner a").press("Enter")
    other = opened.value
    other.fill("#id_login", "concierge@port-elm.example")
    other.fill("#id_password", PASSWORD)
    other.keyboard.press("Enter")
    other.get_by_text("You are signed in").first.wait_for()
    other.close()
    expect(driver.tab.locator(SMALL)).to_have_count(1, timeout=PATIENCE)


def test_a_photo_chosen_after_the_sign_in_expired_goes_after_the_next(desk: Sitting, live_server: Any) -> None:
    desk.staff.user.set_password(PASSWORD)
    desk.staff.user.save()
    desk.client.force_login(desk.staff.user)
    play(desk, live_server, an_expired_sign_in)
    assert Enclosure.objects.count() == 1
