"""Stepping aside: into the open, through no wall, into nobody, and not forward."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from tests.unit.agents.grounds import world_of

from ecumene_agents.yielding import GAP_M, ROOM_M, aside
from ecumene_world.grid import sample

NOBODY: NDArray[np.float32] = np.zeros((0, 2), np.float32)


def test_one_steps_back_rather_than_on() -> None:
    layout = world_of("open").layout
    found = aside(layout, (0.0, 0.0, 0.0), 0, (8.0, 0.0, 0.0), NOBODY)
    assert found is not None
    assert found[0] < -1.0
    assert math.hypot(found[0], found[1]) < 2.0


def test_there_is_room_and_no_wall_between() -> None:
    layout = world_of("walled").layout
    found = aside(layout, (-0.6, 3.0, 0.0), 0, (-6.0, 3.0, 0.0), NOBODY)
    assert found is not None
    assert found[0] < -0.5, "the wall is to the east"
    clear = sample(layout, layout.clearance, torch.tensor(0), torch.tensor(found[:2]))
    assert float(clear) >= ROOM_M


def test_others_are_kept_clear_of_and_a_full_square_leaves_no_room() -> None:
    layout = world_of("open").layout
    behind = aside(layout, (0.0, 0.0, 0.0), 0, (8.0, 0.0, 0.0), NOBODY)
    assert behind is not None
    other = aside(layout, (0.0, 0.0, 0.0), 0, (8.0, 0.0, 0.0), np.array([behind[:2]], np.float32))
    assert other is not None
    assert math.hypot(other[0] - behind[0], other[1] - behind[1]) >= GAP_M
    steps = np.arange(-5, 5.1, 0.5, dtype=np.float32)
    crowd = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    assert aside(layout, (0.0, 0.0, 0.0), 0, (8.0, 0.0, 0.0), crowd) is None
