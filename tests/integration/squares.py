"""A small world for server tests: a paved square with things to use, some of them far away."""

from __future__ import annotations

from pathlib import Path

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.plain import JSON


def square() -> SceneGraph:
    """Returns 200 m × 80 m of ground with a bench, a sign, bells, buttons and two places."""
    graph = SceneGraph("Test square", 1, ("© nobody",))
    outline: list[JSON] = [[-40, -40], [160, -40], [160, 40], [-40, 40]]
    graph.add(Node("ground", "ground", attributes={"polygon": outline}))
    graph.add(Node("spawn", "place", attributes={"role": "spawn", "radius_m": 4.0}))
    about: dict[str, JSON] = {"role": "square", "radius_m": 3.0, "title": "Square"}
    graph.add(Node("square", "place", Pose.at(10, 10), attributes=about))
    graph.add(Node("bench", "bench", Pose.at(6, 6)))
    graph.add(Node("sign", "signpost", Pose.at(8, -6), attributes={"title": "Sign", "text": "Market on Saturday."}))
    for number in range(20):
        graph.add(Node(f"bell-{number}", "bell_post", Pose.at(-30 + 3 * number, -35)))
    graph.validate()
    return graph


def saved(folder: Path) -> Path:
    """Writes the square as a file."""
    path = folder / "square.json"
    square().save(path)
    return path
