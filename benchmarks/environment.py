"""Agent-steps per CPU-second of environments: yardsticks beside the environments they are ported from, and our worlds.

    python benchmarks/environment.py [--worlds 64] [--rounds 5] [--seconds 2] [--check] [--json]

Peers are installed into `runs/peers` at the first run. Rounds are interleaved and actions random everywhere; the table
gives medians, and the ratio to a peer is the median of the ratios within a round, so that a noisy machine disturbs all
rows alike. One thread. `--check` steps each yardstick and its peer from the same state with the same actions and prints
the greatest difference. An agent-step is one decision of one living agent: one step of a yardstick and of all peers,
four ticks of physics in our worlds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import peers

from ecumene_agents.batch import actions_of, batch_of
from ecumene_models import FusionPolicy
from ecumene_scenarios.batched import STRIDE, BatchedEnv
from ecumene_scenarios.ppo import drawn
from ecumene_scenarios.yardsticks import Navigation, Spread
from ecumene_sim.frame import Actions

WORLDS, AGENTS = 1024, 8
"""Of yardsticks and of VMAS."""
CHECKED, CHECK_STEPS = 64, 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row: what is stepped, and which row it is compared with."""

    name: str
    round: peers.Round
    beside: str = ""


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    peers.install()
    if options.check:
        for name, kind in (("simple_spread", Spread), ("navigation", Navigation)):
            print(f"{name}: greatest difference {difference(name, kind):.1e} in {CHECK_STEPS} steps")
        return
    candidates = [*yardsticks(), *ours(options.worlds, options.task)]
    rates: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for _ in range(options.rounds):
        for candidate in candidates:
            rates[candidate.name].append(_rate(candidate.round, options.seconds))
    rows = [row(candidate, rates) for candidate in candidates]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for found in rows:
        ratio = f"{found['ratio']:8.1f} x {found['beside']}" if found["beside"] else ""
        print(f"{found['name']:44s} {found['agent_steps_per_cpu_second']:12,.0f} agent-steps / CPU-s {ratio}")


def row(candidate: Candidate, rates: dict[str, list[float]]) -> dict[str, str | float]:
    """Returns a candidate's median rate, and its median ratio to the row it is compared with."""
    own, beside = rates[candidate.name], rates.get(candidate.beside, [])
    ratio = statistics.median(mine / theirs for mine, theirs in zip(own, beside, strict=True)) if beside else 0.0
    name = {"name": candidate.name, "beside": candidate.beside}
    return name | {"agent_steps_per_cpu_second": statistics.median(own), "ratio": ratio}


def yardsticks() -> list[Candidate]:
    """The ported tasks and what they are ported from, all stepped at random."""
    size = f"{WORLDS} x {AGENTS}"
    spread, navigation = f"VMAS simple_spread, {size}", f"VMAS navigation, {size}"
    mpe2 = f"mpe2 simple_spread, 1 x {AGENTS}"
    stepped = stepping(Spread)
    return [
        Candidate(spread, peers.vmas_round("simple_spread", WORLDS, AGENTS)),
        Candidate(f"ecumene spread, {size}", stepped, spread),
        Candidate(mpe2, peers.mpe2_round(AGENTS)),
        Candidate(f"ecumene spread again, {size}", stepped, mpe2),
        Candidate(navigation, peers.vmas_round("navigation", WORLDS, AGENTS)),
        Candidate(f"ecumene navigation, {size}", stepping(Navigation), navigation),
        Candidate("MAgent2 battle, 1 x 162", peers.battle_round()),
    ]


def stepping(kind: type[Spread | Navigation]) -> peers.Round:
    """Steps a yardstick."""
    env = kind(worlds=WORLDS, agents=AGENTS, seed=1)
    env.reset()

    def go() -> int:
        env.step(torch.rand(WORLDS, AGENTS, 2) * 2 - 1)
        return WORLDS * AGENTS

    return go


def difference(name: str, kind: type[Spread | Navigation]) -> float:
    """Returns how far observations of a yardstick and of its peer come apart from one state with the same actions."""
    theirs, env = peers.vmas(name, CHECKED, AGENTS), kind(worlds=CHECKED, agents=AGENTS, seed=1)
    env.reset()
    env.bodies.position.copy_(peers.states(theirs.world.agents))
    env.targets.copy_(peers.states(theirs.world.landmarks))
    generator, worst = torch.Generator().manual_seed(1), 0.0
    for _ in range(CHECK_STEPS):
        force = torch.rand(CHECKED, AGENTS, 2, generator=generator) * 2 - 1
        seen = torch.stack(theirs.step(list(force.unbind(1)))[0], dim=1)
        worst = max(worst, float((seen - env.step(force).observation).abs().max()))
    return worst


def ours(worlds: int, task: str) -> list[Candidate]:
    """A task in our worlds three times: what each part costs."""
    return [
        Candidate(f"ecumene {task}, {worlds} worlds: step", bare(worlds, task)),
        Candidate(f"ecumene {task}, {worlds} worlds: step + senses", sensing(worlds, task)),
        Candidate(f"ecumene {task}, {worlds} worlds: whole, with policy", deciding(worlds, task)),
    ]


def bare(worlds: int, task: str) -> peers.Round:
    """Physics and scoring only, random decisions."""
    env = BatchedEnv(task, seed=1, worlds=worlds)
    env.reset(1)
    session, noise = env.session, torch.Generator().manual_seed(1)
    slots = torch.arange(env.slots)

    def go() -> int:
        agents = int(session.world.state.alive.sum())
        for tick in range(STRIDE):
            decided = _random(slots, worlds, noise) if tick == 0 else Actions.none(worlds=worlds)
            session.end(session.begin(), decided)
        return agents

    return go


def sensing(worlds: int, task: str) -> peers.Round:
    """As a learner sees it: everything but the policy."""
    env = BatchedEnv(task, seed=1, worlds=worlds)
    step = env.reset(1)
    noise = torch.Generator().manual_seed(1)
    slots = torch.arange(env.slots)

    def go() -> int:
        nonlocal step
        agents = int(step.alive.sum())
        step = env.step(_random(slots, worlds, noise))
        return agents

    return go


def deciding(worlds: int, task: str) -> peers.Round:
    """With the fusion policy of served minds."""
    env = BatchedEnv(task, seed=1, worlds=worlds)
    step = env.reset(1)
    policy = FusionPolicy().eval()

    def go() -> int:
        nonlocal step
        agents = int(step.alive.sum())
        with torch.inference_mode():
            actions = drawn(policy(batch_of(step.senses)), None)
        step = env.step(actions_of(step.senses.slots, actions))
        return agents

    return go


def _random(slots: torch.Tensor, worlds: int, noise: torch.Generator) -> Actions:
    move = torch.rand(worlds, len(slots), 2, generator=noise) * 2 - 1
    return Actions.from_floats(slots, move, torch.rand(worlds, len(slots), generator=noise) * 0.2 - 0.1)


def _rate(candidate: peers.Round, seconds: float) -> float:
    candidate()
    steps, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        steps += candidate()
    return steps / (time.process_time() - start)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=64, help="worlds side by side (64)")
    parser.add_argument("--task", default="avoid", help="goto, avoid or wait (avoid)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU seconds a round (2)")
    parser.add_argument("--check", action="store_true", help="compare yardsticks with their peers, step by step")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
