"""The four shapes, what is in them and in which order, and that a file is whole or not there."""

from __future__ import annotations

import csv
import resource
import tracemalloc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.kit.problems import Invalid
from loop311.opendata import commands
from loop311.opendata.exporting import ShapeName, export
from loop311.opendata.rows import Published
from loop311.opendata.shapes import DALLAS, SAN_ANTONIO, About
from loop311.opendata.tests.files import rows_of, written
from loop311.opendata.writing import to_csv, to_geojson, to_parquet
from loop311.places.services import load_boundaries
from loop311.places.testing import real_data
from loop311.requests import imports
from loop311.requests.models import Request
from loop311.requests.services import assign, confirm, hand_over, join
from loop311.requests.testing import MONDAY, City

pytestmark = pytest.mark.django_db
SHAPES = [shape.value for shape in ShapeName]
PLACE: dict[str, Any] = {"latitude": 32.7801234, "longitude": -96.8012345, "address": "1234 Elm St"}


def test_dallas_publishes_sixteen_columns(city: City, tmp_path: Path) -> None:
    request = city.done(city.file(**PLACE), at=MONDAY + timedelta(hours=5))
    (row,) = written(city, "dallas", tmp_path / "out.csv")
    assert list(row.items()) == [
        ("Service Request Number", request.number),
        ("Address", "1234 Elm St"),
        ("City Council District", ""),
        ("Department", "Public works"),
        ("Service Request Type", "Pothole"),
        ("ERT (Estimated Response Time)", "3 Business Days"),
        ("Overall Service Request Due Date", "03/05/2026 05:00:00 PM"),
        ("Status", "Closed"),
        ("Created Date", "03/02/2026 09:00:00 AM"),
        ("Update Date", "03/02/2026 02:00:00 PM"),
        ("Closed Date", "03/02/2026 02:00:00 PM"),
        ("Outcome", "The work was done."),
        ("Priority", "Standard"),
        ("Method Received Description", "Phone"),
        ("Unique Key", f"springfield-{request.number}"),
        ("Lat_Long Location", "(32.7801234,-96.8012345)"),
    ]


def test_dallas_statuses_say_duplicate_and_transferred(city: City, tmp_path: Path) -> None:
    _, taken, joined, passed_on = (city.file(at=MONDAY + timedelta(minutes=n)) for n in range(4))
    assign(taken, by=city.system, at=MONDAY + timedelta(hours=1))
    join(joined, leading=taken, by=city.system, at=MONDAY + timedelta(hours=1))
    passed_on = hand_over(passed_on, owner="state-roads", by=city.system, at=MONDAY + timedelta(hours=1))
    rows = written(city, "dallas", tmp_path / "out.csv")
    assert [row["Status"] for row in rows] == ["New", "In Progress", "In Progress (Duplicate)", "In Progress"]
    assert {row["Lat_Long Location"] for row in rows} == {"(,)"}
    confirm(city.done(taken), by=city.system, at=MONDAY + timedelta(hours=6))
    city.done(passed_on)
    assert [row["Status"] for row in written(city, "dallas", tmp_path / "out.csv")] == [
        "New", "Closed", "Closed (Duplicate)", "Closed (Transferred)",
    ]  # fmt: skip


def test_san_antonio_publishes_its_columns(city: City, tmp_path: Path) -> None:
    request = city.file(latitude=29.4241, longitude=-98.4936, address="600 Nogalitos St")
    (row,) = written(city, "san-antonio", tmp_path / "out.csv", start=date(2026, 3, 1), at=MONDAY + timedelta(days=9))
    assert list(row.items())[:13] == [
        ("Category", "Streets"),
        ("CASEID", request.number),
        ("OPENEDDATETIME", "2026-03-02"),
        ("SLA_Date", "2026-03-05"),
        ("CLOSEDDATETIME", "NaT"),
        ("Late (Yes/No)", "YES"),
        ("Dept", "Public works"),
        ("REASONNAME", "North"),
        ("TYPENAME", "Pothole"),
        ("CaseStatus", "Open"),
        ("SourceID", "Constituent Call"),
        ("OBJECTDESC", "600 Nogalitos St"),
        ("Council District", ""),
    ]
    assert float(row["XCOORD"]) == pytest.approx(2_130_600, abs=1_000)
    assert float(row["YCOORD"]) == pytest.approx(13_700_900, abs=2_000)
    assert (row["Report Starting Date"], row["Report Ending Date"]) == ("3/1/2026", "3/11/2026")


@pytest.mark.real_data
def test_san_antonio_names_its_columns_as_the_city_does() -> None:
    with real_data("service_requests/san_antonio_311_78_rows.csv").open(newline="") as file:
        theirs = next(csv.reader(file))
    assert list(SAN_ANTONIO.columns) == theirs[: len(SAN_ANTONIO.columns)]


