"""Addresses from CSV, and finding them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from pytest_django import DjangoAssertNumQueries

from loop311.accounts.testing import a_city, actor_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.problems import Forbidden, Invalid
from loop311.places.addresses import Address, Reject, read_addresses
from loop311.places.commands import addresses
from loop311.places.models import AddressPoint
from loop311.places.search import nearest, search
from loop311.places.services import AddressReport, load_addresses

pytestmark = pytest.mark.django_db

OPEN_ADDRESSES = """LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH
-96.95,32.01,412,Elm Street,,Millbrook,,TX,75001,a1,
-96.951,32.011,418,Elm Street,,Millbrook,,TX,75001,a2,
-96.952,32.012,4120,Elm Street,,Millbrook,,TX,75001,a3,
-96.953,32.013,12,Thelma Avenue,,Millbrook,,TX,75001,a4,
-96.954,32.014,12,North Oak Boulevard,B,Millbrook,,TX,75001,a5,
"""
CROSSINGS = """street1,street2,y,x
Elm Street,3rd Avenue,32.02,-96.96
Main St,3rd Avenue,32.021,-96.961
"""


@pytest.fixture
def city() -> Jurisdiction:
    return a_city("millbrook")


def load(city: Jurisdiction, text: str) -> AddressReport:
    return load_addresses(city, read_addresses(text.splitlines(keepends=True)), by=system(city.pk))


@pytest.fixture
def streets(city: Jurisdiction) -> Jurisdiction:
    load(city, OPEN_ADDRESSES)
    load(city, CROSSINGS)
    return city


def texts(city: Jurisdiction, typed: str) -> list[str]:
    return [found.point.text for found in search(city.pk, typed)]


def test_the_same_file_again_changes_nothing(city: Jurisdiction) -> None:
    first, again = load(city, OPEN_ADDRESSES), load(city, OPEN_ADDRESSES)
    assert (first.read, first.created, first.unchanged) == (5, 5, 0)
    assert (again.read, again.created, again.updated, again.unchanged, again.rejected) == (5, 0, 0, 5, 0)


def test_a_changed_row_is_updated_by_its_id(city: Jurisdiction) -> None:
    load(city, OPEN_ADDRESSES)
    report = load(city, OPEN_ADDRESSES.replace("412,Elm", "414,Elm"))
    assert (report.created, report.updated, report.unchanged) == (0, 1, 4)
    assert AddressPoint.objects.get(source_id="a1").text == "414 Elm Street"


def test_every_refused_row_has_its_number_and_reason(city: Jurisdiction) -> None:
    rows = "id,address,lat,lon\n1,1 Elm St,32,-96\n2,,32,-96\n3,3 Elm St,0,0\n4,4 Elm St,13809050,2143946\n5,5 Elm St\n"
    report = load(city, rows + "1,1 Elm Street,32,-96\n")
    assert report.read == report.created + report.updated + report.unchanged + report.rejected == 6
    reasons = {reject.row: reject.reason for reject in report.rejects}
    assert reasons[1] == "the same id stands again in a later row"
    assert reasons[2] == "no address"
    assert "not degrees" in reasons[3]
    assert "--crs" in reasons[4]
    assert "not degrees" in reasons[5]


def test_projected_addresses_become_degrees() -> None:
    rows = read_addresses(["address,x,y\n", "1 Elm St,2143946,13809050\n"], crs="EPSG:2278")
    (found,) = rows
    assert isinstance(found, Address)
    assert (round(found.latitude, 2), round(found.longitude, 2)) == (29.72, -98.45)


@pytest.mark.parametrize(
    ("lines", "columns", "sentence"),
    [
        (["a,b\n"], {}, "No column was found for latitude and longitude"),
        (["lat,lon\n"], {}, "No column was found for the address"),
        (["address,lat,lon\n"], {"latitude": "north"}, "no column 'north'"),
        (["address,lat,lon\n"], {"height": "lat"}, "no field 'height'"),
        (["address,lat,lon\n", '"' + "x" * 200_000], {}, "not CSV text"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(lines: Iterable[str], columns: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        list(read_addresses(lines, columns=columns))


def test_a_file_in_another_encoding_says_how_to_name_it(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("address,lat,lon\n1 Café St,32,-96\n".encode("windows-1252"))
    with file.open(encoding="utf-8-sig") as lines, pytest.raises(Invalid) as refused:
        list(read_addresses(lines))
    assert (
        refused.value.detail
        == "The file is not utf-8 text; say how it is written, for instance --encoding windows-1252."
    )


def test_control_characters_are_cleaned_away() -> None:
    (found,) = read_addresses(["address,lat,lon\n", "1\x00 Elm\tSt,32,-96\n"])
    assert isinstance(found, Address)
    assert found.text == "1 Elm St"


def test_an_unknown_kind_is_refused() -> None:
    (found,) = read_addresses(["address,lat,lon,kind\n", "1 Elm St,32,-96,castle\n"])
    assert found == Reject(1, "kind 'castle' is none of address, intersection, landmark")


def test_only_who_may_loads(city: Jurisdiction) -> None:
    with pytest.raises(Forbidden):
        load_addresses(city, [], by=actor_of(city))


def test_the_command_reads_compressed_files_and_reports(city: Jurisdiction, tmp_path: Path) -> None:
    file, rejects = tmp_path / "a.csv.gz", tmp_path / "rejects.csv"
    file.write_bytes(gzip.compress(OPEN_ADDRESSES.encode() + b"x,y,1,Elm,,,,,,a6,\n"))
    args = ["load", "millbrook", str(file), "--json", "--rejects", str(rejects), "--mapping", "id=ID"]
    result = CliRunner().invoke(addresses, args)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert (report["read"], report["created"], report["rejected"]) == (6, 5, 1)
    assert rejects.read_text().startswith("row,reason\n6,")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("412", "412 Elm Street"),
        ("412 elm", "412 Elm Street"),
        ("412 Elm Stre", "412 Elm Street"),
        ("412 elm st, Millbrook, TX 75001", "412 Elm Street"),
        ("elm & 3rd", "Elm Street & 3rd Avenue"),
        ("third and elm", "Elm Street & 3rd Avenue"),
        ("3rd Ave @ main", "Main St & 3rd Avenue"),
        ("12 n oak", "12 North Oak Boulevard B"),
        ("oak blvd", "12 North Oak Boulevard B"),
        ("thelma", "12 Thelma Avenue"),
        ("14 thel", "12 Thelma Avenue"),
        ("12 thelna ave", "12 Thelma Avenue"),
    ],
)
def test_what_is_typed_finds_the_address(streets: Jurisdiction, typed: str, first: str) -> None:
    assert texts(streets, typed)[0] == first


def test_a_house_number_is_whole_once_the_street_follows(streets: Jurisdiction) -> None:
    assert texts(streets, "412 elm") == ["412 Elm Street"]
    assert texts(streets, "412") == ["412 Elm Street", "4120 Elm Street"]


def test_an_unknown_house_number_gives_its_neighbours(streets: Jurisdiction) -> None:
    found = search(streets.pk, "416 elm street")
    assert [(f.point.text, f.match.value) for f in found[:2]] == [
        ("418 Elm Street", "nearby"),
        ("412 Elm Street", "nearby"),
    ]


@pytest.mark.parametrize("typed", ["", "  ", "&", "%", "_", "'; drop", "\\", "x" * 5000, "1 " * 500, "zzzzzz"])
def test_odd_texts_find_nothing_and_break_nothing(streets: Jurisdiction, typed: str) -> None:
    assert texts(streets, typed) == []


def test_another_citys_addresses_are_not_found(streets: Jurisdiction) -> None:
    other = a_city()
    assert texts(other, "412 elm") == []
    assert nearest(other.pk, 32.01, -96.95) == []


def test_the_nearest_address_is_found_within_the_radius(streets: Jurisdiction) -> None:
    (found,) = nearest(streets.pk, 32.0101, -96.95)
    assert found.point.text == "412 Elm Street"
    assert found.metres == pytest.approx(11.1, abs=0.1)
    assert nearest(streets.pk, 32.2, -96.95, radius_metres=5000) == []
    assert len(nearest(streets.pk, 32.011, -96.951, radius_metres=200, limit=9)) == 3


def test_a_search_asks_the_database_a_fixed_number_of_times(
    streets: Jurisdiction, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(6):
        search(streets.pk, "999 nowhere boulevard, Millbrook")
