from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecumene_world.assets import palette
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.polygon import area_m2, cleaned, inset, oriented_box, triangulated
from ecumene_world.assets.solids import (
    bar,
    blob,
    box,
    cone,
    cylinder,
    lathe,
    opened,
    pillow,
    plate,
    prism,
    shell,
    slab,
    sphere,
    tube,
    upright,
)
from ecumene_world.errors import GraphError

RED = (200, 30, 20)
CONCAVE = [(0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (4, 3), (4, 4), (0, 4)]


@pytest.mark.parametrize(
    ("mesh", "volume"),
    [
        (box((2, 3, 4), RED), 24.0),
        (box((2, 3, 4), RED, bevel=0.1), 23.9),
        (slab((2, 3, 1), RED, bevel=0.1), 5.9),
        (pillow((2, 3, 1), RED, bevel=0.1), 5.9),
        (cylinder(1, 2, RED, sides=64), 2 * pi),
        (cone(1, 3, RED, sides=64), pi),
        (sphere(1, RED, detail=3), 4 / 3 * pi),
        (lathe([(1, 0), (1, 1), (0.5, 1), (0.5, 0.5), (0, 0.5)], RED, sides=64), pi - pi / 8),
        (prism(CONCAVE, 2, RED), 20.0),
        (plate([(0, 0), (2, 0), (2, 2), (0, 2)], 1, RED, bevel=0.05), 3.9),
        (upright(CONCAVE, 0.5, RED), 5.0),
        (shell(CONCAVE, 2.0, RED, bevel=0.02), 20.0),
        (shell(CONCAVE, 2.0, RED, bevel=0.02, narrow=0.02), 19.5),
        (bar((0, 0, 0), (1, 2, 2), 0.1, RED, sides=32), 0.03 * pi),
        (tube([(0, 0, 0), (0, 0, 1), (1, 0, 2)], 0.1, RED, sides=12), 0.073),
    ],
)
def test_solids_are_closed_outward_and_as_large_as_asked(mesh: Mesh, volume: float) -> None:
    mesh.validate()
    assert mesh.volume_m3 == pytest.approx(volume, rel=0.05)
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    _, places = np.unique(np.round(mesh.vertices, 5), axis=0, return_inverse=True)
    _, counts = np.unique(np.sort(places[edges], axis=1), axis=0, return_counts=True)
    assert (counts % 2 == 0).all(), "an edge belongs to one face only"


def test_solids_stand_on_their_base() -> None:
    np.testing.assert_allclose(box((2, 4, 6), RED, (1, 1, 1)).bounds, [[0, -1, 1], [2, 3, 7]], atol=1e-6)
    np.testing.assert_allclose(
        upright([(0, 0), (1, 0), (0, 2)], 0.4, RED).bounds, [[0, -0.2, 0], [1, 0.2, 2]], atol=1e-6
    )
    np.testing.assert_allclose(shell([(0, 0), (1, 0), (0, 2)], 0.4, RED).bounds, [[0, -0.2, 0], [1, 0.2, 2]], atol=1e-6)


def test_a_blob_is_the_same_for_the_same_generator() -> None:
    first, second = (blob((1, 1, 1), RED, (0, 0, 0), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.vertices, second.vertices)


def test_merging_keeps_everything_and_empty_is_neutral() -> None:
    both = Mesh.merged([box((1, 1, 1), RED), Mesh.empty(), box((1, 1, 1), RED, (3, 0, 0))])
    assert both.volume_m3 == pytest.approx(2)
    assert len(Mesh.merged([]).faces) == 0
    np.testing.assert_array_equal(Mesh.empty().bounds, np.zeros((2, 3)))


def test_mirroring_keeps_faces_outward() -> None:
    wedge = prism([(0, 0), (2, 0), (0, 1)], 1, RED)
    assert wedge.mirrored().volume_m3 == pytest.approx(wedge.volume_m3)
    assert wedge.mirrored().bounds[0, 1] == pytest.approx(-1)


def test_turns_follow_the_right_hand() -> None:
    tip = Mesh.of([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 2]], RED)
    np.testing.assert_allclose(tip.turned(pi / 2).vertices[0], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(tip.pitched(pi / 2).vertices[2], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(tip.rolled(pi / 2).vertices[1], [0, 0, 1], atol=1e-6)


def test_opening_removes_only_faces_that_look_away() -> None:
    assert len(opened(box((1, 1, 1), RED), (-1, 0, 0), (0, 0, -1)).faces) == 8


def test_centring() -> None:
    np.testing.assert_allclose(box((2, 2, 2), RED, (5, 6, 7)).centred().bounds, [[-1, -1, 0], [1, 1, 2]], atol=1e-5)


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (Mesh(np.zeros((3, 2), np.float32), np.zeros((1, 3), np.int32), np.zeros((1, 3), np.uint8)), r"\(V, 3\)"),
        (Mesh(np.zeros((3, 3), np.float32), np.zeros((1, 3), np.int32), np.zeros((2, 3), np.uint8)), r"\(F, 3\)"),
        (Mesh.of(np.zeros((3, 3)), [[0, 1, 3]], RED), "point outside the 3 vertices"),
        (Mesh.of([[0, 0, np.nan]] * 3, [[0, 1, 2]], RED), "finite"),
    ],
)
def test_broken_meshes_are_refused(mesh: Mesh, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        mesh.validate()


def test_colours() -> None:
    assert palette.rgb("#ff8000") == (255, 128, 0)
    with pytest.raises(ValueError, match="not a colour"):
        palette.rgb("ff8000")
    assert palette.mixed((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
    shaded = palette.graded(box((1, 1, 1), RED), (0, 0, 0), (200, 200, 200))
    assert shaded.colours[shaded.normals[:, 2] > 0.5].min() > shaded.colours[shaded.normals[:, 2] < -0.5].max()
    varied = palette.speckled(box((1, 1, 1), (100, 100, 100)), np.random.default_rng(0), 0.1)
    assert 89 <= varied.colours.min() < varied.colours.max() <= 110


@st.composite
def stars(draw: st.DrawFn) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Simple polygons, mostly concave: corners at random distances around a point."""
    count = draw(st.integers(3, 14))
    radii = draw(st.lists(st.floats(0.5, 10), min_size=count, max_size=count))
    angle = np.arange(count) * 2 * pi / count
    return np.stack([np.cos(angle) * radii, np.sin(angle) * radii], 1)


@settings(max_examples=60, deadline=None)
@given(stars(), st.booleans())
def test_triangles_tile_any_star(polygon: np.ndarray[tuple[int, ...], np.dtype[np.float64]], flipped: bool) -> None:
    outline = cleaned(polygon[::-1] if flipped else polygon)
    if len(outline) < 3:
        return
    areas = [area_m2(outline[corners]) for corners in triangulated(outline)]
    assert len(areas) == len(outline) - 2
    assert min(areas) >= -1e-6
    assert sum(areas) == pytest.approx(area_m2(outline), rel=1e-6)


def test_cleaning_drops_repeated_and_collinear_corners() -> None:
    square = cleaned([(0, 0), (0, 0), (1, 0), (2, 0), (2, 2), (0, 2), (0, 0)])
    assert len(square) == 4
    assert area_m2(square) == pytest.approx(4)
    assert len(cleaned([(0, 0), (1, 1), (2, 2)])) < 3
    assert len(prism([(0, 0), (1, 1)], 1, RED).faces) == 0


def test_insets_move_every_edge() -> None:
    assert area_m2(inset([(0, 0), (4, 0), (4, 4), (0, 4)], 1)) == pytest.approx(4)
    assert area_m2(inset([(0, 0), (4, 0), (4, 4), (0, 4)], -1)) == pytest.approx(36)


def test_the_oriented_box_follows_the_longest_side() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    corners = np.array([[-1, -3], [1, -3], [1, 3], [-1, 3]]) @ np.array([[c, s], [-s, c]]) + [5, 6]
    centre, size, yaw = oriented_box(corners)
    np.testing.assert_allclose(centre, [5, 6], atol=1e-9)
    np.testing.assert_allclose(size, [6, 2], atol=1e-9)
    assert abs(np.cos(yaw - (0.3 + pi / 2))) == pytest.approx(1, abs=1e-9)
