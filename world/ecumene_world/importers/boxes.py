"""Upright boxes about points, turned the way they stand, and which way round a thing in one probably faces."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ANGLES: Final = 45
_OUTLIERS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box.

    Attributes:
        centre: x, y, z, metres.
        size: Along its own x, its own y, and z.
        yaw: Of its own x axis, radians.
    """

    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float

    def extent(self, yaw: float) -> tuple[float, float, float]:
        """Returns the size of the upright box about it whose x axis points along `yaw`."""
        c, s = abs(cos(self.yaw - yaw)), abs(sin(self.yaw - yaw))
        x, y, z = self.size
        return (c * x + s * y, s * x + c * y, z)


def box_of(xyz: NDArray[np.float64]) -> Box:
    """Returns the box of smallest footprint about points (N, 3), but for a few outliers."""
    angles = np.arange(_ANGLES) * (pi / 2 / _ANGLES)
    some = xyz[:: max(1, len(xyz) // 3000)]
    along = some[:, :2] @ np.stack([np.cos(angles), np.sin(angles)])
    across = some[:, :2] @ np.stack([-np.sin(angles), np.cos(angles)])
    trimmed = (_OUTLIERS, 1 - _OUTLIERS) if len(some) >= 200 else (0.0, 1.0)
    ends = np.quantile(np.stack([along, across]), trimmed, axis=1)  # end, axis, angle
    span = np.maximum(ends[1] - ends[0], 0.02)
    best = int((span.prod(0) + 1e-3 * span.sum(0)).argmin())
    yaw = float(angles[best])
    u, v = ends.mean(0)[:, best]
    low, high = np.quantile(some[:, 2], trimmed)
    x, y = cos(yaw) * u - sin(yaw) * v, sin(yaw) * u + cos(yaw) * v
    return Box(
        (float(x), float(y), float(low + high) / 2),
        (float(span[0, best]), float(span[1, best]), max(float(high - low), 0.02)),
        yaw,
    )


def back_of(xyz: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """Returns (4,) how much more of its upper half lies behind, for each of four headings, quarter turns from its yaw.

    1 is all behind, -1 all in front: the back of a chair, the head of a bed.
    """
    turned = xyz[:, :2] - box.centre[:2]
    upper = xyz[:, 2] > box.centre[2] + 0.15 * box.size[2]
    found = np.zeros(4)
    if not upper.any():
        return found
    for way in range(4):
        yaw = box.yaw + way * pi / 2
        ahead = turned[upper] @ [cos(yaw), sin(yaw)]
        found[way] = float((ahead < 0).mean() - (ahead > 0).mean())
    return found
