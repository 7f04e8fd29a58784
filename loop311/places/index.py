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

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.places.grid import Grid
from loop311.places.models import Area, LayerVersion
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


class AreaIndex:
    """All layers of a city on a day. Safe to share between threads; a point on a border has the area that comes first by key.

    Where areas of an overlapping layer contain the point, the smallest of them counts.
    """

    def __init__(self, versions: Sequence[VersionInForce], grids: Sequence[Grid]) -> None:
        self.versions = tuple(versions)
        self._grids = tuple((version.layer, grid) for version, grid in zip(versions, grids, strict=True))
        self._boundaries = tuple(g for v, g in zip(versions, grids, strict=True) if v.is_boundary)

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(layer for layer, _ in self._grids)

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
    index = AreaIndex(versions, _grids_of(jurisdiction_id, versions))
    with _lock:
        _indexes[versions] = index
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
    return index


def inside_city(jurisdiction_id: int, latitude: float, longitude: float, on: date | None = None) -> bool:
    return area_index(jurisdiction_id, on).inside_city(latitude, longitude)


def versions_in_force(jurisdiction_id: int, on: date | None = None) -> tuple[VersionInForce, ...]:
    """The newest version of each layer that is effective on the day."""
    day = on or _today(jurisdiction_id)
    rows = (
        LayerVersion.objects.filter(jurisdiction_id=jurisdiction_id, effective_on__lte=day)
        .order_by("layer_id", "-effective_on", "-id")
        .distinct("layer_id")
        .values_list("id", "layer__code", "layer__is_exclusive", "layer__is_boundary")
    )
    return tuple(sorted((VersionInForce(*row) for row in rows), key=lambda version: version.layer))


def _today(jurisdiction_id: int) -> date:
    return now().astimezone(Jurisdiction.objects.get(pk=jurisdiction_id).zone).date()


_lock = threading.Lock()
_indexes: OrderedDict[tuple[VersionInForce, ...], AreaIndex] = OrderedDict()
_grids: OrderedDict[VersionInForce, Grid] = OrderedDict()


def _grids_of(jurisdiction_id: int, versions: Sequence[VersionInForce]) -> list[Grid]:
    with _lock:
        known = {version: _grids[version] for version in versions if version in _grids}
    missing = [version for version in versions if version not in known]
    known.update(_built(jurisdiction_id, missing))
    with _lock:
        for version in versions:
            _grids[version] = known[version]
            _grids.move_to_end(version)
        while len(_grids) > _KEPT:
            _grids.popitem(last=False)
    return [known[version] for version in versions]


def _built(jurisdiction_id: int, versions: Sequence[VersionInForce]) -> dict[VersionInForce, Grid]:
    if not versions:
        return {}
    areas: dict[int, list[tuple[str, shapely.MultiPolygon]]] = {version.id: [] for version in versions}
    rows = Area.objects.filter(jurisdiction_id=jurisdiction_id, version_id__in=list(areas)).order_by("key")
    for version_id, key, shape in rows.values_list("version_id", "key", "shape"):
        areas[version_id].append((key, shapely.from_wkb(bytes(shape))))
    grids = {}
    for version in versions:
        ordered = areas[version.id]
        if not version.is_exclusive:
            ordered = sorted(ordered, key=lambda area: square_metres(area[1]))
        grids[version] = Grid([key for key, _ in ordered], [polygon for _, polygon in ordered])
    return grids
