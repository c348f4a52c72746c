"""Random senses for the tests of the models."""

from __future__ import annotations

import torch

from ecumene_models.senses import SenseBatch


def random_senses(count: int, seed: int = 0, *, present: float = 1.0) -> SenseBatch:
    """Returns plausible rows; each sense is there with probability `present`."""
    draw = torch.Generator().manual_seed(seed)
    return SenseBatch(
        vision_depth=torch.rand(count, 8, 24, generator=draw) * 30,
        vision_kind=torch.randint(0, 16, (count, 8, 24), generator=draw).to(torch.uint8),
        hearing=torch.rand(count, 2, 8, 16, generator=draw),
        touch=torch.rand(count, 10, generator=draw),
        body=torch.randn(count, 12, generator=draw),
        neighbours=torch.randn(count, 8, 12, generator=draw).abs(),
        neighbour_present=torch.rand(count, 8, generator=draw) > 0.4,
        relations=torch.rand(count, 8, 8, generator=torch.Generator().manual_seed(seed + 1)) > 0.7,
        goal=torch.randn(count, 6, generator=draw) * 5,
        verb=torch.randint(0, 13, (count,), generator=draw),
        present=torch.rand(count, 3, generator=draw) < present,
    )
