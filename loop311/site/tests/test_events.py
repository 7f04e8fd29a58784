"""Every kind of event is in its room's list, and the page of the docs is those lists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

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
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", PAGE.read_text(), flags=re.M))
    assert rows == listed()
