"""Angles: wrapping, rotating into a body's frame and back, and body sectors, with exact arithmetic only."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

_SIN_22_5, _COS_22_5 = math.sin(math.pi / 8), math.cos(math.pi / 8)
_OCTANT = (0, 1, 3, 2, 7, 6, 4, 5)
"""Octant of a direction by 4·(y < 0) + 2·(x < 0) + (|y| > |x|)."""


def wrap(angle: Tensor) -> Tensor:
    """Returns angles brought to −π..π."""
    return angle - (angle * (1.0 / math.tau)).round() * math.tau


def into_frame(x: Tensor, y: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Returns world vectors seen from frames whose headings have those cosines and sines."""
    return x * cos + y * sin, y * cos - x * sin


def out_of_frame(x: Tensor, y: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Returns vectors of those frames in the world."""
    return x * cos - y * sin, x * sin + y * cos


def sector(x: Tensor, y: Tensor) -> Tensor:
    """Returns which 45° sector of a body a vector of its frame points into: 0 ahead, then counter-clockwise, i64."""
    ahead, left = x * _COS_22_5 - y * _SIN_22_5, x * _SIN_22_5 + y * _COS_22_5
    code = 4 * (left < 0).long() + 2 * (ahead < 0).long() + (left.abs() > ahead.abs()).long()
    return _octants(x.device).index_select(0, code.reshape(-1)).view(code.shape)


@functools.cache
def _octants(device: torch.device) -> Tensor:
    """Returns `_OCTANT` on a device, copied there once."""
    return torch.tensor(_OCTANT, device=device)
