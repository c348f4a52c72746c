"""Yielding: where somebody who is stuck in a throng can step aside, so that others get through."""

from __future__ import annotations

from math import cos, hypot, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_agents.spots import Point
from ecumene_world.grid import sample_near
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
_REACH: Final = np.array([(radius * cos(angle), radius * sin(angle)) for radius, angle in _TURNS], np.float32)
_FAR: Final = np.hypot(*_REACH.T)
_SHARE: Final = np.linspace(1 / STEPS, 1.0, STEPS, dtype=np.float32)[:, None, None]


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
    start = np.array(here[:2], np.float32)
    way = (start + _SHARE * _REACH).reshape(-1, 2)
    clear = sample_near(layout, layout.clearance, level, way).reshape(STEPS, -1)
    ends, near = start + _REACH, others[(np.abs(others - start) < RADII_M[-1] + CROWD_M).all(axis=1)]
    crowd = np.hypot(*(ends[:, None] - near).transpose(2, 0, 1)).min(axis=1, initial=CROWD_M)
    there = np.array(goal[:2], np.float32) - start
    along = (_REACH @ there) / (_FAR * max(hypot(*there), 1e-6))
    good = (clear >= BODY_M).all(axis=0) & (clear[-1] >= ROOM_M) & (crowd >= GAP_M)
    score = np.minimum(clear[-1], 1.2) + crowd - 0.3 * _FAR - 0.5 * along
    best = int(np.where(good, score, -np.inf).argmax())
    return (*ends[best].tolist(), here[2]) if good[best] else None
