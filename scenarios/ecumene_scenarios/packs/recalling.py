"""Recall: listen, and go where the bell rang once it is silent."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.task import whole
from ecumene_scenarios.packs.training import Wait
from ecumene_world.state import TICK_HZ, State
from ecumene_world.world import World


class Recall(Wait):
    """Stand before the bell rings and while it rings; when it falls silent, go where it was.

    Silence before and after sound alike: who remembers nothing can't tell when to go. Who is not there in time has
    failed.
    """

    name = "recall"
    ring_ticks: ClassVar[int] = 3 * TICK_HZ
    calm_ticks: ClassVar[int] = 10 * TICK_HZ

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Draws when the bell first rings: worlds are not in step, so that a learner meets all phases at once."""
        super().begin(world, which, generator)
        self.memory.setdefault("heard", torch.full_like(world.state.serial, -1))
        for index in torch.nonzero(which).flatten().tolist():
            self.memory["ring_from"][index] = TICK_HZ * whole(generator, 1, 14)

    def standing(self, state: State) -> Tensor:
        """Those who have not been told to go yet."""
        return self.judged(state) & ~self._go()

    def faces(self, state: State) -> tuple[Tensor, Tensor]:
        """Those who hear it ring should turn to the bell."""
        return self.judged(state) & self._ringing()[:, None], self._bell(state)

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Those who have heard it should head for the bell."""
        return self.judged(state) & self._go(), self._bell(state)

    def note(self, state: State) -> None:
        """Keeps in mind who has been told to go."""
        told = self.judged(state) & state.alive & self._go()
        self.memory["heard"] = torch.where(told, state.serial, self.memory["heard"])

    def failed(self, state: State) -> Tensor:
        """Those who left their spot before it was time, and those who are late."""
        strayed = length(state.position[..., :2] - self.memory["start"]) > self.stay_m
        late = self.memory["heard"] == state.serial
        return (strayed | late) & self.judged(state) & ~self._go()

    def _go(self) -> Tensor:
        """Where the bell has fallen silent lately, (B, 1) bool."""
        calm = self.memory["world_age"] < self.memory["calm_from"]
        return (calm & ~self._ringing())[:, None]

    def _bell(self, state: State) -> Tensor:
        return self.memory["bell"][:, None].expand_as(state.goal[..., :2])

    def _pause(self, generator: torch.Generator) -> int:
        return self.calm_ticks + TICK_HZ * whole(generator, 2, 5)
