"""Loading boundaries: what is refused, what is repaired with a line, what changes nothing."""

from __future__ import annotations

import json
from datetime import date
from typing import TypedDict, Unpack

import pytest
from pytest_django import DjangoAssertNumQueries

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.problems import Forbidden, Invalid, NotFound
from loop311.ledger.models import Event
from loop311.places.index import area_index, inside_city
from loop311.places.models import Area, LayerVersion
from loop311.places.services import BEGINNING, LoadReport, load_boundaries
from loop311.places.testing import collection, square, squares

pytestmark = pytest.mark.django_db

GeoJson = bytes | dict[str, object]


class Options(TypedDict, total=False):
    crs: str
    effective_on: date
    exclusive: bool
    is_boundary: bool
    key_property: str


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago")


def load(city: Jurisdiction, geojson: GeoJson, layer: str = "district", **options: Unpack[Options]) -> LoadReport:
    return load_boundaries(city, layer, geojson, by=system(city.pk), **options)


def refusal(city: Jurisdiction, geojson: GeoJson, **options: Unpack[Options]) -> str:
    with pytest.raises(Invalid) as caught:
        load(city, geojson, **options)
    assert not LayerVersion.objects.exists()
    return caught.value.detail


def test_a_first_version_holds_for_all_the_past(city: Jurisdiction) -> None:
    report = load(city, squares(3))
    assert (report.areas, report.changed, report.effective_on, report.lines) == (3, True, BEGINNING, ())
    assert area_index(city.pk, date(1999, 1, 1)).areas_at(32.05, -96.95) == {"district": "1"}
    event = Event.objects.get(subject_type="layer")
    assert event.kind == "layer.loaded"
    assert json.loads(event.body)["areas"] == 3


def test_loading_the_same_areas_again_changes_nothing(city: Jurisdiction) -> None:
    first = load(city, squares(3))
    backwards = squares(3)
    features = backwards["features"]
    assert isinstance(features, list)
    again = load(city, json.dumps({**backwards, "features": features[::-1]}).encode())
    assert (again.version, again.changed) == (first.version, False)
    assert (LayerVersion.objects.count(), Area.objects.count(), Event.objects.count()) == (1, 3, 1)


def test_a_redrawn_layer_is_a_new_version_from_its_day(city: Jurisdiction) -> None:
    load(city, squares(2))
    load(city, squares(2, west=-97.1), effective_on=date(2026, 7, 1))
    assert area_index(city.pk, date(2026, 6, 30)).areas_at(32.05, -96.95) == {"district": "1"}
    assert area_index(city.pk, date(2026, 7, 1)).areas_at(32.05, -96.95) == {"district": "2"}


def test_the_coordinate_that_cannot_be_is_the_one_that_is_named(city: Jurisdiction) -> None:
    slip = [(-97.0, 32.0), (-96.9, 32.0), (-96.9, 321.0), (-97.0, 32.1), (-97.0, 32.0)]
    assert "321.00, which cannot be degrees" in refusal(city, collection(({"area": "9"}, [slip])))


def test_of_two_versions_of_one_day_the_later_load_counts(city: Jurisdiction) -> None:
    load(city, squares(1), effective_on=date(2026, 7, 1))
    load(city, squares(1, west=-90.0), effective_on=date(2026, 7, 1))
    index = area_index(city.pk, date(2026, 7, 1))
    assert index.areas_at(32.05, -96.95) == {}
    assert index.areas_at(32.05, -89.95) == {"district": "1"}


def test_coordinates_in_feet_are_refused_with_the_way_out(city: Jurisdiction) -> None:
    sentence = refusal(city, collection(({"area": "9"}, [square(2143946.0, 13809050.0, 500.0)])))
    assert "'9'" in sentence
    assert "cannot be degrees" in sentence
    assert "--crs" in sentence


def test_projected_coordinates_become_degrees(city: Jurisdiction) -> None:
    load(city, collection(({"area": "9"}, [square(2143946.0, 13809050.0, 5000.0)])), crs="EPSG:2278")
    assert area_index(city.pk).areas_at(29.72, -98.44) == {"district": "9"}


def test_a_file_that_names_its_own_reference_system_is_read_in_it(city: Jurisdiction) -> None:
    file = collection(({"area": "9"}, [square(2143946.0, 13809050.0, 5000.0)]))
    file["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2278"}}
    assert "as the file itself says" in load(city, file).lines[0]
    assert area_index(city.pk).areas_at(29.72, -98.44) == {"district": "9"}


