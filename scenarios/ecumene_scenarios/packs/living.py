"""Living worlds: people who follow needs, schedules and talk; nothing to win, much to watch and count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

import torch
from torch import Tensor

from ecumene_agents import full_name
from ecumene_agents.persona import WORKPLACES
from ecumene_agents.spots import Spots
from ecumene_agents.whereabouts import Whereabouts
from ecumene_scenarios import tally
from ecumene_scenarios.scenario import Scenario
from ecumene_sim.frame import Frame
from ecumene_world import SceneGraph
from ecumene_world.avatar import Avatar
from ecumene_world.command import Command, Despawn, Spawn
from ecumene_world.kinds import BY_NAME
from ecumene_world.world import World

_NPC: Final = BY_NAME["npc"].code
ROLES: Final = (
    "resident",
    "shopkeeper",
    "gardener",
    "musician",
    "teacher",
    "student",
    "courier",
    "doctor",
    "clerk",
    "cook",
)
"""Occupations handed round among NPCs who find no post in the world; personas and schedules hang on them."""
PACE: Final = (1.34, 0.26, (0.95, 1.75))
"""Mean, standard deviation, and slowest and fastest of how people walk, m/s."""


class Living(Scenario):
    """A generated place whose NPCs live their day."""

    world_type: ClassVar[str] = "plaza"
    people: ClassVar[int] = 30
    size_m: ClassVar[float | None] = None
    lively = True

    def __init__(self, population: int | None = None) -> None:
        super().__init__()
        self.number = type(self).people if population is None else population

    def graph(self, seed: int) -> SceneGraph:
        """Generates the place."""
        from ecumene_world.generate import generate

        return generate(self.world_type, seed, size_m=self.size_m)

    def population(self) -> int:
        """How many NPCs there are from the start."""
        return self.number

    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Sends everybody away and lets the NPCs in where the hour has them be."""
        chosen = which.tolist()
        world.apply([Despawn(who.key, world=who.world) for who in world.avatars.values() if chosen[who.world]])
        spots = Spots(world.layout)
        for index in which.nonzero().flatten().tolist():
            where = Whereabouts(world, index, spots)
            world.apply([self.resident(world, number, generator, where) for number in range(self.number)])
        tally.started(self.memory, world.state, which)

    def score(self, frame: Frame, world: World) -> Frame:
        """Counts; nobody is rewarded and nothing ends by itself."""
        tally.counted(self.memory, frame)
        return replace(frame, metrics=dict(self.metrics(world)))

    def metrics(self, world: World) -> Mapping[str, Tensor]:
        """The living world's totals."""
        return tally.metrics(self.memory, world.state)

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Nothing happens from outside."""
        del tick, world
        return ()

    def resident(self, world: World, number: int, generator: torch.Generator, where: Whereabouts) -> Command:
        """Returns how NPC `number` enters a world: where its day has it be, its looks and pace by chance."""
        index = where.index
        key = f"npc:{number}" if world.state.worlds == 1 else f"npc:{index}.{number}"
        speed = pace(generator)
        look = int(torch.randint(1 << 30, (), generator=generator))
        role = self._role(world, number)
        name = full_name(look)
        point, yaw = where.of(Avatar(key, index, -1, 0, name, role, _NPC, look)) or (None, None)
        return Spawn(key, "npc", point, yaw, name, look, role, speed, world=index)

    def _role(self, world: World, number: int) -> str:
        """Returns an occupation: posts are filled first, with at most half of the people."""
        jobs = [job for job in WORKPLACES if job in world.layout.place_role]
        posts = [job for job in jobs for _ in range(world.layout.place_role.count(job))]
        return posts[number] if number < min(len(posts), self.number // 2) else ROLES[number % len(ROLES)]


class Plaza(Living):
    """A small square with thirty people about their day."""

    name = "plaza"


class Town(Living):
    """A town with two hundred people."""

    name = "town"
    world_type: ClassVar[str] = "town"
    people: ClassVar[int] = 200


def pace(generator: torch.Generator) -> float:
    """Draws how fast somebody walks when nothing is in the way, m/s: as people do, without the slowest and fastest.

    Source: Weidmann 1993, Transporttechnik der Fussgänger: normal, 1.34 m/s, standard deviation 0.26 m/s.
    """
    mean, spread, (slowest, fastest) = PACE
    low, high = torch.special.ndtr(torch.tensor([(slowest - mean) / spread, (fastest - mean) / spread])).tolist()
    share = low + (high - low) * torch.rand((), generator=generator)
    return mean + spread * float(torch.special.ndtri(share))
