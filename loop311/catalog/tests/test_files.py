"""A catalogue comes out of its files as it went in; what is wrong in them is said with file, line and path."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from loop311.catalog.checks import check
from loop311.catalog.definitions import Catalogue
from loop311.catalog.differences import diff
from loop311.catalog.files import STARTER, plain_values, read, read_values, write_file, write_folder
from loop311.catalog.files import reading as module
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import canonical
from loop311.catalog.testing import small_catalogue
from loop311.catalog.tests.catalogues import catalogues
from loop311.kit.problems import Conflict, FieldProblem, Invalid

ANY = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # making so large an example smaller takes minutes
)
CITY = "languages: [en]\ndepartments: []\nteams: []\n"


def mistakes(folder: Path, **files: str) -> list[FieldProblem]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    with pytest.raises(Invalid) as refused:
        read(folder)
    return list(refused.value.fields)


def through_a_file(catalogue: Catalogue) -> Catalogue:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "city.yaml"
        path.write_text(write_file(catalogue), encoding="utf-8")
        return read(path).catalogue


def through_a_folder(catalogue: Catalogue) -> Catalogue:
    with TemporaryDirectory() as folder:
        write_folder(catalogue, Path(folder) / "city")
        return read(Path(folder) / "city").catalogue


@ANY
@given(catalogues)
def test_any_catalogue_comes_out_of_its_files_as_it_went_in(catalogue: Catalogue) -> None:
    assert canonical(through_a_file(catalogue)) == canonical(catalogue)
    assert canonical(through_a_folder(catalogue)) == canonical(catalogue)
    assert canonical(read_values(plain_values(catalogue))) == canonical(catalogue)


@ANY
@given(catalogues)
def test_any_catalogue_can_be_checked_and_compared(catalogue: Catalogue) -> None:
    for finding in check(catalogue):
        assert finding.sentence.endswith(".")
    assert diff(catalogue, catalogue) == []
    assert diff(small_catalogue(), catalogue)
    CatalogueIndex.of(catalogue)


def test_the_starter_comes_out_as_it_went_in() -> None:
    starter = read(STARTER).catalogue
    assert through_a_file(starter) == starter
    assert through_a_folder(starter) == starter
    assert write_file(through_a_folder(starter)) == write_file(starter)


def test_what_is_written_is_plain_to_read() -> None:
    text = write_file(small_catalogue())
    assert "- {start: '08:00', end: '17:00'}" in text
    assert "before_due: PT1H" in text
    assert "names: {en: Pothole, es: Bache}" in text
    assert "&" not in text
    assert "!" not in text


def test_a_folder_holds_the_services_by_group_and_is_never_written_over(tmp_path: Path) -> None:
    written = write_folder(small_catalogue(), tmp_path / "new")
    names = [path.relative_to(tmp_path / "new").as_posix() for path in written]
    assert names[-3:] == ["services/001-streets.yaml", "services/002-animals.yaml", "services/003-streets.yaml"]
    with pytest.raises(Conflict):
        write_folder(small_catalogue(), tmp_path / "new")


def test_files_are_read_together_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CITY)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.yml").write_text("groups:\n- {code: streets, names: {en: Streets}}\n")
    (tmp_path / "README.md").write_text("notes: [")
    (tmp_path / ".hidden.yaml").write_text("notes: [")
    assert [group.code for group in read(tmp_path).catalogue.groups] == ["streets"]


def test_a_code_in_two_files_is_refused_naming_both(tmp_path: Path) -> None:
    group = "groups:\n- {code: streets, names: {en: Streets}}\n"
    (problem,) = mistakes(tmp_path, a=CITY + group, b=group)
    assert problem.field == "b.yaml:2 groups.streets"
    assert "a.yaml:5" in problem.detail


def test_languages_in_two_files_are_refused_naming_both(tmp_path: Path) -> None:
    (problem,) = mistakes(tmp_path, a=CITY, b="languages: [es]\n")
    assert problem == FieldProblem("b.yaml:1 languages", "This stands in a.yaml already.")


@pytest.mark.parametrize(
    ("written", "where", "says"),
    [
        ("servces: []", "x.yaml:1 servces", "no such field"),
        ("groups: streets", "x.yaml:1 groups", "must be a list"),
        ("just words", "x.yaml:1", "keys such as"),
        ("groups:\n- streets", "x.yaml:2 groups[1]", "keys with values"),
        ("groups:\n- code: a\n", "x.yaml:2 groups.a", "'names' is missing"),
        ("groups:\n- code: A\n  names: {}\n", "x.yaml:2 groups.A.code", "a-z"),
        ("groups:\n- code: a\n  names:\n    english: E\n", "x.yaml:3 groups.a.names", "language"),
        ("groups:\n- code: a\n  names: {}\n  nmaes: {}\n", "x.yaml:2 groups.a", "'nmaes'"),
        ("groups:\n- code: 12\n  names: {}\n", "x.yaml:2 groups.12.code", "quotes"),
        ("groups:\n- code: a\n  names: {en: true}\n", "x.yaml:3 groups.a.names", "got true or false"),
        (
            "calendars:\n- code: a\n  weekdays:\n    mon:\n    - {start: '25:00', end: '17:00'}\n",
            "x.yaml:3 calendars.a.weekdays",
            "time such as",
        ),
        ("calendars:\n- code: a\n  weekdays: {monday: []}\n", "x.yaml:3 calendars.a.weekdays", "mon tue"),
        (
            "calendars:\n- code: a\n  special_days:\n  - {on: 4 July}\n",
            "x.yaml:4 calendars.a.special_days[1].on",
            "date",
        ),
        ("stop_reasons:\n- {code: a, texts: {}, longest: 2 days}\n", "x.yaml:2 stop_reasons.a.longest", "PT4H"),
        (
            "promises:\n- code: a\n  resolution:\n    amount: 2\n    unit: days\n",
            "x.yaml:5 promises.a.resolution.unit",
            "'days' is not one of",
        ),
        ("groups: [*streets]", "x.yaml:1", "&streets"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_path(tmp_path: Path, written: str, where: str, says: str) -> None:
    (problem,) = mistakes(tmp_path, city=CITY, x=written)
    assert problem.field == where
    assert says in problem.detail
    assert "`" not in problem.detail


def test_every_mistake_is_told_not_only_the_first(tmp_path: Path) -> None:
    groups = "groups:\n- {code: A, names: {}}\n- {code: b}\n"
    problems = mistakes(tmp_path, a=CITY + groups, b="nothing: []\n", c="[")
    assert [problem.field.split()[0] for problem in problems] == ["b.yaml:1", "c.yaml:2", "a.yaml:5", "a.yaml:6"]


def test_what_every_catalogue_needs_is_named_when_missing(tmp_path: Path) -> None:
    problems = mistakes(tmp_path, a="languages: [en]\n")
    assert [problem.field for problem in problems] == ["departments", "teams"]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"languages: [\xe9]\n"])
def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    with pytest.raises(Invalid, match="UTF-8"):
        read(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + CITY.encode())
    assert read(tmp_path).catalogue.languages == ("en",)


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 1)
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    (tmp_path / "a.yaml").write_text(CITY)
    with pytest.raises(Invalid, match="larger"):
        read(tmp_path)
    (tmp_path / "b.yaml").write_text(CITY)
    with pytest.raises(Invalid, match="2 YAML files"):
        read(tmp_path)


def test_no_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no YAML file"):
        read(tmp_path)
    with pytest.raises(Invalid, match="no file or folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("services.dog_loose", "b.yaml:2"),
        ("services.dog_loose.questions.danger.choices.now", "b.yaml:9"),
        ("services.dog_loose.routing[1].team", "b.yaml:12"),
        ("services.dog_loose.promise", "b.yaml:16"),
        ("services.dog_loose.descriptions.en", "b.yaml:2"),
        ("services.unknown", "b.yaml:2"),
        ("languages", "a.yaml:1"),
        ("templates[1].sms", ""),
        ("", ""),
    ],
)
def test_a_path_is_found_in_the_files(tmp_path: Path, path: str, found: str) -> None:
    (tmp_path / "a.yaml").write_text(CITY)
    (tmp_path / "b.yaml").write_text(
        """services:
- code: dog_loose
  group: animals
  questions:
  - code: danger
    datatype: singlevaluelist
    texts: {}
    choices:
    - code: now
      texts: {}
  routing:
  - team: animal_field
  department: animal_care
  owner: x
  names: {}
  promise: null
  completion: statement
  outcomes: []
"""
    )
    assert read(tmp_path).locate(path) == found
