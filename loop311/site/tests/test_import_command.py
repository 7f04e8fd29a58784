"""loop311 import requests, as somebody at a terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.problems import Invalid
from loop311.requests import imports
from loop311.requests.imports.mapping import read
from loop311.requests.models import Request
from loop311.requests.tests.import_files import MAPPING, text_of
from loop311.site.cli import main

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "rows.csv").write_text(text_of({}, {"case": "C-2", "status": "?"}), newline="")
    return tmp_path


def invoke(folder: Path, *options: str, city: str = "millbrook", mapping: str = "") -> Result:
    given = ["--mapping", mapping or str(folder / "mapping.yaml"), *options]
    return CliRunner().invoke(main, ["import", "requests", city, str(folder / "rows.csv"), *given])


def test_json_has_the_five_counts(city: Jurisdiction, folder: Path) -> None:
    result = invoke(folder, "--json", "--rejects", str(folder / "rejects.csv"))
    assert result.exit_code == 0
    counts = {"read": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1}
    assert json.loads(result.stdout) == {**counts, "warnings": {}}
    header, reject = (folder / "rejects.csv").read_text().splitlines()
    assert header.startswith("row,reason,case,opened")
    assert reject.startswith("2,the status '?' is not in the mapping,C-2,")


def test_a_dry_run_says_that_nothing_was_written(city: Jurisdiction, folder: Path) -> None:
    result = invoke(folder, "--dry-run")
    assert result.stdout.splitlines() == [
        "2 rows read: 1 created, 0 updated, 0 unchanged, 1 rejected.",
        "Nothing was written.",
    ]
    assert not Request.objects.exists()


def test_mistakes_are_one_sentence_on_standard_error(city: Jurisdiction, folder: Path) -> None:
    for result, sentence in (
        (invoke(folder, city="atlantis"), "Error: There is no city 'atlantis'."),
        (invoke(folder, mapping="atlantis"), "Error: There is no mapping 'atlantis': give a YAML file, or one of"),
        (invoke(folder, mapping="boston"), "Error: The file has no column 'case_enquiry_id'"),
        (invoke(folder, "--rejects", str(folder / "no" / "r.csv")), "Error: The rejects file"),
    ):
        assert result.exit_code == 1
        assert result.stderr.startswith(sentence)
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("id: case", "id: [case"), "The mapping is not YAML"),
        (("id: case", "ident: case"), "unknown field `ident`"),
        (("Open: received", "Open: opened"), r"Invalid enum value 'opened' - at `\$\.status"),
        (("source: made_up", "source: Made Up"), r"at `\$\.source`"),
        (("Call: phone", "Call: telephone"), r"Invalid enum value 'telephone'"),
        (("opened: {columns: opened", "opened: {columns: 7"), r"at `\$\.opened\.columns`"),
        (("pattern: duplicate", "pattern: '('"), "is no regular expression"),
        (("outcome: imported_duplicate}", "outcome: elsewhere}"), "outcome 'elsewhere' is not among the known"),
        (("position: {latitude: lat", "position: {x: lat"), "needs latitude and longitude, or x, y and crs"),
    ],
)
def test_a_mistake_in_a_mapping_is_named(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        read(MAPPING.replace(*change))


def test_the_shipped_mappings_are_right() -> None:
    assert imports.shipped() == ["boston", "dallas", "new_york", "san_antonio"]
    for name in imports.shipped():
        assert imports.load(name).source == f"{name}_311"
