"""Training of classifiers of several senses: experts, the fusion that corrects them, and the textbook way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.classifier import FusedClassifier
from ecumene_models.crossmodal import dropped
from ecumene_models.percepts import Percepts
from ecumene_models.senses import SENSES

_LEAST_GAIN = 0.01
"""An expert that knows nothing must not turn the others' word around, but decides when it is alone."""
Told = Callable[[float], None]
"""Called after each step with its loss."""


@dataclass(frozen=True, slots=True)
class ClassifierTraining:
    """How a classifier is trained.

    Attributes:
        seed: Of weights, order and dropout.
        steps: Of the experts, and of a textbook network.
        forming: Steps of the expert of the form.
        fusing: Steps of the correction by attention, after the experts.
        batch: Percepts a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        drop: Probability that modality dropout takes a sense away.
    """

    seed: int = 0
    steps: int = 1000
    forming: int = 800
    fusing: int = 300
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.02
    drop: float = 0.25


def train_experts(
    network: FusedClassifier,
    percepts: Percepts,
    classes: Tensor,
    training: ClassifierTraining,
    told: Told | None = None,
) -> None:
    """Trains encoder and judge of each sense in place; no sense learns from what another perceives."""
    count = len(SENSES)
    parameters = _parameters(network.vision, network.hearing, network.touch, network.judges[:count])

    def loss(rows: Tensor, _: torch.Generator) -> Tensor:
        experts = network.consult(network.encode(percepts.rows(rows)))[:, :count]
        return count * functional.nll_loss(experts.flatten(0, 1), classes[rows].repeat_interleave(count))

    _train(parameters, loss, len(classes), training.steps, training, told)


def train_form(
    network: FusedClassifier,
    percepts: Percepts,
    classes: Tensor,
    training: ClassifierTraining,
    told: Told | None = None,
) -> None:
    """Trains the expert of what is seen and felt at the same spots, in place."""
    planes = torch.cat((percepts.image, network.touch_map(percepts.glimpses)), dim=1)
    judge = network.judges[-1]

    def loss(rows: Tensor, _: torch.Generator) -> Tensor:
        tokens = network.form(planes[rows])
        return functional.cross_entropy(judge(torch.relu(tokens).flatten(1)), classes[rows])

    _train(_parameters(network.form, judge), loss, len(classes), training.forming, training, told)


def train_fusion(
    network: FusedClassifier,
    percepts: Percepts,
    classes: Tensor,
    training: ClassifierTraining,
    told: Told | None = None,
) -> None:
    """Trains the correction in place, on tokens of experts that stay as they are, under modality dropout."""
    with torch.no_grad():
        tokens = torch.cat([network.encode(part) for part in percepts.chunks(512)])
        experts = network.consult(tokens)
    parameters = [network.role, *_parameters(network.mix, network.last, network.norm, network.residual)]

    def loss(rows: Tensor, draw: torch.Generator) -> Tensor:
        present = dropped(percepts.present[rows], training.drop, draw)
        found = network.fuse(tokens[rows], experts[rows], present)
        return functional.nll_loss(found.log_chances, classes[rows])

    _train(parameters, loss, len(classes), training.fusing, training, told)


def train_textbook(
    network: FusedClassifier,
    percepts: Percepts,
    classes: Tensor,
    training: ClassifierTraining,
    told: Told | None = None,
) -> None:
    """Trains a network without experts in place by the one loss of its answer; with `drop` 0 all senses are there."""

    def loss(rows: Tensor, draw: torch.Generator) -> Tensor:
        batch = percepts.rows(rows)
        tokens = network.encode(batch)
        found = network.fuse(tokens, network.consult(tokens), dropped(batch.present, training.drop, draw))
        return functional.nll_loss(found.log_chances, classes[rows])

    _train(list(network.parameters()), loss, len(classes), training.steps, training, told)


def calibrate(network: FusedClassifier, percepts: Percepts, classes: Tensor, *, form: bool = True) -> None:
    """Sets the gains of the experts to those that make the pool least surprised, over all subsets of the senses.

    Args:
        network: Changed in place.
        percepts: That no expert has learned from, all senses present.
        classes: (N,) i64.
        form: Whether the expert of the form may have a gain; else it stays 0.
    """
    with torch.no_grad():
        experts = network.consult(network.encode(percepts))
    subsets = [percepts.only(*senses).present for size in (1, 2, 3) for senses in combinations(SENSES, size)]
    free = torch.ones_like(network.gain)
    free[0, -1] = 0.0
    free[1, -1] = float(form)
    start = network.gain.detach().clone() * free
    optimiser = torch.optim.LBFGS([network.gain], max_iter=60, line_search_fn="strong_wolfe")

    def surprise() -> Tensor:
        optimiser.zero_grad()
        pools = [network.pool(experts, present).log_softmax(-1) for present in subsets]
        total = torch.stack([functional.nll_loss(pool, classes) for pool in pools]).mean()
        torch.autograd.backward(total)
        assert network.gain.grad is not None
        network.gain.grad.mul_(free)
        return total

    with torch.no_grad():
        network.gain.copy_(start)
    optimiser.step(surprise)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        network.gain.copy_(torch.where(free > 0, network.gain.clamp_min(_LEAST_GAIN), 0.0))


def _parameters(*modules: nn.Module) -> list[nn.Parameter]:
    return [parameter for module in modules for parameter in module.parameters()]


def _train(
    parameters: list[nn.Parameter],
    loss_of: Callable[[Tensor, torch.Generator], Tensor],
    count: int,
    steps: int,
    training: ClassifierTraining,
    told: Told | None,
) -> None:
    draw = torch.Generator().manual_seed(training.seed)
    optimiser = torch.optim.AdamW(parameters, lr=training.rate, weight_decay=training.decay)
    for step, rows in zip(range(steps), _batches(count, training.batch, draw), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = training.rate * _share(step / steps)
        loss = loss_of(rows, draw)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(parameters, 2.0)
        optimiser.step()
        if told is not None:
            told(float(loss.detach()))


def _batches(count: int, size: int, draw: torch.Generator) -> Iterator[Tensor]:
    """Yields rows in random batches for ever, each row once a pass."""
    while True:
        yield from torch.split(torch.randperm(count, generator=draw), size)


def _share(done: float) -> float:
    """The share of the highest learning rate when `done` of the steps lie behind."""
    return done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2
