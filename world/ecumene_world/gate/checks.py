"""The checks of the gate; each measures one thing about a scene."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.asset import Asset, Collider
from ecumene_world.compiler.raster import Raster, polygon_patch
from ecumene_world.gate.overlaps import overlapping
from ecumene_world.gate.report import Check
from ecumene_world.gate.scene import Scene, is_placed
from ecumene_world.gate.support import floating
from ecumene_world.graph import Node
from ecumene_world.kinds import Category, Interaction, kind_named

CONNECTED: Final = 0.98
"""Least share of walkable ground that hangs together."""
REACHABLE: Final = 0.98
"""Least share of interactive things, and of places, that somebody can get to."""
OVERLAPS: Final = 0.01
"""Greatest share of placed things that stand in something."""
DOOR_M: Final = 0.8
"""Least clear width of a doorway."""
MISMATCH_M: Final = 0.15
"""How far a mesh may stick out of its colliders, or they out of it, at the height of a body."""
_ROOM: Final = 0.5
"""Least share of a room's free floor that must be reached."""
_REACH_M: Final = {
    Interaction.SIT: 1.5,
    Interaction.LIE: 1.6,
    Interaction.OPEN: 1.5,
    Interaction.PICK_UP: 1.4,
    Interaction.PRESS: 1.4,
    Interaction.READ: 2.5,
}
"""How far one reaches from the middle of the body; a seat counts from its own position."""
_BODY_BAND_M: Final = (0.25, 1.7)
_PASSABLE: Final = (0.2, 1.9)
"""An opening with a sill below and a head above these is walked through, metres."""


def walkable(scene: Scene) -> Check:
    """Returns the share of walkable ground that can be reached from where avatars appear."""
    free, reached = int(scene.free.sum()), int(scene.reached.sum())
    share = reached / free if free else 0.0
    return Check(share, CONNECTED, at_least=True, what="share of walkable ground reached")


def reachable(scene: Scene) -> Check:
    """Returns the share of interactive things, and of places, that somebody can get to."""
    layout = scene.layout
    lost: list[str] = []
    level, kind = layout.thing_level.numpy(), layout.thing_interaction.numpy()
    rows, position = layout.thing_row.numpy(), layout.thing_position.numpy()[:, :2].astype(np.float64)
    away = np.full(len(rows), np.inf)
    for storey in np.unique(level):
        which = level == storey
        away[which] = scene.away(int(storey), position[which])
    reach = np.array([_REACH_M.get(Interaction(int(code)), 0.0) for code in kind])
    seats = scene.seat_gap
    for thing in range(len(rows)):
        gap = seats.get(thing, away[thing])
        if gap > reach[thing]:
            lost.append(layout.names[rows[thing]])
    lost += [name for name in layout.unreachable if name not in lost]
    total = len(rows) + len(layout.place_role) + sum(name not in layout.thing_index for name in layout.unreachable)
    share = 1.0 - len(lost) / total if total else 1.0
    what = "share of things and places within reach"
    return Check(share, REACHABLE, at_least=True, what=what, culprits=tuple(lost))


def overlaps(scene: Scene) -> Check:
    """Returns the share of placed things that stand in another, in a wall or in a house."""
    placed = sum(is_placed(node) for node in scene.rows.nodes)
    pairs = overlapping(scene)
    worse: dict[str, int] = {}
    for a, b in pairs:
        small = min((a, b), key=lambda name: _weight(scene, name))
        worse[small] = worse.get(small, 0) + 1
    share = len(worse) / placed if placed else 0.0
    return Check(share, OVERLAPS, at_least=False, what="share of things that stand in something", culprits=tuple(worse))


def supported(scene: Scene) -> Check:
    """Returns how many placed things float, or stand off the floor."""
    lost = floating(scene)
    return Check(
        float(len(lost)), 0.0, at_least=False, what="things that float or stand off the floor", culprits=tuple(lost)
    )


def rooms(scene: Scene) -> Check:
    """Returns the share of rooms whose floor can be reached from where avatars appear."""
    lost, total = [], 0
    for row, node in enumerate(scene.rows.nodes):
        if node.kind != "room" or "polygon" not in node.attributes:
            continue
        total += 1
        level = min(int(scene.rows.level[row]), scene.layout.levels - 1)
        inside = _inside(scene, row)
        free = scene.free[level] & inside
        if not free.any() or (scene.reached[level] & inside).sum() < _ROOM * free.sum():
            lost.append(node.name)
    return Check(
        1.0 - len(lost) / total if total else 1.0,
        1.0,
        at_least=True,
        what="share of rooms reached",
        culprits=tuple(lost),
    )


