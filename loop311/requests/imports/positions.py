"""From the file's coordinates to degrees, many at once; and from degrees to areas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pyproj

from loop311.kit.problems import Invalid
from loop311.requests.imports.drafts import Draft
from loop311.requests.imports.mapping import Position

_EVERYWHERE = (-90.0, -180.0, 90.0, 180.0)
_NEAR = 1e-6
"""Degrees: a source's 'nowhere' is one point, written with a few decimals."""

Transform = Callable[[Sequence[float], Sequence[float]], tuple[Sequence[float], Sequence[float]]]


class Positions:
    """Puts drafts where they are: projected to degrees, and emptied where the source says nothing believable."""

    def __init__(self, rule: Position | None, warnings: Counter[str]) -> None:
        self._rule = rule
        self._warnings = warnings
        self._within = rule.within if rule else _EVERYWHERE
        self._nowhere = rule.nowhere if rule else ()
        self._transform = _transform(rule.crs) if rule and rule.crs else None

    def settle(self, drafts: Sequence[Draft]) -> None:
        """Latitude and longitude of every draft are degrees within the mapping's bounds, or None. Counts why."""
        if self._rule is None:
            return
        given = self._kept(drafts, _missing)
        if self._transform and given:
            self._project(given, self._transform)
        self._kept(given, self._unbelievable)

    def _unbelievable(self, draft: Draft) -> str:
        latitude, longitude = draft.latitude or 0.0, draft.longitude or 0.0
        south, west, north, east = self._within
        if not (south <= latitude <= north and west <= longitude <= east):
            return "position_out_of_range"
        for y, x in self._nowhere:
            if abs(latitude - y) < _NEAR and abs(longitude - x) < _NEAR:
                return "position_is_a_placeholder"
        return ""

    def _project(self, drafts: Sequence[Draft], transform: Transform) -> None:
        xs, ys = transform([d.longitude or 0.0 for d in drafts], [d.latitude or 0.0 for d in drafts])
        for draft, x, y in zip(drafts, xs, ys, strict=True):
            draft.longitude, draft.latitude = float(x), float(y)

    def _kept(self, drafts: Sequence[Draft], fault: Callable[[Draft], str]) -> list[Draft]:
        """Those without a fault; the others lose their position."""
        right = []
        for draft in drafts:
            if why := fault(draft):
                draft.latitude = draft.longitude = None
                self._warnings[why] += 1
            else:
                right.append(draft)
        return right


def _missing(draft: Draft) -> str:
    if draft.latitude is None or draft.longitude is None:
        return "no_position"
    return "position_is_zero" if draft.latitude == 0 == draft.longitude else ""


def _transform(crs: str) -> Transform:
    try:
        transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.CRSError as error:
        sentence = f"The mapping's crs {crs!r} is not known; write it as for instance 'EPSG:2278'."
        raise Invalid(sentence) from error
    return lambda xs, ys: transformer.transform(xs, ys)
