"""An apartment: rooms along a corridor, furnished, behind a front door with a garden before it."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Final

import numpy as np

from ecumene_world.generate.dressing import dress
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green, House, Surface, TownPlan
from ecumene_world.graph import SceneGraph

TAGS: Final = ("large",)
_GARDEN_M: Final = 5.0


def apartment(seed: int, size_m: float, tags: Sequence[str]) -> SceneGraph:
    """Returns an apartment about `size_m` wide; the tag `large` adds rooms."""
    rng = np.random.default_rng([seed, 41])
    wide = size_m * float(rng.uniform(0.94, 1.06))
    deep = size_m * float(rng.uniform(0.70, 0.80)) * (1.45 if "large" in tags else 1.0)
    x, y = wide / 2, deep / 2
    plan = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    home = House(plan, 3.6, "apartment", "Apartment", (0.0, -y, -pi / 2), int(rng.integers(1 << 20)), "modern")
    edge = _GARDEN_M
    left = np.array(
        [[-x - edge, -y - edge], [-1.2, -y - edge], [-1.2, -y], [-x, -y], [-x, y + edge], [-x - edge, y + edge]]
    )
    right = np.array([[1.2, -y - edge], [x + edge, -y - edge], [x + edge, y + edge], [x, y + edge], [x, -y], [1.2, -y]])
    back = np.array([[-x, y], [x, y], [x, y + edge], [-x, y + edge]])
    path = np.array([[-1.2, -y - edge], [1.2, -y - edge], [1.2, -y], [-1.2, -y]])
    surfaces = [Surface("lawn", lawn, PAVEMENT_Z_M, "lawn") for lawn in (left, right, back)]
    surfaces.append(Surface("square", path, PAVEMENT_Z_M, "path"))
    greens = [Green(lawn, public=False, rim=True) for lawn in (left, right, back)]
    bounds = (-x - edge, -y - edge, x + edge, y + edge)
    return dress(TownPlan(f"Apartment {seed}", bounds, surfaces, [home], [], None, greens, [], ()), seed)
