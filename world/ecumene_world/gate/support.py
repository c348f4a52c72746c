"""Support: whether everything stands on something, hangs on a wall, or floats."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.asset import Asset
from ecumene_world.compiler.raster import Floats
from ecumene_world.compiler.rows import rotated
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
    lost: set[int] = set()
    standing: list[int] = []
    for row, node in enumerate(scene.rows.nodes):
        if row == 0 or not is_placed(node) or scene.assets[row] is None:
            continue
        under = scene.row[resting[node.name]] if node.name in resting else -1
        if under >= 0 and scene.assets[under] is not None:
            held = _held(scene, row, under)
        elif under < 0 and node.kind in HUNG:
            held = _hangs(scene, row)
        else:
            standing.append(row)
            continue
        if not held:
            lost.add(row)
    rows = np.array(standing, np.int64)
    lost |= set(rows[~_stands(scene, rows)].tolist())
    return [scene.rows.nodes[row].name for row in sorted(lost)]


def _held(scene: Scene, row: int, under: int) -> bool:
    """Tells whether a thing stands on the top of another."""
    asset = scene.assets[under]
    assert asset is not None, "what a thing stands on has an asset"
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


def _stands(scene: Scene, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tells for some rows (n,) whether something to walk on lies under each corner, at its height under its middle."""
    if not len(rows):
        return np.zeros(0, bool)
    local = np.stack([_footing(_known(scene, int(row))) for row in rows])
    turned = rotated(np.repeat(scene.rows.rotation[rows], 5, 0), local.reshape(-1, 3)).reshape(-1, 5, 3)
    points = (scene.rows.position[rows, None] + scene.rows.scale[rows, None, None] * turned)[..., :2]
    level = scene.rows.level[rows].clip(max=scene.layout.levels - 1)
    there, heights = _ground(scene, level, points)
    base = scene.rows.position[rows, 2]
    level_with: NDArray[np.bool_] = there[:, 0] & (np.abs(heights[:, 0] - base[:, None]) <= GAP_M)
    known: NDArray[np.bool_] = np.asarray(there.any(2))
    return np.asarray(known.all(1) & level_with.any(1))


def _known(scene: Scene, row: int) -> Asset:
    asset = scene.assets[row]
    assert asset is not None, "only things with an asset are asked about"
    return asset


@lru_cache(maxsize=4096)
def _footing(asset: Asset) -> Floats:
    """Returns the middle (first) and the corners (5, 3) of what an asset stands on, a little shrunk, in its frame."""
    boxes = asset.colliders
    if boxes:
        low = np.min([[c.centre[0] - c.size[0] / 2, c.centre[1] - c.size[1] / 2] for c in boxes], axis=0)
        high = np.max([[c.centre[0] + c.size[0] / 2, c.centre[1] + c.size[1] / 2] for c in boxes], axis=0)
    else:
        low, high = -np.array(asset.size[:2]) / 2, np.array(asset.size[:2]) / 2
    middle, half = (low + high) / 2, (high - low) / 2 * _SHRUNK
    return np.array([[x, y, 0.0] for x, y in [middle, *(middle + half * corner for corner in _CORNERS)]])


_CORNERS: Final = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
_DY, _DX = (step.reshape(-1) for step in np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"))


def _ground(scene: Scene, level: NDArray[np.int64], points: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Returns (n, p, 9) whether there is a surface at the nodes about points (n, p, 2), and how high it is, metres."""
    surface, floor = scene.layout.surface.numpy(), scene.layout.floor.numpy()
    _, height, width = surface.shape
    iy, ix = scene.index(points.reshape(-1, 2))
    rows = (iy[:, None] + _DY).clip(0, height - 1).reshape(*points.shape[:2], 9)
    columns = (ix[:, None] + _DX).clip(0, width - 1).reshape(*points.shape[:2], 9)
    storey = level[:, None, None]
    return surface[storey, rows, columns] != Surface.NONE, floor[storey, rows, columns].astype(np.float64)


def _edge_distance(ring: Floats, point: Floats) -> float:
    a, b = ring, np.roll(ring, -1, 0)
    along = b - a
    share = (((point - a) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9)).clip(0, 1)
    return float(np.hypot(*(a + along * share[:, None] - point).T).min())
