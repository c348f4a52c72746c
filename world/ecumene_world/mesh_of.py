"""What a node looks like: from the library, from its polygon or from imported arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets import library, palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.buildings import STYLES, building
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter, rgb
from ecumene_world.assets.polygon import cleaned, triangulated
from ecumene_world.assets.solids import box, prism
from ecumene_world.assets.structure import PLASTER, wall
from ecumene_world.errors import GraphError
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import Category, Motion, kind_named
from ecumene_world.plain import JSON

_BUILT: Final = frozenset(library.kinds())
_PLANNED: Final = {"building", "house", "tower", "kiosk", "roof"}
"""Kinds that a polygon and a height make a building of."""
_PAINT: Final[Mapping[str, RGB]] = {
    "asphalt": palette.ASPHALT,
    "marking": rgb("#e9e6dc"),
    "pavement": palette.PAVING[0],
    "plaza": rgb("#dccfb4"),
    "plaza_dark": rgb("#c7b797"),
    "path": rgb("#d6c49c"),
    "lawn": palette.GRASS,
    "meadow": rgb("#9bb56b"),
    "yard": rgb("#b9a98a"),
    "water": palette.WATER,
    "floor": palette.OAK[0],
    "parquet": palette.OAK[2],
    "tiles": rgb("#cfd2cc"),
    "street": palette.ASPHALT,
    "square": palette.PAVING[0],
    "ground": rgb("#a9ad7e"),
}
"""Colours of surfaces by style, else by kind."""
SOLID_HEIGHT_M: Final = 3.0
"""Height of a solid with a polygon that does not say how high it is."""
_SKIRT_M: Final = 0.3
"""How far a surface's edge reaches down, so that a kerb shows no gap."""
_SLAB_M: Final = 0.2
"""Thickness of the floors of upper storeys."""


def asset_of(node: Node) -> Asset | None:
    """Returns the library's asset for a node, None for kinds without one and for nodes with a shape of their own.

    Raises:
        GraphError: A parameter is unknown or out of range; the message names the node.
    """
    if node.kind not in _BUILT or "mesh" in node.attributes or "polygon" in node.attributes:
        return None
    try:
        return library.build(node.kind, node.seed, node.params)
    except GraphError as error:
        raise GraphError(f"node {node.name!r}: {error}") from error


def mesh_of(graph: SceneGraph, node: Node) -> Mesh | None:
    """Returns a node's look in its own frame; None for groups, and where `drawn` is false.

    Raises:
        GraphError: A parameter, a footprint or an array does not fit; the message names the node.
    """
    if node.attributes.get("drawn") is False:
        return None
    asset = asset_of(node) if not shaped(node) else None
    if asset is not None:
        return asset.mesh
    try:
        return _own(graph, node)
    except GraphError as error:
        raise GraphError(f"node {node.name!r}: {error}") from error


def shaped(node: Node) -> bool:
    """Tells whether a node has a shape of its own instead of one from the library."""
    own = {"mesh", "polygon", "heights"} & node.attributes.keys()
    return bool(own) or ("size" in node.attributes and node.kind in {"wall", "fence", "stairs", "ramp"})


def _own(graph: SceneGraph, node: Node) -> Mesh | None:
    """Returns the mesh that a node's attributes describe."""
    attributes = node.attributes
    if isinstance(attributes.get("mesh"), str):
        key = str(attributes["mesh"])
        arrays = (graph.arrays[f"{key}/{part}"] for part in ("vertices", "faces", "colours"))
        return Mesh.of(*arrays)
    if isinstance(attributes.get("heights"), str):
        return _terrain(graph, node)
    motion = kind_named(node.kind).motion
    if "polygon" in attributes and (motion is not Motion.GHOST or node.kind in _PLANNED):
        return _raised(node) if node.kind in _PLANNED else _surface(node) if motion is Motion.SURFACE else _prism(node)
    by_size: dict[str, Callable[[Node], Mesh]] = {"wall": _wall, "stairs": _flight, "ramp": _flight}
    if "size" in attributes and motion is not Motion.GHOST:
        return by_size.get(node.kind, _box)(node)
    return None


def _raised(node: Node) -> Mesh:
    """Returns a building over a footprint."""
    attributes = node.attributes
    style = str(attributes.get("style", "auto"))
    return building(
        _polygon(node),
        _number(attributes.get("height_m"), SOLID_HEIGHT_M),
        node.seed,
        style=style if style in STYLES else "auto",
        entrances=[(float(x), float(y), float(yaw)) for x, y, yaw in _rows(attributes.get("entrances"))],
        interior=attributes.get("interior") is True,
        storeys=int(_number(attributes.get("storeys"), 1.0)),
    )


