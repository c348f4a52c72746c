"""Marching rays through the clearance fields: what the eye meets, and what muffles a sound.

A z-buffer cell is one number that holds depth and category: `round(depth · 8192) · 16 + category`, an integer below
2²⁴ and so exact in f32. The nearest hit is then a plain minimum.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import FAR_M
from ecumene_sim.terrain import lookup

DEPTH_UNITS: Final = 8192.0
"""Depth steps a metre."""
CATEGORIES: Final = 16.0
NOTHING: Final = FAR_M * DEPTH_UNITS * CATEGORIES
"""The key of SKY at the far end."""
MISS: Final = 1.0e9
"""Added to a key that does not count."""
_STEEP: Final = 1.0e12
_STEP_M: Final = 0.1
_STEP_SHARE: Final = 0.01


def key_of(depth: Tensor, category: Tensor | float) -> Tensor:
    """Returns z-buffer keys of depths (metres along the ground) and categories."""
    return (depth * DEPTH_UNITS).round_().mul_(CATEGORIES).add_(category)


def penalty(excess: Tensor) -> Tensor:
    """Returns, in place, 0 where excess ≤ 0 and `MISS` or more where it is positive."""
    return excess.mul_(_STEEP).clamp_(0.0, MISS)


def march(
    field: Tensor, hit: Tensor, start: Tensor, along: Tensor, reach: Tensor, eye: Tensor, slope: Tensor, steps: int
) -> Tensor:
    """Returns the z-buffer of sight rays against obstacles, marching on behind and over what was met.

    Each column of rays is one march in plan: steps are as long as the clearance, at least 10 cm and 1 % of the way.
    Where it is inside an obstacle every row below the obstacle's top is hit.

    Args:
        field: (1, 1, L·H, W) clearance.
        hit: (1, 2, L·H, W) top and category.
        start: (R, 2) image coordinates of the eyes.
        along: (R, 2) image units per metre.
        reach: (R,) metres to march at most.
        eye: (R,) height of the eye, metres.
        slope: (rows, R) climb of each row's ray per metre along the ground.
        steps: How many samples are taken.

    Returns:
        (rows, R) keys, `NOTHING` or more where nothing was met.
    """
    depth = torch.zeros_like(reach)
    nearest = torch.full_like(slope, NOTHING)
    for _ in range(steps):
        at = torch.addcmul(start, depth.unsqueeze(1), along)
        clear = lookup(field, at)[0]
        top, category = lookup(hit, at, "nearest")
        stride = depth * _STEP_SHARE + _STEP_M
        beyond = depth - reach
        above = torch.addcmul((eye - top).unsqueeze(0), slope, depth.unsqueeze(0))
        outside = torch.maximum(clear - stride * 0.5, beyond)
        missed = penalty(torch.maximum(above, outside))
        surface = depth + clear.clamp(min=0.0)
        nearest = torch.minimum(nearest, missed.add_(key_of(surface, category)))
        depth = depth + torch.maximum(clear.abs_(), stride)
    return nearest


def walls_between(field: Tensor, start: Tensor, along: Tensor, reach: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Returns how many tall obstacles stand between two points, and their thickness.

    Args:
        field: (1, 1, L·H, W) clearance of tall obstacles.
        start: (R, 2) image coordinates of one end.
        along: (R, 2) image units per metre.
        reach: (R,) metres to the other end.
        steps: How many samples are taken at most; what lies behind the last one is taken as free.

    Returns:
        (R,) walls entered and (R,) metres inside them, f32.
    """
    depth = torch.zeros_like(reach)
    walls, thickness, was_inside = (torch.zeros_like(reach) for _ in range(3))
    for _ in range(steps):
        clear = lookup(field, torch.addcmul(start, depth.unsqueeze(1), along))[0]
        stride = depth * _STEP_SHARE + _STEP_M
        inside = ((clear < stride * 0.5) & (depth < reach)).to(depth.dtype)
        walls = walls + (inside - was_inside).clamp_(min=0.0)
        step = torch.maximum(clear.abs_(), stride)
        thickness = torch.addcmul(thickness, step, inside)
        depth, was_inside = depth + step, inside
    return walls, thickness
