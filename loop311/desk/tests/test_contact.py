"""A contact on plain pages, without scripts: every step, what is kept, what is refused, what comes of it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from loop311.accounts.policies import Role
from loop311.callbacks.models import Callback
from loop311.desk.contact import drafts
from loop311.desk.models import Draft
from loop311.desk.testing import Sitting, sit
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.kit.testing import Page, page, same_number_of_queries
from loop311.kit.tests import pictures
from loop311.kit.uploads import Upload
from loop311.knowledge.models import Gap
from loop311.knowledge.testing import an_article, words
from loop311.ledger.models import Event
from loop311.notifications.models import Message
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares
from loop311.requests.models import Request
from loop311.requests.services import attach
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
ELM = "32.050000,-96.950000,412 Elm St"


@pytest.fixture
def desk() -> Sitting:
    found = sit(role=Role.CONCIERGE)
    city = found.city
    load_boundaries(city.jurisdiction, "district", squares(2), by=city.system, is_boundary=True)
    rows = [Address("412 Elm St", 32.05, -96.95), Address("414 Elm St", 32.05, -96.94)]
    load_addresses(city.jurisdiction, rows, by=city.system)
    return found


class Window:
    """A browser's window with one contact, without scripts: what it shows is what it sends."""

    def __init__(self, client: Client, address: str) -> None:
        self.client, self.address = client, address
        self.look()

    @property
    def number(self) -> int:
        return int(self.address.strip("/").rpartition("/")[2])

    def look(self) -> Page:
        self.page = page(self.client, self.address)
        self.state = dict(re.findall(r'name="(tab|version|part)" value="([^"]*)"', self.page.html))
        return self.page

    def step(self, step: str, value: str = "", status: int = 302, /, **typed: Any) -> Page:
        response = self.client.post(f"{self.address}{step}/", {**self.state, "value": value, **typed})
        assert response.status_code == status, f"{response.status_code}: {response.content.decode()[:2000]}"
        if status == 302 and response.headers["Location"].startswith(self.address):
            return self.look()
        self.page = Page(response.content.decode(), response.headers["Content-Security-Policy"])
        return self.page


def begin(desk: Sitting, **more: str) -> Window:
    response = desk.client.post("/desk/contact/", {"channel": "phone", **more})
    assert response.status_code == 302
    return Window(desk.client, response.headers["Location"])


def test_one_key_begins_a_contact(desk: Sitting) -> None:
    assert "None. Every contact" in page(desk.client, "/desk/contact/").text
    window = begin(desk)
    contact = Interaction.objects.get()
    assert (contact.channel, contact.staff, contact.ended_at) == ("phone", desk.staff, None)
    assert "What can I do for you?" in window.page.text
    assert window.address in page(desk.client, "/desk/contact/").html


def test_the_telephone_says_who_rings(desk: Sitting) -> None:
    a_resident(desk.city.jurisdiction, "Demo Resident", mobile="214-555-0123")
    assert "Demo Resident" in page(desk.client, "/desk/contact/?phone=2145550123").text
    assert "Demo Resident" in begin(desk, phone="214-555-0123").page.text


def test_from_the_first_word_to_the_number(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, "Demo Resident", mobile="214-555-0123")
    window = begin(desk)
    assert "Demo Resident" in window.step("go", who="demo resident").text
    window.step("caller", str(resident.pk), who="demo resident")
    assert "Pothole" in window.step("go", want="a pothole in front of my house").text
    shown = window.step("service", "pothole", want="a pothole in front of my house")
    assert "Is somebody in danger now?" in shown.text
    assert "412 Elm St" in window.step("go", address="412 elm", **{"q-danger": "no"}).text
    shown = window.step("place", ELM, address="412 elm", **{"q-danger": "no"})
    assert "North plans to fill it by" in shown.text
    shown = window.step("file", **{"q-danger": "no"})
    request = Request.objects.get()
    assert (request.resident, request.address, request.latitude) == (resident, "412 Elm St", 32.05)
    assert (request.description, request.answers) == ("a pothole in front of my house", {"danger": "no"})
    assert request.interaction == Interaction.objects.get()
    assert f"Your number is {request.number}." in shown.text
    window.step("end")
    contact = Interaction.objects.get()
    assert (contact.outcome, contact.topic, contact.resident) == ("request", "pothole", resident)
    assert not Draft.objects.exists()
    page(desk.client, window.address, status=404)


