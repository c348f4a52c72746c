from __future__ import annotations

from math import pi

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ecumene_world.generate.lines import area_m2, at, beside, gaps, length_m, stations
from ecumene_world.generate.rectangle import largest_rectangle
from ecumene_world.generate.site import Site

STAR = np.array([[0.3, 0.2], [6.1, 1.1], [9.7, 0.4], [8.2, 5.2], [9.1, 9.6], [5.0, 7.1], [0.6, 9.4], [2.2, 5.0]])


def site() -> Site:
    ground = Site((0.0, 0.0, 20.0, 10.0))
    ground.paint([(0, 0), (20, 0), (20, 10), (0, 10)], "lawn")
    return ground


def test_painting_fills_what_lies_inside() -> None:
    ground = Site((0.0, 0.0, 10.0, 10.0), 0.1)
    ground.paint(STAR, "plaza")
    rows, columns = np.indices(ground.style.shape)
    middles = shapely.points(columns.reshape(-1) * 0.1 + 0.05, rows.reshape(-1) * 0.1 + 0.05)
    inside = shapely.contains(shapely.Polygon(STAR), middles).reshape(ground.style.shape)
    assert ((ground.style > 0) == inside).mean() > 0.9999
    assert ground.style_at(5.0, 4.0) == "plaza"
    assert ground.style_at(0.1, 5.0) == "outside"
    assert ground.style_at(-3.0, 50.0) == "outside"


def test_a_polygon_beyond_the_raster_is_cut_off() -> None:
    ground = Site((0.0, 0.0, 4.0, 4.0))
    ground.paint([(-9, -9), (9, -9), (9, 9), (-9, 9)], "lawn")
    assert (ground.style > 0).all()
    ground.paint([(20, 20), (21, 20), (21, 21)], "plaza")
    assert ground.style_at(3.9, 3.9) == "lawn"


def test_what_is_taken_or_kept_clear_does_not_fit() -> None:
    ground = site()
    assert ground.fits(5, 5, 0.0, (2, 2))
    ground.take(5, 5, 0.0, (1, 1))
    assert not ground.fits(5.8, 5, 0.0, (2, 2))
    assert ground.fits(8, 5, 0.0, (2, 2))
    ground.keep_clear(8, 5, pi / 4, (1, 1))
    assert not ground.fits(8, 5, 0.0, (2, 2))
    assert ground.is_open(8, 5, 0.0, (0.5, 0.5))
    assert not ground.is_open(5, 5, 0.0, (0.5, 0.5))
    ground.free(5, 5, 0.0, (1.5, 1.5))
    assert ground.is_open(5, 5, 0.0, (0.5, 0.5))


def test_fits_asks_for_the_ground_and_for_room() -> None:
    ground = site()
    ground.paint([(0, 0), (4, 0), (4, 10), (0, 10)], "pavement")
    assert ground.fits(2, 5, 0.0, (1, 1), ("pavement",))
    assert not ground.fits(2, 5, 0.0, (1, 1), ("lawn",))
    assert not ground.fits(4, 5, 0.0, (1, 1), ("lawn",))
    assert not ground.fits(0, 5, 0.0, (1, 1))
    assert not ground.fits(19.9, 5, 0.0, (1, 1))


def test_a_line_is_kept_clear_along_its_length() -> None:
    ground = site()
    ground.keep_line_clear([(1, 5), (10, 5), (10, 9)], 1.0)
    assert not ground.fits(5, 5, 0.0, (0.5, 0.5))
    assert not ground.fits(10, 8, 0.0, (0.5, 0.5))
    assert ground.fits(5, 8, 0.0, (0.5, 0.5))


def test_reach_stops_at_walls_and_narrow_gaps() -> None:
    ground = site()
    ground.take(10, 5, 0.0, (0.5, 12))
    reach = ground.reach(3, 5)
    assert reach.nearest(4, 5) is not None
    assert reach.nearest(15, 5) is None
    ground.free(10, 5, 0.0, (1.0, 0.3))
    assert ground.reach(3, 5).nearest(15, 5) is None
    ground.free(10, 5, 0.0, (1.0, 1.6))
    near = ground.reach(3, 5).nearest(15, 5)
    assert near == pytest.approx((15, 5), abs=0.3)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=7))
def test_the_largest_rectangle_is_the_largest(rows: list[list[bool]]) -> None:
    cells = np.array(rows, bool)
    height, width = cells.shape
    slow = max(
        (
            (bottom - top) * (right - left)
            for top in range(height)
            for bottom in range(top + 1, height + 1)
            for left in range(width)
            for right in range(left + 1, width + 1)
            if cells[top:bottom, left:right].all()
        ),
        default=0,
    )
    found = largest_rectangle(cells)
    if found is None:
        assert slow == 0
    else:
        top, left, bottom, right = found
        assert cells[top:bottom, left:right].all()
        assert (bottom - top) * (right - left) == slow


def test_parallels_and_stations() -> None:
    line = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    assert length_m(line) == 20.0
    assert at(line, 15.0) == pytest.approx((10.0, 5.0, pi / 2))
    assert beside(line, 1.0).tolist() == [[0.0, 1.0], [9.0, 1.0], [9.0, 10.0]]
    assert beside(line, -1.0)[1].tolist() == [11.0, -1.0]
    steps = list(stations(line, 4.0, 2.0))
    assert len(steps) == 5
    assert [x for x, _, _ in steps[:2]] == [2.0, 6.0]
    assert list(stations(line, 4.0, 11.0)) == []


def test_gaps_between_directions() -> None:
    assert gaps([]) == [(0.0, 2 * pi)]
    found = gaps([0.0, pi / 2])
    assert found[0] == pytest.approx((5 * pi / 4, 3 * pi / 2))
    assert sum(opening for _, opening in found) == pytest.approx(2 * pi)


def test_areas_are_positive_either_way_round() -> None:
    assert area_m2(STAR) == pytest.approx(shapely.Polygon(STAR).area)
    assert area_m2(STAR[::-1]) == pytest.approx(shapely.Polygon(STAR).area)
