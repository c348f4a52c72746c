"""Unlabelled rollouts: what people perceive while they walk about in training arenas.

Half of them walk by the scripted controller, half at random. Nothing is kept but senses and how bodies moved: no
reward, nothing that a teacher says, and not what anybody decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_agents import scripted
from ecumene_agents.batch import actions_of, batch_of
from ecumene_models.actions import PolicyActions
from ecumene_models.pretraining import Rollouts
from ecumene_models.senses import SenseBatch
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.registry import TASKS, load_task
from ecumene_scenarios.training import HELD_OUT
from ecumene_sim.frame import MAX_GAZE
from ecumene_world.state import State
from ecumene_world.world import stream

LATER: Final = 3
"""Decisions between two moments that belong together: 0.6 s."""
APART: Final = HELD_OUT // 2
"""Arenas of these seeds and above are for pretraining, below those of `HELD_OUT`."""
_TURN: Final = 0.35
"""Greatest turn of those who walk at random, in parts of half a circle a decision."""
_STANDS: Final = 0.15
_KEEPS: Final = 0.85
"""Probability that who walks at random goes on as before."""


@dataclass(frozen=True, slots=True)
class Walks:
    """Where people walk about, and for how long.

    Attributes:
        seed: Of arenas, people and chance.
        tasks: Scenario names of the arenas.
        arenas: Layouts of each.
        worlds: Copies of each side by side.
        steps: Decisions, 5 a second.
    """

    seed: int = 0
    tasks: tuple[str, ...] = tuple(task for task in TASKS if task not in {"recall", "carry"})
    arenas: int = 2
    worlds: int = 6
    steps: int = 28


def rollout_seed(walks: Walks, row: int) -> int:
    """The seed of one arena: below `HELD_OUT`, apart from those in which minds with small seeds train."""
    return APART + (walks.seed * 1_000 + row) % (HELD_OUT - APART)


@torch.no_grad()
def walked(walks: Walks, *, first: int = 0, told: Callable[[int, int], None] | None = None) -> Rollouts:
    """Lets people walk about and returns what they perceived.

    Args:
        walks: Where.
        first: Number of the first layout; others give other rollouts of the same seed.
        told: Told arenas done and arenas in all.

    Raises:
        NoTaskError: One of the scenarios is no task.
    """
    found: list[Rollouts] = []
    rows = [(task, row) for task in walks.tasks for row in range(first, first + walks.arenas)]
    for done, (task, row) in enumerate(rows):
        found.append(_arena(walks, task, rollout_seed(walks, row)))
        if told is not None:
            told(done + 1, len(rows))
    return joined(found)


def joined(parts: Sequence[Rollouts]) -> Rollouts:
    """Returns rollouts as one."""
    starts = [sum(len(part.senses) for part in parts[:index]) for index in range(len(parts))]
    return Rollouts(
        SenseBatch.cat([part.senses for part in parts]),
        torch.cat([part.now + start for part, start in zip(parts, starts, strict=True)]),
        torch.cat([part.later + start for part, start in zip(parts, starts, strict=True)]),
        torch.cat([part.motion for part in parts]),
    )


def _arena(walks: Walks, task: str, seed: int) -> Rollouts:
    env = BatchedEnv(load_task(task), seed=seed, worlds=walks.worlds)
    step = env.reset(seed)
    chance = stream(seed, "unlabelled")
    stroll = Stroll(step.alive.numel(), chance)
    places, bodies, seen = [], [], []
    for _ in range(walks.steps):
        batch, alive = batch_of(step.senses), step.alive.flatten()
        places.append(torch.where(alive, step.serial.flatten(), -1))
        bodies.append(_body(env.session.world.state))
        seen.append(batch.rows(alive))
        step = env.step(actions_of(step.senses.slots, stroll.act(batch)))
    return _paired(SenseBatch.cat(seen), torch.stack(places), torch.stack(bodies))


class Stroll:
    """Half of the slots walk by the scripted controller, half at random: on, round a bend, and now and then they stand.

    Args:
        count: Slots of all worlds.
        chance: Draws who does what.
    """

    def __init__(self, count: int, chance: torch.Generator) -> None:
        self._chance = chance
        self.free = torch.rand(count, generator=chance) < 0.5
        self._wish = self._drawn(count)

    def act(self, senses: SenseBatch) -> PolicyActions:
        """Returns what all slots do."""
        anew = torch.rand(len(senses), generator=self._chance) >= _KEEPS
        self._wish = torch.where(anew[:, None], self._drawn(len(senses)), self._wish)
        led = scripted.act(senses)
        free = self.free[:, None]
        return PolicyActions(
            move=torch.where(free, self._wish[:, :2], led.move),
            turn=torch.where(self.free, self._wish[:, 2], led.turn),
            gaze=torch.where(free, self._wish[:, 3:], led.gaze),
            interact=led.interact.masked_fill(self.free, 0),
            emote=led.emote,
            speak=led.speak,
        )

    def _drawn(self, count: int) -> Tensor:
        """Returns (N, 5): velocity mostly forward, turn, gaze."""
        even = torch.rand(count, 5, generator=self._chance) * 2 - 1
        stands = torch.rand(count, generator=self._chance) < _STANDS
        ahead = (0.5 + 0.5 * even[:, :1]).masked_fill(stands[:, None], 0.0)
        aside = (0.4 * even[:, 1:2]).masked_fill(stands[:, None], 0.0)
        return torch.cat((ahead, aside, _TURN * even[:, 2:3], 0.5 * even[:, 3:]), dim=1)


def _body(state: State) -> Tensor:
    """Returns (slots of all worlds, 5): place in metres, yaw, gaze yaw and pitch in radians."""
    return torch.cat((state.position[..., :2], state.yaw[..., None], state.gaze), dim=-1).flatten(0, 1).clone()


def _paired(senses: SenseBatch, serial: Tensor, body: Tensor) -> Rollouts:
    """Returns rollouts of one arena.

    Args:
        senses: Rows of those alive, step by step, slots in order.
        serial: (T, E) who it was, -1 for nobody.
        body: (T, E, 5), see `_body`.
    """
    row = (serial >= 0).flatten().cumsum(0).view_as(serial) - 1
    before, after = serial[:-LATER], serial[LATER:]
    step, slot = ((before >= 0) & (before == after)).nonzero().unbind(dim=1)
    start, end = body[step, slot], body[step + LATER, slot]
    return Rollouts(senses, row[step, slot], row[step + LATER, slot], moved(start, end))


def moved(start: Tensor, end: Tensor) -> Tensor:
    """Returns (P, 6) how bodies moved from (P, 5) to (P, 5), as seen by themselves; see `pretraining.MOTION`."""
    way, turn = end[:, :2] - start[:, :2], end[:, 2] - start[:, 2]
    cos, sin = start[:, 2].cos(), start[:, 2].sin()
    ahead, left = cos * way[:, 0] + sin * way[:, 1], cos * way[:, 1] - sin * way[:, 0]
    gaze = end[:, 3:] / torch.tensor([MAX_GAZE[0], MAX_GAZE[1]])
    return torch.stack((ahead, left, turn.cos(), turn.sin(), *gaze.unbind(dim=1)), dim=1).clamp(-math.pi, math.pi)
