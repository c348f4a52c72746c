"""What stands between a viewer and a point: walls, and closed doors."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.senses.rays import walls_between
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.terrain import Terrain, take
from ecumene_world.state import State

STEPS: Final = 12
"""Samples along a line."""


def walls(terrain: Terrain, viewers: Viewers, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many walls stand between the viewers and (B, A, K) points, and their thickness, metres."""
    dx, dy = x - viewers.x.unsqueeze(-1), y - viewers.y.unsqueeze(-1)
    distance = (dx * dx + dy * dy).sqrt()
    inverse = 1.0 / distance.clamp(min=1e-3)
    u, v = (part.unsqueeze(-1).expand_as(x) for part in terrain.uv(viewers.level, viewers.x, viewers.y))
    start = torch.stack((u, v), dim=-1).view(-1, 2)
    scale_x, scale_y = terrain.per_metre
    along = torch.stack((dx * inverse * scale_x, dy * inverse * scale_y), dim=-1).view(-1, 2)
    count, thickness = walls_between(terrain.tall, start, along, distance.view(-1), STEPS)
    return count.view(x.shape), thickness.view(x.shape)


def doors(terrain: Terrain, state: State, viewers: Viewers, x: Tensor, y: Tensor) -> Tensor | None:
    """Returns how many closed doors (of those near the viewer) the lines to (B, A, K) points cross, f32."""
    near = ClosedDoors.near(terrain, state, viewers)
    if near is None:
        return None
    from_x, from_y = viewers.x[..., None, None], viewers.y[..., None, None]
    dx, dy = x.unsqueeze(-1) - from_x, y.unsqueeze(-1) - from_y
    share, along = near.crossing(from_x, from_y, dx, dy)
    crosses = (share > 0) & (share < 1) & (along >= 0) & (along <= 1) & near.closed.unsqueeze(-2)
    total = crosses[..., 0].to(x.dtype)
    for door in range(1, crosses.shape[-1]):
        total = total + crosses[..., door].to(x.dtype)
    return total


class ClosedDoors:
    """The doors near each viewer, (B, A, n): end point, direction of the leaf, whether closed."""

    def __init__(self, ax: Tensor, ay: Tensor, leaf_x: Tensor, leaf_y: Tensor, closed: Tensor) -> None:
        self.ax, self.ay, self.leaf_x, self.leaf_y, self.closed = ax, ay, leaf_x, leaf_y, closed

    @classmethod
    def near(cls, terrain: Terrain, state: State, viewers: Viewers) -> ClosedDoors | None:
        """Returns the nearest doors of each viewer; None in a layout without doors."""
        layout = terrain.layout
        if layout.door_thing.numel() == 0:
            return None
        door = terrain.doors_near(viewers.level, viewers.x, viewers.y)
        safe = door.clamp(min=0)
        thing = take(layout.door_thing, safe)
        opened = state.thing_state.gather(1, thing.view(len(thing), -1)).view_as(thing) != 0
        a, b = take(layout.door_segment, safe).unbind(dim=-2)
        return cls(a[..., 0], a[..., 1], b[..., 0] - a[..., 0], b[..., 1] - a[..., 1], (door >= 0) & ~opened)

    def columns(self) -> tuple[Tensor, ...]:
        """Returns the five columns in order."""
        return self.ax, self.ay, self.leaf_x, self.leaf_y, self.closed

    def crossing(self, x: Tensor, y: Tensor, dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where lines from x, y along dx, dy (B, A, K or 1, 1) meet the leaves, as shares of both, (.., n)."""
        leaf_x, leaf_y = self.leaf_x.unsqueeze(-2), self.leaf_y.unsqueeze(-2)
        cross = dx * leaf_y - dy * leaf_x
        cross = torch.where(cross.abs() < 1e-9, 1e-9, cross)
        to_x, to_y = self.ax.unsqueeze(-2) - x, self.ay.unsqueeze(-2) - y
        return (to_x * leaf_y - to_y * leaf_x) / cross, (to_x * dy - to_y * dx) / cross
