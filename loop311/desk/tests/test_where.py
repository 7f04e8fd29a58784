"""Where, on the filing page: suggestions, the map's drawings, what is known there, the receipt; without a script and with."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page as Tab
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import sync_playwright

from loop311.accounts.policies import Role
from loop311.catalog.models import Service
from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.driving import PATIENCE
from loop311.desk.tests.test_accessibility import faults
from loop311.desk.tests.test_filing import answered, post
from loop311.kit.clock import now
from loop311.kit.testing import page, same_number_of_queries
from loop311.kit.tests import pictures
from loop311.kit.uploads import Upload
from loop311.places.addresses import Address
from loop311.places.drawing import cell_of
from loop311.places.services import derive_streets, load_addresses, load_boundaries
from loop311.places.testing import squares
from loop311.requests import services
from loop311.requests.models import Request, UsualTime

HERE = {"latitude": "32.050000", "longitude": "-96.950000"}


def a_town(found: Sitting) -> Sitting:
    city = found.city
    load_boundaries(city.jurisdiction, "district", squares(2), by=city.system, is_boundary=True, name="Districts")
    rows = [
        Address(f"{400 + i} Elm St", 32.05, -96.95 + i * 0.0004, street="Elm St", house_number=str(400 + i))
        for i in range(20)
    ]
    load_addresses(city.jurisdiction, rows, by=city.system)
    derive_streets(city.jurisdiction, by=city.system)
    return found


@pytest.fixture
def desk(db: None) -> Sitting:
    return a_town(sit(role=Role.CONCIERGE))


def test_suggestions_come_while_an_address_is_typed(desk: Sitting) -> None:
    found = desk.client.get("/desk/where/suggest/?q=412 el").json()
    assert [(each["text"], each["match"]) for each in found] == [("412 Elm St", "exact")]
    assert desk.client.get("/desk/where/suggest/?q=%00%25").json() == []
    assert desk.client.get("/desk/where/suggest/").json() == []


def test_the_map_begins_with_what_it_may_draw_and_drawings_are_kept(desk: Sitting) -> None:
    begin = desk.client.get("/desk/where/map/").json()
    assert [(layer["code"], layer["is_boundary"]) for layer in begin["layers"]] == [("district", True)]
    areas = desk.client.get(begin["layers"][0]["url"])
    assert len(areas.json()["features"]) == 2
    assert "no-store" not in areas["Cache-Control"]
    x, y = cell_of(32.05, -96.95)
    cell = desk.client.get(f"{begin['streets']}{x}/{y}/")
    assert cell.json()["features"][0]["properties"] == {"name": "Elm St"}
    again = desk.client.get(f"{begin['streets']}{x}/{y}/", headers={"If-None-Match": cell["ETag"]})
    assert again.status_code == 304


def test_around_a_point_are_its_address_and_open_requests(desk: Sitting) -> None:
    request = desk.city.file(at=now(), latitude=32.05, longitude=-96.95)
    found = desk.client.get("/desk/where/around/", HERE).json()
    assert (found["address"], [each["number"] for each in found["requests"]]) == ("400 Elm St", [request.number])
    for wrong in ({}, {"latitude": "north", "longitude": "1"}, {"latitude": "91", "longitude": "nan"}):
        assert desk.client.get("/desk/where/around/", wrong).status_code == 422


def test_the_page_shows_areas_what_is_known_and_the_promise_before_saving(desk: Sitting) -> None:
    known = desk.city.file(at=now(), latitude=32.05, longitude=-96.95)
    sent = answered(address="400 elm", **HERE)
    shown = post(desk, {**sent, "search": "1"})
    shown.check()
    for words in ("Districts", f"Pothole {known.number}", "1 report", "North plans to fill it by", "planea fill it"):
        assert words in shown.text
    panel = desk.client.post("/desk/file/pothole/panel/", {**sent, "asked": ["danger", "depth"]})
    assert known.number in panel.content.decode()
    assert "<html" not in panel.content.decode()
    assert Request.objects.count() == 1


def test_a_photo_helps_to_recognise_what_is_known(desk: Sitting, settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path
    known = desk.city.file(at=now(), latitude=32.05, longitude=-96.95)
    services.attach(known, [Upload("IMG_1.jpg", pictures.from_a_phone())], by=desk.city.member)
    shown = post(desk, {**answered(address="400 elm", **HERE), "search": "1"}).check()
    (photo,) = shown.images
    assert photo["alt"] == f"Newest photo of {known.number}"
    assert desk.client.get(photo["src"])["Content-Type"] == "image/jpeg"


def test_the_page_says_how_long_these_usually_take(desk: Sitting) -> None:
    service = Service.objects.get(jurisdiction=desk.city.jurisdiction, code="pothole")
    UsualTime.objects.create(
        jurisdiction=desk.city.jurisdiction, service=service, layer="district", area="1", sample=90, done=80,
        median_hours=48, p90_hours=144, longest_hours=900, counted_at=now(),
    )  # fmt: skip
    shown = post(desk, {**answered(address="400 elm", **HERE), "search": "1"}).text
    assert "in 1, half of these are done within 2 days, nine of ten within 6 days." in shown
    assert "la mitad se resuelve en 2 días" in shown
    assert "too few of these lately" in page(desk.client, "/desk/file/sign/").text


def test_a_point_without_a_choice_from_the_list_is_filed_as_it_is(desk: Sitting) -> None:
    post(desk, answered(address="behind the mill", **HERE), 302)
    request = Request.objects.get()
    assert (request.address, request.latitude, request.areas) == ("behind the mill", 32.05, {"district": "1"})


@pytest.mark.parametrize(
    "wrong", [{"latitude": "32"}, {"latitude": "x", "longitude": "y"}, {"latitude": "95", "longitude": "0"}]
)
def test_half_a_point_is_mended_at_its_field(desk: Sitting, wrong: dict[str, str]) -> None:
    shown = post(desk, answered(address="x", **wrong), 422)
    assert "in degrees, or neither" in shown.text
    assert not Request.objects.exists()


def test_one_choice_files_it_joined(desk: Sitting) -> None:
    known = desk.city.file(at=now(), latitude=32.05, longitude=-96.95)
    post(desk, answered(address="x", leading=known.number, **HERE), 302)
    filed = Request.objects.latest("pk")
    assert (filed.state, filed.leading_id) == ("joined", known.pk)
    post(desk, answered(address="x", leading="26-99999999", **HERE), 422)
    desk.city.done(known)
    assert "no longer being worked on" in post(desk, answered(address="x", leading=known.number, **HERE), 409).text


def test_outside_the_city_the_page_says_whose_it_is(desk: Sitting) -> None:
    sent = answered(address="far", latitude="40.0", longitude="-96.9")
    panel = desk.client.post("/desk/file/pothole/panel/", {**sent, "asked": ["danger", "depth"]}).content.decode()
    assert "The county is responsible, not the city" in panel
    assert "512-555-0199" in panel
    assert "outside Elmville" in panel


def test_who_is_handed_over_leaves_with_a_receipt(desk: Sitting) -> None:
    sent = answered(address="x", **{"q-depth": "55"})
    answer = desk.client.post("/desk/file/pothole/", {**sent, "asked": ["danger", "depth"]})
    number = Request.objects.get().number
    assert answer["Location"] == f"/desk/requests/{number}/receipt/"
    shown = page(desk.client, answer["Location"])
    for words in (number, "512-555-0100", "They fill it themselves.", "Text to send"):
        assert words in shown.text
    assert "es responsable de esto" in page(desk.client, f"{answer['Location']}?language=es").text


def test_the_panel_costs_the_same_however_much_is_known(desk: Sitting) -> None:
    sent = {**answered(address="x", **HERE), "asked": ["danger", "depth"]}

    def look() -> None:
        assert desk.client.post("/desk/file/pothole/panel/", sent).status_code == 200

    def more() -> None:
        for _ in range(3):
            desk.city.file(at=now(), latitude=32.05, longitude=-96.95)

    more()
    assert same_number_of_queries(look, more) <= 14


# --- In a browser ------------------------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
in_a_browser = pytest.mark.skipif(
    not CHROMIUM, reason="No Chromium on this machine; install the package chromium to run this."
)


@in_a_browser
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_an_address_and_a_point_are_given_by_keyboard_alone(live_server: Any, colours: Any) -> None:
    """Under the real policy, which is broken by nothing; axe finds nothing with the list open and the map drawn."""
    found = a_town(sit())
    found.city.file(latitude=32.05, longitude=-96.95)
    session = found.client.cookies["sessionid"].value
    with ThreadPoolExecutor(max_workers=1) as thread:
        seen = thread.submit(drive, f"{live_server}/desk/file/sign/", session, colours).result()
    assert seen["complaints"] == []
    assert seen["chosen"] == ("402 Elm St", "32.050000", "-96.949200")
    assert seen["typed over"] == ("", "")
    assert seen["moved"] != ("", "")
    assert seen["renamed"] == "402 Elm Stx", "words that somebody typed stay"
    assert "Open requests around it: 1" in seen["status"]
    assert "Signs plans to replace it" in seen["panel"]
    assert seen["faults"] == []


def drive(address: str, session: str, colours: Any) -> dict[str, Any]:
    complaints: list[str] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(color_scheme=colours, viewport={"width": 1366, "height": 768})
        context.set_default_timeout(PATIENCE)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address.split("file/")[0]}]
        )
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(address)
        _drawn(tab, complaints)
        seen: dict[str, Any] = {"complaints": complaints, **_typed(tab), **_moved(tab)}
        context.close()
        seen["faults"] = _with_axe(browser, address, session, colours)
        browser.close()
    return seen


def _drawn(tab: Tab, complaints: list[str]) -> None:
    try:
        tab.wait_for_selector("city-map[ready]")
    except TooLate as error:
        raise AssertionError(complaints) from error


def _typed(tab: Tab) -> dict[str, Any]:
    field = tab.locator("address-field input")
    _looked_up(tab, "elm")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        field.press(key)
    tab.wait_for_selector(".city-map__status:has-text('Open requests')")
    chosen = (field.input_value(), *_point(tab))
    status = tab.locator(".city-map__status").inner_text()
    field.press_sequentially("x")
    return {"chosen": chosen, "status": status, "typed over": _point(tab)}


def _looked_up(tab: Tab, words: str) -> None:
    """The list of all the words stands there, not one of their beginning."""
    with tab.expect_response(f"**?q={words}"):
        tab.locator("address-field input").press_sequentially(words)
    tab.wait_for_selector("[role=option]")
    tab.wait_for_timeout(100)


def _moved(tab: Tab) -> dict[str, Any]:
    tab.locator(".city-map__frame").focus()
    with tab.expect_response("**/panel/"):
        tab.keyboard.press("Enter")
    tab.wait_for_selector("where-panel:not([aria-busy])")
    return {
        "moved": _point(tab),
        "renamed": tab.locator("address-field input").input_value(),
        "panel": tab.locator("where-panel").inner_text(),
    }


def _point(tab: Tab) -> tuple[str, str]:
    return tab.locator("[name=latitude]").input_value(), tab.locator("[name=longitude]").input_value()


def _with_axe(browser: Any, address: str, session: str, colours: Any) -> list[str]:
    """Axe is injected, which the policy forbids: in a context that lets it by."""
    context = browser.new_context(bypass_csp=True, color_scheme=colours, viewport={"width": 360, "height": 780})
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address.split("file/")[0]}])
    tab = context.new_page()
    tab.goto(address)
    tab.wait_for_selector("city-map[ready]")
    _looked_up(tab, "elm")
    tab.locator("address-field input").press("ArrowDown")
    found = faults(tab)
    context.close()
    return found
