from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ecumene_models.shape_metrics import chamfer, coverage, distances, jsd, mmd, one_nna, within


def clouds(count: int, seed: int, *, at: float = 0.0) -> Tensor:
    """Balls of points of many sizes about one place."""
    generator = torch.Generator().manual_seed(seed)
    size = 0.05 + 0.3 * torch.rand(count, 1, 1, generator=generator)
    return torch.randn(count, 48, 3, generator=generator) * size + at


def test_chamfer_is_the_sum_of_mean_squares() -> None:
    first, second = torch.zeros(1, 4, 3), torch.tensor([[[0.0, 0.0, 0.0], [0.0, 3.0, 4.0]]])
    assert float(chamfer(first, second)) == pytest.approx(12.5)
    assert float(chamfer(first, first)) == 0.0


def test_pairs_within_a_set_are_the_pairs_of_the_set_and_itself() -> None:
    some = clouds(7, 0)
    assert torch.allclose(within(some), distances(some, some), atol=1e-6)


def test_a_copy_covers_everything_at_no_distance() -> None:
    some = clouds(20, 0)
    across = distances(some, some)
    assert coverage(across) == 1.0
    assert mmd(across) == pytest.approx(0.0, abs=1e-6)
    assert jsd(some, some) == 0.0


def test_one_shape_made_again_and_again_covers_one() -> None:
    real = clouds(20, 0)
    across = distances(real[:1].expand(20, -1, -1), real)
    assert coverage(across) == 1 / 20


def test_sets_of_one_distribution_can_not_be_told_apart() -> None:
    made, real = clouds(120, 1), clouds(120, 2)
    assert one_nna(within(made), distances(made, real), within(real)) == pytest.approx(0.5, abs=0.08)
    assert jsd(made, real) < 0.25


def test_sets_far_apart_can_be_told_apart() -> None:
    made, real = clouds(30, 1, at=0.4), clouds(30, 2, at=-0.4)
    assert one_nna(within(made), distances(made, real), within(real)) == 1.0
    assert jsd(made, real) > 0.5
    assert coverage(distances(made, real)) < 0.5
