"""What stands between a viewer and a point: walls, and closed doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.senses.rays import in_order, march, walls_met
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.walls import length
from ecumene_world.state import State

STEPS: Final = 12
"""Samples along a line."""


def walls(terrain: Terrain, viewers: Viewers, to: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many walls stand between the viewers and (2, B, A, K) points, and their thickness, metres."""
    shape = to.shape[1:]
    way = (to - viewers.at.unsqueeze(-1)).view(2, -1)
    distance = length(way)
    start = terrain.on_sight(viewers.level.view(-1), viewers.at.view(2, -1))
    start[1] += terrain.tall_offset
    start = start.unsqueeze(-1).expand(-1, -1, shape[2]).reshape(2, -1)
    along = way.div_(distance.clamp(min=1e-3)).mul_(terrain.per_metre)
    met, thickness = walls_met(march(terrain.sight, start, along, STEPS), distance)
    return met.view(shape), thickness.view(shape)


def doors(terrain: Terrain, state: State, viewers: Viewers, to: Tensor) -> Tensor | None:
    """Returns how many closed doors (of those near the viewer) the lines to (2, B, A, K) points cross, f32."""
    near = ClosedDoors.near(terrain, state, viewers)
    if near is None:
        return None
    shape = to.shape[1:]
    way = (to - viewers.at.unsqueeze(-1)).view(2, -1, shape[2]).transpose(1, 2)
    leaves = near.flat()
    share, along = leaves.crossing(way[0], way[1])
    crosses = ((share > 0) & (share < 1) & (along >= 0) & (along <= 1) & leaves.closed).to(to.dtype)
    return in_order(crosses).t().reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class ClosedDoors:
    """The doors near each viewer, seen from there.

    Attributes:
        hinge_x: (B, A, n) from the viewer to one end of the leaf, world axes, metres; also hinge_y.
        leaf_x: (B, A, n) from there to the other end; also leaf_y.
        closed: (B, A, n) bool.
    """

    hinge_x: Tensor
    hinge_y: Tensor
    leaf_x: Tensor
    leaf_y: Tensor
    closed: Tensor

    @classmethod
    def near(cls, terrain: Terrain, state: State, viewers: Viewers) -> ClosedDoors | None:
        """Returns the nearest doors of each viewer; None in a layout without doors."""
        if not terrain.has_doors:
            return None
        door = terrain.doors_near(viewers.level, viewers.at)
        safe = door.clamp(min=0)
        thing = take(terrain.layout.door_thing, safe)
        opened = state.thing_state.gather(1, thing.view(len(thing), -1)).view_as(thing) != 0
        hinge, end = take(terrain.layout.door_segment, safe).unbind(dim=-2)
        leaf, (x, y) = end - hinge, viewers.at.unsqueeze(-1)
        return cls(hinge[..., 0] - x, hinge[..., 1] - y, leaf[..., 0], leaf[..., 1], (door >= 0) & ~opened)

    def flat(self) -> ClosedDoors:
        """Returns the same as (n, 1, V) columns, V = B·A."""
        columns = (self.hinge_x, self.hinge_y, self.leaf_x, self.leaf_y, self.closed)
        return ClosedDoors(*(c.reshape(-1, c.shape[-1]).t().unsqueeze(1).contiguous() for c in columns))

    def crossing(self, dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where rays along dx, dy (k, V) from the viewers cross `flat` leaves, as shares of both, (n, k, V)."""
        cross = torch.addcmul(dx * self.leaf_y, dy, self.leaf_x, value=-1.0)
        cross = torch.where(cross.abs() < 1e-9, 1e-9, cross)
        share = (self.hinge_x * self.leaf_y - self.hinge_y * self.leaf_x) / cross
        return share, torch.addcmul(self.hinge_x * dy, self.hinge_y, dx, value=-1.0) / cross