def test_geojson_is_as_rfc_7946_has_it(city: City, tmp_path: Path) -> None:
    placed, nowhere = city.file(**PLACE), city.file(at=MONDAY + timedelta(hours=1))
    first, second = written(city, "geojson", tmp_path / "out.geojson")
    assert (first["type"], first["id"]) == ("Feature", placed.number)
    assert first["geometry"] == {"type": "Point", "coordinates": [-96.8012345, 32.7801234]}
    assert second["geometry"] is None
    assert second["id"] == nowhere.number
    assert first["properties"]["received_at"] == "2026-03-02T15:00:00Z"
    assert first["properties"]["council_district"] is None
    assert (first["properties"]["status"], first["properties"]["state"]) == ("open", "received")
    assert not {"latitude", "longitude", "areas"} & first["properties"].keys()


def test_parquet_says_what_geojson_says(city: City, tmp_path: Path) -> None:
    city.done(city.file(**PLACE))
    city.file(at=MONDAY + timedelta(hours=1), address='12 "Elm", St')
    features = written(city, "geojson", tmp_path / "out.geojson")
    rows = written(city, "parquet", tmp_path / "out.parquet")
    for feature, row in zip(features, rows, strict=True):
        assert row["received_at"] == feature["properties"]["received_at"].replace("T", " ").replace("Z", "")
        texts = {name: value for name, value in feature["properties"].items() if not name.endswith("_at")}
        assert {name: row[name] for name in texts} == {
            name: value if value is None or isinstance(value, str) else str(value).lower()
            for name, value in texts.items()
        }
        corner = feature["geometry"]["coordinates"] if feature["geometry"] else [None, None]
        assert [row["longitude"], row["latitude"]] == [part and str(part) for part in corner]


def test_a_city_without_requests_has_files_without_rows(city: City, tmp_path: Path) -> None:
    for shape in SHAPES:
        assert written(city, shape, tmp_path / shape) == []


def test_areas_of_the_named_layers_are_columns(city: City, tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[-97, 32], [-96, 32], [-96, 33], [-97, 33], [-97, 32]]]}
    areas = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"k": "7"}, "geometry": square}],
    }
    for layer in ("council_district", "quarter"):
        load_boundaries(
            city.jurisdiction, layer, areas, by=city.system, key_property="k", effective_on=date(2020, 1, 1)
        )
    city.file(**PLACE)
    asked = {"layers": ("quarter", "council_district")}
    (feature,) = written(city, "geojson", tmp_path / "a", **asked)
    assert (feature["properties"]["quarter"], feature["properties"]["council_district"]) == ("7", "7")
    assert written(city, "dallas", tmp_path / "b")[0]["City Council District"] == "7"
    assert written(city, "parquet", tmp_path / "c", **asked)[0]["quarter"] == "7"
    with pytest.raises(Invalid, match="none like another column"):
        written(city, "geojson", tmp_path / "d", layers=("state",))
    with pytest.raises(Invalid, match=r"There is no layer 'quater'; there are: .*quarter"):
        written(city, "geojson", tmp_path / "d", layers=("quater",))


def test_the_oldest_come_first_and_days_are_the_citys(city: City, tmp_path: Path) -> None:
    midnight = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    numbers = [city.file(at=at).number for at in (midnight - timedelta(seconds=1), midnight, midnight, MONDAY)]
    ordered = [numbers[3], *numbers[:3]]
    for shape, name in (("dallas", "Service Request Number"), ("parquet", "number")):
        assert [row[name] for row in written(city, shape, tmp_path / shape)] == ordered
    tuesday = {"start": date(2026, 3, 3), "end": date(2026, 3, 4)}
    assert [row["CASEID"] for row in written(city, "san-antonio", tmp_path / "x", **tuesday)] == numbers[1:3]
    with pytest.raises(Invalid, match="ends before it begins"):
        export(city.jurisdiction, ShapeName.DALLAS, tmp_path / "y", start=date(2026, 3, 2), end=date(2026, 3, 1))


def test_the_citys_words_are_of_one_language(city: City, tmp_path: Path) -> None:
    city.done(city.file())
    (row,) = written(city, "dallas", tmp_path / "out.csv", language="es")
    assert (row["Service Request Type"], row["Outcome"]) == ("Pothole (es)", "The work was done. (es)")
    with pytest.raises(Invalid, match="does not speak 'fr'"):
        written(city, "dallas", tmp_path / "out.csv", language="fr")


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_same_bytes(city: City, tmp_path: Path, shape: str) -> None:
    for n in range(3):
        city.done(city.file(at=MONDAY + timedelta(minutes=n), **PLACE))
    for name in ("one", "two"):
        export(city.jurisdiction, ShapeName(shape), tmp_path / name, at=MONDAY)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# --- Read back by our own import -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "mapping"), [("dallas", "dallas"), ("san-antonio", "san_antonio")])