def ready(desk: Sitting, **typed: str) -> Window:
    """A contact about a pothole that can be saved."""
    window = begin(desk)
    window.step("service", "pothole", want="deep")
    window.step("place", ELM, address="412 Elm St", **{"q-danger": "no"}, **typed)
    return window


def test_the_same_key_twice_makes_one_request(desk: Sitting) -> None:
    window = ready(desk)
    sent = dict(window.state)
    for _ in range(2):
        window.state = sent
        window.step("file")
    assert Request.objects.count() == 1


def test_what_is_refused_keeps_the_words_and_says_why_at_the_field(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "pothole", want="very deep")
    shown = window.step("file", "", 422, want="very deep", address="somewhere far", **{"q-depth": "99"}).check()
    assert "This must be answered" in shown.text
    assert "Give 60 or less" in shown.text
    assert "very deep" in shown.text
    assert 'value="somewhere far"' in shown.html
    assert not Request.objects.exists()
    assert 'value="somewhere far"' in window.look().html


def test_an_address_with_candidates_is_chosen_from_or_kept_as_written(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "pothole")
    sent = {"address": "elm", "q-danger": "no"}
    assert "Choose which place is meant" in window.step("file", "", 422, **sent).text
    window.look()
    window.step("place", "none", **sent)
    window.step("file")
    assert (Request.objects.get().address, Request.objects.get().latitude) == ("elm", None)


def test_another_address_lets_go_of_the_place(desk: Sitting) -> None:
    window = ready(desk)
    assert "Found:" in window.page.text
    assert "Found:" not in window.step("go", address="414 Elm St").text


def test_a_pothole_that_is_known_is_joined(desk: Sitting) -> None:
    leading = desk.city.file(latitude=32.05, longitude=-96.95, at=now() - timedelta(days=2))
    window = begin(desk)
    window.step("service", "pothole")
    assert leading.number in window.step("place", ELM, address="412 Elm St").text
    window.step("join", leading.number)
    shown = window.step("file", **{"q-danger": "no"})
    request = Request.objects.exclude(pk=leading.pk).get()
    assert (request.leading, request.state) == (leading, "joined")
    assert request.number in shown.text
    assert "The same problem as another report" in shown.text


