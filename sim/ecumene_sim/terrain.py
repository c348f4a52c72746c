"""The layout's grid as images that one fused kernel samples, and other tables the step looks things up in.

Storeys are stacked along the image's height, so a sample is one bilinear lookup whatever the storey. Every operation
here gives the same bits for a point whatever other points are sampled with it.
"""

from __future__ import annotations

from typing import Final

import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn.functional import grid_sample

from ecumene_world.compiler.things import COARSE_M
from ecumene_world.kinds import Category
from ecumene_world.layout import Layout

DOORS_NEAR: Final = 4
"""Doors that are looked up for each coarse cell."""
SIGHT_M: Final = 30.0
"""Doors further from a coarse cell are not listed for it."""
_NEVER_HIT: Final = -1.0e6
"""Height of the top of a mere edge of the walkable area, which is no obstacle to the eye."""


class Terrain:
    """Sampling tables of one layout on one device.

    Attributes:
        layout: What the tables were made from.
        slope: (1, 3, L·H, W) clearance and its gradient.
        near: (1, 1, L·H, W) clearance.
        near_hit: (1, 2, L·H, W) top and category of the nearest obstacle.
        tall: (1, 1, L·H, W) clearance of tall obstacles.
        tall_hit: (1, 2, L·H, W) top and category of the nearest tall obstacle.
        floor: (1, 1, L·H, W) height of the floor.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.levels, self.height, self.width = layout.clearance.shape
        self.slope = _image(layout.clearance, *_gradients(layout.clearance, layout.cell_m))
        self.near = _image(layout.clearance)
        top = layout.top.masked_fill(layout.near_category == int(Category.SKY), _NEVER_HIT)
        self.near_hit = _image(top, layout.near_category)
        self.tall = _image(layout.tall_clearance)
        self.tall_hit = _image(layout.tall_top, layout.tall_category)
        self.floor = _image(layout.floor)
        self.next_level = layout.next_level.flatten().to(torch.int64)
        self.door_of_cell = layout.door_of_cell.flatten().to(torch.int64)
        self.surface = layout.surface.flatten()
        self._near_things = layout.thing_of_cell.flatten(0, 2).to(torch.int64)
        self._near_doors = _nearest_doors(layout)
        self.per_metre = (2.0 / (max(self.width - 1, 1) * layout.cell_m), self._row_scale() / layout.cell_m)

    def uv(self, level: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns image coordinates −1..1 of world points, clamped to the grid of their storey."""
        cell = self.layout.cell_m
        column = ((x - self.layout.origin[0]) / cell).clamp(0.0, float(self.width - 1))
        row = ((y - self.layout.origin[1]) / cell).clamp(0.0, float(self.height - 1))
        row = row + level.to(row.dtype) * float(self.height)
        return column * (2.0 / max(self.width - 1, 1)) - 1.0, row * self._row_scale() - 1.0

    def sample(self, image: Tensor, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns (channels, *x.shape) bilinear samples of an image at world points x, y of any shape."""
        u, v = self.uv(level, x, y)
        return lookup(image, torch.stack((u, v), dim=-1).view(-1, 2)).view(-1, *x.shape)

    def cell(self, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns the flat index (level, row, column) of the nearest grid node, i64, of the shape of x."""
        cell = self.layout.cell_m
        column = ((x - self.layout.origin[0]) / cell).round().clamp(0.0, float(self.width - 1))
        row = ((y - self.layout.origin[1]) / cell).round().clamp(0.0, float(self.height - 1))
        return (level * self.height + row.long()) * self.width + column.long()

    def doors_near(self, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns (*x.shape, 4) i64 the doors nearest to the coarse cell of each point, -1 padded."""
        return take(self._near_doors, self._coarse(level, x, y))

    def things_near(self, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns (*x.shape, 8) i64 the things nearest to the coarse cell of each point, -1 padded."""
        return take(self._near_things, self._coarse(level, x, y))

    def _coarse(self, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Returns the flat index of the coarse cell of each point."""
        rows, columns = self.layout.thing_of_cell.shape[1:3]
        column = ((x - self.layout.origin[0]) * (1.0 / COARSE_M)).floor().clamp(0.0, float(columns - 1)).long()
        row = ((y - self.layout.origin[1]) * (1.0 / COARSE_M)).floor().clamp(0.0, float(rows - 1)).long()
        return (level * rows + row) * columns + column

    def _row_scale(self) -> float:
        """Image units per grid row."""
        return 2.0 / max(self.levels * self.height - 1, 1)


def lookup(image: Tensor, uv: Tensor, mode: str = "bilinear") -> Tensor:
    """Returns (channels, R) samples of an image at (R, 2) image coordinates."""
    grid = uv.view(1, -1, 1, 2)
    return grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=True)[0, :, :, 0]


def take(table: Tensor, index: Tensor) -> Tensor:
    """Returns rows of a table, shape (*index.shape, *table.shape[1:])."""
    return table.index_select(0, index.reshape(-1)).view(*index.shape, *table.shape[1:])


def _image(*channels: Tensor) -> Tensor:
    """Stacks (L, H, W) fields into (1, channels, L·H, W) f32."""
    return torch.stack([c.to(torch.float32).reshape(-1, c.shape[-1]) for c in channels]).unsqueeze(0).contiguous()


def _nearest_doors(layout: Layout) -> Tensor:
    """Returns (L·h·w, 4) i64 nearest doors of each coarse cell within sight, -1 padded."""
    levels, rows, columns = layout.thing_of_cell.shape[:3]
    near = torch.full((levels, rows * columns, DOORS_NEAR), -1, dtype=torch.int64)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centres = torch.stack((column, row), dim=-1).view(-1, 2) * COARSE_M + COARSE_M / 2 + torch.tensor(layout.origin)
    middle = layout.door_segment.cpu().mean(dim=1)
    for level in range(levels):
        doors = (layout.door_level.cpu() == level).nonzero().view(-1)
        if len(doors) == 0:
            continue
        _, found = cKDTree(middle[doors].numpy()).query(centres.numpy(), k=DOORS_NEAR, distance_upper_bound=SIGHT_M)
        padded = torch.cat((doors, torch.tensor([-1])))
        near[level] = padded[torch.from_numpy(found)]
    return near.view(-1, DOORS_NEAR).to(layout.device)


def _gradients(field: Tensor, cell_m: float) -> tuple[Tensor, Tensor]:
    """Returns central differences of (L, H, W) along x and y, one-sided at the border."""
    along_x, along_y = torch.zeros_like(field), torch.zeros_like(field)
    if field.shape[2] > 1:
        along_x = torch.gradient(field, spacing=cell_m, dim=2)[0]
    if field.shape[1] > 1:
        along_y = torch.gradient(field, spacing=cell_m, dim=1)[0]
    return along_x, along_y