def test_what_we_publish_our_own_import_reads(city: City, tmp_path: Path, shape: str, mapping: str) -> None:
    where = {"dallas": (32.7801234, -96.8012345), "san-antonio": (29.4241, -98.4936)}[shape]
    place: dict[str, Any] = {"latitude": where[0], "longitude": where[1], "address": '1234 Elm "Old", St'}
    city.done(city.file(**place))
    city.file(at=MONDAY + timedelta(hours=3), service_code="sign", answers={}, address="")
    path = tmp_path / "out.csv"
    theirs = written(city, shape, path, at=MONDAY)
    other = create("shelbyville", name="Shelbyville", time_zone="America/Chicago", languages=("en", "es"))
    summary = imports.run(other, path, imports.load(mapping), by=system(other.pk))
    assert (summary.created, summary.rejected) == (2, 0)
    first, second = Request.objects.filter(jurisdiction=other).order_by("received_at")
    assert (first.state, second.state) == ("closed", "received")
    assert (first.latitude, first.longitude) == pytest.approx(where, abs=1e-5)
    assert first.address == place["address"]
    assert second.latitude is None

    ours = written(replace(city, jurisdiction=other), shape, path, at=MONDAY)
    number = "Service Request Number" if shape == "dallas" else "CASEID"
    lost = {number, "Unique Key", "Outcome", "ERT (Estimated Response Time)", "Update Date", "REASONNAME"}
    for before, after in zip(theirs, ours, strict=True):
        assert {k: v for k, v in after.items() if k not in lost} == {k: v for k, v in before.items() if k not in lost}


# --- Whole or not there, and never much in memory ----------------------------------------------------------------------------


@contextmanager
def a_disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: the operating system then refuses as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_full_disk_leaves_no_half_file_and_what_was_there_before(city: City, tmp_path: Path, shape: str) -> None:
    for n in range(12):
        city.file(at=MONDAY + timedelta(minutes=n), address=f"{n} Elm St")
    path = tmp_path / "out"
    path.write_text("as it was")
    with a_disk_of(1_000), pytest.raises(OSError, match="File too large") as refused:
        export(city.jurisdiction, ShapeName(shape), path)
    assert refused.value.filename == str(path)
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert path.read_text() == "as it was"
    assert export(city.jurisdiction, ShapeName(shape), path) == 12


def test_a_folder_that_is_not_there_is_said(city: City, tmp_path: Path) -> None:
    for shape in SHAPES:
        with pytest.raises(FileNotFoundError) as refused:
            export(city.jurisdiction, ShapeName(shape), tmp_path / "nowhere" / "out")
        assert refused.value.filename == str(tmp_path / "nowhere" / "out")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_fails_in_the_middle_leaves_nothing(
    city: City, tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.file()

    def broken(_asked: object) -> Generator[Published, None, None]:
        yield from ()
        raise ConnectionError("gone")

    monkeypatch.setattr("loop311.opendata.exporting.published", broken)
    with pytest.raises(ConnectionError):
        export(city.jurisdiction, ShapeName(shape), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [to_csv(DALLAS), to_csv(SAN_ANTONIO), to_geojson, to_parquet])
def test_memory_does_not_grow_with_the_rows(city: City, tmp_path: Path, write: object) -> None:
    row = Published(
        number="26-00000001", status="open", state="received", service_code="pothole", service="Pothole", group="Streets",
        department="Public works", team="North", priority="standard", channel="phone", received_at=MONDAY, due_at=None,
        closed_at=None, updated_at=MONDAY, outcome_code="", outcome="", handed_over=False, joined=False, leading_number="",
        joined_count=0, reopened_count=0, address="1 Elm St", latitude=29.4, longitude=-98.5, areas=("7",), resolution=None,
    )  # fmt: skip
    about = About(
        city="springfield", zone=city.jurisdiction.zone, first=date(2026, 3, 2), last=date(2026, 3, 2), at=MONDAY
    )
    many = (msgspec.structs.replace(row, number=f"26-{n:08}") for n in range(20_000))
    tracemalloc.start()
    write(many, tmp_path / "out", about, ("council_district",))  # type: ignore[operator]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000, most


# --- The command ------------------------------------------------------------------------------------------------------------


def test_the_command_counts_what_it_wrote(city: City, tmp_path: Path) -> None:
    city.file()
    arguments = [
        "export",
        "springfield",
        "--shape",
        "dallas",
        "--out",
        str(tmp_path / "out.csv"),
        "--from",
        "2026-03-01",
    ]
    done = CliRunner().invoke(commands.opendata, arguments)
    assert done.exit_code == 0, done.output
    assert done.output == f"1 requests in {tmp_path / 'out.csv'}.\n"
    assert len(rows_of("dallas", tmp_path / "out.csv")) == 1
    done = CliRunner().invoke(commands.opendata, [*arguments, "--json", "--to", "2026-03-02"])
    assert '"requests": 0' in done.output
