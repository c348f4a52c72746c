"""Agent-steps per CPU-second of the environment: the bare step, step and senses, and the whole tick with the policy.

Beside them stand mpe2 and VMAS where they are installed, with random actions as here. Rounds are interleaved, and the
table gives medians, so that a noisy machine disturbs all rows alike. An agent-step is one decision of one living agent;
ours lasts four ticks of physics.

    python benchmarks/environment.py [--worlds 64] [--rounds 3] [--seconds 2] [--json]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ecumene_agents.batch import actions_of, batch_of
from ecumene_models import FusionPolicy
from ecumene_scenarios.batched import STRIDE, BatchedEnv
from ecumene_scenarios.ppo import drawn
from ecumene_sim.frame import Actions

Round = Callable[[], int]
"""Makes some steps and returns how many agent-steps they were."""


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    candidates = ours(options.worlds, options.task)
    missing = []
    for name, peer in (("mpe2 simple_spread, 8 agents", mpe2), ("VMAS navigation, 128 x 8", vmas)):
        made = peer()
        if made is None:
            missing.append(name)
        else:
            candidates[name] = made
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(options.rounds):
        for name, candidate in candidates.items():
            rates[name].append(_rate(candidate, options.seconds))
    rows = {name: statistics.median(found) for name, found in rates.items()}
    if options.json:
        print(json.dumps({"agent_steps_per_cpu_second": rows, "not_installed": missing, "worlds": options.worlds}))
        return
    for name, rate in rows.items():
        print(f"{name:44s} {rate:12,.0f} agent-steps / CPU-s")
    for name in missing:
        print(f"{name:44s} not installed")


def ours(worlds: int, task: str) -> dict[str, Round]:
    """Our environment three times: what each part costs."""
    return {
        f"ecumene {task}, {worlds} worlds: step": bare(worlds, task),
        f"ecumene {task}, {worlds} worlds: step + senses": sensing(worlds, task),
        f"ecumene {task}, {worlds} worlds: whole, with policy": deciding(worlds, task),
    }


def bare(worlds: int, task: str) -> Round:
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


def sensing(worlds: int, task: str) -> Round:
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


def deciding(worlds: int, task: str) -> Round:
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


def mpe2() -> Round | None:
    """Farama's particle world through its parallel API; None where it is not installed."""
    if importlib.util.find_spec("mpe2") is None:
        return None
    env: Any = importlib.import_module("mpe2.simple_spread_v3").parallel_env(N=8, max_cycles=100)
    env.reset(seed=1)

    def go() -> int:
        if not env.agents:
            env.reset()
        agents = len(env.agents)
        env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        return agents

    return go


def vmas() -> Round | None:
    """VMAS navigation; None where it is not installed."""
    if importlib.util.find_spec("vmas") is None:
        return None
    worlds, agents = 128, 8
    env: Any = importlib.import_module("vmas").make_env(
        "navigation", num_envs=worlds, n_agents=agents, continuous_actions=True, seed=1
    )
    env.reset()

    def go() -> int:
        env.step([env.get_random_action(agent) for agent in env.agents])
        return worlds * agents

    return go


def _random(slots: torch.Tensor, worlds: int, noise: torch.Generator) -> Actions:
    move = torch.rand(worlds, len(slots), 2, generator=noise) * 2 - 1
    return Actions.from_floats(slots, move, torch.rand(worlds, len(slots), generator=noise) * 0.2 - 0.1)


def _rate(candidate: Round, seconds: float) -> float:
    candidate()
    steps, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        steps += candidate()
    return steps / (time.process_time() - start)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=64, help="worlds side by side (64)")
    parser.add_argument("--task", default="avoid", help="goto, avoid or wait (avoid)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU seconds a round (2)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
