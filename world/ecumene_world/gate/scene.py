"""A world as the gate sees it: rows, solids and the walkable grid, worked out once for all checks."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ecumene_world.assets.asset import Asset
from ecumene_world.compiler import rows, solids
from ecumene_world.compiler.places import BODY_M
from ecumene_world.compiler.raster import Floats
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.grid import components
from ecumene_world.kinds import BY_NAME, Category, Motion
from ecumene_world.layout import Layout, compile_layout

STRUCTURE = frozenset(
    {"wall", "building", "house", "tower", "fence", "stairs", "ramp", "roof", "room", "place", "world"}
)
"""Kinds that are built rather than placed; the gate leaves them where they are."""


class Scene:
    """What the checks share.

    Attributes:
        graph: The world.
        layout: It, compiled.
        rows: It, flattened.
        assets: Of each row, None without one.
        solids: Boxes and cylinders that are in the way.
        blocks: Footprints that are in the way.
    """

    def __init__(self, graph: SceneGraph, layout: Layout | None = None) -> None:
        self.graph = graph
        self.layout = layout if layout is not None else compile_layout(graph)
        self.rows = rows.flattened(graph)
        self.assets: list[Asset | None] = solids.assets_of(self.rows)
        self.solids = solids.solids_of(self.rows, self.assets)
        self.blocks = solids.blocks_of(self.rows)
        self.row = {node.name: index for index, node in enumerate(self.rows.nodes)}

    @cached_property
    def walls(self) -> solids.Solids:
        """The solids that things can hang on."""
        wall = np.array([node.kind == "wall" for node in self.rows.nodes], bool)
        return self.solids.take(wall[self.solids.row])

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """(L, H, W) where a body can be."""
        return np.asarray(self.layout.clearance.numpy() >= BODY_M)

    @cached_property
    def parts(self) -> NDArray[np.int32]:
        """(L, H, W) connected parts of what is free, 0 for none."""
        return components(self.layout.clearance.numpy(), self.layout.next_level.numpy(), BODY_M)

    @cached_property
    def home(self) -> int:
        """The part in which avatars appear."""
        level = self.layout.spawn_level.numpy()
        iy, ix = self.index(self.layout.spawn_position.numpy()[:, :2])
        found = self.parts[level, iy, ix]
        counts = np.bincount(found[found > 0], minlength=2)
        return int(counts.argmax()) if counts.any() else 1

    @cached_property
    def reached(self) -> NDArray[np.bool_]:
        """(L, H, W) what can be walked to from where avatars appear."""
        return np.asarray(self.parts == self.home)

    @cached_property
    def trees(self) -> list[cKDTree | None]:
        """For each storey, the reached nodes of the grid."""
        found: list[cKDTree | None] = []
        for layer in self.reached:
            iy, ix = np.nonzero(layer)
            found.append(cKDTree(self.point(iy, ix)) if len(iy) else None)
        return found

    @cached_property
    def seat_gap(self) -> dict[int, float]:
        """For each thing with seats that somebody gets to, how far the nearest of them is from what can be reached."""
        layout, found = self.layout, dict[int, float]()
        position = layout.seat_position.numpy()[:, :2].astype(np.float64)
        levels = layout.thing_level.numpy()[layout.seat_thing.numpy()]
        for level in np.unique(levels):
            which = np.flatnonzero(levels == level)
            gaps = self.away(int(level), position[which]).tolist()
            for seat, gap in zip(which.tolist(), gaps, strict=True):
                thing = int(layout.seat_thing[seat])
                found[thing] = min(gap, found.get(thing, np.inf))
        return found

    def index(self, xy: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns iy, ix of the grid nodes nearest to points (n, 2)."""
        height, width = self.layout.floor.shape[1:]
        cell = np.round((np.asarray(xy, np.float64) - self.layout.origin) / self.layout.cell_m).astype(np.int64)
        return cell[:, 1].clip(0, height - 1), cell[:, 0].clip(0, width - 1)

    def point(self, iy: NDArray[np.int64], ix: NDArray[np.int64]) -> Floats:
        """Returns x, y (n, 2) of grid nodes."""
        return np.asarray(np.array(self.layout.origin) + self.layout.cell_m * np.stack([ix, iy], -1))

    def away(self, level: int, xy: Floats) -> Floats:
        """Returns how far points (n, 2) are from what can be reached on a storey, metres; infinite without any."""
        tree = self.trees[level] if 0 <= level < len(self.trees) else None
        return np.full(len(xy), np.inf) if tree is None else np.asarray(tree.query(xy)[0])


def is_placed(node: Node) -> bool:
    """Tells whether a node is a thing that was placed, as opposed to something built, walked on or merely named."""
    kind = BY_NAME[node.kind]
    if node.kind in STRUCTURE or kind.motion in {Motion.SURFACE, Motion.DOOR, Motion.AVATAR}:
        return False
    return kind.category not in {Category.BUILDING} or node.kind == "kiosk"
