from __future__ import annotations

import torch
from torch import Tensor

from ecumene_models.pointnet import pose
from ecumene_models.shape_features import DESCRIPTION, FILLING, description, filling, surfaces


def plane(points: int = 300, tilt: float = 0.0) -> Tensor:
    """One square metre, tilted about the y axis by so many radians."""
    flat = torch.rand(1, points, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 0.0])
    c, s = torch.tensor(tilt).cos(), torch.tensor(tilt).sin()
    return torch.stack([c * flat[..., 0], flat[..., 1], s * flat[..., 0]], -1)


def box(size: tuple[float, float, float]) -> Tensor:
    return torch.rand(1, 250, 3, generator=torch.Generator().manual_seed(1)) * torch.tensor(size)


def test_normals_of_a_tilted_plane_stand_on_it() -> None:
    for tilt in (0.0, 0.5, 1.2):
        normal = surfaces(plane(tilt=tilt))[..., :3]
        wanted = torch.tensor([-torch.tensor(tilt).sin(), 0.0, torch.tensor(tilt).cos()])
        assert (normal @ wanted).abs().min() > 0.999


def test_a_line_has_no_breadth_and_a_plane_no_thickness() -> None:
    line = torch.linspace(0, 1, 200)[None, :, None] * torch.tensor([1.0, 0.0, 0.0])
    assert surfaces(line)[..., 3:5].max() < 1e-3
    flat = surfaces(plane())
    assert flat[..., 3].max() < 1e-3
    assert flat[..., 4].mean() > 0.5


def test_the_third_spread_hardly_depends_on_density() -> None:
    sparse, dense = surfaces(plane(200))[..., 5].mean(), surfaces(plane(800))[..., 5].mean()
    torch.testing.assert_close(sparse, dense, atol=0.0, rtol=0.15)


def test_points_in_one_place_are_described_by_finite_numbers() -> None:
    few = torch.zeros(2, 20, 3)
    assert torch.isfinite(surfaces(few)).all()
    assert surfaces(few[:0]).shape == (0, 20, 6)


def test_description_is_the_same_whichever_way_round_and_in_any_order() -> None:
    posed = pose(box((1.0, 0.5, 0.8)))
    surface = surfaces(posed.points)
    told = description(posed.points, surface, posed.size_m)
    assert told.shape == (1, DESCRIPTION)
    order = torch.randperm(250, generator=torch.Generator().manual_seed(2))
    signs = torch.tensor([-1.0, 1.0, 1.0])
    for points, lie in (
        (posed.points[:, order], surface[:, order]),
        (posed.points * signs, torch.cat([surface[..., :3] * signs, surface[..., 3:]], -1)),
    ):
        torch.testing.assert_close(description(points, lie, posed.size_m), told, atol=1e-4, rtol=0.0)


def test_some_pairs_say_about_what_all_pairs_say() -> None:
    posed = pose(box((1.0, 0.5, 0.8)))
    surface = surfaces(posed.points)
    pairs = torch.randint(250, (2, 40_000), generator=torch.Generator().manual_seed(3))
    some, all_of_them = (description(posed.points, surface, posed.size_m, which) for which in (pairs, None))
    torch.testing.assert_close(some, all_of_them, atol=0.03, rtol=0.0)


def test_filling_shares_are_of_all_points() -> None:
    posed = pose(box((1.0, 0.5, 0.8)))
    told = filling(posed.points, posed.size_m)
    assert told.shape == (1, FILLING)
    torch.testing.assert_close(told[:, :128].square().sum(1), torch.ones(1))
    assert told[:, 128:].max() > 0.95


def test_a_table_and_a_column_are_told_apart() -> None:
    level, upright = plane(), plane()[..., [2, 0, 1]]
    first, second = (
        description(posed.points, surfaces(posed.points), posed.size_m) for posed in map(pose, (level, upright))
    )
    assert float((first - second).norm()) > 1.0
