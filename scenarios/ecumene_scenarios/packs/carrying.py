"""Carrying together: two bring a stretcher to a place that one of them knows; the other has its hand to tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length, unit
from ecumene_models.senses import SenseBatch
from ecumene_scenarios.packs.arena import Point, add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, angle_to, number_between, whole
from ecumene_sim.hauling import EFFORT, LOADED_SPEED
from ecumene_sim.interaction import HOLD_N
from ecumene_world import SceneGraph, grid
from ecumene_world.command import Command, Interact
from ecumene_world.graph import Node
from ecumene_world.kinds import BY_NAME
from ecumene_world.pose import Pose
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

LENGTH_M: Final = BY_NAME["stretcher"].length_m
BEHIND_M: Final = (0.3, 0.6)
"""How far behind an end newcomers stand, metres."""
BESIDE_M: Final = LENGTH_M / 2 + 1.0
"""Whoever is nearer to the middle of a stretcher has come for it."""
THERE_M: Final = 0.8
"""The stretcher has arrived when whoever knows the place holds its end so near there, metres."""
STOP_M: Final = 0.45
"""So near, the teacher stops."""
YIELD: Final = 0.6
"""Share of what the hand feels that the teacher makes good at once; with all of it two rock to and fro."""
EASES: Final = 0.5
"""Who knows the way wants to go no more than this faster than both do, m/s, so that the other can come along."""
WAITS_N: Final = 60.0
"""Who knows the way goes no faster when its hand is pulled back so strongly, and slower when more, newtons."""
STILL_SPEED: Final = 0.15
"""Who is slower stands, m/s."""
STILL_TICKS: Final = 3 * TICK_HZ
"""How long both stand at the place, with the stretcher in hand."""
ALONE_TICKS: Final = 6 * TICK_HZ
"""Who has found nobody at the other end for so long leaves."""
FAR_M: Final = 5.0
"""Places are at least so far away."""
CLEAR_M: Final = 1.0
"""From so near, who goes along keeps clear of walls."""
GAP_M: Final = 1.4
"""Width of the doorways."""


class Carry(Task):
    """Carry a stretcher, two at its ends, to a place that only one of them knows, and stop there.

    Who does not go along keeps it where it is, and who goes against the other drops it. The one that does not know the
    place can't see what the other wants: both face each other whichever way they go, and nothing moves before both want
    it. Its hand feels it: a pull to come along, a push to go back.

    Source: the one that follows by the force in its hand is that of Kosuge and Kazamura 1997, Control of a robot
    handling an object in cooperation with a human.
    """

    name = "carry"
    least: ClassVar[int] = 4
    most: ClassVar[int] = 8
    limit_ticks: ClassVar[int] = 45 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 2)
    turns_first: ClassVar[bool] = False
    size_m: ClassVar[float] = 18.0
    doorways: ClassVar[tuple[float, ...]] = (-4.5, 4.5)

    def graph(self, seed: int) -> SceneGraph:
        """A square in two halves with doorways between them, boxes, places, and stretchers that lie about."""
        rng = np.random.default_rng([seed, 9])
        graph = ground(self.size_m, seed, self.name)
        half, turn = self.size_m / 2, float(rng.uniform(-math.pi, math.pi))
        ends = [-half, *(along + side for along in self.doorways for side in (-GAP_M / 2, GAP_M / 2)), half]
        for index, (low, high) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
            add_block(graph, f"wall {index}", _turned((low + high) / 2, turn), (high - low, 0.3), turn)
        taken = [(_turned(float(along), turn), 1.9) for along in np.arange(-half, half + 0.1, 1.0)]
        for index, at in enumerate(scattered(rng, 4, half - 2.5, 4.5, taken)):
            add_block(graph, f"block {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
            taken.append((at, 2.3))
        for index, at in enumerate(scattered(rng, self.greatest // 2 + 2, half - 2.0, 3.0, taken)):
            graph.add(Node(f"stretcher {index}", "stretcher", Pose.at(*at, yaw=float(rng.uniform(-math.pi, math.pi)))))
        for index, at in enumerate(scattered(rng, 12, half - 2.2, 2.5, taken)):
            add_place(graph, f"place {index}", at)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Somebody for the other end where one waits alone, else somebody who knows where a stretcher should go."""
        state = world.state
        behind = LENGTH_M / 2 + number_between(generator, *BEHIND_M)
        speed = number_between(generator, 0.8, 1.0) * LOADED_SPEED
        alone = self._alone(state, index)
        if alone is not None:
            slot, thing = alone
            middle = state.thing_position[index, thing]
            away = unit((middle - state.position[index, slot])[:2])
            x, y = (middle[:2] + behind * away).tolist()
            at = (x, y, float(state.position[index, slot, 2]))
            there = angle_to(at[:2], (float(middle[0]), float(middle[1])))
            return Part(at, there, Verb.CARRY, whom=slot, speed=speed) if world.standable(at) else None
        lying = self._lying(state, index)
        if not lying:
            return None
        thing = lying[whole(generator, 0, len(lying) - 1)]
        x, y, z = state.thing_position[index, thing].tolist()
        yaw = float(state.thing_yaw[index, thing]) + math.pi * whole(generator, 0, 1)
        at, end = ((x + d * math.cos(yaw), y + d * math.sin(yaw), z) for d in (-behind, LENGTH_M / 2 + BEHIND_M[1]))
        place = self._far_place(world, (x, y), generator)
        if place is None or not (world.standable(at) and world.standable(end)):
            return None
        return Part(at, yaw, Verb.CARRY, place, speed=speed)

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Nobody carries anything yet."""
        del generator
        memory, state = self.memory, world.state
        if "had" not in memory:
            for name in ("had", "dropped"):
                memory[name] = torch.zeros_like(state.alive)
            memory["still"] = torch.zeros_like(state.serial)
        for name in ("had", "dropped", "still"):
            memory[name][which] = 0

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Lets newcomers take their end, besides the usual."""
        state, memory = world.state, self.memory
        takes = state.alive & ~memory["ended"] & ~memory["had"] & (state.held < 0)
        asks: list[Command] = []
        for index, slot in takes.nonzero().tolist():
            key = world.key_of(index, slot)
            assert key is not None, "an avatar that is alive has a key"
            asks.append(Interact(key, world=index))
        return (*asks, *super().commands(tick, world))

    def note(self, state: State) -> None:
        """Remembers who carried something, who lost it, and for how long both have stood where it should be."""
        memory = self.memory
        paired = self._paired(state)
        had = memory["had"] & (memory["age"] > 1)
        memory["age"] = torch.where(paired & ~had, 1, memory["age"])
        memory["had"], memory["dropped"] = had | paired, had & ~paired
        fast = length(state.velocity[..., :2]) >= STILL_SPEED
        moves = fast | fast.gather(1, self._other(state))
        there = paired & (self._left(state) < THERE_M) & ~moves
        memory["still"] = torch.where(there, memory["still"] + 1, 0)

    def standing(self, state: State) -> Tensor:
        """Those who wait for somebody, and those who know the place once the stretcher is there."""
        there = self._knows(state) & (self._left(state) < STOP_M) & ~self.arrived(state)
        return ~self._paired(state) | there

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Who knows the place sets off gently; who does not goes where its hand does, ahead or back."""
        follows = self._paired(state) & ~self._knows(state)
        ahead = torch.stack((state.yaw.cos(), state.yaw.sin()), dim=-1)
        speed = (state.velocity[..., :2] * ahead).sum(-1) + YIELD * self.felt(state) / EFFORT
        share = (speed / state.max_speed).clamp(-1.0, 1.0)[..., None]
        left = (state.waypoint - state.position)[..., :2]
        way = unit(left)
        along = (way * ahead).sum(-1, keepdim=True)
        aside = (way - along * ahead) / along.clamp(min=0.4)
        goes = 0.6 * share * torch.where(share > 0, ahead + aside, ahead)
        gains = EASES * (1.0 - self.felt(state) / WAITS_N).clamp(-1.0, 1.0)
        most = 0.6 * (length(state.velocity[..., :2]) + gains).clamp(min=0.0) / state.max_speed
        leads = way * torch.minimum(length(left), most)[..., None]
        return self._paired(state), state.position[..., :2] + torch.where(follows[..., None], goes, leads)

    def guide(self, world: World, senses: SenseBatch, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Who goes along also keeps clear of walls beside the way, so that a stretcher gets round corners."""
        told, point = super().guide(world, senses, rows)
        state, layout = world.state, world.layout
        here, level = state.position.flatten(0, 1)[rows, :2], state.level.flatten()[rows]
        way, yaw = point - here, state.yaw.flatten()[rows]
        gap = grid.sample(layout, layout.clearance, level, here)
        aside = torch.stack((-yaw.sin(), yaw.cos()), dim=-1)
        clear = (unit(grid.gradient(layout, layout.clearance, level, here)) * aside).sum(-1)
        follows = ~self._knows(state).flatten()[rows] & (length(way) > 0.1)
        near = ((CLEAR_M - gap) / CLEAR_M).clamp(0.0, 1.0) * follows
        return told, point + (0.6 * near * clear)[:, None] * aside

    def felt(self, state: State) -> Tensor:
        """What each hand feels of the other, (B, C) newtons; a pull is positive."""
        return state.touch_hand - HOLD_N

    def arrived(self, state: State) -> Tensor:
        """Those who have stood with the stretcher where it should be."""
        del state
        return self.memory["still"] >= STILL_TICKS

    def failed(self, state: State) -> Tensor:
        """Those who dropped it, or whom nobody joined."""
        alone = ~self.memory["had"] & (self.memory["age"] > ALONE_TICKS)
        return (self.memory["dropped"] | alone) & (state.verb == Verb.CARRY)

    def judged(self, state: State) -> Tensor:
        """Those who have carried something."""
        return self.memory["had"] & (state.verb == Verb.CARRY)

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def aim(self, state: State) -> Tensor:
        """The way of the one that knows it, for both."""
        way = (state.waypoint - state.position)[..., :2]
        theirs = way.gather(1, self._other(state)[..., None].expand_as(way))
        return state.position[..., :2] + torch.where(self._knows(state)[..., None], way, theirs)

    def _knows(self, state: State) -> Tensor:
        return (state.verb == Verb.CARRY) & (state.place >= 0)

    def _paired(self, state: State) -> Tensor:
        """Who carries something with another, (B, C) bool."""
        partner = state.thing_partner.gather(1, state.held.clamp(min=0))
        return state.alive & (state.held >= 0) & (partner >= 0)

    def _other(self, state: State) -> Tensor:
        """Slot of whoever carries the other end, (B, C) i64; the own one where nobody does."""
        held, slot = state.held.clamp(min=0), torch.arange(state.slots, device=state.device).expand_as(state.held)
        first, second = state.thing_holder.gather(1, held), state.thing_partner.gather(1, held)
        return torch.where(self._paired(state), torch.where(first == slot, second, first), slot)

    def _left(self, state: State) -> Tensor:
        """How far the one of each two that knows the place is from it, (B, C) metres."""
        left = length((state.goal - state.position)[..., :2])
        return torch.where(self._knows(state), left, left.gather(1, self._other(state)))

    def _alone(self, state: State, index: int) -> tuple[int, int] | None:
        """Somebody of a world at whose stretcher nobody has come to the other end, and the stretcher."""
        staying = state.alive[index] & ~self.memory["ended"][index]
        joined = set(state.target[index][staying].tolist())
        for slot in (staying & self._knows(state)[index] & ~self.memory["had"][index]).nonzero().flatten().tolist():
            if slot not in joined:
                away = length((state.thing_position[index] - state.position[index, slot])[:, :2])
                return slot, int(away.argmin())
        return None

    def _lying(self, state: State, index: int) -> list[int]:
        """Stretchers of a world that nobody has come for."""
        people = state.position[index][state.alive[index]][:, :2]
        away = length(state.thing_position[index][:, None, :2] - people[None])
        return (~(away < BESIDE_M).any(dim=1)).nonzero().flatten().tolist()

    def _far_place(self, world: World, start: Point, generator: torch.Generator) -> str | None:
        layout = world.layout
        away = length(layout.place_position[:, :2] - layout.place_position.new_tensor(start))
        far = (away > FAR_M).nonzero().flatten().tolist()
        return layout.names[int(layout.place_row[far[whole(generator, 0, len(far) - 1)]])] if far else None


def _turned(along: float, turn: float) -> Point:
    """A point so far from the origin in a direction."""
    return along * math.cos(turn), along * math.sin(turn)
