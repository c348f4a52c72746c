"""Gathering: stand in a ring round a speaker, at a social distance from everybody, and face the speaker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import angle, heading, length
from ecumene_scenarios.packs.arena import add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, number_between, whole
from ecumene_world import SceneGraph
from ecumene_world.command import Command, Say, SetIntent
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

RING_M: Final = (1.3, 2.6)
"""Nearest and furthest from the speaker that one listens."""
ELBOW_M: Final = 0.8
"""Listeners stand at least this far from each other."""
FACING: Final = math.radians(40)
"""How far from facing the speaker one may look."""
STILL: Final = 0.25
"""Who is faster than this does not stand, m/s."""
LISTENED_TICKS: Final = 3 * TICK_HZ
"""How long one has to listen like that."""
MIDDLE_M: Final = 1.9
"""Radius of the ring that the teacher forms."""
SPEAKS_TICKS: Final = 40
"""Between two sentences of a speaker."""
_BEARINGS: Final = 24


class Gather(Task):
    """Find a place in the ring round a speaker, stand there and listen, facing the speaker.

    Where in the ring there is room, only the others show; whoever stands in another's way counts for neither.
    """

    name = "gather"
    least: ClassVar[int] = 4
    most: ClassVar[int] = 10
    limit_ticks: ClassVar[int] = 30 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 6)
    size_m: ClassVar[float] = 18.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with boxes around its middle."""
        rng = np.random.default_rng([seed, 7])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2
        taken = [((0.0, 0.0), 5.0)]
        for index, at in enumerate(scattered(rng, 5, half - 1.5, 3.0, taken)):
            add_block(graph, f"box {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
            taken.append((at, 1.6))
        for index, at in enumerate(scattered(rng, 10, half - 1.5, 2.5, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """A speaker near the middle if there is none, else a listener from anywhere."""
        yaw = number_between(generator, -math.pi, math.pi)
        if self._speaker(world.state, index) is None:
            return Part((number_between(generator, -2, 2), number_between(generator, -2, 2), 0.0), yaw, Verb.WAIT)
        places = world.layout.place_position
        x, y, z = places[whole(generator, 0, len(places) - 1)].tolist()
        at = (x + number_between(generator, -0.8, 0.8), y + number_between(generator, -0.8, 0.8), z)
        return Part(at, yaw, Verb.GATHER) if world.standable(at) else None

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Nobody has listened yet."""
        del generator
        if "listened" not in self.memory:
            self.memory["listened"] = torch.zeros_like(world.state.serial)
        self.memory["listened"][which] = 0

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Lets speakers speak, besides what every task does."""
        said: list[Command] = []
        for index, age in enumerate(self.memory["world_age"].tolist()):
            speaker = self._speaker(world.state, index) if age % SPEAKS_TICKS == 0 else None
            key = None if speaker is None else world.key_of(index, speaker)
            if key is not None:
                said.append(Say(key, "Listen to what happened here.", world=index))
        return (*said, *super().commands(tick, world))

    def note(self, state: State) -> None:
        """Counts how long each has listened as one should; speakers stay for good."""
        memory = self.memory
        memory["age"] = memory["age"].masked_fill(self._speaks(state), 0)
        way = state.goal[..., :2] - self._at(state)
        turned = angle(way) - state.yaw
        facing = torch.atan2(turned.sin(), turned.cos()).abs() < FACING
        still = length(state.velocity[..., :2]) < STILL
        listens = self._placed(state) & facing & still & self.judged(state)
        listened = memory["listened"].masked_fill(memory["age"] <= 1, 0)
        memory["listened"] = torch.where(listens, listened + 1, (listened - 2).clamp(min=0))

    def standing(self, state: State) -> Tensor:
        """Speakers, and those who have found their place."""
        found = self.judged(state) & self._placed(state) & ~self.arrived(state)
        return super().standing(state) | found

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Listeners should head for the nearest point of the ring that is nobody else's."""
        at, speaker = self._at(state), state.goal[..., :2]
        turn = torch.arange(_BEARINGS, device=at.device) * (2 * math.pi / _BEARINGS)
        ring = speaker[:, :, None] + MIDDLE_M * heading(turn)
        way = length(ring - at[:, :, None])
        others = length(ring[:, :, :, None] - at[:, None, None])
        me = torch.eye(state.slots, dtype=torch.bool, device=at.device)[None, :, None]
        absent = me | ~state.alive[:, None, None] | self._speaks(state)[:, None, None]
        theirs = (others < way[..., None]) | self._first(state)[:, :, None]
        taken = ((others < ELBOW_M + 0.15) & theirs & ~absent).any(-1)
        best = (way + 100.0 * taken).argmin(-1)
        point = ring.gather(2, best[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]
        return self.judged(state), point

    def faces(self, state: State) -> tuple[Tensor, Tensor]:
        """Listeners face the speaker."""
        return self.judged(state), state.goal[..., :2]

    def arrived(self, state: State) -> Tensor:
        """Those who have listened long enough."""
        return self.judged(state) & (self.memory["listened"] >= LISTENED_TICKS)

    def judged(self, state: State) -> Tensor:
        """The listeners."""
        return state.verb == Verb.GATHER

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def aim(self, state: State) -> Tensor:
        """The point of the ring that one should head for."""
        return self.hint(state)[1]

    def _intent(self, world: World, index: int, key: str, part: Part, generator: torch.Generator) -> Command:
        del generator
        speaker = self._speaker(world.state, index) if part.verb == Verb.GATHER else None
        target = None if speaker is None else world.key_of(index, speaker)
        return SetIntent(key, part.verb, target=target, world=index)

    def _first(self, state: State) -> Tensor:
        """Who keeps its place when two are too near to each other: (B, C, C) bool, the second before the first."""
        listened, slot = self.memory["listened"], torch.arange(state.slots, device=state.device)
        longer = listened[:, None, :] > listened[:, :, None]
        return longer | ((listened[:, None, :] == listened[:, :, None]) & (slot < slot[:, None]))

    def _placed(self, state: State) -> Tensor:
        """Who is in the ring with elbow room, (B, C) bool."""
        at = self._at(state)
        apart = length(at[:, :, None] - at[:, None])
        me = torch.eye(state.slots, dtype=torch.bool, device=at.device)
        nobody = me | ~state.alive[:, None] | self._speaks(state)[:, None]
        away = length(state.goal[..., :2] - at)
        return (away > RING_M[0]) & (away < RING_M[1]) & (apart.masked_fill(nobody, 1e6).amin(-1) > ELBOW_M)

    def _speaks(self, state: State) -> Tensor:
        return state.alive & (state.verb == Verb.WAIT)

    def _speaker(self, state: State, index: int) -> int | None:
        """The slot of a world's speaker, if it has one."""
        slots = self._speaks(state)[index].nonzero().flatten()
        return int(slots[0]) if len(slots) else None

    def _at(self, state: State) -> Tensor:
        return state.position[..., :2]
