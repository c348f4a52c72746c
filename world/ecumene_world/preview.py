"""Pictures of a graph without a browser: a map from above, a view from the air and what a visitor would see."""

from __future__ import annotations

from dataclasses import replace
from math import cos, sin
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.render import Camera, Instances, Look, png, render
from ecumene_world.compiler.rows import rotated
from ecumene_world.exporters.parts import Copies, drawn
from ecumene_world.graph import SceneGraph

_EYE_M: Final = 1.65
_CUT_M: Final = 2.4
"""Height at which a cut-away view looks into rooms."""


def preview(graph: SceneGraph, size: tuple[int, int] = (1200, 800), *, view: str = "air") -> bytes:
    """Returns a PNG picture of a graph.

    Args:
        graph: With at least one node that is drawn.
        size: Width and height in pixels.
        view: "plan" (map from above), "air" (from a corner above), "cut" (from above without roofs) or "street" (from
            the first spawn place).

    Raises:
        GraphError: A node's parameters or arrays don't fit.
    """
    scene = scene_of(graph, roofs=view != "cut")
    bounds = bounds_of(scene)
    if view == "plan":
        camera = Camera.plan(bounds, size[0] / size[1])
    elif view == "street":
        camera = _standing(graph, bounds)
    else:
        camera = Camera.orbit(bounds, yaw=-1.1, pitch=0.72 if view == "air" else 0.95, fit=0.72)
    haze = 0.0 if view == "plan" else 3.5 * float(np.linalg.norm(bounds[1] - bounds[0]))
    return png(render(scene, camera, size, Look(haze_m=haze)))


def write_preview(graph: SceneGraph, path: Path | str, size: tuple[int, int] = (1200, 800), view: str = "air") -> None:
    """Writes `preview` to a file."""
    Path(path).write_bytes(preview(graph, size, view=view))


def scene_of(graph: SceneGraph, *, roofs: bool = True) -> list[Mesh | Instances]:
    """Returns what the renderer draws of a graph, with or without roofs."""
    copies, parts = drawn(graph)
    shown = [part for part in parts if roofs or part.sort != "roof"]
    return [*[_instances(group) for group in copies], *[part.placed() for part in shown]]


def bounds_of(scene: list[Mesh | Instances]) -> NDArray[np.float64]:
    """Returns lowest and highest corner (2, 3) of a scene, metres; a unit cube for an empty one."""
    corners = [np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])] if not scene else []
    for item in scene:
        if isinstance(item, Mesh):
            corners.append(item.bounds.astype(np.float64))
        else:
            at = item.matrices[:, :3, 3]
            reach = np.abs(item.mesh.bounds).max()
            corners += [at - reach * np.array([1.0, 1.0, 0.0]), at + reach]
    every = np.concatenate(corners)
    return np.stack([every.min(0), every.max(0)])


def _instances(copies: Copies) -> Instances:
    """Returns the copies as matrices."""
    count = len(copies.nodes)
    matrices = np.tile(np.eye(4), (count, 1, 1))
    for axis in range(3):
        unit = np.tile(np.eye(3)[axis], (count, 1))
        matrices[:, :3, axis] = rotated(copies.rotation, unit) * copies.scale[:, None]
    matrices[:, :3, 3] = copies.position
    return Instances(copies.mesh, matrices)


def _standing(graph: SceneGraph, bounds: NDArray[np.float64]) -> Camera:
    """Returns what somebody sees who stands on the first spawn place, or in the world's middle."""
    spawns = [node.name for node in graph.walk() if node.attributes.get("role") == "spawn"]
    if not spawns:
        return replace(Camera.orbit(bounds), fov_rad=1.0)
    pose = graph.world_pose(spawns[0])
    x, y, z = pose.position
    ahead = (x + 10 * cos(pose.yaw), y + 10 * sin(pose.yaw), z + _EYE_M - 0.6)
    return Camera((x, y, z + _EYE_M), ahead, fov_rad=1.05)
