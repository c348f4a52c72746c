"""Solids: what of the scene is in the way, as one table for all kinds of shapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.asset import Asset, Collider
from ecumene_world.compiler.raster import Floats, Ints, Shapes
from ecumene_world.compiler.rows import Rows, rotated
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import BY_CODE, Category, Motion
from ecumene_world.mesh_of import SOLID_HEIGHT_M, asset_of

_SILL_M: Final = 0.2
_HEAD_M: Final = 1.9
"""Openings from at most `_SILL_M` to at least `_HEAD_M` above a wall's foot are walked through."""
LINTEL_M: Final = 2.1
"""Walls go on above doors from this height on, so that they also stand on the storeys above."""
_SLIVER_M: Final = 0.02
DOOR_THICKNESS_M: Final = 0.3
"""A door opens walls whose middle is within this of its own."""
_SIZED: Final = (Category.WALL, Category.BUILDING)
"""Kinds of these categories are boxes of their `size`, if they have one, even where the library has an asset."""


@dataclass(frozen=True, slots=True)
class Solids:
    """M boxes and cylinders, world frame.

    Attributes:
        shapes: Seen from above.
        low: (M,) z of the bottom, metres.
        high: (M,) z of the top, metres.
        row: (M,) node rows.
    """

    shapes: Shapes
    low: Floats
    high: Floats
    row: Ints

    def __len__(self) -> int:
        return len(self.row)

    def take(self, which: Ints | NDArray[np.bool_]) -> Solids:
        """Returns some of the solids."""
        return Solids(self.shapes.take(which), self.low[which], self.high[which], self.row[which])

    @classmethod
    def joined(cls, parts: Iterable[Solids]) -> Solids:
        """Returns all solids of some tables in one, in order."""
        tables = list(parts)
        shapes = Shapes.joined([table.shapes for table in tables])
        low = np.concatenate([np.zeros(0), *(table.low for table in tables)])
        high = np.concatenate([np.zeros(0), *(table.high for table in tables)])
        return cls(shapes, low, high, np.concatenate([np.zeros(0, np.int64), *(table.row for table in tables)]))


@dataclass(frozen=True, slots=True)
class Block:
    """A solid with a polygon for a footprint, world frame.

    Attributes:
        polygon: (n, 2) metres.
        low: z of the bottom, metres.
        high: z of the top, metres.
        row: Node row.
    """

    polygon: Floats
    low: float
    high: float
    row: int


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points on the faces of an imported mesh, world frame.

    Attributes:
        points: (n, 3) metres.
        row: Node row.
    """

    points: Floats
    row: int


def is_solid(node: Node, motion: Motion) -> bool:
    """Tells whether a node is in the way; a building with an interior is not, its walls are."""
    return motion is Motion.OBSTACLE and node.attributes.get("interior") is not True


def assets_of(rows: Rows) -> list[Asset | None]:
    """Returns the library's asset of each node (N), None where there is none."""
    return [asset_of(node) for node in rows.nodes]


def solids_of(rows: Rows, assets: list[Asset | None]) -> Solids:
    """Returns the boxes and cylinders of all solid nodes without a polygon or mesh of their own."""
    groups: dict[int, list[int]] = {}
    boxes: list[int] = []
    for row, (node, asset) in enumerate(zip(rows.nodes, assets, strict=True)):
        if not is_solid(node, BY_CODE[int(rows.kind[row])].motion) or "polygon" in node.attributes:
            continue
        category = BY_CODE[int(rows.kind[row])].category
        if "size" in node.attributes and "mesh" not in node.attributes and (asset is None or category in _SIZED):
            boxes.append(row)
        elif asset is not None and asset.colliders:
            groups.setdefault(id(asset), []).append(row)
    placed = [_placed(rows, np.array(group), _asset(assets, group).colliders) for group in groups.values()]
    sized = [_placed(rows, np.array([row]), _boxes_of(rows.nodes[row])) for row in boxes]
    joined = Solids.joined(placed + sized)
    return joined.take(np.argsort(joined.row, kind="stable"))


