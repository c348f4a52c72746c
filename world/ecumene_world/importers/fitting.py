"""Which asset of the library stands in for a recognised thing, at what size and heading; or none, if none fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, log, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets import library
from ecumene_world.importers.boxes import Box, back_of

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "chair": ("chair", "stool", "armchair"),
    "sofa": ("sofa",),
    "table": ("table", "desk", "counter"),
    "bed": ("bed",),
    "cabinet": ("cabinet", "wardrobe", "shelf"),
    "appliance": ("fridge", "stove"),
    "bathroom": ("toilet", "bathtub", "sink"),
    "lamp": ("floor_lamp",),
    "plant": ("potted_plant",),
}
"""What may stand for a class; things of other classes keep their own shape."""
_WORST: Final = 0.9
"""Sum over the axes of |log(asset / box)|; beyond it a thing keeps its own shape."""
_HANGING_M: Final = 0.35
_BACKED: Final = frozenset({"chair", "sofa", "bed"})
_AGAINST_M: Final = 0.5


@dataclass(frozen=True, slots=True)
class Fit:
    """An asset in a box.

    Attributes:
        kind: Of the library.
        params: Sizes in metres that it is built with.
        yaw: Its heading, radians.
        misfit: Sum over the axes of |log(asset / box)|.
    """

    kind: str
    params: Mapping[str, float | str]
    yaw: float
    misfit: float


def fitted(label: str, box: Box, xyz: NDArray[np.float64], wall: tuple[float, float]) -> Fit | None:
    """Returns the asset that suits best, facing away from its own back and from a near wall.

    Args:
        label: A class of the segmenter.
        box: About its points.
        xyz: (N, 3) its points, metres.
        wall: Distance in metres and direction in radians of the nearest wall.
    """
    if box.centre[2] - box.size[2] / 2 > _HANGING_M:
        return None
    backs = back_of(xyz, box) if label in _BACKED else np.zeros(4)
    best: tuple[float, Fit] | None = None
    for kind in KINDS.get(label, ()):
        for way in range(4):
            yaw = box.yaw + way * pi / 2
            fit = _built(kind, box.extent(yaw), yaw)
            cost = fit.misfit - 0.5 * float(backs[way])
            if wall[0] < _AGAINST_M:
                cost += 0.4 * cos(yaw - wall[1])
            if best is None or cost < best[0] - 1e-9:
                best = cost, fit
    return best[1] if best and best[1].misfit <= _WORST else None


def _built(kind: str, size: tuple[float, float, float], yaw: float) -> Fit:
    """Returns one kind as near to a size as its limits let it."""
    depth, width, height = size
    wanted = {"width_m": width, "depth_m": depth, "length_m": depth, "height_m": height}
    params: dict[str, float | str] = {}
    for name, limits in library.parameters(kind).items():
        if name in wanted and limits and isinstance(limits[0], float | int):
            low, high = float(limits[0]), float(limits[1])
            params[name] = round(min(max(wanted[name], low), high), 2)
    if kind == "table":
        params["shape"] = "square"
    low_corner, high_corner = library.build(kind, 0, params).mesh.bounds
    own = (high_corner - low_corner).tolist()
    misfit = sum(abs(log(max(a, 0.02) / max(b, 0.02))) for a, b in zip(own, size, strict=True))
    return Fit(kind, params, yaw, misfit)


def nearest_wall(box: Box, room: Box) -> tuple[float, float]:
    """Returns distance and direction of the nearest side of a room from the middle of a thing's near side."""
    x, y = box.centre[0] - room.centre[0], box.centre[1] - room.centre[1]
    c, s = cos(room.yaw), sin(room.yaw)
    u, v = c * x + s * y, -s * x + c * y
    extent = box.extent(room.yaw)
    sides = (
        (room.size[0] / 2 - u - extent[0] / 2, room.yaw),
        (room.size[1] / 2 - v - extent[1] / 2, room.yaw + pi / 2),
        (room.size[0] / 2 + u - extent[0] / 2, room.yaw + pi),
        (room.size[1] / 2 + v - extent[1] / 2, room.yaw - pi / 2),
    )
    return min(sides)
