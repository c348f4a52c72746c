"""What a tick of the simulation costs.

    PYTHONPATH=models:world:sim python benchmarks/step.py [--threads 1] [--json]
    PYTHONPATH=models:world:sim:agents:scenarios python benchmarks/step.py --npcs 500 1000 2000 5000 10000 [--json]

The second tells what a tick costs each NPC of a crowd of that many, with senses, the shipped fusion policy and the
step, a quarter of them deciding: everybody has 12.8 m² of ground, however many there are.

Times are CPU time of the process, medians over ticks: on a busy machine they say more than the wall clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from typing import Final

import torch

from ecumene_sim import Actions, Engine
from ecumene_world import Node, Pose, SceneGraph, World, compile_layout
from ecumene_world.layout import Layout
from ecumene_world.plain import JSON
from ecumene_world.state import Verb


@dataclass(frozen=True, slots=True)
class Case:
    """One load.

    Attributes:
        name: What it stands for.
        worlds: B.
        avatars: C, all alive, all acting at random.
        stride: Every stride-th avatar senses and decides in a tick.
        senses: Whether they sense at all.
        side_m: Edge of the square they live on, metres.
        limit_ms: What a tick may cost on one core, None if it is not limited.
        ticks: How many are measured.
    """

    name: str
    worlds: int
    avatars: int
    stride: int
    senses: bool
    side_m: float
    limit_ms: float | None
    ticks: int


GROUND_M2: Final = 12.8
"""Of each NPC of a crowd: 2,000 fill 160 m × 160 m."""
CASES = (
    Case("town, 500 avatars", 1, 500, 4, senses=True, side_m=160.0, limit_ms=15.0, ticks=80),
    Case("town, 2000 avatars", 1, 2000, 4, senses=True, side_m=160.0, limit_ms=45.0, ticks=40),
    Case("1024 rooms of 8, no senses", 1024, 8, 1, senses=False, side_m=20.0, limit_ms=63.0, ticks=40),
    Case("64 rooms of 32, all sensing in turn", 64, 32, 4, senses=True, side_m=20.0, limit_ms=None, ticks=30),
)


def scene(side_m: float, seed: int = 0) -> SceneGraph:
    """Returns a square with a thing or an obstacle on about every hundred square metres."""
    generator = torch.Generator().manual_seed(seed)
    graph = SceneGraph("square")
    half = side_m / 2
    corners: list[JSON] = [[-half, -half], [half, -half], [half, half], [-half, half]]
    graph.add(Node("ground", "ground", attributes={"polygon": corners}))
    kinds = ("wall", "bench", "broadleaf_tree", "table", "wall", "car", "ball", "notice_board")
    for index in range(int(side_m * side_m / 100)):
        x, y, yaw, length = ((torch.rand(4, generator=generator) - 0.5) * 2).tolist()
        kind = kinds[index % len(kinds)]
        size: list[JSON] = [4 + 3 * length, 0.3, 2.6]
        attributes: dict[str, JSON] = {"size": size} if kind == "wall" else {}
        pose = Pose.at(x * (half - 4), y * (half - 4), yaw=yaw * 3)
        graph.add(Node(f"{kind}_{index}", kind, pose, attributes=attributes))
    return graph


def populated(case: Case, graph: SceneGraph, layout: Layout) -> World:
    """Returns a world whose slots all hold an avatar on free ground."""
    world = World(graph, worlds=case.worlds, slots=case.avatars, layout=layout)
    generator = torch.Generator().manual_seed(1)
    free = (layout.clearance[0] > 0.4).nonzero()
    picks = free[torch.randint(len(free), (case.worlds, case.avatars), generator=generator)]
    spots = picks.flip(-1) * layout.cell_m + torch.tensor(layout.origin)
    world.state.alive.fill_(True)  # noqa: FBT003
    world.state.kind.fill_(200)
    world.state.position[..., :2] = spots
    world.state.yaw.uniform_(-3.1, 3.1, generator=generator)
    return world


def decisions(case: Case, tick: int, generator: torch.Generator) -> Actions:
    """Returns random decisions of those whose turn it is; one in a hundred wants to use something."""
    slots = torch.arange(tick % case.stride, case.avatars, case.stride)
    shape = (case.worlds, len(slots))

    def draw(*more: int) -> torch.Tensor:
        return torch.rand(*shape, *more, generator=generator)

    return Actions.from_floats(slots, draw(2) * 2 - 0.6, draw() * 0.6 - 0.3, interact=(draw() < 0.01).long())


def measure(case: Case) -> dict[str, JSON]:
    """Returns what a tick costs, in all and by phase, milliseconds of CPU time."""
    graph = scene(case.side_m)
    world = populated(case, graph, compile_layout(graph, cell_m=0.25))
    phases: dict[str, list[float]] = {}
    last = [0.0]

    def probe(phase: str) -> None:
        now = time.process_time()
        phases.setdefault(phase, []).append(now - last[0])
        last[0] = now

    engine, generator, totals = Engine(world, timings=probe), torch.Generator().manual_seed(2), []
    for tick in range(case.ticks + 10):
        actions = decisions(case, tick, generator)
        last[0] = start = time.process_time()
        if case.senses:
            engine.sense(actions.slots)
        engine.step(actions)
        totals.append(time.process_time() - start)
    median = statistics.median(totals[10:]) * 1e3
    return {
        "case": case.name,
        "median_ms": round(median, 2),
        "p95_ms": round(sorted(totals[10:])[int(0.95 * case.ticks)] * 1e3, 2),
        "limit_ms": case.limit_ms,
        "agent_steps_per_s": round(case.worlds * case.avatars / median * 1e3),
        "phases_ms": {name: round(statistics.median(values[10:]) * 1e3, 2) for name, values in phases.items()},
    }


def crowded(npcs: int) -> dict[str, JSON]:
    """Returns what a tick with senses and decisions costs each of so many NPCs, microseconds of CPU time."""
    from ecumene_agents.fast import FastMind
    from ecumene_models import load_policy
    from ecumene_scenarios.cast import WEIGHTS

    side = (npcs * GROUND_M2) ** 0.5
    case = Case("crowd", 1, npcs, 4, senses=True, side_m=side, limit_ms=None, ticks=16)
    graph = scene(side)
    world, mind = populated(case, graph, compile_layout(graph, cell_m=0.5)), FastMind(load_policy(WEIGHTS))
    state, generator = world.state, torch.Generator().manual_seed(2)
    state.verb.fill_(int(Verb.GO))
    state.goal[..., :2] = (torch.rand((1, npcs, 2), generator=generator) - 0.5) * side
    state.waypoint.copy_(state.goal)
    engine, laps = Engine(world), []
    for tick in range(case.ticks + 4):
        marks = [time.process_time()]
        senses = engine.sense(torch.arange(tick % case.stride, npcs, case.stride))
        marks.append(time.process_time())
        actions = mind.decide(senses)
        marks.append(time.process_time())
        engine.step(actions)
        laps.append([*marks, time.process_time()])
    kept = laps[4:]
    spans = {"sense": (0, 1), "decide": (1, 2), "step": (2, 3), "tick": (0, 3)}
    us = {name: statistics.median(lap[b] - lap[a] for lap in kept) * 1e6 for name, (a, b) in spans.items()}
    return {"npcs": npcs, "us_per_npc": {name: round(value / npcs, 1) for name, value in us.items()}}


def main() -> None:
    """Prints one line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--npcs", type=int, nargs="+", default=[], help="crowds to tell the cost for each NPC of")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = [crowded(npcs) for npcs in options.npcs] or [measure(case) for case in CASES]
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for result in results:
        if options.npcs:
            print(f"{result['npcs']:6d} NPCs, us of CPU for each in a tick: {result['us_per_npc']}")
            continue
        print("{case}: {median_ms} ms (p95 {p95_ms}), {agent_steps_per_s:,} agent-steps/s".format(**result))
        print("   ", result["phases_ms"])


if __name__ == "__main__":
    main()