def blocks_of(rows: Rows) -> list[Block]:
    """Returns the solids with a polygon for a footprint."""
    blocks = []
    for row, node in enumerate(rows.nodes):
        if not is_solid(node, BY_CODE[int(rows.kind[row])].motion):
            continue
        polygon = rows.polygon(row)
        if polygon is not None:
            height = node.attributes.get("height_m", SOLID_HEIGHT_M)
            assert isinstance(height, int | float), "validated"
            low = float(rows.position[row, 2])
            blocks.append(Block(polygon, low, low + float(height) * float(rows.scale[row]), row))
    return blocks


def clouds_of(rows: Rows, graph: SceneGraph, spacing_m: float) -> list[Cloud]:
    """Returns points at most `spacing_m` apart on the faces of each solid node with an imported mesh."""
    clouds = []
    for row, node in enumerate(rows.nodes):
        key = node.attributes.get("mesh")
        if isinstance(key, str) and is_solid(node, BY_CODE[int(rows.kind[row])].motion):
            corners = np.asarray(graph.arrays[f"{key}/vertices"], np.float64)
            faces = np.asarray(graph.arrays[f"{key}/faces"], np.int64)
            world = rows.points(row, corners)
            clouds.append(Cloud(_sprinkled(world[faces], spacing_m), row))
    return clouds


def with_openings(solids: Solids, rows: Rows, doors: Floats, levels: Ints) -> Solids:
    """Returns the solids with walls parted where doors stand in them.

    Args:
        solids: All of them.
        rows: The nodes.
        doors: (D, 2, 2) end points of the closed leaves, metres.
        levels: (D,) storeys of the doors.
    """
    wall = np.array([BY_CODE[int(code)].name in ("wall", "fence") for code in rows.kind[solids.row]], bool)
    for (a, b), level in zip(doors, levels, strict=True):
        near = wall & (rows.level[solids.row] == level) & ~solids.shapes.round
        hit = np.flatnonzero(near & _spans(solids.shapes, (a + b) / 2, b - a))
        if len(hit):
            parts = _parted(solids.take(hit), a, b)
            keep = np.ones(len(solids), bool)
            keep[hit] = False
            solids = Solids.joined([solids.take(keep), parts])
            wall = np.concatenate([wall[keep], np.ones(len(parts), bool)])
    return solids


def _spans(shapes: Shapes, middle: Floats, along: Floats) -> NDArray[np.bool_]:
    """Tells which boxes (M,) a door leaf lies in, lengthwise."""
    axis = _lengthwise(shapes)
    offset = middle - shapes.centre
    u, v = (axis * offset).sum(1), axis[:, 0] * offset[:, 1] - axis[:, 1] * offset[:, 0]
    length = float(np.hypot(*along))
    parallel = np.abs(axis @ along) > 0.94 * length
    inside = (np.abs(u) < shapes.half.max(1) + length / 2 - 0.05) & (np.abs(v) < shapes.half.min(1) + DOOR_THICKNESS_M)
    return np.asarray(parallel & inside)


def _parted(walls: Solids, a: Floats, b: Floats) -> Solids:
    """Returns what is left of walls (M) beside and above an opening from a to b; slivers vanish."""
    shapes, reach = walls.shapes, walls.shapes.half.max(1)
    axis = _lengthwise(shapes)
    ends = np.stack([((end - shapes.centre) * axis).sum(1) for end in (a, b)], 1).clip(-reach[:, None], reach[:, None])
    left, right = ends.min(1), ends.max(1)
    lintel = np.minimum(walls.low + LINTEL_M, walls.high)
    parts = ((-reach, left, walls.low), (left, right, lintel), (right, reach, walls.low))
    pieces = [_piece(walls, axis, start, end, low) for start, end, low in parts]
    return Solids.joined(pieces)


