"""The raster agrees with shapely on every point, also on borders, corners and outside."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from loop311.places.grid import Grid

whole = st.integers(-20, 20)


@st.composite
def cities(draw: st.DrawFn) -> list[shapely.MultiPolygon]:
    """Cells of a Voronoi diagram, some with holes, on coarse coordinates so that borders coincide and points hit them."""
    points = draw(st.lists(st.tuples(whole, whole), min_size=3, max_size=12, unique=True))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points)))
    box = shapely.box(-25, -25, 25, 25)
    hole = shapely.box(*(sorted((draw(whole), draw(whole))) * 2)).buffer(draw(st.integers(0, 3)))
    shapes = [shapely.difference(shapely.intersection(cell, box), hole) for cell in cells]
    parts = [[p for p in shapely.get_parts(s) if p.geom_type == "Polygon" and p.area > 0] for s in shapes]
    return [shapely.MultiPolygon(part) for part in parts if part] or [shapely.MultiPolygon([box])]


def expected(polygons: list[shapely.MultiPolygon], x: float, y: float) -> str | None:
    return next((str(i) for i, p in enumerate(polygons) if shapely.intersects_xy(p, x, y)), None)


@settings(max_examples=60, deadline=None)
@given(polygons=cities(), seed=st.integers(0, 2**32 - 1), cells=st.sampled_from([1, 2, 7, 64, 512]))
def test_every_point_is_where_shapely_says(polygons: list[shapely.MultiPolygon], seed: int, cells: int) -> None:
    grid = Grid([str(i) for i in range(len(polygons))], polygons, cells)
    random = np.random.default_rng(seed)
    corners = shapely.get_coordinates(polygons)
    on_borders = (corners[:-1] + corners[1:]) / 2
    anywhere = random.uniform(-27, 27, (200, 2))
    beside = corners + random.normal(0, 1e-9, corners.shape)
    cell_edges = np.column_stack([grid._west + random.integers(0, grid._nx, 50) / grid._per_degree] * 2)
    points = np.concatenate([corners, on_borders, anywhere, beside, cell_edges])
    truth = [expected(polygons, x, y) for x, y in points.tolist()]
    assert grid.keys_of(points[:, 1], points[:, 0]).tolist() == truth
    assert [grid.key_at(y, x) for x, y in points.tolist()] == truth


def test_what_is_no_number_is_nowhere() -> None:
    grid = Grid(["a"], [shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])])
    for odd in (math.nan, math.inf, -math.inf, 1e308):
        assert grid.key_at(odd, 0.5) is None
        assert grid.key_at(0.5, odd) is None
    assert grid.keys_of(np.array([math.nan, 0.5, math.inf]), np.array([0.5, 0.5, 0.5])).tolist() == [None, "a", None]


def test_a_border_too_long_to_cut_finely_gets_a_coarser_raster() -> None:
    x = np.tile([0.0, 1.0], 60_000)
    zigzag = np.column_stack([x, np.linspace(0, 1, len(x))])
    ring = np.concatenate([zigzag, [[2.0, 1.0], [2.0, 0.0], zigzag[0]]])
    grid = Grid(["a"], [shapely.MultiPolygon([shapely.Polygon(ring)])])
    assert grid._nx * grid._ny < 10_000
    assert grid.key_at(0.5, 1.5) == "a"


@pytest.mark.parametrize("count", [0, 1])
def test_a_bulk_of_none_or_one_is_fine(count: int) -> None:
    grid = Grid(["a"], [shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])])
    assert grid.keys_of(np.full(count, 0.5), np.full(count, 0.5)).tolist() == ["a"] * count
