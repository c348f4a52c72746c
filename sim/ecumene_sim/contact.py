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
from ecumene_sim.walls import length
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
        push: (2, B·C) metres.
        force: (B, C, 8) newtons per body sector.
        count: (B, C) i64 others touched.
    """

    push: Tensor
    force: Tensor
    count: Tensor


def contacts(state: State, pairs: Pairs, at: Tensor, on_feet: Tensor) -> Contacts:
    """Returns how avatars at (2, B·C) points part; those not on their feet don't move but are felt."""
    overlap, direction = _overlap(state, pairs, at)
    gives = direction * overlap
    first, second = _shares(state, pairs, on_feet)
    who = torch.cat((pairs.first, pairs.second))
    away = torch.cat((gives * -first, gives * second), dim=1).mul_(_FIXED).round_().to(torch.int32)
    total = torch.zeros(at.shape, dtype=torch.int32, device=at.device).index_add_(1, who, away)
    moved = total.to(torch.float32).mul_(SOFTNESS / _FIXED)
    moved = moved * (MAX_PUSH_M / length(moved).clamp_(min=MAX_PUSH_M))
    touched = (overlap > 0).long()
    count = torch.zeros(on_feet.numel(), dtype=torch.int64, device=at.device)
    count.index_add_(0, who, torch.cat((touched, touched)))
    force = _felt(state, who, torch.cat((direction, -direction), dim=1), torch.cat((overlap, overlap)))
    return Contacts(moved, force, count.view_as(on_feet))


def _overlap(state: State, pairs: Pairs, at: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how deep (P,) pairs overlap, metres, and (2, P) unit vectors from the first to the second.

    Bodies in the very same spot part along x, the lower row backwards.
    """
    apart = at.index_select(1, pairs.second) - at.index_select(1, pairs.first)
    distance = length(apart)
    radius, height = state.radius.view(-1), state.position.view(-1, 3)[:, 2]
    reach = radius.index_select(0, pairs.first) + radius.index_select(0, pairs.second)
    climb = height.index_select(0, pairs.first) - height.index_select(0, pairs.second)
    overlap = (reach - distance).clamp_(min=0.0).mul_((climb.abs_() < STOREY_M) & pairs.meet)
    aside = torch.zeros_like(apart)
    aside[0] = (pairs.second > pairs.first).to(apart.dtype) * 2.0 - 1.0
    return overlap, torch.where(distance < 1e-5, aside, apart / distance.clamp(min=1e-5))


def _shares(state: State, pairs: Pairs, on_feet: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (P,) how much first and second give way: by mass; nothing when seated, all of it to the seated."""
    mass, feet = state.mass.view(-1), on_feet.view(-1)
    first_mass, second_mass = mass.index_select(0, pairs.first), mass.index_select(0, pairs.second)
    first_feet, second_feet = feet.index_select(0, pairs.first), feet.index_select(0, pairs.second)
    total = first_mass + second_mass
    first = first_feet * torch.maximum(second_mass / total, 1.0 - second_feet)
    second = second_feet * torch.maximum(first_mass / total, 1.0 - first_feet)
    return first, second


def _felt(state: State, who: Tensor, towards: Tensor, overlap: Tensor) -> Tensor:
    """Returns (B, C, 8) newtons: each overlap presses on the sector that faces the other body."""
    yaw = state.yaw.view(-1).index_select(0, who)
    side = sector(*into_frame(towards[0], towards[1], yaw.cos(), yaw.sin()))
    newtons = (overlap * (STIFFNESS * _FORCE_FIXED)).round_().to(torch.int32)
    felt = torch.zeros(state.contact.numel(), dtype=torch.int32, device=overlap.device)
    felt.index_add_(0, who * 8 + side, newtons)
    return felt.to(torch.float32).mul_(1.0 / _FORCE_FIXED).clamp_(max=MAX_FORCE).view_as(state.contact)


def press(state: State, normal: Tensor, depth: Tensor) -> Tensor:
    """Returns (B, C, 8) newtons with which walls press where bodies ran into them.

    Args:
        state: Of the world.
        normal: (2, B·C) unit vectors out of the walls.
        depth: (B·C,) metres.
    """
    yaw = state.yaw.view(-1)
    side = sector(*into_frame(-normal[0], -normal[1], yaw.cos(), yaw.sin()))
    newtons = (depth * STIFFNESS).clamp_(max=MAX_FORCE)
    pressed = torch.zeros_like(state.contact)
    pressed.view(-1, 8).scatter_(1, side.unsqueeze(1), newtons.unsqueeze(1))
    return pressed


def stop(velocity: Tensor, normal: Tensor) -> None:
    """Takes from (2, N) velocities, in place, what goes against (2, N) normals; zero normals take nothing."""
    against = (velocity[0] * normal[0]).addcmul_(velocity[1], normal[1]).clamp_(max=0.0)
    velocity.addcmul_(against, normal, value=-1.0)