def _surface(node: Node) -> Mesh:
    """Returns a flat polygon with an edge; the floor of an upper storey has an underside."""
    outline = cleaned(_polygon(node))
    if len(outline) < 3:
        return Mesh.empty()
    tone = _tone(node)
    upper = node.kind == "floor" and bool(node.attributes.get("level"))
    depth = _SLAB_M if upper else _SKIRT_M
    count = len(outline)
    top = np.column_stack([outline, np.zeros(count)])
    low = top - [0.0, 0.0, depth]
    here, after = np.arange(count), np.roll(np.arange(count), -1)
    sides = np.concatenate(
        [np.stack([here + count, after + count, after], 1), np.stack([here + count, after, here], 1)]
    )
    lid = triangulated(outline)
    faces = [lid, sides] + ([lid[:, ::-1] + count] if upper else [])
    edge = darker(tone, 0.18)
    paint = [tone] * len(lid) + [edge] * len(sides) + [palette.TRIM] * (len(lid) if upper else 0)
    return Mesh.of(np.concatenate([top, low]), np.concatenate(faces), paint)


def _prism(node: Node) -> Mesh:
    """Returns any other solid over a footprint, such as a hedge."""
    leafy = kind_named(node.kind).category is Category.VEGETATION
    tint = palette.LEAVES[node.seed % len(palette.LEAVES)] if leafy else _tone(node)
    return prism(_polygon(node), _number(node.attributes.get("height_m"), SOLID_HEIGHT_M), tint, top=lighter(tint))


def _wall(node: Node) -> Mesh:
    """Returns a wall of some size with its openings."""
    length, thick, height = _size(node)
    openings = [(float(a), float(b), float(c), float(d)) for a, b, c, d in _rows(node.attributes.get("openings"))]
    return wall(length, height, thick, openings, colour=_tone(node))


def _flight(node: Node) -> Mesh:
    """Returns stairs or a ramp that begin at the node's origin."""
    length, width, rise = _size(node)
    params = {"length_m": length, "width_m": width, "height_m": rise}
    return library.build(node.kind, node.seed, params).mesh.moved(x=length / 2)


def _box(node: Node) -> Mesh:
    return box(_size(node), _tone(node))


def _terrain(graph: SceneGraph, node: Node) -> Mesh:
    """Returns a height field as triangles, with colours from the array `KEY/colours` (H, W, 3) if there is one."""
    key = str(node.attributes["heights"])
    heights = np.asarray(graph.arrays[key], np.float64)
    step = _number(node.attributes.get("cell_m"), 1.0)
    x0, y0 = (_rows([node.attributes.get("origin")]) or [[0.0, 0.0]])[0]
    rows, columns = heights.shape
    y, x = np.mgrid[0:rows, 0:columns]
    vertices = np.stack([float(x0) + x * step, float(y0) + y * step, heights], -1).reshape(-1, 3)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    lower = np.stack([corner, corner + 1, corner + columns + 1], 1)
    upper = np.stack([corner, corner + columns + 1, corner + columns], 1)
    faces = np.stack([lower, upper], 1).reshape(-1, 3)
    paint: NDArray[np.generic] | RGB = _tone(node)
    colours = graph.arrays.get(f"{key}/colours")
    if colours is not None:
        paint = np.repeat(np.asarray(colours, np.uint8).reshape(-1, 3)[corner], 2, axis=0)
    return Mesh.of(vertices, faces, paint)


def _tone(node: Node) -> RGB:
    """Returns the colour a node asks for, or that of its style or kind."""
    given = node.attributes.get("colour")
    if isinstance(given, str):
        return rgb(given)
    style = str(node.attributes.get("style", ""))
    return _PAINT.get(style) or _PAINT.get(node.kind) or PLASTER


def _polygon(node: Node) -> NDArray[np.float64]:
    return np.array(node.attributes["polygon"], np.float64)


def _size(node: Node) -> tuple[float, float, float]:
    x, y, z = (float(extent) for extent in _rows([node.attributes["size"]])[0])
    return x, y, z


def _rows(value: JSON) -> Sequence[Sequence[float]]:
    """Returns a list of lists of numbers; nothing for anything else."""
    if not isinstance(value, list):
        return []
    return [[float(n) for n in row if isinstance(n, int | float)] for row in value if isinstance(row, list)]


def _number(value: JSON, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
