"""Small rooms for tests of layouts."""

from __future__ import annotations

import torch
from torch import Tensor

from ecumene_models.layouts import FLOOR, Layouts

KINDS, ROLES, TAGS = 4, 2, 3
BED, TABLE, CHAIR, CUP = range(KINDS)


def room(things: list[tuple[int, float, float, float, float, float, int]], floor: tuple[float, float]) -> Layouts:
    """One room of things: kind, x, y, yaw, length, width, support."""
    numbers = torch.tensor([thing[1:6] for thing in things]).reshape(1, -1, 5)
    height = torch.full_like(numbers[..., :1], 0.7)
    return Layouts(
        torch.tensor([[thing[0] for thing in things]]),
        numbers[..., :2],
        numbers[..., 2],
        torch.cat((numbers[..., 3:], height), 2),
        torch.tensor([[thing[6] for thing in things]]),
        torch.tensor([0]),
        torch.tensor([floor]),
        torch.zeros(1, TAGS),
    )


def furnished(shift: float = 0.0, floor: tuple[float, float] = (4.0, 3.0)) -> Layouts:
    """A bed in a corner, a table in the middle with a chair that faces it, and a cup on the table."""
    return room(
        [
            (BED, 1.0, 0.5, 0.0, 2.0, 1.0, FLOOR),
            (TABLE, 2.5 + shift, 1.8, 0.0, 0.8, 1.2, FLOOR),
            (CHAIR, 3.3 + shift, 1.8, torch.pi, 0.5, 0.5, FLOOR),
            (CUP, 2.5 + shift, 1.9, 0.0, 0.1, 0.1, 1),
        ],
        floor,
    )


def many(count: int, seed: int = 0) -> Layouts:
    """Rooms like `furnished`, of various floors."""
    generator = torch.Generator().manual_seed(seed)
    from ecumene_models.layouts import joined

    wide: Tensor = torch.rand(count, 2, generator=generator)
    rooms = [furnished(float(w - 0.5) * 0.6, (4.2 + float(w), 3.2 + float(d))) for w, d in wide]
    return joined(rooms)
