"""What of a graph is drawn, sorted by how: copies of one mesh, things that move, roofs and everything still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.compiler.rows import Rows, flattened, rotated
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import Motion, kind_named
from ecumene_world.mesh_of import asset_of, mesh_of, shaped

Sort = Literal["still", "moving", "roof"]
_MOVING: Final = {Motion.DOOR, Motion.LOOSE}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One node's mesh, or a part of it.

    Attributes:
        node: Whose.
        mesh: In the node's frame.
        position: (3,) world metres.
        rotation: (4,) wxyz.
        scale: Uniform.
        level: Storey.
        sort: How it is drawn: doors and loose things move, roofs can be hidden.
    """

    node: Node
    mesh: Mesh
    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    scale: float
    level: int
    sort: Sort = "still"

    def placed(self) -> Mesh:
        """Returns the mesh in the world."""
        turned = rotated(self.rotation[None], self.mesh.vertices.astype(np.float64))
        return Mesh(np.asarray(self.position + self.scale * turned, np.float32), self.mesh.faces, self.mesh.colours)


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """One mesh of the asset library at N nodes, none of which moves.

    Attributes:
        mesh: In the nodes' frames.
        nodes: Whose.
        position: (N, 3) world metres.
        rotation: (N, 4) wxyz.
        scale: (N,).
        level: (N,) storeys.
    """

    mesh: Mesh
    nodes: Sequence[Node]
    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    scale: NDArray[np.float64]
    level: NDArray[np.int64]

    def parts(self) -> list[Part]:
        """Returns the copies one by one."""
        columns = zip(self.nodes, self.position, self.rotation, self.scale, self.level, strict=True)
        return [Part(node, self.mesh, p, r, float(s), int(level)) for node, p, r, s, level in columns]


def drawn(graph: SceneGraph) -> tuple[list[Copies], list[Part]]:
    """Returns what is drawn: copies of the asset library's meshes, and parts with a mesh of their own.

    Raises:
        GraphError: A node's parameters or arrays don't fit; the message names it.
    """
    rows = flattened(graph)
    groups: dict[int, list[int]] = {}
    meshes: dict[int, Mesh] = {}
    parts: list[Part] = []
    for row, node in enumerate(rows.nodes):
        if node.attributes.get("drawn") is False:
            continue
        asset = None if shaped(node) else asset_of(node)
        if asset is not None and kind_named(node.kind).motion not in _MOVING:
            groups.setdefault(id(asset.mesh), []).append(row)
            meshes[id(asset.mesh)] = asset.mesh
        else:
            parts += _parts(graph, rows, row)
    return [_copies(rows, meshes[key], np.array(found)) for key, found in groups.items()], parts


def below(mesh: Mesh, z: float) -> Mesh:
    """Returns the part of a mesh below a height, triangles cut where they cross it."""
    return _kept(mesh, z, -1.0)


def above(mesh: Mesh, z: float) -> Mesh:
    """Returns the part of a mesh above a height."""
    return _kept(mesh, z, 1.0)


def _parts(graph: SceneGraph, rows: Rows, row: int) -> list[Part]:
    node = rows.nodes[row]
    mesh = mesh_of(graph, node)
    if mesh is None or not len(mesh.faces):
        return []
    pose = (rows.position[row], rows.rotation[row], float(rows.scale[row]), int(rows.level[row]))
    if kind_named(node.kind).motion in _MOVING:
        return [Part(node, mesh, *pose, "moving")]
    cut = node.attributes.get("roof_z_m")
    if isinstance(cut, int | float) and node.attributes.get("interior") is True:
        halves = (Part(node, below(mesh, cut), *pose), Part(node, above(mesh, cut), *pose, "roof"))
        return [half for half in halves if len(half.mesh.faces)]
    return [Part(node, mesh, *pose, "roof" if node.kind == "roof" else "still")]


def _copies(rows: Rows, mesh: Mesh, found: NDArray[np.int64]) -> Copies:
    nodes = [rows.nodes[int(row)] for row in found]
    return Copies(mesh, nodes, rows.position[found], rows.rotation[found], rows.scale[found], rows.level[found])


def _kept(mesh: Mesh, z: float, side: float) -> Mesh:
    """Returns what of a mesh lies on one side of a level plane; a cut triangle leaves one or two."""
    height = side * (mesh.triangles[:, :, 2].astype(np.float64) - z)
    count = (height >= 0).sum(1)
    whole = count == 3
    triangles, colours = [mesh.triangles[whole]], [mesh.colours[whole]]
    for corners_in in (1, 2):
        chosen = count == corners_in
        inside = height[chosen] >= 0
        lone = np.argmax(inside if corners_in == 1 else ~inside, axis=1)
        order = (lone[:, None] + np.arange(3)) % 3
        a, b, c = np.moveaxis(np.take_along_axis(mesh.triangles[chosen], order[:, :, None], 1), 1, 0)
        h = np.take_along_axis(height[chosen], order, 1)
        ab = a + (b - a) * (h[:, :1] / (h[:, :1] - h[:, 1:2]))
        ac = a + (c - a) * (h[:, :1] / (h[:, :1] - h[:, 2:3]))
        cut = [np.stack([a, ab, ac], 1)] if corners_in == 1 else [np.stack([ab, b, c], 1), np.stack([ab, c, ac], 1)]
        triangles += cut
        colours += [mesh.colours[chosen]] * len(cut)
    corners = np.concatenate(triangles).astype(np.float32)
    faces = np.arange(len(corners) * 3, dtype=np.int32).reshape(-1, 3)
    return Mesh(corners.reshape(-1, 3), faces, np.concatenate(colours))
