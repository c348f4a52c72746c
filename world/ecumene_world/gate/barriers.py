"""Barriers: the fewest things that stand between walled-off floor and where avatars appear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from ecumene_world.compiler.clearance import HEADROOM_M, LOW_M
from ecumene_world.compiler.places import BODY_M
from ecumene_world.compiler.raster import Raster, Shapes, covered, polygon_patch
from ecumene_world.compiler.solids import Solids
from ecumene_world.gate.scene import Scene, is_placed
from ecumene_world.grid import Surface

_LEAST_NODES: Final = 3
"""Smaller pieces of floor are nobody's loss."""
_EACH_ROUND: Final = 40
"""Most pieces that are opened before looking again."""
_AROUND_M: Final = 2.5
"""How far around a piece of floor a way out of it is looked for."""
_STEP: Final = 0.01
"""What a step over free floor counts, against 1 and more for one over what stands there."""
_THING: Final = 0.3
"""What a thing counts beside its area, square metres, at each node that it blocks."""

Bools = NDArray[np.bool_]
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _Patch:
    """A window of one storey.

    Attributes:
        cost: (h, w) of crossing each node; infinite where that takes more than clearing things away.
        blocked: Nodes that things block, (n,) flat, and the node rows of these things, (n,).
    """

    cost: NDArray[np.float64]
    blocked: tuple[NDArray[np.int64], NDArray[np.int64]]


def barriers(scene: Scene, parts: NDArray[np.int32]) -> list[str]:
    """Returns the names of things without which pieces of floor could be reached, large pieces first.

    Args:
        scene: The world.
        parts: (L, H, W) which piece each node belongs to; 0 where nothing needs doing.
    """
    sizes = np.bincount(parts.ravel(), minlength=scene.home + 1)
    sizes[[0, scene.home]] = 0
    spans = find_objects(parts)
    placed = np.array([is_placed(node) for node in scene.rows.nodes], bool)
    found: dict[str, None] = {}
    for part in np.argsort(-sizes, kind="stable")[:_EACH_ROUND].tolist():
        if sizes[part] < _LEAST_NODES:
            break
        storey, window = _around(scene, parts, part, spans[part - 1])
        patch = _patch(scene, storey, window, placed)
        rows = _way_out(patch, parts[storey][window] == part, scene.reached[storey][window])
        found |= dict.fromkeys(scene.rows.nodes[row].name for row in rows)
    return list(found)


def _around(scene: Scene, parts: NDArray[np.int32], part: int, span: tuple[slice, slice, slice]) -> tuple[int, Window]:
    """Returns the storey on which most of a piece of floor lies, and a window about it."""
    storey = span[0].start + int((parts[span] == part).sum((1, 2)).argmax())
    margin = int(_AROUND_M / scene.layout.cell_m)
    rows, columns = (slice(max(0, s.start - margin), s.stop + margin) for s in span[1:])
    return storey, (rows, columns)


def _patch(scene: Scene, storey: int, window: Window, placed: Bools) -> _Patch:
    """Returns what it costs to cross each node of a window."""
    rows, columns = window
    free = scene.free[storey][window]
    x, y = scene.layout.origin
    step = scene.layout.cell_m
    raster = Raster((x + step * columns.start, y + step * rows.start), step, *free.shape)
    solids = _standing(scene, storey, raster)
    things = solids.take(placed[solids.row])
    area = 4 * things.shapes.half.prod(1) + _THING
    cost = np.zeros(free.shape)
    nodes, owners = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for iy, ix, thing in covered(raster, things.shapes, BODY_M):
        np.add.at(cost, (iy, ix), area[thing])
        nodes.append(iy * free.shape[1] + ix)
        owners.append(things.row[thing])
    there = scene.layout.surface[storey].numpy()[window] != Surface.NONE
    closed = ~there | (cost == 0) | _built(scene, raster, solids.take(~placed[solids.row]))
    cost = np.where(free, _STEP, np.where(closed, np.inf, cost))
    return _Patch(cost, (np.concatenate(nodes), np.concatenate(owners)))


def _standing(scene: Scene, storey: int, raster: Raster) -> Solids:
    """Returns the solids in and about a window that a body on a storey bumps into."""
    centre, high = scene.solids.shapes.centre, np.hypot(*scene.solids.shapes.half.T) + BODY_M
    low = np.array(raster.origin)
    end = low + raster.step_m * np.array([raster.width - 1, raster.height - 1])
    near = ((centre + high[:, None] >= low) & (centre - high[:, None] <= end)).all(1)
    solids = scene.solids.take(near)
    iy, ix = scene.index(solids.shapes.centre)
    floor = scene.layout.floor[storey].numpy()[iy, ix]
    return solids.take((solids.low < floor + HEADROOM_M) & (solids.high > floor + LOW_M))


def _built(scene: Scene, raster: Raster, walls: Solids) -> Bools:
    """Returns (h, w) which nodes of a window no body can be at because of what is built."""
    closed = np.zeros(raster.shape, bool)
    sides = [Shapes.segments(block.polygon, np.roll(block.polygon, -1, 0)) for block in scene.blocks]
    for shapes in (walls.shapes, Shapes.joined(sides)):
        for iy, ix, _ in covered(raster, shapes, BODY_M):
            closed[iy, ix] = True
    for block in scene.blocks:
        inside = polygon_patch(raster, block.polygon)
        if inside is not None:
            closed[inside.window] |= inside.inside
    return closed


def _way_out(patch: _Patch, start: Bools, reached: Bools) -> list[int]:
    """Returns the node rows of what stands on the cheapest way from some nodes to what is reached; none without one."""
    passable = np.isfinite(patch.cost)
    number = np.arange(start.size).reshape(start.shape)
    first, second = [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        both = passable[a] & passable[b]
        first += [number[a][both], number[b][both]]
        second += [number[b][both], number[a][both]]
    source, target = np.concatenate(first), np.concatenate(second)
    graph = coo_array((patch.cost.ravel()[target], (source, target)), (start.size, start.size)).tocsr()
    far, before, _ = dijkstra(graph, indices=np.flatnonzero(start), return_predecessors=True, min_only=True)
    ends = np.flatnonzero(reached.ravel() & np.isfinite(far))
    if not len(ends):
        return []
    node, way = int(ends[far[ends].argmin()]), list[int]()
    while node >= 0:
        way.append(node)
        node = int(before[node])
    nodes, owners = patch.blocked
    crossed = np.isin(nodes, [node for node in way if patch.cost.flat[node] > _STEP])
    return sorted(set(owners[crossed].tolist()))
