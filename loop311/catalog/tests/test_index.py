"""Looking things up in one version."""

from __future__ import annotations

import msgspec
import pytest

from loop311.catalog.index import ALWAYS, CatalogueIndex, text_in
from loop311.catalog.testing import both, small_catalogue

INDEX = CatalogueIndex.of(small_catalogue())


def test_things_are_found_by_their_codes() -> None:
    service = INDEX.services["pothole"]
    assert INDEX.groups[service.group].names == both("Streets")
    assert INDEX.departments[service.department].code == "public_works"
    assert [outcome.code for outcome in INDEX.outcomes_of(service)] == ["repaired", "not_ours"]
    promise = INDEX.promise_of(service)
    assert promise is not None
    assert promise.code == "three_days"
    assert INDEX.owners["state_road"].phone
    with pytest.raises(KeyError):
        INDEX.services["nothing"]


def test_there_is_always_a_calendar_that_is_always_open() -> None:
    assert INDEX.calendars["always"] == ALWAYS
    assert set(INDEX.calendars) == {"always", "office"}


def test_the_template_that_names_the_service_wins() -> None:
    general = small_catalogue().templates[0]
    special = msgspec.structs.replace(general, services=("pothole",), sms=both("Special"))
    index = CatalogueIndex.of(msgspec.structs.replace(small_catalogue(), templates=(general, special)))
    assert index.template("request.filed", "pothole") == special
    assert index.template("request.filed", "dog_loose") == general
    assert index.template("request.filed") == general
    assert index.template("request.lost", "pothole") is None


def test_only_what_can_be_asked_for_is_offered() -> None:
    old = msgspec.structs.replace(small_catalogue().services[0], historical=True)
    index = CatalogueIndex.of(msgspec.structs.replace(small_catalogue(), services=(old,)))
    assert (index.offered(), list(index.services)) == ([], ["pothole"])


def test_a_text_falls_back_to_the_first_language_then_to_any() -> None:
    assert INDEX.text({"en": "Dog", "es": "Perro"}, "es") == "Perro"
    assert INDEX.text({"en": "Dog", "es": ""}, "es") == "Dog"
    assert INDEX.text({"vi": "Chó"}, "es") == "Chó"
    assert text_in({}, ("en",)) == ""
