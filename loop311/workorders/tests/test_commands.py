"""`loop311 workorders ...`."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from loop311.kit.problems import Conflict, Invalid, NotFound, Unavailable
from loop311.workorders import services, working
from loop311.workorders.commands import workorders
from loop311.workorders.connectors.base import Setup
from loop311.workorders.models import Link
from loop311.workorders.testing import LINK, Department, Linked, linked, links

STARTER_LINK = {
    **LINK,
    "teams": ["street_maintenance"],
    "priorities": {},
    "services": {},
    "statuses": {"New": {"means": "nothing"}},
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Linked:
    found = linked()
    monkeypatch.setattr(working, "connector_of", lambda link, **_: found.department)
    return found


def written(path: Path, *links: dict[str, object]) -> str:
    path.write_bytes(msgspec.yaml.encode({"links": list(links)}))
    return str(path)


def test_check_needs_no_database(tmp_path: Path) -> None:
    path = written(tmp_path / "links.yaml", STARTER_LINK)
    result = CliRunner().invoke(workorders, ["check", path, "--catalog", "starter", "--json"])
    assert isinstance(result.exception, Invalid)
    assert [found["path"] for found in json.loads(result.stdout)["findings"]]


@pytest.mark.django_db
def test_load_is_told_what_it_did(here: Linked, tmp_path: Path) -> None:
    path = written(tmp_path / "links.yaml", {**LINK, "name": "Roads"})
    result = CliRunner().invoke(workorders, ["load", "elmville", path], catch_exceptions=False)
    assert result.stdout == "elmville: 0 links new, 1 changed, 0 the same, 0 retired.\n"
    assert Link.objects.get().name == "Roads"


@pytest.mark.django_db
def test_a_link_that_is_left_out_is_retired_unless_something_waits_for_it(here: Linked, tmp_path: Path) -> None:
    path = written(tmp_path / "links.yaml", {**LINK, "code": "other"})
    _, order = here.hand_over()
    result = CliRunner().invoke(workorders, ["load", "elmville", path])
    assert isinstance(result.exception, Invalid)
    services.cancel_there(order, by=here.city.system)
    here.work()
    CliRunner().invoke(workorders, ["load", "elmville", path], catch_exceptions=False)
    assert list(Link.objects.in_use().values_list("code", flat=True)) == ["other"]


@pytest.mark.django_db
def test_an_owner_who_does_not_work_here_is_named(here: Linked, tmp_path: Path) -> None:
    path = written(tmp_path / "links.yaml", {**LINK, "owner": "nobody@elmville.example"})
    with pytest.raises(Invalid) as caught:
        CliRunner().invoke(workorders, ["load", "elmville", path], catch_exceptions=False)
    assert caught.value.detail == "The links cannot be loaded: 1 mistake must be mended."
    assert [(each.field, each.detail) for each in caught.value.fields] == [
        ("links.streets.owner", "Nobody with the address nobody@elmville.example works here.")
    ]


def test_a_secret_that_stands_in_the_file_is_refused_with_where_to_put_it(tmp_path: Path) -> None:
    path = written(tmp_path / "links.yaml", {**STARTER_LINK, "secret": "hunter2"})
    result = CliRunner().invoke(workorders, ["check", path, "--catalog", "starter"])
    assert "secret: Say where the secret is, env:LOOP311_LINK_NAME or file:/path" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.django_db
def test_links_test_and_reconcile(here: Linked) -> None:
    here.hand_over()
    listed = json.loads(CliRunner().invoke(workorders, ["links", "elmville", "--json"], catch_exceptions=False).stdout)
    assert (listed[0]["state"], listed[0]["waiting"]) == ("up", 0)
    tried = CliRunner().invoke(workorders, ["test", "elmville", "streets"], catch_exceptions=False)
    assert tried.stdout == "They answer.\n"
    compared = CliRunner().invoke(workorders, ["reconcile", "elmville"], catch_exceptions=False)
    assert compared.stdout == "streets: 1 pairs, 0 do not agree, 0 agree again.\n"
    strange = CliRunner().invoke(workorders, ["reconcile", "elmville", "streets", "streeets"])
    assert isinstance(strange.exception, NotFound)
    assert strange.exception.detail == "There is no link 'streeets' in this city."
    here.department.is_up = False
    for arguments in (["test", "elmville", "streets"], ["reconcile", "elmville", "streets"]):
        assert isinstance(CliRunner().invoke(workorders, arguments).exception, Conflict)


@pytest.mark.django_db
def test_a_link_that_cannot_be_asked_keeps_no_other_from_being_compared(
    here: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = here.link.owner.user.email
    quiet = {**LINK, "owner": owner, "code": "quiet", "services": {"sign": {"theirs": "SIGN"}}, "statuses": {}}
    services.load(here.city.jurisdiction, links({**LINK, "owner": owner}, quiet), by=here.city.system)

    def connector(link: Link, **_: object) -> Department:
        if link.code == "quiet":
            raise Unavailable("There is no secret at env:LOOP311_LINK_TEST.")
        return here.department

    monkeypatch.setattr(working, "connector_of", connector)
    result = CliRunner().invoke(workorders, ["reconcile", "elmville"])
    assert result.stdout == "streets: 0 pairs, 0 do not agree, 0 agree again.\n"
    assert isinstance(result.exception, Conflict)
    assert result.exception.detail == "quiet was not compared: There is no secret at env:LOOP311_LINK_TEST."


@pytest.mark.django_db
def test_what_was_open_before_the_link_is_handed_over_when_asked_for(here: Linked) -> None:
    services.pause(here.link, by=here.city.system)
    request = here.city.file()
    taken = CliRunner().invoke(workorders, ["take-up", "elmville", "streets"], catch_exceptions=False)
    assert taken.stdout == "streets: 1 open requests are handed over.\n"
    services.go_on(here.link, by=here.city.system)
    here.work()
    assert here.order(request).state == "acknowledged"
    assert len(here.department.records) == 1


def test_a_secret_is_not_in_what_a_setup_says_of_itself() -> None:
    assert "hush" not in repr(Setup(link="streets", options=None, secret="hush"))
