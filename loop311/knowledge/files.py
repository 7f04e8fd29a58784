"""Articles as a folder of markdown files, one for an article and language, with YAML front matter: pure.

What was read comes out the same, and the other way round. Nothing here knows the city: names of owners are as written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from loop311.catalog.files import yaml_text
from loop311.catalog.files.parsing import Parsed, Unreadable, Value, parse
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.knowledge.policies import CODE, MOST_BODY, Audience, Content, Review, Words, clean_words, faults

STARTER = Path(__file__).parent / "starter"
MOST_FILES = 60_000
MOST_BYTES = MOST_BODY * 8
_FENCE = "---"
_TEAM = "team:"

_SHARED = ("topic", "audience", "owner", "services", "expires_on", "checked_at", "checked_by")
"""What the files of one article must agree on."""
_KEYS = {"article", "language", "title", "answer", "keywords", "review", *_SHARED}
_NEEDED = ("article", "language", "title", "answer", "topic", "audience", "owner", "review")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """'team:street_lighting' or the e-mail address of a member of staff."""

    team: str = ""
    email: str = ""

    def __str__(self) -> str:
        return f"{_TEAM}{self.team}" if self.team else self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One article as its files say it. `checked_by` is an e-mail address, 'system', or empty: never checked."""

    code: str
    owner: Owner
    content: Content
    """Its owner's ids are not known here and stay empty."""
    checked_at: datetime | None = None
    checked_by: str = ""


@dataclass(slots=True)
class _File:
    path: Path
    values: dict[str, Any]
    lines: Mapping[tuple[str | int, ...], int]
    body: str

    def where(self, key: str) -> str:
        return f"{self.path.name}:{self.lines.get((key,), 0) + 1}"


@dataclass(slots=True)
class _Reading:
    faults: list[FieldProblem] = field(default_factory=list)

    def fault(self, where: str, detail: str) -> None:
        self.faults.append(FieldProblem(where, detail))


def read_folder(folder: Path) -> list[Written]:
    """Every article of the folder's *.md files but README.md, by code. Raises Invalid with each mistake and its place."""
    if not folder.is_dir():
        raise Invalid(f"{folder} is not a folder.")
    reading = _Reading()
    paths = [path for path in sorted(folder.glob("**/*.md")) if path.name != "README.md"]
    if not paths:
        raise Invalid(f"There is no article (a file ending in .md) in {folder}.")
    if len(paths) > MOST_FILES:
        raise Invalid(f"There are {len(paths):,} files in {folder}; {MOST_FILES:,} are the most.")
    files: dict[str, list[_File]] = defaultdict(list)
    for path in paths:
        found = _read(path, reading)
        if found is not None:
            files[found.values["article"]].append(found)
    articles = [_article(code, parts, reading) for code, parts in sorted(files.items())]
    if reading.faults:
        many = "1 mistake" if len(reading.faults) == 1 else f"{len(reading.faults)} mistakes"
        raise Invalid(f"{folder} cannot be read: {many} must be mended.", fields=reading.faults)
    return [article for article in articles if article is not None]


# --- One file ----------------------------------------------------------------------------------------------------------


def _read(path: Path, reading: _Reading) -> _File | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(1, f"The file is larger than {MOST_BYTES:,} bytes.")
        front, body = _split(path.read_text(encoding="utf-8"))
        parsed = parse(front)
        values = _mapping(parsed)
        _check_keys(values, parsed)
        return _File(path, values, parsed.lines, body)
    except Unreadable as error:
        reading.fault(f"{path.name}:{error.line}", error.sentence)
    except UnicodeDecodeError:
        reading.fault(f"{path.name}:1", "The file is not text in UTF-8.")
    return None


def _split(text: str) -> tuple[str, str]:
    """Front matter and body."""
    lines = text.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != _FENCE:
        raise Unreadable(1, f"The file must begin with a line {_FENCE}.")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise Unreadable(1, f"The front matter must end with a line {_FENCE}.")
    return "\n".join(lines[1:end]) + "\n", "\n".join(lines[end + 1 :])


def _mapping(parsed: Parsed) -> dict[str, Any]:
    if not isinstance(parsed.value, dict):
        raise Unreadable(2, "The front matter must be keys with values.")
    return parsed.value


