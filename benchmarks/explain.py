"""How far cheap measures of what counts agree with the exact one: taking each sense away and deciding again.

Moments come from real runs of the shipped minds. The sense that an explanation calls the top one is the one whose loss
changes the decision most (Kullback-Leibler divergence). Beside it stand what comes for free with a decision, the
attention share and the pool's weights, and Shapley values over all 16 sets of senses. With captum installed, its
FeatureAblation and ShapleyValues are held against ours.

    python benchmarks/explain.py [--weights FILE] [--moments 200] [--seed 0] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ecumene_agents.batch import batch_of
from ecumene_agents.explanation import ABLATED, NOTHING, explain, losses, variants
from ecumene_models import FusionPolicy, SenseBatch, load_policy
from ecumene_models.actions import EXPERTS, divergence
from ecumene_models.fusion import GROUPS
from ecumene_scenarios.cast import WEIGHTS, cast
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import Session

RUNS = (("town", 0, 1), ("plaza", 0, 1), ("goto", 900_000, 6), ("avoid", 900_000, 6), ("wait", 900_000, 6))
"""Scenarios, seeds and worlds side by side; seeds of tasks are held out from training."""
WARM_TICKS = 100
EVERY_TICKS = 20
ORACLE_MOMENTS = 20
"""Moments per run that captum explains, too; it decides one by one."""
SETS = list(itertools.product((False, True), repeat=len(ABLATED)))


@dataclass(frozen=True)
class Row:
    """How often a measure ranks the same sense first as leaving it out does.

    Attributes:
        run: Scenario.
        measure: What ranks.
        moments: How many decisions were compared, those in which anything counts.
        agree: Share of them.
        low: 95 % Wilson interval, from.
        high: To.
    """

    run: str
    measure: str
    moments: int
    agree: float
    low: float
    high: float


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    policy = load_policy(options.weights)
    rows: list[Row] = []
    everything: dict[str, list[Tensor]] = {}
    for name, seed, worlds in RUNS:
        senses = gathered(name, seed, worlds, options.moments, options.weights, options.seed)
        tops = ranked(policy, senses)
        rows += compared(name, tops)
        for measure, top in tops.items():
            everything.setdefault(measure, []).append(top)
    rows += compared("all", {measure: torch.cat(tops) for measure, tops in everything.items()})
    costs = cost(policy, senses)
    if options.json:
        print(json.dumps({"rows": [row.__dict__ for row in rows], **costs}))
        return
    print(table(rows))
    print("".join(f"\n{name.replace('_', ' ')}: {value:.4g}" for name, value in costs.items()))


def gathered(name: str, seed: int, worlds: int, moments: int, weights: Path, draw: int) -> SenseBatch:
    """Returns what NPCs of a run perceive at moments drawn from all that it has."""
    session = Session(load_scenario(name), seed=seed, worlds=worlds)
    cast(session, "fusion", weights=weights)
    found: list[SenseBatch] = []
    slots = torch.arange(session.world.state.slots)
    while sum(map(len, found)) < moments:
        for _ in range(WARM_TICKS if not found else EVERY_TICKS):
            session.tick()
        session.routes.update(slots)
        found.append(batch_of(session.engine.sense(slots)).rows(session.world.state.alive.flatten()))
    whole = SenseBatch.cat(found)
    picks = torch.randperm(len(whole), generator=torch.Generator().manual_seed(draw))[:moments]
    return whole.rows(picks)


def ranked(policy: FusionPolicy, senses: SenseBatch) -> dict[str, Tensor]:
    """Returns which of `ABLATED` each measure ranks first, -1 where nothing counts: (N,) i64 by measure."""
    with torch.inference_mode():
        output = policy(senses)
        lost = torch.cat([losses(policy(variants(part)), len(part)) for part in senses.chunks(64)])[:, : len(ABLATED)]
        worth = torch.cat([shapley(policy, part) for part in senses.chunks(32)])
    share = output.attention.mean(dim=1)
    attended = torch.stack([share[:, GROUPS[name]].sum(1) for name in ABLATED], dim=1)
    order = [EXPERTS.index(name) for name in (*ABLATED[:3], "self")]
    tops = {"leave-one-out": lost, "attention": attended, "pool": output.contribution[:, order], "Shapley": worth}
    found = {measure: score.argmax(1) for measure, score in tops.items()}
    found["always neighbours"] = torch.full_like(found["pool"], ABLATED.index("neighbours"))
    nothing = lost.amax(1) <= NOTHING
    return {measure: top.masked_fill(nothing, -1) for measure, top in found.items()} | oracle(policy, senses, lost)


def kept(senses: SenseBatch, mask: Tensor) -> SenseBatch:
    """Returns N rows with only the senses of (N, 4) bool, in the order of `ABLATED`."""
    return replace(
        senses,
        present=senses.present & mask[:, :3],
        neighbour_present=senses.neighbour_present & mask[:, 3:],
    )


def shapley(policy: FusionPolicy, senses: SenseBatch) -> Tensor:
    """Returns (N, 4) exact Shapley values of each sense, where a set of senses is worth minus its divergence."""
    count, number = len(senses), len(ABLATED)
    masks = torch.tensor(SETS).repeat_interleave(count, dim=0)
    output = policy(kept(SenseBatch.cat([senses] * len(SETS)), masks))
    vector = output.vector.view(len(SETS), count, -1)
    worth = dict(zip(SETS, -divergence(vector[-1:].expand_as(vector), vector, output.log_std), strict=True))
    values = torch.zeros(count, number)
    for chosen, index in itertools.product(SETS, range(number)):
        if not chosen[index]:
            joined = tuple(each or place == index for place, each in enumerate(chosen))
            weight = 1 / (number * math.comb(number - 1, sum(chosen)))
            values[:, index] += weight * (worth[joined] - worth[chosen])
    return values


def oracle(policy: FusionPolicy, senses: SenseBatch, lost: Tensor) -> dict[str, Tensor]:
    """Returns what captum's FeatureAblation and ShapleyValues rank first at the first moments, -2 at the others."""
    try:
        from captum.attr import FeatureAblation, ShapleyValues
    except ImportError:
        return {}
    found: dict[str, list[int]] = {"captum FeatureAblation": [], "captum ShapleyValues": []}
    count = min(ORACLE_MOMENTS, len(senses))
    for index in range(count):
        row = senses.rows(slice(index, index + 1))
        worth = worth_of(policy, row)
        ones = torch.ones(1, len(ABLATED))
        for measure, method in (("captum FeatureAblation", FeatureAblation), ("captum ShapleyValues", ShapleyValues)):
            value = method(worth).attribute(ones, baselines=0.0)
            found[measure].append(int(value.argmax()) if float(lost[index].max()) > NOTHING else -1)
    unasked = [-2] * (len(senses) - count)
    return {measure: torch.tensor([*tops, *unasked]) for measure, tops in found.items()}