def doors(scene: Scene) -> Check:
    """Returns the width of the narrowest way through a wall, metres."""
    narrow: list[tuple[float, str]] = []
    for node in scene.rows.nodes:
        openings = node.attributes.get("openings")
        if node.kind == "wall" and isinstance(openings, list):
            for _, width, sill, head in np.array(openings, np.float64).reshape(-1, 4).tolist():
                if sill <= _PASSABLE[0] and head >= _PASSABLE[1]:
                    narrow.append((width, node.name))
    least = min(narrow, default=(1.0, ""))
    culprits = tuple(name for width, name in sorted(narrow) if width < DOOR_M)
    return Check(least[0], DOOR_M, at_least=True, what="narrowest way through a wall, metres", culprits=culprits)


def spawns(scene: Scene) -> Check:
    """Returns how many points there are at which avatars can appear."""
    return Check(float(len(scene.layout.spawn_position)), 1.0, at_least=True, what="points where avatars appear")


def colliders(scene: Scene) -> Check:
    """Returns how far the mesh and the colliders of the worst thing are apart at the height of a body, metres."""
    worst, names = 0.0, []
    for node, asset in zip(scene.rows.nodes, scene.assets, strict=True):
        if asset is None or not asset.colliders or not is_placed(node):
            continue
        apart = mismatch(asset)
        worst = max(worst, apart)
        if apart > MISMATCH_M:
            names.append(node.name)
    return Check(
        worst,
        MISMATCH_M,
        at_least=False,
        what="greatest gap between a mesh and its colliders, metres",
        culprits=tuple(names),
    )


@lru_cache(maxsize=4096)
def mismatch(asset: Asset) -> float:
    """Returns how far an asset's mesh reaches out of its colliders, or they out of the mesh, metres.

    Only what is between knee and eye counts: crowns of trees and parasols are walked under. Leaves give way, so plants
    only answer for colliders that reach beyond them.
    """
    points = asset.mesh.triangles.reshape(-1, 3).astype(np.float64)
    low, high = _BODY_BAND_M
    band = points[(points[:, 2] > low) & (points[:, 2] < high)]
    boxes = [c for c in asset.colliders if c.centre[2] - c.size[2] / 2 < high and c.centre[2] + c.size[2] / 2 > low]
    if not len(band) or not boxes:
        return 0.0
    leafy = kind_named(asset.kind).category is Category.VEGETATION
    out = np.full(len(band), np.inf)
    for c in boxes:
        offset = band[:, :2] - c.centre[:2]
        turned = _turned(offset, -c.yaw)
        if c.shape == "cylinder":
            gap = np.hypot(turned[:, 0], turned[:, 1]) - c.size[0] / 2
        else:
            over = np.abs(turned) - np.array(c.size[:2]) / 2
            gap = np.hypot(*over.clip(0).T)
        out = np.minimum(out, gap.clip(0))
    reach = np.concatenate([_corners(c) for c in boxes])
    every = points[:, :2]
    beyond = np.maximum(reach.max(0) - every.max(0), every.min(0) - reach.min(0)).clip(0)
    return float(max(0.0 if leafy else out.max(), beyond.max()))


def _corners(c: Collider) -> NDArray[np.float64]:
    x, y = c.size[0] / 2, c.size[1] / 2
    ring = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    return np.asarray(np.array(c.centre[:2]) + _turned(ring, c.yaw))


def _turned(points: NDArray[np.float64], yaw: float) -> NDArray[np.float64]:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([c * points[:, 0] - s * points[:, 1], s * points[:, 0] + c * points[:, 1]], 1)


def inside_any(scene: Scene, names: Iterable[str]) -> NDArray[np.bool_]:
    """Returns (L, H, W) which grid nodes lie in one of some rooms, on its storey."""
    found = np.zeros(scene.layout.floor.shape, bool)
    for name in names:
        row = scene.row[name]
        found[min(int(scene.rows.level[row]), scene.layout.levels - 1)] |= _inside(scene, row)
    return found


def _inside(scene: Scene, row: int) -> NDArray[np.bool_]:
    """Returns (H, W) which grid nodes lie in a room."""
    height, width = scene.layout.floor.shape[1:]
    found = np.zeros((height, width), bool)
    polygon = scene.rows.polygon(row)
    if polygon is not None:
        patch = polygon_patch(Raster(scene.layout.origin, scene.layout.cell_m, height, width), polygon)
        if patch is not None:
            found[patch.window] = patch.inside
    return found


def _weight(scene: Scene, name: str) -> float:
    """Returns how much a node would be missed: what is built is never given up, large things after small ones."""
    node: Node = scene.graph.node(name)
    asset = scene.assets[scene.row[name]]
    if not is_placed(node) or asset is None:
        return float("inf")
    return asset.size[0] * asset.size[1]
