"""Importing a file of a city's open data: new rows, then the same file again."""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bench.results import Effort, Result, at_least
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.requests import imports

_TYPES = ("Request for Pothole Repair", "Missed Trash", "Graffiti Removal", "Sidewalk Repair", "Street Light Outages")
_SOURCES = ("Constituent Call", "Self Service", "Citizens Connect App", "Employee Generated")
_BEGIN = datetime.fromisoformat("2024-03-11 06:00:00")
_MINUTES = 300_000
"""From here on so many minutes hold no hour that the clocks skip: no row is refused, so the same file again holds no work."""


def measure(size: int, effort: Effort) -> Iterator[Result]:
    """Into a city of its own each time, beside the big one in the same tables."""
    jurisdiction = jurisdictions.create(
        f"import-{size}", name=f"Import {size}", time_zone="America/New_York", languages=("en", "es")
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boston.csv"
        _write(path, effort.import_rows)
        first, again = _seconds(jurisdiction, path), _seconds(jurisdiction, path)
    note = f"{effort.import_rows:,} rows of Boston's columns, validated, with promises and events"
    yield at_least("import, new rows", size, effort.import_rows / first, 20_000, "rows/s", note)
    yield at_least("import, unchanged", size, effort.import_rows / again, 100_000, "rows/s", "the same file again")


def _seconds(jurisdiction: Jurisdiction, path: Path) -> float:
    begun = time.perf_counter()
    summary = imports.run(jurisdiction, path, imports.load("boston"), by=system(jurisdiction.pk))
    taken = time.perf_counter() - begun
    if summary.rejected:
        raise RuntimeError(f"{summary.rejected} rows of the bench's own file were refused")
    return taken


def _write(path: Path, rows: int) -> None:
    """The columns that Boston publishes, filled with made-up rows."""
    chance = random.Random(rows)  # noqa: S311 - made-up rows, no secrets
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(_row(chance, 0)))
        writer.writeheader()
        writer.writerows(_row(chance, number) for number in range(rows))


def _row(chance: random.Random, number: int) -> dict[str, object]:
    opened = _BEGIN + timedelta(minutes=number % _MINUTES)
    is_open = chance.random() < 0.1
    kind = chance.choice(_TYPES)
    days = chance.random() * 10
    return {
        "case_enquiry_id": 101_000_000_000 + number,
        "open_dt": opened,
        "target_dt": opened + timedelta(days=5),
        "closed_dt": "" if is_open else opened + timedelta(minutes=int(days * 1440)),
        "ontime": "ONTIME" if days < 5 else "OVERDUE",
        "case_status": "Open" if is_open else "Closed",
        "closure_reason": " "
        if is_open
        else f"Case Closed. Closed date : {opened} Case Resolved by crew {number % 40}",
        "case_title": kind,
        "subject": "Public Works Department",
        "reason": "Highway Maintenance",
        "type": kind,
        "queue": f"PWDx_District {number % 9}",
        "department": "PWDx",
        "location": f"{number % 900} Washington St  Boston  MA  02118",
        "police_district": f"A{number % 7}",
        "neighborhood": f"Neighborhood {number % 20}",
        "pwd_district": f"{number % 10:02d}",
        "city_council_district": number % 9 + 1,
        "ward": f"Ward {number % 22}",
        "precinct": f"{number % 2200:04d}",
        "location_street_name": f"{number % 900} Washington St",
        "latitude": 42.25 + chance.random() * 0.15,
        "longitude": -71.18 + chance.random() * 0.15,
        "source": chance.choice(_SOURCES),
    }
