from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecumene_world.assets.buildings import STYLES, building, storey_m
from ecumene_world.assets.facade import Quads, Wall, tiles
from ecumene_world.assets.raster import Camera, Raster
from ecumene_world.assets.roofs import gable_roof, hip_roof, wings
from ecumene_world.assets.structure import wall
from ecumene_world.errors import GraphError

RECTANGLE = [(0, 0), (12, 0), (12, 9), (0, 9)]
ELL = [(0, 0), (16, 0), (16, 8), (8, 8), (8, 18), (0, 18)]
ODD = [(0, 0), (20, -3), (26, 9), (14, 7), (12, 18), (2, 15)]
RED, WHITE = (200, 30, 20), (250, 250, 250)


@pytest.mark.parametrize("footprint", [RECTANGLE, ELL, ODD, [*RECTANGLE, (0, 0)], RECTANGLE[::-1]])
@pytest.mark.parametrize("style", STYLES)
def test_buildings_fit_plan_height_and_budget(footprint: list[tuple[float, float]], style: str) -> None:
    for seed, height in ((1, 6.0), (2, 14.0)):
        mesh = building(footprint, height, seed, style=style)
        mesh.validate()
        plan = np.array(footprint)
        assert len(mesh.faces) <= 1500
        assert abs(mesh.bounds[0, 2]) < 1e-6
        assert height * 0.85 <= mesh.bounds[1, 2] <= height + (18.0 if style == "civic" else 2.0)
        assert (mesh.bounds[0, :2] >= plan.min(0) - 1.2).all()
        assert (mesh.bounds[1, :2] <= plan.max(0) + 1.2).all()


def test_the_same_seed_builds_the_same_house_and_another_another() -> None:
    first, again, other = (building(ELL, 9.0, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.colours, again.colours)
    assert first.colours.shape != other.colours.shape or (first.colours != other.colours).any()


@pytest.mark.parametrize("footprint", [RECTANGLE, ELL, ODD])
def test_nobody_can_look_inside_from_the_street(footprint: list[tuple[float, float]]) -> None:
    mesh = building(footprint, 9.0, 3)
    for yaw in (0.3, 2.0, 4.5):
        camera = Camera.orbit(mesh.bounds, yaw, 0.3)
        front = Raster.of(mesh.triangles.astype(np.float64), camera, 128, 128).face >= 0
        whole = Raster.of(mesh.triangles.astype(np.float64), camera, 128, 128, both_sides=True).face >= 0
        assert (whole & ~front).sum() <= 0.01 * whole.sum() + 2


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=3, max_size=9),
    st.floats(2.5, 60),
    st.integers(0, 10**9),
)
def test_any_footprint_builds_or_is_refused(footprint: list[tuple[float, float]], height: float, seed: int) -> None:
    """Also degenerate ones and ones whose edges cross."""
    try:
        mesh = building(footprint, height, seed)
    except GraphError:
        return
    mesh.validate()
    assert len(mesh.faces) <= 4000


