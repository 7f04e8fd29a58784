"""The how-to shows a service that can be loaded."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

from loop311.catalog.checks import check
from loop311.catalog.files.parsing import parse
from loop311.catalog.files.reading import read_values
from loop311.catalog.files.writing import plain_values
from loop311.catalog.testing import small_catalogue

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "change-the-catalogue.md"


def test_the_service_of_the_how_to_is_without_mistakes() -> None:
    block = re.search(r"^    - code: pothole\n(?:    .*\n|\n)+", PAGE.read_text(), re.MULTILINE)
    assert block
    shown = parse(dedent(block[0])).value
    assert isinstance(shown, list)
    values = plain_values(small_catalogue())
    outcome = {"code": "not_found", "ending": "done", "texts": {"en": "We found none.", "es": "No lo encontramos."}}
    values["outcomes"].append(outcome)
    values["services"] = [*shown, *values["services"][1:]]
    assert check(read_values(values)) == []