def test_degrees_are_not_projected_a_second_time(city: Jurisdiction) -> None:
    assert "leave --crs out" in refusal(city, squares(1), crs="EPSG:2278")


def test_swapped_coordinates_are_named(city: Jurisdiction) -> None:
    assert "swapped" in refusal(city, collection(({"area": "1"}, [square(29.0, -98.0, 0.1)])))


@pytest.mark.parametrize("crs", ["EPSG:999999", "feet"])
def test_an_unknown_reference_system_is_refused(city: Jurisdiction, crs: str) -> None:
    assert "not a reference system" in refusal(city, squares(1), crs=crs)


def test_a_ring_that_crosses_itself_is_repaired_with_a_line(city: Jurisdiction) -> None:
    bow_tie = [[-97.0, 32.0], [-96.9, 32.1], [-96.9, 32.0], [-97.0, 32.1], [-97.0, 32.0]]
    report = load(city, collection(({"area": "7"}, [bow_tie])))
    assert report.lines == ("Area '7': repaired a ring (Self-intersection[-96.95 32.05]).",)
    assert area_index(city.pk).areas_at(32.05, -96.99) == {"district": "7"}
    assert area_index(city.pk).areas_at(32.01, -96.95) == {}


def overlapping(by_degrees: float) -> dict[str, object]:
    return collection(
        ({"area": "1"}, [square(-97.0, 32.0, 0.1)]), ({"area": "2"}, [square(-96.9 - by_degrees, 32.0, 0.1)])
    )


def test_overlapping_areas_of_an_exclusive_layer_are_refused_by_name(city: Jurisdiction) -> None:
    sentence = refusal(city, overlapping(0.01))
    assert "'1' and '2' overlap" in sentence


def test_a_hairline_overlap_is_said_and_kept(city: Jurisdiction) -> None:
    report = load(city, overlapping(0.000001))
    assert "'1' and '2' overlap by 1,0" in report.lines[0]
    assert area_index(city.pk).areas_at(32.05, -96.9000005) == {"district": "1"}


def test_an_overlapping_layer_gives_the_smallest_area(city: Jurisdiction) -> None:
    areas = collection(({"area": "a"}, [square(-97.0, 32.0, 0.1)]), ({"area": "b"}, [square(-96.97, 32.0, 0.02)]))
    load(city, areas, exclusive=False)
    assert area_index(city.pk).areas_at(32.01, -96.96) == {"district": "b"}
    assert area_index(city.pk).areas_at(32.09, -96.99) == {"district": "a"}


def test_features_of_one_key_are_one_area(city: Jurisdiction) -> None:
    parts = collection(({"area": "1"}, [square(-97.0, 32.0, 0.1)]), ({"area": "1"}, [square(-96.5, 32.0, 0.1)]))
    report = load(city, parts)
    assert (report.areas, report.lines) == (1, ("Area '1' stands on 2 features; they were put together.",))
    assert area_index(city.pk).areas_at(32.05, -96.45) == {"district": "1"}


def test_the_naming_property_is_found_or_asked_for(city: Jurisdiction) -> None:
    rings = [[square(-97.0, 32.0, 0.1)], [square(-96.9, 32.0, 0.1)]]
    both = [{"OBJECTID": 7, "DISTRICT": 1.0, "Shape_Area": 5}, {"OBJECTID": 8, "DISTRICT": 2.0, "Shape_Area": 5}]
    assert load(city, collection(*zip(both, rings, strict=True))).lines == (
        "The areas are named by the property 'DISTRICT'.",
    )
    assert set(Area.objects.values_list("key", flat=True)) == {"1", "2"}
    unclear = [{"p": 1, "q": 3}, {"p": 2, "q": 4}]
    with pytest.raises(Invalid, match="--property; it could be one of: p, q"):
        load(city, collection(*zip(unclear, rings, strict=True)), "other")
    assert load(city, collection(*zip(unclear, rings, strict=True)), "other", key_property="q").areas == 2