def _check_keys(values: dict[str, Any], parsed: Parsed) -> None:
    for key, value in values.items():
        line = parsed.lines.get((key,), 0) + 1
        if key not in _KEYS:
            raise Unreadable(line, f"There is no key {key}; they are {', '.join(sorted(_KEYS))}.")
        if key in ("services", "keywords"):
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise Unreadable(line, f"{key} must be a list of texts.")
        elif not isinstance(value, str):
            raise Unreadable(line, f"{key} must be a text; write it in quotes.")
    missing = [key for key in _NEEDED if not values.get(key)]
    if missing:
        raise Unreadable(2, f"The front matter lacks {', '.join(missing)}.")
    if not CODE.fullmatch(values["article"]):
        raise Unreadable(2, "article is a code: lower-case letters, digits, hyphens and underscores.")


# --- One article -------------------------------------------------------------------------------------------------------


def _article(code: str, files: Sequence[_File], reading: _Reading) -> Written | None:
    first = files[0]
    before = len(reading.faults)
    for other in files[1:]:
        for key in _SHARED:
            if other.values.get(key) != first.values.get(key):
                reading.fault(other.where(key), f"{key} differs from {first.path.name}.")
    content = _content(files, reading)
    if content is not None:
        for fault in faults(content, [text.language for text in content.texts]):
            _place(fault, files, reading)
    checked_at = _instant(first, reading)
    if content is None or len(reading.faults) > before:
        return None
    owner = _owner(first.values["owner"])
    return Written(
        code=code, owner=owner, content=content, checked_at=checked_at, checked_by=first.values.get("checked_by", "")
    )


def _content(files: Sequence[_File], reading: _Reading) -> Content | None:
    first = files[0]
    texts = [_words(each, reading) for each in files]
    audience = _one_of(Audience, first, "audience", reading)
    expires_on = _day(first, reading)
    if audience is None or not all(texts):
        return None
    return Content(
        topic=first.values["topic"],
        audience=Audience(audience),
        texts=tuple(text for text in texts if text is not None),
        owner_team=0,  # somebody, not known here
        services=tuple(first.values.get("services", ())),
        expires_on=expires_on,
    )


def _words(file: _File, reading: _Reading) -> Words | None:
    review = _one_of(Review, file, "review", reading)
    if review is None:
        return None
    values = file.values
    return clean_words(
        Words(
            language=values["language"],
            title=values["title"],
            answer=values["answer"],
            body=file.body,
            keywords=tuple(values.get("keywords", ())),
            review=Review(review),
        )
    )


def _one_of(kinds: type[Audience] | type[Review], file: _File, key: str, reading: _Reading) -> str | None:
    if file.values[key] in {kind.value for kind in kinds}:
        return str(file.values[key])
    reading.fault(file.where(key), f"{key} is one of {', '.join(kinds)}.")
    return None


def _day(file: _File, reading: _Reading) -> date | None:
    written = file.values.get("expires_on", "")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        reading.fault(file.where("expires_on"), "Write the day like 2027-03-01.")
        return None


def _instant(file: _File, reading: _Reading) -> datetime | None:
    written = file.values.get("checked_at", "")
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        reading.fault(file.where("checked_at"), "Write the instant like 2026-03-01T09:00:00+00:00.")
        return None
    return at.astimezone(UTC)


def _place(fault: FieldProblem, files: Sequence[_File], reading: _Reading) -> None:
    """At the line of the file it is about."""
    language, _, key = fault.field.rpartition(".")
    file = next((each for each in files if each.values["language"] == language), files[0])
    reading.fault(file.where(key), fault.detail)


def _owner(written: str) -> Owner:
    return Owner(team=written.removeprefix(_TEAM)) if written.startswith(_TEAM) else Owner(email=written)


# --- Writing -----------------------------------------------------------------------------------------------------------


def write_folder(articles: Iterable[Written], folder: Path) -> int:
    """A file for each article and language in a new or empty folder; returns how many. Raises Conflict."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for article in articles:
        for text in article.content.texts:
            (folder / f"{article.code}.{text.language}.md").write_text(file_text(article, text), encoding="utf-8")
            count += 1
    return count


def file_text(article: Written, text: Words) -> str:
    """One file, as `read_folder` takes it back."""
    about = article.content
    values: dict[str, Value] = {
        "article": article.code,
        "language": text.language,
        "review": text.review.value,
        "title": text.title,
        "answer": text.answer,
        "keywords": list(text.keywords),
        "topic": about.topic,
        "audience": about.audience.value,
        "owner": str(article.owner),
        "services": list(about.services),
        "expires_on": str(about.expires_on) if about.expires_on else "",
        "checked_at": article.checked_at.isoformat() if article.checked_at else "",
        "checked_by": article.checked_by,
    }
    front = yaml_text({key: value for key, value in values.items() if value not in ("", [])})
    body = f"\n{text.body}\n" if text.body else ""
    return f"{_FENCE}\n{front}{_FENCE}\n{body}"
