"""Teaches a policy, or an adapter of it, one task by imitation of the task's teacher.

In each round the policy acts in an arena of the task that it has not met, led by the teacher at first and by itself
later; what the teacher would have done in all situations met so far is then learned. So its own mistakes are met, and
corrected, too. Nothing is learned from reward.

Source: Ross et al. 2011, A reduction of imitation learning to no-regret online learning (DAgger).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch

from ecumene_models import FusionPolicy, SenseBatch, load_policy
from ecumene_models.actions import PolicyActions
from ecumene_models.adapters import Adapter, save_adapter, trainable
from ecumene_models.cloning import expert_loss, imitation_error
from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.ppo import Learner
from ecumene_scenarios.rollout import joined_actions
from ecumene_scenarios.training import Arena, TrainingConfig, gathered
from ecumene_world.world import stream

EXPERTS: Final = 0.3
"""Weight of the experts' own imitation."""

Lessons = tuple[SenseBatch, PolicyActions]
"""What was perceived and what the teacher would have done, N rows each."""


@dataclass(frozen=True, slots=True)
class Course:
    """How long a policy is taught, and how fast.

    Attributes:
        seed: Of the adapter's first numbers, of arenas and noise.
        rounds: How often the policy acts and then learns, each time in another arena.
        worlds: Copies of an arena.
        steps: Decisions that everybody makes in an arena.
        passes: Over all that was met so far, in each round.
        batch: Rows a gradient step.
        rate: Learning rate of Adam at first; falls to a tenth.
    """

    seed: int = 0
    rounds: int = 5
    worlds: int = 4
    steps: int = 60
    passes: int = 3
    batch: int = 256
    rate: float = 6e-3

    def led(self, number: int) -> float:
        """Share of decisions that the teacher makes itself: all in the first round, half in the second, then none."""
        return max(0.0, 1.0 - 0.5 * number)


def adapt(
    weights: Path,
    task: str,
    out: Path,
    course: Course | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Adapter:
    """Trains an adapter of frozen weights in one task and writes it.

    Args:
        weights: Of the base.
        task: Name of a task, or a file of `ecumene fork`.
        out: The safetensors file to write.
        course: How it is taught; None for as the shipped ones were.
        progress: Told rounds done and the mean loss of the last pass.

    Raises:
        WeightsError: The weights can't be read.
        TrainingError: The scenario is no task, or nobody does it.
    """
    course = course or Course()
    policy = trainable(load_policy(weights), stream(course.seed, "adapter"))
    teach(policy, task, course, progress)
    assert policy.bank is not None, "a trainable policy wears an adapter"
    adapter = policy.bank.adapter(1, policy.fingerprint)
    save_adapter(adapter, out, {"task": task, **asdict(course)})
    return adapter


def teach(
    policy: FusionPolicy, task: str, course: Course, progress: Callable[[int, float], None] | None = None
) -> None:
    """Teaches what can learn of a policy a task, in place."""
    learning = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(learning, lr=course.rate, eps=1e-5)
    order = stream(course.seed, "order")
    met: list[Lessons] = []
    for number in range(course.rounds):
        met.append(lessons(policy, task, course, number))
        senses, labels = SenseBatch.cat([part for part, _ in met]), joined_actions([part for _, part in met])
        policy.train()
        loss = 0.0
        for done in range(course.passes):
            for group in optimiser.param_groups:
                group["lr"] = course.rate * (1 - 0.9 * (number + done / course.passes) / course.rounds)
            loss = _passed(policy, optimiser, (senses, labels), course.batch, order)
        policy.eval()
        if progress is not None:
            progress(number + 1, loss)


def lessons(policy: FusionPolicy, task: str, course: Course, number: int) -> Lessons:
    """Returns what a policy meets in the arena of a round and what the teacher says to it."""
    config = TrainingConfig(
        seed=course.seed, tasks=(task,), worlds=course.worlds, arenas=course.rounds, steps=course.steps, sense_drop=0.0
    )
    arena, noise = Arena(config, task, 0, number), stream(course.seed, f"lessons {number}")
    met, _ = gathered(Learner(policy, config.ppo), [arena], config, "clone", noise, course.led(number))
    if not len(met):
        raise TrainingError(f"nobody decided anything in {task!r}; a task with at least one NPC would do")
    return met.senses, met.labels


def _passed(
    policy: FusionPolicy, optimiser: torch.optim.Optimizer, taught: Lessons, batch: int, order: torch.Generator
) -> float:
    """Learns from all rows once; returns the mean loss."""
    senses, labels = taught
    total = 0.0
    for rows in torch.split(torch.randperm(len(senses), generator=order), batch):
        output, lesson = policy(senses.rows(rows)), labels.rows(rows)
        loss = imitation_error(output.vector, lesson).mean() + EXPERTS * expert_loss(output, lesson)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(_learning(optimiser), 0.5)
        optimiser.step()
        total += float(loss.detach()) * len(rows)
    return total / len(senses)


def _learning(optimiser: torch.optim.Optimizer) -> Iterator[torch.nn.Parameter]:
    return (parameter for group in optimiser.param_groups for parameter in group["params"])