def geometry(kind: str, coordinates: object) -> dict[str, object]:
    feature = {"type": "Feature", "properties": {"area": "1"}, "geometry": {"type": kind, "coordinates": coordinates}}
    return {"type": "FeatureCollection", "features": [feature]}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"PK\x03\x04", "not GeoJSON"),
        (b'{"type": "FeatureCollection", "features": ' + b"[" * 100_000, "not GeoJSON"),
        (b'\xff\xfe{"type"', "not GeoJSON"),
        (b"[]", "not GeoJSON"),
        ({"type": "Polygon", "coordinates": []}, "FeatureCollection"),
        ({"type": "FeatureCollection", "features": []}, "no features"),
        ({"type": "FeatureCollection", "features": [{"properties": {"area": "1"}}]}, "no geometry"),
        (geometry("Point", [1, 2]), "is a Point"),
        (geometry("GeometryCollection", []), "is a GeometryCollection"),
        (geometry("Polygon", []), "no points"),
        (geometry("Polygon", [[[0, 0], [1, 1]]]), "cannot be drawn"),
        (geometry("Polygon", [[[0, 0], [1, 0], [1, 1], [2, 2]]]), "cannot be drawn"),
        (geometry("Polygon", [[["a", 0], [1, 0], [1, 1], ["a", 0]]]), "cannot be drawn"),
        (geometry("Polygon", [[[0, 0], [1, 1], [2, 2], [0, 0]]]), "no surface"),
        (collection(({"area": ""}, [square(0, 0, 1)])), "property"),
        (collection(({}, [square(0, 0, 1)])), "--property"),
    ],
)
def test_what_is_no_layer_is_refused_with_its_reason(city: Jurisdiction, file: GeoJson, sentence: str) -> None:
    assert sentence in refusal(city, file)


def test_a_boundary_layer_says_what_lies_outside_the_city(city: Jurisdiction) -> None:
    load(city, squares(2))
    assert inside_city(city.pk, 10.0, 10.0)
    load(city, squares(1), "limits", is_boundary=True)
    assert inside_city(city.pk, 32.05, -96.95)
    assert not inside_city(city.pk, 32.05, -96.85)
    load(city, squares(1), "limits", is_boundary=False)
    assert inside_city(city.pk, 32.05, -96.85)


def test_reloading_keeps_the_layers_flags(city: Jurisdiction) -> None:
    load(city, squares(1), "limits", is_boundary=True)
    load(city, squares(2), "limits")
    assert not inside_city(city.pk, 10.0, 10.0)


def test_an_area_far_from_the_city_is_remarked_on(city: Jurisdiction) -> None:
    city.center_latitude, city.center_longitude = 32.0, -97.0
    assert "km from the city's centre" in load(city, squares(1, west=10.0)).lines[0]


def test_where_nobody_said_the_centre_an_area_far_from_the_other_areas_is_remarked_on(city: Jurisdiction) -> None:
    assert load(city, squares(2), "limits", is_boundary=True).lines == ()
    assert load(city, squares(1)).lines == ()
    (line,) = load(city, squares(1, west=10.0)).lines
    assert "km from the city's centre: is it another city's file, is --crs right" in line


def test_the_property_that_one_feature_lacks_is_named(city: Jurisdiction) -> None:
    file = squares(2)
    file["features"][1]["properties"] = {"district": None}  # type: ignore[index]
    file["features"][0]["properties"] = {"district": "1"}  # type: ignore[index]
    said = "No property names every area, so --property cannot name one: feature 2 has no 'district'."
    assert refusal(city, file) == said


def test_a_file_that_wrongly_says_it_is_projected_says_how_to_overrule_it(city: Jurisdiction) -> None:
    file = {**squares(1), "crs": {"type": "name", "properties": {"name": "EPSG:2278"}}}
    assert "where the file itself says so, give --crs EPSG:4326" in refusal(city, file)
    assert load(city, file, crs="EPSG:4326").areas == 1


def test_only_who_may_loads_and_only_for_the_own_city(city: Jurisdiction) -> None:
    nobody = Actor(ActorKind.STAFF, city.pk, 1, frozenset({"places.read"}))
    with pytest.raises(Forbidden):
        load_boundaries(city, "district", squares(1), by=nobody)
    with pytest.raises(NotFound):
        load_boundaries(city, "district", squares(1), by=system(city.pk + 1))


def test_one_city_does_not_see_anothers_areas(city: Jurisdiction) -> None:
    load(city, squares(1))
    other = create("oakfield", name="Oakfield", time_zone="America/Chicago")
    assert area_index(other.pk).areas_at(32.05, -96.95) == {}


def test_a_warm_look_up_asks_the_database_once_however_many_layers(
    city: Jurisdiction, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for layer in ("a", "b", "c"):
        load(city, squares(3), layer)
    area_index(city.pk, date(2026, 1, 1))
    with django_assert_num_queries(1):
        assert area_index(city.pk, date(2026, 1, 1)).areas_at(32.05, -96.95) == {"a": "1", "b": "1", "c": "1"}
