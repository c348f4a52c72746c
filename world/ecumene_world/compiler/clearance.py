"""Clearance: how far the nearest obstacle is, what it is and how high, at every node of the walkable grid.

Obstacles are stamped on a raster of half the grid's spacing, each cell remembering which solid it belongs to. A
feature transform finds the nearest stamped cell; the distance to the solid itself is then computed exactly, so thin
and turned walls lose nothing to the raster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ecumene_world.compiler.raster import Floats, Ints, Patch, Raster, Shapes, covered, polygon_patch
from ecumene_world.compiler.rows import Rows
from ecumene_world.compiler.solids import Block, Cloud, Solids, category_of
from ecumene_world.compiler.surfaces import STEP_M, Ground
from ecumene_world.grid import Surface
from ecumene_world.kinds import Category

_T = TypeVar("_T", bound=np.generic)

HEADROOM_M: Final = 2.0
"""What hangs at least this high above the floor is walked under."""
LOW_M: Final = 0.2
"""What rises at most this high above the floor is stepped over."""
TALL_M: Final = 1.5
"""What rises at least this high above the floor hides what is behind it."""
FAR_M: Final = 200.0
"""Distances end here."""

_AREA: Final = -1
"""Label of obstacle cells that belong to no solid: footprints, steps, meshes."""
_EDGE: Final = -2
"""Label of cells without an obstacle, but without anything to walk on either."""
_FREE: Final = -3


@dataclass(frozen=True, slots=True)
class Field:
    """Nearest obstacles at the nodes of one storey of the coarse grid, each (H, W).

    Attributes:
        distance: Signed, metres; negative inside.
        top: World z of the obstacle's top, metres.
        category: `Category` of the obstacle.
    """

    distance: NDArray[np.float32]
    top: NDArray[np.float32]
    category: NDArray[np.uint8]


@dataclass(slots=True)
class Canvas:
    """Obstacles of one storey stamped on the fine raster, each (H, W).

    Attributes:
        label: i32 index into `shapes`, or one of the negative labels above.
        top: f32 world z of the top, metres.
        category: u8 `Category`.
        tall: Whether it rises `TALL_M` above the floor.
        inside: Whether it lies in the footprint of a block.
        walkable: Whether there is something to walk on.
        shapes: Every solid that a label can name.
    """

    label: NDArray[np.int32]
    top: NDArray[np.float32]
    category: NDArray[np.uint8]
    tall: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    walkable: NDArray[np.bool_]
    shapes: Shapes


def stamped(ground: Ground, level: int, rows: Rows, solids: Solids, blocks: list[Block], clouds: list[Cloud]) -> Canvas:
    """Returns the obstacles of one storey on the fine raster; where several overlap, the tallest counts."""
    raster, floor, walkable = ground.raster, ground.floor[level], ground.surface[level] != Surface.NONE
    category = category_of(rows)
    own = rows.level == level
    structure = category == Category.BUILDING
    here = (own | structure)[solids.row]
    solids = solids.take(here & _in_the_way(ground, level, rows, solids))
    solids = solids.take(np.argsort(solids.high, kind="stable"))
    walls = [block for block in blocks if own[block.row] or structure[block.row]]
    edges = [_edges(block) for block in walls]
    shapes = _joined([solids.shapes, *edges])
    canvas = _blank(raster, walkable, floor, shapes)
    _stamp_blocks(canvas, ground, level, walls, edges, len(solids), category)
    _stamp_clouds(canvas, ground, level, [cloud for cloud in clouds if own[cloud.row]], category)
    _stamp_solids(canvas, ground, level, solids, category)
    _stamp_steps(canvas, ground, level)
    return canvas


def clearance_field(canvas: Canvas, raster: Raster) -> Field:
    """Returns signed distances to the nearest obstacle or edge of the walkable area."""
    blocked = canvas.label != _FREE
    field = _nearest(canvas, raster, blocked)
    distance, inside = field.distance, canvas.inside[::2, ::2]
    distance = np.where(inside, -np.abs(distance), distance)
    depth = (_cell_distance(~blocked, raster) - raster.step_m / 2).clip(0)
    vague = blocked[::2, ::2] & ((canvas.label[::2, ::2] < 0) | ~canvas.walkable[::2, ::2])
    distance = np.where(vague, np.minimum(distance, -depth), distance)
    return Field(distance.astype(np.float32), field.top, field.category)


def tall_field(canvas: Canvas, raster: Raster) -> Field:
    """Returns distances to the nearest tall obstacle; `FAR_M` and SKY where the storey has none."""
    return _nearest(canvas, raster, canvas.tall)


def _blank(raster: Raster, walkable: NDArray[np.bool_], floor: NDArray[np.float32], shapes: Shapes) -> Canvas:
    label = np.where(walkable, np.int32(_FREE), np.int32(_EDGE))
    category = np.zeros(raster.shape, np.uint8)
    tall, inside = np.zeros(raster.shape, bool), np.zeros(raster.shape, bool)
    return Canvas(label, floor.copy(), category, tall, inside, walkable, shapes)


def _in_the_way(ground: Ground, level: int, rows: Rows, solids: Solids) -> NDArray[np.bool_]:
    """Tells which solids (M,) an upright body on this storey would bump into."""
    iy, ix = ground.raster.nearest(solids.shapes.centre)
    base = np.where(
        ground.surface[level, iy, ix] != Surface.NONE, ground.floor[level, iy, ix], rows.position[solids.row, 2]
    )
    return np.asarray((solids.low < base + HEADROOM_M) & (solids.high > base + LOW_M))


def _edges(block: Block) -> Shapes:
    """Returns the sides of a block as boxes without thickness."""
    after = np.roll(block.polygon, -1, 0)
    along = after - block.polygon
    length = np.hypot(along[:, 0], along[:, 1])
    half = np.stack([length / 2, np.zeros(len(length))], 1)
    yaw = np.arctan2(along[:, 1], along[:, 0])
    return Shapes((block.polygon + after) / 2, half, yaw, np.zeros(len(length), bool))


def _joined(parts: list[Shapes]) -> Shapes:
    return Shapes(
        np.concatenate([part.centre for part in parts]),
        np.concatenate([part.half for part in parts]),
        np.concatenate([part.yaw for part in parts]),
        np.concatenate([part.round for part in parts]),
    )


def _stamp_blocks(
    canvas: Canvas,
    ground: Ground,
    level: int,
    blocks: list[Block],
    edges: list[Shapes],
    first: int,
    category: NDArray[np.uint8],
) -> None:
    """Stamps footprints: their inside, then their sides; lower ones first."""
    starts = first + np.cumsum([0, *(len(sides) for sides in edges)])
    for at in sorted(range(len(blocks)), key=lambda index: blocks[index].high):
        block = blocks[at]
        patch = polygon_patch(ground.raster, block.polygon)
        base = _base(ground, level, block.polygon, block.low)
        if block.low >= base + HEADROOM_M or block.high <= base + LOW_M:
            continue
        tall = block.high - base >= TALL_M
        if patch is not None:
            _paint(canvas, patch, _AREA, block.high, category[block.row], tall=tall)
        for iy, ix, side in covered(ground.raster, edges[at], _band(ground.raster)):
            canvas.label[iy, ix] = starts[at] + side
            canvas.top[iy, ix], canvas.category[iy, ix] = block.high, category[block.row]
            canvas.tall[iy, ix] = tall


def _base(ground: Ground, level: int, polygon: Floats, otherwise: float) -> float:
    """Returns the height of the ground under a footprint, measured at its corners."""
    iy, ix = ground.raster.nearest(polygon)
    there = ground.surface[level, iy, ix] != Surface.NONE
    return float(ground.floor[level, iy, ix][there].mean()) if there.any() else otherwise


def _paint(canvas: Canvas, patch: Patch, label: int, top: float, category: int, *, tall: bool) -> None:
    canvas.label[patch.window][patch.inside] = label
    canvas.top[patch.window][patch.inside] = top
    canvas.category[patch.window][patch.inside] = category
    canvas.tall[patch.window][patch.inside] = tall
    canvas.inside[patch.window] |= patch.inside


def _stamp_clouds(canvas: Canvas, ground: Ground, level: int, clouds: list[Cloud], category: NDArray[np.uint8]) -> None:
    """Stamps the parts of imported meshes that stand between step and head height."""
    for cloud in clouds:
        iy, ix = ground.raster.nearest(cloud.points[:, :2])
        above = cloud.points[:, 2] - ground.floor[level, iy, ix]
        hit = (above > LOW_M) & (above < HEADROOM_M)
        iy, ix, z = iy[hit], ix[hit], cloud.points[hit, 2].astype(np.float32)
        fresh = canvas.label[iy, ix] == _FREE
        canvas.top[iy[fresh], ix[fresh]] = -np.inf
        canvas.label[iy, ix] = _AREA
        np.maximum.at(canvas.top, (iy, ix), z)
        canvas.category[iy, ix] = category[cloud.row]
        canvas.tall[iy, ix] |= canvas.top[iy, ix] - ground.floor[level, iy, ix] >= TALL_M


def _stamp_solids(canvas: Canvas, ground: Ground, level: int, solids: Solids, category: NDArray[np.uint8]) -> None:
    """Stamps boxes and cylinders, sorted by height, over whatever is not higher."""
    for iy, ix, solid in covered(ground.raster, solids.shapes, _band(ground.raster)):
        over = (canvas.label[iy, ix] < _AREA) | (canvas.top[iy, ix] <= solids.high[solid])
        cells, which = (iy[over], ix[over]), solid[over]
        canvas.label[cells] = which
        canvas.top[cells] = solids.high[which]
        canvas.category[cells] = category[solids.row[which]]
        canvas.tall[cells] = solids.high[which] - ground.floor[level][cells] >= TALL_M


def _stamp_steps(canvas: Canvas, ground: Ground, level: int) -> None:
    """Stamps steps that are too high to climb, on their lower side, but never on stairs."""
    floor, surface = ground.floor[level], ground.surface[level]
    if not canvas.walkable.any() or np.ptp(floor[canvas.walkable]) <= STEP_M:
        return
    for axis in (0, 1):
        a, b = _pair(floor, axis)
        surfaces = _pair(surface, axis)
        steep = (np.abs(a - b) > STEP_M) & (surfaces[0] != Surface.NONE) & (surfaces[1] != Surface.NONE)
        cells = np.argwhere(steep)
        stairs = [side[steep] == Surface.STAIRS for side in surfaces]
        second = np.where(stairs[0] != stairs[1], stairs[0], b[steep] < a[steep])
        cells[:, axis] += second
        _stamp_step(canvas, cells, np.maximum(a, b)[steep], floor[cells[:, 0], cells[:, 1]])


def _stamp_step(canvas: Canvas, at: Ints, top: NDArray[np.float32], floor: NDArray[np.float32]) -> None:
    free = canvas.label[at[:, 0], at[:, 1]] == _FREE
    iy, ix = at[free].T
    canvas.label[iy, ix] = _AREA
    canvas.top[iy, ix] = top[free]
    canvas.category[iy, ix] = Category.WALL
    canvas.tall[iy, ix] = top[free] - floor[free] >= TALL_M


def _pair(field: NDArray[_T], axis: int) -> tuple[NDArray[_T], NDArray[_T]]:
    """Returns all nodes but the last, and all but the first, along an axis."""
    return (field[:-1], field[1:]) if axis == 0 else (field[:, :-1], field[:, 1:])


def _band(raster: Raster) -> float:
    """Returns how far from a solid cells still count as its own, so that no thin solid falls between nodes."""
    return 0.75 * raster.step_m


def _nearest(canvas: Canvas, raster: Raster, seeds: NDArray[np.bool_]) -> Field:
    """Returns the nearest seed cell's obstacle at every second node, with the exact distance to solids."""
    shape = seeds[::2, ::2].shape
    if not seeds.any():
        far = np.full(shape, FAR_M, np.float32)
        return Field(far, canvas.top[::2, ::2].copy(), np.zeros(shape, np.uint8))
    at = distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    iy, ix = at[0][::2, ::2], at[1][::2, ::2]
    here_y, here_x = np.mgrid[0 : seeds.shape[0] : 2, 0 : seeds.shape[1] : 2]
    cells = np.hypot(here_x - ix, here_y - iy) * raster.step_m
    distance = (cells - raster.step_m / 2).clip(0)
    label = canvas.label[iy, ix]
    solid = label >= 0
    xy = raster.position(here_y[solid], here_x[solid])
    distance[solid] = canvas.shapes.distance(label[solid].astype(np.int64), xy)
    return Field(distance.clip(max=FAR_M).astype(np.float32), canvas.top[iy, ix], canvas.category[iy, ix])


def _cell_distance(seeds: NDArray[np.bool_], raster: Raster) -> Floats:
    """Returns distances of every second node to the nearest seed cell's centre, metres."""
    if not seeds.any():
        return np.full(seeds[::2, ::2].shape, FAR_M)
    at = distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    y, x = np.mgrid[0 : seeds.shape[0] : 2, 0 : seeds.shape[1] : 2]
    distance = np.hypot(y - at[0][::2, ::2], x - at[1][::2, ::2]) * raster.step_m
    return np.asarray(distance.clip(max=FAR_M))
