"""A plaza of 60 by 60 metres: a fountain square between a café, a shop, a library and gardens."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.generate.dressing import dress
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green, House, Square, Surface, TownPlan
from ecumene_world.generate.room_building import Wish
from ecumene_world.generate.survey import Points
from ecumene_world.graph import SceneGraph

_ROW_M: Final = 11.0
_NAMES: Final = ("Fountain Plaza", "Linden Plaza", "Plaza of the Herons")
_OVERLAY_M: Final = 0.006
"""How far a pattern lies above the paving it lies on."""


def plaza(seed: int, size_m: float, wish: Wish) -> SceneGraph:
    """Returns a plaza; `size_m` stretches it, the tag `quiet` leaves the market out."""
    rng = np.random.default_rng([seed, 31])
    market = "quiet" not in wish.tags
    half = size_m / 2
    houses = _houses(rng, half)
    front = half - _ROW_M - 1.0
    centre = (float(rng.uniform(-3.0, 1.0)) - 2.0, float(rng.uniform(-5.0, -3.0)))
    radius = min(13.0, 0.45 * size_m / 2)
    ends = [(centre[0], -half), (-half, centre[1]), (front - 1.0, centre[1] + 2.0), (centre[0] + 3.0, front)]
    paths = [_spoke(centre, radius, end) for end in ends]
    outline = np.array([[-half, -half], [front, -half], [front, front], [-half, front]])
    lawns = _lawns(outline, centre, radius)
    square = Square(
        outline, centre, radius, paths, ("Fountain Plaza", "Linden Plaza", "Plaza of the Herons")[seed % 3], market
    )
    surfaces = [
        Surface(
            "square", np.array([[-half, -half], [half, -half], [half, half], [-half, half]]), PAVEMENT_Z_M, "pavement"
        ),
        *[Surface("lawn", lawn, PAVEMENT_Z_M + 0.03, "lawn") for lawn in lawns],
        *[Surface("square", _strip(path, 3.2), PAVEMENT_Z_M + 0.036, "path") for path in paths],
        Surface("square", _ring(centre, 0.0, radius), PAVEMENT_Z_M + 0.042, "plaza"),
    ]
    for low, high in ((0.27, 0.31), (0.56, 0.59), (0.95, 1.0)):
        band = _ring(centre, low * radius, high * radius)
        surfaces.append(Surface("square", band, PAVEMENT_Z_M + 0.042 + _OVERLAY_M, "plaza_dark"))
    plan = TownPlan(
        f"Plaza {seed}",
        (-half, -half, half, half),
        surfaces,
        houses,
        [],
        square,
        [Green(lawn, public=True) for lawn in lawns],
        [],
        (),
    )
    return dress(plan, seed, wish)


def _houses(rng: np.random.Generator, half: float) -> list[House]:
    """Returns a row along the north side and one along the east side."""
    uses = [("cafe", "Café Linden"), ("museum", "Library of the Plaza"), ("shop", "The Corner Shop")]
    order = rng.permutation(3)
    widths = np.array([1.0, 1.2, 0.9])[order] * rng.uniform(0.94, 1.06, 3)
    cuts = -half + np.concatenate([[0.0], np.cumsum(widths / widths.sum())]) * (2 * half - _ROW_M - 1.0)
    houses = []
    for n, (x0, x1) in enumerate(pairwise(cuts.tolist())):
        use, title = uses[int(order[n])]
        polygon = np.array([[x0, half - _ROW_M], [x1, half - _ROW_M], [x1, half], [x0, half]])
        height = 10.0 if use == "museum" else 0.6 + 3.1 * int(rng.integers(2, 4)) + 1.5
        door = ((x0 + x1) / 2, half - _ROW_M, -pi / 2)
        houses.append(House(polygon, height, use, title, door, int(rng.integers(1 << 20))))
    for n in range(3):
        y0, y1 = half - _ROW_M - 1.0 - (n + 1) * 15.0, half - _ROW_M - 1.0 - n * 15.0
        polygon = np.array([[half - _ROW_M, y0], [half, y0], [half, y1], [half - _ROW_M, y1]])
        use, title = (("clinic", "Corner Clinic"), ("office", "Atelier North"), ("home", ""))[n]
        door = (half - _ROW_M, (y0 + y1) / 2, pi)
        height = 0.6 + 3.1 * int(rng.integers(2, 4)) + 1.5
        houses.append(House(polygon, height, use, title, door, int(rng.integers(1 << 20))))
    return houses


def _lawns(outline: Points, centre: tuple[float, float], radius: float) -> list[Points]:
    """Returns the corners of the square that are lawn: what lies beyond the paths, cut back from the disk."""
    (x0, y0), (x1, y1) = outline.min(0) + 2.0, outline.max(0) - 3.5
    cx, cy = centre
    lawns = []
    for sx, sy, x, y in ((-1, -1, x0, y0), (1, -1, x1, y0), (1, 1, x1, y1), (-1, 1, x0, y1)):
        gap = 3.0
        angles = np.linspace(0.16, pi / 2 - 0.16, 9)
        arc = [(cx + sx * (radius + 0.3) * cos(a), cy + sy * (radius + 0.3) * sin(a)) for a in angles]
        reach_x, reach_y = abs(x - cx), abs(y - cy)
        if reach_x < radius + 2.5 or reach_y < radius + 2.5:
            continue
        ring = [(x, cy + sy * gap), *arc, (cx + sx * gap, y), (x, y)]
        polygon = np.array(ring)
        area = float(
            np.dot(polygon[:, 0], np.roll(polygon[:, 1], -1)) - np.dot(polygon[:, 1], np.roll(polygon[:, 0], -1))
        )
        lawns.append(polygon if area > 0 else polygon[::-1].copy())
    return lawns


def _spoke(centre: tuple[float, float], radius: float, end: tuple[float, float]) -> Points:
    way = np.array(end) - centre
    unit = way / np.hypot(*way)
    return np.stack([np.array(centre) + unit * (radius - 0.5), np.array(end)])


def _strip(line: Points, width_m: float) -> Points:
    along = (line[1] - line[0]) / np.hypot(*(line[1] - line[0]))
    side = np.array([-along[1], along[0]]) * width_m / 2
    return np.stack([line[0] - side, line[1] - side, line[1] + side, line[0] + side])


def _ring(centre: tuple[float, float], low: float, high: float) -> Points:
    """Returns a disk, or a ring with a hair's breadth cut out so that it is a simple polygon."""
    if low == 0.0:
        angles = np.linspace(0, 2 * pi, 48, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], 1) * high + centre
    angles = np.linspace(0.0005, 2 * pi - 0.0005, 48)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.concatenate([circle * high, circle[::-1] * low]) + centre
