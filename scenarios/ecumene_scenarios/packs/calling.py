"""Come: walk to somebody who calls from behind a wall."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.arena import Point, add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, number_between, whole
from ecumene_world import SceneGraph, grid
from ecumene_world.command import Command, Say, SetIntent, Spawn
from ecumene_world.layout import Layout
from ecumene_world.pose import Vector3
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

REACH_M: Final = 1.6
"""Who is this near to the caller has come, metres."""
CALLER: Final = "caller:"
TALK_TICKS: Final = 3 * TICK_HZ
"""Time between two words of those who walk about."""


class Come(Task):
    """Come to somebody who calls from behind a wall: nothing but the call tells where that is.

    A third of the agents just walk about, talking.
    """

    name = "come"
    least: ClassVar[int] = 6
    most: ClassVar[int] = 14
    limit_ticks: ClassVar[int] = 25 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 3)
    size_m: ClassVar[float] = 18.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with four walls, a post behind each where somebody may call, and places."""
        rng = np.random.default_rng([seed, 6])
        graph = ground(self.size_m, seed, self.name)
        half, taken = self.size_m / 2, list[tuple[Point, float]]()
        turn = float(rng.uniform(-math.pi, math.pi))
        for index in range(4):
            angle = turn + index * math.pi / 2 + float(rng.uniform(-0.3, 0.3))
            away = float(rng.uniform(0.42, 0.5)) * half
            out, wall = (math.cos(angle), math.sin(angle)), float(rng.uniform(3.0, 4.5))
            add_block(graph, f"wall {index}", (away * out[0], away * out[1]), (0.3, wall), angle)
            post = (away + float(rng.uniform(1.2, 2.0))) * out[0], (away + float(rng.uniform(1.2, 2.0))) * out[1]
            add_place(graph, f"post {index}", post, role="post")
            taken += [((away * out[0], away * out[1]), 0.5 * wall + 0.6), (post, 1.5)]
        for index, at in enumerate(scattered(rng, 10, half - 1.2, 2.0, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Somebody stands behind one of the walls."""
        self.memory.setdefault("caller", torch.zeros_like(world.state.tick))
        layout = world.layout
        posts = [row for row, role in enumerate(layout.place_role) if role == "post"]
        for index in which.nonzero().flatten().tolist():
            at = layout.place_position[posts[whole(generator, 0, len(posts) - 1)]].tolist()
            key = f"{CALLER}{index}"
            world.apply(
                [
                    Spawn(
                        key, "npc", (at[0], at[1], at[2]), number_between(generator, -3.1, 3.1), "caller", world=index
                    ),
                    SetIntent(key, Verb.WAIT, world=index),
                ]
            )
            self.memory["caller"][index] = world.avatars[key].slot

    def commands(self, tick: int, world: World) -> tuple[Command, ...]:
        """Lets the callers call once a second and somebody talk, besides what every task does."""
        said: list[Command] = []
        ages = self.memory["world_age"].tolist()
        for index, age in enumerate(ages):
            if age % TICK_HZ == 1:
                said.append(Say(f"{CALLER}{index}", "Over here!", calls=True, world=index))
            if age % TALK_TICKS == 2:
                talks = (world.state.alive & (world.state.verb == Verb.GO))[index].nonzero().flatten().tolist()
                keys = [world.key_of(index, slot) for slot in talks]
                said += [Say(key, "Nice day.", world=index) for key in keys[:1] if key is not None]
        return (*said, *super().commands(tick, world))

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Two of three come, from where a wall hides the caller; the others walk about."""
        layout = world.layout
        half = self.size_m / 2 - 0.8
        x, y = number_between(generator, -half, half), number_between(generator, -half, half)
        at = (x, y, 0.0)
        if not world.standable(at):
            return None
        yaw = number_between(generator, -math.pi, math.pi)
        if number_between(generator) < 0.33:
            places = [row for row, role in enumerate(layout.place_role) if role != "post"]
            end = places[whole(generator, 0, len(places) - 1)]
            return Part(at, yaw, Verb.GO, layout.names[int(layout.place_row[end])])
        caller: Vector3 = tuple(world.state.position[index, int(self.memory["caller"][index])].tolist())
        if not 3.5 < math.dist(at[:2], caller[:2]) < 11.0 or not _hidden(layout, at, caller):
            return None
        return Part(at, yaw, Verb.COME, point=caller)

    def endless(self, state: State) -> Tensor:
        """Those who call."""
        return state.verb == Verb.WAIT

    def judged(self, state: State) -> Tensor:
        """Those who come."""
        return state.alive & (state.verb == Verb.COME)

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Those who come should take the way round the wall."""
        return self.judged(state), state.waypoint[..., :2]

    def arrived(self, state: State) -> Tensor:
        """Those who stand before the caller, and walkers at their place."""
        there = length((state.goal - state.position)[..., :2]) < REACH_M
        return torch.where(self.judged(state), there, super().arrived(state))


def _hidden(layout: Layout, one: Vector3, other: Vector3) -> bool:
    """Whether a wall stands between two points of the ground storey."""
    share = torch.linspace(0.0, 1.0, 100, device=layout.device)[:, None]
    ends = torch.tensor([one[:2], other[:2]], device=layout.device)
    points = torch.lerp(ends[:1], ends[1:], share)
    level = torch.zeros(len(points), dtype=torch.int64, device=layout.device)
    return bool((grid.sample(layout, layout.clearance, level, points) < 0).any())
