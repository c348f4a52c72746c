"""The rules that nodes keep, and what each known attribute must look like.

Known to the compiler: `level` storey; `polygon` [[x, y], ...] local metres; `height_m`; `size` [x, y, z]; `mesh` and
`heights` keys of arrays, with `cell_m` and `origin`; `state` initial; `radius_m`; `width_m`; `entrances`
[[x, y, yaw], ...]; `openings` [[start, width, sill, head], ...] of a wall with a size; `interior`. Known to people and
minds: `title`, `text`, `role`, `style`, `colour` '#rrggbb', `drawn`. Others are kept untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import GraphError, UnknownKindError
from ecumene_world.kinds import Motion, kind_named
from ecumene_world.plain import JSON, shown
from ecumene_world.pose import Pose

if TYPE_CHECKING:
    from ecumene_world.graph import Node, SceneGraph

MAX_COORDINATE_M: Final = 1e5
MAX_NAME: Final = 120
MAX_LEVELS: Final = 32
MAX_CORNERS: Final = 20_000
SCALES: Final = (1e-3, 1e3)
MESH_PARTS: Final = ("vertices", "faces", "colours")
"""A node with `mesh` "key" needs arrays "key/vertices" (V, 3), "key/faces" (F, 3) and "key/colours" (F, 3)."""


def check_graph(graph: SceneGraph) -> None:
    """Checks the graph's own fields and every node.

    Raises:
        GraphError: A rule is broken; the message names the node.
    """
    if not 1 <= len(graph.name) <= MAX_NAME or not graph.name.isprintable():
        raise GraphError(f"a graph's name must be 1..{MAX_NAME} printable characters, not {shown(graph.name)}")
    for key, array in graph.arrays.items():
        _check_array(key, array)
    for node in graph.walk():
        check_node(node)
        check_arrays(node, graph.arrays)
    if any(node.kind == "world" for node in graph.walk() if graph.parent(node.name) is not None):
        raise GraphError("only the root may be of kind 'world'")


def check_node(node: Node) -> None:
    """Checks one node by itself.

    Raises:
        GraphError: A rule is broken; the message names the node.
    """
    if not 1 <= len(node.name) <= MAX_NAME or not node.name.isprintable() or node.name != node.name.strip():
        raise GraphError(f"node name {shown(node.name)} must be 1..{MAX_NAME} printable characters, not padded")
    try:
        kind = kind_named(node.kind)
    except UnknownKindError as error:
        raise GraphError(f"node {node.name!r}: {error}") from error
    if kind.motion is Motion.AVATAR:
        raise GraphError(f"node {node.name!r} is of kind {node.kind!r}; avatars are spawned, not authored")
    check_pose(node.name, node.pose)
    for name, param in node.params.items():
        if isinstance(param, bool) or not isinstance(param, int | float | str):
            raise GraphError(f"parameter {name!r} of node {node.name!r} must be a number or text, not {shown(param)}")
    for key, value in node.attributes.items():
        if key in _RULES and (wanted := _RULES[key](value)):
            raise GraphError(f"attribute {key!r} of node {node.name!r} must be {wanted}, not {shown(value)}")
    if node.kind in ("stairs", "ramp") and "size" not in node.attributes:
        raise GraphError(f"node {node.name!r} is of kind {node.kind!r} and lacks the attribute 'size'")


def check_pose(name: str, pose: Pose) -> None:
    """Checks that a pose is finite, in range and a rotation.

    Raises:
        GraphError: It isn't; the message names the node.
    """
    if not pose.finite:
        raise GraphError(f"the pose of node {name!r} holds a number that is not finite")
    if max(map(abs, pose.position)) > MAX_COORDINATE_M:
        raise GraphError(f"node {name!r} stands at {pose.position}, more than {MAX_COORDINATE_M:.0f} m away")
    if abs(sum(part * part for part in pose.rotation) - 1.0) > 1e-3:
        raise GraphError(f"the rotation {pose.rotation} of node {name!r} is no unit quaternion")
    if not SCALES[0] <= pose.scale <= SCALES[1]:
        raise GraphError(f"the scale {pose.scale} of node {name!r} is not in {SCALES[0]}..{SCALES[1]}")


def check_arrays(node: Node, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Checks that the arrays which a node refers to exist and fit.

    Raises:
        GraphError: One doesn't; the message names the node.
    """
    mesh = node.attributes.get("mesh")
    if isinstance(mesh, str):
        for part in MESH_PARTS:
            array = _referred(node, arrays, f"{mesh}/{part}")
            if array.ndim != 2 or array.shape[1] != 3:
                raise GraphError(f"array {mesh}/{part} of node {node.name!r} has shape {array.shape}; (n, 3) is needed")
        _check_faces(node, arrays, mesh)
    heights = node.attributes.get("heights")
    if isinstance(heights, str):
        array = _referred(node, arrays, heights)
        if array.ndim != 2 or min(array.shape) < 2 or array.dtype.kind != "f":
            raise GraphError(f"array {heights!r} of node {node.name!r} must be an (H, W) grid of heights")


