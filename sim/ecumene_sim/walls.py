"""Walls and doors: nobody's body ends a tick inside one.

Bodies are circles pushed out along the gradient of the clearance field. Wherever that does not suffice (a niche, a
gap narrower than the body) the avatar stays where it was, so a valid place is never left for an invalid one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.terrain import Terrain, take
from ecumene_world.state import State

TOLERANCE_M: Final = 0.01
"""How deep a body may stand in a wall."""
MAX_STEP_M: Final = 0.3
"""Furthest a body moves in a tick; less than its diameter, so that it can't jump through a wall."""
DOOR_HALF_THICKNESS_M: Final = 0.03
_PUSHES: Final = 3
_NO_DOOR_M: Final = 1.0e3


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """What walls and doors did to moving bodies, (B, C) each."""

    x: Tensor
    """Where the body ends, metres."""
    y: Tensor
    normal_x: Tensor
    """Unit vector out of what it ran into; zero when it ran into nothing."""
    normal_y: Tensor
    depth: Tensor
    """How far it would have entered, metres."""


def block(terrain: Terrain, state: State, x: Tensor, y: Tensor) -> Push:
    """Returns where bodies that want to be at x, y (B, C) end, given that they come from the state's positions."""
    from_x, from_y = state.position[..., 0], state.position[..., 1]
    move_x, move_y = _limited(x - from_x, y - from_y)
    want_x, want_y = from_x + move_x, from_y + move_y
    doors = Doors.near(terrain, state)
    x, y = doors.push_out(want_x, want_y, state.radius)
    for _ in range(_PUSHES):
        x, y = _push_out(terrain, state, x, y)
    free = _clear(terrain, state, x, y, from_x, from_y) & doors.clear(x, y, from_x, from_y, state.radius)
    x, y = torch.where(free, x, from_x), torch.where(free, y, from_y)
    return _as_push(x, y, x - want_x, y - want_y)


def _limited(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns displacements no longer than `MAX_STEP_M`."""
    scale = (MAX_STEP_M / (x * x + y * y).sqrt().clamp_(min=1e-6)).clamp_(max=1.0)
    return x * scale, y * scale


def _push_out(terrain: Terrain, state: State, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns points moved up the clearance until the radius fits, to first order."""
    clear, slope_x, slope_y = terrain.sample(terrain.slope, state.level, x, y)
    steep = (slope_x * slope_x + slope_y * slope_y).sqrt().clamp_(min=0.3)
    push = (state.radius - clear).clamp_(0.0, MAX_STEP_M) / steep
    return x + slope_x / steep * push, y + slope_y / steep * push


def _clear(terrain: Terrain, state: State, x: Tensor, y: Tensor, from_x: Tensor, from_y: Tensor) -> Tensor:
    """Returns (B, C) whether the clearance there is enough, or at least no less than where they come from."""
    here = terrain.sample(terrain.near, state.level, x, y)[0]
    before = terrain.sample(terrain.near, state.level, from_x, from_y)[0]
    return here >= torch.minimum(before, state.radius - TOLERANCE_M)


def _as_push(x: Tensor, y: Tensor, out_x: Tensor, out_y: Tensor) -> Push:
    """Returns the push whose displacement is out_x, out_y; under a tenth of a millimetre counts as none."""
    depth = (out_x * out_x + out_y * out_y).sqrt()
    depth = depth.masked_fill(depth < 1e-4, 0.0)
    inverse = 1.0 / depth.clamp(min=1e-4)
    ran_into = (depth > 0).to(depth.dtype)
    return Push(x, y, out_x * inverse * ran_into, out_y * inverse * ran_into, depth)


@dataclass(frozen=True, slots=True, eq=False)
class Doors:
    """The nearest closed door of each body, as a segment; (B, C) each."""

    ax: Tensor
    ay: Tensor
    along_x: Tensor
    along_y: Tensor
    inverse_square: Tensor
    """1 / length² of the leaf."""
    absent: Tensor
    """f32, huge where no closed door is near, else 0: added to distances."""

    @classmethod
    def near(cls, terrain: Terrain, state: State) -> Doors | NoDoors:
        """Returns the closed doors near the state's positions."""
        layout = terrain.layout
        if layout.door_thing.numel() == 0:
            return NoDoors()
        door = take(terrain.door_of_cell, terrain.cell(state.level, state.position[..., 0], state.position[..., 1]))
        opened = state.thing_state.gather(1, take(layout.door_thing, door.clamp(min=0))) != 0
        return cls._leaf(terrain, door, (opened | (door < 0)).to(torch.float32) * _NO_DOOR_M)

    @classmethod
    def nearest_leaf(cls, terrain: Terrain, level: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the nearest door of points, i64 or -1, and how far its leaf's place is, open or closed, metres."""
        door = take(terrain.door_of_cell, terrain.cell(level, x, y))
        leaf = cls._leaf(terrain, door, torch.full_like(x, _NO_DOOR_M) * (door < 0))
        return door, leaf.away(x, y)[2]

    @classmethod
    def _leaf(cls, terrain: Terrain, door: Tensor, absent: Tensor) -> Doors:
        """Returns the leaves of doors, (B, C) i64 or -1."""
        a, b = take(terrain.layout.door_segment, door.clamp(min=0)).unbind(dim=-2)
        along_x, along_y = b[..., 0] - a[..., 0], b[..., 1] - a[..., 1]
        inverse = 1.0 / (along_x * along_x + along_y * along_y).clamp(min=1e-6)
        return cls(a[..., 0], a[..., 1], along_x, along_y, inverse, absent)

    def away(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the vectors from the nearest point of the leaf to x, y and their lengths."""
        rel_x, rel_y = x - self.ax, y - self.ay
        share = ((rel_x * self.along_x + rel_y * self.along_y) * self.inverse_square).clamp_(0.0, 1.0)
        away_x, away_y = rel_x - share * self.along_x, rel_y - share * self.along_y
        return away_x, away_y, (away_x * away_x + away_y * away_y).sqrt() + self.absent

    def push_out(self, x: Tensor, y: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """Returns points moved off the leaf until the radius fits."""
        away_x, away_y, distance = self.away(x, y)
        push = (radius + DOOR_HALF_THICKNESS_M - distance).clamp_(0.0, MAX_STEP_M) / distance.clamp(min=1e-4)
        return x + away_x * push, y + away_y * push

    def clear(self, x: Tensor, y: Tensor, from_x: Tensor, from_y: Tensor, radius: Tensor) -> Tensor:
        """Returns (B, C) whether bodies keep off the leaf, or come no nearer, and stay on their side of it."""
        before_x, before_y, before = self.away(from_x, from_y)
        away_x, away_y, distance = self.away(x, y)
        same_side = (before_x * away_x + before_y * away_y >= 0) | (self.absent > 0)
        return (distance >= torch.minimum(before, radius - TOLERANCE_M)) & same_side


class NoDoors:
    """Stands in for `Doors` in a layout without any."""

    def push_out(self, x: Tensor, y: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the points as they are; nothing depends on the radius."""
        del radius
        return x, y

    def clear(self, x: Tensor, y: Tensor, from_x: Tensor, from_y: Tensor, radius: Tensor) -> Tensor:
        """Returns (B, C) True."""
        del y, from_x, from_y, radius
        return torch.ones_like(x, dtype=torch.bool)
