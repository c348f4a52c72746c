"""A small policy over plain vectors, for tasks whose observations are numbers and not senses.

All agents share its weights. The critic sees either its own agent's observation or, centralised, those of all agents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

_LOG_2_PI: Final = math.log(2 * math.pi)
_SPREAD_AT_ZERO: Final = math.log(math.e - 1)
"""Where softplus is one, so that exploring starts with a standard deviation of one."""
LEAST_SPREAD: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Intention:
    """What agents mean to do before it is squeezed into -1..1: independent normal distributions, (..., D) each."""

    mean: Tensor
    spread: Tensor

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """Returns a (..., D) draw, unsqueezed."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device)
        return self.mean + noise * self.spread

    def logprob(self, raw: Tensor) -> Tensor:
        """Returns the (...) log-density of the action `tanh(raw)`."""
        error = (raw - self.mean) / self.spread
        normal = -0.5 * (error.square() + _LOG_2_PI) - self.spread.log()
        squeezed = 2.0 * (math.log(2.0) - raw - softplus(-2.0 * raw))
        return (normal - squeezed).sum(dim=-1)


class VectorPolicy(nn.Module):
    """Actor and critic of two hidden layers each.

    Args:
        observation: F, numbers that an agent observes.
        actions: D, numbers that it decides, each within -1..1.
        agents: N, of a world.
        width: Of hidden layers.
        centralised: Whether the critic sees what all agents of a world observe.
    """

    def __init__(
        self, observation: int, actions: int, agents: int, *, width: int = 256, centralised: bool = True
    ) -> None:
        super().__init__()
        self.agents, self.centralised = agents, centralised
        self.actor = _layers(observation, width, 2 * actions)
        self.critic = _layers(observation * agents if centralised else observation, width, 1)

    def forward(self, observation: Tensor) -> tuple[Intention, Tensor]:
        """Returns what agents intend and the (..., N) values they expect, of (..., N, F) observations."""
        return self.intention(observation), self.value(observation)

    def intention(self, observation: Tensor) -> Intention:
        """Returns distributions of (..., N, D) actions."""
        mean, spread = self.actor(observation).chunk(2, dim=-1)
        return Intention(mean, softplus(spread + _SPREAD_AT_ZERO).clamp(min=LEAST_SPREAD))

    def value(self, observation: Tensor) -> Tensor:
        """Returns the (..., N) values; equal for all agents of a world when centralised."""
        if not self.centralised:
            own: Tensor = self.critic(observation).squeeze(-1)
            return own
        joint: Tensor = self.critic(observation.flatten(-2))
        return joint.expand(*joint.shape[:-1], self.agents)


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, outputs)
    )
