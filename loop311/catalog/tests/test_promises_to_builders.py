"""What those who write catalogues and templates rely on stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from loop311.catalog.definitions import Catalogue
from loop311.catalog.placeholders import PLACEHOLDERS, unknown_placeholders
from loop311.catalog.services import canonical

ROOT = Path(__file__).resolve().parents[3]
OLD_DOCUMENT = (
    '{"calendars":[{"code":"c"}],"departments":[{"code":"d","names":{}}],"languages":["en"],'
    '"promises":[{"code":"p","resolution":{"amount":1,"unit":"hours"}}],'
    '"services":[{"code":"s","completion":"r","department":"d","group":"g","names":{},"outcomes":[],"owner":"o",'
    '"promise":"p","questions":[{"code":"q","datatype":"text","texts":{}}],"routing":[{"team":"t"}]}],'
    '"teams":[{"code":"t","department":"d","names":{}}]}'
)


def test_a_stored_version_means_the_same_for_ever() -> None:
    """Documents are stored without defaults, so a default that changed would change old versions."""
    old = msgspec.json.decode(OLD_DOCUMENT, type=Catalogue)
    service, question = old.services[0], old.services[0].questions[0]
    assert canonical(old) == OLD_DOCUMENT
    assert (question.required, question.safety, question.private, question.max_length) == (False, False, False, 2000)
    assert (service.priority, service.publicity, service.place) == ("standard", "exact", "required")
    assert service.open311 == "realtime"
    assert (service.dispute_days, service.physical, service.historical) == (7, True, False)
    assert (service.joining.radius_metres, service.joining.days) == (0, 60)
    assert old.promises[0].resolution.calendar == old.teams[0].calendar == "always"
    assert not old.calendars[0].always


def test_the_page_of_placeholders_is_the_list() -> None:
    page = (ROOT / "docs" / "reference" / "placeholders.md").read_text()
    assert dict(re.findall(r"^\| `\{(\w+)\}` \| (.+?) \|$", page, re.MULTILINE)) == PLACEHOLDERS


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{number}: {link}", []),
        ("no braces", []),
        ("{name} and {number}", ["{name}"]),
        ("{number", ["{"]),
        ("number}", ["}"]),
        ("{{number}}", ["{", "}"]),
    ],
)
def test_unknown_placeholders_are_found_as_written(text: str, unknown: list[str]) -> None:
    assert unknown_placeholders(text) == unknown
