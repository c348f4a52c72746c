"""Compares minds with the scripted baseline on worlds that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from ecumene_agents import scripted
from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.fast import with_reflexes
from ecumene_models import FusionPolicy, SenseBatch, load_policy
from ecumene_models.actions import PolicyActions
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.packs.task import Task
from ecumene_scenarios.ppo import drawn
from ecumene_scenarios.registry import TASKS, load_scenario
from ecumene_scenarios.statistics import t_interval
from ecumene_scenarios.training import HELD_OUT

METRICS: Final[Mapping[str, str]] = {
    "success": "share of agents that reached their goal in time, of all whose try ended",
    "collisions_per_agent_minute": "contacts begun per minute of trying, after half a second without any",
    "seconds_to_goal": "mean time of those who arrived",
    "jitter": "mean change of the wanted velocity, m/s per second",
}
Controller = Callable[[SenseBatch], PolicyActions]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an evaluation.

    Attributes:
        model: "minds", "minds without hearing", ..., or "scripted".
        baseline: Whether it is the scripted baseline.
        task: Scenario name.
        metric: One of `METRICS`.
        value: Mean over seeds.
        low: Lower end of the 95 % t interval of that mean.
        high: Upper end.
        seeds: How many seeds.
        split: "held out": arenas and people of seeds that training never used.
    """

    model: str
    baseline: bool
    task: str
    metric: str
    value: float
    low: float
    high: float
    seeds: int
    split: str = "held out"

    def to_json(self) -> dict[str, Any]:
        """The row as JSON."""
        return asdict(self)


def evaluate(
    weights: Path | None,
    *,
    tasks: Sequence[str] = TASKS,
    seeds: int = 5,
    worlds: int = 4,
    steps: int = 300,
    without: Sequence[str] = (),
    baseline: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Runs minds and the scripted baseline on the same held-out arenas.

    Args:
        weights: Trained minds; None evaluates the baseline alone.
        tasks: Scenario names of tasks.
        seeds: How many arenas a task.
        worlds: Copies of each arena with other people.
        steps: Decisions each runs, 5 a second.
        without: Senses taken from the minds in further runs, each alone.
        baseline: Whether the scripted controller runs, too.
        progress: Told runs done and runs in all.
    """
    controllers: dict[str, Controller] = {"scripted": scripted.act} if baseline else {}
    if weights is not None:
        policy = load_policy(weights)
        controllers["minds"] = minds(policy)
        controllers |= {f"minds without {sense}": minds(policy, without=sense) for sense in without}
    runs = [(task, name) for task in tasks for name in controllers]
    rows: list[Row] = []
    for done, (task, name) in enumerate(runs):
        found = [fared(task, controllers[name], HELD_OUT + seed, worlds, steps) for seed in range(seeds)]
        rows += [_row(name, task, metric, [numbers[metric] for numbers in found]) for metric in METRICS]
        if progress:
            progress(done + 1, len(runs))
    return rows


def minds(policy: FusionPolicy, *, without: str | None = None) -> Controller:
    """The policy's likeliest actions with the reflexes of served minds, if need be with one sense taken away."""

    @torch.no_grad()
    def act(senses: SenseBatch) -> PolicyActions:
        seen = senses if without is None else senses.without(without)
        return with_reflexes(drawn(policy(seen), None), seen)

    return act


def fared(task: str, controller: Controller, seed: int, worlds: int, steps: int) -> dict[str, float]:
    """Metrics of one arena, over all its worlds.

    Raises:
        TrainingError: The scenario is no task.
    """
    scenario = load_scenario(task)
    if not isinstance(scenario, Task):
        raise TrainingError(f"{task!r} can't be evaluated; tasks are {', '.join(TASKS)}")
    scenario.ticks = 1 << 40
    env = BatchedEnv(scenario, seed=seed, worlds=worlds)
    step = env.reset(seed)
    for _ in range(steps):
        step = env.step(actions_of(step.senses.slots, controller(batch_of(step.senses))))
    return scenario.totals()


def _row(model: str, task: str, metric: str, values: Sequence[float]) -> Row:
    value, low, high = t_interval(values)
    return Row(model, model == "scripted", task, metric, value, low, high, len(values))
