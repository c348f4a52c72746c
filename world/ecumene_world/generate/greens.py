"""Lawns: hedges towards the street, trees, bushes and flower beds where there is room."""

from __future__ import annotations

from math import hypot
from typing import Final

import numpy as np

from ecumene_world.generate.lines import area_m2, stations
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green
from ecumene_world.generate.survey import Points
from ecumene_world.generate.work import Work
from ecumene_world.pose import Pose

_Z: Final = PAVEMENT_Z_M
_ON: Final = ("lawn",)
_TRIES_PER_M2: Final = 0.03
_HEDGE_M: Final = 2.1


def plant(work: Work, green: Green) -> None:
    """Plants one lawn."""
    if not green.public:
        _hedges(work, green.polygon)
    low, high = green.polygon.min(0), green.polygon.max(0)
    tries = int(area_m2(green.polygon) * _TRIES_PER_M2 * (1.5 if green.rim or green.public else 1.0))
    for _ in range(min(tries, 1500)):
        x, y = (low + work.rng.random(2) * (high - low)).tolist()
        _grow(work, green, x, y, float(work.rng.random()))
    if green.public:
        _benches(work, green)


def _grow(work: Work, green: Green, x: float, y: float, draw: float) -> None:
    """Grows one plant, if there is room."""
    pose = Pose.at(x, y, _Z, work.turn())
    if draw < (0.62 if green.rim else 0.42):
        kind = "conifer_tree" if work.chance(0.45 if green.rim else 0.15) else "broadleaf_tree"
        work.build.stand(kind, pose, on=_ON, spare_m=1.4 if green.rim else 1.7)
    elif draw < 0.8:
        work.build.stand("bush", pose, on=_ON, spare_m=0.35)
    elif draw < 0.84:
        work.build.stand("rock", pose, on=_ON, spare_m=0.4)
    elif draw < 0.92 and green.public:
        work.build.stand("flower_bed", pose, on=_ON, spare_m=0.6)


def _benches(work: Work, green: Green) -> None:
    """Stands a few benches along a public lawn's edges, looking onto it."""
    ring = green.polygon
    for n, (a, b) in enumerate(zip(ring, np.roll(ring, -1, 0), strict=True)):
        length = hypot(*(b - a))
        if length > 8.0 and n % 2 == 0:
            inward = np.array([a[1] - b[1], b[0] - a[0]]) / length
            for x, y, yaw in stations(np.stack([a, b]) + inward * 0.6, 12.0, 3.0):
                work.build.stand("bench", Pose.at(x, y, _Z, yaw + np.pi / 2), on=_ON, front_m=0.6, seed=work.seed)


def _hedges(work: Work, ring: Points) -> None:
    """Lines the sides of a private lawn that touch a pavement."""
    for a, b in zip(ring, np.roll(ring, -1, 0), strict=True):
        length = hypot(*(b - a))
        if length < _HEDGE_M:
            continue
        inward = np.array([a[1] - b[1], b[0] - a[0]]) / length
        for x, y, yaw in stations(np.stack([a, b]) + inward * 0.55, _HEDGE_M, _HEDGE_M / 2):
            out = np.array([x, y]) - inward * 1.0
            if work.site.style_at(*out.tolist()) == "pavement":
                pose = Pose.at(x, y, _Z, yaw)
                work.build.stand("hedge", pose, on=_ON, spare_m=0.0, params={"length_m": _HEDGE_M})
