"""Yielding: where somebody who is stuck in a throng can step aside, so that others get through."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_agents.spots import Point
from ecumene_world.grid import sample
from ecumene_world.layout import Layout

RADII_M: Final = (1.2, 1.8, 2.6, 3.6)
DIRECTIONS: Final = 12
"""So many directions are tried, at each of the radii."""
ROOM_M: Final = 0.6
"""Clearance of a point aside."""
GAP_M: Final = 0.7
"""How far others are from it."""
STEPS: Final = 8
"""Points on the way there that must have room for a body."""
BODY_M: Final = 0.25
CROWD_M: Final = 1.5
"""Others further away don't count."""

_TURNS = [(radius, 2 * pi * turn / DIRECTIONS) for radius in RADII_M for turn in range(DIRECTIONS)]
_REACH: Final = torch.tensor([(radius * cos(angle), radius * sin(angle)) for radius, angle in _TURNS])
_FAR: Final = _REACH.norm(dim=1)
_SHARE: Final = torch.linspace(1 / STEPS, 1.0, STEPS)[:, None, None]


def aside(layout: Layout, here: Point, level: int, goal: Point, others: NDArray[np.float32]) -> Point | None:
    """Returns the best point within a few steps to let others pass; None if there is none.

    There is room around it and on the straight way there. Of all such points it is the roomiest, nearest, and furthest
    from the way to the goal.

    Args:
        layout: Where.
        here: Where somebody stands, m.
        level: On which storey.
        goal: Where it wants to be, m.
        others: (n, 2) where the others on that storey stand, m.
    """
    start, device = torch.tensor(here[:2]), layout.device
    storey = torch.full((STEPS, len(_REACH)), level, device=device)
    clear = sample(layout, layout.clearance, storey, (start + _SHARE * _REACH).to(device)).cpu()
    ends, near = start + _REACH, others[(np.abs(others - here[:2]) < RADII_M[-1] + CROWD_M).all(axis=1)]
    crowd = torch.cdist(ends, torch.from_numpy(near)).amin(dim=1) if len(near) else torch.full((len(ends),), CROWD_M)
    way = torch.tensor(goal[:2]) - start
    along = (_REACH @ way) / (_FAR * way.norm().clamp(min=1e-6))
    good = (clear >= BODY_M).all(dim=0) & (clear[-1] >= ROOM_M) & (crowd >= GAP_M)
    score = clear[-1].clamp(max=1.2) + crowd.clamp(max=CROWD_M) - 0.3 * _FAR - 0.5 * along
    best = int(score.masked_fill(~good, -torch.inf).argmax())
    return (*ends[best].tolist(), here[2]) if bool(good[best]) else None
