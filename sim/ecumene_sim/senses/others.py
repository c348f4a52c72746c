"""The nearest others of each viewer, looked up once for all senses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import FAR_M
from ecumene_sim.neighbours import nearest
from ecumene_sim.senses.viewer import Viewers
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Posture, Sound, State

COUNT: Final = 10
"""Nearest others that are looked at."""
LYING_HEIGHT_M: Final = 0.4
SITTING_SHARE: Final = 0.75
"""Height of a seated body as a share of its height."""
_VISITOR: Final = BY_NAME["visitor"].code


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """The K nearest avatars of each of (B, A) viewers, nearest first; (B, A, K) each, K ≤ `COUNT`.

    Attributes:
        slot: i64.
        valid: Bool: there are so many, within sight's reach.
        distance: Metres along the ground; huge where not valid.
        x: Metres, world; also y, z (the feet), vx and vy (m/s).
        cos: Of the heading; also sin.
        radius: Metres.
        height: Metres, as seen: less for those who sit or lie.
        visitor: 1 for visitors, 0 for npcs.
        speaking: 1 for those who speak or call.
    """

    slot: Tensor
    valid: Tensor
    distance: Tensor
    x: Tensor
    y: Tensor
    z: Tensor
    vx: Tensor
    vy: Tensor
    cos: Tensor
    sin: Tensor
    radius: Tensor
    height: Tensor
    visitor: Tensor
    speaking: Tensor

    @classmethod
    def near(cls, state: State, viewers: Viewers) -> Others:
        """Returns the nearest living avatars of the viewers."""
        near = nearest(state.position, state.alive, viewers.slots, COUNT, FAR_M)
        columns = torch.stack(_columns(state)).flatten(1)
        world = torch.arange(state.worlds, device=state.device).view(-1, 1, 1) * state.slots
        found = columns.index_select(1, (near.slot + world).view(-1)).view(len(columns), *near.slot.shape)
        return cls(near.slot, near.valid, near.distance, *found.unbind())


def _columns(state: State) -> list[Tensor]:
    """Returns what is looked up of every avatar, (B, C) f32 each, in the order of `Others`."""
    height = state.height.masked_fill(state.posture == int(Posture.LIE), LYING_HEIGHT_M)
    height = torch.where(state.posture == int(Posture.SIT), height * SITTING_SHARE, height)
    visitor = (state.kind == _VISITOR).to(height.dtype)
    speaking = ((state.sound == int(Sound.SPEECH)) | (state.sound == int(Sound.CALL))).to(height.dtype)
    velocity = state.velocity.unbind(dim=-1)[:2]
    heading = state.yaw.cos(), state.yaw.sin()
    return [*state.position.unbind(dim=-1), *velocity, *heading, state.radius, height, visitor, speaking]
