"""Experience: what many agents perceived, did and got, with agents that join and leave at any step.

E = all slots of all worlds of all tasks, N = rows of agents that were alive at some step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ecumene_models import FusionPolicy
from ecumene_models.actions import PolicyActions, PolicyOutput
from ecumene_models.recurrent import Course, RecurrentPolicy
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
        course: Which row follows which, for policies with memory; None for those without.
        known: (N, ...) what a centralised critic is told, see `judge.told`; None where there is none.
    """

    senses: SenseBatch
    actions: PolicyActions
    labels: PolicyActions
    logprob: Tensor
    vector: Tensor
    graded: Tensor
    advantage: Tensor
    target: Tensor
    course: Course | None = None
    known: Tensor | None = None

    def __len__(self) -> int:
        return len(self.logprob)


class Recollection:
    """What E slots remember while a policy acts, and how it went on; a policy without memory remembers nothing.

    Args:
        policy: Who decides.
        held: (E, memory) f32, what the slots remember from before.
    """

    def __init__(self, policy: FusionPolicy, held: Tensor) -> None:
        self._policy, self.before, self.held = policy, held, held
        self._steps: list[tuple[Tensor, Tensor]] = []

    @staticmethod
    def blank(policy: FusionPolicy, count: int, device: torch.device | str) -> Tensor:
        """What `count` slots remember when nothing has happened."""
        width = policy.config.memory if isinstance(policy, RecurrentPolicy) else 0
        return torch.zeros(count, width, device=device)

    def decide(self, senses: SenseBatch, rows: Tensor, fresh: Tensor) -> PolicyOutput:
        """Decides for the slots `rows`, (N,) i64, whose senses these are; `fresh` (E,) bool have just been taken."""
        self._steps.append((rows, fresh[rows]))
        output = self._asked(senses, rows, fresh)
        if output.memory is not None:
            self.held = self.held.masked_fill(fresh[:, None], 0.0).index_copy(0, rows, output.memory)
        return output

    def value(self, senses: SenseBatch, fresh: Tensor) -> Tensor:
        """(E,) what all slots expect; nothing is remembered of it."""
        return self._asked(senses, torch.arange(len(fresh), device=fresh.device), fresh).value

    def course(self) -> Course | None:
        """How the rows of all steps follow one another, in order of the steps."""
        if not isinstance(self._policy, RecurrentPolicy):
            return None
        rows, fresh = zip(*self._steps, strict=True)
        steps = [torch.full_like(each, step) for step, each in enumerate(rows)]
        return Course(torch.cat(steps), torch.cat(rows), torch.cat(fresh), self.before)

    def _asked(self, senses: SenseBatch, rows: Tensor, fresh: Tensor) -> PolicyOutput:
        memory = self.held[rows].masked_fill(fresh[rows, None], 0.0)
        found: PolicyOutput = (
            self._policy(senses, memory=memory) if isinstance(self._policy, RecurrentPolicy) else self._policy(senses)
        )
        return found


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
