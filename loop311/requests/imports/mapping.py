"""What a city's file means: a mapping from its columns to ours, written in YAML and checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from loop311.catalog.definitions import Code, Ending, Priority, Publicity, Texts
from loop311.interactions.policies import Channel
from loop311.kit.problems import Invalid

Columns = str | tuple[str, ...]
"""One column, or several of which the first that is not blank counts."""

ImportedState = Literal["received", "assigned", "in_progress", "closed", "declined"]
"""The states a row may say. The others need something no open data file has (a reason, an owner, a leading request)."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a mapping: unknown keys are refused with their path."""


class Swap(Rule, frozen=True, kw_only=True):
    """On some rows id and number have changed places: each is known by its pattern."""

    column: str
    """The column that holds the other one."""
    id_pattern: str
    other_pattern: str


class Times(Rule, frozen=True, kw_only=True):
    columns: Columns
    formats: tuple[str, ...] = ("iso",)
    """Tried in order: `iso`, `epoch_s`, `epoch_ms`, or a strptime pattern."""
    date_only: Literal["start", "end"] = "start"
    """What a date without a time means: the day's first second or its last."""


class Statuses(Rule, frozen=True, kw_only=True):
    columns: Columns
    states: dict[str, ImportedState]
    """Compared without regard to case."""
    default: ImportedState | None = None
    """For any other status; without it such a row is rejected."""


class Channels(Rule, frozen=True, kw_only=True):
    columns: Columns
    channels: dict[str, Channel]
    default: Channel | None = None


class Name(Rule, frozen=True, kw_only=True):
    """A service, group, department or team; its code is the slug of its name."""

    columns: Columns
    default: str = ""
    """Stands for a blank; without it a blank service rejects the row, a blank team is the department's own."""


class ImportedOutcome(Rule, frozen=True, kw_only=True):
    code: Code
    ending: Ending
    texts: Texts


class OutcomeMatch(Rule, frozen=True, kw_only=True):
    pattern: str
    """A regular expression searched in the closure text, without regard to case; the first match wins."""
    outcome: Code


class Outcomes(Rule, frozen=True, kw_only=True):
    columns: Columns = ()
    """The closure text; kept as the outcome's note."""
    known: tuple[ImportedOutcome, ...] = ()
    """Besides `imported_done` and `imported_declined`, which every import has."""
    matches: tuple[OutcomeMatch, ...] = ()


class Areas(Rule, frozen=True, kw_only=True):
    columns: Columns
    nothing: tuple[str, ...] = ()
    """Values that mean no area ('0')."""
    number: bool = False
    """Keys are whole numbers: '5.0' and '05' are '5', and what is no whole number is no area."""
    keys: tuple[str, ...] = ()
    """The only keys there are; empty: any."""
    separator: str = ""
    """Of two areas in one cell ('14,9') the first that is a key counts."""
    prefer: Literal["column", "geometry"] = "column"
    """Which counts when the file and the city's own polygons both say one."""


class Position(Rule, frozen=True, kw_only=True):
    """Degrees in `latitude` and `longitude` or both in `point`, or projected `x` and `y` with their `crs` ('EPSG:2278')."""

    latitude: str = ""
    longitude: str = ""
    point: str = ""
    """A column that holds both: '(32.78,-96.80)'."""
    x: str = ""
    y: str = ""
    crs: str = ""
    within: tuple[float, float, float, float] = (-90.0, -180.0, 90.0, 180.0)
    """South, west, north, east in degrees; what lies outside is no position."""
    nowhere: tuple[tuple[float, float], ...] = ()
    """Latitude and longitude the source writes when it knows none (besides 0, 0)."""
    required: bool = False
    """Reject a row without a position, instead of keeping it without one."""


class Text(Rule, frozen=True, kw_only=True):
    columns: Columns
    join: str = ""
    """When given, all columns that are not blank, joined by this; otherwise the first that is not blank."""


class Mapping(Rule, frozen=True, kw_only=True):
    source: Code
    """Kept with each request; with the source id it is the request's identity across imports."""
    id: Columns
    swap: Swap | None = None
    opened: Times
    closed: Times | None = None
    due: Times | None = None
    updated: Times | None = None
    """Only tells which of two rows with one id is the newer; never taken for the closing."""
    status: Statuses
    channel: Channels
    service: Name
    group: Name | None = None
    department: Name
    team: Name | None = None
    outcome: Outcomes = Outcomes()
    areas: dict[Code, Areas] = {}
    position: Position | None = None
    description: Text | None = None
    address: Text | None = None
    keep: dict[Code, str] = {}
    """Further columns, kept with the request's answers under these codes."""
    time_zone: str = ""
    """Of times without one; the city's when empty."""
    nulls: tuple[str, ...] = ()
    """Values that mean blank in every column ('NaT', 'N/A')."""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    encoding: str = ""
    """UTF-8, or else Windows-1252, when empty."""
    closed_before_opened: Literal["reject", "warn"] = "reject"
    priority: Priority = Priority.STANDARD
    publicity: Publicity = Publicity.EXACT


def shipped() -> list[str]:
    """Names of the mappings that come with Loop311."""
    folder = resources.files(__package__).joinpath("mappings")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(name_or_path: str) -> Mapping:
    """A shipped mapping by its name, or a YAML file. Raises Invalid with one sentence."""
    if name_or_path in shipped():
        return read(resources.files(__package__).joinpath("mappings", f"{name_or_path}.yaml").read_text("utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        names = ", ".join(shipped())
        raise Invalid(f"There is no mapping {name_or_path!r}: give a YAML file, or one of {names}.")
    try:
        return read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The mapping {name_or_path} cannot be read: {error}.") from error


def read(text: str) -> Mapping:
    """A mapping from YAML text. Raises Invalid with one sentence."""
    try:
        mapping = msgspec.convert(yaml.safe_load(text), type=Mapping)
    except yaml.YAMLError as error:
        raise Invalid(f"The mapping is not YAML: {' '.join(str(error).split())}.") from error
    except msgspec.ValidationError as error:
        raise Invalid(f"The mapping has a mistake: {str(error).rstrip('.')}.") from error
    mistake = next(_mistakes(mapping), "")
    if mistake:
        raise Invalid(f"The mapping has a mistake: {mistake}.")
    return mapping


def _mistakes(mapping: Mapping) -> Iterator[str]:
    """What the types alone do not refuse."""
    known = {"imported_done", "imported_declined", *(outcome.code for outcome in mapping.outcome.known)}
    for match in mapping.outcome.matches:
        if match.outcome not in known:
            yield f"the outcome {match.outcome!r} is not among the known ones"
    swap = (mapping.swap.id_pattern, mapping.swap.other_pattern) if mapping.swap else ()
    for pattern in (*(match.pattern for match in mapping.outcome.matches), *swap):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{pattern!r} is no regular expression ({error})"
    place = mapping.position
    if place and not (place.point or (place.latitude and place.longitude) or (place.x and place.y and place.crs)):
        yield "the position needs latitude and longitude, or x, y and crs, or a point"


def listed(columns: Columns) -> tuple[str, ...]:
    """('a',) for 'a'; nothing for the empty string."""
    if isinstance(columns, str):
        return (columns,) if columns else ()
    return columns
