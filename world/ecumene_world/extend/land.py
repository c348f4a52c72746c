"""Land: what of a world is built upon or walked, seen from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.compiler import rows as rows_module
from ecumene_world.compiler import solids
from ecumene_world.compiler.raster import Floats, Ints, Raster, polygon_patch
from ecumene_world.compiler.rows import Rows
from ecumene_world.compiler.surfaces import outline
from ecumene_world.graph import SceneGraph
from ecumene_world.grid import Surface
from ecumene_world.kinds import Category
from ecumene_world.layout import Layout

STEP_M: Final = 0.5
MAX_CELLS: Final = 8_000_000
"""A wider world is looked at more coarsely."""
_GROUPS: Final = {"world", "place", "room"}
_OUTDOORS: Final = (Surface.STREET, Surface.SQUARE, Surface.LAWN, Surface.GROUND)


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """A world from above.

    Attributes:
        layout: The world, compiled.
        raster: H × W cells; they reach beyond the world.
        owner: (H, W) 1 + the row of what lies there, 0 where nothing does; bare ground counts as nothing.
        walked: (H, W) where somebody can walk already, bare ground included.
        names: Node names by row.
    """

    layout: Layout
    raster: Raster
    owner: NDArray[np.int32]
    walked: NDArray[np.bool_]
    names: tuple[str, ...]

    @classmethod
    def of(cls, graph: SceneGraph, layout: Layout, margin_m: float = 0.0) -> Land:
        """Returns the land of a world and of so much around it."""
        table = rows_module.flattened(graph)
        shapes = footprints(table, graph)
        corners = np.concatenate([polygon for _, polygon in shapes])
        x0, y0, x1, y1 = layout.bounds
        low, high = np.minimum(corners.min(0), (x0, y0)) - margin_m, np.maximum(corners.max(0), (x1, y1)) + margin_m
        step = max(STEP_M, float(np.sqrt(np.prod(high - low) / MAX_CELLS)))
        width, height = (np.ceil((high - low) / step) + 1).astype(int).tolist()
        raster = Raster((float(low[0]), float(low[1])), step, height, width)
        owner = np.zeros(raster.shape, np.int32)
        for row, polygon in shapes:
            patch = polygon_patch(raster, polygon)
            if patch is not None:
                owner[patch.window][patch.inside] = row + 1
        iy, ix = np.mgrid[0:height, 0:width]
        walked = sampled(layout, layout.surface.numpy() != Surface.NONE, raster.position(iy, ix), outside=False)
        return cls(layout, raster, owner, walked, tuple(node.name for node in table.nodes))

    @staticmethod
    def extents(graph: SceneGraph) -> tuple[float, float]:
        """Returns the extents along x and y of all that lies in a world, metres."""
        low, high = bounds_of(graph)
        return float(high[0] - low[0]), float(high[1] - low[1])

    @property
    def taken(self) -> NDArray[np.bool_]:
        """(H, W) where something is built, or walked."""
        return (self.owner > 0) | self.walked

    def in_the_way(self, xy: Floats) -> NDArray[np.bool_]:
        """Tells for points (n, 2) whether something keeps one from walking there, be it ground yet or not."""
        iy, ix = self.raster.nearest(xy)
        bare = ~self.walked[iy, ix] & (self.owner[iy, ix] > 0)
        return bare | obstructed(self.layout, xy)


def bounds_of(graph: SceneGraph) -> tuple[Floats, Floats]:
    """Returns the lowest and the highest x, y (2,) of all that lies in a world, metres."""
    corners = np.concatenate([polygon for _, polygon in footprints(rows_module.flattened(graph), graph)])
    return corners.min(0), corners.max(0)


def footprints(table: Rows, graph: SceneGraph) -> list[tuple[int, Floats]]:
    """Returns row and outline (n, 2) of everything but bare ground; what is furnished counts as a square around it."""
    found = []
    for row, (node, asset) in enumerate(zip(table.nodes, solids.assets_of(table), strict=True)):
        if node.kind in _GROUPS or node.kind == "ground":
            continue
        polygon = table.polygon(row)
        if polygon is None and node.kind in ("stairs", "ramp", "floor", "street", "square", "lawn"):
            polygon = outline(table, graph, row)
        if polygon is None:
            polygon = _square(table, graph, row, asset.size[:2] if asset is not None else (0.5, 0.5))
        found.append((row, polygon))
    return found


def _square(table: Rows, graph: SceneGraph, row: int, size: tuple[float, float]) -> Floats:
    mesh = table.nodes[row].attributes.get("mesh")
    if isinstance(mesh, str):
        points = table.points(row, np.asarray(graph.arrays[f"{mesh}/vertices"], np.float64))[:, :2]
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    reach = float(np.hypot(*size)) / 2 * float(table.scale[row])
    return table.position[row, :2] + reach * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])


def sampled(layout: Layout, field: NDArray[Any], xy: Floats, *, outside: float) -> NDArray[Any]:
    """Returns the value of a field (L, H, W) of the ground floor at points (..., 2), or `outside` beyond the grid."""
    (x0, y0), cell_m = layout.origin, layout.cell_m
    ix: Ints = np.rint((xy[..., 0] - x0) / cell_m).astype(np.int64)
    iy: Ints = np.rint((xy[..., 1] - y0) / cell_m).astype(np.int64)
    height, width = field.shape[1:]
    within = (ix >= 0) & (ix < width) & (iy >= 0) & (iy < height)
    found = field[0, iy.clip(0, height - 1), ix.clip(0, width - 1)]
    return np.asarray(np.where(within, found, outside))


def obstructed(layout: Layout, xy: Floats, room_m: float = 0.3) -> NDArray[np.bool_]:
    """Tells for points (..., 2) whether an obstacle, not merely the edge of what can be walked, is nearer than that."""
    near = sampled(layout, layout.clearance.numpy(), xy, outside=9.0) < room_m
    solid = sampled(layout, layout.near_category.numpy(), xy, outside=int(Category.SKY)) != int(Category.SKY)
    walked = sampled(layout, layout.surface.numpy(), xy, outside=0) != Surface.NONE
    return np.asarray(near & solid & walked)


def open_air(layout: Layout, xy: Floats) -> NDArray[np.bool_]:
    """Tells for points (..., 2) whether they lie on ground under the open sky."""
    return np.isin(sampled(layout, layout.surface.numpy(), xy, outside=0), [int(each) for each in _OUTDOORS])
