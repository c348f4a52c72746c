from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ecumene_models.shape_diffusion import DiffusionTraining, train_diffusion

TRAINING = DiffusionTraining(seed=1, steps=2000, batch=64, hidden=64, levels=20, rate=3e-3)


def known(count: int = 400) -> tuple[Tensor, Tensor]:
    """Codes of two classes; the second has two heaps, which no normal distribution has."""
    generator = torch.Generator().manual_seed(0)
    kinds = torch.arange(count) % 2
    codes = 0.2 * torch.randn(count, 2, generator=generator)
    codes[:, 0] += torch.tensor([-2.0, 2.0])[kinds]
    codes[:, 1] += torch.where((torch.arange(count) // 2) % 2 == 0, 1.0, -1.0) * kinds
    return codes, kinds


def test_it_learns_both_heaps_of_a_class() -> None:
    codes, kinds = known()
    network = train_diffusion(codes, kinds, 2, TRAINING)
    drawn = network(torch.ones(400, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert abs(float(drawn[:, 0].mean()) - 2.0) < 0.3
    assert float((drawn[:, 1].abs() > 0.5).float().mean()) > 0.8
    assert 0.3 < float((drawn[:, 1] > 0).float().mean()) < 0.7


def test_same_seed_same_diffusion() -> None:
    codes, kinds = known(30)
    short = replace(TRAINING, steps=3)
    first, second = (train_diffusion(codes, kinds, 2, short).state_dict() for _ in range(2))
    other = train_diffusion(codes, kinds, 2, replace(short, seed=2)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["layers.0.weight"], other["layers.0.weight"])
