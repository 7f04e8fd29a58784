"""Which areas a point lies in, on a day: one cheap query for the versions in force, everything else in process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.places.grid import Grid
from loop311.places.models import Area
from loop311.places.shapes import square_metres

_KEPT = 512
"""Layer versions held in memory, a few MB each for detailed ones; the least recently used goes first."""


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A layer's version on a day."""

    id: int
    layer: str
    is_exclusive: bool
    is_boundary: bool
    name: str = ""
    """The layer's, as people read it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The areas of one version: where they are, and what people call them (by key)."""

    grid: Grid
    names: dict[str, str]


class AreaIndex:
    """All layers of a city on a day. Safe to share between threads; a point on a border has the area that comes first by key.

    Where areas of an overlapping layer contain the point, the smallest of them counts.
    """

    def __init__(self, versions: Sequence[VersionInForce], drawn: Sequence[Drawn]) -> None:
        self.versions = tuple(versions)
        self._names = {version.layer: each.names for version, each in zip(versions, drawn, strict=True)}
        self._grids = tuple((version.layer, each.grid) for version, each in zip(versions, drawn, strict=True))
        self._boundaries = tuple(each.grid for v, each in zip(versions, drawn, strict=True) if v.is_boundary)

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(layer for layer, _ in self._grids)

    @property
    def layer_names(self) -> dict[str, str]:
        """Layer code -> what people call it."""
        return {version.layer: version.name or version.layer for version in self.versions}

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the city's boundary, or of all its areas; None when there are none."""
        grids = self._boundaries or tuple(grid for _, grid in self._grids)
        corners = [grid.bounds for grid in grids if grid.keys]
        if not corners:
            return None
        west, south, east, north = zip(*corners, strict=True)
        return min(west), min(south), max(east), max(north)

    @property
    def middle(self) -> tuple[float, float] | None:
        """Latitude and longitude in the middle of the bounds."""
        if self.bounds is None:
            return None
        west, south, east, north = self.bounds
        return (south + north) / 2, (west + east) / 2

    def name_of(self, layer: str, key: str) -> str:
        """What people call the area."""
        return self._names[layer].get(key, key)

    def areas_at(self, latitude: float, longitude: float) -> dict[str, str]:
        """Layer code -> area key, for the layers in which the point lies in an area."""
        found = {}
        for layer, grid in self._grids:
            key = grid.key_at(latitude, longitude)
            if key is not None:
                found[layer] = key
        return found

    def areas_of(
        self, latitudes: npt.ArrayLike, longitudes: npt.ArrayLike, layers: Sequence[str] | None = None
    ) -> dict[str, npt.NDArray[np.object_]]:
        """Layer code -> array of area keys, one for each point, None outside. NaN for a point without a position."""
        lats, lons = np.asarray(latitudes, dtype=np.float64), np.asarray(longitudes, dtype=np.float64)
        return {layer: grid.keys_of(lats, lons) for layer, grid in self._grids if layers is None or layer in layers}

    def inside_city(self, latitude: float, longitude: float) -> bool:
        """False only where the city has a boundary layer and the point is in none of its areas."""
        return not self._boundaries or any(grid.key_at(latitude, longitude) is not None for grid in self._boundaries)


def area_index(jurisdiction_id: int, on: date | None = None) -> AreaIndex:
    """The city's areas in force on a day (its own today, when not said): one query, and one more when a version is new here."""
    versions = versions_in_force(jurisdiction_id, on)
    with _lock:
        index = _indexes.get(versions)
        if index is not None:
            _indexes.move_to_end(versions)
            return index
    index = AreaIndex(versions, _drawn_of(jurisdiction_id, versions))
    with _lock:
        _indexes[versions] = index
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
    return index


def center_of(jurisdiction: Jurisdiction) -> tuple[float, float] | None:
    """Latitude and longitude of where the city lies: as it was founded, else the middle of its boundary or of all its areas."""
    if jurisdiction.center_latitude is None or jurisdiction.center_longitude is None:
        return area_index(jurisdiction.pk).middle
    return jurisdiction.center_latitude, jurisdiction.center_longitude


def inside_city(jurisdiction_id: int, latitude: float, longitude: float, on: date | None = None) -> bool:
    return area_index(jurisdiction_id, on).inside_city(latitude, longitude)


_IN_FORCE = """
SELECT DISTINCT ON (v.layer_id) v.id, l.code, l.is_exclusive, l.is_boundary, l.name
FROM places_layerversion v JOIN places_layer l ON l.id = v.layer_id
WHERE v.jurisdiction_id = %s AND l.kind = 'areas' AND v.effective_on <= %s
ORDER BY v.layer_id, v.effective_on DESC, v.id DESC
"""
"""Plain SQL: every filing asks it, and putting it together as a queryset cost more than asking it."""


def versions_in_force(jurisdiction_id: int, on: date | None = None) -> tuple[VersionInForce, ...]:
    """The newest version of each layer that is effective on the day."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [jurisdiction_id, on or _today(jurisdiction_id)])
        return tuple(sorted((VersionInForce(*row) for row in cursor.fetchall()), key=lambda version: version.layer))


def _today(jurisdiction_id: int) -> date:
    return now().astimezone(Jurisdiction.objects.get(pk=jurisdiction_id).zone).date()


_lock = threading.Lock()
_indexes: OrderedDict[tuple[VersionInForce, ...], AreaIndex] = OrderedDict()
_drawn: OrderedDict[VersionInForce, Drawn] = OrderedDict()


def _drawn_of(jurisdiction_id: int, versions: Sequence[VersionInForce]) -> list[Drawn]:
    with _lock:
        known = {version: _drawn[version] for version in versions if version in _drawn}
    missing = [version for version in versions if version not in known]
    known.update(_built(jurisdiction_id, missing))
    with _lock:
        for version in versions:
            _drawn[version] = known[version]
            _drawn.move_to_end(version)
        while len(_drawn) > _KEPT:
            _drawn.popitem(last=False)
    return [known[version] for version in versions]


def _built(jurisdiction_id: int, versions: Sequence[VersionInForce]) -> dict[VersionInForce, Drawn]:
    if not versions:
        return {}
    areas: dict[int, list[tuple[str, shapely.MultiPolygon]]] = {version.id: [] for version in versions}
    names: dict[int, dict[str, str]] = {version.id: {} for version in versions}
    rows = Area.objects.filter(jurisdiction_id=jurisdiction_id, version_id__in=list(areas)).order_by("key")
    for version_id, key, name, shape in rows.values_list("version_id", "key", "name", "shape"):
        areas[version_id].append((key, shapely.from_wkb(bytes(shape))))
        names[version_id][key] = name
    drawn = {}
    for version in versions:
        ordered = areas[version.id]
        if not version.is_exclusive:
            ordered = sorted(ordered, key=lambda area: square_metres(area[1]))
        grid = Grid([key for key, _ in ordered], [polygon for _, polygon in ordered])
        drawn[version] = Drawn(grid, names[version.id])
    return drawn
