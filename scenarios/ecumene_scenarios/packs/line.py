"""Queueing: line up before a counter, move up when the one ahead has been served, and don't push."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import length, unit
from ecumene_scenarios.packs.arena import add_block, add_place, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, angle_to, number_between
from ecumene_world import SceneGraph
from ecumene_world.layout import Layout
from ecumene_world.state import State, Verb
from ecumene_world.world import World

SPACING_M: Final = 0.9
"""From one to the next in a line."""
JOIN_M: Final = 0.6
"""Who comes this near to the end of the line joins it."""
LOST_M: Final = 2.0
"""Who strays this far from its spot has left the line."""
AT_SPOT_M: Final = 0.2
AT_COUNTER_M: Final = 0.5
"""How near the counter's spot one is served."""
AHEAD_M: Final = 0.5
"""Who is this much nearer to the counter than its spot is out of turn."""
BESIDE_M: Final = 1.2
"""Out of turn counts this near the middle of the line."""
PUSHING_TICKS: Final = 30
"""How long one may be out of turn."""
ASIDE: Final = 0.1
"""Share of agents that stand about away from the line."""


class Queue(Task):
    """Line up before a counter, move up when the one ahead has been served, and don't push.

    Where the line ends is nowhere written: it is where the last one stands. Who goes straight for the counter, where
    its intent leads, is out of turn, and fails as soon as that has lasted a second and a half.
    """

    name = "queue"
    least: ClassVar[int] = 5
    most: ClassVar[int] = 9
    pause: ClassVar[tuple[int, int]] = (1, 4)
    size_m: ClassVar[float] = 16.0
    served_ticks: ClassVar[tuple[int, int]] = (30, 60)
    counter: ClassVar[str] = "counter"

    def graph(self, seed: int) -> SceneGraph:
        """A square with a counter at one side, room for a line before it, and a few boxes elsewhere."""
        rng = np.random.default_rng([seed, 5])
        graph = ground(self.size_m, seed, self.name)
        angle = float(rng.uniform(-math.pi, math.pi))
        out = (math.cos(angle), math.sin(angle))
        front = (-4.5 * out[0], -4.5 * out[1])
        add_block(graph, "desk", (front[0] - 0.8 * out[0], front[1] - 0.8 * out[1]), (0.6, 2.2), angle, 1.1)
        add_place(graph, self.counter, front)
        add_place(graph, "line", (front[0] + 3.0 * out[0], front[1] + 3.0 * out[1]))
        line = [((front[0] + step * out[0], front[1] + step * out[1]), 2.6) for step in range(9)]
        for index, at in enumerate(scattered(rng, 4, self.size_m / 2 - 1.5, 3.0, line)):
            add_block(graph, f"box {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From anywhere beside the line."""
        del index
        front, out = _axis(world.layout, self.counter)
        half = self.size_m / 2 - 1.0
        x, y = number_between(generator, -half, half), number_between(generator, -half, half)
        way = torch.tensor((x, y)) - front
        aside = abs(float(out[0] * way[1] - out[1] * way[0]))
        if aside < 2.0 or not world.standable((x, y, 0.0)):
            return None
        yaw = angle_to((x, y), (0.0, 0.0)) + number_between(generator, -1.5, 1.5)
        if number_between(generator) < ASIDE:
            return Part((x, y, 0.0), yaw, Verb.WAIT)
        return Part((x, y, 0.0), yaw, Verb.QUEUE, self.counter)

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Forgets the line of the worlds that start over."""
        del generator
        memory, state = self.memory, world.state
        if "rank" not in memory:
            memory["rank"] = torch.full_like(state.serial, -1)
            memory["served"] = torch.zeros_like(state.serial)
            memory["pushing"] = torch.zeros_like(state.serial)
            front, out = _axis(world.layout, self.counter)
            memory["front"] = front.to(state.device).expand(state.worlds, 2).clone()
            memory["out"] = out.to(state.device).expand(state.worlds, 2).clone()
        memory["rank"][which] = -1

    def note(self, state: State) -> None:
        """Keeps the order of the line: who left it, who joins its end, who is served, who is out of turn."""
        memory = self.memory
        trying = state.alive & ~memory["ended"] & self.judged(state)
        fresh = memory["age"] <= 1
        memory["served"] = memory["served"].masked_fill(fresh, 0)
        memory["pushing"] = memory["pushing"].masked_fill(fresh, 0)
        self._close_up(state, trying & ~fresh)
        self._join(state, trying)
        first = (memory["rank"] == 0) & (length(self._spot(state) - state.position[..., :2]) < AT_COUNTER_M)
        memory["served"] += first
        out_of_turn = self._out_of_turn(state) & trying
        memory["pushing"] = torch.where(out_of_turn, memory["pushing"] + 1, (memory["pushing"] - 1).clamp(min=0))

    def standing(self, state: State) -> Tensor:
        """Those who wait, and those at their spot in the line."""
        there = length(self._spot(state) - state.position[..., :2]) < AT_SPOT_M
        waits = (self.memory["rank"] >= 0) & there & ~self._attended(state)
        return super().standing(state) | waits

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Everybody in the line should head for its spot, the others for the end of it, around those who stand."""
        here = state.position[..., :2] - self.memory["front"][:, None]
        out = self.memory["out"][:, None].expand_as(here)
        along, left = (here * out).sum(-1), (out[..., 0] * here[..., 1] - out[..., 1] * here[..., 0])
        end = self._spot_along()
        beside = (self.memory["rank"] < 0) & (along < end - 0.2) & (end > 0)
        side = torch.where(left >= 0, 1.2, -1.2)
        normal = torch.stack((-out[..., 1], out[..., 0]), dim=-1)
        around = (end + 0.8)[..., None] * out + side[..., None] * normal
        way = torch.where(beside[..., None], around, end[..., None] * out)
        return self.judged(state), self.memory["front"][:, None] + way

    def faces(self, state: State) -> tuple[Tensor, Tensor]:
        """Those in the line face the counter."""
        desk = self.memory["front"] - self.memory["out"]
        return self.memory["rank"] >= 0, desk[:, None].expand_as(state.goal[..., :2])

    def arrived(self, state: State) -> Tensor:
        """Those who have been served."""
        return self._attended(state)

    def failed(self, state: State) -> Tensor:
        """Those who pushed in."""
        return self.judged(state) & (self.memory["pushing"] >= PUSHING_TICKS)

    def judged(self, state: State) -> Tensor:
        """Those who queue."""
        return state.verb == Verb.QUEUE

    def aim(self, state: State) -> Tensor:
        """Each one's spot, or the end of the line."""
        return self.hint(state)[1]

    def _attended(self, state: State) -> Tensor:
        """Who has been at the counter long enough; some take longer than others, (B, C) bool."""
        low, high = self.served_ticks
        needs = low + (state.look * 7) % (high - low + 1)
        return self.judged(state) & (self.memory["served"] >= needs)

    def _close_up(self, state: State, there: Tensor) -> None:
        """Moves everybody up for those who have gone, strayed or been served."""
        rank = self.memory["rank"]
        strayed = length(self._spot(state) - state.position[..., :2]) > LOST_M
        stays = there & (rank >= 0) & ~strayed
        before = stays[:, None, :] & (rank[:, None, :] < rank[:, :, None])
        self.memory["rank"] = torch.where(stays, before.sum(-1), -1)

    def _join(self, state: State, trying: Tensor) -> None:
        """Adds the one nearest to the end of each line, if it is near enough."""
        rank = self.memory["rank"]
        away = length(self._spot(state) - state.position[..., :2]).masked_fill(~trying | (rank >= 0), 1e6)
        nearest, slot = away.min(dim=1)
        joins = torch.zeros_like(trying).scatter_(1, slot[:, None], (nearest < JOIN_M)[:, None])
        self.memory["rank"] = torch.where(joins, (rank >= 0).sum(1, keepdim=True), rank)

    def _spot_along(self) -> Tensor:
        """How far from the counter each one's spot is, (B, C) metres; the end of the line for those outside it."""
        rank = self.memory["rank"]
        return SPACING_M * torch.where(rank >= 0, rank, (rank >= 0).sum(1, keepdim=True))

    def _spot(self, state: State) -> Tensor:
        """Each one's spot, (B, C, 2) metres."""
        del state
        return self.memory["front"][:, None] + self._spot_along()[..., None] * self.memory["out"][:, None]

    def _out_of_turn(self, state: State) -> Tensor:
        """Who stands in the line nearer to the counter than it should, (B, C) bool."""
        here = state.position[..., :2] - self.memory["front"][:, None]
        out = self.memory["out"][:, None]
        along = (here * out).sum(-1)
        beside = (out[..., 0] * here[..., 1] - out[..., 1] * here[..., 0]).abs()
        spot = self._spot_along()
        return (spot > 0) & (along < spot - AHEAD_M) & (beside < BESIDE_M) & (along > -1.0)


def _axis(layout: Layout, counter: str) -> tuple[Tensor, Tensor]:
    """The spot before the counter and the direction of the line, (2,) each."""
    names = [layout.names[row] for row in layout.place_row.tolist()]
    front, line = (layout.place_position[names.index(name), :2].cpu() for name in (counter, "line"))
    return front, unit(line - front)
