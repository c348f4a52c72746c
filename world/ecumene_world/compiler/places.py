"""Places, spawn points and approaches: points on which somebody can really stand and that are connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ecumene_world.compiler.raster import Floats, Ints, Raster, polygon_patch
from ecumene_world.compiler.rows import Rows
from ecumene_world.errors import GraphError

BODY_M: Final = 0.245
"""Clearance that a way must have to be walked by a body of radius 0.25, give or take the raster."""
STAND_M: Final = 0.3
"""Clearance that a point must have to be stood on at ease."""
PLACE_RADIUS_M: Final = 2.0
"""Radius of a place that does not say how large it is."""
PLACE_REACH_M: Final = 6.0
"""A place's standing point may lie this far beyond its radius, such as before the building it is in."""
SEAT_REACH_M: Final = 1.5
"""A seat needs a reachable point within this distance."""
MAX_SPAWNS: Final = 512
SPAWN_GAP_M: Final = 1.0
"""Spawn points keep this distance from each other, along x and y."""


@dataclass(frozen=True, slots=True)
class Footing:
    """Every node of the walkable grid that is connected with the largest part of the world.

    Attributes:
        raster: The walkable grid.
        reachable: (L, H, W) whether one can stand there and walk to everywhere else.
        floor: (L, H, W) metres.
        storeys: Positions (n, 3) of each storey's reachable nodes, and a tree of them; None without any.
    """

    raster: Raster
    reachable: NDArray[np.bool_]
    floor: NDArray[np.float32]
    storeys: tuple[tuple[Floats, cKDTree] | None, ...]

    @classmethod
    def of(cls, raster: Raster, reachable: NDArray[np.bool_], floor: NDArray[np.float32]) -> Footing:
        """Returns the footing of a grid."""
        storeys = [_indexed(raster, layer, heights) for layer, heights in zip(reachable, floor, strict=True)]
        return cls(raster, reachable, floor, tuple(storeys))

    def nearest(self, points: Floats, level: Ints, within: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Returns the reachable point (n, 3) nearest to each point (n, 2) on its storey, and which were found.

        Args:
            points: (n, 2) metres.
            level: (n,) storeys.
            within: (n,) furthest distances, metres.
        """
        found, standing = np.zeros(len(points), bool), np.zeros((len(points), 3))
        for storey in np.unique(level):
            which = np.flatnonzero(level == storey)
            indexed = self.storeys[storey] if storey < len(self.storeys) else None
            if indexed is not None:
                distance, at = indexed[1].query(points[which])
                standing[which] = indexed[0][at]
                found[which] = distance <= within[which]
        return standing, found


def _indexed(raster: Raster, reachable: NDArray[np.bool_], floor: NDArray[np.float32]) -> tuple[Floats, cKDTree] | None:
    iy, ix = np.nonzero(reachable)
    if not len(iy):
        return None
    nodes = np.column_stack([raster.position(iy, ix), floor[iy, ix]])
    return nodes, cKDTree(nodes[:, :2], balanced_tree=False, compact_nodes=False)


@dataclass(frozen=True, slots=True)
class Places:
    """P places.

    Attributes:
        row: (P,) node rows.
        role: (P).
        middle: (P, 2) metres.
        level: (P,) storeys.
        radius: (P,) metres.
    """

    row: Ints
    role: tuple[str, ...]
    middle: Floats
    level: Ints
    radius: Floats


def places_of(rows: Rows) -> Places:
    """Returns every node of kind place and every node with a role, spawn places included."""
    found = [row for row, node in enumerate(rows.nodes) if node.kind == "place" or node.attributes.get("role")]
    found = [row for row in found if row > 0]
    spots = [_spot(rows, row) for row in found]
    return Places(
        np.array(found, np.int64),
        tuple(str(rows.nodes[row].attributes.get("role") or "place") for row in found),
        np.array([middle for middle, _ in spots]).reshape(-1, 2),
        rows.level[np.array(found, np.int64)],
        np.array([radius for _, radius in spots]),
    )


def spawns_of(rows: Rows, places: Places, footing: Footing, seed: int) -> tuple[Floats, Ints, Floats]:
    """Returns positions (Q, 3), storeys (Q,) and yaws (Q,) of spawn points, in a random order drawn from `seed`.

    Raises:
        GraphError: There is nowhere to stand, or none of the spawn places can be reached.
    """
    if not footing.reachable.any():
        raise GraphError(
            "there is nowhere to stand: the graph needs a node of kind ground, street, square, lawn or floor with a"
            " polygon that obstacles leave free"
        )
    authored = [at for at, role in enumerate(places.role) if role == "spawn"]
    spots = [_spawns_in(rows, places, at, footing) for at in authored] if authored else [_everywhere(footing)]
    table = np.concatenate(spots)
    if not len(table):
        names = ", ".join(repr(rows.nodes[places.row[at]].name) for at in authored)
        raise GraphError(f"nobody can stand at, or leave, the spawn places {names}")
    table = table[np.random.default_rng(seed).permutation(len(table))[:MAX_SPAWNS]]
    return table[:, :3], table[:, 3].astype(np.int64), table[:, 4]


def _spawns_in(rows: Rows, places: Places, at: int, footing: Footing) -> Floats:
    """Returns (q, 5) x, y, z, storey, yaw of the spawn points of one place."""
    row, level = int(places.row[at]), int(places.level[at])
    polygon = rows.polygon(row)
    inside = np.zeros(footing.raster.shape, bool)
    if polygon is not None:
        patch = polygon_patch(footing.raster, polygon)
        if patch is not None:
            inside[patch.window] = patch.inside
    elif "radius_m" in rows.nodes[row].attributes:
        iy, ix = np.mgrid[0 : footing.raster.height, 0 : footing.raster.width]
        inside = np.hypot(*np.moveaxis(footing.raster.position(iy, ix) - places.middle[at], -1, 0)) <= places.radius[at]
    table = _thinned(footing, level, inside, rows.yaw[row])
    if len(table):
        return table
    standing, found = footing.nearest(places.middle[at][None], np.array([level]), np.array([PLACE_REACH_M]))
    return np.column_stack([standing, [level], [rows.yaw[row]]])[found]


def _everywhere(footing: Footing) -> Floats:
    everywhere = np.ones(footing.raster.shape, bool)
    return np.concatenate([_thinned(footing, level, everywhere, 0.0) for level in range(len(footing.floor))])


def _thinned(footing: Footing, level: int, inside: NDArray[np.bool_], yaw: float) -> Floats:
    """Returns (q, 5) reachable nodes of a region, `SPAWN_GAP_M` apart."""
    every = max(1, round(SPAWN_GAP_M / footing.raster.step_m))
    iy, ix = np.nonzero((footing.reachable[level] & inside)[::every, ::every])
    xy = footing.raster.position(iy * every, ix * every)
    z = footing.floor[level, iy * every, ix * every]
    return np.column_stack([xy, z, np.full(len(xy), level), np.full(len(xy), yaw)])


def _spot(rows: Rows, row: int) -> tuple[Floats, float]:
    """Returns the middle (2,) and the radius of a place; a building's is its first entrance."""
    attributes = rows.nodes[row].attributes
    given = attributes.get("radius_m")
    entrances = attributes.get("entrances")
    if isinstance(entrances, list) and entrances:
        x, y, _ = np.array(entrances[0], np.float64)
        middle = rows.points(row, np.array([[x, y, 0.0]]))[0, :2]
        return middle, float(given) if isinstance(given, int | float) else PLACE_RADIUS_M
    polygon = rows.polygon(row)
    middle, radius = rows.position[row, :2], PLACE_RADIUS_M
    if polygon is not None:
        middle = (polygon.min(0) + polygon.max(0)) / 2
        radius = max(PLACE_RADIUS_M, float(np.hypot(*(polygon - middle).T).max()))
    return middle, float(given) * float(rows.scale[row]) if isinstance(given, int | float) else radius
