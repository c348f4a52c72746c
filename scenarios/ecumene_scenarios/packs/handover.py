"""Handing over: bring a thing to somebody and let go of it when the hand feels that it is taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.arena import add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, angle_to, number_between, whole
from ecumene_sim.asking import Outcome
from ecumene_sim.frame import Frame
from ecumene_sim.interaction import HOLD_N, PULL_N
from ecumene_world import SceneGraph
from ecumene_world.command import Command, Interact, SetIntent
from ecumene_world.graph import Node
from ecumene_world.pose import Pose
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

FELT_N: Final = HOLD_N + PULL_N / 2
"""A hand that feels more than this is pulled at."""
REACH_M: Final = 0.95
"""So near, receivers reach for what is brought to them."""
STOP_M: Final = 0.8
"""So near, the teacher stops."""
HESITATES: Final = (25, 90)
"""Least and most ticks before a receiver pulls, at first and again."""
PULLS_TICKS: Final = 8
"""How long it pulls; the hand feels it a little longer."""
TAKES_UP_TICKS: Final = 8
"""Who holds nothing this long after joining has nothing to bring."""


class HandOver(Task):
    """Bring a thing to somebody and let go of it when, and only when, that one takes it.

    The receiver takes its time before it pulls, and nothing but the hand of the giver tells when it does. What is let
    go of before is dropped, and what is put down is, too.

    Source: givers let go when they feel the load taken, as in Chan et al. 2013, A human-inspired object handover
    controller.
    """

    name = "hand_over"
    least: ClassVar[int] = 6
    most: ClassVar[int] = 10
    limit_ticks: ClassVar[int] = 30 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 4)
    size_m: ClassVar[float] = 16.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with things lying about, a few boxes and places."""
        rng = np.random.default_rng([seed, 8])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2
        taken: list[tuple[tuple[float, float], float]] = []
        for index, at in enumerate(scattered(rng, 4, half - 2.0, 4.0)):
            add_block(graph, f"block {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
            taken.append((at, 1.8))
        for index, at in enumerate(scattered(rng, self.greatest // 2 + 3, half - 2.0, 2.0, taken)):
            graph.add(Node(f"thing {index}", ("box", "cup", "book")[index % 3], Pose.at(*at)))
        for index, at in enumerate(scattered(rng, 12, half - 1.5, 2.5, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """A giver beside a thing if somebody waits for one, else somebody who waits."""
        yaw = number_between(generator, -math.pi, math.pi)
        if self._free_receiver(world.state, index) is None:
            places = world.layout.place_position
            x, y, z = places[whole(generator, 0, len(places) - 1)].tolist()
            at = (x + number_between(generator, -0.8, 0.8), y + number_between(generator, -0.8, 0.8), z)
            return Part(at, yaw, Verb.WAIT) if world.standable(at) else None
        lies = world.state.thing_position[index][world.state.thing_holder[index] < 0].tolist()
        if not lies:
            return None
        x, y, z = lies[whole(generator, 0, len(lies) - 1)]
        at = (x - 0.5 * math.cos(yaw), y - 0.5 * math.sin(yaw), z)
        return Part(at, angle_to(at[:2], (x, y)), Verb.HAND_OVER) if world.standable(at) else None

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Nobody holds anything yet."""
        del generator
        memory, state = self.memory, world.state
        if "gave" not in memory:
            for name in ("gave", "dropped", "felt", "had"):
                memory[name] = torch.zeros_like(state.alive)
            memory["patience"] = torch.zeros_like(state.serial)
        for name in ("gave", "dropped", "felt", "had"):
            memory[name][which] = False

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Lets newcomers take up their thing, and receivers turn to their giver and pull, besides the usual."""
        state, memory = world.state, self.memory
        trying = self._gives(state) & state.alive & ~memory["ended"]
        takes = trying & (state.held < 0) & ~memory["had"]
        asks = [Interact(self._key(world, *row), world=row[0]) for row in takes.nonzero().tolist()]
        met = self._has_receiver(state)
        brings = trying & (state.held >= 0)
        anew = self._reassigned(world, brings & ~met)
        return (*asks, *anew, *self._receiving(world, brings & met), *super().commands(tick, world))

    def score(self, frame: Frame, world: World) -> Frame:
        """Notes who let go of what and whether it was taken, then scores as every task does."""
        state, memory = frame.state, self.memory
        gives = self._gives(state)
        handed = gives & (frame.outcome == int(Outcome.HANDED_OVER))
        memory["gave"] = handed & memory["felt"]
        memory["dropped"] = (handed & ~memory["felt"]) | (gives & (frame.outcome == int(Outcome.PUT_DOWN)))
        return super().score(frame, world)

    def note(self, state: State) -> None:
        """Remembers whose hand was pulled at; receivers stay until they got something."""
        memory = self.memory
        memory["age"] = memory["age"].masked_fill(state.alive & (state.verb == Verb.WAIT), 0)
        memory["had"] = (memory["had"] & (memory["age"] > 1)) | (self._gives(state) & (state.held >= 0))
        memory["felt"] = (state.touch_hand > FELT_N) & (state.held >= 0)

    def standing(self, state: State) -> Tensor:
        """Receivers, and givers who are there."""
        waits = (state.verb == Verb.WAIT) & (state.held < 0)
        there = self.judged(state) & (self._away(state) < STOP_M) & ~self.memory["gave"]
        return waits | there

    def faces(self, state: State) -> tuple[Tensor, Tensor]:
        """Both face each other once they are near."""
        other = state.target.clamp(min=0)
        point = state.position[..., :2].gather(1, other[..., None].expand(-1, -1, 2))
        met = length(point - state.position[..., :2]) < 4.0
        return (state.target >= 0) & met, point

    def uses(self, state: State) -> Tensor:
        """Givers whose thing is pulled at let go."""
        return self._gives(state) & (state.held >= 0) & (state.touch_hand > FELT_N)

    def arrived(self, state: State) -> Tensor:
        """Givers who let go in time, and receivers who have got something."""
        got = (state.verb == Verb.WAIT) & (state.held >= 0)
        return self.memory["gave"] | got

    def failed(self, state: State) -> Tensor:
        """Givers who let go too early, or have nothing."""
        idle = self._gives(state) & ~self.memory["had"] & (self.memory["age"] > TAKES_UP_TICKS)
        return self.memory["dropped"] | idle

    def judged(self, state: State) -> Tensor:
        """The givers."""
        return self._gives(state) & self.memory["had"]

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def _intent(self, world: World, index: int, key: str, part: Part, generator: torch.Generator) -> Command:
        del generator
        receiver = self._free_receiver(world.state, index) if part.verb == Verb.HAND_OVER else None
        target = None if receiver is None else world.key_of(index, receiver)
        return SetIntent(key, part.verb, target=target, world=index)

    def _has_receiver(self, state: State) -> Tensor:
        """Whose other party still waits, (B, C) bool."""
        waits = state.alive & ~self.memory["ended"] & (state.verb == Verb.WAIT) & (state.held < 0)
        return (state.target >= 0) & waits.gather(1, state.target.clamp(min=0))

    def _reassigned(self, world: World, lost: Tensor) -> list[Command]:
        """Sends givers whose receiver has got something from another to somebody else, one in each world at a time."""
        givers: dict[int, int] = dict(lost.nonzero().tolist())
        commands: list[Command] = []
        for index, giver in givers.items():
            receiver = self._free_receiver(world.state, index)
            target = None if receiver is None else self._key(world, index, receiver)
            commands.append(SetIntent(self._key(world, index, giver), Verb.HAND_OVER, target=target, world=index))
        return commands

    def _receiving(self, world: World, brings: Tensor) -> list[Command]:
        """Turns receivers to their givers, and lets them pull when they have hesitated long enough."""
        state, patience = world.state, self.memory["patience"]
        generator = world.generators["scenario"]
        commands: list[Command] = []
        near = brings & (self._away(state) < REACH_M)
        for index, giver in brings.nonzero().tolist():
            receiver = int(state.target[index, giver])
            if int(state.target[index, receiver]) != giver:
                intent = SetIntent(
                    self._key(world, index, receiver), Verb.WAIT, target=self._key(world, index, giver), world=index
                )
                commands.append(intent)
                patience[index, giver] = whole(generator, *HESITATES)
            if not bool(near[index, giver]):
                continue
            patience[index, giver] -= 1
            if int(patience[index, giver]) <= 0:
                thing = world.layout.thing_name(int(state.held[index, giver]))
                commands.append(Interact(self._key(world, index, receiver), thing, world=index))
            if int(patience[index, giver]) <= -PULLS_TICKS:
                patience[index, giver] = whole(generator, *HESITATES)
        return commands

    def _gives(self, state: State) -> Tensor:
        return state.verb == Verb.HAND_OVER

    def _away(self, state: State) -> Tensor:
        """How far each one is from the other party, (B, C) metres."""
        other = state.target.clamp(min=0)
        point = state.position[..., :2].gather(1, other[..., None].expand(-1, -1, 2))
        return length(point - state.position[..., :2]).masked_fill(state.target < 0, 1e6)

    def _free_receiver(self, state: State, index: int) -> int | None:
        """Somebody of a world who waits and to whom nobody brings anything."""
        staying = state.alive[index] & ~self.memory["ended"][index]
        brought = state.target[index][staying & (state.verb[index] == Verb.HAND_OVER)]
        waits = staying & (state.verb[index] == Verb.WAIT) & (state.held[index] < 0)
        waits[brought[brought >= 0]] = False
        slots = waits.nonzero().flatten()
        return int(slots[0]) if len(slots) else None

    def _key(self, world: World, index: int, slot: int) -> str:
        key = world.key_of(index, slot)
        assert key is not None, "an avatar that is alive has a key"
        return key
