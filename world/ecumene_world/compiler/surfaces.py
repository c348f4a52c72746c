"""Surfaces: what can be walked on, how high it is and where stairs lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.compiler.raster import Floats, Patch, Raster, polygon_patch
from ecumene_world.compiler.rows import Rows
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.grid import Surface
from ecumene_world.kinds import BY_CODE, Motion

SURFACE_OF: Final = {
    "ground": Surface.GROUND,
    "street": Surface.STREET,
    "square": Surface.SQUARE,
    "lawn": Surface.LAWN,
    "floor": Surface.FLOOR,
    "stairs": Surface.STAIRS,
    "ramp": Surface.STAIRS,
}
STEP_M: Final = 0.35
"""Highest step between neighbouring nodes that is walked over."""
_PROBE_M: Final = 0.4
"""How far beyond the top of stairs their landing is looked for."""


@dataclass(slots=True)
class Ground:
    """The walkable side of one fine raster of L storeys.

    Attributes:
        raster: Where its nodes are.
        floor: (L, H, W) f32 metres; 0 where there is nothing to walk on.
        surface: (L, H, W) u8 `Surface`.
        next_level: (L, H, W) i8 storey on which one continues.
        ramps: Polygons (4, 2) of the stairs and ramps with their storey.
    """

    raster: Raster
    floor: NDArray[np.float32]
    surface: NDArray[np.uint8]
    next_level: NDArray[np.int8]


def surface_rows(rows: Rows) -> list[int]:
    """Returns the rows of all surfaces, the general before the special: ground, open air, floors, stairs."""
    order = {"ground": 0, "floor": 2, "stairs": 3, "ramp": 3}
    found = [row for row, code in enumerate(rows.kind) if BY_CODE[int(code)].motion is Motion.SURFACE]
    shaped = [row for row in found if {"polygon", "size", "heights"} & rows.nodes[row].attributes.keys()]
    return sorted(shaped, key=lambda row: order.get(rows.nodes[row].kind, 1))


def outline(rows: Rows, graph: SceneGraph, row: int) -> Floats:
    """Returns the polygon (n, 2) of a surface seen from above, world frame, metres."""
    node = rows.nodes[row]
    if node.kind in ("stairs", "ramp"):
        length, width, _ = climb(node)
        corners = [[0, -width / 2, 0], [length, -width / 2, 0], [length, width / 2, 0], [0, width / 2, 0]]
        return rows.points(row, np.array(corners))[:, :2]
    polygon = rows.polygon(row)
    if polygon is not None:
        return polygon
    heights = node.attributes.get("heights")
    if isinstance(heights, str):
        step, (x0, y0) = terrain_frame(node)
        height, width = graph.arrays[heights].shape
        x1, y1 = x0 + step * (width - 1), y0 + step * (height - 1)
        return rows.points(row, np.array([[x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0]]))[:, :2]
    x, y, _ = _size(node)
    corners = [[-x / 2, -y / 2, 0], [x / 2, -y / 2, 0], [x / 2, y / 2, 0], [-x / 2, y / 2, 0]]
    return rows.points(row, np.array(corners))[:, :2]


def climb(node: Node) -> tuple[float, float, float]:
    """Returns length along +x, width and rise of stairs or a ramp, metres."""
    return _size(node)


def terrain_frame(node: Node) -> tuple[float, tuple[float, float]]:
    """Returns the spacing and the local position of the first node of a height field, metres."""
    step, origin = node.attributes.get("cell_m", 1.0), node.attributes.get("origin", [0.0, 0.0])
    assert isinstance(step, int | float) and isinstance(origin, list), "validated"  # noqa: PT018
    return float(step), (float(origin[0]), float(origin[1]))  # type: ignore[arg-type]


def laid(rows: Rows, graph: SceneGraph, raster: Raster, levels: int) -> Ground:
    """Returns the walkable surfaces of all storeys on a raster; special surfaces lie over general ones."""
    shape = (levels, *raster.shape)
    own = np.broadcast_to(np.arange(levels, dtype=np.int8)[:, None, None], shape).copy()
    ground = Ground(raster, np.zeros(shape, np.float32), np.zeros(shape, np.uint8), own)
    terrain: dict[int, NDArray[np.bool_]] = {}
    for row in surface_rows(rows):
        node = rows.nodes[row]
        patch = polygon_patch(raster, outline(rows, graph, row))
        if patch is None:
            continue
        level = int(rows.level[row])
        if node.kind in ("stairs", "ramp"):
            _lay_slope(ground, rows, row, patch)
        elif isinstance(node.attributes.get("heights"), str):
            _lay(ground, level, patch, SURFACE_OF[node.kind], terrain_height(rows, graph, row, raster, patch))
            terrain.setdefault(level, np.zeros(raster.shape, bool))[patch.window] |= patch.inside
        else:
            height = np.full(patch.inside.shape, rows.position[row, 2], np.float32)
            if level in terrain and SURFACE_OF[node.kind] in (Surface.STREET, Surface.SQUARE, Surface.LAWN):
                height = np.where(terrain[level][patch.window], ground.floor[level][patch.window], height)
            _lay(ground, level, patch, SURFACE_OF[node.kind], height)
    close_seams(ground)
    return ground


def close_seams(ground: Ground) -> None:
    """Fills, in place, bare nodes between two walkable ones that one could step between.

    Neighbouring surfaces whose corners were rounded may lie a millimetre apart; where a line of nodes falls into that
    seam, nobody could cross it.
    """
    for axis in (1, 2):
        surface, floor = np.moveaxis(ground.surface, axis, 0), np.moveaxis(ground.floor, axis, 0)
        seam = (surface[1:-1] == Surface.NONE) & (surface[:-2] != Surface.NONE) & (surface[2:] != Surface.NONE)
        at = np.nonzero(seam)
        before, after = (at[0], *at[1:]), (at[0] + 2, *at[1:])
        even = np.abs(floor[before] - floor[after]) < STEP_M
        middle = (at[0][even] + 1, *(index[even] for index in at[1:]))
        surface[middle], floor[middle] = surface[before][even], floor[before][even]


def lay_doorsteps(ground: Ground, doors: Floats, levels: NDArray[np.int64], heights: Floats) -> None:
    """Makes the ground in doorways walkable where no surface reaches into the wall.

    Args:
        ground: Changed in place.
        doors: (D, 2, 2) end points of the closed leaves, metres.
        levels: (D,) storeys.
        heights: (D,) z of the doorsteps, metres.
    """
    for (a, b), level, height in zip(doors, levels, heights, strict=True):
        along = b - a
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * 0.4
        patch = polygon_patch(ground.raster, np.stack([a - across, b - across, b + across, a + across]))
        if patch is not None:
            bare = patch.inside & (ground.surface[level][patch.window] == Surface.NONE)
            step = Patch(patch.rows, patch.columns, bare)
            _lay(ground, int(level), step, Surface.FLOOR, np.full(bare.shape, height, np.float32))


def terrain_height(rows: Rows, graph: SceneGraph, row: int, raster: Raster, patch: Patch) -> NDArray[np.float32]:
    """Returns (h, w) heights of a height field at a patch's nodes, bilinearly, its border carried on outside."""
    node = rows.nodes[row]
    heights = np.asarray(graph.arrays[str(node.attributes["heights"])], np.float64)
    step, origin = terrain_frame(node)
    iy, ix = np.mgrid[patch.rows, patch.columns]
    local = _local(rows, row, raster.position(iy, ix))
    u = ((local[..., 0] - origin[0]) / step).clip(0, heights.shape[1] - 1)
    v = ((local[..., 1] - origin[1]) / step).clip(0, heights.shape[0] - 1)
    x, y = (
        np.floor(u).astype(int).clip(max=heights.shape[1] - 2),
        np.floor(v).astype(int).clip(max=heights.shape[0] - 2),
    )
    fx, fy = u - x, v - y
    low = heights[y, x] * (1 - fx) + heights[y, x + 1] * fx
    high = heights[y + 1, x] * (1 - fx) + heights[y + 1, x + 1] * fx
    return np.asarray(rows.position[row, 2] + rows.scale[row] * (low * (1 - fy) + high * fy), np.float32)


