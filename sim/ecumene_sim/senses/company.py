"""The nearest others as tokens: those in sight of the body, all around, and those near enough to be felt."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from ecumene_sim.angles import into_frame
from ecumene_sim.frame import NEIGHBOURS
from ecumene_sim.neighbours import Nearest
from ecumene_sim.senses.viewer import Viewers
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Sound, State

REACH_M: Final = 12.0
"""Others further away are no neighbours."""
FELT_M: Final = 1.5
"""Others this near are neighbours even through a wall."""
STOREY_M: Final = 2.2
"""Others whose feet differ more in height are on another storey."""
_VISITOR: Final = BY_NAME["visitor"].code


def company(state: State, viewers: Viewers, near: Nearest, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (B, A, 8, 12) tokens as `Senses.neighbours` says, and their slots (B, A, 8), -1 padded.

    Args:
        state: Of the world.
        viewers: Who senses.
        near: Their nearest avatars, K ≥ 8 unless the world has fewer slots.
        hidden: (B, A, K) bool: a wall stands between.
    """
    count = min(NEIGHBOURS, near.slot.shape[-1])
    near = near.first(count)
    dz = near.of(state.position[..., 2]) - viewers.z.unsqueeze(-1)
    known = near.valid & (near.distance <= REACH_M) & (dz.abs() < STOREY_M)
    known = known & (~hidden[..., :count] | (near.distance <= FELT_M))
    tokens = torch.stack(_columns(state, viewers, near, dz), dim=-1) * known.unsqueeze(-1)
    slot = near.slot.masked_fill(~known, -1)
    missing = NEIGHBOURS - count
    return pad(tokens, (0, 0, 0, missing)), pad(slot, (0, missing), value=-1)


def _columns(state: State, viewers: Viewers, near: Nearest, dz: Tensor) -> list[Tensor]:
    """Returns the twelve columns, (B, A, K) f32 each."""
    cos, sin = viewers.cos.unsqueeze(-1), viewers.sin.unsqueeze(-1)
    dx, dy = (near.of(state.position[..., axis]) - viewers.at[axis].unsqueeze(-1) for axis in range(2))
    mine = state.velocity.index_select(1, viewers.slots).unsqueeze(-2)
    dvx, dvy = (near.of(state.velocity[..., axis]) - mine[..., axis] for axis in range(2))
    yaw = near.of(state.yaw)
    facing = into_frame(yaw.cos(), yaw.sin(), cos, sin)
    sound = near.of(state.sound)
    target = state.target.index_select(1, viewers.slots).unsqueeze(-1)
    flags = (
        near.of(state.kind) == _VISITOR,
        near.slot == target,
        (sound == int(Sound.SPEECH)) | (sound == int(Sound.CALL)),
    )
    relative = (*into_frame(dx, dy, cos, sin), dz, *into_frame(dvx, dvy, cos, sin))
    return [*relative, near.distance, near.of(state.radius), *facing, *(flag.to(dz.dtype) for flag in flags)]