def _piece(walls: Solids, axis: Floats, start: Floats, end: Floats, low: Floats) -> Solids:
    """Returns the part of each wall (M) from start to end along its axis, measured from its middle, and above low."""
    shapes = walls.shapes
    long = (end - start) / 2
    along_x = shapes.half[:, 0] >= shapes.half[:, 1]
    half = np.stack([np.where(along_x, long, shapes.half[:, 0]), np.where(along_x, shapes.half[:, 1], long)], 1)
    centre = shapes.centre + axis * ((start + end) / 2)[:, None]
    kept = Solids(Shapes(centre, half, shapes.yaw, shapes.round), low, walls.high, walls.row)
    return kept.take((2 * long > _SLIVER_M) & (walls.high - low > _SLIVER_M))


def _lengthwise(shapes: Shapes) -> Floats:
    """Returns the direction (M, 2) of the longer side of each box."""
    c, s = np.cos(shapes.yaw), np.sin(shapes.yaw)
    along_x = shapes.half[:, 0] >= shapes.half[:, 1]
    return np.stack([np.where(along_x, c, -s), np.where(along_x, s, c)], 1)


def _asset(assets: list[Asset | None], group: list[int]) -> Asset:
    asset = assets[group[0]]
    assert asset is not None, "groups are made of nodes with an asset"
    return asset


def _boxes_of(node: Node) -> tuple[Collider, ...]:
    """Returns the box that a node's `size` describes, standing on its origin, parted where it can be walked through."""
    x, y, z = np.array(node.attributes["size"], np.float64).tolist()
    holes = np.array(node.attributes.get("openings") or [], np.float64).reshape(-1, 4)
    passable = (holes[:, 2] <= _SILL_M) & (holes[:, 3] >= _HEAD_M)
    pieces, reached = [], 0.0
    for start, width, _, head in sorted(holes[passable].tolist()):
        pieces += [(reached, min(start, x), 0.0), (max(reached, start), min(start + width, x), max(head, LINTEL_M))]
        reached = max(reached, start + width)
    pieces.append((reached, x, 0.0))
    return tuple(
        Collider("box", ((left + right - x) / 2, 0.0, (low + z) / 2), (right - left, y, z - low))
        for left, right, low in pieces
        if right - left > _SLIVER_M and z - low > _SLIVER_M
    )


def _placed(rows: Rows, nodes: Ints, colliders: tuple[Collider, ...]) -> Solids:
    """Returns the colliders of one asset at each of n nodes; tilts are ignored, bodies stand upright."""
    count, each = len(nodes), len(colliders)
    centre = np.tile(np.array([c.centre for c in colliders]), (count, 1))
    size = np.tile(np.array([c.size for c in colliders]), (count, 1))
    row = np.repeat(nodes, each)
    scale = rows.scale[row]
    middle = rows.position[row] + scale[:, None] * rotated(rows.rotation[row], centre)
    half = size * scale[:, None] / 2
    shapes = Shapes(
        middle[:, :2],
        half[:, :2],
        rows.yaw[row] + np.tile(np.array([c.yaw for c in colliders]), count),
        np.tile(np.array([c.shape == "cylinder" for c in colliders]), count),
    )
    return Solids(shapes, middle[:, 2] - half[:, 2], middle[:, 2] + half[:, 2], row)


def _sprinkled(triangles: Floats, spacing_m: float) -> Floats:
    """Returns points (n, 3) on triangles (F, 3, 3), a lattice on each, its corners included."""
    longest = np.linalg.norm(triangles - np.roll(triangles, 1, 1), axis=2).max(1, initial=0.0)
    steps = np.ceil(longest / spacing_m).clip(1, 2000).astype(np.int64)
    points = [np.zeros((0, 3))]
    for step in np.unique(steps):
        i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1), indexing="ij")
        keep = i + j <= step
        weights = np.stack([i[keep], j[keep], step - i[keep] - j[keep]], 1) / step
        points.append(np.einsum("wk,fkd->fwd", weights, triangles[steps == step]).reshape(-1, 3))
    return np.concatenate(points)


def category_of(rows: Rows) -> NDArray[np.uint8]:
    """Returns what vision reports for each node (N,)."""
    table = np.zeros(max(BY_CODE) + 1, np.uint8)
    for code, kind in BY_CODE.items():
        table[code] = kind.category
    return table[rows.kind]
