"""Every kind of event is in its room's list, and the page of the docs is those lists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from loop311.ledger.services import append
from loop311.requests.testing import make_city

LOOP311 = Path(__file__).resolve().parents[2]
PAGE = LOOP311.parent / "docs" / "reference" / "events.md"
ROOMS = sorted(path.parent.name for path in LOOP311.glob("*/events.py"))
_CALL = re.compile(r'(?:\bappend|\bwrite|NewEvent|_append|_write)\(\s*(?:[\w.]+,\s*)?"([a-z]+\.[a-z_]+)"')


def listed() -> dict[str, str]:
    return {kind: text for room in ROOMS for kind, text in import_module(f"loop311.{room}.events").EVENTS.items()}


def used() -> set[str]:
    files = (path for path in LOOP311.rglob("*.py") if "tests" not in path.parts and "migrations" not in path.parts)
    return {kind for path in files for kind in _CALL.findall(path.read_text())}


def test_every_kind_that_is_written_is_in_its_rooms_list() -> None:
    assert len(used()) > 30
    assert used() - set(listed()) == set()


def test_the_page_names_each_kind_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \| .*\|$", PAGE.read_text(), flags=re.M))
    assert rows == listed()


@pytest.mark.django_db
def test_a_body_with_something_the_page_does_not_list_fails_whichever_test_writes_it() -> None:
    city = make_city()
    append("request.started", "request", 1, {"number": "26-1", "state": "x", "version": 1}, by=city.system)
    with pytest.raises(AssertionError, match="shoe_size"):
        append("request.started", "request", 1, {"shoe_size": 46}, by=city.system)
