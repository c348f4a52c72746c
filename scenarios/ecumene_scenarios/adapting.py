"""Teaches a policy, or an adapter of it, one task by imitation: of the task's teacher, on what it meets itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ecumene_models import FusionPolicy, load_policy
from ecumene_models.adapters import RANK, Adapter, save_adapter, trainable
from ecumene_scenarios.ppo import Learner
from ecumene_scenarios.training import Arena, TrainingConfig, gathered
from ecumene_world.world import stream

RATE: Final = 3e-3
"""Learning rate of an adapter."""
REFRESH: Final = 4
"""Iterations between new arenas."""


def adapt(
    weights: Path,
    task: str,
    out: Path,
    *,
    seed: int = 0,
    iterations: int = 16,
    worlds: int = 4,
    rank: int = RANK,
    progress: Callable[[int, float], None] | None = None,
) -> Adapter:
    """Trains an adapter of frozen weights in one task and writes it.

    Args:
        weights: Of the base.
        task: Name of a task, or a file of `ecumene fork`.
        out: The safetensors file to write.
        seed: Of the adapter's first numbers, of arenas and noise.
        iterations: Of 24 decisions of everybody each.
        worlds: Copies of each arena.
        rank: Of the adapter.
        progress: Told iterations done and the imitation loss.

    Raises:
        WeightsError: The weights can't be read.
        TrainingError: The scenario is no task.
    """
    policy = trainable(load_policy(weights), stream(seed, "adapter"), rank=rank)
    tune(policy, task, seed, iterations, RATE, worlds=worlds, progress=progress)
    assert policy.bank is not None, "a trainable policy wears an adapter"
    adapter = policy.bank.adapter(1, policy.fingerprint)
    save_adapter(adapter, out, {"task": task, "seed": seed, "iterations": iterations})
    return adapter


def tune(
    policy: FusionPolicy,
    task: str,
    seed: int,
    iterations: int,
    rate: float,
    *,
    worlds: int = 4,
    progress: Callable[[int, float], None] | None = None,
) -> None:
    """Lets what can learn of a policy imitate the teacher of a task; see `adapt`."""
    config = TrainingConfig(seed=seed, tasks=(task,), worlds=worlds, arenas=1, refresh=REFRESH, clone=iterations)
    learner = Learner(policy, replace(config.ppo, rate=rate))
    arenas: list[Arena] = []
    for iteration in range(iterations):
        if iteration % config.refresh == 0:
            arenas = [Arena(config, task, iteration, 0)]
        noise = stream(seed, f"iteration {iteration}")
        experience, _ = gathered(learner, arenas, config, "clone", noise, config.guidance(iteration))
        numbers = learner.learn(experience, "clone", config.pace("clone", iteration), noise)
        if progress is not None:
            progress(iteration + 1, numbers["imitation"])
