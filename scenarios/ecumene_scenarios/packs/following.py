"""Follow: stay with somebody who walks about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.arena import add_place, blocks, ground, scattered
from ecumene_scenarios.packs.task import STRIDE, Part, Task, number_between, whole
from ecumene_world import SceneGraph
from ecumene_world.command import Command, SetIntent
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

NEAR_M: Final = 0.8
"""Whoever is nearer is too near, metres between the middles of two bodies."""
FAR_M: Final = 3.0
"""Whoever is further away has lost touch."""
APART_M: Final = 1.4
"""The teacher stays this far behind."""
PATIENCE_TICKS: Final = TICK_HZ
"""Whoever is too near or too far for so long at a stretch fails."""
START_TICKS: Final = 4 * TICK_HZ
"""Time to catch up."""


class Follow(Task):
    """Follow a person who walks about, for twenty seconds, neither losing touch nor pushing.

    Those who lead stroll from place to place and are not judged; at most two follow each of them.
    """

    name = "follow"
    least: ClassVar[int] = 6
    most: ClassVar[int] = 14
    limit_ticks: ClassVar[int] = 20 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 4)
    size_m: ClassVar[float] = 20.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with walls and boxes, and places between them."""
        rng = np.random.default_rng([seed, 4])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2 - 1.6
        discs = blocks(rng, graph, 6, half)
        for index, at in enumerate(scattered(rng, 14, half, 2.5, discs)):
            add_place(graph, f"place {index}", at)
        return graph

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Nobody has strayed."""
        del generator
        self.memory.setdefault("strayed", torch.zeros_like(world.state.serial))[which] = 0

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Sends leaders on who have come to where they were going, besides what every task does."""
        if tick % STRIDE:
            return ()
        there = Task.arrived(self, world.state) & self.endless(world.state) & world.state.alive
        generator = world.generators["scenario"]
        onward: list[Command] = []
        for index, slot in there.nonzero().tolist():
            key = world.key_of(index, slot)
            assert key is not None, "an avatar that is alive has a key"
            onward.append(SetIntent(key, Verb.GO, place=_some_place(world, generator), world=index))
        return (*onward, *super().commands(tick, world))

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Somebody who leads if those who do have enough company, else somebody who follows."""
        state, places = world.state, world.layout.place_position
        leaders = (state.alive & self.endless(state))[index].nonzero().flatten().tolist()
        followed = state.target[index][self.judged(state)[index]].tolist()
        free = [slot for slot in leaders if followed.count(slot) < 2]
        yaw = number_between(generator, -math.pi, math.pi)
        if not free or (len(leaders) < 2 and number_between(generator) < 0.5):
            x, y, z = places[whole(generator, 0, len(places) - 1)].tolist()
            speed = number_between(generator, 0.6, 0.95)
            return Part((x, y, z), yaw, Verb.GO, _some_place(world, generator), speed=speed)
        whom = free[whole(generator, 0, len(free) - 1)]
        x, y, z = state.position[index, whom].tolist()
        away, bearing = number_between(generator, 1.2, 3.5), number_between(generator, -math.pi, math.pi)
        at = (x + away * math.cos(bearing), y + away * math.sin(bearing), z)
        return Part(at, yaw, Verb.FOLLOW, whom=whom) if world.standable(at) else None

    def endless(self, state: State) -> Tensor:
        """Those who lead."""
        return state.verb == Verb.GO

    def judged(self, state: State) -> Tensor:
        """Those who follow."""
        return state.alive & (state.verb == Verb.FOLLOW)

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def note(self, state: State) -> None:
        """Counts the ticks since each follower was last at a good distance."""
        memory = self.memory
        stays = self._stays(state) | (memory["age"] < START_TICKS) | ~self.judged(state)
        memory["strayed"] = torch.where(stays, 0, memory["strayed"] + 1)

    def failed(self, state: State) -> Tensor:
        """Those who lost touch or pushed, or whom nobody leads any more."""
        return self.judged(state) & ((self.memory["strayed"] >= PATIENCE_TICKS) | (state.target < 0))

    def arrived(self, state: State) -> Tensor:
        """Those who have stayed to the end."""
        return self.judged(state) & (self.memory["age"] >= self.limit_ticks)

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Followers should head for a point a bit short of whom they follow."""
        here, way = state.position[..., :2], (state.waypoint - state.position)[..., :2]
        left = (self._apart(state) - APART_M).clamp(min=0.0)
        share = (left / length(way).clamp(min=0.1)).clamp(max=1.0)
        return self.judged(state), here + way * share[..., None]

    def aim(self, state: State) -> Tensor:
        """The way to whom one follows, unless that is near enough."""
        near = self.judged(state) & (self._apart(state) < 2.0)
        return torch.where(near[..., None], state.position[..., :2], super().aim(state))

    def bonus(self, state: State) -> Tensor:
        """For every tick at a good distance."""
        return 0.005 * (self._stays(state) & self.judged(state))

    def _stays(self, state: State) -> Tensor:
        apart = self._apart(state)
        return (apart > NEAR_M) & (apart < FAR_M)

    def _apart(self, state: State) -> Tensor:
        """How far each agent is from whom it follows, (B, C) metres."""
        whom = state.target.clamp(min=0)[..., None].expand_as(state.position)
        return length((state.position.gather(1, whom) - state.position)[..., :2])


def _some_place(world: World, generator: torch.Generator) -> str:
    layout = world.layout
    return layout.names[int(layout.place_row[whole(generator, 0, len(layout.place_row) - 1)])]
