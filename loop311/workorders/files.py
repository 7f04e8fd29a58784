"""links.yaml to plain values, every mistake with its line. Pure."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loop311.catalog.files.parsing import MAX_BYTES, Parsed, Unreadable, parse
from loop311.catalog.files.sentences import sentence_of
from loop311.kit.problems import FieldProblem, Invalid
from loop311.workorders.mapping import LinkMap, LinksFile


def read_links(path: Path) -> LinksFile:
    """Raises Invalid with each mistake and its line."""
    if not path.is_file():
        raise Invalid(f"There is no file {path}.")
    try:
        parsed = parse(_text(path))
    except Unreadable as error:
        raise _invalid(path, [FieldProblem(f"{path.name}:{error.line}", error.sentence)]) from error
    members = parsed.value.get("links") if isinstance(parsed.value, dict) else None
    if not isinstance(members, list) or not isinstance(parsed.value, dict) or len(parsed.value) != 1:
        raise _invalid(path, [FieldProblem(f"{path.name}:1", "The file holds one key, links, with a list of them.")])
    links: list[LinkMap] = []
    faults: list[FieldProblem] = []
    for number, member in enumerate(members):
        try:
            links.append(msgspec.convert(member, LinkMap))
        except msgspec.ValidationError as error:
            faults.append(_fault(path, parsed, number, error))
    if faults:
        raise _invalid(path, faults)
    return LinksFile(links=tuple(links))


def _text(path: Path) -> str:
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise Unreadable(1, f"The file is larger than {MAX_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(data[: error.start].count(b"\n") + 1, "This is not UTF-8 text.") from error


def _fault(path: Path, parsed: Parsed, number: int, error: msgspec.ValidationError) -> FieldProblem:
    sentence, inside = sentence_of(error)
    if inside and inside[-1] in ("secret", "call_secret"):
        sentence = "Say where the secret is, env:LOOP311_LINK_NAME or file:/path; the secret itself never stands here."
    whole = ("links", number, *inside)
    lines = (parsed.lines.get(whole[:length]) for length in range(len(whole), 0, -1))
    line = next((line for line in lines if line is not None), 1)
    where = ".".join(str(part) for part in inside)
    return FieldProblem(f"{path.name}:{line} {where}".rstrip(), sentence)


def _invalid(path: Path, faults: list[FieldProblem]) -> Invalid:
    many = "1 mistake" if len(faults) == 1 else f"{len(faults)} mistakes"
    return Invalid(f"{path} cannot be read: {many} must be mended.", fields=faults)
