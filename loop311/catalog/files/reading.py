"""Files to a catalogue: one file, or a folder whose files together hold one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import get_args

import msgspec

from loop311.catalog.definitions import Catalogue
from loop311.catalog.files.parsing import MAX_BYTES, Parsed, Path, Unreadable, Value, parse
from loop311.catalog.files.sentences import sentence_of
from loop311.kit.problems import FieldProblem, Invalid

MAX_FILES = 500
STARTER = FilePath(__file__).resolve().parents[1] / "starter"
"""The catalogue that is shipped: about seventy services of a US city, English and Spanish."""

_KEYS = {f.name: f.type for f in msgspec.structs.fields(Catalogue)}
_ITEM = {name: get_args(kind)[0] for name, kind in _KEYS.items() if name != "languages"}
_SEGMENT = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


@dataclass(frozen=True, slots=True)
class _Origin:
    """One top-level value of one file, or one member of its list."""

    file: str
    path: Path
    parsed: Parsed

    def line(self, inside: Path = ()) -> int:
        """The line of the deepest part of the path that stands in the file."""
        wanted = (*self.path, *inside)
        found = (self.parsed.lines.get(wanted[:length]) for length in range(len(wanted), 0, -1))
        return next((line for line in found if line is not None), 1)


@dataclass(slots=True)
class _Merged:
    """What the files hold together, with where each member stands."""

    members: dict[str, list[tuple[Value, _Origin]]] = field(default_factory=dict)
    problems: list[FieldProblem] = field(default_factory=list)

    def complain(self, origin: _Origin, sentence: str, inside: Path = (), path: str = "") -> None:
        where = f"{origin.file}:{origin.line(inside)}" if origin.file else ""
        self.problems.append(FieldProblem(" ".join(filter(None, (where, path))), sentence))


@dataclass(frozen=True, slots=True)
class Source:
    """A catalogue as read, and where everything in it was written."""

    catalogue: Catalogue
    _members: Mapping[str, list[tuple[Value, _Origin]]]

    def locate(self, path: str) -> str:
        """'services.pothole.routing[2]' -> 'streets.yaml:41'; '' when it stands nowhere."""
        segments = [int(number) - 1 if number else name for name, number in _SEGMENT.findall(path)]
        members = self._members.get(str(segments[0]), []) if segments else []
        if not members:
            return ""
        position = _position([value for value, _ in members], segments[1]) if len(segments) > 1 else 0
        value, origin = members[position or 0]
        return f"{origin.file}:{origin.line(_resolved(value, segments[2:]))}"


def read(path: FilePath) -> Source:
    """The catalogue of a file or of all YAML files in a folder and below. Raises Invalid with every mistake and its line."""
    merged = _Merged()
    for file in _files(path):
        _merge(file, file.relative_to(path).as_posix() if path.is_dir() else file.name, merged)
    return _source(merged)


def read_values(values: Value) -> Catalogue:
    """The catalogue in plain values (from JSON). Raises Invalid."""
    merged = _Merged()
    _merge_values(_Origin("", (), Parsed(values, {})), merged)
    return _source(merged).catalogue


def _source(merged: _Merged) -> Source:
    _refuse_repeated(merged)
    for key, members in merged.members.items():
        for number, (value, origin) in enumerate(members, start=1):
            _try(key, number, value, origin, merged)
    if not merged.problems:
        required = [f.name for f in msgspec.structs.fields(Catalogue) if f.required]
        merged.problems += [FieldProblem(n, f"{n} is missing.") for n in required if n not in merged.members]
    if merged.problems:
        raise _invalid(merged.problems)
    values = {key: [_with_seconds(value) for value, _ in members] for key, members in merged.members.items()}
    return Source(msgspec.convert(values, Catalogue), merged.members)


def _invalid(problems: list[FieldProblem]) -> Invalid:
    first = f"{problems[0].field}: {problems[0].detail}"
    more = f" ({len(problems) - 1} more mistakes follow.)" if len(problems) > 1 else ""
    return Invalid(f"{first}{more}", fields=problems)


def _files(path: FilePath) -> list[FilePath]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Invalid(f"There is no file or folder {path}.")
    found = sorted(
        (file for file in path.rglob("*.y*ml") if file.suffix in (".yaml", ".yml") and file.is_file()),
        key=lambda file: file.relative_to(path).as_posix(),
    )
    found = [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not found:
        raise Invalid(f"The folder {path} holds no YAML file.")
    if len(found) > MAX_FILES:
        raise Invalid(f"The folder {path} holds {len(found)} YAML files; at most {MAX_FILES} are read.")
    return found


def _merge(file: FilePath, name: str, merged: _Merged) -> None:
    try:
        parsed = parse(_text(file))
    except Unreadable as error:
        merged.problems.append(FieldProblem(f"{name}:{error.line}", error.sentence))
    else:
        _merge_values(_Origin(name, (), parsed), merged)


def _text(file: FilePath) -> str:
    data = file.read_bytes()
    if len(data) > MAX_BYTES:
        raise Unreadable(1, f"The file is larger than {MAX_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(data[: error.start].count(b"\n") + 1, "This is not UTF-8 text.") from error


def _merge_values(origin: _Origin, merged: _Merged) -> None:
    values = origin.parsed.value
    if not isinstance(values, dict):
        merged.complain(origin, "The file must hold keys such as services: or teams:.")
        return
    for key, members in values.items():
        here = _Origin(origin.file, (key,), origin.parsed)
        if key not in _KEYS:
            merged.complain(here, f"There is no such field; the fields are {', '.join(_KEYS)}.", path=key)
        elif not isinstance(members, list):
            merged.complain(here, "This must be a list.", path=key)
        elif key == "languages" and key in merged.members:
            merged.complain(here, f"This stands in {merged.members[key][0][1].file} already.", path=key)
        else:
            located = [(member, _Origin(origin.file, (key, n), origin.parsed)) for n, member in enumerate(members)]
            merged.members.setdefault(key, []).extend(located)


def _refuse_repeated(merged: _Merged) -> None:
    for key, members in merged.members.items():
        seen: dict[object, _Origin] = {}
        for value, origin in members:
            code = value.get("code") if isinstance(value, dict) else None
            if not isinstance(code, str):
                continue
            if code in seen:
                first = seen[code]
                place = f" in {first.file}:{first.line()}" if first.file else ""
                merged.complain(origin, f"{code!r} stands{place} already.", path=f"{key}.{code}")
            seen.setdefault(code, origin)


def _try(key: str, number: int, value: Value, origin: _Origin, merged: _Merged) -> None:
    """Read one member by itself, so that one mistake does not hide those after it."""
    try:
        msgspec.convert(_with_seconds(value), _ITEM.get(key, str))
    except msgspec.ValidationError as error:
        code = value.get("code") if isinstance(value, dict) else None
        sentence, inside = sentence_of(error)
        rest = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in inside)
        merged.complain(origin, sentence, inside, f"{key}.{code}{rest}" if code else f"{key}[{number}]{rest}")


def _with_seconds(value: Value) -> Value:
    """'8:00' as people write it -> '08:00:00' as times are read, wherever the keys are `start` and `end`."""
    if isinstance(value, list):
        return [_with_seconds(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _clock(one) if key in ("start", "end") else _with_seconds(one) for key, one in value.items()}


def _clock(value: Value) -> Value:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    return f"{int(match[1]):02d}:{match[2]}:00" if match else value


def _position(values: list[Value], segment: str | int) -> int | None:
    if isinstance(segment, int):
        return segment if 0 <= segment < len(values) else None
    codes = (position for position, one in enumerate(values) if isinstance(one, dict) and one.get("code") == segment)
    return next(codes, None)


def _resolved(value: Value, segments: list[str | int]) -> Path:
    """As much of the path as there is, codes in lists turned into positions."""

    def steps() -> Iterator[str | int]:
        here = value
        for segment in segments:
            if isinstance(here, list):
                step: str | int | None = _position(here, segment)
                here = here[step] if isinstance(step, int) else None
            else:
                step = segment
                here = here.get(str(segment)) if isinstance(here, dict) else None
            if step is None:
                return
            yield step

    return tuple(steps())