def _lay(ground: Ground, level: int, patch: Patch, surface: Surface, height: NDArray[np.float32]) -> None:
    ground.floor[level][patch.window][patch.inside] = height[patch.inside]
    ground.surface[level][patch.window][patch.inside] = surface


def _lay_slope(ground: Ground, rows: Rows, row: int, patch: Patch) -> None:
    """Lays stairs or a ramp; with a landing one storey up, on both storeys, joined half way up."""
    node, level = rows.nodes[row], int(rows.level[row])
    length, _, rise = climb(node)
    iy, ix = np.mgrid[patch.rows, patch.columns]
    share = (_local(rows, row, ground.raster.position(iy, ix))[..., 0] / length).clip(0, 1)
    base = rows.position[row, 2]
    height = np.asarray(base + rows.scale[row] * rise * share, np.float32)
    lands = _lands_above(ground, rows, row)
    _lay(ground, level, patch, Surface.STAIRS, height)
    if lands:
        _lay(ground, level + 1, patch, Surface.STAIRS, height)
        for storey in (level, level + 1):
            onward = level + (share >= 0.5)
            ground.next_level[storey][patch.window][patch.inside] = onward[patch.inside]


def _lands_above(ground: Ground, rows: Rows, row: int) -> bool:
    """Tells whether stairs end at a surface of the next storey, at its height."""
    level = int(rows.level[row])
    if level + 1 >= len(ground.floor):
        return False
    length, _, rise = climb(rows.nodes[row])
    beyond = rows.points(row, np.array([[length + _PROBE_M / rows.scale[row], 0.0, 0.0]]))[0, :2]
    iy, ix = ground.raster.nearest(beyond)
    top = rows.position[row, 2] + rows.scale[row] * rise
    there = ground.surface[level + 1, iy, ix] != Surface.NONE
    return bool(there and abs(ground.floor[level + 1, iy, ix] - top) <= STEP_M)


def _local(rows: Rows, row: int, xy: Floats) -> Floats:
    """Returns points (..., 2) of the world in a node's upright frame."""
    offset = (xy - rows.position[row, :2]) / rows.scale[row]
    c, s = np.cos(rows.yaw[row]), np.sin(rows.yaw[row])
    return np.stack([c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]], -1)


def _size(node: Node) -> tuple[float, float, float]:
    size = node.attributes["size"]
    assert isinstance(size, list), "validated"
    x, y, z = (float(extent) for extent in size)  # type: ignore[arg-type]
    return x, y, z
