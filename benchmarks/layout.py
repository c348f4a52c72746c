"""How long compiling takes, and what the level-wise product gains over walking the graph.

    OMP_NUM_THREADS=1 python benchmarks/layout.py [--quick]

Prints one table. The baseline, a networkx walk that composes poses node by node, is timed in the same run on the same
graph. Times are medians of several runs, in milliseconds of processor time, so that a busy machine matters less.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from ecumene_world import Node, Pose, SceneGraph, compile_layout
from ecumene_world.compiler.rows import flattened, world_poses
from ecumene_world.plain import JSON

PROPS = ("broadleaf_tree", "bench", "street_lamp", "bin", "bush", "conifer_tree", "bollard", "car")


def tree(count: int, seed: int = 0) -> SceneGraph:
    """Returns a graph of `count` nodes, four children each, on a square of ground."""
    rng = np.random.default_rng(seed)
    graph = SceneGraph("tree")
    graph.add(Node("ground", "ground", attributes={"polygon": [[-50, -50], [50, -50], [50, 50], [-50, 50]]}))
    names = ["world"]
    for index in range(count - 2):
        parent = names[index // 4]
        x, y, yaw = rng.uniform([-6, -6, -3], [6, 6, 3]).tolist()
        names.append(
            graph.add(Node(f"node {index}", "rug" if index % 8 else "stool", Pose.at(x, y, yaw=yaw)), parent).name
        )
    return graph


def town(buildings: int = 145, props: int = 1000, side_m: float = 600.0, seed: int = 0) -> SceneGraph:
    """Returns a town of rotated blocks and street furniture on a square of ground."""
    rng = np.random.default_rng(seed)
    graph = SceneGraph("town")
    half = side_m / 2
    graph.add(
        Node("ground", "ground", attributes={"polygon": [[-half, -half], [half, -half], [half, half], [-half, half]]})
    )
    for index in range(buildings):
        x, y, yaw = rng.uniform([-half + 20, -half + 20, -3], [half - 20, half - 20, 3]).tolist()
        w, d = rng.uniform(5, 14, 2).tolist()
        outline: list[JSON] = [[-w, -d], [w, -d], [w, d], [0, d], [0, d / 2], [-w, d / 2]]
        attributes: dict[str, JSON] = {"polygon": outline, "height_m": float(rng.uniform(5, 20))}
        graph.add(Node(f"building {index}", "building", Pose.at(x, y, yaw=yaw), attributes=attributes))
    for index in range(20):
        y = -half + side_m * (index + 0.5) / 20
        graph.add(
            Node(
                f"street {index}",
                "street",
                Pose.at(0, y),
                attributes={"polygon": [[-half, -3], [half, -3], [half, 3], [-half, 3]]},
            )
        )
    for index in range(props):
        x, y, yaw = rng.uniform([-half, -half, -3], [half, half, 3]).tolist()
        kind = PROPS[index % len(PROPS)]
        graph.add(Node(f"prop {index}", kind, Pose.at(x, y, yaw=yaw), seed=int(rng.integers(100))))
    return graph


def walked(graph: SceneGraph) -> dict[str, Pose]:
    """Returns every node's world pose, composed node by node: the baseline."""
    poses: dict[str, Pose] = {}
    for node in graph.walk():
        above = graph.parent(node.name)
        poses[node.name] = node.pose if above is None else poses[above].compose(node.pose)
    return poses


def timed_ms(work: Callable[[], object], runs: int) -> float:
    """Returns the median duration of some runs."""
    durations = []
    for _ in range(runs):
        start = time.process_time()
        work()
        durations.append(1e3 * (time.process_time() - start))
    return statistics.median(durations)


def measured(name: str, graph: SceneGraph, runs: int) -> list[str]:
    """Returns one row of the table."""
    rows = flattened(graph)
    arguments = (rows.parent, rows.depth_start, rows.rest_position, rows.rest_rotation, rows.rest_scale)
    walk = timed_ms(lambda: walked(graph), max(runs, 3))
    product = timed_ms(lambda: world_poses(*arguments), 20)
    layout = compile_layout(graph)
    whole = timed_ms(lambda: compile_layout(graph), runs)
    levels, height, width = layout.floor.shape
    grid = f"{levels}×{height}×{width} at {layout.cell_m} m"
    return [name, f"{len(graph):,}", grid, f"{walk:.1f}", f"{product:.2f}", f"{walk / product:.0f}×", f"{whole:.0f}"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one run each, no 10,000-node town")
    quick = parser.parse_args().quick
    runs = 1 if quick else 3
    worlds = {"tree 1k": tree(1_000), "tree 10k": tree(10_000), "town 600 m": town()}
    if not quick:
        worlds["town 10k"] = town(buildings=500, props=9_480)
    heads = ["world", "nodes", "grid", "walk ms", "product ms", "gain", "compile ms"]
    table = [heads, *(measured(name, graph, runs) for name, graph in worlds.items())]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for row in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
