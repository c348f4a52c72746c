"""Steering by what is seen and felt: of a fan of velocities, the one that best trades progress against collisions.

Source: the collision cost by time follows van den Berg et al., "Reciprocal Velocity Obstacles" (ICRA 2008), section 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_agents.vectors import angle, heading, length
from ecumene_models.senses import COLUMNS, ROWS, SenseBatch
from ecumene_world.kinds import Category

BODY_RADIUS_M: Final = 0.25
WALK_SPEED: Final = 1.4
"""m/s of a wish of length 1."""
FIELD_OF_VIEW: Final = (math.radians(150), math.radians(60))
"""Width and height, radians."""
OPEN_M: Final = 30.0
"""Distance of a wall that is not there."""

_OFFSETS: Final = (0, -12, 12, -25, 25, -40, 40, -60, 60, -85, 85, -115, 115, 180)
"""Directions tried, degrees from the wanted one; of equals the earlier wins, so people pass on the right."""
_SPEEDS: Final = (1.0, 0.5)
_HORIZON_S: Final = 2.5
_PASSABLE: Final = {Category.SKY, Category.GROUND, Category.ITEM, Category.DOOR, Category.NPC, Category.VISITOR}
_BLOCKING: Final = tuple(category not in _PASSABLE for category in Category)
"""Which categories are walls to a walker; doors open, and avatars are met as neighbours."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a walker makes of N rows of senses; body frame, metres and m/s.

    Attributes:
        wish: (N, 2) wanted velocity in parts of the walking speed.
        velocity: (N, 2) own velocity.
        place: (N, 8, 2) relative position of neighbours; far away where there is none.
        motion: (N, 8, 2) velocity of neighbours over ground.
        reach: (N, 8) distance between centres that counts as a collision.
        wall_heading: (N, 24) directions looked at, radians.
        wall_m: (N, 24) distance along the ground of the wall seen there, `OPEN_M` if none.
        pressed: (N, 8) which sectors of the body press against something that is no neighbour.
    """

    wish: Tensor
    velocity: Tensor
    place: Tensor
    motion: Tensor
    reach: Tensor
    wall_heading: Tensor
    wall_m: Tensor
    pressed: Tensor


def steer(situation: Situation) -> Tensor:
    """Returns the (N, 2) velocity of least cost, in parts of the walking speed; zero for those who wish none."""
    wish = situation.wish
    offset = torch.tensor(_OFFSETS, dtype=wish.dtype, device=wish.device) * (math.pi / 180)
    fan = heading(angle(wish)[:, None] + offset)
    pace = torch.tensor([*_SPEEDS, 0.0], dtype=wish.dtype, device=wish.device) * length(wish)[:, None]
    tried = (fan[:, None] * pace[:, :, None, None]).flatten(1, 2)
    free = _free(situation, fan).repeat(1, len(_SPEEDS) + 1)
    cost = length(tried - wish[:, None]) + 0.1 * length(tried - situation.velocity[:, None] / WALK_SPEED)
    cost = cost + _wall_cost(length(tried), free) + _crowd_cost(tried * WALK_SPEED, situation)
    best = cost.argmin(dim=1)
    return tried.gather(1, best[:, None, None].expand(-1, 1, 2))[:, 0]


def walls_seen(senses: SenseBatch) -> tuple[Tensor, Tensor]:
    """Returns heading and distance along the ground of the wall in each column of the view: (N, 24) rad, (N, 24) m.

    The two topmost rows are left out: what they show can be walked under.
    """
    wide, high = FIELD_OF_VIEW
    device = senses.vision_depth.device
    column = wide * (0.5 - (torch.arange(COLUMNS, device=device) + 0.5) / COLUMNS)
    pitch = high * (0.5 - (torch.arange(ROWS, device=device) + 0.5) / ROWS) + senses.body[:, 4:5]
    blocking = torch.tensor(_BLOCKING, device=device)[senses.vision_kind.long()]
    along = (senses.vision_depth * pitch.cos()[..., None]).masked_fill(~blocking, OPEN_M)
    return senses.body[:, 3:4] + column, along[:, 2:].amin(dim=1)


def _free(situation: Situation, fan: Tensor) -> Tensor:
    """Returns the metres until a wall, seen or felt, for each direction of the (N, F, 2) fan."""
    points = heading(situation.wall_heading) * situation.wall_m[..., None]
    ahead = torch.einsum("nfi,nci->nfc", fan, points)
    aside = torch.einsum("nfi,nci->nfc", fan.flip(-1) * fan.new_tensor((-1.0, 1.0)), points).abs()
    blocks = (aside < BODY_RADIUS_M + 0.05) & (ahead > 0)
    seen = (ahead - BODY_RADIUS_M).masked_fill(~blocks, OPEN_M).amin(dim=-1)
    sector = heading(torch.arange(8, device=fan.device) * (math.pi / 4))
    against = (torch.einsum("nfi,si->nfs", fan, sector) > 0.5) & situation.pressed[:, None]
    return seen.masked_fill(against.any(dim=-1), 0.0)


def _wall_cost(pace: Tensor, free: Tensor) -> Tensor:
    """Returns the (N, V) cost of heading for a wall at (N, V) pace: grows when it is less than a second away."""
    need = 0.15 + 0.9 * pace
    return (3.0 * (1.0 - free / need)).clamp(min=0.0) * (pace > 1e-3)


def _crowd_cost(velocity: Tensor, situation: Situation) -> Tensor:
    """Returns the (N, V) cost of (N, V, 2) velocities in m/s: how soon they end in a collision with a neighbour."""
    relative = velocity[:, :, None] - situation.motion[:, None]
    place, reach = situation.place[:, None], situation.reach[:, None]
    closing = (relative * place).sum(dim=-1)
    speed2 = (relative * relative).sum(dim=-1).clamp(min=1e-6)
    gap2 = (place * place).sum(dim=-1) - reach * reach
    root = closing * closing - speed2 * gap2
    time = (closing - root.clamp(min=0.0).sqrt()) / speed2
    hits = (root > 0) & (closing > 0) & (time < _HORIZON_S)
    soon = (0.6 / time.clamp(min=0.15) - 0.6 / _HORIZON_S).masked_fill(~hits, 0.0)
    overlaps = (gap2 < 0) & (closing > 0)
    return torch.where(overlaps, 2.0 + closing.clamp(max=2.0), soon).amax(dim=-1)
