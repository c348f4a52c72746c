"""Who is near whom: pairs of bodies that touch, and the nearest avatars of a viewer.

Small worlds compare everyone with everyone. Large ones sort avatars by grid cell and compare each with those that come
after it in its own and the next cell, and with three cells of the row above: every pair is met once. On a CPU the
nearest in a crowd are looked up in a tree, so that a viewer costs the same in a town as in a street.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from ecumene_sim.compaction import chosen, packed

DENSE_SLOTS: Final = 64
"""Up to this many slots everyone is compared with everyone."""
TREE_PAIRS: Final = 150_000
"""From so many pairs of viewer and slot on a tree finds the nearest sooner than a comparison does, on a CPU."""
CELL_M: Final = 1.0
"""Side of a cell; bodies with radii up to half of it are found whenever they touch."""
RUN: Final = 16
"""Most avatars looked at in each run of cells; a standing crowd has at most ten there."""
PAIRS: Final = 4
"""Most touching pairs for each avatar, on average: in the densest packing of equal circles each touches six others."""
GONE: Final = 1.0e6
"""Coordinate of the first empty slot, far from everything; the others follow 8 m apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P pairs of avatars, each once.

    Attributes:
        first: (P,) i64 rows of (B·C) tables.
        second: (P,) i64.
        meet: (P,) bool: the pair touches; the others don't count (see `compaction`).
    """

    first: Tensor
    second: Tensor
    meet: Tensor


def touching(at: Tensor, radius: Tensor, alive: Tensor, bounds: tuple[float, float, float, float]) -> Pairs:
    """Returns the pairs of living avatars of a world whose bodies overlap in plan.

    Args:
        at: (2, B·C) metres.
        radius: (B, C) metres, at most half of `CELL_M`.
        alive: (B, C) bool.
        bounds: Of the world: least x, least y, greatest x, greatest y.
    """
    slots = alive.shape[1]
    lane = GONE + 8.0 * torch.arange(slots, device=at.device)
    x, y = torch.where(alive, at[0].view(alive.shape), lane), at[1].view(alive.shape)
    if slots <= DENSE_SLOTS:
        return _among_all(x, y, radius)
    return _by_cell(x, y, radius, alive, bounds)


def _among_all(x: Tensor, y: Tensor, radius: Tensor) -> Pairs:
    """Compares each of (B, C) avatars with the half of the slots that come after its own, cyclically."""
    slots = x.shape[1]
    half = slots // 2
    dx, dy = _cyclic(x, half) - x.unsqueeze(1), _cyclic(y, half) - y.unsqueeze(1)
    reach = _cyclic(radius, half) + radius.unsqueeze(1)
    meet = dx.mul_(dx).addcmul_(dy, dy) < reach.mul_(reach)
    if slots % 2 == 0 and half:
        meet[:, half - 1, half:] = False
    index = chosen(meet)
    first, ahead = index % slots, index // slots
    world = ahead // max(half, 1) * slots
    second = world + (first + ahead % max(half, 1) + 1) % slots
    return Pairs(world + first, second, meet.reshape(-1).index_select(0, index))


def _cyclic(values: Tensor, half: int) -> Tensor:
    """Returns (B, half, C): at [b, m, i] the value of slot i + m + 1, counted cyclically."""
    slots = values.shape[1]
    return torch.cat((values, values), dim=1).unfold(1, slots, 1)[:, 1 : half + 1]


def _by_cell(x: Tensor, y: Tensor, radius: Tensor, alive: Tensor, bounds: tuple[float, float, float, float]) -> Pairs:
    """Compares each of (B, C) avatars with those after it in the order of cells that are next to its own."""
    count = x.numel()
    key, columns = _cells(x, y, alive, bounds)
    ordered, order = key.sort(stable=True)
    x, y, radius = (field.reshape(-1).index_select(0, order) for field in (x, y, radius))
    place = torch.arange(count, device=x.device)
    run = torch.arange(RUN, device=x.device).unsqueeze(1)
    above = torch.searchsorted(ordered, ordered + (columns - 1))
    after = torch.cat((place + 1 + run, above + run))
    end = torch.cat(
        (
            torch.searchsorted(ordered, ordered + 1, right=True).expand(RUN, -1),
            torch.searchsorted(ordered, ordered + (columns + 1), right=True).expand(RUN, -1),
        )
    )
    other = after.clamp(max=count - 1)
    flat = other.view(-1)
    dx = x.index_select(0, flat).view_as(other).sub_(x)
    dy = y.index_select(0, flat).view_as(other).sub_(y)
    reach = radius.index_select(0, flat).view_as(other).add_(radius)
    meet = (dx.mul_(dx).addcmul_(dy, dy) < reach.mul_(reach)) & (after < end)
    index, there = packed(meet, PAIRS * count)
    first, second = order.index_select(0, index % count), order.index_select(0, flat.index_select(0, index))
    return Pairs(first, second, there)


def _cells(x: Tensor, y: Tensor, alive: Tensor, bounds: tuple[float, float, float, float]) -> tuple[Tensor, int]:
    """Returns the (B·C,) keys of the avatars' cells, world by world and row by row, and how many cells a row has.

    A margin of one cell around each world keeps neighbours of its border cells out of other rows and worlds; empty
    slots come last.
    """
    columns = int((bounds[2] - bounds[0]) / CELL_M) + 4
    rows = int((bounds[3] - bounds[1]) / CELL_M) + 4
    column = ((x - bounds[0]) * (1.0 / CELL_M)).floor().clamp_(0.0, columns - 4.0)
    row = ((y - bounds[1]) * (1.0 / CELL_M)).floor().clamp_(0.0, rows - 4.0)
    world = torch.arange(len(x), device=x.device).unsqueeze(1) * rows
    key = (world + row.long() + 1) * columns + column.long() + 1
    return key.masked_fill_(~alive, (len(x) + 2) * rows * columns).view(-1), columns


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The K nearest avatars of each viewer, nearest first.

    Attributes:
        slot: (B, A, K) i64.
        distance: (B, A, K) f32 metres along the ground; huge where there are fewer than K.
        valid: (B, A, K) bool.
    """

    slot: Tensor
    distance: Tensor
    valid: Tensor


