"""Clearance: how far the nearest obstacle is, what it is and how high, at every node of the walkable grid.

Obstacles are stamped on a raster of half the grid's spacing, each cell remembering which solid it belongs to. A
feature transform finds the nearest stamped cell; the distance to the solid itself is then computed exactly, so thin
and turned walls lose nothing to the raster.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ecumene_world.compiler.raster import Floats, Ints, Raster, Shapes, covered, polygon_patch
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
BESIDE_M: Final = 12.0
"""What is this far from all that is walked on is looked at only where nothing is nearer."""

_MUCH: Final = 0.6
"""A window that covers a larger share of the storey saves nothing."""

_AREA: Final = -1
"""Label of obstacle cells that belong to no solid: footprints, steps, meshes."""
_EDGE: Final = -2
"""Label of cells without an obstacle, but without anything to walk on either."""
_FREE: Final = -3

Bools = NDArray[np.bool_]
Cells = tuple[Ints, Ints]
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Everything solid in the scene, world frame.

    Attributes:
        solids: Boxes and cylinders.
        blocks: Footprints.
        clouds: Imported meshes.
    """

    solids: Solids
    blocks: list[Block]
    clouds: list[Cloud]


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

    def within(self, window: Window, shape: tuple[int, ...]) -> Field:
        """Returns this field, known in a window of a fine raster of some shape, carried on to the rest of it."""
        beyond = [
            (span.start // 2, (size + 1) // 2 - (span.stop + 1) // 2) for span, size in zip(window, shape, strict=True)
        ]
        return Field(
            np.pad(self.distance, beyond, "edge"),
            np.pad(self.top, beyond, "edge"),
            np.pad(self.category, beyond, "edge"),
        )


@dataclass(slots=True)
class Canvas:
    """Obstacles of one storey stamped on the fine raster, each (H, W).

    Attributes:
        raster: Where its cells are.
        floor: f32 height of what is walked on, metres.
        walkable: Whether there is something to walk on.
        label: i32 index into `shapes`, or one of the negative labels above.
        top: f32 world z of the top, metres.
        category: u8 `Category`.
        tall: Whether it rises `TALL_M` above the floor.
        inside: Whether it lies in a solid or footprint, not just near one.
        shapes: Every solid that a label can name.
    """

    raster: Raster
    floor: NDArray[np.float32]
    walkable: Bools
    label: NDArray[np.int32]
    top: NDArray[np.float32]
    category: NDArray[np.uint8]
    tall: Bools
    inside: Bools
    shapes: Shapes

    @classmethod
    def blank(cls, ground: Ground, level: int, shapes: Shapes) -> Canvas:
        """Returns a storey without obstacles."""
        walkable, floor, shape = ground.surface[level] != Surface.NONE, ground.floor[level], ground.raster.shape
        label = np.where(walkable, np.int32(_FREE), np.int32(_EDGE))
        category, tall, inside = np.zeros(shape, np.uint8), np.zeros(shape, bool), np.zeros(shape, bool)
        return cls(ground.raster, floor, walkable, label, floor.copy(), category, tall, inside, shapes)

    def window(self) -> Window:
        """Returns the part that is walked on and `BESIDE_M` around it, from even rows and columns on; or everything."""
        margin = 2 * ceil(BESIDE_M / self.raster.step_m / 2)
        spans = []
        for axis, size in enumerate(self.walkable.shape):
            there = np.flatnonzero(self.walkable.any(1 - axis))
            low, high = (int(there[0]), int(there[-1])) if len(there) else (0, size)
            spans.append(slice(max(0, low // 2 * 2 - margin), min(size, high + margin)))
        window = spans[0], spans[1]
        return window if self.label[window].size < _MUCH * self.label.size else (slice(0, None), slice(0, None))

    def cut(self, window: Window) -> Canvas:
        """Returns a window of this canvas, which shares its arrays; itself for all of it."""
        rows, columns = window
        if rows.stop is None:
            return self
        x, y = self.raster.origin
        step = self.raster.step_m
        raster = Raster((x + step * columns.start, y + step * rows.start), step, *self.label[window].shape)
        return Canvas(
            raster,
            self.floor[window],
            self.walkable[window],
            self.label[window],
            self.top[window],
            self.category[window],
            self.tall[window],
            self.inside[window],
            self.shapes,
        )

    @property
    def band_m(self) -> float:
        """How far from a solid cells still count as its own, so that no thin solid falls between nodes."""
        return 0.75 * self.raster.step_m


def stamped(ground: Ground, level: int, rows: Rows, obstacles: Obstacles) -> Canvas:
    """Returns the obstacles of one storey on the fine raster; where several overlap, the tallest counts.

    Walls and buildings are in the way on every storey that they reach, other things on their own only.
    """
    category = category_of(rows)
    own = rows.level == level
    here = own | (category == Category.BUILDING) | (category == Category.WALL)
    lowest = _lowest(ground, level)
    solids = obstacles.solids.take(here[obstacles.solids.row])
    solids = solids.take(_in_the_way(ground, level, solids, np.where(own, rows.position[:, 2], lowest)[solids.row]))
    solids = solids.take(np.argsort(solids.high, kind="stable"))
    blocks = sorted((block for block in obstacles.blocks if here[block.row]), key=lambda block: block.high)
    bases = [_base(ground, level, block.polygon, block.low if own[block.row] else lowest) for block in blocks]
    standing = [
        (block, base)
        for block, base in zip(blocks, bases, strict=True)
        if block.low < base + HEADROOM_M and block.high > base + LOW_M
    ]
    edges = [_edges(block) for block, _ in standing]
    canvas = Canvas.blank(ground, level, Shapes.joined([solids.shapes, *edges]))
    first = len(solids)
    for (block, base), sides in zip(standing, edges, strict=True):
        _stamp_block(canvas, block, sides, first, int(category[block.row]), tall=block.high - base >= TALL_M)
        first += len(sides)
    for cloud in obstacles.clouds:
        if own[cloud.row]:
            _stamp_cloud(canvas, cloud, int(category[cloud.row]))
    _stamp_solids(canvas, solids, category[solids.row])
    _stamp_steps(canvas, ground.surface[level])
    return canvas


def fields(canvas: Canvas) -> tuple[Field, Field]:
    """Returns `clearance_field` and `tall_field`; nodes far from all that is walked on get what others have.

    A storey that is walked on in a few houses only costs what these do.
    """
    window = canvas.window()
    part = canvas.cut(window)
    near, tall = clearance_field(part), tall_field(part)
    if part is canvas:
        return near, tall
    known = part.walkable[::2, ::2]
    furthest = max(float(field.distance[known].max(initial=0.0)) for field in (near, tall))
    if furthest > BESIDE_M:
        return clearance_field(canvas), tall_field(canvas)
    return near.within(window, canvas.label.shape), tall.within(window, canvas.label.shape)


def clearance_field(canvas: Canvas) -> Field:
    """Returns signed distances to the nearest obstacle or edge of the walkable area."""
    field = _nearest(canvas, canvas.label != _FREE)
    inside = canvas.inside | ~canvas.walkable | (canvas.label == _AREA)
    depth = (_cell_distance(~inside, canvas.raster) - canvas.raster.step_m / 2).clip(0)
    within = np.where(canvas.inside[::2, ::2], np.maximum(np.abs(field.distance), depth), depth)
    distance = np.where(inside[::2, ::2], -within, field.distance)
    return Field(distance.astype(np.float32), field.top, field.category)


def tall_field(canvas: Canvas) -> Field:
    """Returns distances to the nearest tall obstacle; `FAR_M` and SKY where the storey has none."""
    return _nearest(canvas, canvas.tall)


def _lowest(ground: Ground, level: int) -> float:
    """Returns the height of the lowest floor of a storey, metres."""
    there = ground.surface[level] != Surface.NONE
    return float(ground.floor[level][there].min()) if there.any() else 0.0


def _in_the_way(ground: Ground, level: int, solids: Solids, otherwise: Floats) -> Bools:
    """Tells which solids (M,) an upright body on a storey would bump into.

    Args:
        ground: What is walked on.
        level: The storey.
        solids: M of them.
        otherwise: (M,) height of the ground for solids that stand beside it, metres.
    """
    iy, ix = ground.raster.nearest(solids.shapes.centre)
    base = np.where(ground.surface[level, iy, ix] != Surface.NONE, ground.floor[level, iy, ix], otherwise)
    return np.asarray((solids.low < base + HEADROOM_M) & (solids.high > base + LOW_M))


def _base(ground: Ground, level: int, polygon: Floats, otherwise: float) -> float:
    """Returns the height of the ground under a footprint, measured at its corners."""
    iy, ix = ground.raster.nearest(polygon)
    there = ground.surface[level, iy, ix] != Surface.NONE
    return float(ground.floor[level, iy, ix][there].mean()) if there.any() else otherwise


def _edges(block: Block) -> Shapes:
    """Returns the sides of a block as boxes without thickness."""
    return Shapes.segments(block.polygon, np.roll(block.polygon, -1, 0))


def _stamp_block(canvas: Canvas, block: Block, sides: Shapes, first: int, category: int, *, tall: bool) -> None:
    """Stamps a footprint: its inside, then its sides, which are labelled from `first` on."""
    patch = polygon_patch(canvas.raster, block.polygon)
    if patch is not None:
        iy, ix = np.nonzero(patch.inside)
        cells = (iy + patch.rows.start, ix + patch.columns.start)
        _mark(canvas, cells, _AREA, block.high, category, tall)
        canvas.inside[cells] = True
    for iy, ix, side in covered(canvas.raster, sides, canvas.band_m):
        _mark(canvas, (iy, ix), first + side, block.high, category, tall)


def _stamp_cloud(canvas: Canvas, cloud: Cloud, category: int) -> None:
    """Stamps those parts of an imported mesh that stand between step and head height."""
    iy, ix = canvas.raster.nearest(cloud.points[:, :2])
    above = cloud.points[:, 2] - canvas.floor[iy, ix]
    hit = (above > LOW_M) & (above < HEADROOM_M)
    cells, z = (iy[hit], ix[hit]), cloud.points[hit, 2].astype(np.float32)
    fresh = canvas.label[cells] <= _EDGE
    canvas.top[cells[0][fresh], cells[1][fresh]] = -np.inf
    np.maximum.at(canvas.top, cells, z)
    canvas.label[cells], canvas.category[cells] = _AREA, category
    canvas.tall[cells] |= canvas.top[cells] - canvas.floor[cells] >= TALL_M


def _stamp_solids(canvas: Canvas, solids: Solids, category: NDArray[np.uint8]) -> None:
    """Stamps boxes and cylinders, sorted by height, over whatever is not higher."""
    for iy, ix, solid in covered(canvas.raster, solids.shapes, canvas.band_m):
        high = solids.high[solid]
        within = solids.shapes.distance(solid, canvas.raster.position(iy, ix)) <= 0
        canvas.inside[iy[within], ix[within]] = True
        over = (canvas.label[iy, ix] <= _EDGE) | (canvas.top[iy, ix] <= high)
        cells, which, high = (iy[over], ix[over]), solid[over], high[over]
        _mark(canvas, cells, which, high, category[which], high - canvas.floor[cells] >= TALL_M)


def _stamp_steps(canvas: Canvas, surface: NDArray[np.uint8]) -> None:
    """Stamps steps that are too high to climb, on their lower side, but never on stairs."""
    if not canvas.walkable.any() or np.ptp(canvas.floor[canvas.walkable]) <= STEP_M:
        return
    for axis in (0, 1):
        a, b = _pair(canvas.floor, axis)
        walkable, surfaces = _pair(canvas.walkable, axis), _pair(surface, axis)
        steep = (np.abs(a - b) > STEP_M) & walkable[0] & walkable[1]
        stairs = [side[steep] == Surface.STAIRS for side in surfaces]
        second = np.where(stairs[0] != stairs[1], stairs[0], b[steep] < a[steep])
        iy, ix = np.nonzero(steep)
        iy, ix = (iy + second, ix) if axis == 0 else (iy, ix + second)
        free = canvas.label[iy, ix] == _FREE
        cells, top = (iy[free], ix[free]), np.maximum(a, b)[steep][free]
        _mark(canvas, cells, _AREA, top, int(Category.WALL), top - canvas.floor[cells] >= TALL_M)


def _mark(
    canvas: Canvas,
    cells: Cells,
    label: Ints | int,
    top: NDArray[np.floating] | float,
    category: NDArray[np.uint8] | int,
    tall: Bools | bool,
) -> None:
    canvas.label[cells] = label
    canvas.top[cells] = top
    canvas.category[cells] = category
    canvas.tall[cells] = tall


def _pair(field: NDArray[_T], axis: int) -> tuple[NDArray[_T], NDArray[_T]]:
    """Returns all nodes but the last, and all but the first, along an axis."""
    return (field[:-1], field[1:]) if axis == 0 else (field[:, :-1], field[:, 1:])


def _nearest(canvas: Canvas, seeds: Bools) -> Field:
    """Returns the nearest seed cell's obstacle at every second node, with the exact distance to solids."""
    shape = seeds[::2, ::2].shape
    if not seeds.any():
        far = np.full(shape, FAR_M, np.float32)
        return Field(far, canvas.top[::2, ::2].copy(), np.zeros(shape, np.uint8))
    iy, ix = distance_transform_edt(~seeds, return_distances=False, return_indices=True)[:, ::2, ::2]
    here_y, here_x = np.mgrid[0 : seeds.shape[0] : 2, 0 : seeds.shape[1] : 2]
    cells = np.hypot(here_x - ix, here_y - iy) * canvas.raster.step_m
    distance = (cells - canvas.raster.step_m / 2).clip(0)
    label = canvas.label[iy, ix]
    solid = label >= 0
    xy = canvas.raster.position(here_y[solid], here_x[solid])
    distance[solid] = canvas.shapes.distance(label[solid].astype(np.int64), xy)
    return Field(distance.clip(max=FAR_M).astype(np.float32), canvas.top[iy, ix], canvas.category[iy, ix])


def _cell_distance(seeds: Bools, raster: Raster) -> Floats:
    """Returns distances of every second node to the nearest seed cell's centre, metres."""
    if not seeds.any():
        return np.full(seeds[::2, ::2].shape, FAR_M)
    iy, ix = distance_transform_edt(~seeds, return_distances=False, return_indices=True)[:, ::2, ::2]
    y, x = np.mgrid[0 : seeds.shape[0] : 2, 0 : seeds.shape[1] : 2]
    return np.asarray((np.hypot(y - iy, x - ix) * raster.step_m).clip(max=FAR_M))
