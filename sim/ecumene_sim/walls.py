"""Walls and doors: nobody's body ends a tick inside one.

Bodies are circles pushed out along the gradient of the clearance field. Wherever that does not suffice (a niche, a
gap narrower than the body) the avatar stays where it was, so a valid place is never left for an invalid one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.terrain import Terrain, lookup, take
from ecumene_world.state import State

TOLERANCE_M: Final = 0.01
"""How deep a body may stand in a wall."""
MAX_STEP_M: Final = 0.3
"""Furthest a body moves in a tick; less than its diameter, so that it can't jump through a wall."""
DOOR_HALF_THICKNESS_M: Final = 0.03
_PUSHES: Final = 3
_NO_DOOR_M: Final = 1.0e3


@dataclass(frozen=True, slots=True, eq=False)
class Blocked:
    """What walls and doors did to N moving bodies.

    Attributes:
        at: (2, N) where the bodies end, metres.
        normal: (2, N) unit vector out of what each ran into; zero when it ran into nothing.
        depth: (N,) how far it would have entered, metres.
    """

    at: Tensor
    normal: Tensor
    depth: Tensor


def block(terrain: Terrain, state: State, start: Tensor, want: Tensor) -> Blocked:
    """Returns where bodies that come from (2, N) points and want to be at others end."""
    radius = state.radius.view(-1)
    step = want - start
    want = torch.addcmul(start, step, MAX_STEP_M / length(step).clamp_(min=MAX_STEP_M))
    doors = Doors.near(terrain, state, start) if terrain.has_doors else None
    at = want if doors is None else doors.push_out(want, radius)
    storey = terrain.storey(state.level.view(-1))
    for _ in range(_PUSHES):
        at = _push_out(terrain, storey, at, radius)
    at = terrain.inside(at)
    least = torch.minimum(_clearance(terrain, storey, start), radius - TOLERANCE_M)
    free = _clearance(terrain, storey, at) >= least
    if doors is not None:
        free = free & doors.clear(start, at, radius)
    at = torch.where(free, at, start)
    out = at - want
    return Blocked(at, *unit(out))


def length(vectors: Tensor) -> Tensor:
    """Returns the lengths of (2, N) vectors."""
    return (vectors[0] * vectors[0]).addcmul_(vectors[1], vectors[1]).sqrt_()


def unit(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (2, N) vectors made one long, and their lengths; under a tenth of a millimetre both become zero."""
    size = length(vectors)
    counts = (size >= 1e-4).to(size.dtype)
    return vectors * (counts / size.clamp(min=1e-4)), size * counts


def _push_out(terrain: Terrain, storey: Tensor, at: Tensor, radius: Tensor) -> Tensor:
    """Returns (2, N) points moved up the clearance until the radius fits, to first order."""
    field = lookup(terrain.slope, terrain.on_image(storey, at))
    return torch.addcmul(at, field[1:], (radius - field[0]).clamp_(0.0, MAX_STEP_M))


def _clearance(terrain: Terrain, storey: Tensor, at: Tensor) -> Tensor:
    """Returns (N,) clearance of (2, N) points."""
    return lookup(terrain.near, terrain.on_image(storey, at))[0]


@dataclass(frozen=True, slots=True, eq=False)
class Doors:
    """The nearest door of each of N bodies.

    Attributes:
        hinge: (2, N) one end of the closed leaf.
        leaf: (2, N) from there to the other end.
        inverse_square: (N,) 1 / length² of the leaf.
        absent: (N,) f32: huge where there is none, or it is open, else 0; added to distances.
    """

    hinge: Tensor
    leaf: Tensor
    inverse_square: Tensor
    absent: Tensor

    @classmethod
    def near(cls, terrain: Terrain, state: State, at: Tensor) -> Doors:
        """Returns the closed doors near (2, N) points, one for each slot."""
        door = terrain.door_at(state.level, at.view(2, *state.level.shape))
        opened = state.thing_state.gather(1, take(terrain.layout.door_thing, door.clamp(min=0))) != 0
        return cls._of(terrain, door.view(-1), (opened | (door < 0)).view(-1))

    @classmethod
    def nearest_leaf(cls, terrain: Terrain, state: State) -> tuple[Tensor, Tensor]:
        """Returns (B, C) the nearest door of each avatar, -1 none, and how far it is from the closed leaf, metres."""
        at = state.position[..., :2].permute(2, 0, 1)
        door = terrain.door_at(state.level, at)
        leaf = cls._of(terrain, door.view(-1), door.view(-1) < 0)
        return door, leaf.away(at.reshape(2, -1))[1].view(door.shape)

    @classmethod
    def _of(cls, terrain: Terrain, door: Tensor, absent: Tensor) -> Doors:
        """Returns the leaves of (N,) doors."""
        hinge, end = take(terrain.layout.door_segment, door.clamp(min=0)).permute(1, 2, 0).contiguous().unbind()
        leaf = end - hinge
        inverse = 1.0 / (leaf[0] * leaf[0]).addcmul_(leaf[1], leaf[1]).clamp_(min=1e-6)
        return cls(hinge, leaf, inverse, absent.to(torch.float32) * _NO_DOOR_M)

    def away(self, at: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (2, N) vectors from the nearest point of the leaf to points, and (N,) their lengths."""
        relative = at - self.hinge
        along = (relative[0] * self.leaf[0]).addcmul_(relative[1], self.leaf[1])
        share = along.mul_(self.inverse_square).clamp_(0.0, 1.0)
        away = torch.addcmul(relative, share, self.leaf, value=-1.0)
        return away, length(away) + self.absent

    def push_out(self, at: Tensor, radius: Tensor) -> Tensor:
        """Returns (2, N) points moved off the leaf until the radius fits."""
        away, distance = self.away(at)
        push = (radius + DOOR_HALF_THICKNESS_M - distance).clamp_(0.0, MAX_STEP_M)
        return torch.addcmul(at, away, push / distance.clamp(min=1e-4))

    def clear(self, start: Tensor, at: Tensor, radius: Tensor) -> Tensor:
        """Returns (N,) whether bodies keep off the leaf, or come no nearer, and stay on their side of it."""
        before, gap_before = self.away(start)
        after, gap = self.away(at)
        same_side = (before[0] * after[0]).addcmul_(before[1], after[1]) >= 0
        return (gap >= torch.minimum(gap_before, radius - TOLERANCE_M)) & (same_side | (self.absent > 0))