@pytest.mark.parametrize(
    ("footprint", "height", "style", "message"),
    [
        ([(0, 0), (1, 1), (2, 2)], 5.0, "auto", "footprint needs three corners"),
        ([(0, 0), (0.1, 0), (0, 0.1)], 5.0, "auto", "footprint needs three corners"),
        ([], 5.0, "auto", "footprint needs three corners"),
        (RECTANGLE, 0.2, "auto", "height is 0.2 m; 1 to 1000 m"),
        (RECTANGLE, float("nan"), "auto", "height is nan m"),
        (RECTANGLE, 5.0, "gothic", "'gothic' is not a style of building"),
    ],
)
def test_impossible_buildings_are_refused(
    footprint: list[tuple[float, float]], height: float, style: str, message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        building(footprint, height, 0, style=style)


def test_doors_are_where_the_entrances_are() -> None:
    plain = building(RECTANGLE, 6.0, 2, entrances=[(6.0, 0.0, -pi / 2)])
    moved = building(RECTANGLE, 6.0, 2, entrances=[(12.0, 4.5, 0.0)])
    # Steps in front of a door are what reaches out farthest near the ground.
    for mesh, axis, sign in ((plain, 1, -1), (moved, 0, 1)):
        step = mesh.vertices[(mesh.vertices[:, 2] < 0.05)]
        reach = sign * step[:, axis]
        limit = 0.0 if sign < 0 else 12.0
        assert reach.max() == pytest.approx(limit + 0.5, abs=0.01)


def test_an_entrance_of_a_building_with_interior_is_a_hole() -> None:
    eye = Camera((6.0, -6.0, 1.2), (6.0, 0.0, 1.2), fov_rad=0.05)
    for interior in (False, True):
        mesh = building(RECTANGLE, 6.0, 2, entrances=[(6.0, 0.0, -pi / 2)], interior=interior)
        depth = Raster.of(mesh.triangles.astype(np.float64), eye, 9, 9).depth[4, 4]
        assert (depth > 12.0) == interior, "the far inner wall is seen through an open door only"


def test_entrances_that_share_a_place_make_one_door() -> None:
    twice = building(RECTANGLE, 6.0, 2, entrances=[(6.0, 0.0, -pi / 2), (6.1, 0.0, -pi / 2)])
    once = building(RECTANGLE, 6.0, 2, entrances=[(6.0, 0.0, -pi / 2)])
    assert len(twice.faces) == len(once.faces)


def test_a_hut_too_small_for_a_door_still_stands() -> None:
    building([(0, 0), (1, 0), (1, 1), (0, 1)], 2.0, 1).validate()


def test_wings_cover_rectilinear_plans_only() -> None:
    assert len(wings(ELL)) == 2
    assert len(wings(RECTANGLE)) == 1
    assert wings(ODD) == []


def test_roofs_rise_to_their_ridge() -> None:
    gable = gable_roof(np.array(RECTANGLE, float), 5.0, 3.0, RED, WHITE, overhang=0.3)
    assert gable.bounds[1, 2] == pytest.approx(8.16, abs=0.01)
    hip = hip_roof(RECTANGLE, 5.0, 1.0, RED, overhang=0.0)
    assert hip.bounds[1, 2] == pytest.approx(9.5, abs=0.01)
    cut = hip_roof(RECTANGLE, 5.0, 1.0, RED, top=2.0, overhang=0.0)
    assert cut.bounds[1, 2] == pytest.approx(7.0, abs=0.01)


def test_tiles_leave_the_openings_free() -> None:
    openings = [(1.0, 1.0, 0.0, 2.0), (3.0, 1.5, 1.0, 2.0), (9.5, 2.0, 0.0, 2.0)]
    covered = sum(width * height for _, _, width, height in tiles(10.0, 3.0, openings))
    assert covered == pytest.approx(30.0 - 2.0 - 1.5 - 1.0)


def test_a_wall_looks_outward() -> None:
    side = Wall.between(np.array([0.0, 0.0]), np.array([4.0, 0.0]))
    np.testing.assert_allclose(side.outward, [0, -1])
    assert side.yaw == pytest.approx(-pi / 2)
    assert side.distance(2.0, -3.0) == pytest.approx((3.0, 2.0))
    quads = Quads()
    assert len(quads.mesh().faces) == 0
    quads.add(side.rectangles(0, 0, 4, 3), RED)
    np.testing.assert_allclose(quads.mesh().normals, [[0, -1, 0]] * 2, atol=1e-6)


def test_an_inner_wall_has_its_holes() -> None:
    solid = wall(5.0, 3.0, 0.2)
    pierced = wall(5.0, 3.0, 0.2, [(1.0, 0.9, 0.0, 2.1), (3.0, 1.2, 0.9, 2.1)])
    np.testing.assert_allclose(solid.bounds, [[-2.5, -0.1, 0], [2.5, 0.1, 3]], atol=1e-6)
    assert solid.volume_m3 == pytest.approx(3.0, rel=1e-4)
    through = Camera((-1.05, -4.0, 1.0), (-1.05, 0.0, 1.0), fov_rad=0.02)
    assert (Raster.of(pierced.triangles.astype(np.float64), through, 5, 5).face < 0).all()
    assert (Raster.of(solid.triangles.astype(np.float64), through, 5, 5).face >= 0).all()
    assert len(wall(5.0, 3.0, 0.2, [(9.0, 1.0, 0.0, 2.0)]).faces) == len(solid.faces)


def test_storeys_can_be_told_before_building() -> None:
    assert 2.0 < storey_m(RECTANGLE, 9.0, 3) < 4.5
    low, high = (building(RECTANGLE, 9.0, 3, interior=True, storeys=count) for count in (1, 2))
    assert len(low.faces) == len(high.faces), "the same rooms, under a higher ceiling"
