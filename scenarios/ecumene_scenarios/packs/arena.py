"""Training grounds: a bare square with walls, blocks, places to go to and a bell."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ecumene_world import SceneGraph
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

Point = tuple[float, float]


def ground(size_m: float, seed: int, name: str) -> SceneGraph:
    """A square of `size_m`, centred on the origin, with nothing on it."""
    graph = SceneGraph(name, seed)
    half = size_m / 2
    corners: list[JSON] = [[-half, -half], [half, -half], [half, half], [-half, half]]
    graph.add(Node("floor", "square", attributes={"polygon": corners}))
    return graph


def add_block(graph: SceneGraph, name: str, at: Point, size: Point, yaw: float, height_m: float = 2.6) -> None:
    """Adds a solid box; `size` is its length and width, metres."""
    x, y = size[0] / 2, size[1] / 2
    corners: list[JSON] = [[-x, -y], [x, -y], [x, y], [-x, y]]
    graph.add(Node(name, "building", Pose.at(*at, yaw=yaw), attributes={"polygon": corners, "height_m": height_m}))


def add_divide(graph: SceneGraph, name: str, length_m: float, doors: Iterable[float], yaw: float) -> None:
    """Adds a wall through the origin with doors at those metres along it."""
    size: list[JSON] = [length_m, 0.2, 2.6]
    graph.add(Node(name, "wall", Pose.at(0.0, 0.0, yaw=yaw), attributes={"size": size}))
    for index, along in enumerate(doors):
        at = (along * math.cos(yaw), along * math.sin(yaw))
        graph.add(Node(f"{name} door {index}", "door", Pose.at(*at, yaw=yaw + math.pi / 2)))


def add_place(graph: SceneGraph, name: str, at: Point, radius_m: float = 1.0, role: str = "square") -> None:
    """Adds somewhere to go."""
    graph.add(Node(name, "place", Pose.at(*at), attributes={"role": role, "radius_m": radius_m, "title": name}))


def scattered(
    rng: np.random.Generator, count: int, half_m: float, apart_m: float, taken: Iterable[tuple[Point, float]] = ()
) -> list[Point]:
    """Up to `count` random points at least `apart_m` from each other and clear of `taken` (point, radius) discs."""
    kept: list[Point] = []
    discs = list(taken)
    for _ in range(60 * count):
        x, y = (float(value) for value in rng.uniform(-half_m, half_m, 2))
        clear = all(math.dist((x, y), centre) > radius for centre, radius in discs)
        if clear and all(math.dist((x, y), other) >= apart_m for other in kept):
            kept.append((x, y))
        if len(kept) == count:
            break
    return kept


def blocks(
    rng: np.random.Generator, graph: SceneGraph, count: int, half_m: float, taken: Iterable[tuple[Point, float]] = ()
) -> list[tuple[Point, float]]:
    """Scatters solid walls and boxes clear of `taken`; returns the disc (centre, radius) that each one covers."""
    discs: list[tuple[Point, float]] = []
    wide = [(centre, radius + 2.0) for centre, radius in taken]
    for index, at in enumerate(scattered(rng, count, half_m, 4.5, wide)):
        long = rng.random() < 0.6
        low, high = (2.5, 4.5) if long else (0.6, 1.6)
        size = (float(rng.uniform(low, high)), 0.3 if long else float(rng.uniform(low, high)))
        height = float(rng.choice([0.9, 2.6]))
        add_block(graph, f"block {index}", at, size, float(rng.uniform(0, math.pi)), height)
        discs.append((at, math.hypot(*size) / 2 + 0.6))
    return discs
