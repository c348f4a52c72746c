"""Support: whether everything stands on something, hangs on a wall, or floats."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.compiler.raster import Floats
from ecumene_world.gate.scene import Scene, is_placed
from ecumene_world.grid import Surface

GAP_M: Final = 0.06
"""A thing may stand this far above or in what bears it."""
_REACH_M: Final = 0.3
"""What hangs has a wall within this of the middle of its back."""
HUNG: Final = frozenset({"painting", "alarm_button", "window", "blackboard"})
_SHRUNK: Final = 0.9


def floating(scene: Scene) -> list[str]:
    """Returns the names of placed things that float, sink, hang on nothing or stand off the floor."""
    resting = {r.subject: r.object for r in scene.graph.relations() if r.relation == "on"}
    lost = []
    for row, node in enumerate(scene.rows.nodes):
        if row == 0 or not is_placed(node) or scene.assets[row] is None:
            continue
        if node.name in resting:
            held = _held(scene, row, scene.row[resting[node.name]])
        elif node.kind in HUNG:
            held = _hangs(scene, row)
        else:
            held = _stands(scene, row)
        if not held:
            lost.append(node.name)
    return lost


def _held(scene: Scene, row: int, under: int) -> bool:
    """Tells whether a thing stands on the top of another."""
    asset = scene.assets[under]
    if asset is None:
        return _stands(scene, row)
    at, base = scene.rows.position[row], scene.rows.position[under]
    scale = float(scene.rows.scale[under])
    c, s = np.cos(scene.rows.yaw[under]), np.sin(scene.rows.yaw[under])
    dx, dy = at[:2] - base[:2]
    local = np.array([c * dx + s * dy, c * dy - s * dx]) / scale
    tops = [asset.size[2], *(c.centre[2] + c.size[2] / 2 for c in asset.colliders)]
    within = bool((np.abs(local) <= np.array(asset.size[:2]) / 2 + 0.05).all())
    return within and any(abs(at[2] - base[2] - top * scale) <= GAP_M for top in tops)


def _hangs(scene: Scene, row: int) -> bool:
    """Tells whether a wall stands behind the middle of a thing's back, at its height."""
    at = scene.rows.position[row]
    solids = scene.walls
    tall = (solids.low < at[2]) & (solids.high > at[2])
    near = tall & (np.abs(solids.shapes.centre - at[:2]).max(1) <= solids.shapes.half.max(1) + 1.0)
    found = np.flatnonzero(near)
    if len(found) and float(solids.shapes.distance(found, np.tile(at[:2], (len(found), 1))).min()) <= _REACH_M:
        return True
    for block in scene.blocks:
        if block.low < at[2] < block.high and _edge_distance(block.polygon, at[:2]) <= _REACH_M:
            return True
    return False


def _stands(scene: Scene, row: int) -> bool:
    """Tells whether something to walk on lies under a thing's corners, at its height under its middle."""
    asset = scene.assets[row]
    assert asset is not None, "only things with an asset are asked about"
    level = min(int(scene.rows.level[row]), scene.layout.levels - 1)
    boxes = asset.colliders
    if boxes:
        low = np.min([[c.centre[0] - c.size[0] / 2, c.centre[1] - c.size[1] / 2] for c in boxes], axis=0)
        high = np.max([[c.centre[0] + c.size[0] / 2, c.centre[1] + c.size[1] / 2] for c in boxes], axis=0)
    else:
        low, high = -np.array(asset.size[:2]) / 2, np.array(asset.size[:2]) / 2
    middle, half = (low + high) / 2, (high - low) / 2 * _SHRUNK
    local = np.array([[x, y, 0.0] for x, y in [middle, *(middle + half * corner for corner in _CORNERS)]])
    points = scene.rows.points(row, local)[:, :2]
    there, heights = _ground(scene, level, points)
    if not there.any(1).all():
        return False
    return bool((np.abs(heights[0][there[0]] - scene.rows.position[row, 2]) <= GAP_M).any())


_CORNERS: Final = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
_AROUND: Final = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def _ground(scene: Scene, level: int, points: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Returns (n, 9) whether there is a surface at the grid nodes about points (n, 2), and how high it is, metres."""
    surface, floor = scene.layout.surface[level].numpy(), scene.layout.floor[level].numpy()
    iy, ix = scene.index(points)
    height, width = surface.shape
    rows = np.stack([(iy + dy).clip(0, height - 1) for dy, _ in _AROUND], 1)
    columns = np.stack([(ix + dx).clip(0, width - 1) for _, dx in _AROUND], 1)
    return surface[rows, columns] != Surface.NONE, floor[rows, columns].astype(np.float64)


def _edge_distance(ring: Floats, point: Floats) -> float:
    a, b = ring, np.roll(ring, -1, 0)
    along = b - a
    share = (((point - a) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9)).clip(0, 1)
    return float(np.hypot(*(a + along * share[:, None] - point).T).min())
