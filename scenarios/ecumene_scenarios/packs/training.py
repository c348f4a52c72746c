"""The three training tasks: goto, avoid, wait."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.arena import Point, add_block, add_divide, add_place, blocks, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, angle_to, number_between, whole
from ecumene_world import SceneGraph
from ecumene_world.command import Command, SetThing
from ecumene_world.graph import Node
from ecumene_world.pose import Pose, Vector3
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

BYSTANDERS: Final = 0.1
"""Share of agents that are told to wait without an end: they should stand, and stand in the way."""
TRAVELS: Final = (Verb.GO, Verb.FIND, Verb.LEAVE, Verb.GATHER, Verb.WORK, Verb.COME, Verb.QUEUE)
"""Verbs under which an avatar heads for a place; all mean the same way of walking."""
OTHERS: Final = 0.2
"""Share of agents in goto that do something else than go to a place."""
ERRANDS: Final = (Verb.FOLLOW, Verb.GREET, Verb.AVOID, Verb.HAND_OVER, Verb.SIT, Verb.SIT, Verb.FIND)
"""What these do."""


class Goto(Task):
    """Walk to a place around walls and boxes, through doors if need be, while others do the same.

    A fifth of the agents do something else instead (follow, greet, sit, shun, look for somebody): they get no reward,
    but a learner may copy the scripted controller in their stead, so that it knows these verbs too.
    """

    name = "goto"
    least: ClassVar[int] = 8
    most: ClassVar[int] = 22
    limit_ticks: ClassVar[int] = 30 * TICK_HZ
    size_m: ClassVar[float] = 20.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with obstacles, benches and places; half of them have a wall with doors through the middle."""
        rng = np.random.default_rng([seed, 1])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2 - 1.6
        discs: list[tuple[Point, float]] = []
        if seed % 2:
            yaw = float(rng.choice([0.0, math.pi / 2]))
            doors = [float(rng.uniform(*span)) for span in ((-0.8, -0.45), (-0.15, 0.15), (0.45, 0.8))]
            add_divide(graph, "wall", self.size_m, [half * door for door in doors], yaw)
            along = (math.cos(yaw), math.sin(yaw))
            discs = [((step * along[0], step * along[1]), 1.4) for step in np.arange(-half, half, 1.0).tolist()]
        discs += blocks(rng, graph, 7, half, discs)
        for index, at in enumerate(scattered(rng, 3, half, 3.0, discs)):
            graph.add(Node(f"bench {index}", "bench", Pose.at(*at, yaw=float(rng.uniform(0, 2 * math.pi)))))
            discs.append((at, 1.6))
        for index, at in enumerate(scattered(rng, 14, half, 2.5, discs)):
            add_place(graph, f"place {index}", at)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From one place to another, a few metres off its middle."""
        del index
        places = world.layout.place_position
        start, end = torch.randperm(len(places), generator=generator)[:2].tolist()
        at = self._near(world, places[start], generator)
        if at is None:
            return None
        yaw = number_between(generator, -math.pi, math.pi)
        lot = number_between(generator)
        if lot < BYSTANDERS:
            return Part(at, yaw, Verb.WAIT)
        if lot < BYSTANDERS + OTHERS:
            return self._other(world, at, yaw, generator)
        verb = TRAVELS[whole(generator, 0, len(TRAVELS) - 1)] if number_between(generator) < 0.5 else Verb.GO
        return Part(at, yaw, verb, world.layout.names[int(world.layout.place_row[end])])

    def _other(self, world: World, at: Vector3, yaw: float, generator: torch.Generator) -> Part:
        verb = ERRANDS[whole(generator, 0, len(ERRANDS) - 1)]
        seats = world.layout.seat_approach
        if verb == Verb.SIT and len(seats):
            x, y, z = seats[whole(generator, 0, len(seats) - 1)].tolist()
            return Part(at, yaw, verb, point=(x, y, z))
        return Part(at, yaw, verb, somebody=verb in {Verb.FOLLOW, Verb.GREET, Verb.AVOID, Verb.HAND_OVER})

    def _near(self, world: World, place: Tensor, generator: torch.Generator) -> tuple[float, float, float] | None:
        x, y, z = place.tolist()
        at = (x + number_between(generator, -1.2, 1.2), y + number_between(generator, -1.2, 1.2), z)
        return at if world.standable(at) else None


class Avoid(Task):
    """Cross an open square straight through the people who cross it too."""

    name = "avoid"
    least: ClassVar[int] = 12
    most: ClassVar[int] = 30
    limit_ticks: ClassVar[int] = 20 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 2)
    size_m: ClassVar[float] = 13.0
    ring_m: ClassVar[float] = 5.2
    places: ClassVar[int] = 16

    def graph(self, seed: int) -> SceneGraph:
        """An open square with places on a ring; odd seeds narrow it to a crossing of two streets."""
        rng = np.random.default_rng([seed, 2])
        graph = ground(self.size_m, seed, self.name)
        if seed % 2:
            corner, side = self.size_m / 2 - 1.4, 2.8
            for index, (x, y) in enumerate(
                ((corner, corner), (-corner, corner), (-corner, -corner), (corner, -corner))
            ):
                add_block(graph, f"corner {index}", (x, y), (side, side), 0.0)
        turn = float(rng.uniform(-0.05, 0.05))
        for index in range(self.places):
            angle = turn + 2 * math.pi * index / self.places
            if seed % 2 and abs(math.cos(angle) * math.sin(angle)) > 0.4:
                continue
            add_place(graph, f"place {index}", (self.ring_m * math.cos(angle), self.ring_m * math.sin(angle)))
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From the ring to about the opposite side of it."""
        del index
        places = world.layout.place_position[:, :2]
        start = whole(generator, 0, len(places) - 1)
        x, y = places[start].tolist()
        at = (x + number_between(generator, -0.6, 0.6), y + number_between(generator, -0.6, 0.6), 0.0)
        across = (places @ places[start]).argsort()[: max(1, len(places) // 4)]
        end = int(across[whole(generator, 0, len(across) - 1)])
        if not world.standable(at):
            return None
        yaw = angle_to((x, y), (0.0, 0.0)) + number_between(generator, -0.5, 0.5)
        if number_between(generator) < BYSTANDERS:
            inwards = number_between(generator, 0.0, 0.8)
            return Part((at[0] * inwards, at[1] * inwards, 0.0), yaw, Verb.WAIT)
        return Part(at, yaw, Verb.GO, world.layout.names[int(world.layout.place_row[end])])


class Wait(Task):
    """Stand until the bell rings out of sight, then come to it; footsteps, talk and music must not mislead.

    Nothing but hearing tells when to start and where to go. Some others never stop walking.
    """

    name = "wait"
    least: ClassVar[int] = 8
    most: ClassVar[int] = 18
    pause: ClassVar[tuple[int, int]] = (1, 3)
    size_m: ClassVar[float] = 18.0
    stay_m: ClassVar[float] = 0.5
    reach_m: ClassVar[float] = 2.2
    ring_ticks: ClassVar[int] = 12 * TICK_HZ
    calm_ticks: ClassVar[int] = 2 * TICK_HZ
    bell: ClassVar[str] = "bell"
    radio: ClassVar[str] = "radio"
    verb: ClassVar[Verb] = Verb.COME

    def graph(self, seed: int) -> SceneGraph:
        """A square with a bell beside a screen, a radio, a few boxes and places."""
        rng = np.random.default_rng([seed, 3])
        graph = ground(self.size_m, seed, self.name)
        half = self.size_m / 2
        angle = float(rng.uniform(-math.pi, math.pi))
        bell_at = (0.6 * half * math.cos(angle), 0.6 * half * math.sin(angle))
        graph.add(Node(self.bell, "bell_post", Pose.at(*bell_at)))
        screen = (bell_at[0] - 1.3 * math.cos(angle), bell_at[1] - 1.3 * math.sin(angle))
        add_block(graph, "screen", screen, (0.3, 2.4), angle)
        taken = [(bell_at, 2.0), (screen, 2.0)]
        (radio_at,) = scattered(rng, 1, half - 3.0, 1.0, taken)
        graph.add(Node(self.radio, "radio", Pose.at(*radio_at)))
        for index, at in enumerate(scattered(rng, 3, half - 2.5, 4.0, taken)):
            add_block(graph, f"box {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
            taken.append((at, 1.4))
        for index, at in enumerate(scattered(rng, 14, half - 1.5, 2.2, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Draws when the bell first rings."""
        memory, state = self.memory, world.state
        if "bell" not in memory:
            memory["ring_from"] = torch.zeros_like(state.tick)
            memory["calm_from"] = torch.zeros_like(state.tick)
            memory["bell"] = world.layout.thing_position[world.thing(self.bell), :2].expand(state.worlds, 2).clone()
        memory["calm_from"][which] = 0
        for index in torch.nonzero(which).flatten().tolist():
            memory["ring_from"][index] = self._pause(generator)
            world.apply([SetThing(self.bell, 0, world=index), SetThing(self.radio, 0, world=index)])

    def commands(self, tick: int, world: World) -> tuple[Command, ...]:
        """Strikes the bell once a second and plays the radio, besides what every task does.

        What is on is not struck again, so the bell is turned off for a tick, one in which nobody decides: there it
        can't be heard at all.
        """
        sounding: list[Command] = []
        generator = world.generators["scenario"]
        since = (self.memory["world_age"] - self.memory["ring_from"]).tolist()
        for index, ticks in enumerate(since):
            if ticks == self.ring_ticks:
                sounding.append(SetThing(self.bell, 0, world=index))
                self.memory["calm_from"][index] = self.memory["world_age"][index] + self.calm_ticks
                self.memory["ring_from"][index] = self.memory["world_age"][index] + self._pause(generator)
            elif ticks >= 0 and ticks % TICK_HZ in {1, 2}:
                sounding.append(SetThing(self.bell, ticks % TICK_HZ - 1, world=index))
            elif ticks % (5 * TICK_HZ) == 0:
                sounding.append(SetThing(self.radio, whole(generator, 0, 1), world=index))
        return (*sounding, *super().commands(tick, world))

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Two of three wait for the bell within earshot; the others just walk about."""
        layout = world.layout
        waits = number_between(generator) < 0.67
        if waits and bool(self._called()[index]):
            return None
        start, end = torch.randperm(len(layout.place_position), generator=generator)[:2].tolist()
        x, y, z = layout.place_position[start].tolist()
        at = (x + number_between(generator, -0.8, 0.8), y + number_between(generator, -0.8, 0.8), z)
        bell = self.memory["bell"][index].tolist()
        if not world.standable(at) or (waits and not 3.5 < math.dist(at[:2], bell) < 11.0):
            return None
        yaw = number_between(generator, -math.pi, math.pi)
        if waits:
            return Part(at, yaw, Verb.COME)
        return Part(at, yaw, Verb.GO, layout.names[int(layout.place_row[end])])

    def standing(self, state: State) -> Tensor:
        """Those who wait while the bell is silent, but for those whom its last strike has brought to it."""
        return self.judged(state) & ~self._ringing()[:, None] & ~(self._called() & self._there(state))

    def note(self, state: State) -> None:
        """Whoever has not come by the time the bell falls silent waits where it is then."""
        memory = self.memory
        stops = (memory["world_age"] == memory["calm_from"])[:, None] & self.judged(state)
        memory["start"] = torch.where(stops[..., None], state.position[..., :2], memory["start"])

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Those who hear it ring should head for the bell."""
        bell = self.memory["bell"][:, None].expand_as(state.goal[..., :2])
        return self.judged(state) & self._ringing()[:, None], bell

    def failed(self, state: State) -> Tensor:
        """Those who left their spot before the bell rang; whoever is on the way has `calm_ticks` to stop."""
        strayed = length(state.position[..., :2] - self.memory["start"]) > self.stay_m
        return strayed & self.judged(state) & ~self._called()

    def arrived(self, state: State) -> Tensor:
        """Those who came to the bell, and walkers at their place."""
        return torch.where(self.judged(state), self._there(state), super().arrived(state))

    def judged(self, state: State) -> Tensor:
        """Only those who wait; the others are there to mislead."""
        return state.verb == self.verb

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def aim(self, state: State) -> Tensor:
        """The bell for those who wait for it."""
        bell = self.memory["bell"][:, None].expand_as(state.waypoint[..., :2])
        return torch.where(self.judged(state)[..., None], bell, super().aim(state))

    def _there(self, state: State) -> Tensor:
        """Those who are where the sound calls them."""
        return length(state.position[..., :2] - self.memory["bell"][:, None]) < self.reach_m

    def _called(self) -> Tensor:
        """Where the bell rings or has just rung, (B, 1) bool."""
        return (self._ringing() | (self.memory["world_age"] < self.memory["calm_from"]))[:, None]

    def _ringing(self) -> Tensor:
        return self.memory["world_age"] >= self.memory["ring_from"]

    def _pause(self, generator: torch.Generator) -> int:
        return TICK_HZ * whole(generator, 4, 13)
