"""A concierge at a real browser with nothing but a keyboard; every state is judged by axe and kept as a picture."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

AXE = Path(settings.ROOT) / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
IN_VIEW = """selector => {
  const all = [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const box = all[0]?.getBoundingClientRect();
  if (!box) return false;
  const middle = document.elementFromPoint(box.left + box.width / 2, Math.max(box.top, 0) + Math.min(box.height, 20) / 2);
  const covered = middle && !all[0].contains(middle) && !middle.contains(all[0]) && !all[0].labels?.[0]?.contains(middle);
  return box.top >= -1 && box.bottom <= innerHeight + 1 && !covered;
}"""
"""Whether the first visible one of these is wholly in the window, with nothing on top of it."""
SCREENS = Path(os.environ.get("LOOP311_SCREENS") or Path(settings.LOOP311_HOME) / "screens")
"""Where the pictures go."""

PATIENCE = 60_000
"""Milliseconds; long, since it is only waited out where something is wrong, and the machine may be busy with other tests."""

LOOKS_UP = 250
"""Milliseconds after the last key by which the page has asked; its own timers are shorter, and run before this one."""

REFUSED = re.compile(
    r"a status of (401|403|409|422)|Status Error Code 40[13]|ERR_INTERNET_DISCONNECTED|htmx:(afterRequest|sendError)"
)
"""Chromium writes down every answer that is not 200; those a test asks for are no mistake of the page."""


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and size of a window."""

    name: str
    colours: Any
    width: int = 1366
    height: int = 768


WIDE = Look("light", "light")
WIDE_DARK = Look("dark", "dark")
ZOOMED = Look("zoomed", "light", 1366 // 4, 768 // 4)
"""1366 x 768 at 400 % zoom."""
ZOOMED_DARK = Look("zoomed-dark", "dark", 1366 // 4, 768 // 4)
LOOKS = [WIDE, WIDE_DARK, ZOOMED, ZOOMED_DARK]


@dataclass
class Driver:
    """One window. `faults` collects what is wrong; a flow goes on, so that one run shows all."""

    tab: Page
    flow: str
    look: Look
    base: str
    faults: list[str] = field(default_factory=list)
    states: int = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def type(self, words: str) -> None:
        """And wait for what the page looks up: the list of the whole words, not one of their beginning."""
        self.tab.keyboard.type(words, delay=5)
        self.tab.evaluate(f"new Promise((done) => setTimeout(done, {LOOKS_UP}))")
        self.settle()

    def until(self, words: str, place: str = "main") -> None:
        """Wait until the words stand there."""
        expect(self.tab.locator(place).get_by_text(words).first).to_be_visible(timeout=PATIENCE)

    def on(self, selector: str) -> None:
        """Wait until the keyboard is there."""
        expect(self.tab.locator(selector).first).to_be_focused(timeout=PATIENCE)

    def radio(self, name: str, choice: str) -> None:
        """Go to the question with Tab, then choose with the arrows."""
        for _ in range(40):
            if self.active("name") == f"q-{name}":
                break
            self.press("Tab")
        for _ in range(12):
            if self.active("value") == choice and self.tab.evaluate("document.activeElement.checked"):
                return
            self.press("Space" if self.active("value") == choice else "ArrowDown")
        raise AssertionError(f"{name} cannot be answered with {choice} by keyboard")

    def active(self, attribute: str) -> str:
        return str(self.tab.evaluate(f"document.activeElement.getAttribute('{attribute}')"))

    def see(self, state: str) -> None:
        """A picture, axe, width, and where the keyboard is."""
        self.states += 1
        self.settle()
        folder = SCREENS / self.flow
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.look.name}-{self.states:02}-{state}"
        self.tab.screenshot(path=folder / f"{name}.png", caret="initial")
        for fault in faults(self.tab):
            self.faults.append(f"{self.flow} {name}: {fault}")

    def fits(self) -> None:
        """At 1366 x 768 nothing of the common case needs scrolling."""
        if self.look.width == WIDE.width and self.tab.evaluate("document.documentElement.scrollHeight > innerHeight"):
            height = self.tab.evaluate("document.documentElement.scrollHeight")
            self.faults.append(f"{self.flow}: {height} pixels high at {self.look.height}")

    def in_view(self, *selectors: str) -> None:
        """The keyboard's place, and at 1366 x 768 all of these, can be seen without scrolling."""
        wanted = (":focus", *(selectors if self.look.width == WIDE.width else ()))
        hidden = [each for each in wanted if not self.tab.evaluate(IN_VIEW, each)]
        self.faults += [f"{self.flow}: {each} is out of sight" for each in hidden]

    def settle(self) -> None:
        expect(self.tab.locator(".htmx-request")).to_have_count(0, timeout=PATIENCE)
        self.tab.wait_for_timeout(60)


def faults(tab: Page) -> list[str]:
    """Broken rules of WCAG 2.2 AA, a page wider than its window, a keyboard that is nowhere."""
    tab.evaluate(AXE.read_text())
    found = tab.evaluate(RUN, TAGS)["violations"]
    broken = [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        broken.append("wider than its window")
    if tab.evaluate("document.activeElement === document.body"):
        broken.append("the keyboard is nowhere")
    return broken


Flow = Callable[[Driver], None]


def drive(server: str, session: str, flow: Flow, look: Look = WIDE, *, start: str = "/desk/contact/") -> list[str]:
    """Play the flow in a window of this look; everything that was wrong.

    In a thread of its own, because Playwright runs an event loop in which Django refuses its queries.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_play, str(server), session, flow, look, start).result()


def _play(server: str, session: str, flow: Flow, look: Look, start: str) -> list[str]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        size = ViewportSize(width=look.width, height=look.height)
        context = browser.new_context(color_scheme=look.colours, viewport=size)
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
        driver = Driver(context.new_page(), flow.__name__.replace("_", "-"), look, server)
        _listen(driver)
        driver.tab.goto(f"{server}{start}")
        try:
            flow(driver)
        except BaseException:
            SCREENS.mkdir(parents=True, exist_ok=True)
            driver.tab.screenshot(path=SCREENS / f"failed-{driver.flow}-{look.name}.png", caret="initial")
            raise
        browser.close()
        return driver.faults


def _listen(driver: Driver) -> None:
    """Errors of scripts and of the content security policy count as faults."""

    def said(message: Any) -> None:
        if message.type == "error" and not REFUSED.search(message.text):
            driver.faults.append(f"{driver.flow} console: {message.text}")

    driver.tab.on("console", said)
    driver.tab.on("pageerror", lambda error: driver.faults.append(f"{driver.flow} error: {error}"))


def place_the_pothole(driver: Driver) -> None:
    """From the safety question on: no danger, the address by keyboard, and the questions of the service."""
    driver.radio("danger", "no")
    driver.press("Alt+3")
    driver.on("#c-address")
    driver.type("412 elm")
    driver.until("412 Elm St", "#places")
    driver.press("ArrowDown", "Enter")
    driver.until("Found:", "#places")
    for question, choice in {"size": "tire", "edge": "round", "bottom_visible": "yes"}.items():
        driver.radio(question, choice)
