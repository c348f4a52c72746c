"""Marching rays through the clearance fields: what the eye meets, and what muffles a sound.

A z-buffer cell is one number that holds depth and category: `round(depth · 8192) · 16 + category`, an integer below
2²⁴ and so exact in f32. The nearest hit is then a plain minimum.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
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
STRIDE_M: Final = 0.1
"""Shortest stride of a march at the eye, metres."""
STRIDE_SHARE: Final = 0.01
"""How much longer it gets for each metre of the way."""
_STEEP: Final = 1.0e15
"""Turns the least excess into more than any key."""


def key_of(depth: Tensor, category: Tensor | float) -> Tensor:
    """Returns z-buffer keys of depths (metres along the ground) and categories."""
    return (depth * DEPTH_UNITS).round_().mul_(CATEGORIES).add_(category)


def unless(excess: Tensor, keys: Tensor) -> Tensor:
    """Returns keys where the excess is ≤ 0, else more than any key; overwrites the excess."""
    return torch.add(keys, excess.relu_(), alpha=_STEEP, out=excess)


@dataclass(frozen=True, slots=True, eq=False)
class March:
    """R rays in plan, sampled S times each.

    Strides are as long as the clearance, at least 10 cm and 1 % of the way, so a march slows down before an obstacle
    and goes on through and behind it.

    Attributes:
        at: (2, S, R) image coordinates of the samples.
        depth: (S + 1, R) metres from the start; the last row is where the march would have gone on.
        clear: (S, R) clearance.
    """

    at: Tensor
    depth: Tensor
    clear: Tensor

    def excess(self, reach: Tensor) -> Tensor:
        """Returns (S, R) f32, ≤ 0 inside obstacles, or nearer than half a shortest stride, and within reach (R,)."""
        depth = self.depth[:-1]
        outside = torch.add(self.clear, depth, alpha=-0.5 * STRIDE_SHARE).sub_(0.5 * STRIDE_M)
        return torch.maximum(outside, depth - reach)


def march(field: Tensor, starts: Sequence[Tensor], along: Tensor, steps: Sequence[int]) -> March:
    """Returns the march of R rays through clearance fields, one after the other.

    Args:
        field: (1, 1, H, W) clearance, metres; several layers on one image.
        starts: For each layer to march through in turn, (2, R) image coordinates of where rays start on it.
        along: (2, R) image units per metre.
        steps: How many samples are taken on each of those layers; S is their sum.
    """
    at = torch.zeros((2, sum(steps), along.shape[1]), device=along.device)
    layers = [start for start, count in zip(starts, steps, strict=True) for _ in range(count)]
    depths, clears, shortest = [torch.zeros_like(along[0])], [], _shortest_stride(along.device)
    for start, sample in zip(layers, at.unbind(1), strict=True):
        torch.addcmul(start, depths[-1], along, out=sample)
        clears.append(lookup(field, sample).view(-1))
        stride = torch.add(shortest, depths[-1], alpha=STRIDE_SHARE)
        depths.append(torch.maximum(stride, clears[-1].abs(), out=stride).add_(depths[-1]))
    return March(at, torch.stack(depths), torch.stack(clears))


@functools.cache
def _shortest_stride(device: torch.device) -> Tensor:
    """Returns `STRIDE_M` on a device, copied there once."""
    return torch.tensor(STRIDE_M, device=device)


def obstacles_seen(met: March, reach: Tensor, hit: Tensor, eye: Tensor, slope: Tensor) -> Tensor:
    """Returns (rows, R) z-buffer keys of the obstacles that sight rays of several slopes meet, `NOTHING` if none.

    A row meets the first sample inside an obstacle whose top, as a slope from the eye, is above the row's.

    Args:
        met: March of the R columns of rays.
        reach: (R,) metres; nothing is met beyond.
        hit: (1, 2, H, W) top (world z, metres) and category of the obstacle nearest to each spot.
        eye: (R,) height of the eye.
        slope: (rows, R) climb of each row's ray per metre along the ground.
    """
    depth = met.depth[:-1]
    top, category = lookup(hit, met.at.view(2, -1), "nearest").view(2, *depth.shape)
    rise = (top - eye).div_(depth.clamp(min=0.02))
    keys = unless(met.excess(reach), key_of(depth + met.clear.clamp(min=0.0), category))
    seen, above = torch.full_like(slope, NOTHING), torch.zeros_like(slope)
    for sample_rise, key in zip(rise.unbind(), keys.unbind(), strict=True):
        torch.sub(slope, sample_rise, out=above)
        torch.minimum(seen, unless(above, key), out=seen)
    return seen


def walls_met(met: March, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many obstacles each of R rays goes through within its reach (R,) and how many metres of them, f32.

    What lies behind the last sample is taken as free.
    """
    inside = (met.excess(reach) <= 0).to(met.depth.dtype)
    entered = torch.cat((inside[:1], (inside[1:] - inside[:-1]).clamp_(min=0.0)))
    within = (met.depth[1:] - met.depth[:-1]).mul_(inside)
    return in_order(entered), in_order(within)


def in_order(values: Tensor) -> Tensor:
    """Returns the sum along the first axis, added up in order, so that it never depends on what else is summed."""
    first, *others = values.unbind()
    total = first.clone()
    for value in others:
        total += value
    return total
