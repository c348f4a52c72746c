"""Cooperative navigation: N agents cover N landmarks between them and keep out of each other's way.

The rules are those of `simple_spread` of the multi-agent particle environment (Lowe et al. 2017, Multi-agent
actor-critic for mixed cooperative-competitive environments), with the forces and constants of its batched version in
VMAS (Bettini et al. 2022).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_scenarios.yardsticks.yardstick import Outcome, Yardstick
from ecumene_sim.particles import Matter, offsets

RADIUS_M: Final = 0.15


class Spread(Yardstick):
    """All agents share the reward: what each landmark lacks of an agent, and who bumps into whom."""

    def matter(self) -> Matter:
        """Larger bodies than in navigation."""
        return Matter(RADIUS_M)

    def reset(self, which: Tensor | None = None) -> Tensor:
        """Puts agents and landmarks anywhere in a square of two metres; returns (B, N, 4 + 4N - 2) observations."""
        which = self.everywhere(which)
        count = int(which.sum())
        self.bodies.position[:, which] = self.somewhere(count, self.agents)
        self.bodies.velocity[:, which] = 0.0
        self.targets[:, which] = self.somewhere(count, self.agents)
        return self.outcome().observation

    def outcome(self) -> Outcome:
        """Own position and velocity, the ways to all landmarks and to all others; one reward for all."""
        at, others = self.bodies.position, offsets(self.bodies.position, self.bodies.position)
        landmarks = offsets(at, self.targets)
        nearest = landmarks.square().sum(0).amin(1).sqrt_().sum(-1)
        touching = others.square().sum(0) < (2 * RADIUS_M) ** 2
        bumps = touching.masked_fill_(self._itself, value=False).sum((1, 2))
        reward = -self.agents * nearest - bumps
        plane = torch.cat((at, self.bodies.velocity)).permute(1, 2, 0)
        ways = landmarks.permute(1, 2, 3, 0).reshape(self.worlds, self.agents, -1)
        observation = torch.cat((plane, ways, self.others(others)), dim=-1)
        done = torch.zeros(self.worlds, dtype=torch.bool, device=at.device)
        return Outcome(observation, reward.unsqueeze(1).expand(-1, self.agents), done, {"bumps": bumps})
