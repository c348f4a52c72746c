"""Buildings that stand by themselves: an apartment, an office, a clinic ... on a plot with a path to the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from ecumene_world.generate.dressing import dress
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green, House, Surface, TownPlan
from ecumene_world.generate.room_building import Wish
from ecumene_world.generate.style import scaled
from ecumene_world.graph import SceneGraph

_PLOT_M: Final = 5.0
_PATH_M: Final = 1.3


@dataclass(frozen=True, slots=True)
class Sort:
    """How buildings of a type are.

    Attributes:
        titles: What they may be called.
        deep: Least and greatest depth as a share of the width.
        height_m: To the edge of the roof.
        paved: Whether the ground before the door is paved instead of lawn.
    """

    titles: tuple[str, ...]
    deep: tuple[float, float]
    height_m: float = 3.6
    paved: bool = False


SORTS: Final[Mapping[str, Sort]] = {
    "apartment": Sort(("Apartment",), (0.70, 0.82)),
    "office": Sort(("Atelier North", "Lantern Studio", "Survey Office", "Orchard Press"), (0.72, 0.9), paved=True),
    "meeting": Sort(("Meeting House", "Round Table", "Council Room"), (0.8, 0.95), paved=True),
    "classroom": Sort(("Linden Classroom", "Class on the Hill", "Orchard Classroom"), (0.85, 1.0)),
    "clinic": Sort(("Corner Clinic", "Dr. Alder's Practice", "Well Street Clinic"), (0.72, 0.88), paved=True),
    "museum": Sort(("Town Museum", "Museum of Everyday Things", "House of Maps"), (0.7, 0.85), 10.0, paved=True),
    "shop": Sort(("Harbour Goods", "Green Basket", "Paper & Pine", "The Corner Shop"), (0.8, 1.0), paved=True),
    "cafe": Sort(("Café Linden", "The Copper Kettle", "Café Meridian", "The Blue Cup"), (0.8, 1.0), paved=True),
}


def building(kind: str, seed: int, size_m: float, wish: Wish) -> SceneGraph:
    """Returns a building about `size_m` wide on its plot, entered from the south."""
    rng = np.random.default_rng([seed, 41])
    sort = SORTS[kind]
    wide = scaled(size_m, wish.tags) * float(rng.uniform(0.92, 1.08))
    deep = wide * float(rng.uniform(*sort.deep))
    x, y = wide / 2, deep / 2
    door = float(rng.uniform(-0.12, 0.12)) * wide if kind != "apartment" else 0.0
    plan = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    title = sort.titles[int(rng.integers(len(sort.titles)))]
    house = House(plan, sort.height_m, kind, title, (door, -y, -pi / 2), int(rng.integers(1 << 20)), "modern")
    edge = _PLOT_M
    lawns, paved = _plot(x, y, edge, door, paved=sort.paved)
    surfaces = [Surface("lawn", lawn, PAVEMENT_Z_M, "lawn") for lawn in lawns]
    surfaces.append(Surface("square", paved, PAVEMENT_Z_M, "pavement" if sort.paved else "path"))
    greens = [Green(lawn, public=False, rim=True) for lawn in lawns]
    bounds = (-x - edge, -y - edge, x + edge, y + edge)
    name = f"{kind.title()} {seed}"
    return dress(TownPlan(name, bounds, surfaces, [house], [], None, greens, [], ()), seed, wish)


def _plot(x: float, y: float, edge: float, door: float, *, paved: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns the lawns and the paved ground of a plot; together with the building they tile it."""
    back = np.array([[-x, y], [x, y], [x, y + edge], [-x, y + edge]])
    if paved:
        front = np.array([[-x - edge, -y - edge], [x + edge, -y - edge], [x + edge, -y], [-x - edge, -y]])
        left = np.array([[-x - edge, -y], [-x, -y], [-x, y + edge], [-x - edge, y + edge]])
        right = np.array([[x, -y], [x + edge, -y], [x + edge, y + edge], [x, y + edge]])
        return [left, right, back], front
    a, b = door - _PATH_M, door + _PATH_M
    left = np.array([[-x - edge, -y - edge], [a, -y - edge], [a, -y], [-x, -y], [-x, y + edge], [-x - edge, y + edge]])
    right = np.array([[b, -y - edge], [x + edge, -y - edge], [x + edge, y + edge], [x, y + edge], [x, -y], [b, -y]])
    path = np.array([[a, -y - edge], [b, -y - edge], [b, -y], [a, -y]])
    return [left, right, back], path
