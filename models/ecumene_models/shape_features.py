"""What can be said of a posed cloud without learning: how its points fill their box, and how its surface lies.

Normals are estimated from the points alone, so that a scan has them as well as a mesh; which side of a surface is
outside is not known, and nothing here depends on it. All histograms are roots of shares, which spreads small ones.

Source: Osada et al., "Shape distributions", ACM TOG 2002 (D2); Pauly, Gross, Kobbelt, "Efficient simplification of
point-sampled surfaces", IEEE Visualization 2002, section 2 (normals and variation from the nearest points).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

NEIGHBOURS: Final = 12
"""Points, itself among them, that a surface is estimated from."""
SURFACE: Final = 6
"""Numbers that `surfaces` gives of each point."""
_DENSITY: Final = 512
"""Points of a cloud at which the third spread is the width of twelve neighbours itself."""
_AT_ONCE: Final = 8
_HIGH, _WIDE, _DEEP = 8, 4, 4
_CELLS: Final = _HIGH * _WIDE * _DEEP
FILLING: Final = _CELLS + 2 * _HIGH
_COMPARED: Final = 256
_D2_BINS: Final = 16
_FARTHEST: Final = 1.75
_SLANTS: Final = 6
_LEVELS: Final = 4
_UPRIGHT: Final = 0.15
_LEVEL: Final = 0.95
_BINS: Final = 8
DESCRIPTION: Final = FILLING + _D2_BINS + _SLANTS + 2 * _LEVELS + 3 * _BINS


def surfaces(points: Tensor) -> Tensor:
    """Returns (B, N, 6): how the surface lies at each point, from the twelve points nearest to it.

    The first three are the unit normal, either way round; then the standard deviations across and along the surface as
    shares of the greatest, 0..1; then the greatest, times a number that makes it the same at every density.

    Args:
        points: (B, N, 3) in units of the longest edge, N of 2 or more.
    """
    return torch.cat([_surfaces(part) for part in torch.split(points, _AT_ONCE)])


def _surfaces(points: Tensor) -> Tensor:
    b, n, _ = points.shape
    count = min(NEIGHBOURS, n)
    near = torch.cdist(points, points).topk(count, largest=False, sorted=False).indices
    around = points.gather(1, near.reshape(b, n * count, 1).expand(-1, -1, 3)).reshape(b, n, count, 3)
    off = around - around.mean(2, keepdim=True)
    variance, axes = torch.linalg.eigh(off.mT @ off / count)
    deviation = variance.clamp_min(0).sqrt()
    longest = deviation[..., 2:]
    shares = deviation[..., :2] / longest.clamp_min(1e-9)
    return torch.cat([axes[..., 0], shares, longest * (4 * (n / _DENSITY) ** 0.5)], -1)


def filling(points: Tensor, size_m: Tensor) -> Tensor:
    """Returns (B, 144): how the points fill their box of 8 levels, each of 4 by 4 steps from the middle planes.

    The first 128 are roots of the share of points in each cell; then come the farthest reach along x and y at each
    level. Left and right, front and back are folded together, so it is the same whichever way round a thing faces.

    Args:
        points: (B, N, 3) in standard pose.
        size_m: (B, 3) edges of the box.
    """
    half = (size_m / size_m.amax(1, keepdim=True))[:, None] / size_m.new_tensor([2.0, 2.0, 1.0])
    inside = (points / half).abs().clamp(0, 1 - 1e-6)
    steps = (inside * inside.new_tensor([_WIDE, _DEEP, _HIGH])).long()
    cell = (steps[..., 2] * _WIDE + steps[..., 0]) * _DEEP + steps[..., 1]
    counts = points.new_zeros(len(cell), _CELLS).scatter_add_(1, cell, torch.ones_like(inside[..., 0]))
    none = points.new_zeros(len(cell), _HIGH)
    reach = [none.scatter_reduce(1, steps[..., 2], inside[..., axis], "amax") for axis in (0, 1)]
    return torch.cat([(counts / cell.shape[1]).sqrt(), *reach], 1)


def description(points: Tensor, surface: Tensor, size_m: Tensor, pairs: Tensor | None = None) -> Tensor:
    """Returns (B, 198): filling, distances, slants of the surface, angles within it, and how it spreads.

    It is the same whichever way round a thing faces.

    Args:
        points: (B, N, 3) in standard pose.
        surface: (B, N, 6) of `surfaces`.
        size_m: (B, 3) edges of the box.
        pairs: (2, P) rows of the points that are compared with each other; if None, all pairs of up to 256 points,
            taken evenly.
    """
    if pairs is None:
        step = -(-points.shape[1] // _COMPARED)
        pairs = torch.combinations(torch.arange(0, points.shape[1], step, device=points.device)).T
    first, second = pairs
    apart = (points[:, first] - points[:, second]).norm(dim=-1)
    normal = surface[..., :3]
    angles = (normal[:, first] * normal[:, second]).sum(-1).abs()
    return torch.cat(
        [
            filling(points, size_m),
            _histogram(apart / _FARTHEST, _D2_BINS),
            _slants(points[..., 2], normal[..., 2].abs()),
            _histogram(angles, _BINS),
            _histogram(surface[..., 3] / 0.6, _BINS),
            _histogram(surface[..., 4], _BINS),
        ],
        1,
    )


def _slants(height: Tensor, up: Tensor) -> Tensor:
    """Returns (B, 14): how steep the surface is, then the shares of upright and of level surface at four heights."""
    at = (height / height.amax(1, keepdim=True).clamp_min(1e-6)).clamp(0, 1 - 1e-6).mul(_LEVELS).long()
    shares = [
        (kind & (at == level)).to(up.dtype).mean(1).sqrt()
        for level in range(_LEVELS)
        for kind in (up < _UPRIGHT, up > _LEVEL)
    ]
    return torch.cat([_histogram(up, _SLANTS), torch.stack(shares, 1)], 1)


def _histogram(values: Tensor, bins: int) -> Tensor:
    """Returns (B, bins): roots of the shares of values (B, N) between 0 and 1; what lies outside counts at the ends."""
    at = values.clamp(0, 1 - 1e-6).mul(bins).long()
    counts = values.new_zeros(len(values), bins).scatter_add_(1, at, torch.ones_like(values))
    return (counts / values.shape[1]).sqrt()
