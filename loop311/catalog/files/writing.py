"""A catalogue to files that people read: what was read comes out the same."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import yaml

from loop311.catalog.definitions import Catalogue, Definition
from loop311.catalog.files.parsing import plain_word
from loop311.kit.problems import Conflict

_WIDTH = 110
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FOLDER = {
    "city.yaml": ("languages", "departments", "teams", "calendars", "groups", "outside_owners"),
    "promises.yaml": ("promises", "stop_reasons"),
    "endings.yaml": ("completion_rules", "outcomes"),
    "templates.yaml": ("templates",),
}


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented under their key, short lists and mappings of plain values on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _list(dumper: yaml.SafeDumper, data: list[object]) -> yaml.Node:
    short = all(_is_short(one) for one in data) and sum(len(str(one)) + 2 for one in data) < 80
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=short)


def _mapping(dumper: yaml.SafeDumper, data: dict[str, object]) -> yaml.Node:
    short = "code" not in data and all(_is_short(one) for one in data.values())
    short = short and sum(len(str(one)) + len(key) + 4 for key, one in data.items()) < 72
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=short)


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    """Quoted where YAML 1.1 or our own reading would take the plain word for something else."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))


def _style(text: str) -> str | None:
    if not all(line.isprintable() for line in text.split("\n")):
        return '"'
    if "\n" in text:
        return "|"
    return None if isinstance(plain_word(text), str) else "'"


def _is_short(value: object) -> bool:
    return not isinstance(value, dict | list) and "\n" not in str(value)


_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(str, _text)


def write_file(catalogue: Catalogue) -> str:
    """The whole catalogue as one YAML text."""
    return yaml_text(plain_values(catalogue))


def write_folder(catalogue: Catalogue, folder: Path) -> list[Path]:
    """The catalogue as several files in a new or empty folder: the services by group, in order. Raises Conflict."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not an empty folder.")
    values = plain_values(catalogue)
    texts = {name: {key: values[key] for key in keys if key in values} for name, keys in _FOLDER.items()}
    runs = groupby(values.get("services", []), key=lambda service: service["group"])
    for number, (group, services) in enumerate(runs, start=1):
        texts[f"services/{number:03d}-{group}.yaml"] = {"services": list(services)}
    return [_write(folder / name, part) for name, part in texts.items() if part]


def _write(path: Path, part: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml_text(part), encoding="utf-8")
    return path


def yaml_text(values: dict[str, Any]) -> str:
    """Plain values in the order given, as the reading in this package takes them back."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def plain_values(definition: Definition) -> dict[str, Any]:
    """A catalogue or a part of it as it is written: mappings, lists and plain values, without defaults."""
    values = msgspec.to_builtins(definition, builtin_types=(time, timedelta))
    return {key: _written(value) for key, value in values.items()}


def _written(value: Any) -> Any:
    """Times as '08:00', lengths of time as PT4H, everything else as it is."""
    if isinstance(value, dict):
        return {key: _written(value[key]) for key in sorted(value, key=_weekday)}
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    if isinstance(value, time):
        return value.isoformat().removesuffix(":00") if value.tzinfo is None else value.isoformat()
    return _length(value) if isinstance(value, timedelta) else value


def _weekday(key: str) -> int:
    """Monday first; every other key keeps its place."""
    return _WEEK.index(key) if key in _WEEK else 0


def _length(value: timedelta) -> str:
    """In the largest unit that needs no other."""
    for suffix, unit in (("D", timedelta(days=1)), ("H", timedelta(hours=1)), ("M", timedelta(minutes=1))):
        if value >= timedelta() and not value % unit:
            return f"{'P' if suffix == 'D' else 'PT'}{value // unit}{suffix}"
    return str(msgspec.to_builtins(value))
