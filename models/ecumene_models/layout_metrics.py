"""How generated layouts compare with real ones, from sets of layouts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance
from torch import Tensor
from torch.nn import functional

from ecumene_models.layouts import (
    Layouts,
    Things,
    extents,
    lies,
    overlapping,
    own_gaps,
    reflected,
    sticking_out,
    things_of,
    wall_gaps,
)

_BINS_M: Final = 0.5
_FURTHEST_M: Final = 8.0
_UNLIKE_M: Final = 2.0
"""What a thing costs that the other room has no partner for, and the most that a pair costs."""
_COMPONENTS: Final = 16


def overlap(layouts: Layouts) -> float:
    """Share of things on the floor that stand in another by more than 3 cm; a chair pushed under a table counts."""
    return float(overlapping(layouts).any(2).sum() / layouts.stands.sum().clamp_min(1))


def out_of_floor(layouts: Layouts) -> float:
    """Share of things on the floor that stick out of it by more than 3 cm."""
    return float(sticking_out(layouts).sum() / layouts.stands.sum().clamp_min(1))


def count_distance(real: Layouts, made: Layouts, kinds: int) -> float:
    """Mean over roles and the kinds that occur of the Wasserstein distance between how many a room has."""
    found, rooms = [], []
    for role in sorted(set(real.role.tolist())):
        a, b = (_counts(part.rows(part.role == role), kinds) for part in (real, made))
        there = (a.sum(0) + b.sum(0)) > 0
        each = [wasserstein_distance(a[:, k], b[:, k]) for k in np.flatnonzero(there)]
        found.append(float(np.mean(each)))
        rooms.append(len(a))
    return float(np.average(found, weights=rooms))


def pair_distance(real: Layouts, made: Layouts) -> float:
    """Mean over roles of the total variation between histograms of distances of things on the floor, 0..1."""
    found, rooms = [], []
    for role in sorted(set(real.role.tolist())):
        a, b = (_distances(part.rows(part.role == role)) for part in (real, made))
        found.append(float(np.abs(a - b).sum() / 2))
        rooms.append(int((real.role == role).sum()))
    return float(np.average(found, weights=rooms))


def frechet_distance(known: Tensor, real: Tensor, made: Tensor) -> float:
    """Fréchet distance between two sets of features (·, F), on the 16 main components of known ones.

    Source: Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017, section 3, on other features.
    """
    middle, spread = known.mean(0), known.std(0).clamp_min(1e-3)
    axes = torch.linalg.svd((known - middle) / spread, full_matrices=False).Vh[:_COMPONENTS].T
    a, b = (((part - middle) / spread).clamp(-8, 8) @ axes for part in (real, made))
    means = (a.mean(0) - b.mean(0)).square().sum()
    ca, cb = (torch.cov(part.T).double() for part in (a, b))
    values, vectors = torch.linalg.eigh(ca)
    root = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cb @ root).clamp_min(0).sqrt().sum()
    return float(means + ca.trace() + cb.trace() - 2 * cross)


def classifier_accuracy(real: Tensor, made: Tensor, groups: Sequence[int], made_groups: Sequence[int]) -> float:
    """Balanced accuracy of a logistic regression that tells real from made features, on groups it never saw.

    The mean of four parts of the groups (as many as there are, if fewer), each held out once; 0.5 is a coin's, less
    than that is chance. At least two groups are needed.
    """
    of, made_of = np.asarray(groups), np.asarray(made_groups)
    parts = min(4, len(set(of.tolist())))
    order = {group: row % parts for row, group in enumerate(sorted(set(of.tolist())))}
    part, made_part = np.array([order[g] for g in of]), np.array([order[g] for g in made_of])
    scores = []
    for held in range(parts):
        a, b = real[part != held], made[made_part != held]
        weight, bias, middle, spread = _logistic(a, b)
        right = [
            (((x - middle) / spread).clamp(-5, 5) @ weight + bias > 0).double().mean()
            for x in (real[part == held], made[made_part == held])
        ]
        scores.append(float((right[0] + 1 - right[1]) / 2))
    return float(np.mean(scores))


def nearest(made: Layouts, known: Layouts) -> NDArray[np.float64]:
    """Returns (B,) how far each layout is from the most similar known one of its role, see `apart`."""
    turned = [_sets(reflected(known, way)) for way in range(8)]
    roles = known.role.numpy()
    found = []
    for one, role in zip(_sets(made), made.role.tolist(), strict=True):
        others = [turned[way][row] for row in np.flatnonzero(roles == role) for way in range(8)]
        found.append(min((apart(one, other) for other in others), default=_UNLIKE_M))
    return np.array(found)


def diversity(draws: Sequence[Layouts]) -> float:
    """Mean distance between draws for the same room, see `apart`."""
    sets = [_sets(draw) for draw in draws]
    pairs = [(a, b) for a in range(len(sets)) for b in range(a)]
    return float(np.mean([apart(x, y) for a, b in pairs for x, y in zip(sets[a], sets[b], strict=True)]))


def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Returns how far two sets of things (n, 3) of kind, x and y are apart: metres a thing, 0 to 2, best matched."""
    most = max(len(one), len(other))
    if not most:
        return 0.0
    cost = np.full((most, most), _UNLIKE_M)
    gap = np.hypot(*(one[:, None, axis] - other[None, :, axis] for axis in (1, 2)))
    same = one[:, None, 0] == other[None, :, 0]
    cost[: len(one), : len(other)] = np.where(same, gap.clip(max=_UNLIKE_M), _UNLIKE_M)
    return float(cost[linear_sum_assignment(cost)].sum() / most)


