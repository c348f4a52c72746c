"""Houses: solid or furnished, with what stands before their doors."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, cos, hypot, sin
from typing import Final

import numpy as np

from ecumene_world.generate.interiors import enter, suits
from ecumene_world.generate.plan import PAVEMENT_Z_M, House
from ecumene_world.generate.tables import terrace_table
from ecumene_world.generate.work import Work
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_FOOT: Final = ("pavement", "plaza", "path")
PUBLIC: Final = frozenset({"cafe", "shop", "museum", "school", "clinic", "office"})
ENTERABLE: Final[Mapping[str, int]] = {
    "cafe": 2,
    "museum": 1,
    "shop": 4,
    "clinic": 1,
    "office": 2,
    "school": 1,
    "home": 3,
    **dict.fromkeys(("apartment", "meeting", "classroom"), 1),
}
"""How many buildings of each use are furnished besides the town hall, if they suit; those nearest to the square."""
_HOUSES: Final = 100
"""In a town of so many houses; larger ones get more."""


def build_houses(work: Work) -> set[int]:
    """Adds all buildings; returns the indices of those that can be entered."""
    inside = _enterable(work)
    for house in work.plan.houses:
        work.site.paint(house.polygon, "built")
    for n, house in enumerate(work.plan.houses):
        if n in inside:
            enter(work.build, house, work.seed, work.wish)
        else:
            _solid(work, house)
        if house.entrance is not None:
            x, y, yaw = house.entrance
            work.site.keep_clear(x + 1.1 * cos(yaw), y + 1.1 * sin(yaw), yaw, (2.2, 1.8))
    return inside


def dress_fronts(work: Work) -> None:
    """Puts a sign beside public doors, tables before cafés and plants beside some doors."""
    for house in work.plan.houses:
        if house.entrance is None:
            continue
        if house.use in PUBLIC:
            _sign(work, house)
        if house.use == "cafe":
            _terrace(work, house)
        if work.chance(0.5):
            for side in (-1.15, 1.15):
                pose = _before(house, 0.42, side)
                work.build.stand("potted_plant", pose, on=_FOOT, spare_m=0.0, seed=house.seed % 6)


def _solid(work: Work, house: House) -> None:
    x, y = ((house.polygon.min(0) + house.polygon.max(0)) / 2).tolist()
    doors = [] if house.entrance is None else [house.entrance]
    attributes: dict[str, JSON] = {
        "polygon": np.round(house.polygon - [x, y], 3).tolist(),
        "height_m": round(house.height_m, 2),
        "style": house.style,
        "entrances": [[round(a - x, 3), round(b - y, 3), round(yaw, 4)] for a, b, yaw in doors],
    }
    if house.title:
        attributes["title"] = house.title
    work.build.add("building", Pose.at(x, y), name=house.title or "house", seed=house.seed, attributes=attributes)


def _enterable(work: Work) -> set[int]:
    square = work.plan.square
    centre = square.centre if square else (0.0, 0.0)
    houses = work.plan.houses
    near = sorted(range(len(houses)), key=lambda n: hypot(*(houses[n].polygon.mean(0) - centre)))
    scale = max(1, ceil(len(houses) / _HOUSES))
    left = {use: count * scale for use, count in ENTERABLE.items()}
    chosen = {n for n in near if houses[n].style == "civic" and suits(houses[n])}
    for n in near:
        if n not in chosen and left.get(houses[n].use, 0) > 0 and suits(houses[n]):
            left[houses[n].use] -= 1
            chosen.add(n)
    return chosen


def _sign(work: Work, house: House) -> None:
    attributes: dict[str, JSON] = {"title": house.title, "text": f"{house.title}: {house.use}, open to all."}
    for side in (2.1, -2.1):
        pose = _before(house, 0.5, side)
        params = {"width_m": 1.0}
        if work.build.stand("notice_board", pose, on=_FOOT, params=params, attributes=attributes):
            return


def _terrace(work: Work, house: House) -> None:
    """Stands two rows of tables before a café, clear of its door."""
    for out in (2.2, 5.0):
        for n in range(-3, 4):
            if n:
                pose = _before(house, out, n * 3.2)
                terrace_table(work.build, pose, on=("pavement", "plaza"), seed=house.seed % 6)


def _before(house: House, out_m: float, side_m: float) -> Pose:
    """Returns a pose before a door, so far out and to its left, facing away from the house."""
    assert house.entrance is not None, "only houses with a door have a front"
    x, y, yaw = house.entrance
    return Pose.at(
        x + out_m * cos(yaw) - side_m * sin(yaw), y + out_m * sin(yaw) + side_m * cos(yaw), PAVEMENT_Z_M, yaw
    )
