"""What becomes of single rows: every trap that cities' files have set."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loop311.accounts.models import Team
from loop311.interactions.models import Interaction
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.ledger.models import Event
from loop311.ledger.policies import canonical
from loop311.places.services import load_boundaries
from loop311.places.testing import squares
from loop311.requests.models import Promise, Request
from loop311.requests.tests.import_files import bring_in, mapping, reasons

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago", languages=("en", "es"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def only(city: Jurisdiction) -> Request:
    return Request.objects.get(jurisdiction=city)


def test_a_row_becomes_a_request_with_its_contact_its_promise_and_its_team(city: Jurisdiction, path: Path) -> None:
    assert bring_in(city, path, {}).counts() == [1, 1, 0, 0, 0]
    request = only(city)
    assert (request.number, request.state, request.source_id) == ("24-00000001", "received", "C-1")
    assert request.received_at == datetime(2024, 3, 1, 16, tzinfo=UTC)
    assert request.due_at == datetime(2024, 3, 8, 16, tzinfo=UTC)
    promise = Promise.objects.get(request=request)
    assert (promise.step, promise.reason, promise.due_at) == ("resolution", "imported", request.due_at)
    contact = Interaction.objects.get(pk=request.interaction_id)
    assert (contact.channel, contact.outcome, contact.started_at) == ("phone", "request", request.received_at)
    team = Team.objects.select_related("department").get(pk=request.team_id)
    assert (team.code, team.names["en"], team.department.names["en"]) == ("streets-crew-7", "Crew 7", "Streets")
    assert request.areas == {"district": "14"}


def test_the_events_body_is_spelled_as_the_ledger_spells_it(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {}, {"case": "C-2", "due": ""})
    bring_in(city, path, {"status": "Closed", "closed": "2024-03-02 09:00:00"})
    bodies = [event.body for event in Event.objects.filter(subject_type="request").order_by("pk")]
    assert bodies == [canonical(json.loads(body)) for body in bodies]
    assert [sorted(json.loads(body)) for body in bodies] == [
        ["digest", "due_at", "service", "source", "state", "team"],
        ["digest", "service", "source", "state", "team"],
        ["digest", "due_at", "service", "source", "state", "team"],
    ]


def test_the_number_is_of_the_citys_own_year(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {"opened": "2024-01-01T05:59:59+00:00"})
    assert only(city).number == "23-00000001"


def test_a_closed_row_ends_with_the_outcome_its_closure_text_names(city: Jurisdiction, path: Path) -> None:
    closed = {"status": "Closed", "closed": "2024-03-02 09:00:00"}
    bring_in(city, path, {**closed, "closure": "A Duplicate."}, {**closed, "case": "C-2", "closure": "Filled."})
    found = Request.objects.order_by("source_id").values_list("outcome", "outcome_note", "ended_at")
    ended = datetime(2024, 3, 2, 15, tzinfo=UTC)
    assert list(found) == [("imported_duplicate", "A Duplicate.", ended), ("imported_done", "Filled.", ended)]


def test_a_refused_row_is_declined(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {"status": "Refused", "closed": "2024-03-02 09:00:00"})
    assert (only(city).state, only(city).outcome) == ("declined", "imported_declined")


def test_a_time_of_updating_is_never_taken_for_the_closing(city: Jurisdiction, path: Path) -> None:
    assert bring_in(city, path, {"status": "Closed", "updated": "2024-03-04 09:00:00"}).rejected == 1
    assert reasons(path) == ["1: closed, but without a time of closing"]


def test_a_time_of_closing_on_an_open_row_does_not_close_it(city: Jurisdiction, path: Path) -> None:
    summary = bring_in(city, path, {"closed": "2024-03-04 09:00:00"})
    assert (only(city).state, only(city).ended_at) == ("received", None)
    assert summary.warnings == {"open_with_closing_time": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"case": " "}, "no id"),
        ({"type": ""}, "no service"),
        ({"opened": ""}, "no time of opening"),
        ({"opened": "NaT"}, "no time of opening"),
        ({"opened": "yesterday"}, "'yesterday' is not a time in the expected form"),
        ({"opened": "0024-03-01 10:00:00"}, "the year 24 cannot be right"),
        ({"opened": "2199-03-01 10:00:00"}, "opened in the future"),
        (
            {"status": "Closed", "closed": "2199-02-29 09:00:00"},
            "'2199-02-29 09:00:00' is not a time in the expected form",
        ),
        ({"status": "Closed", "closed": "2199-03-01 09:00:00"}, "closed in the future"),
        ({"due": "31/12/2024"}, "'31/12/2024' is not a time in the expected form"),
        ({"status": "Lost"}, "the status 'Lost' is not in the mapping"),
        ({"status": ""}, "no status"),
        ({"status": "Closed", "closed": "2024-02-29 09:00:00"}, "closed before it was opened"),
    ],
)
def test_a_row_that_cannot_be_a_request_is_rejected_with_its_reason(
    city: Jurisdiction, path: Path, change: dict[str, str], reason: str
) -> None:
    assert bring_in(city, path, {"case": "C-0"}, change).counts() == [2, 1, 0, 0, 1]
    assert reasons(path) == [f"2: {reason}"]


def test_a_mapping_may_keep_rows_that_closed_before_they_opened(city: Jurisdiction, path: Path) -> None:
    row = {"status": "Closed", "closed": "2024-02-29 09:00:00"}
    summary = bring_in(city, path, row, using=mapping(closed_before_opened="warn"))
    assert only(city).ended_at == only(city).received_at
    assert summary.warnings == {"closed_before_opened": 1}


@pytest.mark.parametrize(
    ("opened", "utc"),
    [
        ("2024-03-10 02:30:00", datetime(2024, 3, 10, 8, 30, tzinfo=UTC)),  # skipped: by the offset before
        ("2024-11-03 01:30:00", datetime(2024, 11, 3, 6, 30, tzinfo=UTC)),  # twice: the first
        ("2024-07-01 12:00:00", datetime(2024, 7, 1, 17, 0, tzinfo=UTC)),
        ("2024-07-01T12:00:00Z", datetime(2024, 7, 1, 12, 0, tzinfo=UTC)),
        ("07/01/2024 12:00", datetime(2024, 7, 1, 17, 0, tzinfo=UTC)),
        ("2024-07-01", datetime(2024, 7, 1, 5, 0, tzinfo=UTC)),
    ],
)
def test_local_times_are_placed(city: Jurisdiction, path: Path, opened: str, utc: datetime) -> None:
    bring_in(city, path, {"opened": opened, "due": ""})
    assert only(city).received_at == utc


def test_closed_in_the_repeated_hour_is_not_closed_before_opened(city: Jurisdiction, path: Path) -> None:
    bring_in(
        city, path, {"status": "Closed", "opened": "2024-11-03 01:50:00", "closed": "2024-11-03 01:10:00", "due": ""}
    )
    assert only(city).ended_at == datetime(2024, 11, 3, 7, 10, tzinfo=UTC)


def test_a_due_date_without_a_time_is_the_end_of_that_day(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {"due": "2024-03-08"})
    assert only(city).due_at == datetime(2024, 3, 9, 5, 59, 59, tzinfo=UTC)


def test_a_row_without_a_due_date_has_no_promise(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {"due": ""})
    assert only(city).due_at is None
    assert not Promise.objects.exists()


@pytest.mark.parametrize(
    ("lat", "lon", "warning"),
    [
        ("0", "0.0", "position_is_zero"),
        ("13713878", "2121781", "position_out_of_range"),
        ("", "", "no_position"),
        ("32.5", "", "no_position"),
        ("north", "west", "no_position"),
        ("nan", "inf", "no_position"),
        ("-97.5", "32.5", "position_out_of_range"),
    ],
)
def test_an_unbelievable_position_is_left_out_and_counted(
    city: Jurisdiction, path: Path, lat: str, lon: str, warning: str
) -> None:
    assert bring_in(city, path, {"lat": lat, "lon": lon}).warnings == {warning: 1}
    assert (only(city).latitude, only(city).longitude) == (None, None)


def test_a_mapping_may_require_a_position(city: Jurisdiction, path: Path) -> None:
    rule = {"latitude": "lat", "longitude": "lon", "required": True}
    summary = bring_in(city, path, {"lat": "0", "lon": "0"}, {"case": "C-2"}, using=mapping(position=rule))
    assert summary.counts() == [2, 1, 0, 0, 1]
    assert reasons(path) == ["1: no position that can be believed"]


def test_feet_become_degrees(city: Jurisdiction, path: Path) -> None:
    rule = {"x": "lon", "y": "lat", "crs": "EPSG:2278"}
    bring_in(city, path, {"lon": "2121781.0", "lat": "13713878.0"}, using=mapping(position=rule))
    assert only(city).latitude == pytest.approx(29.457, abs=0.01)
    assert only(city).longitude == pytest.approx(-98.52, abs=0.01)


@pytest.mark.parametrize(
    ("cell", "areas", "warnings"),
    [
        ("14,9", {"district": "14"}, {"several_areas_in_one_cell:district": 1}),
        ("77, 9", {"district": "9"}, {}),
        ("14.0", {"district": "14"}, {}),
        ("0", {}, {}),
        ("", {}, {}),
        ("495440.0", {}, {"no_such_area:district": 1}),
        ("4.761099", {}, {"no_such_area:district": 1}),
    ],
)
def test_what_a_cell_says_about_areas(
    city: Jurisdiction, path: Path, cell: str, areas: dict[str, str], warnings: dict[str, int]
) -> None:
    assert bring_in(city, path, {"district": cell}).warnings == warnings
    assert only(city).areas == areas


def test_loaded_polygons_say_the_areas_that_the_row_does_not(city: Jurisdiction, path: Path) -> None:
    for layer in ("district", "ward"):
        shapes = squares(3, west=-97.7, south=32.4, side=0.2)
        load_boundaries(city, layer, json.dumps(shapes).encode(), by=system(city.pk))
    bring_in(city, path, {}, {"case": "C-2", "district": ""})
    found = dict(Request.objects.values_list("source_id", "areas"))
    assert found == {"C-1": {"district": "14", "ward": "1"}, "C-2": {"district": "1", "ward": "1"}}


def test_id_and_number_that_changed_places_are_put_back(city: Jurisdiction, path: Path) -> None:
    swap = {"column": "what", "id_pattern": r"C-\d+", "other_pattern": r"\d{4}"}
    bring_in(
        city,
        path,
        {"case": "C-1", "what": "1001"},
        {"case": "1002", "what": "C-2"},
        {"case": "1003", "what": "?"},
        using=mapping(swap=swap),
    )
    assert set(Request.objects.values_list("source_id", flat=True)) == {"C-1", "C-2", "1003"}


def test_cells_with_line_breaks_quotes_tabs_and_backslashes_arrive_whole(city: Jurisdiction, path: Path) -> None:
    text = 'He said "no",\nthen\tleft\\N \\. é 🚧'
    bring_in(city, path, {"what": text})
    assert only(city).description == text
    assert bring_in(city, path, {"what": text}).counts() == [1, 0, 0, 1, 0]


def test_one_team_name_in_two_departments_is_two_teams(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {"team": "Field"}, {"case": "C-2", "team": "Field", "department": "Parks"})
    assert sorted(Team.objects.values_list("code", flat=True)) == ["parks-field", "streets-field"]
