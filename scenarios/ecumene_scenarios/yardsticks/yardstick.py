"""What yardsticks share: B worlds of N agents, each of which pushes itself about in the plane."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ecumene_scenarios.errors import ScenarioError
from ecumene_sim.particles import Matter, Particles


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step led to.

    Attributes:
        observation: (B, N, F).
        reward: (B, N).
        done: (B,) bool; a world that is done goes on until it is reset.
        metrics: name → (B,) or (B, N).
    """

    observation: Tensor
    reward: Tensor
    done: Tensor
    metrics: Mapping[str, Tensor]


class Yardstick(ABC):
    """One task in B worlds.

    Attributes:
        bodies: The agents.
        targets: (2, B, N) metres, where agents are wanted.

    Args:
        worlds: B.
        agents: N.
        seed: Of all chance.
        device: Where all tensors are.

    Raises:
        ScenarioError: There are no worlds or no agents.
    """

    def __init__(self, *, worlds: int, agents: int, seed: int = 0, device: torch.device | str = "cpu") -> None:
        if worlds < 1 or agents < 1:
            raise ScenarioError(f"a yardstick needs at least one world and one agent, not {worlds} and {agents}")
        self.worlds, self.agents = worlds, agents
        self.bodies = Particles.at_rest(self.matter(), worlds, agents, device)
        self.targets = torch.zeros_like(self.bodies.position)
        self.generator = torch.Generator(device).manual_seed(seed)
        among = torch.arange(agents * agents, device=device).view(agents, agents)
        itself = torch.eye(agents, dtype=torch.bool, device=device)
        self._itself, self._others = itself, among[~itself]

    @abstractmethod
    def matter(self) -> Matter:
        """What the agents are made of."""

    @abstractmethod
    def reset(self, which: Tensor | None = None) -> Tensor:
        """Starts the worlds of `which` (B,) bool over, all of them without it; returns (B, N, F) observations."""

    @abstractmethod
    def outcome(self) -> Outcome:
        """Observes and scores the worlds as they stand."""

    @torch.no_grad()
    def step(self, force: Tensor) -> Outcome:
        """Lets agents push themselves with (B, N, 2) newtons, each of -1..1; what is beyond is cut off."""
        self.bodies.step(force.clamp(-1.0, 1.0).permute(2, 0, 1))
        return self.outcome()

    def others(self, pairs: Tensor) -> Tensor:
        """Returns (2, B, N, N) values of pairs as (B, N, 2·(N-1)): of everybody but oneself, in order."""
        flat = pairs.flatten(2).index_select(2, self._others)
        return flat.permute(1, 2, 0).reshape(self.worlds, self.agents, -1)

    def everywhere(self, which: Tensor | None) -> Tensor:
        """Returns `which`, or all worlds when it is None."""
        if which is not None:
            return which
        return torch.ones(self.worlds, dtype=torch.bool, device=self.bodies.position.device)

    def somewhere(self, worlds: int, points: int) -> Tensor:
        """Returns (2, worlds, points) places drawn evenly from -1..1."""
        device = self.bodies.position.device
        return torch.rand((2, worlds, points), generator=self.generator, device=device).mul_(2.0).sub_(1.0)
