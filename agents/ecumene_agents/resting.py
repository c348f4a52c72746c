"""Who has come to rest, so that its mind need not be asked as often as that of one who walks.

A pure function of the state, so that it is the same wherever and whenever it is asked. It reads NumPy views: few are
looked at, and each operation on them costs a fifth of one on tensors.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
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
    column = slots.numpy(force=True)
    verb, posture, alive = (_view(each)[:, column] for each in (state.verb, state.posture, state.alive))
    seated = (verb == int(Verb.SIT)) & (posture != int(Posture.STAND))
    rests = alive & (seated | (verb == int(Verb.WAIT)))
    rests[(_view(state.thing_sound) == int(Sound.ALARM)).any(axis=1)] = False
    world, row = rests.nonzero()
    who = (world, column[row])
    calm = _still(state, who) & (seated[world, row] | ~_pushed(state, who)) & ~_meets_visitor(state, who)
    rests[world, row] = calm
    world, row = rests.nonzero()
    rests[world, row] = ~_roused(state, (world, column[row]))
    return torch.from_numpy(rests).to(slots.device)


_Who = tuple[NDArray[np.intp], NDArray[np.int64]]
"""Worlds and slots of M avatars."""


def _view(field: Tensor) -> NDArray[Any]:
    return field.numpy(force=True)


def _still(state: State, who: _Who) -> NDArray[np.bool_]:
    """Returns (M,) who neither moves nor turns nor wishes to walk, and whose hand nobody pulls at."""
    velocity, turns = _view(state.velocity)[who], np.abs(_view(state.yaw_rate)[who]) >= STILL_RAD_S
    slow = (velocity * velocity).sum(axis=1) < STILL_M_S * STILL_M_S
    wishes = (_view(state.desired_velocity)[who] != 0).any(axis=1)
    still: NDArray[np.bool_] = slow & ~turns & ~wishes & (_view(state.touch_hand)[who] <= HOLD_N)
    return still


def _pushed(state: State, who: _Who) -> NDArray[np.bool_]:
    contact: NDArray[np.float32] = _view(state.contact)[who]
    return np.asarray((contact > 0).any(axis=1))


def _meets_visitor(state: State, who: _Who) -> NDArray[np.bool_]:
    """Returns (M,) whose intent is about a visitor."""
    target = _view(state.target)[who]
    about: NDArray[np.bool_] = (target >= 0) & (_view(state.kind)[who[0], target.clip(0)] == _VISITOR)
    return about


def _roused(state: State, who: _Who) -> NDArray[np.bool_]:
    """Returns (M,) who has a visitor near, or somebody who speaks."""
    sound, place = _view(state.sound), _view(state.position)
    speaks = (sound == int(Sound.SPEECH)) | (sound == int(Sound.CALL))
    world, other = (_view(state.alive) & (speaks | (_view(state.kind) == _VISITOR))).nonzero()
    dx, dy, dz = (ours[:, None] - theirs for ours, theirs in zip(place[who].T, place[world, other].T, strict=True))
    near = dx * dx + dy * dy + dz * dz < NEAR_M * NEAR_M
    near &= (world == who[0][:, None]) & (other != who[1][:, None])
    roused: NDArray[np.bool_] = near.any(axis=1)
    return roused
