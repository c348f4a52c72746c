"""What an adapter, a fiftieth of a policy's size, buys in tasks that the policy never met.

Beside it all of the policy is tuned by the same course: as many rounds, decisions and gradient steps. Both act in
arenas that no training uses, and what counts is how often they succeed. The gain is what tuning adds to the success of
the base. `--cost` instead times one batched forward in which NPCs wear different adapters, beside one in which they
wear none.

    python benchmarks/adapters.py [--tasks alarm,gather,queue] [--seeds 3] [--arenas 4] [--weights FILE] [--out DIR]
    python benchmarks/adapters.py --cost [--json]

What has been trained and tried lies in DIR (runs/adapters) and is not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ecumene_agents.batch import batch_of
from ecumene_models import FusionPolicy, SenseBatch, load_policy, save_policy
from ecumene_models.adapters import Wearing, adaptable, blank, fingerprint, load_adapter, share
from ecumene_scenarios.adapting import Course, adapt, teach
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.evaluate import MINDS, SPLITS, Arenas, Trial, fared
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import Session
from ecumene_scenarios.statistics import t_interval
from ecumene_world.world import stream

WHOLE_RATE = 1e-3
"""Learning rate of tuning all, that of `PPOConfig`."""
BASE, ADAPTER, WHOLE = "base", "adapter", "all tuned"
WORLDS, STEPS = 4, 40
"""Copies of an arena, and decisions in which tries begin that count: about 35 tries an arena of queue."""
NPCS, ADAPTERS = 500, 8


@dataclass(frozen=True)
class Fared:
    """How a policy does in a task.

    Attributes:
        task: Scenario name.
        model: "base", "adapter" or "all tuned".
        seed: Of training; 0 for the base.
        success: Share of tries that succeed, one number an arena.
        collisions: Per agent-minute, one number an arena.
        cpu_s: Seconds of training.
        worlds: Copies of each arena.
    """

    task: str
    model: str
    seed: int
    success: tuple[float, ...]
    collisions: tuple[float, ...]
    cpu_s: float
    worlds: int = WORLDS

    @property
    def mean(self) -> float:
        """Success over all arenas."""
        return sum(self.success) / len(self.success)


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    if options.cost:
        costs = cost(load_policy(options.weights))
        print(json.dumps(costs) if options.json else table_of_costs(costs))
        return
    done = Done(options.out, options.weights, options.arenas)
    tasks = options.tasks.split(",")
    rows = [done.fared(task, BASE, 0) for task in tasks]
    rows += [done.fared(task, model, s) for s in range(options.seeds) for task in tasks for model in (ADAPTER, WHOLE)]
    print(json.dumps([asdict(row) for row in rows]) if options.json else table(rows))


class Done:
    """Trains and tries what has not been yet; keeps files and figures in a folder.

    Args:
        folder: Where.
        weights: Of the base; figures of another base are not taken for its own.
        arenas: How many held-out arenas everybody is tried in.
    """

    def __init__(self, folder: Path, weights: Path, arenas: int) -> None:
        self._weights, self._arenas = weights, arenas
        self._folder = folder / fingerprint(load_policy(weights))[:12]
        self._folder.mkdir(parents=True, exist_ok=True)

    def fared(self, task: str, model: str, seed: int) -> Fared:
        """Returns how a model does, trained now if need be."""
        stem = self._folder / f"{task}-{model.replace(' ', '-')}-{seed}"
        figures = stem.with_suffix(".json")
        found = json.loads(figures.read_text()) if figures.is_file() else {}
        if found and (len(found["success"]), found.get("worlds")) == (self._arenas, WORLDS):
            return Fared(**{**found, **{name: tuple(found[name]) for name in ("success", "collisions")}})
        weights = stem.with_suffix(".safetensors")
        cpu_s = float(found.get("cpu_s", 0.0))
        if model != BASE and not (found and weights.is_file()):
            began = time.process_time()
            self._trained(task, model, seed, weights)
            cpu_s = time.process_time() - began
        where = Arenas(self._arenas, WORLDS, STEPS)
        first = SPLITS[where.split]
        whole, worn = (weights if model == WHOLE else self._weights), (weights if model == ADAPTER else None)
        numbers = [fared(Trial(task, MINDS, whole, first + number, where, worn)) for number in range(self._arenas)]
        success = tuple(each["success"] for each in numbers)
        row = Fared(task, model, seed, success, tuple(n["collisions_per_agent_minute"] for n in numbers), cpu_s)
        figures.write_text(json.dumps(asdict(row)))
        return row

    def _trained(self, task: str, model: str, seed: int, out: Path) -> None:
        course = Course(seed=seed)
        if model == ADAPTER:
            adapter = adapt(self._weights, task, out, course)
            assert share(adapter, load_policy(self._weights)) <= 0.02
            assert load_adapter(out).base == adapter.base
            return
        policy = load_policy(self._weights)
        teach(policy, task, replace(course, rate=WHOLE_RATE))
        save_policy(policy, out, notes={"task": task, "seed": seed})


def table(rows: Sequence[Fared]) -> str:
    """Returns the rows as Markdown: means over seeds of training, or over arenas of the base, with 95 % intervals."""
    lines = [
        "| task | model | success | collisions per agent-minute | training, CPU s | share of the gain |",
        "|---|---|---|---|---|---|",
    ]
    for task in dict.fromkeys(row.task for row in rows):
        mine = {model: [r for r in rows if (r.task, r.model) == (task, model)] for model in (BASE, ADAPTER, WHOLE)}
        for model, each in mine.items():
            success = each[0].success if model == BASE else [row.mean for row in each]
            bumps = each[0].collisions if model == BASE else [sum(r.collisions) / len(r.collisions) for r in each]
            taught = "–" if model == BASE else f"{sum(row.cpu_s for row in each) / len(each):.0f}"
            part = _share(mine) if model == ADAPTER else "–"
            lines.append(f"| `{task}` | {model} | {_shown(success)} | {_shown(bumps)} | {taught} | {part} |")
    return "\n".join(lines)


def _share(mine: dict[str, list[Fared]]) -> str:
    """How much of what tuning all adds to the base's success the adapter adds: of the means, and seed by seed."""
    base = mine[BASE][0].mean
    gains = [(one.mean - base, all_.mean - base) for one, all_ in zip(mine[ADAPTER], mine[WHOLE], strict=True)]
    whole = sum(gain for _, gain in gains)
    each = ", ".join(f"{one / all_:.0%}" for one, all_ in gains)
    return f"{sum(gain for gain, _ in gains) / whole:.0%} ({each})"


def _shown(values: Sequence[float]) -> str:
    value, low, high = t_interval(values)
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


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
        f"{costs['ratio']:.3f} times as long ({costs['ratio_low']:.3f} to {costs['ratio_high']:.3f}, middle 80 %)"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--tasks", default="alarm,gather,queue", metavar="A,B", help="that the base was not trained in")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="of training")
    parser.add_argument("--arenas", type=int, default=4, metavar="N", help="in which everybody is tried")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE", help="of the base")
    parser.add_argument("--out", type=Path, default=Path("runs/adapters"), metavar="DIR")
    parser.add_argument("--cost", action="store_true", help="only the cost of the batched forward")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
