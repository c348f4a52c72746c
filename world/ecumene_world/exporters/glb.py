"""A world as one GLB file: still meshes merged by district, copies instanced, doors, loose things and roofs apart.

The world's z up becomes glTF's y up. Nodes say in `extras` what they are, so that a client can find and move them:

- `kind`: `surface`, `building`, `wall` or `furnishing` for merged meshes, else a kind of thing;
- `style`: of a merged surface, such as `asphalt`, `plaza` or `parquet`, else its kind;
- `name`: of a thing's node in the scene graph; `names`: of N copies, in the order of their instances;
- `level`: storey, where it is not 0;
- `roof`: true where a mesh hides a storey that can be entered;
- `width_m`: of a door, whose node stands at its hinge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.compiler.rows import rotated
from ecumene_world.exporters.gltf import GlbWriter, points_y_up, rotations_y_up, scales_y_up
from ecumene_world.exporters.parts import Copies, Part, drawn
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import Motion, kind_named

DISTRICT_M: Final = 96.0
"""Side of the squares that still meshes are merged in; what is out of sight costs nothing to draw."""
_FEWEST_COPIES: Final = 4
"""Fewer copies of one mesh are merged as well: each group of copies is a draw call."""
_WALLS: Final = {"wall", "window", "fence"}
_BUILDINGS: Final = {"building", "house", "tower", "kiosk", "roof", "mesh", "cluster"}


def write_glb(graph: SceneGraph, path: Path | str | None = None) -> bytes:
    """Returns a graph as the bytes of a GLB file; also writes them if a path is given.

    Raises:
        GraphError: A node's parameters or arrays don't fit; the message names it.
    """
    writer = GlbWriter()
    copies, parts = drawn(graph)
    few = [part for group in copies if len(group.nodes) < _FEWEST_COPIES for part in group.parts()]
    still = [part for part in parts if part.sort == "still"] + few
    roots = _districts(writer, still)
    roots += [_copies(writer, group) for group in copies if len(group.nodes) >= _FEWEST_COPIES]
    roots += _movables(writer, [part for part in parts if part.sort == "moving"])
    roots += [_roof(writer, part) for part in parts if part.sort == "roof"]
    if not roots:
        roots = [writer.add_node("empty")]
    writer.set_scene(roots, name=graph.name, extras={"hash": graph.hash(), "attribution": list(graph.attribution)})
    data = writer.to_bytes()
    if path is not None:
        Path(path).write_bytes(data)
    return data


def _districts(writer: GlbWriter, parts: Iterable[Part]) -> list[int]:
    """Adds one node for each class of still mesh, storey and district."""
    groups: dict[tuple[str, str, int, int, int], list[Mesh]] = {}
    for part in parts:
        x, y, _ = part.position
        key = (_class(part.node), _style(part.node), part.level, int(x // DISTRICT_M), int(y // DISTRICT_M))
        groups.setdefault(key, []).append(part.placed())
    roots = []
    for (name, style, level, x, y), meshes in sorted(groups.items(), key=lambda item: item[0]):
        title = f"{style or name} {level} {x} {y}"
        mesh = writer.add_mesh(Mesh.merged(meshes), title)
        extras = _extras(name, level) | ({"style": style} if style else {})
        roots.append(writer.add_node(title, mesh=mesh, extras=extras))
    return roots


def _class(node: Node) -> str:
    """Returns what still meshes are merged by."""
    if kind_named(node.kind).motion is Motion.SURFACE:
        return "surface"
    if node.kind in _WALLS:
        return "wall"
    return "building" if node.kind in _BUILDINGS else "furnishing"


def _style(node: Node) -> str:
    """Returns what a surface is paved with; empty for everything else."""
    return str(node.attributes.get("style", node.kind)) if kind_named(node.kind).motion is Motion.SURFACE else ""


def _copies(writer: GlbWriter, copies: Copies) -> int:
    """Adds all copies of a mesh as one node."""
    kind = copies.nodes[0].kind
    mesh = writer.add_mesh(copies.mesh, kind)
    extras = {"kind": kind, "names": [node.name for node in copies.nodes]}
    scales = None if np.allclose(copies.scale, 1.0) else scales_y_up(np.repeat(copies.scale[:, None], 3, 1))
    rotations = rotations_y_up(_unit(copies.rotation))
    return writer.add_instances(mesh, points_y_up(copies.position), rotations, scales, name=kind, extras=extras)


def _movables(writer: GlbWriter, parts: Sequence[Part]) -> list[int]:
    """Adds a node for each door and loose thing; equal ones share a mesh."""
    meshes: dict[tuple[int, float], int] = {}
    roots = []
    for part in parts:
        hinge = part.mesh.bounds[0, 1] if part.node.kind == "door" else 0.0
        key = (id(part.mesh), float(hinge))
        if key not in meshes:
            meshes[key] = writer.add_mesh(part.mesh.moved(y=-float(hinge)), part.node.kind)
        at = part.position + part.scale * rotated(part.rotation[None], np.array([[0.0, hinge, 0.0]]))[0]
        extras = {"name": part.node.name, **_extras(part.node.kind, part.level)}
        if part.node.kind == "door":
            extras["width_m"] = round(-2 * float(hinge), 3)
        roots.append(_placed(writer, part, meshes[key], at, extras))
    return roots


def _roof(writer: GlbWriter, part: Part) -> int:
    """Adds what covers a building that can be entered."""
    extras = {"name": part.node.name, **_extras("roof", part.level), "roof": True}
    return _placed(writer, part, writer.add_mesh(part.mesh, "roof"), part.position, extras)


def _placed(writer: GlbWriter, part: Part, mesh: int, at: NDArray[np.float64], extras: dict[str, Any]) -> int:
    return writer.add_node(
        part.node.name,
        mesh=mesh,
        translation=points_y_up(at),
        rotation=rotations_y_up(_unit(part.rotation)),
        scale=None if part.scale == 1.0 else [part.scale] * 3,
        extras=extras,
    )


def _extras(kind: str, level: int) -> dict[str, Any]:
    return {"kind": kind, **({"level": level} if level else {})}


def _unit(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns quaternions (..., 4) of length 1 to the last bit that float32 holds."""
    return np.asarray(rotation / np.linalg.norm(rotation, axis=-1, keepdims=True))
