"""Answers without a mouse, in a real browser: typed, gone through, opened, gone back to; what is written is seen at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect, sync_playwright

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.driving import CHROMIUM, PATIENCE
from loop311.knowledge.testing import an_article, words

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]


@pytest.fixture
def desk() -> Sitting:
    found = sit(role=Role.CONCIERGE)
    an_article(found.city.jurisdiction, "garbage", words("Missed garbage"))
    an_article(found.city.jurisdiction, "days", words("Garbage days", body="x"))
    return found


def test_an_answer_is_found_and_opened_by_keyboard_and_found_again(desk: Sitting, live_server: Any) -> None:
    session = desk.client.cookies["sessionid"].value
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(_in_a_browser, str(live_server), session).result()


def _in_a_browser(address: str, session: str) -> None:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
        complaints: list[str] = []
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.goto(f"{address}/desk/knowledge/")
        _by_keyboard(tab)
        tab.goto(f"{address}/desk/knowledge/articles/garbage/edit/")
        tab.fill("#id_en-body", "# Seen while typing")
        tab.press("#id_en-body", "End")
        tab.keyboard.type("!")
        expect(tab.locator("#preview h3")).to_have_text("Seen while typing!")
        browser.close()
        assert complaints == []  # the content security policy would complain here


def _by_keyboard(tab: Page) -> None:
    tab.keyboard.press("Alt+/")
    tab.keyboard.type("missed garbage")
    expect(tab.locator(".hit__title").first).to_have_text("Missed garbage")
    tab.wait_for_url("**q=missed+garbage*")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(":focus")).to_have_text("Missed garbage")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(":focus")).to_have_text("Garbage days")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/articles/garbage/**")
    tab.go_back()
    expect(tab.locator("#id_q")).to_have_value("missed garbage")
