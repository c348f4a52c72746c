"""Sweeps seeds through the gate: what fails as drawn, what fails after repair, and how long each took.

    python benchmarks/gate.py [--types apartment,office] [--seeds 1000] [--start 0] [--size M] [--glb 100] [--log FILE]
        [--layout procedural|learned] [--refine none|placement]

Seeds are independent, so several processes with different `--start` share the work. Times are processor seconds.
With `--log FILE`, a line of JSON is added for each world, worlds that the file tells of already are not made again, and
the rows at the end count all that it tells of: a sweep that was cut off goes on where it was. With `--glb N`, every
N-th world is exported and put before Khronos' glTF validator (node and `tests/tools`), drawn a second time and compared
by hash. `--layout` and `--refine` say who furnishes homes, as in `ecumene generate`; each way needs a log of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ecumene_world.errors import WorldError
from ecumene_world.exporters.glb import write_glb
from ecumene_world.gate import gated
from ecumene_world.generate import TYPES, drawn
from ecumene_world.generate.learned_layout import LearnedLayout
from ecumene_world.generate.proposer import LayoutProposer
from ecumene_world.graph import SceneGraph

VALIDATOR = Path(__file__).parents[1] / "tests/tools/validate_gltf.mjs"
Outcome = dict[str, Any]
"""What came of one seed, as JSON."""


def outcome(
    kind: str, seed: int, size_m: float | None, proposer: LayoutProposer | None = None, *, thorough: bool
) -> Outcome:
    """Puts one seed through the gate."""
    start = time.process_time()
    found: Outcome = {"type": kind, "seed": seed, "size_m": size_m}
    try:
        graph = drawn(kind, seed, size_m=size_m, proposer=proposer)
        drew = time.process_time()
        drawn_hash = graph.hash() if thorough else ""
        world = gated(graph)
    except WorldError as error:
        return {**found, "before": ["error"], "after": [str(error)]}
    found |= {"before": list(world.before.failed), "after": list(world.report.failed), "repairs": len(world.repairs)}
    found |= {"nodes": len(world.graph), "draw_s": drew - start, "gate_s": time.process_time() - drew}
    if thorough:
        found["gltf_errors"] = gltf_errors(world.graph)
        found["same_hash"] = drawn(kind, seed, size_m=size_m, proposer=proposer).hash() == drawn_hash
    return found


def row(kind: str, outcomes: Iterable[Outcome]) -> Outcome:
    """Returns what came of all seeds of a type as one row, times and sizes as median and maximum."""
    every = list(outcomes)
    checked = [found for found in every if "same_hash" in found]
    summary: Outcome = {
        "type": kind,
        "seeds": len(every),
        "failed_before": sum(bool(found["before"]) for found in every),
        "failed_after": sum(bool(found["after"]) for found in every),
        "by_check": dict(Counter(name for found in every for name in found["before"])),
        "taken_away": sum(found.get("repairs", 0) for found in every),
        "bad_seeds": [f"{found['seed']}: {', '.join(found['after'])}" for found in every if found["after"]],
        "exported": len(checked),
        "gltf_errors": sum(found["gltf_errors"] for found in checked),
        "hash_changes": sum(not found["same_hash"] for found in checked),
    }
    for name in ("draw_s", "gate_s", "nodes"):
        values = [found[name] for found in every if name in found] or [0]
        summary[name] = [round(float(np.median(values)), 3), round(float(max(values)), 3)]
    return summary


def table_row(line: Outcome) -> str:
    """Returns a row as one of the table in docs/worlds.md."""
    names = ("type", "seeds", "failed_before", "failed_after", "taken_away", "exported")
    seconds = line["draw_s"][0] + line["gate_s"][0]
    return f"| {' | '.join(str(line[name]) for name in names)} | {seconds:.2f} |"


def gltf_errors(graph: SceneGraph) -> int:
    """Returns how many errors Khronos' validator finds in a world's GLB."""
    done = subprocess.run(["node", str(VALIDATOR)], input=write_glb(graph), capture_output=True, check=False)
    if not done.stdout:
        raise SystemExit(f"the glTF validator did not run: {done.stderr.decode().strip()[:200]}")
    return int(json.loads(done.stdout)["issues"]["numErrors"])


def logged(log: Path | None) -> list[Outcome]:
    """Returns what a file tells of; a line that was cut off counts for nothing."""
    if log is None or not log.exists():
        return []
    found = []
    for line in log.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def main() -> None:
    """Sweeps and prints a row for each type."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--types", default=",".join(kind for kind in TYPES if kind not in {"town", "arena"}))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--size", type=float, default=None)
    parser.add_argument("--glb", type=int, default=0, metavar="N")
    parser.add_argument("--log", type=Path, default=None, metavar="FILE")
    parser.add_argument("--layout", choices=("procedural", "learned"), default="procedural")
    parser.add_argument("--refine", choices=("none", "placement"), default="none")
    parser.add_argument(
        "--table", action="store_true", help="print rows of docs/worlds.md; with --seeds 0 of the log only"
    )
    options = parser.parse_args()
    straighten = options.refine == "placement"
    proposer = LearnedLayout.shipped(straighten=straighten) if options.layout == "learned" else None
    kinds = options.types.split(",")
    outcomes = logged(options.log)
    known = {(found["type"], found["seed"], found["size_m"]) for found in outcomes}
    for number in range(options.seeds):
        for kind in kinds:
            seed = options.start + number
            if (kind, seed, options.size) in known:
                continue
            thorough = options.glb > 0 and number % options.glb == 0
            found = outcome(kind, seed, options.size, proposer, thorough=thorough)
            outcomes.append(found)
            if options.log is not None:
                with options.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
    rows = [row(kind, (found for found in outcomes if found["type"] == kind)) for kind in kinds]
    for line in rows:
        print(table_row(line) if options.table else json.dumps(line), flush=True)
    sys.exit(any(line["failed_after"] or line["gltf_errors"] or line["hash_changes"] for line in rows))


if __name__ == "__main__":
    main()
