"""What an adapter, two hundredths of a policy's size, buys in a task that the policy never met.

Beside it all of the policy is tuned. Both imitate the task's teacher in the same situations and as many passes, and are
compared by their imitation error in an arena that neither saw. The gain is what tuning takes off the base's error. The
cost is that of one batched forward in which NPCs wear different adapters, beside one in which they wear none.

    python benchmarks/adapters.py [--task queue] [--seeds 3] [--epochs 8] [--weights FILE] [--cost] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ecumene_agents.batch import batch_of
from ecumene_models import FusionPolicy, SenseBatch, load_policy
from ecumene_models.adapters import Wearing, adaptable, blank, share, trainable
from ecumene_models.cloning import imitation_error
from ecumene_scenarios.adapting import BATCH, RATE, Lessons, imitate, lessons
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import Session
from ecumene_world.world import stream

WHOLE_RATE = 1e-3
"""Learning rate of tuning all, that of `PPOConfig`."""
UNSEEN = 800
"""Seed of an arena that no tuning here uses."""
NPCS, ADAPTERS = 500, 8


@dataclass(frozen=True)
class Fared:
    """How a policy does in the task.

    Attributes:
        model: "base", "adapter" or "all tuned".
        seed: Of training.
        error: Mean imitation error in situations of another arena.
        cpu_s: Seconds of training.
    """

    model: str
    seed: int
    error: float
    cpu_s: float


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    base = load_policy(options.weights)
    costs = cost(base)
    print(json.dumps(costs) if options.json else table_of_costs(costs), flush=True)
    if options.cost:
        return
    test = lessons(base, options.task, UNSEEN, 1, 4)
    rows = [Fared("base", 0, error(base, test), 0.0)]
    for seed in range(options.seeds):
        met = lessons(base, options.task, seed, 3, 4)
        for model, make in (("adapter", _adapter), ("all tuned", _whole)):
            policy, rate = make(options.weights, seed)
            began = time.process_time()
            imitate(policy, met, rate, options.epochs, seed)
            rows.append(Fared(model, seed, error(policy, test), time.process_time() - began))
            print(rows[-1], flush=True)
    print(json.dumps([asdict(row) for row in rows]) if options.json else table(rows))
    worn = trainable(base, stream(0, "adapter"))
    assert worn.bank is not None, "it wears one"
    print(f"\nAn adapter has {share(worn.bank.adapter(1, worn.fingerprint), base):.2%} of its base's numbers.")


def _adapter(weights: Path, seed: int) -> tuple[FusionPolicy, float]:
    return trainable(load_policy(weights), stream(seed, "adapter")), RATE


def _whole(weights: Path, seed: int) -> tuple[FusionPolicy, float]:
    del seed
    return load_policy(weights), WHOLE_RATE


@torch.no_grad()
def error(policy: FusionPolicy, taught: Lessons) -> float:
    """Returns the mean imitation error."""
    senses, labels = taught
    parts = torch.split(torch.arange(len(senses)), BATCH)
    return statistics.fmean(
        each for rows in parts for each in imitation_error(policy(senses.rows(rows)).vector, labels.rows(rows)).tolist()
    )


def cost(base: FusionPolicy) -> dict[str, float]:
    """Returns milliseconds of a forward of many NPCs of a plaza that wear nothing, and different adapters."""
    session = Session(load_scenario("plaza"), seed=0)
    seen = batch_of(session.engine.sense(session.world.slots_alive(0)))
    crowd = SenseBatch.cat([seen] * (NPCS // len(seen) + 1)).rows(slice(0, NPCS))
    policy: Wearing = adaptable(base)
    policy.dress([blank(base, stream(number, "adapter")) for number in range(ADAPTERS)])
    index = torch.arange(NPCS) % (ADAPTERS + 1)

    def dressed() -> None:
        with torch.inference_mode(), policy.wearing(index):
            policy(crowd)

    def plain() -> None:
        with torch.inference_mode():
            base(crowd)

    times = _interleaved(plain, dressed)
    ratios = sorted(one / none for none, one in times)
    half = len(ratios) // 2
    return {
        "none_ms": sorted(none for none, _ in times)[half],
        "adapters_ms": sorted(one for _, one in times)[half],
        "ratio": ratios[half],
        "ratio_low": ratios[len(ratios) // 10],
        "ratio_high": ratios[-1 - len(ratios) // 10],
    }


def _interleaved(one: Callable[[], None], other: Callable[[], None]) -> list[tuple[float, float]]:
    """Returns milliseconds of both, in turns, after two of each to warm up."""
    times = []
    for turn in range(27):
        pair = []
        for work in (one, other):
            began = time.process_time()
            work()
            pair.append((time.process_time() - began) * 1000)
        if turn >= 2:
            times.append((pair[0], pair[1]))
    return times


def table_of_costs(costs: dict[str, float]) -> str:
    """Returns the costs as a sentence."""
    return (
        f"{NPCS} NPCs decide in {costs['none_ms']:.1f} ms, "
        f"wearing {ADAPTERS} adapters in {costs['adapters_ms']:.1f} ms: "
        f"{costs['ratio']:.3f} times as long ({costs['ratio_low']:.3f} to {costs['ratio_high']:.3f}, middle 80 %)\n"
    )


def table(rows: list[Fared]) -> str:
    """Returns the rows as Markdown, with the share of the gain of tuning all that the adapter reaches."""
    base = rows[0]
    lines = ["| model | seed | imitation error | training, CPU s |", "|---|---|---|---|"]
    lines += [f"| {row.model} | {row.seed} | {row.error:.4f} | {row.cpu_s:.0f} |" for row in rows]
    gains = {
        model: base.error - statistics.fmean(row.error for row in rows if row.model == model)
        for model in ("adapter", "all tuned")
    }
    reached = gains["adapter"] / gains["all tuned"]
    lines.append(f"\nOf the {gains['all tuned']:.3f} that tuning all gains, the adapter reaches {reached:.0%}.")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--task", default="queue", metavar="NAME", help="one that the base was not trained in")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--epochs", type=int, default=8, metavar="N", help="passes over what was met")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE", help="of the base")
    parser.add_argument("--cost", action="store_true", help="only the cost of the batched forward")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
