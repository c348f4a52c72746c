"""What avatars feel: pressure around the body, in the hand and under the feet."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_world.state import Posture, State

GRAVITY: Final = 9.81
"""m/s²."""
SEATED_SHARE: Final = 0.25
"""Share of the weight that the feet of a seated body still bear."""
_UNIT: Final = 0.01
"""Touch is reported in units of 100 N."""


def touch(state: State, slots: Tensor) -> Tensor:
    """Returns (B, A, 10): eight body sectors, hand, load on the feet, in units of 100 N."""
    pressed = state.contact.index_select(1, slots)
    hand = state.touch_hand.index_select(1, slots).unsqueeze(-1)
    posture = state.posture.index_select(1, slots)
    bears = (posture == int(Posture.STAND)).to(hand.dtype) + (posture == int(Posture.SIT)) * SEATED_SHARE
    load = (state.mass.index_select(1, slots) * bears).unsqueeze(-1) * GRAVITY
    return torch.cat((pressed, hand, load), dim=-1) * _UNIT
