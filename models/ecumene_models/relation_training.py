"""Training of the relations network on rooms whose boxes are blurred as a scan would blur them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.relations import Boxes, RelationsConfig, RelationsNet

Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""


@dataclass(frozen=True, slots=True)
class RelationTraining:
    """How a network is trained.

    Attributes:
        seed: Of weights, order and noise.
        epochs: Passes over the rooms.
        batch: Rooms a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        place_m: Standard deviation of where a box is seen, each axis, metres.
        size: Standard deviation of the logarithm of its edges.
        confused: Share of things taken for another sort.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    epochs: int = 24
    batch: int = 8
    rate: float = 4e-3
    decay: float = 0.02
    place_m: float = 0.04
    size: float = 0.08
    confused: float = 0.1
    device: str = "cpu"


class Truth(NamedTuple):
    """What holds in B rooms.

    Attributes:
        pairs: (B, N, N, 5) f32 of 0 and 1, see `relations.PAIRED`.
        wall: (B, N) f32 of 0 and 1; NaN where it is not known.
    """

    pairs: Tensor
    wall: Tensor


def train_relations(
    boxes: Boxes,
    truth: Truth,
    config: RelationsConfig,
    training: RelationTraining,
    report: Report | None = None,
) -> RelationsNet:
    """Returns a trained network, in evaluation mode, on the CPU; the same for the same arguments."""
    generator = torch.Generator().manual_seed(training.seed)
    network = RelationsNet(config, generator).to(training.device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=training.decay)
    weight = (1 / truth.pairs.sum((0, 1, 2)).clamp_min(1)).sqrt()
    weight = (weight / weight.mean()).to(training.device)
    batches = -(-len(boxes.sort) // training.batch)
    step, steps = 0, max(1, training.epochs * batches)
    for epoch in range(training.epochs):
        total = 0.0
        for rows in _batches(boxes, training.batch, generator):
            for group in optimiser.param_groups:
                group["lr"] = training.rate * _share(step / steps)
            seen, wanted = _batch(boxes, truth, rows, config, training, generator)
            loss = _loss(network, seen, wanted, weight, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            total += float(loss.detach())
            step += 1
        if report is not None:
            report(epoch + 1, training.epochs, total / batches)
    return network.cpu().eval()


def blurred(boxes: Boxes, config: RelationsConfig, training: RelationTraining, generator: torch.Generator) -> Boxes:
    """Returns boxes as a scan might report them: moved a little, of other sizes, some taken for another sort."""
    moved = boxes.centre + training.place_m * torch.randn(boxes.centre.shape, generator=generator)
    size = boxes.size * (training.size * torch.randn(boxes.size.shape, generator=generator)).exp()
    other = torch.randint(0, config.sorts, boxes.sort.shape, generator=generator)
    wrong = (torch.rand(boxes.sort.shape, generator=generator) < training.confused) & boxes.there
    floor = boxes.floor + training.place_m * torch.randn(boxes.floor.shape, generator=generator)
    return Boxes(torch.where(wrong, other, boxes.sort), moved, size, floor)


def cropped(boxes: Boxes, truth: Truth) -> tuple[Boxes, Truth]:
    """Returns both without the columns that are empty in all rooms; things come first in each room."""
    count = max(1, int(boxes.there.sum(1).max()))
    kept = Boxes(boxes.sort[:, :count], boxes.centre[:, :count], boxes.size[:, :count], boxes.floor)
    return kept, Truth(truth.pairs[:, :count, :count], truth.wall[:, :count])


def _batches(boxes: Boxes, size: int, generator: torch.Generator) -> list[Tensor]:
    """Returns rows in random batches of rooms that hold about as many things, so that little is padded."""
    count = boxes.there.sum(1) + 6 * torch.rand(len(boxes.sort), generator=generator)
    order = count.argsort()
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    return [parts[index] for index in torch.randperm(len(parts), generator=generator).tolist()]


def _batch(
    boxes: Boxes,
    truth: Truth,
    rows: Tensor,
    config: RelationsConfig,
    training: RelationTraining,
    generator: torch.Generator,
) -> tuple[Boxes, Truth]:
    """Returns rooms blurred anew, each turned by a quarter turn or mirrored along an axis."""
    some, wanted = cropped(Boxes(*(part[rows] for part in boxes)), Truth(*(part[rows] for part in truth)))
    seen = reflected(blurred(some, config, training, generator), int(torch.randint(8, (), generator=generator)))
    return Boxes(*(part.to(training.device) for part in seen)), Truth(*(part.to(training.device) for part in wanted))


def reflected(boxes: Boxes, way: int) -> Boxes:
    """Returns rooms under one of the eight symmetries of the square: bit 0 swaps x and y, bits 1 and 2 flip them."""
    order = [1, 0, 2] if way & 1 else [0, 1, 2]
    signs = boxes.centre.new_tensor([-1.0 if way & 2 else 1.0, -1.0 if way & 4 else 1.0, 1.0])
    corners = boxes.floor.view(-1, 2, 2)[..., order[:2]] * signs[:2]
    floor = torch.cat((corners.amin(1), corners.amax(1)), dim=1)
    return Boxes(boxes.sort, boxes.centre[..., order] * signs, boxes.size[..., order], floor)


def _loss(network: RelationsNet, boxes: Boxes, truth: Truth, weight: Tensor, generator: torch.Generator) -> Tensor:
    """Returns the mean cross entropy over pairs of things and over things whose walls are known."""
    related = network(boxes, generator)
    both = (boxes.there[:, :, None] & boxes.there[:, None]).float()
    each = functional.binary_cross_entropy_with_logits(related.pairs, truth.pairs, reduction="none")
    pairs = ((each * weight).sum(3) * both).sum() / both.sum() * 10
    known = boxes.there & ~truth.wall.isnan()
    wall = functional.binary_cross_entropy_with_logits(related.wall, truth.wall.nan_to_num(), reduction="none")
    return pairs + (wall * known).sum() / known.sum().clamp_min(1) * 0.3


def _share(done: float) -> float:
    """The share of the highest learning rate when `done` of the steps lie behind."""
    return done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2
