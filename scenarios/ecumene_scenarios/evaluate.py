"""Compares minds with the scripted baseline on worlds that training never saw."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any, Final

import torch

from ecumene_agents import scripted
from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.fast import with_reflexes
from ecumene_agents.remembering import Remembering
from ecumene_models import FusionPolicy, load_policy
from ecumene_models.actions import PolicyActions
from ecumene_models.adapters import dressed, load_adapter
from ecumene_models.recurrent import RecurrentPolicy
from ecumene_scenarios.batched import STRIDE, BatchedEnv
from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.packs.forked import Rewarded
from ecumene_scenarios.ppo import drawn
from ecumene_scenarios.registry import BASICS, load_task
from ecumene_scenarios.statistics import known, t_interval
from ecumene_scenarios.training import HELD_OUT
from ecumene_sim.frame import Senses

METRICS: Final[Mapping[str, str]] = {
    "success": "share of agents that reached their goal in time, of all whose try ended",
    "collisions_per_agent_minute": "contacts begun per minute of trying, after half a second without any",
    "seconds_to_goal": "mean time of those who arrived, over the arenas in which somebody did",
    "jitter": "mean change of the wanted velocity, m/s per second",
    "nearest_exit": "share of those who left by the free exit nearest to where they had been, only where one leaves",
}
SPLITS: Final[Mapping[str, int]] = {"validation": HELD_OUT, "test": HELD_OUT + 50_000}
"""Seed of the first arena of each split. Whatever is chosen is chosen on validation; test is for the last word."""
SCRIPTED: Final = "scripted"
MINDS: Final = "minds"
WITHOUT: Final = "minds without "
Controller = Callable[[Senses], PolicyActions]


@dataclass(frozen=True, slots=True)
class Arenas:
    """Where an evaluation takes place, and for how long.

    Attributes:
        seeds: How many arenas a task.
        worlds: Copies of each with other people.
        steps: Decisions in which tries begin that count, 5 a second. Each of these then runs to its end.
        split: One of `SPLITS`.
        crowd: How many times as many people as in training.
    """

    seeds: int = 5
    worlds: int = 4
    steps: int = 75
    split: str = "test"
    crowd: int = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One controller in one arena.

    Attributes:
        task: Scenario name.
        model: "scripted", "minds" or "minds without" a sense.
        weights: Of the minds; None for the scripted controller.
        seed: Of the arena, its people and all chance.
        arenas: How many copies side by side, and for how long.
        adapter: What the minds wear; None for nothing.
    """

    task: str
    model: str
    weights: Path | None
    seed: int
    arenas: Arenas
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an evaluation.

    Attributes:
        model: "minds", "minds without hearing", ..., or "scripted".
        baseline: Whether it is the scripted baseline.
        task: Scenario name.
        metric: One of `METRICS`.
        value: Mean over seeds; NaN if there were none with such a figure, which is null in JSON.
        low: Lower end of the 95 % t interval of that mean.
        high: Upper end.
        seeds: How many seeds: for how long it took and by which exit, those in which anybody arrived.
        split: One of `SPLITS`: arenas and people of seeds that training never used.
    """

    model: str
    baseline: bool
    task: str
    metric: str
    value: float
    low: float
    high: float
    seeds: int
    split: str

    def to_json(self) -> dict[str, Any]:
        """The row as JSON."""
        return {name: known(field) if isinstance(field, float) else field for name, field in asdict(self).items()}


def evaluate(
    weights: Path | None,
    arenas: Arenas,
    *,
    tasks: Sequence[str] = BASICS,
    without: Sequence[str] = (),
    baseline: bool = True,
    adapter: Path | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Runs minds and the scripted baseline on the same held-out arenas.

    Args:
        weights: Trained minds; None evaluates the baseline alone.
        arenas: Where and for how long.
        tasks: Scenario names of tasks, or files of forks: the same place and moment for every seed, other newcomers.
        without: Senses taken from the minds in further runs, each alone.
        baseline: Whether the scripted controller runs, too.
        adapter: What the minds wear; None for nothing.
        jobs: Processes; the figures don't depend on it.
        progress: Told arenas done and arenas in all.
    """
    models = [SCRIPTED] if baseline else []
    if weights is not None:
        models += [MINDS, *(WITHOUT + sense for sense in without)]
    seeds = range(SPLITS[arenas.split], SPLITS[arenas.split] + arenas.seeds)
    trials = [
        Trial(task, model, weights, seed, arenas, adapter) for task in tasks for model in models for seed in seeds
    ]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for done, (trial, numbers) in enumerate(zip(trials, _tried(trials, jobs), strict=True)):
        found.setdefault((trial.task, trial.model), []).append(numbers)
        if progress:
            progress(done + 1, len(trials))
    return [
        _row(model, task, metric, [numbers[metric] for numbers in each], arenas.split)
        for (task, model), each in found.items()
        for metric in METRICS
        if metric in each[0]
    ]


def _tried(trials: Sequence[Trial], jobs: int) -> Iterator[dict[str, float]]:
    """Yields the metrics of each trial, in order."""
    if jobs == 1:
        yield from map(fared, trials)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(fared, trials)


def minds(policy: FusionPolicy, *, without: str | None = None) -> Controller:
    """The policy's likeliest actions with the reflexes of served minds, if need be with one sense taken away."""
    memory = Remembering(policy) if isinstance(policy, RecurrentPolicy) else None

    @torch.no_grad()
    def act(senses: Senses) -> PolicyActions:
        batch = batch_of(senses)
        seen = batch if without is None else batch.without(without)
        output = policy(seen) if memory is None else memory.decide(seen, senses.slots, senses.serial)
        return with_reflexes(drawn(output, None), seen)

    return act


def fared(trial: Trial) -> dict[str, float]:
    """Metrics of one arena, over all its worlds.

    Raises:
        NoTaskError: The scenario is no task.
        TrainingError: More people are asked for in a moment than it had, or no try counted.
    """
    scenario = load_task(trial.task)
    if trial.arenas.crowd != 1 and isinstance(scenario, Rewarded):
        raise TrainingError(f"{trial.task!r} has the people of its moment, not {trial.arenas.crowd} times as many")
    scenario.ticks = 1 << 40
    scenario.fewest, scenario.greatest = (trial.arenas.crowd * most for most in (scenario.fewest, scenario.greatest))
    scenario.counted_ticks = trial.arenas.steps * STRIDE
    controller = _controller(trial)
    env = BatchedEnv(scenario, seed=trial.seed, worlds=trial.arenas.worlds)
    step = env.reset(trial.seed)
    done = 0
    while done < trial.arenas.steps or bool(scenario.pending(env.session.world.state).any()):
        step = env.step(actions_of(step.senses.slots, controller(step.senses)))
        done += 1
    totals = scenario.totals()
    if not totals["ended"]:
        raise TrainingError(f"nobody's try counted in {trial.task!r} within {trial.arenas.steps} steps; more would do")
    return totals


def _controller(trial: Trial) -> Controller:
    if trial.weights is None or trial.model == SCRIPTED:
        return lambda senses: scripted.act(batch_of(senses))
    sense = trial.model.removeprefix(WITHOUT) if trial.model.startswith(WITHOUT) else None
    policy = load_policy(trial.weights)
    return minds(policy if trial.adapter is None else dressed(policy, load_adapter(trial.adapter)), without=sense)


def _row(model: str, task: str, metric: str, values: Sequence[float], split: str) -> Row:
    found = [value for value in values if not isnan(value)]
    return Row(model, model == SCRIPTED, task, metric, *t_interval(found), len(found), split)
