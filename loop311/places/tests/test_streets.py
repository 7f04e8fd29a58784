"""Streets, from a file of lines or from addresses; and what a map of the city draws."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shapely
from click.testing import CliRunner
from django.db import Error, connection, transaction
from django.test import Client

from loop311.accounts.testing import a_city, a_secret, bearer
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.problems import Invalid, NotFound
from loop311.ledger.models import Event
from loop311.places import drawing
from loop311.places.addresses import Address
from loop311.places.commands import streets
from loop311.places.index import area_index
from loop311.places.lines import Known, derive_lines, read_lines
from loop311.places.models import Street
from loop311.places.services import derive_streets, load_addresses, load_boundaries, load_streets
from loop311.places.testing import squares

pytestmark = pytest.mark.django_db


def lines(*named: tuple[str, list[list[float]]]) -> dict[str, Any]:
    features = [
        {"type": "Feature", "properties": {"NAME": name}, "geometry": {"type": "LineString", "coordinates": points}}
        for name, points in named
    ]
    return {"type": "FeatureCollection", "features": features}


ELM = ("Elm St", [[-97.0, 32.05], [-96.95, 32.05]])
ELM_GOES_ON = ("Elm St", [[-96.95, 32.05], [-96.9, 32.05]])
FIFTH = ("5th Ave", [[-96.95, 32.0], [-96.95, 32.1]])


@pytest.fixture
def city() -> Jurisdiction:
    return a_city()


def load(city: Jurisdiction, *named: tuple[str, list[list[float]]]) -> int:
    return load_streets(city, lines(*(named or (ELM, FIFTH))), by=system(city.pk)).version


def test_lines_of_one_name_become_one_street(city: Jurisdiction) -> None:
    load(city, ELM, FIFTH, ELM_GOES_ON)
    assert list(Street.objects.order_by("name").values_list("name", "west", "east")) == [
        ("5th Ave", -96.95, -96.95), ("Elm St", -97.0, -96.9),
    ]  # fmt: skip
    assert Event.objects.get(kind="layer.loaded").jurisdiction == city


def test_the_same_streets_again_change_nothing_and_other_ones_are_a_new_version(city: Jurisdiction) -> None:
    first = load(city)
    assert load(city, FIFTH, ELM) == first
    second = load(city, ELM)
    assert drawing.streets_in_force(city.pk) == second != first
    with pytest.raises(Error, match="never edited"), transaction.atomic():
        Street.objects.update(name="x")


def test_streets_decide_nothing(city: Jurisdiction) -> None:
    load_boundaries(city, "district", squares(1), by=system(city.pk))
    load(city)
    assert area_index(city.pk).layers == ("district",)
    with pytest.raises(Invalid, match="layer of streets"):
        load_boundaries(city, "streets", squares(1), by=system(city.pk))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"type": "FeatureCollection", "features": []}, "no street"),
        (squares(1), "only LineString and MultiLineString make a street"),
        (lines(("Elm", [[500.0, 2000.0], [501.0, 2000.0]])), "Street 'Elm' has coordinates such as"),
        (b"streets", "not GeoJSON"),
    ],
)
def test_what_is_no_file_of_streets_is_refused_with_a_sentence(file: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_lines(file)


def test_the_name_is_found_or_said(city: Jurisdiction) -> None:
    named, said = read_lines(lines(ELM))
    assert (named[0].name, said) == ("Elm St", ["The streets are named by the property 'NAME'."])
    with pytest.raises(Invalid, match="there are: NAME"):
        read_lines(lines(ELM), name_property="street")


def test_streets_are_drawn_along_addresses_and_cut_where_there_are_none_for_long() -> None:
    near = [Known("Elm St", 32.0 + (0.0001 if i % 2 else -0.0001), -97.0 + i * 0.0004) for i in range(20)]
    far = [Known("Elm St", 32.0, -96.9 + i * 0.0004) for i in range(5)]
    (street,) = derive_lines([*near, *far, Known("Lonely Ln", 32.0, -97.0), Known("", 1.0, 1.0)])
    assert street.name == "Elm St"
    west, east = sorted(shapely.get_parts(street.shape), key=lambda part: shapely.bounds(part)[0])
    assert shapely.bounds(west)[0] == pytest.approx(-97.0, abs=0.001)
    assert shapely.bounds(east)[2] == pytest.approx(-96.9 + 4 * 0.0004, abs=0.001)
    assert abs(shapely.get_coordinates(west)[:, 1] - 32.0).max() < 0.00011


def test_a_city_with_addresses_alone_gets_streets(city: Jurisdiction) -> None:
    by = system(city.pk)
    with pytest.raises(Invalid, match="load addresses first"):
        derive_streets(city, by=by)
    rows = [Address(f"{i} Elm St", 32.0, -97.0 + i * 0.001, street="Elm St", house_number=str(i)) for i in range(9)]
    crossing = Address("Elm St & Oak St", 32.0, -96.99, kind="intersection", street="Elm St")
    load_addresses(city, [*rows, crossing], by=by)
    assert derive_streets(city, by=by).areas == 1
    assert not derive_streets(city, by=by).changed


def test_the_commands_load_and_derive(city: Jurisdiction, tmp_path: Path) -> None:
    file = tmp_path / "streets.geojson"
    file.write_text(json.dumps(lines(ELM, FIFTH)))
    run = partial(CliRunner().invoke, streets)
    assert "streets: 2 streets, from 1900-01-01" in run(["load", city.slug, str(file)]).output
    assert json.loads(run(["load", city.slug, str(file), "--json"]).output)["changed"] is False


# --- Drawing -----------------------------------------------------------------------------------------------------------


def test_a_cell_holds_its_piece_of_every_street(city: Jurisdiction) -> None:
    version = load(city)
    x, y = drawing.cell_of(32.05, -96.95)
    drawn = json.loads(drawing.streets_cell(city.pk, version, x, y))
    assert {feature["properties"]["name"] for feature in drawn["features"]} == {"Elm St", "5th Ave"}
    elm = shapely.bounds(shapely.from_geojson(json.dumps(drawn["features"][0]["geometry"])))
    assert elm[2] - elm[0] <= drawing.CELL_DEGREES + 1e-9
    assert json.loads(drawing.streets_cell(city.pk, version, x, y + 100))["features"] == []


def test_a_drawing_is_bounded_whatever_was_loaded(city: Jurisdiction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_POINTS", 50)
    wild = [[-97.0 + i * 1e-4, 32.05 + (i % 2) * 1e-4] for i in range(900)]
    version = load(city, ("Zigzag St", wild))
    drawn = json.loads(drawing.streets_main(city.pk, version))
    assert sum(len(feature["geometry"]["coordinates"]) for feature in drawn["features"]) <= 50


def test_neighbours_keep_their_common_border(city: Jurisdiction) -> None:
    report = load_boundaries(city, "district", squares(3), by=system(city.pk))
    drawn = json.loads(drawing.areas_drawn(city.pk, report.version))
    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in drawn["features"]]
    assert drawn["features"][0]["properties"] == {"key": "1", "name": "1"}
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(0.03)


def test_the_list_of_layers_says_which_streets_are_drawn(city: Jurisdiction) -> None:
    load_boundaries(city, "limits", squares(1), by=system(city.pk), is_boundary=True)
    load_addresses(city, [Address(f"{n} Elm St", 32.05, -96.95 + n / 1000, street="Elm St") for n in (1, 2, 3)],
                   by=system(city.pk))  # fmt: skip
    derive_streets(city, by=system(city.pk))
    layers = Client().get("/api/v1/places/layers", headers=bearer(a_secret(city))).json()
    assert {layer["code"]: layer["versions"][-1]["in_force"] for layer in layers} == {"limits": True, "streets": True}


def test_a_map_begins_with_bounds_layers_and_streets(city: Jurisdiction) -> None:
    assert drawing.city_map(city.pk).bounds is None
    version = load(city)
    assert drawing.city_map(city.pk).bounds == (-97.0, 32.0, -96.95, 32.1)
    load_boundaries(city, "limits", squares(2), by=system(city.pk), is_boundary=True)
    found = drawing.city_map(city.pk)
    assert found.bounds == pytest.approx((-97.0, 32.0, -96.8, 32.1))
    assert ([layer.code for layer in found.layers], found.streets, found.tiles) == (["limits"], version, "")


def test_nobody_draws_another_citys_version(city: Jurisdiction) -> None:
    version = load(city)
    other = a_city("other")
    with pytest.raises(NotFound):
        drawing.version_of(other.pk, version, "streets")
    assert json.loads(drawing.streets_main(other.pk, version))["features"] == []


def test_a_browser_that_has_a_drawing_is_told_so_without_drawing_it_again(city: Jurisdiction) -> None:
    version = load(city)
    get = partial(Client().get, f"/api/v1/places/streets/{version}")
    secret = a_secret(city)
    first = get(headers=bearer(secret))
    assert (first.status_code, first["Content-Type"]) == (200, "application/geo+json")
    assert "immutable" in first["Cache-Control"]
    again = get(headers={**bearer(secret), "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    x, y = drawing.cell_of(32.05, -96.95)
    assert Client().get(f"/api/v1/places/streets/{version}/{x}/{y}", headers=bearer(secret)).status_code == 200
    whole = Client().get("/api/v1/places/map", headers=bearer(secret)).json()
    assert (whole["streets"], whole["cell_degrees"]) == (version, 0.02)


def test_the_database_keeps_a_street_in_its_city(city: Jurisdiction) -> None:
    version = load(city)

    def cross() -> None:
        with transaction.atomic():
            Street.objects.create(
                jurisdiction=a_city("other"), version_id=version, shape=b"", west=0, south=0, east=0, north=0
            )
            connection.check_constraints()

    with pytest.raises(Error, match="same_city"):
        cross()
