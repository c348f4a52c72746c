"""Who has come to rest, so that its mind need not be asked as often as that of one who walks.

A pure function of the state, so that it is the same wherever and whenever it is asked.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.interaction import HOLD_N
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Posture, Sound, State, Verb

STILL_M_S: Final = 0.05
"""Who is slower than this stands still."""
STILL_RAD_S: Final = 0.1
"""Who turns slower than this does not turn."""
NEAR_M: Final = 4.0
"""Who speaks this near, and every visitor this near, wakes those who rest."""
_VISITOR: Final = BY_NAME["visitor"].code


def resting(state: State, slots: Tensor) -> Tensor:
    """Returns (B, A) bool which of (A,) slots rest.

    They sit or lie because they want to, or stand because they wait; they don't move and don't wish to, nobody pushes
    or pulls them, nobody speaks near them, no visitor is near or whom they wait for, and no alarm rings.
    """
    verb, posture = state.verb.index_select(1, slots), state.posture.index_select(1, slots)
    pushed = (state.contact.index_select(1, slots) > 0).any(dim=-1)
    seated = (verb == int(Verb.SIT)) & (posture != int(Posture.STAND))
    rests = (seated | ((verb == int(Verb.WAIT)) & ~pushed)) & _still(state, slots)
    rests &= state.alive.index_select(1, slots) & (state.touch_hand.index_select(1, slots) <= HOLD_N)
    rests &= ~_meets_visitor(state, slots)
    rests &= ~(state.thing_sound == int(Sound.ALARM)).any(dim=1, keepdim=True)
    return rests & ~_roused(state, slots, rests)


def _still(state: State, slots: Tensor) -> Tensor:
    """Returns (B, A) who neither moves nor turns nor wishes to walk."""
    slow = state.velocity.index_select(1, slots).square().sum(dim=-1) < STILL_M_S * STILL_M_S
    turns = state.yaw_rate.index_select(1, slots).abs() >= STILL_RAD_S
    return slow & ~turns & (state.desired_velocity.index_select(1, slots) == 0).all(dim=-1)


def _meets_visitor(state: State, slots: Tensor) -> Tensor:
    """Returns (B, A) whose intent is about a visitor."""
    target = state.target.index_select(1, slots)
    return (target >= 0) & (state.kind.gather(1, target.clamp(min=0)) == _VISITOR)


def _roused(state: State, slots: Tensor, rests: Tensor) -> Tensor:
    """Returns (B, A) which of those who rest have a visitor near, or somebody who speaks."""
    speaks = (state.sound == int(Sound.SPEECH)) | (state.sound == int(Sound.CALL))
    who, column = rests.nonzero(as_tuple=True)
    world, other = (state.alive & (speaks | (state.kind == _VISITOR))).nonzero(as_tuple=True)
    mine = slots.index_select(0, column)
    away = state.position[world, other] - state.position[who, mine].unsqueeze(1)
    near = (away.square().sum(dim=-1) < NEAR_M * NEAR_M) & (world == who.unsqueeze(1)) & (other != mine.unsqueeze(1))
    roused = torch.zeros_like(rests)
    roused[who, column] = near.any(dim=1)
    return roused
