"""Sweeps seeds through the gate: what fails as drawn, what fails after repair, and how long each took.

    python benchmarks/gate.py [--types apartment,office] [--seeds 1000] [--start 0] [--size M] [--glb 100] [--json]

Seeds are independent, so several processes with different `--start` share the work. Times are processor seconds.
With `--glb N`, every N-th world is exported and put before Khronos' glTF validator (node and `tests/tools`), drawn a
second time and compared by hash.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ecumene_world.errors import WorldError
from ecumene_world.exporters.glb import write_glb
from ecumene_world.gate import gated
from ecumene_world.generate import TYPES, drawn
from ecumene_world.graph import SceneGraph

VALIDATOR = Path(__file__).parents[1] / "tests/tools/validate_gltf.mjs"


@dataclass
class Tally:
    """What a sweep of one type found."""

    type: str
    seeds: int = 0
    failed_before: int = 0
    failed_after: int = 0
    by_check: Counter[str] = field(default_factory=Counter)
    taken_away: int = 0
    bad_seeds: list[str] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    draw_s: list[float] = field(default_factory=list)
    gate_s: list[float] = field(default_factory=list)
    total_s: list[float] = field(default_factory=list)
    exported: int = 0
    gltf_errors: int = 0
    hash_changes: int = 0

    def row(self) -> dict[str, object]:
        """Returns the tally as one row, times as median and maximum."""
        found = {name: value for name, value in asdict(self).items() if not name.endswith("_s") and name != "nodes"}
        found["by_check"] = dict(self.by_check)
        for name in ("draw_s", "gate_s", "total_s", "nodes"):
            values = getattr(self, name) or [0]
            found[name] = [round(float(np.median(values)), 3), round(float(max(values)), 3)]
        return found


def sweep(tally: Tally, seed: int, size_m: float | None, *, thorough: bool) -> None:
    """Puts one seed through the gate."""
    tally.seeds += 1
    start = time.process_time()
    try:
        graph = drawn(tally.type, seed, size_m=size_m)
        drew = time.process_time()
        drawn_hash = graph.hash() if thorough else ""
        world = gated(graph)
        graph, report = world.graph, world.report
        if not world.before.ok:
            tally.failed_before += 1
            tally.by_check.update(world.before.failed)
            tally.taken_away += len(world.repairs)
    except WorldError as error:
        tally.failed_after += 1
        tally.bad_seeds.append(f"{seed}: {error}")
        return
    if not report.ok:
        tally.failed_after += 1
        tally.bad_seeds.append(f"{seed}: {', '.join(report.failed)}")
    tally.nodes.append(len(graph))
    tally.draw_s.append(drew - start)
    tally.gate_s.append(time.process_time() - drew)
    tally.total_s.append(time.process_time() - start)
    if thorough:
        tally.exported += 1
        tally.gltf_errors += gltf_errors(graph)
        tally.hash_changes += drawn(tally.type, seed, size_m=size_m).hash() != drawn_hash


def gltf_errors(graph: SceneGraph) -> int:
    """Returns how many errors Khronos' validator finds in a world's GLB."""
    done = subprocess.run(["node", str(VALIDATOR)], input=write_glb(graph), capture_output=True, check=False)
    if not done.stdout:
        raise SystemExit(f"the glTF validator did not run: {done.stderr.decode().strip()[:200]}")
    return int(json.loads(done.stdout)["issues"]["numErrors"])


def main() -> None:
    """Sweeps and prints a row for each type."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", default=",".join(kind for kind in TYPES if kind not in {"town", "arena"}))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--size", type=float, default=None)
    parser.add_argument("--glb", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tallies = [Tally(kind) for kind in options.types.split(",")]
    for number in range(options.seeds):
        for tally in tallies:
            thorough = options.glb > 0 and number % options.glb == 0
            sweep(tally, options.start + number, options.size, thorough=thorough)
        if number % 10 == 9 and not options.json:
            print(f"{number + 1} seeds", *(f"{t.type} {t.failed_before}/{t.failed_after}" for t in tallies), flush=True)
    rows = [tally.row() for tally in tallies]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(json.dumps(row), flush=True)
    sys.exit(any(tally.failed_after or tally.gltf_errors or tally.hash_changes for tally in tallies))


if __name__ == "__main__":
    main()
