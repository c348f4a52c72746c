"""The layout's grid as images that one fused kernel samples, and other tables the step looks things up in.

Storeys are stacked along the image's height, so a sample is one bilinear lookup whatever the storey. Points come as
(2, N), all x before all y, which is what the kernels like best. Every operation here gives the same bits for a point
whatever other points are sampled with it.
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
FLATTEST: Final = 0.3
"""Where the clearance climbs less steeply, bodies are pushed as if it climbed this much."""
_NEVER_HIT: Final = -1.0e6
"""Height of the top of a mere edge of the walkable area, which is no obstacle to the eye."""
_SURFACE_CATEGORY: Final = (
    Category.GROUND,
    Category.GROUND,
    Category.STREET,
    Category.STREET,
    Category.VEGETATION,
    Category.GROUND,
    Category.STREET,
)
"""What vision reports for each `Layout.surface`."""


class Terrain:
    """Sampling tables of one layout on one device.

    Images are (1, channels, L·H, W) f32. `sight` and `sight_hit` hold two layers, each L·H high: all obstacles above,
    tall ones below, so that rays through both march together.

    Attributes:
        layout: What the tables were made from.
        slope: Clearance, and by how much to move along x and y for each metre of clearance that is missing.
        near: Clearance; tall: of tall obstacles.
        sight: (1, 1, 2·L·H, W) both clearances.
        sight_hit: (1, 2, 2·L·H, W) top and category of the nearest obstacle of each layer.
        floor: Height of the floor.
        paving: Category of the floor.
        has_doors: Whether the layout has any.
        tall_offset: Image units from the upper layer of `sight` to the lower.
        per_metre: (2, 1) image units of `sight` per metre.
        scale: (2, 1) image units of the other images per metre.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.levels, self.height, self.width = layout.clearance.shape
        self.has_doors = layout.door_thing.numel() > 0
        self.slope = _image(layout.clearance, *_push_directions(layout.clearance, layout.cell_m))
        self.sight = torch.cat((_image(layout.clearance), _image(layout.tall_clearance)), dim=2)
        self.near, self.tall = self.sight.chunk(2, dim=2)
        top = layout.top.masked_fill(layout.near_category == int(Category.SKY), _NEVER_HIT)
        near_hit, tall_hit = _image(top, layout.near_category), _image(layout.tall_top, layout.tall_category)
        self.sight_hit = torch.cat((near_hit, tall_hit), dim=2)
        self.floor = _image(layout.floor)
        paving = torch.tensor([float(c) for c in _SURFACE_CATEGORY], device=layout.device)
        self.paving = _image(take(paving, layout.surface.to(torch.int64)))
        self._next_level = layout.next_level.flatten().to(torch.int64)
        self._door_of_cell = layout.door_of_cell.flatten().to(torch.int64)
        self._near_things = layout.thing_of_cell.flatten(0, 2).to(torch.int64)
        self._near_doors = _nearest_doors(layout)
        self._prepare_coordinates()

    def _prepare_coordinates(self) -> None:
        """Makes the constants of the map from world points to image coordinates −1..1, (2, 1) each."""
        layout, rows = self.layout, self.levels * self.height
        u, v, both = (2.0 / max(count - 1, 1) for count in (self.width, rows, 2 * rows))

        def pair(x: float, y: float) -> Tensor:
            return torch.tensor([[x], [y]], device=layout.device)

        self.scale, self.per_metre = pair(u, v) / layout.cell_m, pair(u, both) / layout.cell_m
        self._origin = self._least = pair(*layout.origin)
        self._greatest = pair(*layout.bounds[2:])
        self._zero, self._sight_zero = -1.0 - self._origin * self.scale, -1.0 - self._origin * self.per_metre
        self._per_level, self._sight_per_level = pair(0.0, self.height * v), pair(0.0, self.height * both)
        self.tall_offset = rows * both

    def storey(self, level: Tensor) -> Tensor:
        """Returns the part of image coordinates that depends on the storey, (2, N), or (2, 1) if there is but one."""
        if self.levels == 1:
            return self._zero
        return torch.addcmul(self._zero, level.to(torch.float32), self._per_level)

    def on_image(self, storey: Tensor, at: Tensor) -> Tensor:
        """Returns (2, N) image coordinates of (2, N) world points; x beyond the grid is cut off by sampling."""
        return torch.addcmul(storey, at, self.scale)

    def on_sight(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns (2, N) coordinates on the upper layer of `sight` of (2, N) world points."""
        base = self._sight_zero
        if self.levels > 1:
            base = torch.addcmul(base, level.to(torch.float32), self._sight_per_level)
        return torch.addcmul(base, self.inside(at), self.per_metre)

    def inside(self, at: Tensor) -> Tensor:
        """Returns (2, N) points brought into the grid."""
        return torch.minimum(torch.maximum(at, self._least), self._greatest)

    def sample(self, image: Tensor, level: Tensor, at: Tensor) -> Tensor:
        """Returns (channels, ...) bilinear samples of an image at (2, ...) world points, kept inside the grid."""
        rows = self.inside(at.reshape(2, -1))
        return lookup(image, self.on_image(self.storey(level.reshape(-1)), rows)).view(-1, *at.shape[1:])

    def cell(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns the flat index (level, row, column) of the nearest grid node of (2, ...) points, i64."""
        spot = self.inside(at.reshape(2, -1)).sub_(self._origin).mul_(1.0 / self.layout.cell_m).round_().long()
        column, row = spot.view(at.shape).unbind()
        return (level * self.height + row) * self.width + column

    def next_level(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns the storeys on which avatars at (2, ...) points continue."""
        return take(self._next_level, self.cell(level, at))

    def door_at(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns the door near each of (2, ...) points, i64, -1 none."""
        return take(self._door_of_cell, self.cell(level, at))

    def doors_near(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns (..., 4) i64 the doors nearest to the coarse cell of each of (2, ...) points, -1 padded."""
        return take(self._near_doors, self._coarse(level, at))

    def things_near(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns (..., 8) i64 the things nearest to the coarse cell of each of (2, ...) points, -1 padded."""
        return take(self._near_things, self._coarse(level, at))

    def _coarse(self, level: Tensor, at: Tensor) -> Tensor:
        """Returns the flat index of the coarse cell of (2, ...) points, i64."""
        rows, columns = self.layout.thing_of_cell.shape[1:3]
        spot = self.inside(at.reshape(2, -1)).sub_(self._origin).mul_(1.0 / COARSE_M).floor_().long()
        column, row = spot.view(at.shape).unbind()
        return (level * rows + row.clamp(max=rows - 1)) * columns + column.clamp(max=columns - 1)


def lookup(image: Tensor, at: Tensor, mode: str = "bilinear") -> Tensor:
    """Returns (channels, N) samples of an image at (2, N) image coordinates."""
    grid = at.t().view(1, 1, -1, 2)
    return grid_sample(image, grid, mode, "border", align_corners=True).view(image.shape[1], -1)


def take(table: Tensor, index: Tensor) -> Tensor:
    """Returns rows of a table, shape (*index.shape, *table.shape[1:])."""
    return table.index_select(0, index.reshape(-1)).view(*index.shape, *table.shape[1:])


def _image(*channels: Tensor) -> Tensor:
    """Stacks (L, H, W) fields into (1, channels, L·H, W) f32."""
    return torch.stack([c.to(torch.float32).reshape(-1, c.shape[-1]) for c in channels]).unsqueeze(0).contiguous()


def _push_directions(clearance: Tensor, cell_m: float) -> tuple[Tensor, Tensor]:
    """Returns along x and y how far to move for each metre of clearance to gain, (L, H, W) each."""
    along_x, along_y = torch.zeros_like(clearance), torch.zeros_like(clearance)
    if clearance.shape[2] > 1:
        along_x = torch.gradient(clearance, spacing=cell_m, dim=2)[0]
    if clearance.shape[1] > 1:
        along_y = torch.gradient(clearance, spacing=cell_m, dim=1)[0]
    steep = (along_x.square() + along_y.square()).clamp(min=FLATTEST * FLATTEST)
    return along_x / steep, along_y / steep


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
