"""Who is near whom: candidates for contact, and the nearest avatars of a viewer.

Small worlds compare everyone with everyone. Large ones sort avatars by grid cell once and read three runs of that
order per avatar, which costs no more in a batch of worlds than in one. Orders are fixed: by cell, then by slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.terrain import take

DENSE_SLOTS: Final = 48
"""Up to this many slots everyone is compared with everyone."""
CELL_M: Final = 1.0
"""Side of a cell: bodies that touch are never further apart."""
RUN: Final = 16
"""Most avatars looked at in each row of three cells; a standing crowd has at most twelve there."""
GONE: Final = 1.0e9
"""Coordinate of an empty slot, far from everything."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """M candidate partners of each avatar.

    Attributes:
        slot: (M, B, C) i64 slot of the partner in the same world.
        flat: (M, B, C) i64 row of the partner in a (B·C) table, None when everyone is a candidate of everyone.
        valid: (M, B, C) bool: the partner is alive, and another.
    """

    slot: Tensor
    flat: Tensor | None
    valid: Tensor

    def of(self, field: Tensor) -> Tensor:
        """Returns the partners' values of a (B, C) field, shape (M, B, C) or one that broadcasts to it."""
        if self.flat is None:
            return field.t().unsqueeze(-1)
        return take(field.reshape(-1), self.flat)


def pairs(x: Tensor, y: Tensor, alive: Tensor, bounds: tuple[float, float, float, float]) -> Pairs:
    """Returns candidates within at least `CELL_M` of each of (B, C) avatars at x, y."""
    if x.shape[1] <= DENSE_SLOTS:
        return _everyone(alive)
    return _by_cell(x, y, alive, bounds)


def _everyone(alive: Tensor) -> Pairs:
    """Returns all C avatars of the world as candidates of each."""
    worlds, slots = alive.shape
    slot = torch.arange(slots, device=alive.device)
    other = slot.view(-1, 1, 1) != slot.view(1, 1, -1)
    valid = other & alive.t().unsqueeze(-1) & alive.unsqueeze(0)
    return Pairs(slot.view(-1, 1, 1).expand(slots, worlds, slots), None, valid)


def _by_cell(x: Tensor, y: Tensor, alive: Tensor, bounds: tuple[float, float, float, float]) -> Pairs:
    """Returns avatars in the 3 × 3 cells around each, in order of cell and slot."""
    worlds, slots = x.shape
    columns = int((bounds[2] - bounds[0]) / CELL_M) + 4
    rows = int((bounds[3] - bounds[1]) / CELL_M) + 4
    column = ((x - bounds[0]) * (1.0 / CELL_M)).floor().long().clamp_(0, columns - 4) + 1
    row = ((y - bounds[1]) * (1.0 / CELL_M)).floor().long().clamp_(0, rows - 4) + 1
    world = torch.arange(worlds, device=x.device).unsqueeze(1)
    key = (world * rows + row) * columns + column
    key = key.masked_fill(~alive, worlds * rows * columns).view(-1)
    ordered, order = key.sort(stable=True)
    runs = torch.arange(-1, 2, device=x.device).view(3, 1) * columns + key
    start = torch.searchsorted(ordered, runs - 1)
    end = torch.searchsorted(ordered, runs + 1, right=True)
    at = start.unsqueeze(1) + torch.arange(RUN, device=x.device).view(1, RUN, 1)
    flat = take(order, at.clamp(max=worlds * slots - 1)).view(3 * RUN, -1)
    me = torch.arange(worlds * slots, device=x.device)
    valid = (at < end.unsqueeze(1)).view(3 * RUN, -1) & (flat != me) & alive.view(-1)
    shape = (3 * RUN, worlds, slots)
    return Pairs((flat % slots).view(shape), flat.view(shape), valid.view(shape))


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

    def first(self, count: int) -> Nearest:
        """Returns the nearest few."""
        return Nearest(*(column[..., :count].contiguous() for column in (self.slot, self.distance, self.valid)))

    def of(self, field: Tensor) -> Tensor:
        """Returns the neighbours' values of a (B, C) field, shape (B, A, K)."""
        worlds, viewers, near = self.slot.shape
        return field.gather(1, self.slot.view(worlds, -1)).view(worlds, viewers, near)


def nearest(position: Tensor, alive: Tensor, slots: Tensor, count: int, reach_m: float) -> Nearest:
    """Returns up to `count` living others within reach of each of the A slots.

    Args:
        position: (B, C, 3) metres.
        alive: (B, C) bool.
        slots: (A,) i64 viewers.
        count: K; fewer when the world has fewer slots.
        reach_m: Along the ground.
    """
    x = position[..., 0].masked_fill(~alive, GONE)
    y = position[..., 1]
    dx = x.unsqueeze(1) - position[..., 0].index_select(1, slots).unsqueeze(2)
    dy = y.unsqueeze(1) - y.index_select(1, slots).unsqueeze(2)
    square = dx.mul_(dx).addcmul_(dy, dy)
    square.scatter_(2, slots.view(1, -1, 1).expand(len(position), -1, 1), GONE * GONE)
    value, slot = square.topk(min(count, x.shape[1]), dim=2, largest=False, sorted=True)
    distance = value.sqrt()
    return Nearest(slot, distance, distance <= reach_m)
