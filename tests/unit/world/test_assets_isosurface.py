from __future__ import annotations

from math import pi

import numpy as np
import pytest
from numpy.typing import NDArray

from ecumene_world.assets.isosurface import smoothed, surface
from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import GraphError


def ball(radius: float, side: int = 34) -> NDArray[np.float32]:
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1)
    return np.asarray(radius - np.linalg.norm(grid - (side - 1) / 2, axis=-1), np.float32)


def area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.triangles.astype(np.float64), 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def is_closed(faces: NDArray[np.int32]) -> bool:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist()
    return sorted(edges) == sorted([b, a] for a, b in edges)


@pytest.mark.parametrize("rounds", [0, 4])
def test_a_ball_is_closed_and_of_its_area_and_volume(rounds: int) -> None:
    vertices, faces = surface(ball(12.0))
    mesh = Mesh.of(smoothed(vertices, faces, rounds), faces, (9, 9, 9))
    assert is_closed(faces)
    assert area(mesh) == pytest.approx(4 * pi * 144, rel=0.02)
    assert mesh.volume_m3 == pytest.approx(4 / 3 * pi * 12**3, rel=0.02)
    assert np.allclose(mesh.bounds.mean(0), 16.5, atol=0.05)


def test_what_reaches_the_edge_of_the_grid_is_closed_too() -> None:
    _, faces = surface(np.ones((4, 5, 6), np.float32))
    assert is_closed(faces)


def test_the_level_decides_how_large_it_is() -> None:
    vertices, faces = surface(ball(12.0), level=6.0)
    assert Mesh.of(vertices, faces, (9, 9, 9)).volume_m3 == pytest.approx(4 / 3 * pi * 6**3, rel=0.03)


def test_smoothing_takes_steps_away() -> None:
    vertices, faces = surface((ball(10.0) > 0).astype(np.float32), level=0.5)
    before = np.linalg.norm(vertices - 16.5, axis=1).std()
    assert np.linalg.norm(smoothed(vertices, faces) - 16.5, axis=1).std() < 0.8 * before


def test_nothing_solid_has_no_surface() -> None:
    vertices, faces = surface(np.full((4, 4, 4), -1.0, np.float32))
    assert not len(vertices)
    assert not len(faces)


@pytest.mark.parametrize("field", [np.zeros((3, 3)), np.full((3, 3, 3), np.nan)])
def test_what_is_no_field_is_refused(field: NDArray[np.float64]) -> None:
    with pytest.raises(GraphError, match="three axes and finite numbers"):
        surface(field.astype(np.float32))
