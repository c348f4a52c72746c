"""The nodes of a layout's walkable grid: which is nearest to a point, where each is, and what is in plain sight."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ecumene_agents.vectors import length
from ecumene_world.layout import Layout

BODY_M: Final = 0.28
"""Radius that there must be room for along a line of sight."""
SIGHT_STEP_M: Final = 0.5
"""Spacing of the points that a line of sight is tested at; less than twice the room asked for."""
END_M: Final = 0.6
"""So near to an end the line may be as narrow as the end is."""


class Lattice:
    """The (L, H, W) nodes of a layout, numbered in this order."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._shape = layout, layout.clearance.shape

    def nodes(self, level: Tensor, xy: Tensor) -> Tensor:
        """Returns the flat node nearest to points (..., 2) of storeys (...)."""
        _, height, width = self._shape
        cell: Tensor = ((xy - xy.new_tensor(self._layout.origin)) / self._layout.cell_m).round().long()
        ix, iy = cell[..., 0].clamp(0, width - 1), cell[..., 1].clamp(0, height - 1)
        node: Tensor = (level * height + iy) * width + ix
        return node

    def spots(self, node: Tensor) -> Tensor:
        """Returns positions (..., 3) of flat nodes, m."""
        _, height, width = self._shape
        x = self._layout.origin[0] + self._layout.cell_m * (node % width)
        y = self._layout.origin[1] + self._layout.cell_m * (node // width % height)
        return torch.stack((x, y, self._layout.floor.view(-1)[node]), dim=-1)

    def sees(self, level: Tensor, start: Tensor, end: Tensor, longest_m: float) -> Tensor:
        """Returns whether a body could walk straight from (M, 2) to each of (S, M, 2): (S, M) bool.

        Points at most `SIGHT_STEP_M` apart must have room for a body, so no wall fits between two of them. Near an end
        that is narrow itself, the way may be just as narrow.
        """
        clearance = self._layout.clearance
        count = math.ceil(longest_m / SIGHT_STEP_M)
        share = torch.linspace(0.0, 1.0, count + 1, device=start.device).view(-1, 1, 1)
        points = torch.lerp(self._on_image(level, start), self._on_image(level, end), share[..., None])
        image = clearance.view(1, 1, -1, clearance.shape[2])
        clear = grid_sample(image, points.view(1, 1, -1, 2), "bilinear", "border", align_corners=True)
        clear = clear.view(points.shape[:-1])
        along = share * length(end - start)
        inner = torch.minimum(along, along.flip(0)) > END_M
        need = torch.minimum(clear[0], clear[-1]).clamp(max=BODY_M)
        need = torch.where(inner, BODY_M, need) - 0.03
        return torch.ge(clear, need).all(dim=0)

    def _on_image(self, level: Tensor, xy: Tensor) -> Tensor:
        """Returns (..., 2) coordinates, -1..1, of points of storeys (...) on the clearance of all storeys, stacked."""
        storeys, height, width = self._shape
        cell = (xy - xy.new_tensor(self._layout.origin)) / self._layout.cell_m
        row = cell[..., 1].clamp(0.0, height - 1.0) + level * height
        most = max(width - 1, 1), max(storeys * height - 1, 1)
        return torch.stack((cell[..., 0].expand_as(row), row), dim=-1) * (2.0 / xy.new_tensor(most)) - 1.0
