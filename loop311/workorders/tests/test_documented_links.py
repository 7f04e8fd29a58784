"""The examples of the how-to pages can be loaded as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loop311.catalog.files import STARTER, read
from loop311.catalog.index import CatalogueIndex
from loop311.workorders.checks import check
from loop311.workorders.files import read_links

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"


@pytest.mark.parametrize("page", ["connect-redmine", "exchange-files"])
def test_the_example_is_a_link_of_the_starter_catalogue(page: str, tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (HOW_TO / f"{page}.md").read_text(), re.DOTALL)
    assert example is not None
    path = tmp_path / "links.yaml"
    path.write_text(example[1])
    assert [f for f in check(read_links(path), CatalogueIndex.of(read(STARTER).catalogue)) if f.level == "error"] == []
