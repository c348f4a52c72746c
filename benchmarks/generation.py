"""How long generated rooms, towns and imported scans take, on one core.

    OMP_NUM_THREADS=1 python benchmarks/generation.py [--seeds 5] [--towns 170,600] [--points 1000000]

Prints a table: drawing and the gate with its repair, in seconds of processor time; medians, and the slowest of both
together, of some seeds for what is generated. The scan is a furnished room, sampled evenly with 5 mm of noise, written
as PLY and read back as `ecumene import` does, gate included. The networks are loaded before the clock runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_world import Node, importers
from ecumene_world.gate import gated
from ecumene_world.generate import TYPES, drawn
from ecumene_world.generate.fitting import fitted
from ecumene_world.generate.learned_layout import LearnedLayout
from ecumene_world.generate.procedural import Procedural
from ecumene_world.generate.proposer import FLOOR, Brief, Doorway, LayoutProposer
from ecumene_world.importers.recognise import import_room
from ecumene_world.kinds import BY_NAME, Interaction
from ecumene_world.mesh_of import asset_of

Row = tuple[str, int, int, float, float, float]
"""What, nodes, things that can be used, seconds drawn, seconds gated, slowest of both."""


def made(name: str, kind: str, seeds: int, size_m: float | None = None, proposer: LayoutProposer | None = None) -> Row:
    """Returns what a type takes; the first seed is drawn once before, so that modules are loaded."""
    drawn(kind, 0, size_m=size_m, proposer=proposer)
    draws, gates, nodes, things = [], [], [], []
    for seed in range(1, seeds + 1):
        start = time.process_time()
        graph = drawn(kind, seed, size_m=size_m, proposer=proposer)
        between = time.process_time()
        world = gated(graph)
        gates.append(time.process_time() - between)
        draws.append(between - start)
        nodes.append(len(world.graph))
        things.append(sum(BY_NAME[node.kind].interaction is not Interaction.NONE for node in world.graph.walk()))
    both = [a + b for a, b in zip(draws, gates, strict=True)]
    middle = statistics.median
    return name, int(middle(nodes)), int(middle(things)), middle(draws), middle(gates), max(both)


def scan(points: int) -> NDArray[np.float32]:
    """Returns (points, 3) of a living room of 6 by 5 metres without its ceiling, as a scanner sees it, metres."""
    deep, wide, high = 6.0, 5.0, 2.6
    brief = Brief("living", ((0.0, 0.0), (deep, 0.0), (deep, wide), (0.0, wide)), high, (Doorway(0, 2.5, 0, 0.9),))
    parts = [_quad((0, 0, 0), (deep, 0, 0), (0, wide, 0))]
    parts += [_quad((x, 0, 0), (0, wide, 0), (0, 0, high)) for x in (0.0, deep)]
    parts += [_quad((0, y, 0), (deep, 0, 0), (0, 0, high)) for y in (0.0, wide)]
    for thing in fitted(brief, Procedural().propose(brief) or (), 1).things:
        asset = asset_of(Node("thing", thing.kind, seed=thing.seed, params=thing.params))
        if asset is not None and not thing.hung and thing.support == FLOOR:
            parts.append(asset.mesh.turned(thing.yaw).moved(thing.x, thing.y).triangles.astype(np.float64))
    a, b, c = np.moveaxis(np.concatenate(parts), 1, 0)
    rng = np.random.default_rng(0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    which = rng.choice(len(area), points, p=area / area.sum())
    u, v = np.sort(rng.random((2, points, 1)), axis=0)
    at = a[which] * u + b[which] * (v - u) + c[which] * (1 - v)
    return np.asarray(at + rng.normal(0, 0.005, at.shape), np.float32)


def imported(points: int) -> Row:
    """Returns what importing a scan takes, networks and gate included."""
    xyz = scan(points)
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {points}\n"
        "property float x\nproperty float y\nproperty float z\nend_header\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "room.ply"
        path.write_bytes(header.encode() + xyz.astype("<f4").tobytes())
        import_room(path)
        start = time.process_time()
        found = import_room(path)
        between = time.process_time()
        world = importers.as_it_is(found.graph)
        end = time.process_time()
    count = len(world.graph)
    return f"scan of {points:,} points", count, len(found.guesses), between - start, end - between, end - start


def _quad(at: Sequence[float], along: Sequence[float], up: Sequence[float]) -> NDArray[np.float64]:
    """Returns (2, 3, 3) the triangles of a parallelogram."""
    o, u, v = (np.array(part, np.float64) for part in (at, along, up))
    return np.array([[o, o + u, o + u + v], [o, o + u + v, o + v]])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--towns", default="170,600", help="edges, metres")
    parser.add_argument("--points", type=int, default=1_000_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'what':28}{'nodes':>8}{'things':>8}{'draw s':>9}{'gate s':>9}{'slowest s':>11}")
    for kind in (kind for kind in TYPES if kind not in {"town", "arena"}):
        _show(made(kind, kind, options.seeds))
    for straighten in (False, True):
        name = "apartment, learned" + straighten * ", straightened"
        _show(made(name, "apartment", options.seeds, proposer=LearnedLayout.shipped(straighten=straighten)))
    for edge in (float(word) for word in options.towns.split(",") if word):
        _show(made(f"town of {edge:g} m", "town", 1, edge))
    if options.points:
        _show(imported(options.points))


def _show(row: Row) -> None:
    name, nodes, things, draw, gate, slowest = row
    print(f"{name:28}{nodes:>8,}{things:>8,}{draw:>9.2f}{gate:>9.2f}{slowest:>11.2f}", flush=True)


if __name__ == "__main__":
    main()