def _check_faces(node: Node, arrays: Mapping[str, NDArray[np.generic]], mesh: str) -> None:
    faces, vertices = arrays[f"{mesh}/faces"], arrays[f"{mesh}/vertices"]
    if faces.dtype.kind not in "iu":
        raise GraphError(f"array {mesh}/faces of node {node.name!r} must hold whole numbers, not {faces.dtype}")
    if faces.size and not (int(faces.min()) >= 0 and int(faces.max()) < len(vertices)):  # type: ignore[call-overload]
        raise GraphError(f"array {mesh}/faces of node {node.name!r} points outside its {len(vertices)} vertices")


def _referred(node: Node, arrays: Mapping[str, NDArray[np.generic]], key: str) -> NDArray[np.generic]:
    if key not in arrays:
        raise GraphError(f"node {node.name!r} refers to array {shown(key)}, which the graph does not have")
    return arrays[key]


def _check_array(key: str, array: NDArray[np.generic]) -> None:
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8 or array.dtype == np.float16:
        raise GraphError(f"array {shown(key)} has dtype {array.dtype}; numbers of 1 to 8 bytes are stored")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise GraphError(f"array {shown(key)} holds numbers that are not finite")


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE_M


def _whole(low: int, high: int) -> Callable[[JSON], str]:
    wanted = f"a whole number in {low}..{high}"
    return lambda value: (
        "" if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else wanted
    )


def _positive(value: JSON) -> str:
    fits = isinstance(value, int | float) and _is_number(value) and value > 0
    return "" if fits else f"a number above 0 and up to {MAX_COORDINATE_M:.0f}"


def _numbers(count: int, what: str) -> Callable[[JSON], str]:
    def rule(value: JSON) -> str:
        fits = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
        return "" if fits else f"{what}, {count} numbers"

    return rule


def _size(value: JSON) -> str:
    wanted = "[x, y, z] in metres, the first two above 0"
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
        return wanted
    x, y = value[0], value[1]
    return "" if isinstance(x, int | float) and isinstance(y, int | float) and x > 0 and y > 0 else wanted


def _polygon(value: JSON) -> str:
    wanted = f"3..{MAX_CORNERS} corners [x, y] in metres that enclose an area"
    if not isinstance(value, list) or not 3 <= len(value) <= MAX_CORNERS:
        return wanted
    if not all(isinstance(corner, list) and len(corner) == 2 and all(map(_is_number, corner)) for corner in value):
        return wanted
    x, y = np.array(value, np.float64).T
    spread = (x.max() - x.min()) * (y.max() - y.min())
    return "" if spread > 1e-6 else wanted


def _entrances(value: JSON) -> str:
    rule = _numbers(3, "")
    fits = isinstance(value, list) and len(value) <= 1000 and not any(map(rule, value))
    return "" if fits else "a list of [x, y, yaw]"


def _openings(value: JSON) -> str:
    rule = _numbers(4, "")
    fits = isinstance(value, list) and len(value) <= 1000 and not any(map(rule, value))
    return "" if fits else "a list of [start, width, sill, head] in metres"


def _text(value: JSON) -> str:
    return "" if isinstance(value, str) else "text"


def _colour(value: JSON) -> str:
    fits = isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value)
    return "" if fits else "a colour such as '#c46a4a'"


def _flag(value: JSON) -> str:
    return "" if isinstance(value, bool) else "true or false"


_RULES: Final[Mapping[str, Callable[[JSON], str]]] = {
    "level": _whole(0, MAX_LEVELS - 1),
    "state": _whole(0, 255),
    "polygon": _polygon,
    "size": _size,
    "entrances": _entrances,
    "openings": _openings,
    "origin": _numbers(2, "[x, y]"),
    "height_m": _positive,
    "radius_m": _positive,
    "width_m": _positive,
    "cell_m": _positive,
    "mesh": _text,
    "heights": _text,
    "title": _text,
    "text": _text,
    "role": _text,
    "style": _text,
    "interior": _flag,
    "drawn": _flag,
    "colour": _colour,
}
"""A check for each attribute that the compiler reads: what it must be, or "" if it is."""
