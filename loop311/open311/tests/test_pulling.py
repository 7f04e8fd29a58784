"""Another city's services and requests arrive here, once, however often they are pulled: from a Loop311 and from saved answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from loop311.catalog.checks import check, errors
from loop311.catalog.definitions import Catalogue, Datatype
from loop311.catalog.files.reading import read
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import current, publish
from loop311.georeport import reading
from loop311.georeport.model import Attribute, AttributeValue, ServiceDefinition, ServiceItem
from loop311.georeport.testing import Answer, Asked, reply, serving
from loop311.georeport.tests.test_reading import saved
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.open311.commands import open311
from loop311.open311.proposing import UNDECIDED, propose
from loop311.requests.models import Request
from loop311.requests.testing import make_city

NOTHING = Catalogue(languages=("en", "es"), departments=(), teams=())


@pytest.fixture
def here() -> Jurisdiction:
    return jurisdictions.create("shelbyville", name="Shelbyville", time_zone="America/Chicago", languages=("en", "es"))


def pull(url: str, *options: str, status: int = 0) -> Result:
    result = CliRunner().invoke(open311, ["pull", "shelbyville", url, *options], catch_exceptions=status == 1)
    assert (result.exit_code == 0) is (status == 0), result.output
    return result


def counts(url: str, *options: str) -> Any:
    return json.loads(pull(url, "--json", *options).stdout)


def requests_of(url: str, *options: str) -> list[int]:
    summary = counts(url, *options)["requests"]
    return [summary[name] for name in ("created", "updated", "unchanged", "rejected")]


# --- From a second Loop311 -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_requests_of_another_loop311_arrive_once_and_change_with_it(live_server: Any, here: Jurisdiction) -> None:
    there = make_city("springfield")
    filed = [there.file(at=now()) for _ in range(3)]
    url, options = f"{live_server}/open311/v2/", ["--jurisdiction-id", "springfield"]
    assert requests_of(url, *options) == [3, 0, 0, 0]
    before = Event.objects.filter(jurisdiction=here).count(), CatalogueVersion.objects.count()
    assert requests_of(url, *options) == [0, 0, 3, 0]
    assert before == (Event.objects.filter(jurisdiction=here).count(), CatalogueVersion.objects.count())
    there.done(filed[0], at=now())
    assert requests_of(url, *options) == [0, 1, 2, 0]
    ours = Request.objects.filter(jurisdiction=here)
    assert {each.source_id for each in ours} == {each.number for each in filed}
    assert ours.get(source_id=filed[0].number).ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_services_of_another_loop311_become_a_proposal_that_loads(
    live_server: Any, here: Jurisdiction, tmp_path: Path, settings: Any
) -> None:
    settings.BASE_URL = str(live_server)
    make_city("springfield")
    url, options = f"{live_server}/open311/discovery.json", ["--jurisdiction-id", "springfield", "--services-only"]
    file = tmp_path / "proposal.yaml"
    first = counts(url, *options, "--proposal", str(file))
    assert first["requests"] is None
    assert "pothole" in first["added"]
    catalogue = read(file).catalogue
    assert errors(check(catalogue)) == []
    publish(here, catalogue, by=system(here.pk))
    assert counts(url, *options)["added"] == []
    pothole = current(here.pk)[1].services["pothole"]
    assert {question.code for question in pothole.questions} >= {"danger"}
    assert pothole.owner == UNDECIDED


# --- Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_server_that_gives_out_half_way_leaves_nothing_behind(here: Jurisdiction) -> None:
    def answer(asked: Asked) -> Answer:
        return reply(b'[{"service_code":"1","service_name":"Cans"}]') if "services" in asked.path else reply(b"", 403)

    with serving(answer) as server:
        result = pull(server.base, status=1)
    assert "HTTP 403" in str(result.exception)
    assert not Request.objects.exists()


@pytest.mark.django_db
def test_who_offers_no_json_is_asked_for_xml(here: Jurisdiction) -> None:
    xml = b"<services><service><service_code>1</service_code><service_name>Cans</service_name></service></services>"

    def answer(asked: Asked) -> Answer:
        return reply(xml) if asked.path.endswith(".xml") else reply(b"", 404)

    with serving(answer) as server:
        assert counts(server.base, "--services-only")["added"] == ["cans"]


@pytest.mark.django_db
def test_a_proposal_never_overwrites_a_file(here: Jurisdiction, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    with serving([reply(b"[]")]) as server:
        pull(server.base, "--services-only", "--proposal", str(file), status=1)
    assert file.read_text() == "precious"


@pytest.mark.django_db
def test_a_proposal_is_printed_alone(here: Jurisdiction) -> None:
    with serving([reply(b'[{"service_code":"1","service_name":"Cans"}]')]) as server:
        printed = pull(server.base, "--services-only", "--proposal", "-").stdout
        assert "--services-only" in str(pull(server.base, "--proposal", "-", status=1).exception)
    assert printed.startswith("# Proposed from")
    assert "- code: cans" in printed


@pytest.mark.django_db
def test_a_profile_with_a_mistake_is_one_sentence(here: Jurisdiction, tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text("date_styel: utc")
    assert "date_styel" in str(pull("https://city.example/", "--profile", str(file), status=1).exception)


# --- Proposals -----------------------------------------------------------------------------------------------------------


def test_two_services_of_one_name_are_two_and_markup_is_left_out() -> None:
    items = [
        ServiceItem(service_code="1", service_name="Cans", description="<p>Old &amp; new</p>", keywords="a, b,a"),
        ServiceItem(service_code="2", service_name="cans!"),
    ]
    found = propose(NOTHING, items, {})
    assert found.codes == {"1": "cans", "2": "cans-2"}
    assert found.catalogue.services[0].descriptions["es"] == "Old & new"
    assert found.catalogue.services[0].keywords == {"en": ("a", "b")}


def test_questions_of_every_kind_become_ours() -> None:
    values = (AttributeValue(key="N/A", name="None"), AttributeValue(key="n a", name="Other"))
    kinds = ["string", "number", "datetime", "text", "singlevaluelist", "boolean (checkbox)", "date", "informational"]
    attributes = [
        Attribute(variable=True, code=f"Q {n}?", datatype=kind, required=True, values=values)
        for n, kind in enumerate(kinds)
    ]
    shown = Attribute(variable=False, code="note", datatype="string", required=False)
    item = ServiceItem(service_code="1", service_name="Cans", metadata=True)
    definition = ServiceDefinition(service_code="1", attributes=(*attributes, shown))
    questions = propose(NOTHING, [item], {"1": definition}).catalogue.services[0].questions
    assert [question.datatype.value for question in questions] == [*kinds[:5], "boolean", "string"]
    assert [choice.code for choice in questions[4].choices] == ["n-a", "n-a-2"]
    assert questions[6].datatype is Datatype.STRING


_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_attributes = st.builds(
    Attribute,
    variable=st.booleans(),
    code=_words,
    datatype=st.sampled_from(["string", "number", "singlevaluelist", "multivaluelist", "boolean", "strange"]),
    required=st.booleans(),
    description=st.none() | _words,
    values=st.lists(st.builds(AttributeValue, key=_words, name=_words), max_size=3).map(tuple),
)
_services = st.builds(
    ServiceItem,
    service_code=_words,
    service_name=_words,
    description=st.none() | _words,
    keywords=st.none() | _words,
    group=st.none() | _words,
    metadata=st.just(True),
)


@given(st.lists(_services, max_size=5), st.lists(_attributes, max_size=4))
def test_any_services_make_a_catalogue_without_mistakes(items: list[ServiceItem], asked: list[Attribute]) -> None:
    definitions = {
        item.service_code: ServiceDefinition(service_code=item.service_code, attributes=tuple(asked)) for item in items
    }
    found = propose(NOTHING, items, definitions)
    if found.added:
        assert errors(check(found.catalogue)) == []
        assert propose(found.catalogue, items, definitions).added == ()


# --- From the saved answers of real cities -------------------------------------------------------------------------------


def replay(services: str, requests: str) -> Any:
    def answer(asked: Asked) -> Answer:
        if "/services/" in asked.path:
            return reply(b"", 404)
        return reply(saved(services if "/services" in asked.path else requests))

    return serving(answer)


@pytest.mark.django_db
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("services", "requests", "known"),
    [
        ("bloomington_2012_services.json", "bloomington_2012_requests.json", [21, 0]),
        ("giessen_2018_services.xml", "koeln_2023_requests_archive.json", [49, 0]),
        ("boston_2018_services.json", "chicago_2012_requests.json", [43, 0]),
        ("sf_2012_services.xml", "toronto_2018_requests_single.xml", [1, 0]),
        ("dc_2012_services.xml", "chicago_2012_requests_empty.json", [0, 0]),
    ],
)
def test_a_real_citys_answers_arrive_whole_and_only_once(
    services: str, requests: str, known: list[int], here: Jurisdiction, tmp_path: Path
) -> None:
    with replay(services, requests) as server:
        first = requests_of(server.base)
        assert [first[0], first[3]] == known
        assert requests_of(server.base) == [0, 0, known[0], 0]
        file = tmp_path / "proposal.yaml"
        counts(server.base, "--services-only", "--proposal", str(file))
    assert errors(check(read(file).catalogue)) == []
    assert len(read(file).catalogue.services) >= len(reading.services(saved(services)))
