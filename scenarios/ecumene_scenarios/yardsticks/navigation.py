"""Navigation: every agent heads for a goal of its own, sees others by twelve rays of lidar and must not touch them.

The rules are those of `navigation` in VMAS (Bettini et al. 2022, VMAS: a vectorized multi-agent simulator for
collective robot learning) with its default settings.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from ecumene_scenarios.errors import ScenarioError
from ecumene_scenarios.yardsticks.yardstick import Outcome, Yardstick
from ecumene_sim.particles import Matter, offsets

RADIUS_M: Final = 0.1
GOAL_RADIUS_M: Final = 0.05
APART_M: Final = 2 * RADIUS_M + 0.05
"""Least distance of agents and goals from each other at the start."""
CLOSE_M: Final = 0.005
"""A gap up to this counts as a collision."""
RAYS: Final = 12
REACH_M: Final = 0.35
"""Of the lidar."""
ALL_THERE: Final = 0.01
"""What everybody gets in each step in which all are at their goals."""
COLLISION: Final = -1.0
MOST_AGENTS: Final = 16
"""With more there may be no place left for everybody and every goal."""


class Navigation(Yardstick):
    """All agents share what they come nearer to their goals; each pays for its own collisions.

    VMAS counts a gap of some millimetres as a collision only while the same two agents touch in another world of the
    batch, which ties worlds to each other; here it always counts.
    """

    def __init__(self, *, worlds: int, agents: int, seed: int = 0, device: torch.device | str = "cpu") -> None:
        if agents > MOST_AGENTS:
            raise ScenarioError(f"navigation has room for {MOST_AGENTS} agents, not {agents}")
        super().__init__(worlds=worlds, agents=agents, seed=seed, device=device)
        self._before = torch.zeros(worlds, agents, device=device)
        angle = torch.arange(RAYS, device=device) * (2.0 * math.pi / RAYS)
        self._rays = torch.stack((angle.cos(), angle.sin()))

    def matter(self) -> Matter:
        """Small bodies, integrated in two parts a step."""
        return Matter(RADIUS_M, substeps=2)

    def reset(self, which: Tensor | None = None) -> Tensor:
        """Puts agents and goals apart from each other in a square of two metres; returns (B, N, 18) observations."""
        which = self.everywhere(which)
        places = self._apart(int(which.sum()))
        self.bodies.position[:, which] = places[..., : self.agents]
        self.bodies.velocity[:, which] = 0.0
        self.targets[:, which] = places[..., self.agents :]
        self._before[which] = self._distance()[which]
        return self._observation()

    def outcome(self) -> Outcome:
        """Rewards what was gained on the goals since the step before."""
        distance = self._distance()
        gained = (self._before - distance).sum(1)
        self._before = distance
        arrived = (distance < GOAL_RADIUS_M).all(1) * ALL_THERE
        close = (self.bodies.gaps() <= CLOSE_M).masked_fill_(self._itself, value=False).sum(2)
        collided = close * COLLISION
        reward = (gained + arrived).unsqueeze(1) + collided
        metrics = {"gained": gained, "arrived": arrived, "collided": collided}
        return Outcome(self._observation(), reward, (distance < RADIUS_M).all(1), metrics)

    def _distance(self) -> Tensor:
        way = self.bodies.position - self.targets
        distance: Tensor = way.square_().sum(0).sqrt_()
        return distance

    def _observation(self) -> Tensor:
        """Own position and velocity, the way from the goal, and how near something is along each ray."""
        bodies = self.bodies
        plane = torch.cat((bodies.position, bodies.velocity, bodies.position - self.targets)).permute(1, 2, 0)
        return torch.cat((plane, self._lidar()), dim=-1)

    def _lidar(self) -> Tensor:
        """Returns (B, N, R) metres by which the lidar's reach is cut short along each ray."""
        way = offsets(self.bodies.position, self.bodies.position).unsqueeze(-1)
        x, y = self._rays.view(2, 1, 1, 1, RAYS)
        along = (way[0] * x).addcmul_(way[1], y)
        aside = (way[1] * x).addcmul_(way[0], y, value=-1.0)
        inside = aside.mul_(aside).neg_().add_(RADIUS_M**2)
        seen = (inside > 0) & (along > 0)
        near = along.sub_(inside.clamp_(min=0.0).sqrt_())
        first: Tensor = near.masked_fill_(~seen, REACH_M).amin(2).clamp_(max=REACH_M)
        return first.neg_().add_(REACH_M)

    def _apart(self, worlds: int) -> Tensor:
        """Returns (2, worlds, 2N) places no two of which are nearer than `APART_M`, one after another by trial."""
        places = self.somewhere(worlds, 2 * self.agents)
        for index in range(1, 2 * self.agents):
            while True:
                gap = (places[..., :index] - places[..., index : index + 1]).square_().sum(0).amin(-1)
                taken = gap < APART_M**2
                count = int(taken.sum())
                if not count:
                    break
                places[:, taken, index] = self.somewhere(count, 1)[..., 0]
        return places
