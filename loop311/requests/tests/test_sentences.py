from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loop311.requests import services
from loop311.requests.policies import State
from loop311.requests.sentences import PATTERNS, public_sentence, say, spoken_date
from loop311.requests.testing import City

CHICAGO = ZoneInfo("America/Chicago")


def test_every_state_has_a_sentence_in_every_language() -> None:
    assert {language: set(patterns) for language, patterns in PATTERNS.items()} == {"en": set(State), "es": set(State)}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "North has it and plans to fill it by Thursday, March 5."), ("es-MX", "5 de marzo")],
)
def test_an_assigned_request_says_who_and_until_when(city: City, language: str, words: str) -> None:
    assert words in public_sentence(services.assign(city.file(), by=city.system), language)


def test_a_done_request_says_what_proves_it(city: City) -> None:
    done = city.done(city.file())
    assert public_sentence(done, "en") == "Done: The work was done. Proof: A photo. Tell us if it is not."
    assert "Prueba: A photo (es). Avísenos" in public_sentence(done, "es")


def test_information_is_proved_by_nothing_but_itself(city: City) -> None:
    told = services.resolve(city.file(), outcome="told", by=city.system)
    assert public_sentence(told, "en") == "Done: We told you how. Tell us if it is not."


def test_due_at_midnight_is_due_the_day_before() -> None:
    midnight = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
    assert spoken_date(midnight, CHICAGO, "en") == "Thursday, March 5"
    assert spoken_date(None, CHICAGO, "en") == "not known yet"


def test_a_language_without_a_text_falls_back() -> None:
    assert say({"en": "Pothole", "es": "Bache"}, "es-US") == "Bache"
    assert say({"en": "Pothole"}, "vi") == "Pothole"
    assert say({}, "en", "code") == "code"
