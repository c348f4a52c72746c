"""Find: walk up to a thing of a stated sort, which nothing but the picture in the eyes shows."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.vectors import heading, length
from ecumene_models import SenseBatch
from ecumene_scenarios.packs.arena import add_block, ground, scattered
from ecumene_scenarios.packs.task import Part, Task, number_between, whole
from ecumene_world import SceneGraph
from ecumene_world.graph import Node
from ecumene_world.kinds import BY_NAME, Category
from ecumene_world.pose import Pose, Vector3
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

SORTS: Final = ("bench", "table", "bush", "bicycle", "cabinet", "fridge")
"""What stands about: one of each, and vision reports another category for each."""
REACH_M: Final = 1.7
"""Who is this near to the middle of what it sought has found it, metres."""
LOOK_AROUND: Final = 0.15
"""How far to the left who sees nothing of what it seeks heads, radians a decision: it walks in a circle."""


def around(state: State, rows: Tensor) -> Tensor:
    """Points that lead (N,) rows of all slots in a circle to the left, (N, 2) metres: thus one looks about."""
    ahead = 2.0 * heading(state.yaw.flatten()[rows] + LOOK_AROUND)
    return state.position.flatten(0, 1)[rows, :2] + ahead


class Find(Task):
    """Find a thing of a stated sort among things of other sorts; where it stands nobody tells, so it must be seen."""

    name = "find"
    least: ClassVar[int] = 6
    most: ClassVar[int] = 14
    limit_ticks: ClassVar[int] = 25 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 4)
    size_m: ClassVar[float] = 15.0

    def graph(self, seed: int) -> SceneGraph:
        """A square with one thing of each sort and a few boxes."""
        rng = np.random.default_rng([seed, 5])
        graph = ground(self.size_m, seed, self.name)
        spots = scattered(rng, len(SORTS) + 3, self.size_m / 2 - 1.8, 3.6)
        for sort, at in zip(rng.permutation(SORTS).tolist(), spots, strict=False):
            graph.add(Node(str(sort), str(sort), Pose.at(*at, yaw=float(rng.uniform(-math.pi, math.pi)))))
        for index, at in enumerate(spots[len(SORTS) :]):
            size = (float(rng.uniform(0.6, 2.5)), 0.5)
            add_block(graph, f"box {index}", at, size, float(rng.uniform(0, math.pi)), float(rng.choice([0.9, 2.6])))
        return graph

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From anywhere that is not beside what is sought."""
        del index
        half = self.size_m / 2 - 0.8
        x, y = number_between(generator, -half, half), number_between(generator, -half, half)
        sorts = [sort for sort in SORTS if sort in world.graph]
        sort = sorts[whole(generator, 0, len(sorts) - 1)]
        thing: Vector3 = world.graph.world_pose(sort).position
        if not world.standable((x, y, 0.0)) or math.dist((x, y), thing[:2]) < 2 * REACH_M:
            return None
        yaw = number_between(generator, -math.pi, math.pi)
        return Part((x, y, 0.0), yaw, Verb.FIND, point=thing, sought=BY_NAME[sort].category)

    def judged(self, state: State) -> Tensor:
        """Everybody."""
        return state.alive & (state.verb == Verb.FIND)

    def taught(self, state: State) -> Tensor:
        """Nobody."""
        return torch.zeros_like(state.alive)

    def arrived(self, state: State) -> Tensor:
        """Those who stand before what they sought."""
        return length((state.goal - state.position)[..., :2]) < REACH_M

    def guide(self, world: World, senses: SenseBatch, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Who sees what it seeks should walk up to it, who doesn't should look about."""
        state = world.state
        sought = (-1 - state.place.flatten()[rows]).clamp(min=0)
        sees = (senses.vision_kind == sought[:, None, None]).flatten(1).any(dim=1) & senses.present[:, 0]
        way = state.waypoint.flatten(0, 1)[rows, :2]
        return sought > int(Category.SKY), torch.where(sees[:, None], way, around(state, rows))
