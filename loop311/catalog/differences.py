"""What changed from one catalogue to another, said by service and field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loop311.catalog.definitions import Catalogue
from loop311.catalog.files.writing import plain_values


@dataclass(frozen=True, slots=True)
class Change:
    path: str
    """'services.pothole.names.es', as in the findings of `check`."""
    sentence: str


def diff(old: Catalogue, new: Catalogue) -> list[Change]:
    """Every change, in the order of the catalogue's fields; empty exactly when the two are the same."""
    return list(_mapping("", plain_values(old), plain_values(new)))


def _value(path: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping(path, old, new)
    elif _is_coded(old) and _is_coded(new):
        yield from _coded(path, old, new)
    elif _is_listed(old) and _is_listed(new):
        yield from _listed(path, old, new)
    else:
        yield Change(path, f"{_shown(old)} became {_shown(new)}.")


def _mapping(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        here = f"{path}.{key}" if path else key
        if _is_coded(old.get(key, new.get(key))) and _is_coded(new.get(key, old.get(key))):
            yield from _coded(here, old.get(key, []), new.get(key, []))
        elif key not in new:
            yield Change(here, f"removed; it was {_shown(old[key])}.")
        elif key not in old:
            yield Change(here, f"added: {_shown(new[key])}.")
        else:
            yield from _value(here, old[key], new[key])


def _coded(path: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    """Members with a code are the same thing wherever they stand."""
    before, after = ({member["code"]: member for member in members} for members in (old, new))
    for code in before.keys() - after.keys():
        yield Change(f"{path}.{code}", "removed.")
    for code, member in after.items():
        if code not in before:
            yield Change(f"{path}.{code}", f"added{_named(member)}.")
        else:
            yield from _mapping(f"{path}.{code}", before[code], member)
    kept = [code for code in before if code in after]
    if kept != [code for code in after if code in before]:
        yield Change(path, f"stand in another order: {', '.join(after)}.")


def _listed(path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Members without a code, such as rules: what stands at one place is compared."""
    for number in range(1, max(len(old), len(new)) + 1):
        here = f"{path}[{number}]"
        if number > len(new):
            yield Change(here, f"removed; it was {_shown(old[number - 1])}.")
        elif number > len(old):
            yield Change(here, f"added: {_shown(new[number - 1])}.")
        else:
            yield from _value(here, old[number - 1], new[number - 1])


def _is_coded(value: Any) -> bool:
    return _is_listed(value) and all("code" in member for member in value)


def _is_listed(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(member, dict) for member in value)


def _named(member: dict[str, Any]) -> str:
    texts = member.get("names") or member.get("texts") or {}
    return f": {next(iter(texts.values()))}" if texts else ""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shown(one)}" for key, one in value.items()) or "nothing"
    if isinstance(value, list):
        shown: Sequence[str] = [f"({_shown(one)})" if isinstance(one, dict | list) else str(one) for one in value]
        return ", ".join(shown) or "nothing"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
