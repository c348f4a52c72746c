"""Nodes as rows: the tree flattened parents first, and world poses by one product per depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import kind_named

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """N nodes, parents first; world frame unless it says otherwise.

    Attributes:
        nodes: (N) the nodes themselves.
        parent: (N,) row of the parent, -1 for the root.
        depth_start: First row of each depth, then N.
        kind: (N,) kind codes.
        level: (N,) storey: of the nearest node at or above that names one, else 0.
        rest_position: (N, 3) in the parent's frame, metres.
        rest_rotation: (N, 4) wxyz in the parent's frame.
        rest_scale: (N,) relative to the parent.
        position: (N, 3) metres.
        rotation: (N, 4) wxyz.
        scale: (N,).
        yaw: (N,) heading, radians.
    """

    nodes: tuple[Node, ...]
    parent: Ints
    depth_start: tuple[int, ...]
    kind: Ints
    level: Ints
    rest_position: Floats
    rest_rotation: Floats
    rest_scale: Floats
    position: Floats
    rotation: Floats
    scale: Floats
    yaw: Floats

    def points(self, row: int, local: Floats) -> Floats:
        """Returns (n, 3) points of a node's frame in the world frame."""
        turned = rotated(self.rotation[row][None], local)
        return np.asarray(self.position[row] + self.scale[row] * turned)

    def polygon(self, row: int) -> Floats | None:
        """Returns a node's polygon (n, 2) seen from above in the world frame, None if it has none."""
        corners = self.nodes[row].attributes.get("polygon")
        if corners is None:
            return None
        flat = np.array(corners, np.float64)
        return self.points(row, np.pad(flat, ((0, 0), (0, 1))))[:, :2]


def flattened(graph: SceneGraph) -> Rows:
    """Returns the graph's nodes as rows, with world poses."""
    nodes, parent, depth_start = _ordered(graph)
    poses = [node.pose.normalised() for node in nodes]
    position = np.array([pose.position for pose in poses])
    rotation = np.array([pose.rotation for pose in poses])
    scale = np.array([pose.scale for pose in poses])
    world = world_poses(parent, depth_start, position, rotation, scale)
    return Rows(
        nodes=nodes,
        parent=parent,
        depth_start=depth_start,
        kind=np.array([kind_named(node.kind).code for node in nodes], np.int64),
        level=_levels(nodes, parent, depth_start),
        rest_position=position,
        rest_rotation=rotation,
        rest_scale=scale,
        position=world[0],
        rotation=world[1],
        scale=world[2],
        yaw=yaw_of(world[1]),
    )


def world_poses(
    parent: Ints, depth_start: Sequence[int], position: Floats, rotation: Floats, scale: Floats
) -> tuple[Floats, Floats, Floats]:
    """Returns world positions (N, 3), rotations (N, 4) and scales (N,): one batched product for each depth.

    Args:
        parent: (N,) row of the parent; rows of depth d have theirs at depth d - 1.
        depth_start: First row of each depth, then N.
        position: (N, 3) in the parent's frame.
        rotation: (N, 4) unit quaternions in the parent's frame.
        scale: (N,) relative to the parent.
    """
    position, rotation, scale = position.copy(), rotation.copy(), scale.copy()
    for first, end in pairwise(depth_start[1:]):
        rows, above = slice(first, end), parent[first:end]
        position[rows] = position[above] + scale[above, None] * rotated(rotation[above], position[rows])
        rotation[rows] = product(rotation[above], rotation[rows])
        scale[rows] *= scale[above]
    return position, rotation, scale


def product(a: Floats, b: Floats) -> Floats:
    """Returns the product of quaternions (n, 4): the rotation that does `b` first, then `a`."""
    aw, ax, ay, az = a.T
    bw, bx, by, bz = b.T
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        1,
    )


def rotated(rotation: Floats, point: Floats) -> Floats:
    """Returns points (n, 3) turned by unit quaternions (n, 4) or (1, 4)."""
    w, x, y, z = rotation.T
    px, py, pz = point.T
    cx, cy, cz = y * pz - z * py, z * px - x * pz, x * py - y * px
    return np.stack(
        [
            px + 2 * (w * cx + y * cz - z * cy),
            py + 2 * (w * cy + z * cx - x * cz),
            pz + 2 * (w * cz + x * cy - y * cx),
        ],
        1,
    )


def yaw_of(rotation: Floats) -> Floats:
    """Returns the heading (n,) of the local +x axis seen from above, radians."""
    w, x, y, z = rotation.T
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _ordered(graph: SceneGraph) -> tuple[tuple[Node, ...], Ints, tuple[int, ...]]:
    nodes = tuple(graph.walk())
    row = {node.name: index for index, node in enumerate(nodes)}
    above = [graph.parent(node.name) for node in nodes]
    parent = np.array([-1 if name is None else row[name] for name in above], np.int64)
    starts, end = [0], 1
    while end < len(nodes):
        starts.append(end)
        end = int(np.searchsorted(parent, end))
    return nodes, parent, (*starts, len(nodes))


def _levels(nodes: Sequence[Node], parent: Ints, depth_start: Sequence[int]) -> Ints:
    own = [node.attributes.get("level") for node in nodes]
    level = np.array([value if isinstance(value, int) else -1 for value in own], np.int64)
    level[0] = max(level[0], 0)
    for first, end in pairwise(depth_start[1:]):
        rows = slice(first, end)
        level[rows] = np.where(level[rows] < 0, level[parent[rows]], level[rows])
    return level
