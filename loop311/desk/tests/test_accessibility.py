"""Every page in a real browser: no violation of WCAG 2.2 AA, light and dark, wide and narrow, and nothing hangs over the edge."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, ViewportSize, sync_playwright

from loop311.callbacks.testing import a_callback
from loop311.desk.testing import Sitting, sit
from loop311.knowledge import services as knowledge
from loop311.knowledge.testing import a_draft, an_article, words
from loop311.requests import services
from loop311.requests.testing import MONDAY
from loop311.residents.testing import a_resident
from loop311.workorders.connectors.base import Refused
from loop311.workorders.testing import link_up

AXE = Path(settings.ROOT) / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."),
]


@pytest.fixture
def desk() -> Sitting:
    """A city with something on every page."""
    found = sit()
    city = found.city
    resident = a_resident(city.jurisdiction, mobile="214-555-0123", email="resident@example.org")
    request = city.file(resident=resident, description="It is deep.", latitude=32.0, longitude=-97.0)
    city.done(request)
    services.dispute(request, text="Still there", by=city.concierge, at=MONDAY + timedelta(days=1))
    services.join(city.file(), leading=request, by=city.concierge)
    a_callback(city.jurisdiction, request=request, reason="the crew's answer")
    body = "# Heading\n\n- [a](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    article = an_article(
        city.jurisdiction, "garbage", words(body=body), words("Basura", "es"), expires_on=date(2020, 1, 1)
    )
    a_draft(city.jurisdiction, "waiting", words(), words("Basura", "es"))
    knowledge.rate(article, "outdated", by=city.system)
    knowledge.report_gap(city.jurisdiction, "Is the parade on?", by=city.system)
    link = link_up(city)
    link.department.next_answers = [Refused(reason="Urgent must be a letter.")]
    link.hand_over()
    return found


WIDE, NARROW = ViewportSize(width=1366, height=768), ViewportSize(width=360, height=780)


def other(desk: Sitting) -> int:
    """Somebody who may be the same as the one who asked."""
    return desk.city.jurisdiction.resident_set.latest("pk").pk


def paths(desk: Sitting) -> list[str]:
    request = desk.city.jurisdiction.request_set.earliest("pk")
    person = f"/desk/residents/{request.resident_id}"
    callback = desk.city.jurisdiction.callback_set.earliest("pk")
    return [
        "/desk/", "/desk/queue/north/", "/desk/queue/north/?due=late&who=nobody", "/desk/digest/",
        f"/desk/sheets/?pick={request.number}",
        "/desk/search/?q=elm", "/desk/file/", "/desk/file/pothole/", "/desk/file/sign/",
        "/desk/failures/", "/desk/callbacks/?whose=all", f"/desk/callbacks/{callback.pk}/", "/desk/cities/",
        f"/desk/requests/{request.number}/", f"/desk/requests/{request.number}/service/",
        f"/desk/requests/{request.number}/callback/", f"{person}/", "/desk/residents/?q=resident",
        "/desk/residents/new/?q=0123", f"{person}/edit/", f"{person}/merge/{other(desk)}/", f"{person}/callback/",
        f"/desk/callbacks/{callback.pk}/?whose=all",
        f"/desk/requests/{request.number}/receipt/",
        "/desk/knowledge/", "/desk/knowledge/?q=garbage", "/desk/knowledge/articles/garbage/?language=es", "/desk/knowledge/new/",
        "/desk/knowledge/articles/garbage/edit/", "/desk/knowledge/articles/waiting/versions/1/", "/desk/knowledge/review/",
        "/desk/knowledge/gaps/", "/desk/requests/26-99999999/", "/desk/?state=nonsense",
        "/desk/links/", "/desk/links/streets/",
    ]  # fmt: skip


@pytest.mark.parametrize(("colours", "viewport"), [("light", WIDE), ("dark", NARROW)])
def test_no_page_keeps_anybody_out(desk: Sitting, live_server: Any, colours: Any, viewport: ViewportSize) -> None:
    addresses = [f"{live_server}{path}" for path in paths(desk)]
    session = desk.client.cookies["sessionid"].value
    # In a thread of its own, because Playwright runs an event loop in which Django refuses its queries.
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(walk, addresses, session, colours, viewport).result() == []


def walk(addresses: list[str], session: str, colours: Any, viewport: ViewportSize) -> list[str]:
    """The faults of the sign-in, of every page, and of the request page with every form open."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(bypass_csp=True, color_scheme=colours, viewport=viewport)
        context.set_default_timeout(60_000)
        tab = context.new_page()
        wrong = faults(tab, addresses[0])
        assert "sign-in" in tab.url
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": addresses[0]}])
        for address in addresses:
            wrong += faults(tab, address)
        tab.goto(next(address for address in addresses if "/requests/" in address))
        tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        wrong += faults(tab)
        browser.close()
        return wrong


def faults(tab: Page, address: str = "") -> list[str]:
    """Broken rules with where, and whether it is wider than its window. Without an address: the page as it stands."""
    if address:
        tab.goto(address)
    tab.evaluate(AXE.read_text())
    found = tab.evaluate(RUN, TAGS)["violations"]
    broken = [f"{tab.url}: {rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        broken.append(f"{tab.url} is wider than its window")
    return broken
