"""From the file's coordinates to degrees, many at once; and from degrees to areas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pyproj

from loop311.kit.problems import Invalid
from loop311.requests.imports.drafting import Draft
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
        self._transform = _transform(rule.crs) if rule and rule.crs else None

    def settle(self, drafts: Sequence[Draft]) -> None:
        """Latitude and longitude of every draft are degrees within the mapping's bounds, or None. Counts why."""
        if self._rule is None:
            return
        given = self._kept(drafts, "no_position", lambda d: d.latitude is None or d.longitude is None)
        given = self._kept(given, "position_is_zero", lambda d: d.latitude == 0 and d.longitude == 0)
        if self._transform and given:
            self._project(given, self._transform)
        given = self._kept(given, "position_out_of_range", self._is_outside)
        self._kept(given, "position_is_a_placeholder", self._is_nowhere)

    def _is_outside(self, draft: Draft) -> bool:
        south, west, north, east = self._rule.within if self._rule else _EVERYWHERE
        return not (south <= (draft.latitude or 0.0) <= north and west <= (draft.longitude or 0.0) <= east)

    def _is_nowhere(self, draft: Draft) -> bool:
        places = self._rule.nowhere if self._rule else ()
        return any(_is_near(draft, latitude, longitude) for latitude, longitude in places)

    def _project(self, drafts: Sequence[Draft], transform: Transform) -> None:
        xs, ys = transform([d.longitude or 0.0 for d in drafts], [d.latitude or 0.0 for d in drafts])
        for draft, x, y in zip(drafts, xs, ys, strict=True):
            draft.longitude, draft.latitude = float(x), float(y)

    def _kept(self, drafts: Sequence[Draft], why: str, is_wrong: Callable[[Draft], bool]) -> list[Draft]:
        """Those that are right; the others lose their position."""
        right = []
        for draft in drafts:
            if is_wrong(draft):
                draft.latitude = draft.longitude = None
                self._warnings[why] += 1
            else:
                right.append(draft)
        return right


def _is_near(draft: Draft, latitude: float, longitude: float) -> bool:
    return abs((draft.latitude or 0.0) - latitude) < _NEAR and abs((draft.longitude or 0.0) - longitude) < _NEAR


def _transform(crs: str) -> Transform:
    try:
        transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.CRSError as error:
        sentence = f"The mapping's crs {crs!r} is not known; write it as for instance 'EPSG:2278'."
        raise Invalid(sentence) from error
    return lambda xs, ys: transformer.transform(xs, ys)
