"""Alarm: leave a hall by a free exit when the alarm sounds, and stay when there is but music."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import angle, length
from ecumene_models import SenseBatch
from ecumene_models.senses import VIEW
from ecumene_scenarios.packs.arena import Point, add_block, add_place, ground, scattered
from ecumene_scenarios.packs.finding import around
from ecumene_scenarios.packs.task import Part, number_between
from ecumene_scenarios.packs.training import Wait
from ecumene_world import SceneGraph, grid
from ecumene_world.graph import Node
from ecumene_world.pose import Pose, Vector3
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

GAP_M: Final = 1.9
"""Width of an exit."""
OUT_M: Final = 1.2
"""The place that stands for an exit is so far outside the wall."""
EDGE: Final = 0.45
"""How far from the middle of the view, as a share of its width, something still counts as seen."""


class Alarm(Wait):
    """Stay while the radio plays or is silent, and leave the hall by the nearest free exit when the alarm sounds.

    Each wall has an exit, and two of the four are barred. Hearing alone tells when to leave, sight alone where to.
    """

    name = "alarm"
    least: ClassVar[int] = 6
    most: ClassVar[int] = 14
    size_m: ClassVar[float] = 18.0
    hall_m: ClassVar[float] = 12.0
    ring_ticks: ClassVar[int] = 16 * TICK_HZ
    bell: ClassVar[str] = "alarm"
    verb: ClassVar[Verb] = Verb.LEAVE

    def graph(self, seed: int) -> SceneGraph:
        """A walled hall with four exits, two of them barred, an alarm, a radio and a few boxes."""
        rng = np.random.default_rng([seed, 7])
        graph = ground(self.size_m, seed, self.name)
        half = self.hall_m / 2
        barred = set(rng.permutation(4)[:2].tolist())
        for side in range(4):
            gap = float(rng.uniform(-0.55, 0.55)) * half
            self._wall(graph, side, gap, float(rng.choice([1.0, 2.6])) if side in barred else None)
        corner = half - 0.4
        graph.add(Node(self.bell, "alarm_button", Pose.at(corner, corner)))
        graph.add(Node(self.radio, "radio", Pose.at(-corner, -corner)))
        for index, at in enumerate(scattered(rng, 3, half - 2.2, 3.0)):
            add_block(graph, f"box {index}", at, (0.9, 0.9), float(rng.uniform(0, math.pi)), 1.1)
        return graph

    def _wall(self, graph: SceneGraph, side: int, gap: float, bar_m: float | None) -> None:
        """Adds one wall of the hall with an exit at `gap` metres along it, barred by something `bar_m` high if any."""
        half, yaw = self.hall_m / 2, side * math.pi / 2

        def place(along: float, out: float = 0.0) -> Point:
            x, y = half + out, along
            return x * math.cos(yaw) - y * math.sin(yaw), x * math.sin(yaw) + y * math.cos(yaw)

        for name, start, end in (("right", -half, gap - GAP_M / 2), ("left", gap + GAP_M / 2, half)):
            add_block(graph, f"wall {side} {name}", place((start + end) / 2), (0.3, end - start + 0.15), yaw)
        if bar_m is None:
            add_place(graph, f"exit {side}", place(gap, OUT_M), role="exit")
        else:
            add_block(graph, f"bar {side}", place(gap), (0.3, GAP_M), yaw, bar_m)

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Stays somewhere in the hall, unless the alarm can be heard."""
        if bool(self._called()[index]):
            return None
        half = self.hall_m / 2 - 0.8
        at: Vector3 = (number_between(generator, -half, half), number_between(generator, -half, half), 0.0)
        if not world.standable(at):
            return None
        exits = world.layout.place_position.tolist()
        x, y, z = min(exits, key=lambda spot: math.dist(spot[:2], at[:2]))
        return Part(at, number_between(generator, -math.pi, math.pi), self.verb, point=(x, y, z))

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Draws when the alarm first sounds; nobody has left yet."""
        super().begin(world, which, generator)
        state = world.state
        if "exits" not in self.memory:
            exits = world.layout.place_position[:, :2]
            self.memory["exits"] = exits.expand(state.worlds, *exits.shape).clone()
            self.memory["at_nearest"] = torch.zeros_like(state.alive)
            self.memory["nearest_count"] = torch.zeros(state.worlds, device=state.device)
        self.memory["nearest_count"][which] = 0

    def note(self, state: State) -> None:
        """Notes who is at the free exit that was nearest to its spot, as the crow flies."""
        super().note(state)
        exits = self.memory["exits"]
        nearest = torch.cdist(self.memory["start"], exits).argmin(dim=2)
        self.memory["at_nearest"] = torch.cdist(state.position[..., :2], exits).argmin(dim=2) == nearest

    def metrics(self, world: World) -> Mapping[str, Tensor]:
        """Those of every task, and the share of those who left that did so by the nearest free exit."""
        return {**super().metrics(world), "nearest_exit": self.memory["nearest_count"] / self.memory["arrived_count"]}

    def totals(self) -> dict[str, float]:
        """The metrics of all worlds together."""
        share = self.memory["nearest_count"].sum() / self.memory["arrived_count"].sum()
        return {**super().totals(), "nearest_exit": float(share)}

    def _count(self, trying: Tensor, arrived: Tensor, left: Tensor) -> None:
        super()._count(trying, arrived, left)
        self.memory["nearest_count"] += (arrived & self.memory["at_nearest"]).sum(1)

    def guide(self, world: World, senses: SenseBatch, rows: Tensor) -> tuple[Tensor, Tensor]:
        """When the alarm sounds, who sees exits should take the nearest of them, who sees none should look about."""
        state = world.state
        told = (self.judged(state) & self._ringing()[:, None]).flatten()[rows]
        here = state.position.flatten(0, 1)[rows, :2]
        exits = world.layout.place_position[:, :2]
        away = length(exits - here[:, None])
        seen = _in_view(world, here, rows, exits) & senses.present[:, :1]
        away, nearest = away.masked_fill(~seen, 1e6).min(dim=1)
        out = exits[nearest]
        known = state.goal.flatten(0, 1)[rows, :2]
        way = torch.where((length(out - known) < 0.1)[:, None], state.waypoint.flatten(0, 1)[rows, :2], out)
        return told, torch.where((away < 1e5)[:, None], way, around(state, rows))

    def aim(self, state: State) -> Tensor:
        """The way to the nearest exit."""
        return state.waypoint[..., :2]

    def _there(self, state: State) -> Tensor:
        """Those who are out of the hall."""
        return state.position[..., :2].abs().amax(dim=-1) > self.hall_m / 2 + 0.3


def _in_view(world: World, here: Tensor, rows: Tensor, spots: Tensor) -> Tensor:
    """Which of (E, 2) spots are in view of the (N, 2) places of the (N,) rows of all slots, (N, E) bool."""
    state, layout = world.state, world.layout
    way = spots - here[:, None]
    facing = (state.yaw + state.gaze[..., 0]).flatten()[rows]
    off = angle(way) - facing[:, None]
    inside = torch.atan2(off.sin(), off.cos()).abs() < EDGE * VIEW[0]
    share = torch.linspace(0.0, 1.0, 80, device=here.device)[:, None, None, None]
    points = here[:, None] + way * share
    level = torch.zeros(points.shape[:-1], dtype=torch.int64, device=here.device)
    return inside & (grid.sample(layout, layout.tall_clearance, level, points) > 0.1).all(dim=0)
