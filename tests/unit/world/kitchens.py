"""A kitchen on paper for tests."""

from __future__ import annotations

import numpy as np

from ecumene_world.learning.arrangements import NAMES, Arrangement

_THINGS = (
    ("counter", 1.7, 0.32, np.pi / 2, 0.64, 3.2, 0.9, -1),
    ("table", 2.0, 2.2, 0.0, 0.8, 1.2, 0.75, -1),
    ("fridge", 3.65, 2.9, np.pi, 0.7, 0.7, 1.8, -1),
    ("sink", 1.7, 0.32, 0.0, 0.5, 0.5, 0.2, 0),
    ("chair", 2.5, 2.2, np.pi, 0.5, 0.5, 0.9, -1),
    ("cup", 2.0, 2.3, 0.0, 0.1, 0.1, 0.1, 1),
)


def kitchen() -> Arrangement:
    """A counter along a wall with a sink let into it, a table with a cup and a chair pushed under it, a fridge."""
    numbers = np.array([thing[1:7] for thing in _THINGS], np.float32)
    return Arrangement(
        "kitchens/0",
        "kitchens/0",
        "kitchen",
        (4.0, 3.5),
        np.array([NAMES.index(thing[0]) for thing in _THINGS], np.int64),
        numbers[:, :2],
        numbers[:, 2],
        numbers[:, 3:],
        np.array([thing[7] for thing in _THINGS], np.int64),
    )
