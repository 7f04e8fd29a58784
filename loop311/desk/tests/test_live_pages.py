"""Two people at once in real browsers: what one does appears on the other's open page, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.driving import PATIENCE
from loop311.desk.tests.test_accessibility import CHROMIUM, faults
from loop311.kit.clock import now
from loop311.requests.models import Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]

Play = Callable[[Page, Page], Any]


@pytest.fixture
def lead() -> Sitting:
    return sit(name="Demo lead")


@pytest.fixture
def crew(lead: Sitting) -> Sitting:
    return sit(lead.city, name="Demo crew")


def both(lead: Sitting, crew: Sitting, base: str, play: Play) -> Any:
    """Plays with a page of each, in a thread of its own: Playwright runs an event loop in which Django refuses its queries."""
    sessions = [each.client.cookies["sessionid"].value for each in (lead, crew)]

    errors: list[str] = []

    def run() -> Any:
        expect.set_options(timeout=PATIENCE)
        with sync_playwright() as playwright:
            arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
            try:
                found = play(*(opened(browser, base, session, errors) for session in sessions))
                assert errors == []
                return found
            finally:
                browser.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()


def opened(browser: Browser, base: str, session: str, errors: list[str]) -> Page:
    """Under our content security policy: what breaks it is an error of the page, and fails the test."""
    context = browser.new_context(base_url=base)
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base}])
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    return page


def test_a_change_appears_and_is_explained_before_i_save(lead: Sitting, crew: Sitting, live_server: Any) -> None:
    number = lead.city.file().number

    def play(mine: Page, theirs: Page) -> list[str]:
        for each in (mine, theirs):
            each.goto(f"/desk/requests/{number}/")
        mine.locator("#act-comment summary").click()
        mine.locator("#comment-text").fill("Half a page of careful words")
        theirs.get_by_role("button", name="Start work").click()
        expect(mine.locator("live-updates")).to_contain_text("Demo crew changed this a moment ago: Work has begun.")
        expect(mine.locator("#head .state")).to_have_text("In progress")
        expect(mine.locator("#history + ol")).to_contain_text("Work has begun.")
        expect(mine.locator("#comment-text")).to_have_value("Half a page of careful words")
        wrong = faults(mine)
        mine.get_by_role("button", name="I have seen it").press("Enter")
        expect(mine.locator("live-updates")).to_be_empty()
        mine.locator("#act-comment button[type=submit]").click()
        expect(mine.locator("#comments + ul")).to_contain_text("Half a page of careful words")
        expect(theirs.locator("#comments + ul")).to_contain_text("Half a page of careful words")
        expect(theirs.locator("live-updates")).to_contain_text("An internal comment was added.")
        return wrong

    assert both(lead, crew, live_server.url, play) == []


def test_who_saves_without_looking_is_stopped_with_the_words_kept(
    lead: Sitting, crew: Sitting, live_server: Any
) -> None:
    number = lead.city.file().number

    def play(mine: Page, theirs: Page) -> None:
        for each in (mine, theirs):
            each.goto(f"/desk/requests/{number}/")
        mine.locator("#act-comment summary").click()
        mine.locator("#comment-text").fill("careful words")
        theirs.get_by_role("button", name="Start work").click()
        expect(mine.locator("#head .state")).to_have_text("In progress")
        mine.locator("#act-comment button[type=submit]").click()
        expect(mine.locator("#conflict")).to_be_visible()
        expect(mine.locator("#comment-text")).to_have_value("careful words")

    both(lead, crew, live_server.url, play)


def test_the_queue_shows_what_others_take_and_keeps_what_i_have_picked(
    lead: Sitting, crew: Sitting, live_server: Any
) -> None:
    urgent = lead.city.file(at=now(), answers={"danger": "yes"}).number
    later = lead.city.file(at=now()).number

    def play(mine: Page, theirs: Page) -> None:
        for each in (mine, theirs):
            each.goto("/desk/queue/north/")
        mine.locator(f"label[for='pick-{later}']").click()
        theirs.get_by_role("button", name="Take next").click()
        expect(theirs.locator("h1")).to_contain_text(urgent)
        expect(mine.locator(f"#row-{urgent}")).to_contain_text("Demo crew")
        expect(mine.locator(f"#pick-{later}")).to_be_checked()
        expect(mine.locator("#figures")).to_contain_text("1")
        mine.locator("tbody th a").first.focus()
        for key in ("j", "x", "a"):
            mine.keyboard.press(key)
        expect(mine.locator("input[name=pick]:checked")).to_have_count(2)
        mine.locator("#bulk-do").select_option("start")
        mine.get_by_role("button", name="Do it").press("Enter")
        expect(mine.locator("main")).to_contain_text("2 are started.")

    both(lead, crew, live_server.url, play)
    assert Request.objects.get(number=urgent).assignee_id == crew.staff.pk
