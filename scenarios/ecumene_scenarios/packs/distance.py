"""Keeping distance: go about one's business without coming near to anybody."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.arena import add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, number_between
from ecumene_world import SceneGraph
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

KEEP_M: Final = 1.2
"""Distance to keep between the middles of two bodies: where personal distance begins to be social distance."""
CLOSE_TICKS: Final = 20
"""How long one may be nearer, all times together: nobody keeps off those who come up to it."""
GRACE_TICKS: Final = 20
"""Nothing counts so soon after joining."""
ROOM_M: Final = 0.85
"""Gap between bodies that the teacher keeps; a little more than it must."""
APART_M: Final = 1.8
"""Newcomers begin this far from everybody."""
STANDERS: Final = 0.15
"""Share of agents that stand about."""
WALKERS: Final = 0.25
"""Share of agents that go their way without heeding distance."""


class Distance(Task):
    """Go to a place and stay 1.2 m away from everybody on the way, for all but a second of it.

    Source: the 1.2 m are the border of personal and social distance of Hall 1966, The hidden dimension.
    """

    name = "distance"
    least: ClassVar[int] = 5
    most: ClassVar[int] = 11
    limit_ticks: ClassVar[int] = 30 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 6)
    size_m: ClassVar[float] = 18.0

    def graph(self, seed: int) -> SceneGraph:
        """An open square with a few boxes and places."""
        rng = np.random.default_rng([seed, 6])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2
        taken: list[tuple[tuple[float, float], float]] = []
        for index, at in enumerate(scattered(rng, 4, half - 3.0, 5.0)):
            add_block(graph, f"box {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
            taken.append((at, 2.0))
        for index, at in enumerate(scattered(rng, 14, half - 1.5, 3.0, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From one place to another."""
        places = world.layout.place_position
        start, end = torch.randperm(len(places), generator=generator)[:2].tolist()
        x, y, z = places[start].tolist()
        at = (x + number_between(generator, -0.8, 0.8), y + number_between(generator, -0.8, 0.8), z)
        if not world.standable(at) or self._near(world.state, index, at[:2]):
            return None
        yaw = number_between(generator, -math.pi, math.pi)
        lot = number_between(generator)
        if lot < STANDERS:
            return Part(at, yaw, Verb.WAIT)
        verb = Verb.GO if lot < STANDERS + WALKERS else Verb.AVOID
        return Part(at, yaw, verb, world.layout.names[int(world.layout.place_row[end])])

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Nobody has been near anybody yet."""
        del generator
        if "close" not in self.memory:
            self.memory["close"] = torch.zeros_like(world.state.serial)
        self.memory["close"][which] = 0

    def note(self, state: State) -> None:
        """Counts how long each has been too near to another."""
        memory = self.memory
        apart = length(state.position[:, :, None, :2] - state.position[:, None, :, :2])
        nobody = ~state.alive[:, None, :] | torch.eye(state.slots, dtype=torch.bool, device=state.device)
        close = (apart.masked_fill(nobody, 1e6).amin(-1) < KEEP_M) & (memory["age"] > GRACE_TICKS)
        counted = close & state.alive & ~memory["ended"]
        memory["close"] = memory["close"].masked_fill(memory["age"] <= 1, 0) + counted

    def room(self, state: State) -> Tensor:
        """What the teacher keeps."""
        return ROOM_M * self.judged(state).to(state.radius.dtype)

    def failed(self, state: State) -> Tensor:
        """Those who were near others for too long."""
        return self.judged(state) & (self.memory["close"] > CLOSE_TICKS)

    def judged(self, state: State) -> Tensor:
        """Those who were asked to keep away from everybody."""
        return state.verb == Verb.AVOID

    def _near(self, state: State, index: int, at: tuple[float, float]) -> bool:
        others = state.position[index][state.alive[index]][:, :2]
        here = torch.tensor(at, device=others.device)
        return len(others) > 0 and float(length(others - here).min()) < APART_M
