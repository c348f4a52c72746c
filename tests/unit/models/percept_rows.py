"""Random percepts for the tests of the classifier."""

from __future__ import annotations

import torch

from ecumene_models.percepts import MELS, Percepts


def random_percepts(count: int, seed: int = 0, *, present: float = 1.0, glimpses: int = 5) -> Percepts:
    """Returns plausible rows; each sense is there with probability `present`."""
    draw = torch.Generator().manual_seed(seed)
    return Percepts(
        image=torch.rand(count, 2, 8, 8, generator=draw),
        frames=torch.randn(count, 21, MELS, generator=draw),
        glimpses=torch.randn(count, glimpses, 8, generator=draw),
        present=torch.rand(count, 3, generator=draw) < present,
    )


def told_apart(count: int, seed: int = 0) -> tuple[Percepts, torch.Tensor]:
    """Returns percepts of four classes, of which each sense halves the choice in its own way, and the classes."""
    percepts = random_percepts(count, seed)
    classes = torch.randint(0, 4, (count,), generator=torch.Generator().manual_seed(seed + 1))
    percepts.image[:, 0] += 2.0 * (classes % 2)[:, None, None]
    percepts.frames.add_(2.0 * (classes // 2)[:, None, None])
    return percepts, classes
