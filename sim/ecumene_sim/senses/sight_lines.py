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

STEPS: Final = 10
"""Samples along a line."""


def walls(terrain: Terrain, viewers: Viewers, way: Tensor, spared: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns how many walls ways from the viewers go through, and their thickness, metres; (B, A, K) each.

    Args:
        terrain: Of the layout.
        viewers: From where.
        way: (2, B, A, K) metres, world axes.
        spared: (B, A, K) metres at the end of each way in which nothing counts; None for nowhere.
    """
    shape = way.shape[1:]
    way = way.reshape(2, -1)
    distance = length(way)
    start = terrain.on_sight(viewers.level.view(-1), viewers.at.view(2, -1))
    start[1] += terrain.tall_offset
    start = start.unsqueeze(-1).expand(-1, -1, shape[2]).reshape(2, -1)
    along = (way / distance.clamp(min=1e-3)).mul_(terrain.per_metre)
    reach = distance if spared is None else distance - spared.reshape(-1)
    met, thickness = walls_met(march(terrain.sight, [start], along, [STEPS]), reach)
    return met.view(shape), thickness.view(shape)


def doors_crossed(doors: ClosedDoors, way: Tensor) -> Tensor:
    """Returns how many closed doors (of those near the viewer) (2, B, A, K) ways from the viewers cross, f32."""
    shape = way.shape[1:]
    dx, dy = way.reshape(2, -1, shape[2]).transpose(1, 2)
    share, along = doors.crossing(dx, dy)
    crosses = ((share > 0) & (share < 1) & (along >= 0) & (along <= 1) & doors.closed).to(way.dtype)
    return in_order(crosses).t().reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class ClosedDoors:
    """The n doors near each of V = B·A viewers, seen from there, (n, 1, V) each.

    Attributes:
        hinge_x: From the viewer to one end of the leaf, world axes, metres; also hinge_y.
        leaf_x: From there to the other end; also leaf_y.
        closed: Bool.
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
        columns = (hinge[..., 0] - x, hinge[..., 1] - y, leaf[..., 0], leaf[..., 1], (door >= 0) & ~opened)
        return cls(*(c.reshape(-1, c.shape[-1]).t().unsqueeze(1).contiguous() for c in columns))

    def crossing(self, dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where rays along dx, dy (k, V) from the viewers cross the leaves, as shares of both, (n, k, V)."""
        cross = torch.addcmul(dx * self.leaf_y, dy, self.leaf_x, value=-1.0)
        cross = torch.where(cross.abs() < 1e-9, 1e-9, cross)
        share = (self.hinge_x * self.leaf_y - self.hinge_y * self.leaf_x) / cross
        return share, torch.addcmul(self.hinge_x * dy, self.hinge_y, dx, value=-1.0) / cross
