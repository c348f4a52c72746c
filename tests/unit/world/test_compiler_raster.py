from math import pi

import numpy as np
import pytest
from shapely import contains_xy
from shapely.geometry import Polygon

from ecumene_world.compiler.raster import Raster, Shapes, covered, polygon_patch, ramp

RASTER = Raster((-2.0, -1.0), 0.25, 40, 60)


def nodes() -> tuple[np.ndarray, np.ndarray]:
    iy, ix = np.mgrid[0 : RASTER.height, 0 : RASTER.width]
    return RASTER.origin[0] + 0.25 * ix, RASTER.origin[1] + 0.25 * iy


def filled(corners: object) -> np.ndarray:
    mask = np.zeros(RASTER.shape, bool)
    patch = polygon_patch(RASTER, np.array(corners, np.float64))
    if patch is not None:
        mask[patch.window] = patch.inside
    return mask


STAR = [
    [3.01, 8.03],
    [4.2, 4.4],
    [8.1, 4.3],
    [5.03, 2.1],
    [6.2, -1.7],
    [3.1, 0.7],
    [-0.3, -1.6],
    [1.13, 2.2],
    [-1.7, 4.5],
    [2.1, 4.6],
]


def test_a_concave_polygon_covers_the_nodes_inside_it() -> None:
    x, y = nodes()
    np.testing.assert_array_equal(filled(STAR), contains_xy(Polygon(STAR), x, y))


def test_a_crossing_polygon_is_filled_by_the_even_odd_rule() -> None:
    bow = filled([[0, 0.1], [6, 6.1], [6, 0.1], [0, 6.1]])
    assert bow[RASTER.nearest(np.array([5.5, 3.0]))]
    assert bow[RASTER.nearest(np.array([0.5, 3.0]))]
    assert not bow[RASTER.nearest(np.array([3.0, 1.0]))]


def test_polygons_that_share_edges_tile_without_gap_or_overlap() -> None:
    left = [[0, 0], [3, 0], [3, 3], [0, 3]]
    right = [[3, 0], [6, 0], [6, 3], [3, 3]]
    above = [[0, 3], [6, 3], [6, 5], [0, 5]]
    whole = filled([[0, 0], [6, 0], [6, 5], [0, 5]])
    np.testing.assert_array_equal(filled(left).astype(int) + filled(right) + filled(above), whole.astype(int))


@pytest.mark.parametrize(
    "far",
    [[[50, 50], [60, 50], [60, 60]], [[-50, -50], [-40, -50], [-40, -40]], [[0.01, 0.01], [0.02, 0.01], [0.02, 0.02]]],
)
def test_a_polygon_without_nodes_has_no_patch(far: list[list[float]]) -> None:
    assert polygon_patch(RASTER, np.array(far)) is None


def test_a_polygon_that_sticks_out_is_cut_off() -> None:
    assert filled([[-99, -99], [99, -99], [99, 99], [-99, 99]]).all()


def test_a_ramp_counts_within_each_group() -> None:
    assert ramp(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]


SHAPES = Shapes(
    np.array([[2.0, 2.0], [6.0, 4.0]]),
    np.array([[1.0, 0.5], [1.5, 1.5]]),
    np.array([pi / 6, 0.0]),
    np.array([False, True]),
)


@pytest.mark.parametrize(
    ("point", "which", "distance"),
    [([2, 2], 0, -0.5), ([6, 4], 1, -1.5), ([6, 6.5], 1, 1.0), ([2 + 3 * 3**0.5 / 2, 3.5], 0, 2.0)],
)
def test_distances_are_exact_and_signed(point: list[float], which: int, distance: float) -> None:
    assert SHAPES.distance(np.array([which]), np.array([point], np.float64))[0] == pytest.approx(distance)


def test_the_distance_to_a_corner_is_diagonal() -> None:
    box = Shapes(np.zeros((1, 2)), np.ones((1, 2)), np.zeros(1), np.zeros(1, bool))
    assert box.distance(np.array([0]), np.array([[4.0, 5.0]]))[0] == pytest.approx(5.0)


def test_covered_yields_all_nodes_within_the_margin_and_no_others() -> None:
    x, y = nodes()
    points = np.stack([x.ravel(), y.ravel()], 1)
    for margin in (0.0, 0.3):
        found = np.zeros((2, *RASTER.shape), bool)
        for iy, ix, solid in covered(RASTER, SHAPES, margin):
            found[solid, iy, ix] = True
        for which in (0, 1):
            wanted = SHAPES.distance(np.full(len(points), which), points) <= margin
            np.testing.assert_array_equal(found[which].ravel(), wanted)


def test_covered_works_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [np.concatenate(part) for part in zip(*covered(RASTER, SHAPES, 0.2), strict=True)]
    monkeypatch.setattr("ecumene_world.compiler.raster._CHUNK", 10)
    chunks = [*covered(RASTER, SHAPES, 0.2)]
    assert len(chunks) == 2
    for part, expected in zip(zip(*chunks, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(part), expected)


def test_segments_are_boxes_without_thickness() -> None:
    segment = Shapes.segments(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    assert segment.half[0].tolist() == [2.5, 0.0]
    assert segment.distance(np.array([0]), np.array([[1.5 + 0.8, 2 - 0.6]]))[0] == pytest.approx(1.0)
