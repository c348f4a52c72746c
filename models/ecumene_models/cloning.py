"""Behaviour cloning: a policy learns to do what another controller did with the same senses.

The loss is the negative log-likelihood of the fused action plus that of every expert that was present, so that each
sense learns to act without the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ecumene_models.actions import CONTINUOUS, PolicyActions, PolicyOutput, split_choices
from ecumene_models.fusion import FusionPolicy
from ecumene_models.senses import SenseBatch


@dataclass(frozen=True, slots=True)
class CloningConfig:
    """How to clone.

    Attributes:
        epochs: Passes over the demonstrations.
        batch: Rows a step.
        rate: Learning rate of Adam at the start; falls to zero along a half cosine.
        auxiliary: Weight of the experts' own losses beside the fused one.
        clip: Greatest norm of the gradient.
    """

    epochs: int = 4
    batch: int = 512
    rate: float = 1e-3
    auxiliary: float = 0.3
    clip: float = 1.0


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """What a controller perceived and did; row i of `actions` answers row i of `senses`."""

    senses: SenseBatch
    actions: PolicyActions

    def __len__(self) -> int:
        return len(self.senses)


def imitation_error(row: Tensor, actions: PolicyActions) -> Tensor:
    """Returns how far (..., 15) action rows are from N actions: (...,), squared error plus cross-entropy in nats.

    The turn is compared around the circle: +1 and -1 are both half a turn.
    """
    shape = row.shape[:-1]
    wanted = actions.continuous.clamp(-1, 1).expand(*shape, CONTINUOUS)
    difference = row[..., :CONTINUOUS] - wanted
    turn = torch.remainder(difference[..., 2] + 1, 2) - 1
    total = (difference**2).sum(dim=-1) - difference[..., 2] ** 2 + turn**2
    for name, logits in split_choices(row).items():
        label = getattr(actions, name).expand(shape)
        loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), label.reshape(-1), reduction="none")
        total = total + loss.view(shape)
    return total


def cloning_loss(output: PolicyOutput, actions: PolicyActions, auxiliary: float) -> tuple[Tensor, Tensor]:
    """Returns the mean loss of the fused actions and, weighted by `auxiliary`, that of the experts present."""
    fused = imitation_error(output.vector, actions).mean()
    return fused, auxiliary * expert_loss(output, actions)


def expert_loss(output: PolicyOutput, actions: PolicyActions, weight: Tensor | None = None) -> Tensor:
    """Returns the mean imitation error of the experts that were present.

    Policy gradients add it as an auxiliary loss with `weight`, (N,) non-negative, such as a positive advantage: the
    experts then copy the actions that turned out well.
    """
    rows = output.experts.transpose(0, 1)
    error = imitation_error(rows, actions)
    counted = output.expert_present.transpose(0, 1).to(error.dtype)
    if weight is not None:
        counted = counted * weight
    return (error * counted).sum() / counted.sum().clamp(min=1e-6)


def clone(
    policy: FusionPolicy,
    demonstrations: Demonstrations,
    config: CloningConfig,
    generator: torch.Generator,
    progress: Callable[[int, int, float], None] | None = None,
) -> list[float]:
    """Trains `policy` in place and returns the mean fused loss of each epoch.

    Args:
        policy: Trained in place, on the device of the demonstrations.
        demonstrations: At least one row.
        config: How long and how fast.
        generator: Draws the order of rows and the modality dropout; on the policy's device.
        progress: Called after each step with steps done, steps in all and the fused loss of that step.
    """
    assert len(demonstrations), "cloning needs at least one demonstration"
    optimiser = torch.optim.Adam(policy.parameters(), lr=config.rate)
    steps = config.epochs * -(-len(demonstrations) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    policy.train()
    losses: list[float] = []
    done = 0
    for _ in range(config.epochs):
        order = torch.randperm(len(demonstrations), generator=generator, device=generator.device)
        epoch: list[float] = []
        for index in torch.split(order, config.batch):
            loss = _step(policy, demonstrations, index, config, optimiser, generator)
            schedule.step()
            done += 1
            epoch.append(loss)
            if progress is not None:
                progress(done, steps, loss)
        losses.append(sum(epoch) / len(epoch))
    policy.eval()
    return losses


def _step(
    policy: FusionPolicy,
    demonstrations: Demonstrations,
    index: Tensor,
    config: CloningConfig,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> float:
    actions = demonstrations.actions.rows(index)
    output = policy(demonstrations.senses.rows(index), drop=generator)
    fused, auxiliary = cloning_loss(output, actions, config.auxiliary)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(fused + auxiliary)
    torch.nn.utils.clip_grad_norm_(policy.parameters(), config.clip)
    optimiser.step()
    return float(fused.detach())
