"""What nobody knows appears in every contact that is open, by itself, and the keyboard stays where it is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, a_call_center, sit
from loop311.desk.tests.driving import CHROMIUM, PATIENCE, Driver, drive
from loop311.kit.testing import page

pytestmark = [pytest.mark.django_db(transaction=True)]
OTHER: dict[str, str] = {}
SEEN: list[float] = []


def a_gap_elsewhere(driver: Driver) -> None:
    driver.on(".begin button")
    driver.press("Enter")
    driver.on("#c-who")
    with driver.tab.expect_response("**/desk/live/**"):
        pass  # the page is listening
    browser = driver.tab.context.browser
    assert browser is not None
    colleague = browser.new_context()
    colleague.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": OTHER["session"], "url": driver.base}])
    desk = colleague.new_page()
    desk.goto(f"{driver.base}/desk/knowledge/gaps/")
    desk.fill("#id_words", "Where does the parade begin?")
    driver.press("Alt+2")
    driver.on("#c-want")
    driver.type("something els")
    begun = time.monotonic()
    desk.locator("#id_words").press("Enter", no_wait_after=True)
    expect(driver.tab.locator("#unknown")).to_contain_text("Where does the parade begin?", timeout=PATIENCE)
    SEEN.append(time.monotonic() - begun)
    driver.type("e")
    driver.on("#c-want")
    expect(driver.tab.locator("#c-want")).to_have_value("something else")
    expect(driver.tab.locator("#saved")).to_contain_text("Kept at", timeout=PATIENCE)
    driver.see("a-gap")
    colleague.close()


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this.")
def test_a_gap_appears_in_an_open_contact_without_taking_the_keyboard(live_server: Any) -> None:
    desk = a_call_center()
    other = sit(desk.city, Role.CONCIERGE, team="concierge_desk", name="other")
    OTHER["session"] = other.client.cookies["sessionid"].value
    assert drive(live_server, desk.client.cookies["sessionid"].value, a_gap_elsewhere) == []
    assert SEEN[-1] < 20  # within two seconds on a machine that is not busy with tests


def test_the_list_alone_is_given_to_whoever_takes_calls(desk: Sitting) -> None:
    desk.client.post("/desk/knowledge/gaps/", {"words": "Where does the parade begin?"})
    assert "Where does the parade begin?" in desk.client.get("/desk/contact/unknown/").content.decode()
    page(sit(desk.city, Role.AUDITOR, name="reader").client, "/desk/contact/unknown/", status=403)


@pytest.fixture
def desk() -> Sitting:
    return sit(role=Role.CONCIERGE)
