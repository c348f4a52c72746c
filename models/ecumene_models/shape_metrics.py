"""How alike two sets of point clouds are.

Sources: Achlioptas et al., "Learning representations and generative models for 3D point clouds", ICML 2018 (coverage,
MMD, JSD); Yang et al., "PointFlow", ICCV 2019 (1-NNA). Chamfer distance is the sum of both mean squared distances.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_CELLS: Final = 14
_PAIRS: Final = 8


def chamfer(first: Tensor, second: Tensor) -> Tensor:
    """Returns (B,) chamfer distances between clouds (B, N, 3) and (B, M, 3), squared metres or whatever they are in."""
    squared = _squared(first, second)
    return squared.amin(2).mean(1) + squared.amin(1).mean(1)


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Returns (A, B) chamfer distances of all pairs of clouds (A, N, 3) and (B, M, 3)."""
    left = torch.cat([first, first.square().sum(2, keepdim=True), torch.ones_like(first[..., :1])], 2)
    right = torch.cat([-2 * second, torch.ones_like(second[..., :1]), second.square().sum(2, keepdim=True)], 2)
    return torch.stack([torch.cat([_to_each(cloud, part) for part in torch.split(right, _PAIRS)]) for cloud in left])


def within(clouds: Tensor) -> Tensor:
    """Returns (A, A) chamfer distances of all pairs of clouds (A, N, 3), each measured once."""
    found = torch.zeros(len(clouds), len(clouds))
    for row in range(len(clouds) - 1):
        found[row, row + 1 :] = distances(clouds[row : row + 1], clouds[row + 1 :])[0]
    return found + found.T


def coverage(across: Tensor) -> float:
    """Share of the reference shapes that are the nearest of some made shape, of distances (made, reference)."""
    return len(set(across.argmin(1).tolist())) / across.shape[1]


def mmd(across: Tensor) -> float:
    """Mean distance from each reference shape to the nearest made one, of distances (made, reference)."""
    return float(across.amin(0).mean())


def one_nna(made: Tensor, across: Tensor, reference: Tensor) -> float:
    """How often the nearest other shape is of the same set: 0.5 where two sets can't be told apart, 1 where they can.

    Args:
        made: (S, S) distances within the made set.
        across: (S, R) distances to the reference set.
        reference: (R, R) distances within it.
    """
    whole = torch.cat([torch.cat([made, across], 1), torch.cat([across.T, reference], 1)])
    whole = whole.clone().fill_diagonal_(torch.inf)
    is_made = torch.arange(len(whole)) < len(made)
    return float((is_made[whole.argmin(1)] == is_made).float().mean())


def jsd(first: Tensor, second: Tensor) -> float:
    """Jensen-Shannon divergence, 0..1, of where points of two sets (A, N, 3), (B, M, 3) lie in the cube of ±1/2.

    The cube has 14 cells an edge, half as many as in the paper: with tens of thousands of points, finer cells measure
    chance.
    """
    p, q = _share(first), _share(second)
    middle = (p + q) / 2
    return float((_divergence(p, middle) + _divergence(q, middle)) / 2)


def _to_each(cloud: Tensor, others: Tensor) -> Tensor:
    """Returns (P,) distances; products of rows of (N, 5) and of (P, M, 5) are squared distances of points."""
    squared = (cloud @ others.reshape(-1, 5).T).view(len(cloud), *others.shape[:2])
    there = squared.amin(2).clamp_min_(0.0).mean(0)
    return there + squared.amin(0).clamp_min_(0.0).mean(1)


def _squared(first: Tensor, second: Tensor) -> Tensor:
    """Returns (B, N, M) squared distances."""
    dot = first @ second.transpose(1, 2)
    squared = first.square().sum(2)[:, :, None] + second.square().sum(2)[:, None]
    return (squared - 2 * dot).clamp_min_(0.0)


def _share(clouds: Tensor) -> Tensor:
    cell = ((clouds.reshape(-1, 3) + 0.5) * _CELLS).long().clamp(0, _CELLS - 1)
    counts = torch.bincount((cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2], minlength=_CELLS**3)
    return counts.double() / counts.sum()


def _divergence(p: Tensor, middle: Tensor) -> Tensor:
    some = p > 0
    return (p[some] * (p[some] / middle[some]).log2()).sum()
