"""Routing and priority are decided by the first rule that matches, under any version."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.catalog.definitions import Answers, Catalogue, Condition, Priority, RoutingRule, Service
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.testing import small_catalogue
from loop311.routing.policies import Decision, NoTeam, Ranking, Route, decide, priority, route

POTHOLE = CatalogueIndex.of(small_catalogue()).services["pothole"]


def with_pothole(service: Service) -> Catalogue:
    catalogue = small_catalogue()
    return msgspec.structs.replace(catalogue, services=(service, *catalogue.services[1:]))


def test_the_first_rule_that_matches_decides() -> None:
    both = {"road_owner": "state", "service_area": "south"}
    assert route(POTHOLE, {}, both) == Route("streets_north", 1, "state_road")
    assert route(POTHOLE, {}, {"service_area": "east"}) == Route("streets_south", 2)


def test_without_a_match_the_last_rule_decides() -> None:
    assert route(POTHOLE, {}, {"service_area": "west"}) == Route("streets_north", 3)
    assert route(POTHOLE, {}, {}).rule == 3


def test_every_layer_and_every_condition_of_a_rule_must_match() -> None:
    rule = RoutingRule(
        team="streets_south",
        areas={"service_area": ("south",), "council_district": ("7",)},
        when=(Condition(question="size", equals="large"),),
    )
    service = msgspec.structs.replace(POTHOLE, routing=(rule, RoutingRule(team="streets_north")))
    place = {"service_area": "south", "council_district": "7"}
    assert route(service, {"size": "large"}, place).rule == 1
    assert route(service, {"size": "small"}, place).rule == 2
    assert route(service, {"size": "large"}, {"service_area": "south"}).rule == 2


def test_an_unchecked_catalogue_without_a_match_says_so() -> None:
    service = msgspec.structs.replace(POTHOLE, routing=(RoutingRule(team="x", areas={"layer": ("key",)}),))
    with pytest.raises(NoTeam, match="pothole"):
        route(service, {}, {})


def test_priority_follows_the_answers() -> None:
    assert priority(POTHOLE, {"depth": 6}, {}) == Ranking(Priority.URGENT, 1)
    assert priority(POTHOLE, {"depth": 5}, {}) == Ranking(Priority.STANDARD, 0)


def test_a_decision_names_team_department_priority_and_the_rules() -> None:
    index = CatalogueIndex.of(small_catalogue())
    assert decide(index, "pothole", {"size": "large", "depth": 12}, {"service_area": "south"}) == Decision(
        team="streets_south",
        department="public_works",
        priority=Priority.URGENT,
        routing_rule=2,
        priority_rule=1,
    )


def test_decisions_can_be_replayed_against_any_version() -> None:
    asks: list[tuple[Answers, dict[str, str]]] = [({}, {"service_area": "south"}), ({"depth": 8}, {})]
    old = CatalogueIndex.of(small_catalogue())
    one_team = msgspec.structs.replace(POTHOLE, routing=(RoutingRule(team="streets_north"),), priority_rules=())
    new = CatalogueIndex.of(with_pothole(one_team))
    before = [decide(old, "pothole", answers, areas) for answers, areas in asks]
    under_new = [decide(new, "pothole", answers, areas) for answers, areas in asks]
    assert [d.team for d in before] == ["streets_south", "streets_north"]
    assert [d.team for d in under_new] == ["streets_north", "streets_north"]
    assert [d.priority for d in under_new] == [Priority.STANDARD] * 2
    assert [decide(old, "pothole", answers, areas) for answers, areas in asks] == before


@given(
    answers=st.dictionaries(st.sampled_from(["size", "depth"]), st.one_of(st.text(), st.integers(), st.booleans())),
    areas=st.dictionaries(st.sampled_from(["service_area", "road_owner"]), st.text()),
)
def test_every_ask_reaches_a_team(answers: Answers, areas: dict[str, str]) -> None:
    for service in small_catalogue().services:
        assert route(service, answers, areas).team
