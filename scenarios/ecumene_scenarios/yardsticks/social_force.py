"""The social force model as first published: a baseline for crowds that knows everybody's place and velocity.

Everybody speeds up towards the wanted velocity and is pushed away from others, from where they will have stepped, and
from walls. The engine limits speed and acceleration and keeps bodies apart; the model adds nothing of its own to that.

Source: Helbing & Molnár 1995, Social force model for pedestrian dynamics, Phys. Rev. E 51, equations 2 to 8, without
fluctuations and without attraction; the numbers are theirs.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from ecumene_agents.vectors import angle, length, unit
from ecumene_world import grid
from ecumene_world.layout import Layout
from ecumene_world.state import DT, State

RELAXATION_S: Final = 0.5
"""Time in which a velocity becomes the wanted one."""
PEOPLE: Final = (2.1, 0.3)
"""Strength, m²/s², and range, metres, of the potential around people."""
WALLS: Final = (10.0, 0.2)
"""The same of walls."""
STEP_S: Final = 2.0
"""How long a step of another is seen ahead."""
VIEW: Final = (math.cos(math.radians(100)), 0.5)
"""Cosine of half the angle of sight, and the weight of what is outside it."""


def force(state: State, layout: Layout) -> Tensor:
    """Returns the (B, C, 2) accelerations, m/s², of avatars that head for their waypoints."""
    here, velocity = state.position[..., :2], state.velocity[..., :2]
    way = unit(state.waypoint[..., :2] - here)
    driven = (state.max_speed[..., None] * way - velocity) / RELAXATION_S
    pushed = _repelled(state, velocity)
    ahead = (-pushed * way[:, :, None]).sum(-1) >= VIEW[0] * length(pushed)
    pushed = pushed * torch.where(ahead, 1.0, VIEW[1])[..., None]
    return driven + pushed.sum(2) + _kept_off(state, layout)


def steer(state: State, layout: Layout) -> None:
    """Writes everybody's wish for the next tick: the velocity that the force leads to, facing where it leads.

    It does so without decisions, whose bytes are too coarse for what a force changes in a tick.
    """
    velocity = state.velocity[..., :2] + force(state, layout) * DT
    state.desired_velocity.copy_(velocity)
    moves = length(velocity) > 0.1
    state.target_yaw.copy_(torch.where(moves, angle(velocity), state.yaw))


def _repelled(state: State, velocity: Tensor) -> Tensor:
    """Returns (B, C, C, 2) pushes, m/s², on the first from the second: down an ellipse along the other's step."""
    strength, reach = PEOPLE
    away = state.position[:, :, None, :2] - state.position[:, None, :, :2]
    step = (velocity * STEP_S)[:, None]
    near, far = length(away).clamp(min=1e-3), length(away - step).clamp(min=1e-3)
    short = 0.5 * ((near + far).square() - (step * step).sum(-1)).clamp(min=1e-4).sqrt()
    slope = ((near + far) / (4 * short))[..., None] * (away / near[..., None] + (away - step) / far[..., None])
    nobody = ~(state.alive[:, :, None] & state.alive[:, None]) | torch.eye(
        state.slots, dtype=torch.bool, device=state.device
    )
    size = (strength / reach * (-short / reach).exp()).masked_fill(nobody, 0.0)
    return size[..., None] * slope


def _kept_off(state: State, layout: Layout) -> Tensor:
    """Returns the (B, C, 2) push of the nearest wall, m/s²."""
    strength, reach = WALLS
    gap, slope = grid.sample_with_gradient(layout, layout.clearance, state.level, state.position[..., :2])
    return (strength / reach * (-gap.clamp(min=0.0) / reach).exp())[..., None] * unit(slope)
