"""Small functions of (..., 2) vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def length(vector: Tensor) -> Tensor:
    """Returns the (...,) Euclidean lengths."""
    squares: Tensor = (vector * vector).sum(dim=-1)
    return squares.sqrt()


def angle(vector: Tensor) -> Tensor:
    """Returns the (...,) directions, radians counter-clockwise from +x; 0 for zero vectors."""
    return torch.atan2(vector[..., 1], vector[..., 0])


def unit(vector: Tensor) -> Tensor:
    """Returns vectors of length 1, zero where they were zero."""
    return vector / length(vector).clamp(min=1e-6)[..., None]


def shortened(vector: Tensor, limit: float = 1.0) -> Tensor:
    """Returns vectors no longer than `limit`."""
    return vector / (length(vector) / limit).clamp(min=1.0)[..., None]


def heading(radians: Tensor) -> Tensor:
    """Returns (..., 2) unit vectors of directions."""
    return torch.stack((radians.cos(), radians.sin()), dim=-1)
