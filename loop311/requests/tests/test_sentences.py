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


def test_due_at_midnight_is_due_the_day_before() -> None:
    midnight = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
    assert spoken_date(midnight, CHICAGO, "en") == "Thursday, March 5"
    assert spoken_date(None, CHICAGO, "en") == "not known yet"


def test_a_language_without_a_text_falls_back() -> None:
    assert say({"en": "Pothole", "es": "Bache"}, "es-US") == "Bache"
    assert say({"en": "Pothole"}, "vi") == "Pothole"
    assert say({}, "en", "code") == "code"
