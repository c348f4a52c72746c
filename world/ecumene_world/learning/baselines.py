"""What PointNet has to beat: neighbours and logistic regression on a thing's size and on features of its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ecumene_models.pointnet import Posed, pose

_D2_BINS: Final = 16
_LEVELS: Final = 10
_NEIGHBOURS: Final = 3
_PAIRS: Final = 256

Guess = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From features (M, F) and classes (M,) that are known, and features (T, F), to log probabilities (T, classes)."""


def size_features(clouds: Tensor) -> Tensor:
    """Returns (B, 3): logarithms of length, width and height in metres."""
    return pose(clouds).size_m.log()


def shape_features(clouds: Tensor) -> Tensor:
    """Returns (B, 3 + 16 + 30): size, distances between points (D2), and points, length and width by height.

    Source: Osada et al., "Shape distributions", ACM TOG 2002, for D2.
    """
    posed = pose(clouds)
    return torch.cat([posed.size_m.log(), _distances(posed), _profile(posed)], 1)


def neighbours(known: Tensor, kinds: Tensor, asked: Tensor) -> Tensor:
    """Votes of the three nearest in standardised features, nearer ones with more weight."""
    first, second = _standardised(known, asked)
    near = torch.cdist(second, first).topk(_NEIGHBOURS, largest=False)
    votes = functional.one_hot(kinds[near.indices], int(kinds.max()) + 1) / (near.values[..., None] + 1e-3)
    return (votes.sum(1) / votes.sum((1, 2))[:, None]).clamp_min(1e-9).log()


def regression(known: Tensor, kinds: Tensor, asked: Tensor) -> Tensor:
    """Multinomial logistic regression with squares of the features and a small ridge."""
    first, second = _standardised(known, asked)
    first, second = (torch.cat([part, part.square()], 1) for part in (first, second))
    weight = torch.zeros(first.shape[1] + 1, int(kinds.max()) + 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = functional.cross_entropy(first @ weight[1:] + weight[0], kinds) + 2e-3 * weight[1:].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return functional.log_softmax(second @ weight[1:].detach() + weight[0].detach(), 1)


BASELINES: Final[dict[str, tuple[Callable[[Tensor], Tensor], Guess]]] = {
    "size, nearest neighbours": (size_features, neighbours),
    "size, logistic regression": (size_features, regression),
    "shape features, nearest neighbours": (shape_features, neighbours),
    "shape features, logistic regression": (shape_features, regression),
}


def recall(
    known: NDArray[np.float32], asked: NDArray[np.float32], same: NDArray[np.bool_], among: int
) -> NDArray[np.bool_]:
    """Returns (T,) whether one of the `among` nearest rows of `known` is of the same class as each asked row.

    Args:
        known: (M, F).
        asked: (T, F).
        same: (T, M) whether classes agree.
        among: How many are looked at.
    """
    near = np.linalg.norm(asked[:, None] - known[None], axis=2).argsort(1, kind="stable")[:, :among]
    return np.asarray(np.take_along_axis(same, near, 1).any(1))


def _standardised(known: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
    mean, spread = known.mean(0), known.std(0).clamp_min(1e-6)
    return (known - mean) / spread, (asked - mean) / spread


def _distances(posed: Posed) -> Tensor:
    """Returns (B, 16) shares of pairs by their distance."""
    some = posed.points[:, :_PAIRS]
    share = torch.cdist(some, some).flatten(1) / 1.75
    bins = (share.clamp(0, 1 - 1e-6) * _D2_BINS).long()
    counts = torch.zeros(len(bins), _D2_BINS).scatter_add_(1, bins, torch.ones_like(share))
    return (counts / share.shape[1]).sqrt()


def _profile(posed: Posed) -> Tensor:
    """Returns (B, 30): share of points, length and width at each of ten levels."""
    level = (posed.points[..., 2] / posed.points[..., 2].amax(1, keepdim=True).clamp_min(1e-6)).clamp(0, 1 - 1e-6)
    level = (level * _LEVELS).long()
    zero = torch.zeros(len(level), _LEVELS)
    counts = zero.scatter_add(1, level, torch.ones_like(posed.points[..., 0])) / level.shape[1]
    reach = [zero.scatter_reduce(1, level, posed.points[..., axis].abs(), "amax") for axis in (0, 1)]
    return torch.cat([counts.sqrt(), *reach], 1)