def features(layouts: Layouts, kinds: int) -> Tensor:
    """Returns (B, F) numbers that describe layouts and change with none of the symmetries of the square.

    How many of each kind, how each kind stands to the walls, how boxes overlap, stick out, keep apart and are turned,
    how much floor they cover, how far they are from each other, and how things stand on their supports.
    """
    t, stands = things_of(layouts), layouts.stands
    weight = stands.float()
    total = weight.sum(1).clamp_min(1)
    counts = functional.one_hot(layouts.kind.clamp_min(0), kinds).float() * layouts.there[..., None]
    gaps = own_gaps(t, layouts.floor[:, None])
    least = wall_gaps(t, layouts.floor[:, None]).amin(2)
    on_floor = counts * weight[..., None]
    back = torch.einsum("bn,bnk->bk", (-gaps[..., 1].clamp_min(0) / 0.15).exp(), on_floor)
    back = back / on_floor.sum(1).clamp_min(1)
    parts = [counts.sum(1).sqrt(), back, total.log()[:, None]]
    parts += [((least < limit).float() * weight).sum(1, keepdim=True) / total[:, None] for limit in (0.05, 0.15, 0.4)]
    parts.append(((-gaps).clamp_min(0).amax(2) * weight).amax(1, keepdim=True).clamp_max(1.0))
    askew = (2 * layouts.yaw).sin().abs()
    parts.append(torch.stack([(askew * weight).sum(1) / total, ((askew > 0.1) * weight).sum(1) / total], 1))
    area = (layouts.size[..., :2].prod(2) * weight).sum(1) / layouts.floor.prod(1)
    parts.append(area[:, None])
    return torch.cat([*parts, _pairs(layouts), _carried(layouts), _spread(layouts)], 1)


def _pairs(layouts: Layouts) -> Tensor:
    """Returns (B, 20) of how things on the floor lie to each other."""
    t, stands = things_of(layouts), layouts.stands
    lie = lies(
        Things(t.place[:, :, None], t.yaw[:, :, None], t.size[:, :, None]),
        Things(t.place[:, None], t.yaw[:, None], t.size[:, None]),
    )
    count = stands.shape[1]
    both = stands[:, :, None] & stands[:, None] & ~torch.eye(count, dtype=torch.bool)
    total = stands.sum(1).clamp_min(1)[:, None]
    gap = torch.where(both, lie.apart, torch.inf)
    closest = gap.amin(2)
    known = stands & closest.isfinite()
    closeness = torch.stack(
        [((closest < limit) & known).sum(1) / total[:, 0] for limit in (-0.2, -0.03, 0.03, 0.15, 0.4, 0.8)], 1
    )
    deepest = (-closest).clamp(0, 1).masked_fill(~known, 0).amax(1, keepdim=True)
    near = gap.masked_fill(~both, torch.inf).argmin(2, keepdim=True)
    distance = (lie.ahead.square() + lie.aside.square()).sqrt().clamp_min(0.05)
    facing = [(value.gather(2, near)[..., 0] * known).sum(1) / total[:, 0] for value in (lie.ahead / distance,)]
    facing.append(((lie.met_ahead / distance).gather(2, near)[..., 0] * known).sum(1) / total[:, 0])
    facing.append(((2 * lie.turn).cos().gather(2, near)[..., 0] * known).sum(1) / total[:, 0])
    pairs = both.sum((1, 2)).clamp_min(1)
    bins = torch.stack(
        [((distance >= low) & (distance < low + 0.75) & both).sum((1, 2)) / pairs for low in np.arange(10) * 0.75], 1
    )
    return torch.cat([closeness, deepest, torch.stack(facing, 1), bins], 1)


