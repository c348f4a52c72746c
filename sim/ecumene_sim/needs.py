"""What avatars need, and how it comes and goes: rest, food, company, fun; 1 is satisfied, 0 empty."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.terrain import take
from ecumene_world.layout import Layout
from ecumene_world.state import DT, Posture, Sound, State

LASTS_S: Final = (3600.0, 5400.0, 1800.0, 2400.0)
"""How long a satisfied need takes to become empty: rest (walking slowly), food, company, fun; seconds."""
REFILL_S: Final = (180.0, 90.0, 120.0, 240.0)
"""How long an empty need takes to be satisfied where it can be, seconds."""
FOOD_ROLES: Final = frozenset({"cafe", "home", "restaurant", "market"})
FUN_ROLES: Final = frozenset({"park", "museum", "square", "shop", "playground"})


COARSE_M: Final = 8.0
"""Side of the cells that places are listed for."""


class NeedsTable:
    """Where needs can be satisfied.

    Attributes:
        near: (L·h·w, K) i64 places with food or fun that reach into each coarse cell, padded with one nobody is at.
    """

    def __init__(self, layout: Layout) -> None:
        device = layout.device
        roles = layout.place_role
        serves = torch.tensor([role in FOOD_ROLES | FUN_ROLES for role in roles], dtype=torch.bool, device=device)
        nowhere = torch.full((1,), -1.0, device=device)
        self.position = torch.cat((layout.place_position, torch.zeros((1, 3), device=device)))
        self.level = torch.cat((layout.place_level, torch.zeros(1, dtype=torch.int64, device=device)))
        self.square = torch.cat((layout.place_radius * layout.place_radius, nowhere))
        self.food = torch.tensor([*(role in FOOD_ROLES for role in roles), False], dtype=torch.bool, device=device)
        self.fun = torch.tensor([*(role in FUN_ROLES for role in roles), False], dtype=torch.bool, device=device)
        self.decay = torch.tensor([DT / seconds for seconds in LASTS_S], device=device)
        self.refill = torch.tensor([DT / seconds for seconds in REFILL_S], device=device)
        x0, y0, x1, y1 = layout.bounds
        self._origin = (x0, y0)
        self.levels = layout.levels
        self.columns, self.rows = int((x1 - x0) / COARSE_M) + 1, int((y1 - y0) / COARSE_M) + 1
        self.near = self._listed(layout, serves.nonzero().view(-1).tolist()).to(device)

    def cell(self, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns the flat index of the coarse cell of points, i64; those outside belong to the border's."""
        column = ((x - self._origin[0]) * (1.0 / COARSE_M)).floor_().clamp_(0, self.columns - 1).long()
        row = ((y - self._origin[1]) * (1.0 / COARSE_M)).floor_().clamp_(0, self.rows - 1).long()
        return (level * self.rows + row) * self.columns + column

    def _listed(self, layout: Layout, places: list[int]) -> Tensor:
        """Returns `near`: each place in all cells that the square around its circle touches, with room to spare."""
        lists: dict[int, list[int]] = {}
        points, radii, levels = (each.tolist() for each in (layout.place_position, layout.place_radius, self.level))
        for place in places:
            (x, y, _), reach = points[place], radii[place] + 0.01
            corners = torch.tensor([[x - reach, x + reach], [y - reach, y + reach]])
            first, last = self.cell(torch.tensor(levels[place]), *corners).tolist()
            height, width = divmod(last - first, self.columns)
            for row in range(height + 1):
                for column in range(width + 1):
                    lists.setdefault(first + row * self.columns + column, []).append(place)
        near = torch.full((layout.levels * self.rows * self.columns, max(map(len, lists.values()), default=0)), -1)
        for cell, found in lists.items():
            near[cell, : len(found)] = torch.tensor(found)
        return near.masked_fill_(near < 0, len(points))


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
    x, y = state.position[..., 0], state.position[..., 1]
    place = take(table.near, table.cell(state.level.clamp(max=table.levels - 1), x, y))
    at = take(table.position, place)
    dx, dy = x.unsqueeze(-1) - at[..., 0], y.unsqueeze(-1) - at[..., 1]
    there = dx.mul_(dx).addcmul_(dy, dy) <= take(table.square, place)
    there = there & (take(table.level, place) == state.level.unsqueeze(-1))
    return (there & take(table.food, place)).any(dim=-1), (there & take(table.fun, place)).any(dim=-1)
