"""A centralised critic: while minds train, it is told what no single agent can know, and judges situations by that.

It is told of each agent and of the others nearest to it where they are, how they move, where progress leads to and how
long they have tried; senses play no part. Minds that are served never meet it.

Source: Yu et al. 2022, The surprising effectiveness of PPO in cooperative multi-agent games, section 3.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from ecumene_agents.vectors import length
from ecumene_scenarios.packs.task import Task
from ecumene_world.state import State, Verb

OTHERS: Final = 12
"""How many others are told of, nearest first."""
SCALE_M: Final = 10.0
_PLAIN: Final = 18
FACTS: Final = _PLAIN + len(Verb)
"""Numbers an agent, the last of which says that there is one."""
WIDTH: Final = 64


def facts(scenario: Task, state: State) -> Tensor:
    """What is so about every slot: (B, C, FACTS) f32, world axes, zeros where nobody is."""
    place, velocity = state.position[..., :2], state.velocity[..., :2]
    way = scenario.aim(state) - place
    told, point = scenario.hint(state)
    flags = (scenario.standing(state), scenario.judged(state), scenario.taught(state), told)
    age = scenario.memory["age"] / scenario.limit_ticks
    columns = (
        place / SCALE_M,
        velocity,
        way / SCALE_M,
        length(way)[..., None] / SCALE_M,
        ((point - place) * told[..., None]) / SCALE_M,
        torch.stack((state.yaw.cos(), state.yaw.sin(), age, state.contact.sum(-1).clamp(max=1000.0) / 100), dim=-1),
        torch.stack(flags, dim=-1).float(),
        nn.functional.one_hot(state.verb, len(Verb)).float(),
        torch.ones_like(age)[..., None],
    )
    return torch.cat(columns, dim=-1) * state.alive[..., None]


def told(scenario: Task, state: State) -> Tensor:
    """What the critic is told about every slot: (B·C, 1 + OTHERS, FACTS) f32, the agent itself first.

    Places and velocities of the others are relative to its own.
    """
    known = facts(scenario, state)
    place = state.position[..., :2]
    apart = length(place[:, :, None] - place[:, None])
    nobody = ~state.alive[:, None, :] | torch.eye(state.slots, dtype=torch.bool, device=state.device)
    count = min(OTHERS, state.slots)
    near = apart.masked_fill(nobody, float("inf")).topk(count, dim=-1, largest=False, sorted=True)
    worlds = torch.arange(state.worlds, device=state.device)[:, None, None]
    others = known[worlds, near.indices].clone()
    others[..., :4] -= known[..., None, :4]
    others *= (near.values.isfinite() & state.alive[..., None])[..., None]
    padding = others.new_zeros((*others.shape[:2], OTHERS - count, FACTS))
    return torch.cat((known[:, :, None], others, padding), dim=2).flatten(0, 1)


class Judge(nn.Module):
    """The critic's network: others go through one network each and are averaged, so their order doesn't matter."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):
            self.other = nn.Sequential(nn.Linear(FACTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
            self.value = nn.Sequential(nn.Linear(FACTS + WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
        self.to_empty(device="cpu")
        with torch.no_grad():
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    bound = layer.in_features**-0.5
                    layer.weight.uniform_(-bound, bound, generator=generator)
                    layer.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, known: Tensor) -> Tensor:
        """(N,) what (N, 1 + OTHERS, FACTS) situations are worth."""
        own, others = known[:, 0], known[:, 1:]
        there = others[..., -1:]
        pooled = (self.other(others) * there).sum(1) / there.sum(1).clamp(min=1.0)
        found: Tensor = self.value(torch.cat((own, pooled), dim=-1))[:, 0]
        return found
