"""One file of a city's requests, in the shape that is asked for: whole or not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.outputs import whole_file
from loop311.kit.problems import FieldProblem, Invalid
from loop311.opendata.rows import Asked, Published, counted, published
from loop311.opendata.shapes import DALLAS, SAN_ANTONIO, About
from loop311.opendata.writing import columns, to_csv, to_geojson, to_parquet
from loop311.places.models import Layer


class ShapeName(StrEnum):
    DALLAS = "dallas"
    SAN_ANTONIO = "san-antonio"
    GEOJSON = "geojson"
    PARQUET = "parquet"


_WRITERS: dict[ShapeName, Callable[[Iterable[Published], Path, About, Sequence[str]], None]] = {
    ShapeName.DALLAS: to_csv(DALLAS),
    ShapeName.SAN_ANTONIO: to_csv(SAN_ANTONIO),
    ShapeName.GEOJSON: to_geojson,
    ShapeName.PARQUET: to_parquet,
}
USUAL_LAYER = "council_district"
_EVER = (date(1, 1, 2), date(9999, 12, 30))


def export(
    city: Jurisdiction,
    shape: ShapeName,
    path: Path,
    *,
    start: date | None = None,
    end: date | None = None,
    layers: Sequence[str] = (USUAL_LAYER,),
    language: str = "",
    at: datetime | None = None,
    tick: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """How many requests the file now holds: those received from the local day `start` up to, not including, `end`.

    Nothing of `path` changes before all of it is written. Raises Invalid for what cannot be asked, OSError for a full disk.
    """
    at = at or now()
    _check(city, start, end, layers, language)
    asked = Asked(
        city=city,
        start=_midnight(start or _EVER[0], city),
        end=_midnight(end or _EVER[1], city),
        layers=tuple(layers),
        language=language or city.languages[0],
    )
    found = counted(asked)
    today = at.astimezone(city.zone).date()
    about = About(
        city=city.slug,
        zone=city.zone,
        first=start or (found.first.astimezone(city.zone).date() if found.first else today),
        last=end - timedelta(days=1) if end else today,
        at=at,
    )
    done = _Counter(found.count, tick)
    with whole_file(path) as draft, closing(published(asked)) as rows:
        _WRITERS[shape](done.through(rows), draft, about, layers)
    return done.count


def _check(city: Jurisdiction, start: date | None, end: date | None, layers: Sequence[str], language: str) -> None:
    if start and end and start > end:
        raise Invalid("The export ends before it begins.", fields=[FieldProblem("to", "is before `from`")])
    if language and language not in city.languages:
        known = ", ".join(city.languages)
        raise Invalid(
            f"The city does not speak {language!r}; it speaks {known}.", fields=[FieldProblem("language", known)]
        )
    _check_layers(city, layers)
    taken = [layer for layer in layers if layer in columns(())]
    if not layers or taken or len(set(layers)) < len(layers):
        raise Invalid(
            "Name each layer once, and none like another column.",
            fields=[FieldProblem("layer", ", ".join(taken) or "at least one, each once")],
        )


def _check_layers(city: Jurisdiction, layers: Sequence[str]) -> None:
    """A misspelt layer would be an empty column that nobody notices. The usual one may be missing: its column is empty then."""
    known = Layer.objects.filter(jurisdiction=city, kind="areas").order_by("code").values_list("code", flat=True)
    for layer in layers:
        if layer not in known and layer != USUAL_LAYER and layer not in columns(()):
            detail = f"There is no layer {layer[:80]!r}; there are: {', '.join(known[:20]) or 'none'}."
            raise Invalid(detail, fields=[FieldProblem("layer", detail)])


def _midnight(day: date, city: Jurisdiction) -> datetime:
    return datetime.combine(day, time.min, city.zone).astimezone(UTC)


class _Counter:
    """Counts what passes through it, and tells every now and then."""

    def __init__(self, expected: int, tick: Callable[[int, int], None]) -> None:
        self.count = 0
        self._expected = expected
        self._tick = tick

    def through(self, rows: Iterable[Published]) -> Iterator[Published]:
        for row in rows:
            self.count += 1
            if self.count % 1_000 == 0:
                self._tick(1_000, self._expected)
            yield row
