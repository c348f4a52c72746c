"""Bodies against bodies: overlapping avatars part softly, and feel it.

Pushes and forces are summed as integers (fixed point), so the sum is the same in any order, on any device, with any
number of threads and however many worlds share the batch. Two equal bodies part by exactly opposite pushes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame, sector
from ecumene_sim.neighbours import Pairs
from ecumene_world.state import State

STIFFNESS: Final = 2000.0
"""Newtons per metre of overlap."""
SOFTNESS: Final = 0.5
"""Share of an overlap that is resolved in one tick."""
MAX_PUSH_M: Final = 0.08
"""Furthest that others push a body in one tick."""
STOREY_M: Final = 1.2
"""Bodies whose feet differ more in height don't touch."""
MAX_FORCE: Final = 500.0
"""Newtons felt at most in a sector."""
_FIXED: Final = float(1 << 20)
_FORCE_FIXED: Final = 1024.0


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """What touching did to each avatar.

    Attributes:
        push_x: (B, C) metres.
        push_y: (B, C) metres.
        force: (B, C, 8) newtons per body sector.
        count: (B, C) i64 others touched.
    """

    push_x: Tensor
    push_y: Tensor
    force: Tensor
    count: Tensor


def contacts(state: State, near: Pairs, x: Tensor, y: Tensor, on_feet: Tensor) -> Contacts:
    """Returns how avatars at x, y (B, C) part; those not on their feet don't move but are felt."""
    dx, dy = near.of(x) - x, near.of(y) - y
    distance = (dx * dx).addcmul_(dy, dy).sqrt_()
    overlap = near.of(state.radius) + state.radius - distance
    same_storey = (near.of(state.position[..., 2]) - state.position[..., 2]).abs_() < STOREY_M
    overlap = overlap.clamp_(min=0.0).mul_(near.valid & same_storey)
    dx, dy = _directions(near, dx, dy, distance)
    share = _share(near, state.mass, on_feet)
    push = overlap * share
    push_x, push_y = _fixed_sum(push * dx, _FIXED), _fixed_sum(push * dy, _FIXED)
    scale = SOFTNESS * (MAX_PUSH_M / (SOFTNESS * (push_x * push_x + push_y * push_y).sqrt()).clamp(min=MAX_PUSH_M))
    count = (overlap > 0).sum(dim=0)
    return Contacts(-push_x * scale, -push_y * scale, _felt(state, dx, dy, overlap), count)


def _directions(near: Pairs, dx: Tensor, dy: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Returns unit vectors to the partners; bodies in the very same spot part along x, the lower slot backwards."""
    me = torch.arange(dx.shape[-1], device=dx.device)
    same_spot = distance < 1e-5
    inverse = 1.0 / distance.clamp_(min=1e-5)
    aside = (near.slot > me).to(dx.dtype) * 2.0 - 1.0
    return torch.where(same_spot, aside, dx * inverse), (dy * inverse).masked_fill_(same_spot, 0.0)


def _share(near: Pairs, mass: Tensor, on_feet: Tensor) -> Tensor:
    """Returns (M, B, C) how much of each overlap I give way: by mass, all of it to the seated, none when seated."""
    movable_mass = near.of(mass)
    share = movable_mass / (movable_mass + mass)
    partner_rests = 1.0 - near.of(on_feet)
    return torch.maximum(share.expand(near.valid.shape), partner_rests.expand(near.valid.shape)) * on_feet


def _fixed_sum(values: Tensor, one: float) -> Tensor:
    """Returns the sum over partners, exact in steps of 1 / one."""
    return (values * one).round_().to(torch.int32).sum(dim=0, dtype=torch.int32).to(torch.float32) * (1.0 / one)


def _felt(state: State, dx: Tensor, dy: Tensor, overlap: Tensor) -> Tensor:
    """Returns (B, C, 8) newtons: each overlap presses on the sector that faces the partner."""
    ahead, left = into_frame(dx, dy, state.yaw.cos(), state.yaw.sin())
    newtons = (overlap * (STIFFNESS * _FORCE_FIXED)).round_().to(torch.int32)
    felt = torch.zeros((8, *state.yaw.shape), dtype=torch.int32, device=dx.device)
    felt.scatter_add_(0, sector(ahead, left).expand(newtons.shape), newtons)
    return (felt.permute(1, 2, 0).to(torch.float32) * (1.0 / _FORCE_FIXED)).clamp_(max=MAX_FORCE)


def press(state: State, normal_x: Tensor, normal_y: Tensor, depth: Tensor) -> Tensor:
    """Returns (B, C, 8) newtons with which walls press where bodies ran into them."""
    ahead, left = into_frame(-normal_x, -normal_y, state.yaw.cos(), state.yaw.sin())
    newtons = (depth * STIFFNESS).clamp(max=MAX_FORCE).unsqueeze(-1)
    side = sector(ahead, left).unsqueeze(-1)
    return newtons * (side == torch.arange(8, device=side.device))


def unit(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns vectors of length one; those under a tenth of a millimetre become zero."""
    length = (x * x + y * y).sqrt()
    inverse = (length >= 1e-4) / length.clamp(min=1e-4)
    return x * inverse, y * inverse


def stop(velocity: Tensor, normal_x: Tensor, normal_y: Tensor) -> None:
    """Takes from (B, C, 3) velocities, in place, what goes against the normals; zero normals take nothing."""
    against = (velocity[..., 0] * normal_x + velocity[..., 1] * normal_y).clamp_(max=0.0)
    velocity[..., 0] -= against * normal_x
    velocity[..., 1] -= against * normal_y
