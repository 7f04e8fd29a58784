"""The rows of the files that are exchanged: docs/reference/work-order-files.md. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from loop311.workorders.connectors.base import Change, Outgoing, Proven, Report, TheirState

OURS = (
    "message", "action", "reference", "number", "service", "title", "description", "address", "latitude", "longitude",
    "priority", "received_at", "due_at", "link", "reporter_name", "reporter_phone", "reporter_email", "answers",
    "at", "status", "text", "evidence",
)  # fmt: skip
NEEDED = ("row", "reference", "status", "at")
THEIRS = (*NEEDED, "words", "their_number", "evidence_kind", "evidence_reference", "latitude", "longitude")
STANDING = ("reference", "status", "at")

_FORMULA = "=+-@\t\r"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_WORDS = 4000
AHEAD = timedelta(days=1)
"""A row that is dated later than this from now is not believed: it would silence all that really follow."""


def order_row(order: Outgoing, message: str) -> dict[str, str]:
    contact = order.contact
    return {
        "message": message,
        "action": "create",
        **_who(order),
        "title": order.title,
        "description": order.description,
        "address": order.address,
        "latitude": _number(order.latitude),
        "longitude": _number(order.longitude),
        "priority": order.priority,
        "received_at": _moment(order.received_at),
        "due_at": _moment(order.due_at),
        "link": order.url,
        "reporter_name": contact.name if contact else "",
        "reporter_phone": contact.phone if contact else "",
        "reporter_email": contact.email if contact else "",
        "answers": json.dumps(dict(order.attributes), ensure_ascii=False, sort_keys=True) if order.attributes else "",
        "at": _moment(order.received_at),
    }


def change_row(order: Outgoing, change: Change, message: str) -> dict[str, str]:
    proofs = [
        {"kind": proof.kind, "reference": proof.reference, "note": proof.note, "latitude": proof.latitude,
         "longitude": proof.longitude} for proof in change.evidence
    ]  # fmt: skip
    erased = {"title": order.title, "description": order.description} if change.kind == "erased" else {}
    return {
        "message": message,
        "action": str(change.kind),
        **_who(order),
        **erased,
        "priority": change.priority,
        "due_at": _moment(change.due_at),
        "at": _moment(change.at),
        "status": change.status,
        "text": change.text,
        "evidence": json.dumps(proofs, ensure_ascii=False) if proofs else "",
    }


def cancel_row(order: Outgoing, why: str, message: str) -> dict[str, str]:
    return {"message": message, "action": "cancel", **_who(order), "text": why}


def _who(order: Outgoing) -> dict[str, str]:
    return {"reference": order.reference, "number": order.number, "service": order.theirs}


def written(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = OURS) -> bytes:
    """A file: UTF-8, comma, CR LF, header first, every row ended."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows([{name: _cell(name, value) for name, value in row.items()} for row in rows])
    return out.getvalue().encode()


def _cell(name: str, text: str) -> str:
    """No spreadsheet shall take what somebody typed for a formula. Positions are numbers of ours."""
    text = _CONTROL.sub(" ", text)
    return f"'{text}" if text[:1] in _FORMULA and text and name not in ("latitude", "longitude") else text


