"""The nearest others as tokens: those in sight of the body, all around, and those near enough to be felt."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from ecumene_sim.angles import into_frame
from ecumene_sim.frame import NEIGHBOURS
from ecumene_sim.senses.others import Others
from ecumene_sim.senses.viewer import Viewers
from ecumene_world.state import State

REACH_M: Final = 12.0
"""Others further away are no neighbours."""
FELT_M: Final = 1.5
"""Others this near are neighbours even through a wall."""
STOREY_M: Final = 2.2
"""Others whose feet differ more in height are on another storey."""


def company(state: State, viewers: Viewers, others: Others, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (B, A, 8, 12) tokens as `Senses.neighbours` says, and their slots (B, A, 8), -1 padded.

    Args:
        state: Of the world.
        viewers: Who senses.
        others: Their nearest avatars, K ≥ 8 unless the world has fewer slots.
        hidden: (B, A, K) bool: a wall stands between.
    """
    dz = others.z - viewers.z.unsqueeze(-1)
    known = others.valid & (others.distance <= REACH_M) & (dz.abs() < STOREY_M)
    known = known & (~hidden | (others.distance <= FELT_M))
    tokens = torch.stack(_columns(state, viewers, others, dz), dim=-1) * known.unsqueeze(-1)
    slot = others.slot.masked_fill(~known, -1)
    missing = max(0, NEIGHBOURS - slot.shape[-1])
    tokens, slot = pad(tokens, (0, 0, 0, missing)), pad(slot, (0, missing), value=-1)
    return tokens[..., :NEIGHBOURS, :].contiguous(), slot[..., :NEIGHBOURS].contiguous()


def _columns(state: State, viewers: Viewers, others: Others, dz: Tensor) -> list[Tensor]:
    """Returns the twelve columns, (B, A, K) f32 each."""
    cos, sin = viewers.cos.unsqueeze(-1), viewers.sin.unsqueeze(-1)
    x, y = viewers.at.unsqueeze(-1)
    my_vx, my_vy, _ = state.velocity.index_select(1, viewers.slots).unsqueeze(-2).unbind(dim=-1)
    target = state.target.index_select(1, viewers.slots).unsqueeze(-1)
    relative = (*into_frame(others.x - x, others.y - y, cos, sin), dz)
    moving = into_frame(others.vx - my_vx, others.vy - my_vy, cos, sin)
    facing = into_frame(others.cos, others.sin, cos, sin)
    is_target = (others.slot == target).to(dz.dtype)
    return [*relative, *moving, others.distance, others.radius, *facing, others.visitor, is_target, others.speaking]
