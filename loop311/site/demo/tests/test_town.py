"""The plan of Port Alder: the same seed the same town, everything inside it, areas that cover it once."""

from __future__ import annotations

from typing import cast

import pytest
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from loop311.site.demo.areas import SERVICE_AREAS, layers
from loop311.site.demo.streets import Town, avenue_name, plan_town

SEEDS = [0, 311, 2026]


def shapes(town: Town, seed: int, layer: str) -> dict[str, BaseGeometry]:
    features = cast("list[dict[str, dict[str, str]]]", layers(town, seed)[layer]["features"])
    return {feature["properties"]["key"]: shape(feature["geometry"]) for feature in features}


def test_the_same_seed_gives_the_same_town_and_another_seed_another() -> None:
    assert plan_town(311) == plan_town(311)
    assert layers(plan_town(311), 311) == layers(plan_town(311), 311)
    assert plan_town(311) != plan_town(312)


def test_avenues_are_spoken_of_as_people_do() -> None:
    assert [avenue_name(p) for p in (0, 1, 2, 3, 10, 11, 12, 20, 30)] == [
        "1st Ave", "2nd Ave", "3rd Ave", "4th Ave", "11th Ave", "12th Ave", "13th Ave", "21st Ave", "31st Ave",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_there_are_thousands_of_addresses_none_twice_and_none_in_the_river(seed: int) -> None:
    town = plan_town(seed)
    texts = [point.text for point in (*town.addresses, *town.crossings)]
    assert len(town.addresses) > 5000
    assert len(town.crossings) > 1000
    assert len(set(texts)) == len(texts)
    assert all(abs(p.latitude - town.river_latitude(p.longitude)) > 0.0007 for p in town.addresses)


@pytest.mark.parametrize("seed", SEEDS)
def test_service_areas_and_districts_cover_the_city_once(seed: int) -> None:
    town = plan_town(seed)
    city = shapes(town, seed, "city")["city"]
    for layer, count in (("service_area", 7), ("council_district", 14)):
        areas = list(shapes(town, seed, layer).values())
        assert len(areas) == count
        assert all(area.is_valid and not area.is_empty for area in areas)
        assert shapely.union_all(areas).symmetric_difference(city).area < 1e-9
        assert abs(sum(area.area for area in areas) - city.area) < 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_every_address_lies_in_the_city_and_in_one_area_of_each_layer(seed: int) -> None:
    town = plan_town(seed)
    at = [shapely.Point(p.longitude, p.latitude) for p in (*town.addresses, *town.crossings)]
    for layer in ("city", "service_area", "council_district"):
        found = [shapely.contains(area, at) for area in shapes(town, seed, layer).values()]
        counts = [sum(inside) for inside in zip(*found, strict=True)]
        assert set(counts) == {1}
    assert set(shapes(town, seed, "service_area")) == set(SERVICE_AREAS)


@pytest.mark.parametrize("seed", SEEDS)
def test_some_addresses_stand_on_a_state_road_but_few(seed: int) -> None:
    town = plan_town(seed)
    state = shapes(town, seed, "state_road")["state"]
    on_it = sum(bool(state.contains(shapely.Point(p.longitude, p.latitude))) for p in town.addresses)
    assert 0.02 * len(town.addresses) < on_it < 0.10 * len(town.addresses)
