"""Point to area in about a microsecond: a raster over the layer, and an exact test only in cells that a border crosses.

Agrees with shapely point by point: a cell is taken as a whole only when no border comes near it. A point on a border belongs
to the first of the areas in the order given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

_CELLS = 512
"""Along the longer side; fewer where borders are so long that cutting them at every cell would cost too much."""
_PIECES = 4_000_000


class Grid:
    """The areas of one layer version. `keys` and `polygons` (degrees, longitude first) in order of precedence."""

    def __init__(self, keys: Sequence[str], polygons: Sequence[shapely.MultiPolygon], cells: int = _CELLS) -> None:
        self.keys: tuple[str, ...] = tuple(keys)
        self._polygons = np.array(polygons, dtype=object)
        shapely.prepare(self._polygons)
        self._place(cells)
        lines = [shapely.boundary(polygon) for polygon in polygons]
        near = [self._cells_near(line) for line in lines]
        border = np.zeros(self._nx * self._ny, dtype=bool)
        for touched in near:
            border[touched] = True
        codes = self._whole_cells(border)
        self._cell_areas = self._candidates(border, near, codes)
        self._codes = codes
        self._code: list[int] = codes.tolist()
        self._names = np.array([None, *self.keys], dtype=object)

    def _place(self, cells: int) -> None:
        """Lay the raster: a margin around the bounds, so that every point of an area falls in a cell."""
        west, south, east, north = (float(bound) for bound in shapely.total_bounds(self._polygons))
        self.bounds = (west, south, east, north)
        side = max(east - west, north - south, 1e-9)
        length = float(shapely.length(self._polygons).sum())
        cells = max(1, min(cells, int(_PIECES * side / (2 * length)))) if length else 1
        margin = side * 1e-6
        size = side / cells + margin
        self._west, self._south, self._per_degree = west - margin, south - margin, 1.0 / size
        self._nx = math.floor((east + margin - self._west) * self._per_degree) + 1
        self._ny = math.floor((north + margin - self._south) * self._per_degree) + 1

    def _cells_near(self, line: shapely.Geometry) -> npt.NDArray[np.int64]:
        """Every cell that a border touches or passes within a thousandth of a cell: far more than rounding can do."""
        pieces = shapely.get_parts(shapely.segmentize(line, 0.5 / self._per_degree))
        points, which = shapely.get_coordinates(pieces, return_index=True)
        same = which[1:] == which[:-1]
        x = (points[:, 0] - self._west) * self._per_degree
        y = (points[:, 1] - self._south) * self._per_degree
        low_x, high_x = np.minimum(x[1:], x[:-1])[same] - 1e-3, np.maximum(x[1:], x[:-1])[same] + 1e-3
        low_y, high_y = np.minimum(y[1:], y[:-1])[same] - 1e-3, np.maximum(y[1:], y[:-1])[same] + 1e-3
        # A piece is at most half a cell long, so its box touches at most two columns and two rows.
        corners = [
            np.clip(np.floor(row), 0, self._ny - 1).astype(np.int64) * self._nx
            + np.clip(np.floor(column), 0, self._nx - 1).astype(np.int64)
            for row in (low_y, high_y)
            for column in (low_x, high_x)
        ]
        return np.unique(np.concatenate(corners))

    def _whole_cells(self, border: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Area number + 1 of every cell no border comes near, 0 outside; one test for each run of such cells in a row."""
        free = ~border.reshape(self._ny, self._nx)
        begins = free.copy()
        begins[:, 1:] &= ~free[:, :-1]
        rows, columns = np.nonzero(begins)
        x, y = self._middles(rows * self._nx + columns)
        first = self._exact(x, y, np.arange(len(self.keys)))
        run = np.cumsum(begins.ravel()) - 1
        return np.where(free.ravel(), first[np.maximum(run, 0)] if len(first) else 0, 0).astype(np.int32)

    def _middles(self, cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        x = (cells % self._nx + np.float64(0.5)) / self._per_degree + self._west
        y = (cells // self._nx + np.float64(0.5)) / self._per_degree + self._south
        return x, y

    def _exact(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], areas: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        found = np.zeros(len(x), dtype=np.int32)
        for area in areas.tolist():
            west, south, east, north = shapely.bounds(self._polygons[area])
            ask = np.nonzero((found == 0) & (x >= west) & (x <= east) & (y >= south) & (y <= north))[0]
            found[ask[shapely.intersects_xy(self._polygons[area], x[ask], y[ask])]] = area + 1
        return found

    def _candidates(
        self, border: npt.NDArray[np.bool_], near: list[npt.NDArray[np.int64]], codes: npt.NDArray[np.int32]
    ) -> list[tuple[int, ...]]:
        """Write -n into border cells: the n-th list of areas to test there, in order of precedence."""
        cells = np.nonzero(border)[0]
        x, y = self._middles(cells)
        where = {cell: set[int]() for cell in cells.tolist()}
        for area, touched in enumerate(near):
            inside = cells[shapely.intersects_xy(self._polygons[area], x, y)]
            for cell in np.union1d(touched, inside).tolist():
                where[cell].add(area)
        lists: dict[tuple[int, ...], int] = {}
        for cell, areas in where.items():
            codes[cell] = -lists.setdefault(tuple(sorted(areas)), len(lists) + 1)
        return [(), *lists]

    def key_at(self, latitude: float, longitude: float) -> str | None:
        """The area's key, or None outside all of them."""
        x = (longitude - self._west) * self._per_degree
        y = (latitude - self._south) * self._per_degree
        if not (0 <= x < self._nx and 0 <= y < self._ny):
            return None
        code = self._code[int(y) * self._nx + int(x)]
        if code > 0:
            return self.keys[code - 1]
        if code == 0:
            return None
        for area in self._cell_areas[-code]:
            if shapely.intersects_xy(self._polygons[area], longitude, latitude):
                return self.keys[area]
        return None

    def keys_of(
        self, latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.object_]:
        """The same for many points at once; None outside."""
        names: npt.NDArray[np.object_] = self._names[self.numbers_of(latitudes, longitudes)]
        return names

    def numbers_of(
        self, latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int32]:
        """For many points: index into `keys` plus one, 0 outside."""
        x = (longitudes - self._west) * self._per_degree
        y = (latitudes - self._south) * self._per_degree
        within = (x >= 0) & (x < self._nx) & (y >= 0) & (y < self._ny)
        cells = np.where(within, y, 0).astype(np.int64) * self._nx + np.where(within, x, 0).astype(np.int64)
        codes = np.where(within, self._codes[cells], 0)
        asked = np.nonzero(codes < 0)[0]
        if len(asked):
            codes[asked] = self._resolved(codes[asked], longitudes[asked], latitudes[asked])
        return codes

    def _resolved(
        self, codes: npt.NDArray[np.int32], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int32]:
        found = np.zeros(len(codes), dtype=np.int32)
        order = np.argsort(codes, kind="stable")
        starts = np.nonzero(np.diff(codes[order], prepend=np.int32(1)))[0]
        for group in np.split(order, starts[1:]):
            areas = np.array(self._cell_areas[-int(codes[group[0]])], dtype=np.int64)
            found[group] = self._exact(x[group], y[group], areas)
        return found