def nearest(position: Tensor, alive: Tensor, slots: Tensor, count: int, reach_m: float) -> Nearest:
    """Returns up to `count` living others within reach of each of the A slots.

    Args:
        position: (B, C, 3) metres.
        alive: (B, C) bool.
        slots: (A,) i64 viewers.
        count: K; fewer when the world has fewer slots.
        reach_m: Along the ground.
    """
    if len(slots) * position.shape[1] >= TREE_PAIRS and position.device.type == "cpu":
        found = [_in_tree(*world, slots, count, reach_m) for world in zip(position, alive, strict=True)]
        return Nearest(*(torch.stack(column) for column in zip(*found, strict=True)))
    x, y = position[..., 0].masked_fill(~alive, GONE), position[..., 1]
    viewer = position.index_select(1, slots)
    dx = x.unsqueeze(1) - viewer[..., 0:1]
    dy = y.unsqueeze(1) - viewer[..., 1:2]
    square = dx.mul_(dx).addcmul_(dy, dy)
    square.scatter_(2, slots.view(1, -1, 1).expand(len(position), -1, 1), GONE * GONE)
    value, slot = square.topk(min(count, x.shape[1]), dim=2, largest=False, sorted=True)
    distance = value.sqrt_()
    return Nearest(slot, distance, distance <= reach_m)


def _in_tree(
    position: Tensor, alive: Tensor, slots: Tensor, count: int, reach_m: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns slot, distance and whether it counts, (A, K) each, of the nearest in one world of (C, 3) positions."""
    plan = position[:, :2]
    there = (alive & plan.isfinite().all(dim=1)).nonzero().view(-1)
    viewer = plan.index_select(0, slots)
    wanted = count + 1  # the viewer itself is found, too
    if len(there) == 0:
        index: NDArray[np.signedinteger[Any]] = np.zeros((len(slots), wanted), np.int64)
    else:
        tree = cKDTree(plan.index_select(0, there).numpy(), balanced_tree=False, compact_nodes=False)
        eyes = viewer.nan_to_num(GONE, GONE, GONE).numpy()
        found = tree.query(eyes, k=range(1, wanted + 1), distance_upper_bound=reach_m * 1.0001)
        index = np.asarray(found[1])
    padded = torch.cat((there, there.new_full((1,), -1)))
    slot = padded.index_select(0, torch.from_numpy(index).view(-1)).view(len(slots), wanted)
    known = (slot >= 0) & (slot != slots.unsqueeze(1))
    slot = slot.clamp(min=0)
    away = plan.index_select(0, slot.view(-1)).view(len(slots), wanted, 2) - viewer.unsqueeze(1)
    square = (away[..., 0] * away[..., 0]).addcmul_(away[..., 1], away[..., 1]).masked_fill_(~known, GONE * GONE)
    square, order = square.sort(dim=1, stable=True)
    distance = square[:, :count].sqrt()
    return slot.gather(1, order)[:, :count], distance, distance <= reach_m
