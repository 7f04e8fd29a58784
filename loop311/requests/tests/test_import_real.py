"""The cities' own files, counted independently with the csv module."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from loop311.catalog.models import CatalogueVersion
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.ledger.models import Event, Head
from loop311.places.services import load_boundaries
from loop311.places.testing import real_data
from loop311.requests import imports
from loop311.requests.models import Promise, Request

pytestmark = [pytest.mark.django_db, pytest.mark.real_data]

BOSTON = "service_requests/boston_311_2011_q3.csv.gz"
SAN_ANTONIO = "service_requests/san_antonio_311_78_rows.csv"
NEW_YORK = "service_requests/nyc_311_2024-04_1000rows.csv"

CHANNELS = {
    "Constituent Call": "phone",
    "Employee Generated": "staff",
    "Self Service": "web",
    "Citizens Connect App": "app",
    "Maximo Integration": "api",
    "Twitter": "message",
}


def rows_of(name: str) -> list[dict[str, str]]:
    path = real_data(name)
    opener = gzip.open if name.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def bring_in(city: Jurisdiction, name: str, mapping: str) -> imports.Summary:
    return imports.run(city, real_data(name), imports.load(mapping), by=system(city.pk))


def counted(city: Jurisdiction, field: str) -> Counter[str]:
    return Counter(Request.objects.filter(jurisdiction=city).values_list(field, flat=True))


@pytest.fixture
def boston() -> Jurisdiction:
    return create("boston", name="Boston", time_zone="America/New_York", languages=("en", "es"))


@pytest.fixture
def san_antonio() -> Jurisdiction:
    return create("san-antonio", name="San Antonio", time_zone="America/Chicago")


@pytest.mark.slow
def test_every_row_of_bostons_quarter_is_accounted_for_and_a_second_import_changes_nothing(
    boston: Jurisdiction,
) -> None:
    rows = rows_of(BOSTON)
    load_boundaries(
        boston,
        "neighborhood_polygon",
        real_data("boundaries/boston_neighborhoods.geojson").read_bytes(),
        by=system(boston.pk),
    )
    first = bring_in(boston, BOSTON, "boston")
    assert first.counts() == [len(rows), len(rows), 0, 0, 0]
    assert counted(boston, "service__names__en") == Counter(row["type"] for row in rows)
    assert counted(boston, "team__department__names__en") == Counter(row["department"] for row in rows)
    assert counted(boston, "team__names__en") == Counter(row["queue"] for row in rows)
    group_of = {row["type"]: _code(row["reason"]) for row in rows}  # in this file every type has one reason
    assert counted(boston, "service__group") == Counter(group_of[row["type"]] for row in rows)
    assert counted(boston, "channel") == Counter(CHANNELS[row["source"]] for row in rows)
    assert counted(boston, "answers__source") == Counter(row["source"] for row in rows)
    states = counted(boston, "state")
    statuses = Counter(row["case_status"] for row in rows)
    assert states["closed"] + states["declined"] == statuses["Closed"]
    assert states["received"] == statuses["Open"]
    _assert_times_are_the_files(boston, rows)
    _assert_areas(boston, rows)
    events, versions = Event.objects.count(), CatalogueVersion.objects.count()
    assert Head.objects.filter(subject_type="request").count() == len(rows)
    second = bring_in(boston, BOSTON, "boston")
    assert second.counts() == [len(rows), 0, 0, len(rows), 0]
    assert (Event.objects.count(), CatalogueVersion.objects.count()) == (events, versions)


def _code(reason: str) -> str:
    return "-".join(reason.lower().replace("&", " ").split())


def _assert_times_are_the_files(city: Jurisdiction, rows: list[dict[str, str]]) -> None:
    zone = ZoneInfo("America/New_York")

    def read(text: str) -> datetime | None:
        return datetime.fromisoformat(text).replace(tzinfo=zone) if text.strip() else None

    expected = {
        row["case_enquiry_id"]: (read(row["open_dt"]), read(row["target_dt"]), read(row["closed_dt"])) for row in rows
    }
    stored = Request.objects.filter(jurisdiction=city).values_list("source_id", "received_at", "due_at", "ended_at")
    assert {source_id: tuple(times) for source_id, *times in stored} == expected
    assert Promise.objects.filter(jurisdiction=city).count() == sum(bool(row["target_dt"].strip()) for row in rows)


def _assert_areas(city: Jurisdiction, rows: list[dict[str, str]]) -> None:
    said = Counter(row["neighborhood"].strip() for row in rows if row["neighborhood"].strip())
    stored = Request.objects.filter(jurisdiction=city, areas__has_key="neighborhood")
    assert Counter(stored.values_list("areas__neighborhood", flat=True)) == said
    placed = Request.objects.filter(jurisdiction=city, latitude__isnull=False).values_list("areas", flat=True)
    inside = sum("neighborhood_polygon" in areas for areas in placed)
    assert inside > 0.99 * len(placed)


def test_san_antonios_repeated_cases_count_once_and_its_blank_rows_are_rejected(san_antonio: Jurisdiction) -> None:
    load_boundaries(
        san_antonio,
        "district_polygon",
        real_data("boundaries/san_antonio_council_districts_2017.geojson").read_bytes(),
        by=system(san_antonio.pk),
    )
    rows = rows_of(SAN_ANTONIO)
    named = [row for row in rows if row["TYPENAME"]]
    first = bring_in(san_antonio, SAN_ANTONIO, "san_antonio")
    cases = {row["CASEID"] for row in named}
    assert first.counts() == [78, len(cases), 0, len(named) - len(cases), 78 - len(named)]
    stated = Request.objects.filter(jurisdiction=san_antonio, areas__has_keys=["council_district", "district_polygon"])
    agree = sum(
        areas["council_district"] == areas["district_polygon"] for areas in stated.values_list("areas", flat=True)
    )
    assert agree >= 0.9 * len(cases)
    second = bring_in(san_antonio, SAN_ANTONIO, "san_antonio")
    assert second.counts() == [78, 0, 0, len(named), 78 - len(named)]


def test_new_yorks_rows_with_line_breaks_in_their_cells_arrive_whole() -> None:
    city = create("new-york", name="New York", time_zone="America/New_York")
    rows = rows_of(NEW_YORK)
    unfinished = [row for row in rows if row["status"] == "Closed" and not row["closed_date"]]
    first = bring_in(city, NEW_YORK, "new_york")
    assert first.counts() == [1000, 1000 - len(unfinished), 0, 0, len(unfinished)]
    kept = [row for row in rows if row not in unfinished]
    assert counted(city, "service__names__en") == Counter(row["complaint_type"] for row in kept)
    assert counted(city, "areas__borough")["BROOKLYN"] == sum(row["borough"] == "BROOKLYN" for row in kept)
    assert bring_in(city, NEW_YORK, "new_york").counts() == [1000, 0, 0, 1000 - len(unfinished), len(unfinished)]
