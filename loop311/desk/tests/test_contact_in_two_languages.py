"""Whom the concierge speaks with hears their own language; what the concierge reads or tells 911 is the desk's."""

from __future__ import annotations

import re
from html import unescape

import pytest

from loop311.desk.testing import Sitting, a_call_center
from loop311.desk.tests.test_contact import Window, begin
from loop311.ledger.models import Event
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db
DOG = "dog_aggressive"
ELM = "32.050000,-96.950000,412 Elm St"


@pytest.fixture
def desk() -> Sitting:
    found = a_call_center()
    a_resident(found.city.jurisdiction, "Demo Vecina", mobile="214-555-0177", language="es")
    return found


def spanish(desk: Sitting) -> Window:
    window = begin(desk)
    window.step("caller", str(desk.city.jurisdiction.resident_set.get().pk))
    window.step("service", DOG)
    return window


def told_911(html: str) -> str:
    found = re.search(r'id="tell-911"[^>]*>(.*?)</p>', html, re.DOTALL)
    assert found is not None, "nothing is there to tell 911"
    return " ".join(unescape(re.sub(r"<[^>]+>", "", found[1])).split())


def test_911_is_told_what_and_where_and_who_in_its_own_language(desk: Sitting) -> None:
    window = spanish(desk)
    shown = window.step("go", **{"q-danger": "yes"})
    assert told_911(shown.html).startswith("Tell 911: Aggressive dog loose now. ")
    assert "Demo Vecina, (214) 555-0177" in told_911(shown.html)
    shown = window.step("place", ELM, address="412 Elm", location_note="behind the school", **{"q-danger": "yes"})
    assert "Aggressive dog loose now, 412 Elm St (behind the school)." in told_911(shown.html)


def test_what_911_is_told_follows_the_place_as_it_is_typed_and_chosen(desk: Sitting) -> None:
    window = spanish(desk)
    window.step("go", **{"q-danger": "yes"})
    typed = {**window.state, "show": "places known promise tell_911", "address": "412 E", "q-danger": "yes"}
    answer = desk.client.post(f"{window.address}go/", typed, headers={"HX-Request": "true"})
    assert "412 E." in told_911(answer.content.decode())
    window.look()
    chosen = {**window.state, "value": ELM, "address": "412 E", "q-danger": "yes"}
    answer = desk.client.post(f"{window.address}place/", chosen, headers={"HX-Request": "true"})
    assert "412 Elm St." in told_911(answer.content.decode())


def test_a_yes_or_no_and_a_hint_stand_in_both_languages(desk: Sitting) -> None:
    shown = spanish(desk).page
    children = shown.html.rpartition('name="shown" value="q-near_children"')[2].partition("</fieldset>")[0]
    assert 'lang="es">Sí</span> <span class="beside" lang="en">Yes</span>' in children
    assert 'lang="es">Un caso de perro peligroso' in shown.html
    assert '<span class="beside" lang="en">A dangerous-dog case' in shown.html


def test_advice_is_said_in_the_callers_language_with_the_desks_beside(desk: Sitting) -> None:
    window = begin(desk)
    window.step("caller", str(desk.city.jurisdiction.resident_set.get().pk))
    window.step("service", "missed_garbage")
    shown = window.step("go", **{"q-out_by_seven": "yes", "q-truck_since": "no"})
    assert re.search(r'class="say__caller" lang="es">[^<]*camión', shown.html)
    assert re.search(r'class="beside" lang="en">[^<]*the truck may only be late', shown.html)


def test_who_answers_for_an_article_is_named_in_the_desks_language(desk: Sitting) -> None:
    shown = spanish(desk).step("go", want="perro que ladra")
    assert "Animal Field Officers" in shown.text
    assert "Agentes de Control de Animales, " not in shown.text


def test_without_scripts_there_is_a_button_to_go_on_wherever_something_is_typed(desk: Sitting) -> None:
    html = spanish(desk).page.html
    for section in ("caller", "want", "safety", "where", "questions"):
        own = html.partition(f'id="{section}" ')[2].partition("</section>")[0]
        (shown,) = re.findall(r"<noscript>(.*?)</noscript>", own, re.DOTALL)
        assert "Go on</button>" in shown, section
    assert '<span id="saved" hidden>' in html, "nothing is kept as it is typed where no script keeps it"


def test_the_language_spoken_in_a_contact_is_that_of_the_messages_from_then_on(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    for name, step, value in (
        ("Demo One", "inform", "pothole"),
        ("Demo Two", "call-back", ""),
        ("Demo Three", "end", ""),
    ):
        resident = a_resident(city, name, mobile=f"214-555-01{40 + len(name)}", language="en")
        window = begin(desk)
        window.step("caller", str(resident.pk))
        window.step(step, value, language="es", day="2030-03-04", start="09:00", end="11:00")
        resident.refresh_from_db()
        assert (resident.language, name) == ("es", name)
    assert Event.objects.filter(kind="resident.changed").count() == 3


def test_a_language_the_city_does_not_speak_changes_nothing(desk: Sitting) -> None:
    resident = a_resident(desk.city.jurisdiction, "Demo One", language="en")
    window = begin(desk)
    window.step("caller", str(resident.pk))
    window.step("end", language="xx")
    resident.refresh_from_db()
    assert resident.language == "en"
