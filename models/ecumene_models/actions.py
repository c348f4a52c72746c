"""What a policy puts out, and the distribution over actions that it stands for.

Five continuous numbers (move x, move y, turn, gaze yaw, gaze pitch) are normal around a mean in -1..1 and are clamped
only where they become int8 for the engine; three choices (interact, emote, speak) are categorical.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, Self

import torch
from torch import Tensor
from torch.nn import functional

CONTINUOUS: Final = 5
CHOICES: Final[Mapping[str, int]] = {"interact": 2, "emote": 6, "speak": 2}
WIDTH: Final = CONTINUOUS + sum(CHOICES.values())
"""Numbers in one action row: means, then the logits of each choice."""

EXPERTS: Final = ("self", "vision", "hearing", "touch")
"""Experts in the order of `PolicyOutput.contribution`; `self` knows body, intent and neighbours and is never absent."""

_LOG_2_PI: Final = math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class PolicyActions:
    """Actions of N avatars.

    Attributes:
        move: (N, 2) f32, wanted velocity forward and left, in parts of the top speed; -1..1 after clamping.
        turn: (N,) f32, wanted change of heading in parts of π, counter-clockwise.
        gaze: (N, 2) f32, gaze yaw and pitch in parts of their limits.
        interact: (N,) i64, 1 to use what is nearest.
        emote: (N,) i64, 0..5.
        speak: (N,) i64, 1 to greet aloud.
    """

    move: Tensor
    turn: Tensor
    gaze: Tensor
    interact: Tensor
    emote: Tensor
    speak: Tensor

    def __len__(self) -> int:
        return self.turn.shape[0]

    @property
    def continuous(self) -> Tensor:
        """(N, 5) f32: move, turn, gaze."""
        return torch.cat((self.move, self.turn[:, None], self.gaze), dim=1)

    def rows(self, index: slice | Tensor) -> Self:
        """Returns the rows that `index` (slice, (M,) i64 or (N,) bool) selects."""
        return replace(self, **{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @classmethod
    def of(cls, continuous: Tensor, choices: Mapping[str, Tensor]) -> Self:
        """Builds actions from (N, 5) numbers and one (N,) i64 tensor per choice."""
        return cls(continuous[:, :2], continuous[:, 2], continuous[:, 3:5], **choices)


@dataclass(frozen=True, slots=True)
class PolicyOutput:
    """One forward pass over N avatars.

    Attributes:
        vector: (N, 15) f32, the fused action row: five means in -1..1, then logits of interact, emote, speak.
        log_std: (5,) f32, logarithm of the standard deviation of the continuous actions.
        value: (N,) f32, expected return.
        experts: (N, 4, 15) f32, the action row that each of `EXPERTS` proposes.
        expert_present: (N, 4) bool, which experts took part.
        contribution: (N, 4) f32, weight of each expert in the pool that fusion starts from; rows sum to 1.
        attention: (N, heads, tokens) f32, attention of the last layer from the self token; rows sum to 1.
        memory: (N, memory) f32, what the avatars remember after this decision; None of a policy without memory.
    """

    vector: Tensor
    log_std: Tensor
    value: Tensor
    experts: Tensor
    expert_present: Tensor
    contribution: Tensor
    attention: Tensor
    memory: Tensor | None = None

    def __len__(self) -> int:
        return self.value.shape[0]

    @property
    def mean(self) -> Tensor:
        """(N, 5) f32 in -1..1."""
        return self.vector[:, :CONTINUOUS]

    @property
    def move(self) -> Tensor:
        """(N, 2) f32 mean."""
        return self.vector[:, :2]

    @property
    def turn(self) -> Tensor:
        """(N,) f32 mean."""
        return self.vector[:, 2]

    @property
    def gaze(self) -> Tensor:
        """(N, 2) f32 mean."""
        return self.vector[:, 3:5]

    @property
    def interact(self) -> Tensor:
        """(N, 2) f32 logits."""
        return split_choices(self.vector)["interact"]

    @property
    def emote(self) -> Tensor:
        """(N, 6) f32 logits."""
        return split_choices(self.vector)["emote"]

    @property
    def speak(self) -> Tensor:
        """(N, 2) f32 logits."""
        return split_choices(self.vector)["speak"]

    @property
    def expert(self) -> dict[str, Tensor]:
        """(N, 5) f32 continuous means that each expert proposes, by name."""
        return {name: self.experts[:, i, :CONTINUOUS] for i, name in enumerate(EXPERTS)}

    @classmethod
    def cat(cls, outputs: list[PolicyOutput]) -> Self:
        """Joins the outputs of chunks, rows in the given order."""
        joined = {
            field.name: torch.cat([getattr(output, field.name) for output in outputs])
            for field in fields(cls)
            if field.name != "log_std" and getattr(outputs[0], field.name) is not None
        }
        return cls(log_std=outputs[0].log_std, **joined)


def split_choices(vector: Tensor) -> dict[str, Tensor]:
    """Returns the (..., n) logits of each choice out of (..., 15) action rows."""
    parts = torch.split(vector[..., CONTINUOUS:], list(CHOICES.values()), dim=-1)
    return dict(zip(CHOICES, parts, strict=True))


def likeliest(output: PolicyOutput) -> PolicyActions:
    """Returns the mean actions and the likeliest choices, and nothing of how likely they are."""
    choices = {name: logits.argmax(dim=-1) for name, logits in split_choices(output.vector).items()}
    return PolicyActions.of(output.mean, choices)


def act(output: PolicyOutput, generator: torch.Generator | None) -> tuple[PolicyActions, Tensor]:
    """Draws actions; with no generator takes the mean and the likeliest choice.

    Returns:
        The actions, continuous ones not yet clamped, and their (N,) log-probability.
    """
    if generator is None:
        actions = likeliest(output)
        return actions, evaluate(output, actions)[0]
    mean = output.mean
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    continuous = mean + noise * output.log_std.exp()
    choices = {
        name: torch.multinomial(part.softmax(dim=-1), 1, generator=generator)[:, 0]
        for name, part in split_choices(output.vector).items()
    }
    actions = PolicyActions.of(continuous, choices)
    return actions, evaluate(output, actions)[0]


def evaluate(output: PolicyOutput, actions: PolicyActions) -> tuple[Tensor, Tensor]:
    """Returns the (N,) log-probability of unclamped `actions` and the (N,) entropy of the distribution."""
    error = (actions.continuous - output.mean) * torch.exp(-output.log_std)
    logprob = (-0.5 * (error * error + _LOG_2_PI) - output.log_std).sum(dim=-1)
    entropy = (output.log_std + 0.5 * (1 + _LOG_2_PI)).sum().expand(len(output))
    for name, logits in split_choices(output.vector).items():
        logs = functional.log_softmax(logits, dim=-1)
        logprob = logprob + logs.gather(-1, getattr(actions, name)[:, None])[:, 0]
        entropy = entropy - (logs.exp() * logs).sum(dim=-1)
    return logprob, entropy


def divergence(vector: Tensor, other: Tensor, log_std: Tensor) -> Tensor:
    """Returns the Kullback-Leibler divergence of two (..., 15) action rows, summed over all actions: (...,), nats."""
    difference = (vector - other)[..., :CONTINUOUS] * torch.exp(-log_std)
    total = 0.5 * (difference * difference).sum(dim=-1)
    theirs = split_choices(other)
    for name, logits in split_choices(vector).items():
        logs = functional.log_softmax(logits, dim=-1)
        total = total + (logs.exp() * (logs - functional.log_softmax(theirs[name], dim=-1))).sum(dim=-1)
    return total