def test_what_is_known_shows_its_newest_photo(desk: Sitting, settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path
    known = desk.city.file(latitude=32.05, longitude=-96.95, at=now() - timedelta(days=2))
    attach(known, [Upload("IMG_1.jpg", pictures.from_a_phone())], by=desk.city.member)
    window = begin(desk)
    window.step("service", "pothole")
    (photo,) = window.step("place", ELM, address="412 Elm St").images
    assert photo["alt"] == f"Newest photo of {known.number}"
    assert desk.client.get(photo["src"])["Content-Type"] == "image/jpeg"


def test_danger_is_unmistakable_and_on_the_record_before_anything_else(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "pothole")
    shown = window.step("go", **{"q-danger": "yes"})
    assert "Stay on the line with 911" in shown.text
    window.step("go", **{"q-danger": "yes"})
    assert Event.objects.filter(kind="interaction.danger_reported").count() == 1
    window.step("hand-to-911")
    assert (Interaction.objects.get().outcome, Interaction.objects.get().topic) == ("transferred", "pothole")


def test_a_call_back_is_promised_by_the_clocks_of_who_waits_for_it(desk: Sitting) -> None:
    window = ready(desk)
    window.step("new-caller", name="Demo Caller", phone="214 555 0111", language="en")
    assert "clocks" not in window.page.text
    Resident.objects.update(time_zone="America/New_York")
    assert "By the caller's clocks: New York." in window.step("another").text
    tomorrow = (now() + timedelta(days=1)).date()
    window.step("call-back", day=tomorrow.isoformat(), start="10:00", end="12:00", reason="the date")
    promised = Callback.objects.get().window_start.astimezone(ZoneInfo("America/New_York"))
    assert (promised.date(), promised.hour) == (tomorrow, 10)
    assert "noon (New York)" in window.page.text


def test_several_things_in_one_contact(desk: Sitting) -> None:
    window = ready(desk)
    window.step("new-caller", name="Demo Caller", phone="214 555 0111", language="es")
    window.step("file")
    assert "What can I do for you?" in window.step("another").text
    window.step("service", "sign", want="a sign")
    window.step("file")
    window.step("another")
    window.step("service", "sign", want="when?")
    window.step("inform", "sign")
    tomorrow = (now() + timedelta(days=1)).date().isoformat()
    for _ in range(2):
        window.step("call-back", day=tomorrow, start="10:00", end="12:00", reason="the date")
    resident = Resident.objects.get(name="Demo Caller")
    assert [(r.service.code, r.resident) for r in Request.objects.order_by("pk")] == [
        ("pothole", resident),
        ("sign", resident),
    ]
    assert Callback.objects.get().interaction == Interaction.objects.get()
    assert "Information" in window.page.text
    window.step("end")
    assert Interaction.objects.get().outcome == "request"
    assert Event.objects.filter(kind="interaction.answered").count() == 1


def test_information_only_takes_one_key(desk: Sitting) -> None:
    window = begin(desk)
    window.step("service", "sign")
    window.step("inform", "sign")
    window.step("end")
    assert (Interaction.objects.get().outcome, Interaction.objects.get().topic) == ("information", "sign")


def test_words_of_any_kind_are_kept_or_refused_with_a_sentence(desk: Sitting) -> None:
    window = begin(desk)
    shown = window.step("go", want="<script>alert(1)</script>\x00", who="a" * 300)
    assert "<script>alert" not in shown.html
    assert "&lt;script&gt;" in shown.html
    window.step("go", "", 422, want="x" * 30_000)
    window.look()
    window.step("go", "", 413, **{f"q-x{n}": "1" for n in range(200)})
    window.look()
    for name, value in (("caller", "0"), ("caller", "x"), ("service", "none"), ("join", "26-1"), ("about", "x")):
        window.step(name, value, 404)
        window.look()
    window.step("place", "1,2,3", 422)
    window.look()
    window.step("nonsense", "", 404)
    assert "&lt;script&gt;" in window.look().html


def test_an_answer_is_given_and_sent_to_the_caller(desk: Sitting) -> None:
    article = an_article(desk.city.jurisdiction, "missed", words("Missed garbage"))
    resident = a_resident(desk.city.jurisdiction, "Demo Resident", email="resident@example.org")
    window = begin(desk)
    window.step("caller", str(resident.pk))
    shown = window.step("go", want="missed garbage")
    assert "Trucks come until seven." in shown.text
    assert "resident@example.org" in window.step("send", "missed").text
    window.step("send", "missed")
    assert Message.objects.get().interaction == Interaction.objects.get()
    window.step("inform", "article:missed")
    window.step("inform", "article:nothing", 404)
    window.look()
    window.step("end")
    contact = Interaction.objects.get()
    assert (contact.outcome, contact.topic) == ("information", "trash")
    linked = contact.links.get()
    assert (linked.subject_type, linked.subject_id) == ("article", article.pk)


def test_what_nobody_knows_is_passed_on_and_every_desk_sees_it(desk: Sitting) -> None:
    window = begin(desk)
    shown = window.step("ask-around", want="where is the parade?")
    assert "Asked around" in shown.text
    window.step("ask-around")
    assert Gap.objects.get().asked == 1
    other = sit(desk.city, Role.CONCIERGE, name="other")
    assert "where is the parade?" in begin(other).page.text


def test_the_screen_asks_the_same_number_of_times_whatever_there_is(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, "Demo Resident", mobile="214-555-0123")
    window = ready(desk)
    window.step("caller", str(resident.pk))
    window.step("file")

    def more() -> None:
        for _ in range(4):
            contact = Interaction.objects.get(pk=window.number)
            desk.city.file(resident=resident, interaction=contact, latitude=32.05, longitude=-96.95, at=now())
            desk.city.file(resident=resident, latitude=32.05, longitude=-96.95, at=now() - timedelta(days=1))

    assert same_number_of_queries(lambda: desk.client.get(window.address), more) <= 40


def test_a_caller_may_stay_anonymous_and_may_ask_for_somebody_else(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction)
    window = begin(desk)
    window.step("caller", str(resident.pk))
    window.step("other-caller")
    window.step("go", anonymous="on", on_behalf_of="a neighbour")
    window.step("service", "sign")
    window.step("file")
    contact = Interaction.objects.get()
    assert (contact.resident, contact.on_behalf_of, Request.objects.get().resident) == (None, "a neighbour", None)


def test_a_spanish_caller_hears_everything_in_spanish_with_english_beside(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, language="es")
    window = begin(desk)
    window.step("caller", str(resident.pk))
    shown = window.step("service", "pothole")
    assert "Is somebody in danger now? (es)" in shown.text
    assert '<span class="beside" lang="en">Is somebody in danger now?</span>' in shown.html
    shown = window.step("place", ELM, address="412 Elm St", **{"q-danger": "no"})
    assert "planea fill it (es) a más tardar el" in shown.text
    assert "North plans to fill it by" in shown.text
    shown = window.step("file")
    assert f"Su número es {Request.objects.get().number}." in shown.text
    assert Interaction.objects.get().language == "es"


def test_two_windows_do_not_write_over_each_other_unseen(desk: Sitting) -> None:
    one = begin(desk)
    two = Window(desk.client, one.address)
    one.step("go", want="words of the first")
    shown = two.step("go", "", 409, want="words of the second").check()
    assert "changed in another window" in shown.text
    assert "words of the first" in shown.text
    assert "words of the second" in shown.text
    two.state = dict(re.findall(r'name="(tab|version|part)" value="([^"]*)"', shown.html))
    assert "words of the second" in two.step("go", want="words of the second").text


def test_a_colleagues_contact_is_not_mine(desk: Sitting) -> None:
    window = begin(desk)
    other = sit(desk.city, Role.CONCIERGE, name="other")
    page(other.client, window.address, status=404)
    assert other.client.post(f"{window.address}end/").status_code == 404
    assert window.address not in page(other.client, "/desk/contact/").html


def test_an_auditor_takes_no_calls(desk: Sitting) -> None:
    auditor = sit(desk.city, Role.AUDITOR, name="auditor2")
    page(auditor.client, "/desk/contact/", status=403)


def test_asking_about_a_request_links_it(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction)
    request = desk.city.file(resident=resident)
    window = begin(desk)
    assert request.number in window.step("caller", str(resident.pk)).text
    assert "We have your request." in window.step("about", request.number).text
    window.step("end")
    contact = Interaction.objects.exclude(pk=request.interaction_id).get()
    assert (contact.outcome, contact.links.get().subject_id) == ("follow_up", request.pk)


def test_an_erased_resident_leaves_no_words_in_an_open_contact(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, "Demo Resident")
    window = begin(desk)
    window.step("caller", str(resident.pk), who="demo resident")
    window.step("go", want="words about me", on_behalf_of="my mother")
    residents.erase(resident, by=desk.city.system)
    drafts.forget_resident(Event.objects.get(kind="resident.erased").pk)
    assert Draft.objects.get().content.get("typed", {}) == {}
    assert "words about me" not in window.look().html