class worth_of:  # noqa: N801 - a function with a name, as captum asks of what it explains
    """What a set of senses is worth in one decision: minus the divergence from the decision with all."""

    __name__ = "worth_of"

    def __init__(self, policy: FusionPolicy, row: SenseBatch) -> None:
        self._policy, self._row = policy, row
        with torch.inference_mode():
            self._whole = policy(row)

    def __call__(self, mask: Tensor) -> Tensor:
        """Returns (M,) worths of (M, 4) sets, 1 for kept and 0 for taken away."""
        with torch.inference_mode():
            part = self._policy(kept(SenseBatch.cat([self._row] * len(mask)), mask > 0.5))
        return -divergence(self._whole.vector.expand_as(part.vector), part.vector, self._whole.log_std).clone()


def compared(run: str, tops: dict[str, Tensor]) -> Iterator[Row]:
    """Yields how often each measure agrees with leaving one out."""
    exact = tops["leave-one-out"]
    for measure, top in tops.items():
        if measure != "leave-one-out":
            asked = (exact >= 0) & (top >= -1)
            yield Row(run, measure, int(asked.sum()), *wilson(int((top == exact)[asked].sum()), int(asked.sum())))


def wilson(hits: int, count: int) -> tuple[float, float, float]:
    """Returns a share and its 95 % Wilson interval."""
    if count == 0:
        return math.nan, math.nan, math.nan
    share, z = hits / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, middle - half, middle + half


def cost(policy: FusionPolicy, senses: SenseBatch) -> dict[str, float]:
    """Returns milliseconds of one decision and of one explanation, medians of 30."""
    row = senses.rows(slice(0, 1))

    def decide() -> None:
        with torch.inference_mode():
            policy(row)

    return {"decision_ms": _median(decide), "explanation_ms": _median(lambda: explain(policy, row))}


def _median(work: Any) -> float:
    times = []
    for _ in range(30):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[15]


def table(rows: Sequence[Row]) -> str:
    """Returns the rows as Markdown."""
    lines = ["| run | measure | moments | agrees with leave-one-out |", "|---|---|---|---|"]
    for row in rows:
        share = f"{row.agree:.1%} ({row.low:.1%} to {row.high:.1%})"
        lines.append(f"| {row.run} | {row.measure} | {row.moments} | {share} |")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE")
    parser.add_argument("--moments", type=int, default=200, metavar="N", help="of each run")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw of moments")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
