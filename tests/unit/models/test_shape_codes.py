from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ecumene_models.errors import ShapeError
from ecumene_models.shape_codes import GanTraining, Gaussian, Kernels, interpolation, train_generator

TRAINING = GanTraining(seed=1, steps=300, critic=2, batch=64, noise=4, hidden=32, rate=1e-3)


def known(count: int = 400) -> tuple[Tensor, Tensor]:
    """Codes of two classes: long clouds that lie apart."""
    generator = torch.Generator().manual_seed(0)
    kinds = torch.arange(count) % 2
    codes = torch.randn(count, 3, generator=generator) * torch.tensor([1.0, 0.2, 0.1])
    codes[:, 1] += codes[:, 0]
    return codes + torch.tensor([[-2.0, 0.0, 1.0], [2.0, 0.0, 1.0]])[kinds], kinds


def test_a_gaussian_has_the_moments_of_each_class() -> None:
    codes, kinds = known()
    prior = Gaussian.of(codes, kinds, 2, shrink=1.0)
    drawn = prior(torch.ones(4000, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.mean(0), codes[kinds == 1].mean(0), atol=0.1)
    assert torch.allclose(drawn.T.cov(), codes[kinds == 1].T.cov(), atol=0.15)


def test_a_class_of_one_shape_varies_as_the_others_do() -> None:
    codes, kinds = known(41)
    kinds[0] = 2
    drawn = Gaussian.of(codes, kinds, 3)(torch.full((500,), 2), torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.mean(0), codes[0], atol=0.3)
    assert float(drawn[:, 0].std()) > 0.3


def test_interpolation_stays_between_shapes_of_its_class() -> None:
    codes, kinds = known(20)
    drawn = interpolation(codes, kinds)(torch.ones(50, dtype=torch.int64), torch.Generator().manual_seed(0))
    mine = codes[kinds == 1]
    assert ((drawn >= mine.amin(0) - 1e-6) & (drawn <= mine.amax(0) + 1e-6)).all()
    with pytest.raises(ShapeError, match="class 5 has no shape"):
        interpolation(codes, kinds)(torch.tensor([5]), torch.Generator())


@pytest.mark.parametrize("width", [0.0, 0.5, 1.0])
def test_kernels_keep_the_spread_of_the_class(width: float) -> None:
    codes, kinds = known()
    prior = Kernels.of(codes, kinds, 2, width)
    drawn = prior(torch.ones(4000, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.mean(0), codes[kinds == 1].mean(0), atol=0.1)
    assert torch.allclose(drawn.T.cov(), codes[kinds == 1].T.cov(), atol=0.15)


def test_kernels_without_width_repeat_real_codes() -> None:
    codes, kinds = known(20)
    drawn = Kernels.of(codes, kinds, 2, 0.0)(torch.zeros(30, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert float(torch.cdist(drawn, codes[kinds == 0]).amin(1).max()) < 5e-3
    with pytest.raises(ShapeError, match="class 2 has no shape"):
        Kernels.of(codes, kinds, 3)


def test_a_generator_that_corrects_begins_as_the_gaussian() -> None:
    codes, kinds = known()
    wanted = torch.ones(2000, dtype=torch.int64)
    begun = train_generator(codes, kinds, 2, replace(TRAINING, steps=0, residual=True))
    drawn = begun(wanted, torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.T.cov(), codes[kinds == 1].T.cov(), atol=0.15)
    after = train_generator(codes, kinds, 2, replace(TRAINING, steps=60, residual=True))
    assert not torch.allclose(after(wanted, torch.Generator().manual_seed(0)), drawn)


def test_the_gan_learns_where_each_class_is() -> None:
    codes, kinds = known()
    generator = train_generator(codes, kinds, 2, TRAINING)
    for kind in (0, 1):
        drawn = generator(torch.full((300,), kind), torch.Generator().manual_seed(0))
        assert torch.allclose(drawn.mean(0), codes[kinds == kind].mean(0), atol=0.6)
        assert 0.3 < float(drawn[:, 0].std()) < 2.0


def test_same_seed_same_generator() -> None:
    codes, kinds = known(30)
    short = replace(TRAINING, steps=3)
    first, second = (train_generator(codes, kinds, 2, short).state_dict() for _ in range(2))
    other = train_generator(codes, kinds, 2, replace(short, seed=2)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["layers.0.weight"], other["layers.0.weight"])


def test_fewer_components_keep_to_the_directions_of_most_variance() -> None:
    codes, kinds = known(100)
    generator = train_generator(codes, kinds, 2, replace(TRAINING, steps=2, components=1))
    drawn = generator(kinds, torch.Generator().manual_seed(0))
    assert int(torch.linalg.matrix_rank(drawn - drawn.mean(0), rtol=1e-3)) == 1
