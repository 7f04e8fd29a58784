"""Small made-up files for the import's tests, and a mapping that reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping as Dict
from pathlib import Path

import msgspec

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.requests import imports
from loop311.requests.imports.mapping import Mapping, read

MAPPING = """
source: made_up
id: case
opened: {columns: opened, formats: [iso, "%m/%d/%Y %H:%M"]}
closed: {columns: closed, formats: [iso, "%m/%d/%Y %H:%M"]}
due: {columns: due, formats: [iso], date_only: end}
updated: {columns: updated}
status: {columns: status, states: {Open: received, Working: in_progress, Closed: closed, Refused: declined}}
channel: {columns: channel, channels: {Call: phone, Web: web}, default: counter}
service: {columns: type}
department: {columns: department, default: City}
team: {columns: team}
outcome:
  columns: closure
  known: [{code: imported_duplicate, ending: done, texts: {en: It was known already.}}]
  matches: [{pattern: duplicate, outcome: imported_duplicate}]
areas:
  district: {columns: district, number: true, nothing: ["0"], keys: ["1", "9", "14"], separator: ","}
position: {latitude: lat, longitude: lon, within: [30, -100, 35, -90]}
description: {columns: what}
nulls: [NaT]
"""

ROW = {
    "case": "C-1",
    "opened": "2024-03-01 10:00:00",
    "closed": "",
    "due": "2024-03-08 10:00:00",
    "updated": "",
    "status": "Open",
    "channel": "Call",
    "type": "Pothole",
    "department": "Streets",
    "team": "Crew 7",
    "closure": "",
    "district": "14",
    "lat": "32.5",
    "lon": "-97.5",
    "what": "In front of the school",
}
"""A row that is right; tests change what they are about."""


def mapping(**changes: object) -> Mapping:
    """The mapping above with some of its parts read anew from plain values."""
    plain = msgspec.to_builtins(read(MAPPING))
    return msgspec.convert({**plain, **changes}, type=Mapping)


def text_of(*rows: Dict[str, str]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(ROW))
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)
    return file.getvalue()


def bring_in(
    city: Jurisdiction, path: Path, *rows: Dict[str, str], using: Mapping | None = None, dry_run: bool = False
) -> imports.Summary:
    """Write the rows to the path and import them."""
    path.write_text(text_of(*rows), encoding="utf-8", newline="")
    return bring_in_file(city, path, using=using, dry_run=dry_run)


def bring_in_file(
    city: Jurisdiction, path: Path, *, using: Mapping | None = None, dry_run: bool = False
) -> imports.Summary:
    return imports.run(
        city,
        path,
        using or mapping(),
        by=system(city.pk),
        dry_run=dry_run,
        rejects=path.with_suffix(".rejects"),
    )


def reasons(path: Path) -> list[str]:
    """Of the rejects file that belongs to the imported one: 'row: reason'."""
    with path.with_suffix(".rejects").open(newline="", encoding="utf-8") as file:
        return [f"{row['row']}: {row['reason']}" for row in csv.DictReader(file)]