def _carried(layouts: Layouts) -> Tensor:
    """Returns (B, 4) of what stands on other things: how many, how far off their middle and how far over the edge."""
    held = layouts.there & ~layouts.stands
    at = layouts.support.clamp_min(0)
    under = Things(
        layouts.place.gather(1, at[..., None].expand(-1, -1, 2)),
        layouts.yaw.gather(1, at),
        layouts.size.gather(1, at[..., None].expand(-1, -1, 3)),
    )
    lie = lies(under, things_of(layouts))
    total = held.sum(1).clamp_min(1)
    half = under.size[..., :2].clamp_min(0.05) / 2
    u, v = lie.ahead.abs() / half[..., 0], lie.aside.abs() / half[..., 1]
    over = (torch.maximum(u, v) > 1.0).float()
    numbers = [(part * held).sum(1) / total for part in (u.clamp_max(3), v.clamp_max(3), over)]
    return torch.stack([held.sum(1).float().sqrt(), *numbers], 1)


def _spread(layouts: Layouts) -> Tensor:
    """Returns (B, 4) of where the things are: shares of their area near walls and in the middle, and their centre."""
    t, stands = things_of(layouts), layouts.stands
    area = layouts.size[..., :2].prod(2) * stands
    total = area.sum(1).clamp_min(1e-3)
    off = (layouts.place / layouts.floor[:, None].clamp_min(0.5) - 0.5) * 2
    reach = extents(t.yaw, t.size) / layouts.floor[:, None].clamp_min(0.5)
    middle = (off.abs().amax(2) < 0.4).float()
    centre = (off * area[..., None]).sum(1) / total[:, None]
    parts = [(middle * area).sum(1) / total, (off.abs().amax(2) * area).sum(1) / total, centre.norm(dim=1)]
    parts.append((reach.amax(2) * stands).amax(1).clamp_max(1.0))
    return torch.stack(parts, 1)


def _counts(layouts: Layouts, kinds: int) -> NDArray[np.int64]:
    kept = functional.one_hot(layouts.kind.clamp_min(0), kinds) * layouts.there[..., None]
    return np.asarray(kept.sum(1).numpy())


def _distances(layouts: Layouts) -> NDArray[np.float64]:
    """Returns a histogram of distances between things on the floor, which sums to 1."""
    gap = (layouts.place[:, :, None] - layouts.place[:, None]).norm(dim=3)
    both = layouts.stands[:, :, None] & layouts.stands[:, None]
    both &= torch.ones_like(both[0]).triu(1)
    counts, _ = np.histogram(gap[both].numpy().clip(0, _FURTHEST_M - 1e-3), np.arange(0, _FURTHEST_M + 0.1, _BINS_M))
    return np.asarray(counts / max(counts.sum(), 1))


def _sets(layouts: Layouts) -> list[NDArray[np.float64]]:
    """Returns kind, x and y of what stands on the floor of each room, about its middle."""
    place = layouts.place - layouts.floor[:, None] / 2
    rows = torch.cat([layouts.kind[..., None].to(place.dtype), place], 2).double().numpy()
    return [row[there] for row, there in zip(rows, layouts.stands.numpy(), strict=True)]


def _logistic(real: Tensor, made: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns weights, bias, middle and spread of a logistic regression with a penalty on the weights."""
    every = torch.cat([real, made])
    middle, spread = every.mean(0), every.std(0).clamp_min(1e-3)
    x = ((every - middle) / spread).clamp(-5, 5).double()
    y = torch.cat([torch.ones(len(real)), torch.zeros(len(made))]).double()
    share = torch.where(y > 0, 0.5 / len(real), 0.5 / len(made))
    weight = torch.zeros(x.shape[1] + 1, dtype=torch.double)
    design = torch.cat([x, torch.ones(len(x), 1, dtype=torch.double)], 1)
    penalty = 0.02 * torch.eye(len(weight), dtype=torch.double)
    penalty[-1, -1] = 1e-6
    for _ in range(12):
        chance = (design @ weight).clamp(-15, 15).sigmoid()
        slope = design.T @ (share * (chance - y)) + penalty @ weight
        curve = (design * (share * chance * (1 - chance)).clamp_min(1e-6)[:, None]).T @ design + penalty
        weight = weight - torch.linalg.solve(curve, slope)
    return weight[:-1].to(real.dtype), weight[-1].to(real.dtype), middle, spread
