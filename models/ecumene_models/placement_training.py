"""Training of the placement network: rooms are put into disorder, and it learns to put them straight again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.placement import PlacementConfig, PlacementNet, excursion, intrusion
from ecumene_models.relation_training import reflected
from ecumene_models.relations import Boxes

Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""


@dataclass(frozen=True, slots=True)
class PlacementTraining:
    """How a network is trained.

    Attributes:
        seed: Of weights, order and disorder.
        epochs: Passes over the rooms.
        batch: Rooms a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        disorder_m: Greatest standard deviation by which things are moved, each axis; each room draws its own.
        overlap: Weight of overlaps that the true room does not have, against the error in metres.
        outside: Weight of what reaches over the floor's edge.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    epochs: int = 100
    batch: int = 8
    rate: float = 2e-3
    decay: float = 0.02
    disorder_m: float = 0.5
    overlap: float = 2.0
    outside: float = 1.0
    device: str = "cpu"


def train_placement(
    boxes: Boxes, config: PlacementConfig, training: PlacementTraining, report: Report | None = None
) -> PlacementNet:
    """Returns a trained network, in evaluation mode, on the CPU; the same for the same arguments."""
    generator = torch.Generator().manual_seed(training.seed)
    network = PlacementNet(config, generator).to(training.device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=training.decay)
    batches = -(-len(boxes.sort) // training.batch)
    step, steps = 0, max(1, training.epochs * batches)
    for epoch in range(training.epochs):
        total = 0.0
        order = torch.randperm(len(boxes.sort), generator=generator)
        for rows in (order[start : start + training.batch] for start in range(0, len(order), training.batch)):
            for group in optimiser.param_groups:
                group["lr"] = training.rate * _share(step / steps)
            loss = _loss(network, _batch(boxes, rows, generator), training, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total += float(loss.detach())
            step += 1
        if report is not None:
            report(epoch + 1, training.epochs, total / batches)
    return network.cpu().eval()


def disordered(boxes: Boxes, spread_m: Tensor, generator: torch.Generator) -> Boxes:
    """Returns rooms whose things were moved about on the floor.

    Args:
        boxes: Rooms as they are.
        spread_m: (B,) standard deviation of each room's moves, each axis.
        generator: Where chance comes from.
    """
    moves = torch.randn(boxes.centre.shape, generator=generator) * spread_m[:, None, None]
    moves[..., 2] = 0.0
    return boxes._replace(centre=boxes.centre + moves * boxes.there[..., None])


def _batch(boxes: Boxes, rows: Tensor, generator: torch.Generator) -> Boxes:
    """Returns rooms, turned by a quarter turn or mirrored along an axis."""
    some = Boxes(*(part[rows] for part in boxes))
    most = max(1, int(some.there.sum(1).max()))
    kept = Boxes(some.sort[:, :most], some.centre[:, :most], some.size[:, :most], some.floor)
    return reflected(kept, int(torch.randint(8, (), generator=generator)))


def _loss(network: PlacementNet, truth: Boxes, training: PlacementTraining, generator: torch.Generator) -> Tensor:
    """Returns the mean error of all steps, later ones weighing more, and the price of what is not physical."""
    spread = training.disorder_m * torch.rand(len(truth.sort), generator=generator)
    seen = Boxes(*(part.to(training.device) for part in disordered(truth, spread, generator)))
    truth = Boxes(*(part.to(training.device) for part in truth))
    there, allowed = truth.there.float(), intrusion(truth)
    count, loss = there.sum().clamp_min(1), truth.centre.new_zeros(())
    rooms = network(seen)
    for index, room in enumerate(rooms):
        error = functional.smooth_l1_loss(room.centre, truth.centre, reduction="none", beta=0.1).sum(2)
        overlap = (intrusion(room) - allowed).clamp_min(0).sum((1, 2)).sum() / count
        outside = (excursion(room) - excursion(truth)).clamp_min(0).sum() / count
        each = (error * there).sum() / count + training.overlap * overlap + training.outside * outside
        loss = loss + each * (index + 1) / len(rooms)
    return loss


def _share(done: float) -> float:
    """The share of the highest learning rate when `done` of the steps lie behind."""
    return done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2
