"""Passkeys and one's own sign-in in a real browser, under the real content security policy; axe looks at every page on the way.

The key is Chromium's virtual authenticator. With LOOP311_SCREENS set, pictures of each page are written into that folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from playwright.sync_api import Page, ViewportSize, sync_playwright

from loop311.accounts import lockout
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_member
from loop311.desk.tests.driving import PATIENCE
from loop311.desk.tests.test_accessibility import CHROMIUM, NARROW, WIDE, faults
from loop311.ledger.models import Event
from loop311.requests.testing import make_city

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]
PASSWORD = "correct horse battery"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
SCREENS = os.environ.get("LOOP311_SCREENS", "")


@dataclass
class Visit:
    """A browser with a key, looking at every page it comes to."""

    tab: Page
    site: str
    look: str
    wrong: list[str] = field(default_factory=list)

    def at(self, path: str, name: str) -> None:
        """The browser must be there; axe looks."""
        if not self.tab.url.startswith(f"{self.site}{path}"):
            self.wrong.append(f"{name}: at {self.tab.url} instead of {path}: {self.tab.inner_text('main')[:300]}")
        self.wrong += faults(self.tab)
        if SCREENS:
            self.tab.screenshot(path=str(Path(SCREENS) / f"{name}-{self.look}.png"), full_page=True)

    def go(self, path: str, name: str) -> None:
        self.tab.goto(f"{self.site}{path}")
        self.at(path, name)

    def press(self, name: str) -> None:
        with self.tab.expect_navigation():
            self.tab.get_by_role("button", name=name, exact=True).click()

    def sign_in(self, address: str) -> None:
        self.tab.fill("#id_login", address)
        self.tab.fill("#id_password", PASSWORD)
        self.press("Sign in")


@pytest.fixture
def admin() -> StaffMember:
    cache.clear()
    staff = a_member(make_city().jurisdiction, Role.ADMINISTRATOR)
    staff.user.set_password(PASSWORD)
    staff.user.save()
    return staff


def visit(site: str, look: str, viewport: ViewportSize, steps: Callable[[Visit], None]) -> list[str]:
    """What was wrong on the way; in a thread of its own, as Playwright's loop and Django's queries do not mix."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_visit, site, look, viewport, steps).result()


def _visit(site: str, look: str, viewport: ViewportSize, steps: Callable[[Visit], None]) -> list[str]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        colours: Any = look
        context = browser.new_context(color_scheme=colours, viewport=viewport)
        context.set_default_timeout(PATIENCE)
        tab = context.new_page()
        key = context.new_cdp_session(tab)
        key.send("WebAuthn.enable")
        key.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        here = Visit(tab, site, look)
        tab.on("console", lambda said: here.wrong.append(said.text) if "Content Security Policy" in said.text else None)
        tab.on("pageerror", lambda error: here.wrong.append(str(error)))
        steps(here)
        browser.close()
        return here.wrong


def test_a_passkey_is_added_and_lets_in_alone_and_as_second_factor(admin: StaffMember, live_server: Any) -> None:
    address = admin.user.email

    def steps(here: Visit) -> None:
        here.go("/desk/sign-in/", "sign-in")
        here.sign_in(address)
        here.go("/desk/me/", "me")
        here.tab.goto(f"{here.site}/desk/me/passkeys/add/")
        here.at("/desk/me/confirm/", "confirm")
        here.tab.fill("input[name=password]", PASSWORD)
        here.press("Confirm")
        here.at("/desk/me/passkeys/add/", "passkey-add")
        here.press("Add it")
        here.tab.wait_for_url(f"{here.site}/desk/me/codes/")
        here.at("/desk/me/codes/", "codes")
        here.go("/desk/me/", "me-with-passkey")
        here.tab.get_by_role("link", name="Rename Passkey").click()
        here.at("/desk/me/passkeys/", "passkey-rename")
        here.tab.fill("input[name=name]", "Work laptop")
        here.press("Rename it")
        here.press("Sign out")
        here.go("/desk/sign-in/?next=/desk/callbacks/", "sign-in-again")
        here.press("Sign in with a passkey")
        here.tab.wait_for_url(f"{here.site}/desk/callbacks/")
        here.tab.goto(f"{here.site}/desk/me/passkeys/add/")
        here.tab.get_by_role("link", name="Use a security key").click()
        here.at("/desk/me/confirm/passkey/", "confirm-passkey")
        here.press("Use a passkey")
        here.tab.wait_for_url(f"{here.site}/desk/me/passkeys/add/")
        here.press("Sign out")
        here.go("/desk/sign-in/", "sign-in-third")
        here.sign_in(address)
        here.at("/desk/sign-in/code/", "second-factor")
        here.press("Use a passkey")
        here.tab.wait_for_url(lambda url: "/sign-in/" not in url)

    assert visit(live_server.url, "light", WIDE, steps) == []
    assert Authenticator.objects.get(user=admin.user, type="webauthn").data["name"] == "Work laptop"
    how = [event.body for event in Event.objects.filter(kind="staff.signed_in").order_by("pk")]
    assert len(how) == 3
    assert "webauthn" in how[1]
    assert "password" not in how[1]


@pytest.mark.parametrize(("look", "viewport"), [("light", WIDE), ("dark", NARROW)])
def test_no_page_of_the_sign_in_keeps_anybody_out(
    admin: StaffMember, live_server: Any, look: str, viewport: ViewportSize
) -> None:
    colleague = a_member(admin.jurisdiction, Role.AUDITOR, teams=["north"])
    for _ in range(lockout.ACCOUNT.tries + 1):
        try:
            lockout.admit(colleague.user.email, "192.0.2.1")
        except lockout.Locked:
            break

    def steps(here: Visit) -> None:
        here.go("/desk/forgot/", "forgot")
        here.press("Send a link")
        here.at("/desk/forgot/", "forgot-wrong")
        here.go("/desk/password/1/none/", "link-used")
        here.go("/desk/sign-in/cancelled/", "cancelled")
        here.go("/desk/sign-in/", "sign-in")
        here.tab.fill("#id_login", "nobody@example.org")
        here.tab.fill("#id_password", "wrong")
        here.press("Sign in")
        here.at("/desk/sign-in/", "sign-in-wrong")
        here.sign_in(admin.user.email)
        here.go("/desk/me/", "me")
        here.go("/desk/me/password/", "password")
        here.press("Change it")
        here.at("/desk/me/password/", "password-wrong")
        here.tab.goto(f"{here.site}/desk/me/app/")
        here.tab.fill("input[name=password]", PASSWORD)
        here.press("Confirm")
        here.at("/desk/me/app/", "app")
        secret = here.tab.inner_text("#totp-key")
        here.tab.fill(
            "input[name=code]", str(format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1])))
        )
        here.press("Switch it on")
        here.at("/desk/me/codes/", "codes")
        for path in ("codes/new/", "app/remove/", "passkeys/add/"):
            here.go(f"/desk/me/{path}", path.replace("/", "-"))
        here.go("/desk/me/", "me-with-app")
        here.go("/desk/staff/", "staff")
        here.go("/desk/staff/new/", "staff-new")
        here.press("Take on")
        here.at("/desk/staff/new/", "staff-new-wrong")
        here.go(f"/desk/staff/{colleague.pk}/", "staff-member")

    assert visit(live_server.url, look, viewport, steps) == []
