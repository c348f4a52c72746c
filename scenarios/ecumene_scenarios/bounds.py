"""Bounds of a task: what the teacher, who knows everything, achieves in it, and what those achieve who don't try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch

from ecumene_agents import scripted
from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.fast import with_reflexes
from ecumene_models.actions import PolicyActions
from ecumene_models.senses import SenseBatch
from ecumene_scenarios.batched import STRIDE, BatchedEnv
from ecumene_scenarios.packs.task import Task
from ecumene_scenarios.teacher import guided
from ecumene_world.world import stream

Player = Callable[[BatchedEnv, Task, SenseBatch, torch.Generator], PolicyActions]
"""Decides for all slots of all worlds; rows of empty slots mean nothing."""


def teacher(env: BatchedEnv, task: Task, senses: SenseBatch, generator: torch.Generator) -> PolicyActions:
    """Does what the teacher says."""
    del generator
    rows = torch.arange(len(senses), device=senses.verb.device)
    return with_reflexes(guided(task, env.session.world, senses, rows), senses)


def hand_written(env: BatchedEnv, task: Task, senses: SenseBatch, generator: torch.Generator) -> PolicyActions:
    """Does what the scripted controller does."""
    del env, task, generator
    return scripted.act(senses)


def random(env: BatchedEnv, task: Task, senses: SenseBatch, generator: torch.Generator) -> PolicyActions:
    """Moves and turns at random, and uses something every second or so."""
    del env, task
    count = len(senses)
    wish = torch.rand((count, 5), generator=generator).to(senses.goal.device) * 2 - 1
    uses = (torch.rand(count, generator=generator) < 0.2).to(senses.goal.device)
    nothing = torch.zeros_like(senses.verb)
    return PolicyActions(
        move=wish[:, :2], turn=wish[:, 2], gaze=wish[:, 3:], interact=uses.long(), emote=nothing, speak=nothing
    )


def idle(env: BatchedEnv, task: Task, senses: SenseBatch, generator: torch.Generator) -> PolicyActions:
    """Does nothing."""
    del env, task, generator
    still, nothing = torch.zeros((len(senses), 2), device=senses.goal.device), torch.zeros_like(senses.verb)
    return PolicyActions(move=still, turn=still[:, 0], gaze=still, interact=nothing, emote=nothing, speak=nothing)


PLAYERS: Final[Mapping[str, Player]] = {
    "teacher": teacher,
    "scripted": hand_written,
    "random": random,
    "idle": idle,
}


def fared(task: Task, player: str | Player, *, seed: int, worlds: int = 4, steps: int = 75) -> dict[str, float]:
    """Metrics of one arena, as of an evaluation: tries of the first `steps` decisions count, each to its end.

    Args:
        task: Fresh.
        player: Who decides, or one of `PLAYERS`.
        seed: Of the arena, its people and all chance.
        worlds: Copies side by side.
        steps: Decisions in which tries begin that count, 5 a second.
    """
    act = PLAYERS[player] if isinstance(player, str) else player
    task.ticks, task.counted_ticks = 1 << 40, steps * STRIDE
    env = BatchedEnv(task, seed=seed, worlds=worlds)
    step, generator = env.reset(seed), stream(seed, "player")
    done = 0
    while done < steps or bool(task.pending(env.session.world.state).any()):
        step = env.step(actions_of(step.senses.slots, act(env, task, batch_of(step.senses), generator)))
        done += 1
    return task.totals()
