"""What avatars need, and how it comes and goes: rest, food, company, fun; 1 is satisfied, 0 empty."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_world.layout import Layout
from ecumene_world.state import DT, Posture, Sound, State

LASTS_S: Final = (3600.0, 5400.0, 1800.0, 2400.0)
"""How long a satisfied need takes to become empty: rest (walking slowly), food, company, fun; seconds."""
REFILL_S: Final = (180.0, 90.0, 120.0, 240.0)
"""How long an empty need takes to be satisfied where it can be, seconds."""
FOOD_ROLES: Final = frozenset({"cafe", "home", "restaurant", "market"})
FUN_ROLES: Final = frozenset({"park", "museum", "square", "shop", "playground"})


class NeedsTable:
    """Where needs can be satisfied."""

    def __init__(self, layout: Layout) -> None:
        device = layout.device
        self.position, self.level = layout.place_position, layout.place_level
        self.square = layout.place_radius * layout.place_radius
        self.food = torch.tensor([role in FOOD_ROLES for role in layout.place_role], dtype=torch.bool, device=device)
        self.fun = torch.tensor([role in FUN_ROLES for role in layout.place_role], dtype=torch.bool, device=device)
        self.decay = torch.tensor([DT / seconds for seconds in LASTS_S], device=device)
        self.refill = torch.tensor([DT / seconds for seconds in REFILL_S], device=device)


def run_needs(state: State, table: NeedsTable, touched: Tensor) -> None:
    """Lets needs decay, and refill for those who sit, eat, meet others or are where it is pleasant.

    Args:
        state: Of the world.
        table: Where food and fun are.
        touched: (B, C) bool: somebody else is within arm's reach.
    """
    rests = state.posture != int(Posture.STAND)
    speaks = (state.sound == int(Sound.SPEECH)) | (state.emote_left > 0)
    food, fun = _at_places(state, table)
    gains = torch.stack((rests, food, touched | speaks, fun | (state.emote_left > 0)), dim=-1)
    state.needs.add_(gains * table.refill).sub_(table.decay).clamp_(0.0, 1.0)


def _at_places(state: State, table: NeedsTable) -> tuple[Tensor, Tensor]:
    """Returns (B, C) bool whether avatars are where there is food, and where there is fun."""
    if len(table.square) == 0:
        nowhere = torch.zeros_like(state.alive)
        return nowhere, nowhere
    dx = state.position[..., 0].unsqueeze(-1) - table.position[:, 0]
    dy = state.position[..., 1].unsqueeze(-1) - table.position[:, 1]
    there = (dx.mul_(dx).addcmul_(dy, dy) <= table.square) & (state.level.unsqueeze(-1) == table.level)
    return (there & table.food).any(dim=-1), (there & table.fun).any(dim=-1)
