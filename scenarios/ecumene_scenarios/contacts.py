"""When a contact begins: what every collision figure counts."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_world.state import State

TOUCH_N: Final = 5.0
"""A contact weaker than this, newtons, is none."""
CALM_TICKS: Final = 10
"""Ticks without contact after which a new contact counts as another collision."""


def begun(memory: dict[str, Tensor], state: State) -> Tensor:
    """Which avatars have just begun to touch a wall, a thing or somebody after half a second without, (B, C) bool.

    To be called once a tick; `memory["apart"]` holds how long each slot has touched nothing, and whose slot it was.
    """
    if "apart" not in memory:
        memory["apart"] = torch.full_like(state.serial, CALM_TICKS)
        memory["touched"] = state.serial.clone()
    apart = memory["apart"].masked_fill(memory["touched"] != state.serial, CALM_TICKS)
    touching = (state.contact.sum(-1) > TOUCH_N) & state.alive
    memory["apart"] = torch.where(touching, 0, apart + 1)
    memory["touched"] = state.serial.clone()
    return touching & (apart >= CALM_TICKS)
