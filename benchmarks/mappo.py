"""Our multi-agent PPO beside torchrl's: the same yardstick, networks, batches and settings.

    python benchmarks/mappo.py [--task navigation] [--agents 3] [--rounds 40] [--seeds 5] [--json]

Both learn in turns, a round each, so that a noisy machine disturbs both alike. Times are processor seconds of one
thread; returns are those of the final policies, acting without noise in 512 worlds that neither has learned in.
torchrl is installed into `runs/peers` at the first run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import peers

from ecumene_models.vector_policy import VectorPolicy
from ecumene_scenarios.yardsticks import Navigation, Spread
from ecumene_scenarios.yardsticks.mappo import Mappo, Settings, mean_return

TASKS = {"navigation": Navigation, "spread": Spread}
WORLDS, WIDTH = 64, 128
TEST_WORLDS, TEST_SEED = 512, 10_000


def main() -> None:
    """Trains both on every seed and prints what it cost and what it brought."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    peers.install()
    rows = []
    for seed in range(options.seeds):
        rows.append(compared(options.task, options.agents, options.rounds, seed))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    summary = {
        "task": options.task,
        "ratio of speed": statistics.median(row["theirs_s"] / row["ours_s"] for row in rows),
        "agent-steps a second, ours": statistics.median(row["agent_steps"] / row["ours_s"] for row in rows),
        "agent-steps a second, torchrl": statistics.median(row["agent_steps"] / row["theirs_s"] for row in rows),
        "return, ours": spread([row["ours"] for row in rows]),
        "return, torchrl": spread([row["theirs"] for row in rows]),
    }
    if options.json:
        print(json.dumps({"summary": summary, "seeds": rows}, indent=1))
        return
    for name, value in summary.items():
        print(f"{name:32s} {value}")


def compared(task: str, agents: int, rounds: int, seed: int) -> dict[str, float]:
    """Lets both learn in turns; returns seconds and final returns."""
    from benchmarks.torchrl_learner import TorchrlMappo

    kind, settings = TASKS[task], Settings()
    torch.manual_seed(seed)
    theirs = TorchrlMappo(kind(worlds=WORLDS, agents=agents, seed=seed), settings, width=WIDTH, rounds=rounds)
    env = kind(worlds=WORLDS, agents=agents, seed=seed)
    policy = VectorPolicy(env.reset().shape[-1], 2, agents, width=WIDTH)
    ours = Mappo(env, policy, settings, seed=seed)
    seconds = [0.0, 0.0]
    for _ in range(rounds):
        for which, learn in enumerate((ours.round, theirs.round)):
            start = time.process_time()
            learn()
            seconds[which] += time.process_time() - start
    test = kind(worlds=TEST_WORLDS, agents=agents, seed=TEST_SEED)
    again = kind(worlds=TEST_WORLDS, agents=agents, seed=TEST_SEED)
    return {
        "seed": seed,
        "ours_s": seconds[0],
        "theirs_s": seconds[1],
        "agent_steps": float(rounds * WORLDS * settings.steps * agents),
        "ours": mean_return(test, policy, settings.steps),
        "theirs": theirs.mean_return(again, settings.steps),
    }


def spread(values: list[float]) -> str:
    """Returns mean and standard error of some values."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ± {error:.3f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=sorted(TASKS), default="navigation")
    parser.add_argument("--agents", type=int, default=3, help="of a world (3)")
    parser.add_argument("--rounds", type=int, default=40, help="episodes in every world (40)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