def _uncell(text: str) -> str:
    text = _CONTROL.sub(" ", text).strip()
    return text[1:] if text[:1] == "'" and text[1:2] and text[1:2] in _FORMULA else text


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be used, where it is in the file, and why."""

    line: int
    why: str
    cells: tuple[str, ...] = ()
    reference: str = ""
    """Of which order it speaks, as far as it can be told."""


class NoTable(Exception):
    """The file as a whole cannot be read; its sentence says what to mend."""


Knows = Callable[[Collection[str]], Collection[str]]


def reports(data: bytes, *, zone: tzinfo | None, now: datetime, knows: Knows) -> tuple[list[Report], list[Bad]]:
    """`knows`: which of these marks are ours; a row about another would be lost unseen. Raises NoTable."""
    good: list[tuple[int, list[str], Report]] = []
    bad: list[Bad] = []
    for line, cells, row in _rows(data, NEEDED):
        try:
            good.append((line, cells, _report(row, zone, now)))
        except ValueError as error:
            bad.append(Bad(line, str(error), tuple(cells), row.get("reference", "")))
    ours = knows({report.reference for _, _, report in good})
    bad += [
        Bad(line, f"No order of ours bears the reference {report.reference}.", tuple(cells))
        for line, cells, report in good
        if report.reference not in ours
    ]
    return [report for _, _, report in good if report.reference in ours], sorted(bad, key=lambda each: each.line)


def standing(data: bytes, *, zone: tzinfo | None) -> list[TheirState]:
    """Raises NoTable also for a single bad row: half a list would look like missing records."""
    found = []
    for line, _, row in _rows(data, STANDING):
        if not row.get("reference"):
            raise NoTable(f"Line {line} has no reference.")
        try:
            at = _read_moment(row["at"], zone) if row["at"] else None
        except ValueError as error:
            raise NoTable(f"Line {line}: {error}") from error
        key = row["reference"]
        found.append(TheirState(their_key=key, reference=key, status=row["status"], at=at))
    return found


def _rows(data: bytes, needed: Sequence[str]) -> Iterator[tuple[int, list[str], dict[str, str]]]:
    """Line, cells as they are, and cells by name; nothing by name in a row that has not as many as the header."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoTable("The file is not written in UTF-8.") from error
    if text and not text.endswith(("\n", "\r")):
        raise NoTable("The last line is not ended: the file may be half a file.")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
        missing = [name for name in needed if name not in header]
        if missing:
            raise NoTable(f"The header has no {', '.join(missing)}.")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                whole = len(cells) == len(header)
                yield reader.line_num, cells, dict(zip(header, map(_uncell, cells), strict=True)) if whole else {}
    except csv.Error as error:
        raise NoTable(f"Line {reader.line_num} is no row of a table ({error}).") from error


def _report(row: Mapping[str, str], zone: tzinfo | None, now: datetime) -> Report:
    """Raises ValueError with what is wrong."""
    if not row:
        raise ValueError("The row has not as many cells as the header.")
    empty = [name for name in ("row", "reference") if not row[name]]
    if empty:
        raise ValueError(f"There is no {', '.join(empty)}.")
    at = _read_moment(row["at"], zone)
    if at > now + AHEAD:
        raise ValueError(f"The time {row['at']} has not come yet.")
    proof = _proof(row)
    number, words = row.get("their_number", ""), row.get("words", "")
    if number and (words or not row["status"]):
        words = f"[{number}] {words}".strip()
    if not (row["status"] or words or proof):
        raise ValueError("The row says nothing: no status, words or evidence.")
    content = hashlib.sha256("\x1f".join(row.get(name, "") for name in THEIRS).encode()).hexdigest()[:12]
    return Report(
        id=f"row:{row['row'][:200]}:{content}",
        their_key=row["reference"],
        reference=row["reference"],
        status=row["status"],
        words=words[:_MOST_WORDS],
        at=at,
        evidence=(proof,) if proof else (),
    )


def _proof(row: Mapping[str, str]) -> Proven | None:
    kind = row.get("evidence_kind", "")
    if not kind:
        return None
    latitude, longitude = row.get("latitude", ""), row.get("longitude", "")
    if bool(latitude) != bool(longitude):
        raise ValueError("Latitude and longitude come together.")
    place = (_coordinate(latitude, 90), _coordinate(longitude, 180)) if latitude else (None, None)
    return Proven(
        kind=kind.casefold(),
        reference=row.get("evidence_reference", ""),
        note=row.get("their_number", ""),
        latitude=place[0],
        longitude=place[1],
    )


def _coordinate(text: str, most: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text} is no coordinate.") from None
    if not -most <= value <= most:  # also not a number
        raise ValueError(f"{text} is no coordinate.")
    return value


def _read_moment(text: str, zone: tzinfo | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text or 'Nothing'} is no time: write 2026-11-22T09:30:00Z.") from None
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text} names no time zone: write 2026-11-22T09:30:00Z.")
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is no time.") from None


def rejected(bad: Sequence[Bad]) -> bytes:
    """What goes back: where, why, and the row as it was."""
    rows = [
        {"line": str(each.line), "problem": each.why, "row": json.dumps(each.cells, ensure_ascii=False)} for each in bad
    ]
    return written(rows, ("line", "problem", "row"))


def complaints(bad: Sequence[Bad], name: str, at: datetime) -> list[Report]:
    """So that a row which cannot be read is at least known where its order is."""
    return [
        Report(
            id=f"bad:{hashlib.sha256(repr(each).encode()).hexdigest()[:24]}",
            their_key=each.reference,
            reference=each.reference,
            words=f"A row of theirs could not be read: {name}, line {each.line}. {each.why}",
            at=at,
        )
        for each in bad
        if each.reference
    ]


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
