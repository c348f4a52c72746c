"""Experience: what many agents perceived, did and got, with agents that join and leave at any step.

E = all slots of all worlds of all tasks, N = rows of agents that were alive at some step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ecumene_models.actions import PolicyActions
from ecumene_models.senses import SenseBatch


@dataclass(frozen=True, slots=True)
class Experience:
    """N rows of alive agents, gathered over T steps.

    Attributes:
        senses: N rows.
        actions: What was done, N rows.
        labels: What the scripted controller would have done, N rows.
        logprob: (N,) log-probability of the movement when it was drawn.
        vector: (N, 15) action row of the policy that drew it.
        graded: (N,) bool, whether there is a reward to learn from; the others only imitate.
        advantage: (N,) generalised advantage estimate, not normalised.
        target: (N,) what the critic should have said.
    """

    senses: SenseBatch
    actions: PolicyActions
    labels: PolicyActions
    logprob: Tensor
    vector: Tensor
    graded: Tensor
    advantage: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.logprob)


def advantages(
    reward: Tensor, value: Tensor, last: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, lam: float
) -> Tensor:
    """Generalised advantage estimates of lives that end and begin within the window.

    An agent that reached an end gets nothing after it. One that merely ran out of time is assumed to be worth as much
    as at its last decision, since it left before it could look again.

    Args:
        reward: (T, E).
        value: (T, E) the critic's estimate at each decision.
        last: (E,) the estimate after the window.
        terminated: (T, E) bool, an end was reached in this step.
        truncated: (T, E) bool, time ran out in this step.
        gamma: Discount of a step.
        lam: Decay of the estimate.

    Returns:
        (T, E); rows of empty slots mean nothing.

    Source: Schulman et al. 2016, High-dimensional continuous control using generalized advantage estimation, eq. 16.
    """
    result = torch.zeros_like(reward)
    ahead = torch.zeros_like(last)
    later = last
    for step in reversed(range(len(reward))):
        ended = terminated[step] | truncated[step]
        next_value = torch.where(truncated[step], value[step], later).masked_fill(terminated[step], 0.0)
        delta = reward[step] + gamma * next_value - value[step]
        ahead = delta + gamma * lam * ahead.masked_fill(ended, 0.0)
        result[step] = ahead
        later = value[step]
    return result


def joined_actions(parts: Sequence[PolicyActions]) -> PolicyActions:
    """Joins actions, rows in the given order."""
    names = ("move", "turn", "gaze", "interact", "emote", "speak")
    return PolicyActions(**{name: torch.cat([getattr(part, name) for part in parts]) for name in names})
