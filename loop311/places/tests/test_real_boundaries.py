"""Cities' own published files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from click.testing import CliRunner

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.kit.problems import Invalid
from loop311.places.commands import boundaries
from loop311.places.grid import Grid
from loop311.places.index import area_index
from loop311.places.models import Area
from loop311.places.services import LoadReport, load_boundaries
from loop311.places.shapes import read_shapes
from loop311.places.testing import real_data

pytestmark = [pytest.mark.django_db, pytest.mark.real_data]

SAN_ANTONIO = "boundaries/san_antonio_council_districts_2017.geojson"
SAN_ANTONIO_FEET = "boundaries/san_antonio_council_districts_2017_epsg2278_feet.geojson"
BOSTON = "boundaries/boston_neighborhoods.geojson"
DALLAS = "boundaries/dallas_council_districts_2011_plan.geojson"


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago")


def load(city: Jurisdiction, path: Path, layer: str, crs: str | None = None) -> LoadReport:
    return load_boundaries(city, layer, path.read_bytes(), by=system(city.pk), crs=crs)


@pytest.mark.parametrize(("file", "areas", "repaired"), [(BOSTON, 26, 4), (DALLAS, 14, 0), (SAN_ANTONIO, 10, 3)])
def test_a_citys_file_loads_with_its_repairs_named(city: Jurisdiction, file: str, areas: int, repaired: int) -> None:
    report = load(city, real_data(file), "area")
    assert report.areas == areas
    assert sum("repaired a ring" in line for line in report.lines) == repaired
    assert not load(city, real_data(file), "area").changed


def test_feet_are_refused_without_and_equal_with_their_reference_system(city: Jurisdiction) -> None:
    with pytest.raises(Invalid, match=r"cannot be degrees.*--crs EPSG:2278"):
        load(city, real_data(SAN_ANTONIO_FEET), "feet")
    load(city, real_data(SAN_ANTONIO_FEET), "feet", "EPSG:2278")
    load(city, real_data(SAN_ANTONIO), "degrees")
    random = np.random.default_rng(311)
    lats, lons = random.uniform(29.2, 29.75, 20_000), random.uniform(-98.8, -98.2, 20_000)
    found = area_index(city.pk).areas_of(lats, lons)
    assert (found["feet"] != found["degrees"]).sum() <= 1  # the files are rounded to 10 cm and to 0.01 feet
    assert sum(key is not None for key in found["feet"]) > 5_000
    for key in "123456789":
        shapes = Area.objects.filter(key=key).values_list("shape", flat=True)
        one, two = (shapely.from_wkb(bytes(shape)) for shape in shapes)
        assert shapely.symmetric_difference(one, two).area / one.area < 1e-4


@pytest.mark.parametrize("file", [BOSTON, DALLAS, SAN_ANTONIO])
def test_the_raster_agrees_with_shapely_on_a_real_city(file: str) -> None:
    shapes, _ = read_shapes(real_data(file).read_bytes())
    polygons = [shape.polygon for shape in shapes]
    grid = Grid([shape.key for shape in shapes], polygons)
    random = np.random.default_rng(311)
    west, south, east, north = shapely.total_bounds(polygons)
    corners = shapely.get_coordinates(polygons)
    points = np.concatenate(
        [
            random.uniform((west - 0.01, south - 0.01), (east + 0.01, north + 0.01), (50_000, 2)),
            corners,
            corners + random.normal(0, 1e-7, corners.shape),
        ]
    )
    truth = np.zeros(len(points), dtype=np.int32)
    for number in reversed(range(len(polygons))):
        truth[shapely.intersects_xy(polygons[number], points[:, 0], points[:, 1])] = number + 1
    assert (grid.numbers_of(points[:, 1], points[:, 0]) == truth).all()
    names = grid.keys_of(points[:, 1], points[:, 0])
    assert [grid.key_at(y, x) for x, y in points[::20].tolist()] == names[::20].tolist()


def test_san_antonios_rows_lie_in_their_stated_district_as_often_as_known(city: Jurisdiction) -> None:
    load(city, real_data(SAN_ANTONIO), "council_district")
    index = area_index(city.pk)
    to_degrees = pyproj.Transformer.from_crs("EPSG:2278", "EPSG:4326", always_xy=True)
    agreed = 0
    with real_data("service_requests/san_antonio_311_78_rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        longitude, latitude = to_degrees.transform(float(row["XCOORD"]), float(row["YCOORD"]))
        agreed += index.areas_at(latitude, longitude).get("council_district") == row["Council District"]
    assert (agreed, len(rows)) == (63, 78)


def test_the_command_refuses_in_one_sentence_and_loads_with_the_crs(city: Jurisdiction) -> None:
    file = str(real_data(SAN_ANTONIO_FEET))
    refused = CliRunner().invoke(boundaries, ["load", "millbrook", "council_district", file])
    assert isinstance(refused.exception, Invalid)
    loaded = CliRunner().invoke(
        boundaries, ["load", "millbrook", file, "council_district", "--crs", "EPSG:2278", "--property", "area"]
    )
    assert loaded.exit_code == 0, loaded.output
    assert "council_district: 10 areas" in loaded.output
    listed = CliRunner().invoke(boundaries, ["list", "millbrook"])
    assert "* council_district" in listed.output
