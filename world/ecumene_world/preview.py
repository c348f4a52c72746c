"""Pictures of a graph without a browser: a map from above, a view from the air and what a visitor would see."""

from __future__ import annotations

from dataclasses import replace
from math import cos, sin
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.raster import point
from ecumene_world.assets.render import Camera, Instances, Look, png, render
from ecumene_world.compiler.rows import rotated
from ecumene_world.exporters.parts import Copies, drawn
from ecumene_world.graph import SceneGraph

_EYE_M: Final = 1.65
_AROUND_M: Final = 1.6
"""How much ground is shown about a building that stands alone."""
FEW_BUILDINGS: Final = 3
"""Up to so many buildings are shown without roofs in plans."""


def preview(graph: SceneGraph, size: tuple[int, int] = (1200, 800), *, view: str = "air") -> bytes:
    """Returns a PNG picture of a graph.

    Args:
        graph: With at least one node that is drawn.
        size: Width and height in pixels.
        view: "plan" (map from above), "air" (from a corner above), "cut" (from above without roofs), "street" (from
            the first spawn place) or "both" (plan and, beside it, the view from the air; both without roofs where
            there are at most `FEW_BUILDINGS`).

    Raises:
        GraphError: A node's parameters or arrays don't fit.
    """
    return png(picture(graph, size, view=view))


def picture(graph: SceneGraph, size: tuple[int, int] = (1200, 800), *, view: str = "air") -> NDArray[np.uint8]:
    """Returns the pixels (H, W, 3) of `preview`."""
    few = sum(node.kind == "building" for node in graph.walk()) <= FEW_BUILDINGS
    if view == "both":
        half = (size[0] // 2, size[1])
        return np.concatenate([picture(graph, half, view=each) for each in ("plan", "cut" if few else "air")], axis=1)
    scene = scene_of(graph, roofs=view != "cut" and not (view == "plan" and few))
    bounds = bounds_of(scene)
    aspect = size[0] / size[1]
    if view == "plan":
        camera = Camera.plan(_inside(graph, bounds), aspect)
    elif view == "street":
        camera = _standing(graph, bounds)
    else:
        camera = _fitting(_inside(graph, bounds), aspect, yaw=-1.15, pitch=0.72 if view == "air" else 0.98)
    haze = 30.0 * float(np.linalg.norm(bounds[1] - bounds[0])) if view in {"air", "street"} else 0.0
    return render(scene, camera, size, Look(haze_m=haze))


def write_preview(graph: SceneGraph, path: Path | str, size: tuple[int, int] = (1600, 800), view: str = "both") -> None:
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


def _inside(graph: SceneGraph, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what a picture shows: a single building with a step of ground about it, else everything."""
    houses = [node for node in graph.walk() if node.kind == "building" and "polygon" in node.attributes]
    if len(houses) != 1:
        return bounds
    corners = np.array(houses[0].attributes["polygon"], np.float64)
    pose = graph.world_pose(houses[0].name)
    ring = np.array([pose.apply((x, y, 0.0))[:2] for x, y in corners.tolist()])
    low, high = bounds.copy()
    low[:2], high[:2] = ring.min(0) - _AROUND_M, ring.max(0) + _AROUND_M
    high[2] = min(high[2], 3.2)
    return np.stack([low, high])


def _fitting(bounds: NDArray[np.float64], aspect: float, *, yaw: float, pitch: float, fov_rad: float = 0.5) -> Camera:
    """Returns the nearest view in a direction that shows the whole box, in the middle of the picture."""
    low, high = bounds
    high = np.array([high[0], high[1], min(high[2], low[2] + 0.12 * float(np.hypot(*(high - low)[:2])) + 2.5)])
    corners = np.array([[(low, high)[(n >> k) & 1][k] for k in range(3)] for n in range(8)])
    toward = -np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    target = (low + high) / 2
    right, up, forward = Camera(point(target - toward), point(target), fov_rad).basis()
    tall = float(np.tan(fov_rad / 2))
    away = float(np.linalg.norm(high - low))
    for _ in range(24):
        local = corners - target
        depth = away + local @ forward
        across, rise = (local @ right) / depth / (tall * aspect), (local @ up) / depth / tall
        target = target + right * (across.max() + across.min()) / 2 * away * tall * aspect
        target = target + up * (rise.max() + rise.min()) / 2 * away * tall
        away *= max(np.ptp(across) / 2, np.ptp(rise) / 2) * 1.04
    return Camera(point(target - away * forward), point(target), fov_rad)


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
