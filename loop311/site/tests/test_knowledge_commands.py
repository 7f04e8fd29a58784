"""`loop311 knowledge`: check, load, export, rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from loop311.accounts.testing import a_city, a_team
from loop311.jurisdictions.models import Jurisdiction
from loop311.knowledge.files import file_text, read_folder
from loop311.knowledge.testing import written
from loop311.site.cli import main

pytestmark = pytest.mark.django_db


def _city_with_owner() -> Jurisdiction:
    city = a_city()
    a_team(city, "streets")
    return city


def test_the_commands_load_and_export(tmp_path: Path) -> None:
    city = _city_with_owner()
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    article = written("a")
    (source / "a.en.md").write_text(file_text(article, article.content.texts[0]))
    run = CliRunner()
    assert "1 articles with 1 texts" in run.invoke(main, ["knowledge", "check", str(source)]).output
    loaded = run.invoke(main, ["knowledge", "load", city.slug, str(source), "--json"])
    assert '"added": 1' in loaded.stdout, loaded.output
    assert run.invoke(main, ["knowledge", "export", city.slug, str(out)]).exit_code == 0
    assert read_folder(out) == read_folder(source)
    again = run.invoke(main, ["knowledge", "export", city.slug, str(out)])
    assert (again.exit_code, "not an empty folder" in again.output) == (1, True)
    other = run.invoke(main, ["knowledge", "load", city.slug, str(source), "--owner", "nobody"])
    assert (other.exit_code, "no team:nobody" in other.output) == (1, True)


def test_the_command_shows_and_sets_who_answers_gaps() -> None:
    city = _city_with_owner()
    run = CliRunner()
    set_to = ["knowledge", "rules", city.slug, "--team", "streets", "--minutes", "20", "--json"]
    assert '"minutes": 20' in run.invoke(main, set_to).output
    assert "streets answers within 20 minutes" in run.invoke(main, ["knowledge", "rules", city.slug]).output
    assert run.invoke(main, ["knowledge", "rules", city.slug, "--team", "nobody"]).exit_code == 1
