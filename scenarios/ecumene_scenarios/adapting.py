"""Teaches a policy, or an adapter of it, one task by imitation of the task's teacher.

The policy acts in arenas of the task, led by the teacher half of the time; what the teacher would have done in the
situations met is then learned in several passes. Nothing is learned from reward.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from ecumene_models import FusionPolicy, SenseBatch, load_policy
from ecumene_models.actions import PolicyActions
from ecumene_models.adapters import Adapter, save_adapter, trainable
from ecumene_models.cloning import expert_loss, imitation_error
from ecumene_scenarios.ppo import Learner
from ecumene_scenarios.training import Arena, TrainingConfig, gathered
from ecumene_world.world import stream

RATE: Final = 6e-3
"""Learning rate of an adapter at first; falls to a tenth."""
BATCH: Final = 256
LED: Final = 0.5
"""Share of decisions that the teacher makes itself."""
STEPS: Final = 40
"""Decisions that everybody makes in an arena."""
EXPERTS: Final = 0.3
"""Weight of the experts' own imitation."""

Lessons = tuple[SenseBatch, PolicyActions]
"""What was perceived and what the teacher would have done, N rows each."""


def adapt(
    weights: Path,
    task: str,
    out: Path,
    *,
    seed: int = 0,
    epochs: int = 8,
    arenas: int = 3,
    worlds: int = 4,
    progress: Callable[[int, float], None] | None = None,
) -> Adapter:
    """Trains an adapter of frozen weights in one task and writes it.

    Args:
        weights: Of the base.
        task: Name of a task, or a file of `ecumene fork`.
        out: The safetensors file to write.
        seed: Of the adapter's first numbers, of arenas and noise.
        epochs: Passes over what was met.
        arenas: In how many arenas that is.
        worlds: Copies of each.
        progress: Told passes done and the mean loss of the last.

    Raises:
        WeightsError: The weights can't be read.
        TrainingError: The scenario is no task.
    """
    base = load_policy(weights)
    policy = trainable(base, stream(seed, "adapter"))
    imitate(policy, lessons(base, task, seed, arenas, worlds), RATE, epochs, seed, progress)
    assert policy.bank is not None, "a trainable policy wears an adapter"
    adapter = policy.bank.adapter(1, policy.fingerprint)
    save_adapter(adapter, out, {"task": task, "seed": seed, "epochs": epochs, "arenas": arenas, "worlds": worlds})
    return adapter


def lessons(policy: FusionPolicy, task: str, seed: int, arenas: int, worlds: int) -> Lessons:
    """Returns what a policy meets in arenas of a task and what the teacher says to it."""
    config = TrainingConfig(seed=seed, tasks=(task,), worlds=worlds, arenas=arenas, steps=STEPS, sense_drop=0.0)
    rooms = [Arena(config, task, 0, row) for row in range(arenas)]
    met, _ = gathered(Learner(policy, config.ppo), rooms, config, "clone", stream(seed, "lessons"), LED)
    return met.senses, met.labels


def imitate(
    policy: FusionPolicy,
    taught: Lessons,
    rate: float,
    epochs: int,
    seed: int,
    progress: Callable[[int, float], None] | None = None,
) -> None:
    """Lets what can learn of a policy do as the teacher; `rate` falls to a tenth."""
    senses, labels = taught
    learning = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(learning, lr=rate, eps=1e-5)
    order, steps = stream(seed, "order"), epochs * -(-len(senses) // BATCH)
    policy.train()
    done = 0
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.split(torch.randperm(len(senses), generator=order), BATCH):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 - 0.9 * done / steps)
            output, lesson = policy(senses.rows(rows)), labels.rows(rows)
            loss = imitation_error(output.vector, lesson).mean() + EXPERTS * expert_loss(output, lesson)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(learning, 0.5)
            optimiser.step()
            total += float(loss.detach()) * len(rows)
            done += 1
        if progress is not None:
            progress(epoch + 1, total / max(1, len(senses)))
    policy.eval()
