import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.raster import Raster
from ecumene_world.assets.render import Camera, Instances, Look, png, render, write_png
from ecumene_world.assets.solids import box, quad, sphere
from ecumene_world.errors import GraphError

RED, GREEN, GREY = (200, 30, 20), (30, 180, 40), (200, 200, 200)
GROUND = quad([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], GREY)
ABOVE = Camera((0, 0, 20), (0, 0, 0), span_m=8.0, up=(0, 1, 0))


def reddish(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(image[..., 0].astype(int) > image[..., 1].astype(int) + 40)


def test_a_map_shows_things_where_they_are() -> None:
    image = render([box((2, 1, 1), RED, (1.0, 2.0, 0))], ABOVE, (80, 80), Look(shadows=False))
    rows, columns = np.nonzero(reddish(image))
    assert (columns.min(), columns.max() + 1) == (40, 60), "x to the right: 0..2 m"
    assert (rows.min(), rows.max() + 1) == (15, 25), "y upward: 1.5..2.5 m"


def test_nearer_things_hide_farther_ones() -> None:
    scene = [box((1, 1, 1), GREEN, (0, 0, 2)), box((3, 3, 1), RED)]
    for order in (scene, scene[::-1]):
        image = render(order, ABOVE, (40, 40), Look(shadows=False))
        assert image[20, 20, 1] > image[20, 20, 0]
        assert reddish(image)[13, 13]


def test_back_faces_are_not_drawn() -> None:
    flipped = quad([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]], RED)
    assert not reddish(render([flipped], ABOVE, (40, 40))).any()


def test_shadows_fall_away_from_the_sun() -> None:
    scene = [GROUND, box((1, 1, 2), RED)]
    lit = render(scene, ABOVE, (80, 80), Look(shadows=False)).astype(int)
    shaded = render(scene, ABOVE, (80, 80)).astype(int)
    darker = (lit - shaded).sum(-1) > 60
    rows, columns = np.nonzero(darker)
    assert darker.sum() > 50
    assert columns.mean() < 40, "the sun stands at +x"
    assert rows.mean() < 40, "and at -y"


def test_triangles_across_the_near_plane_are_cut_not_dropped() -> None:
    eye = Camera((0, 0, 1.7), (5, 0, 1.0), fov_rad=1.0)
    image = render([GROUND], eye, (60, 60), Look(shadows=False))
    np.testing.assert_array_less(np.abs(image[58, 30].astype(int) - image[50, 30].astype(int)), 3)
    sky = render([], eye, (60, 60))
    assert (image[58] != sky[58]).any(1).all()


def test_perspective_depth_is_metres_along_the_view() -> None:
    wall = quad([[5, 3, -3], [5, -3, -3], [5, -3, 3], [5, 3, 3]], RED)
    camera = Camera((0, 0, 0), (1, 0, 0), fov_rad=1.0)
    raster = Raster.of(wall.triangles.astype(np.float64), camera, 33, 33)
    assert (raster.face >= 0).all()
    np.testing.assert_allclose(raster.depth, 5.0, rtol=1e-5)
    rows, columns = np.nonzero(raster.face >= 0)
    np.testing.assert_allclose(raster.points(rows, columns)[:, 0], 5.0, rtol=1e-5)


def test_small_and_large_triangles_agree_with_a_slow_oracle() -> None:
    rng = np.random.default_rng(0)
    triangles = rng.uniform(-4, 4, (40, 3, 3))
    triangles[20:] = triangles[20:, :1] + rng.uniform(-0.4, 0.4, (20, 3, 3))
    raster = Raster.of(triangles, ABOVE, 50, 50, both_sides=True)
    nearest = np.full((50, 50), -1)
    height = np.full((50, 50), -np.inf)
    y, x = np.mgrid[0:50, 0:50]
    px, py = (x + 0.5 - 25) * 8 / 50, (25 - y - 0.5) * 8 / 50
    for index, (a, b, c) in enumerate(triangles):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area
        wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area
        z = a[2] + wb * (b[2] - a[2]) + wc * (c[2] - a[2])
        above = (wb >= 0) & (wc >= 0) & (wb + wc <= 1) & (z > height)
        nearest[above], height[above] = index, z[above]
    assert (raster.face == nearest).mean() > 0.995


def test_instances_draw_one_mesh_many_times() -> None:
    matrices = np.tile(np.eye(4), (3, 1, 1))
    matrices[:, 0, 3] = (-2, 0, 2)
    cube = box((1, 1, 1), RED)
    together = render([Instances(cube, matrices)], ABOVE, (40, 40))
    apart = render([cube.moved(x) for x in (-2, 0, 2)], ABOVE, (40, 40))
    np.testing.assert_array_equal(together, apart)


def test_haze_pales_what_is_far() -> None:
    eye = Camera((-60, 0, 5), (0, 0, 1), fov_rad=0.1)
    scene = [sphere(2, (20, 20, 20), (0, 0, 2))]
    clear, hazy = (render(scene, eye, (30, 30), Look(haze_m=haze))[15, 15].astype(int) for haze in (0.0, 40.0))
    assert hazy.sum() > clear.sum() + 150


def test_plan_and_orbit_show_all_of_their_bounds() -> None:
    mesh = box((8, 3, 2), RED, (20, -7, 1))
    bounds = mesh.bounds
    for camera, size in ((Camera.plan(bounds, 2.0), (80, 40)), (Camera.orbit(bounds), (60, 60))):
        image = reddish(render([mesh], camera, size, Look(shadows=False)))
        assert image.any()
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert not edge.any()


def test_an_empty_scene_is_sky() -> None:
    image = render([Mesh.empty()], Camera((0, 0, 1), (1, 0, 1)), (20, 10))
    assert image.shape == (10, 20, 3)
    assert image.dtype == np.uint8


def test_png_is_read_by_an_independent_reader(tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    write_png(tmp_path / "picture.png", image)
    with Image.open(io.BytesIO((tmp_path / "picture.png").read_bytes())) as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_png_refuses_other_arrays() -> None:
    with pytest.raises(GraphError, match=r"\(H, W, 3\) uint8"):
        png(np.zeros((4, 4), np.uint8))
