"""Small scenes that the world's tests share."""

from __future__ import annotations

from math import pi

import numpy as np
import torch

from ecumene_world import Layout, Node, Pose, SceneGraph, World, compile_layout
from ecumene_world.grid import nearest, sample
from ecumene_world.plain import JSON


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list[JSON]:
    """Returns the corners of an axis-aligned rectangle."""
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def field(half_m: float = 10.0) -> SceneGraph:
    """Returns a square of open ground about the origin."""
    graph = SceneGraph("field")
    graph.add(Node("ground", "ground", attributes={"polygon": rectangle(-half_m, -half_m, half_m, half_m)}))
    return graph


def yard() -> SceneGraph:
    """Returns open ground with a building, a bench, a button, a ball and two places."""
    graph = field()
    outline: dict[str, JSON] = {"polygon": rectangle(-2, -2, 2, 2), "height_m": 6.0}
    graph.add(Node("shed", "building", Pose.at(6, 6), attributes=outline))
    graph.add(Node("bench", "bench", Pose.at(-4, 0)))
    graph.add(Node("bell", "bell_post", Pose.at(4, -4)))
    graph.add(Node("ball", "ball", Pose.at(0, 3)))
    graph.add(
        Node("arrivals", "place", Pose.at(-5, -5), attributes={"role": "spawn", "polygon": rectangle(-3, -3, 3, 3)})
    )
    graph.add(Node("market", "place", Pose.at(5, 0), attributes={"role": "square", "radius_m": 2.0}))
    return graph


def house() -> SceneGraph:
    """Returns a two-storey house, turned, on a field: walls, a front door, stairs, a room upstairs and a bed in it."""
    graph = field(12.0)
    shell: dict[str, JSON] = {"interior": True, "polygon": rectangle(-6, -4, 6, 4), "role": "home"}
    graph.add(Node("house", "building", Pose.at(0, 1, yaw=0.3), attributes=shell))
    graph.add(
        Node("ground floor", "floor", Pose.at(0, 0, 0.1), attributes={"polygon": rectangle(-6, -4, 6, 4)}), "house"
    )
    above: dict[str, JSON] = {"polygon": rectangle(-6, -4, 6, 4), "level": 1}
    graph.add(Node("first floor", "floor", Pose.at(0, 0, 2.9), attributes=above), "house")
    graph.add(Node("stairs", "stairs", Pose.at(-4, 3, 0.1), attributes={"size": [4.7, 1.4, 2.8]}), "house")
    for name, x, y, length, yaw in (
        ("south", 0, -4, 12, 0.0),
        ("north", 0, 4, 12, 0.0),
        ("east", 6, 0, 8, pi / 2),
        ("west", -6, 0, 8, pi / 2),
    ):
        size: dict[str, JSON] = {"size": [length, 0.15, 5.6]}
        graph.add(Node(f"{name} wall", "wall", Pose.at(x, y, 0.1, yaw), attributes=size), "house")
    graph.add(Node("front door", "door", Pose.at(-2, -4, 0.1, -pi / 2)), "house")
    graph.add(Node("bed", "bed", Pose.at(4, 2.5, 2.9), attributes={"level": 1}), "house")
    graph.add(Node("study", "place", Pose.at(3, -1, 2.9), attributes={"level": 1, "role": "office"}), "house")
    return graph


def hill(slope: float = 0.2) -> SceneGraph:
    """Returns ground that rises along x by `slope` from z = 0 at x = 0."""
    graph = SceneGraph("hill")
    graph.arrays["heights"] = np.tile(np.arange(21, dtype=np.float32) * slope, (21, 1))
    graph.add(Node("ground", "ground", attributes={"heights": "heights", "cell_m": 1.0, "origin": [0.0, 0.0]}))
    return graph


def world(graph: SceneGraph | None = None, *, worlds: int = 1, slots: int = 8) -> World:
    """Returns a world of a graph, by default of the yard."""
    return World(yard() if graph is None else graph, worlds=worlds, slots=slots)


def at(layout: Layout, name: str, x: float, y: float, level: int = 0) -> float:
    """Returns a float field of a layout at a point."""
    tensor = getattr(layout, name)
    where, storey = torch.tensor([x, y]), torch.tensor(level)
    read = sample if tensor.is_floating_point() else nearest
    return float(read(layout, tensor, storey, where))


def compiled(graph: SceneGraph) -> Layout:
    """Returns the layout of a graph."""
    return compile_layout(graph)
