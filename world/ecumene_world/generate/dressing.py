"""Dressing: turns a town plan into a scene graph with everything that makes it a place to be.

Order matters. Ways that must stay clear are marked first (doors, walking lines, paths), then the square is set, then
houses get their fronts and streets are lined, then lawns are planted. What doesn't fit is left out.
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.generate.builder import Builder
from ecumene_world.generate.greens import plant
from ecumene_world.generate.houses import build_houses, dress_fronts
from ecumene_world.generate.lines import area_m2, beside, middle
from ecumene_world.generate.plan import PAVEMENT_Z_M, TownPlan
from ecumene_world.generate.room_building import NO_WISH, Wish
from ecumene_world.generate.site import Reach, Site
from ecumene_world.generate.square import set_square
from ecumene_world.generate.streets import line_street
from ecumene_world.generate.uses import street_names
from ecumene_world.generate.work import Work
from ecumene_world.graph import SceneGraph
from ecumene_world.pose import Pose

_MARGIN_M: Final = 2.0
_FAR_M: Final = 120.0
_VIEW_M: Final = 14.0
"""How far ahead of newcomers on a street nothing is stood."""
_FOOT: Final = ("pavement", "plaza", "path")


def dress(plan: TownPlan, seed: int, wish: Wish = NO_WISH) -> SceneGraph:
    """Returns the scene graph of a planned town; the same for the same plan, seed and wish."""
    graph = SceneGraph(plan.name, seed, plan.attribution)
    x0, y0, x1, y1 = plan.bounds
    site = Site((x0 - _MARGIN_M, y0 - _MARGIN_M, x1 + _MARGIN_M, y1 + _MARGIN_M))
    work = Work(plan, Builder(graph, site, seed), seed, np.random.default_rng([seed, 5]), wish)
    names = street_names(plan.streets, seed)
    for surface in plan.surfaces:
        work.build.surface(surface.kind, surface.polygon, surface.z, surface.style)
    entered = build_houses(work)
    _clear_ways(work)
    spawn = set_square(work, plan.square) if plan.square else _spawn_on_street(work)
    dress_fronts(work)
    for street, name in zip(plan.streets, names, strict=True):
        line_street(work, street, name)
    _stand_known(work)
    for green in plan.greens:
        plant(work, green)
    _places(work, entered, names, site.reach(*spawn))
    return graph


def _clear_ways(work: Work) -> None:
    """Marks the walking line of every pavement and the paths of the square."""
    for street in work.plan.streets:
        for side in (-1, 1):
            work.site.keep_line_clear(beside(street.line, side * (street.width_m / 2 + 2.1)), 1.3)
    for path in work.plan.square.paths if work.plan.square else ():
        work.site.keep_line_clear(path, 2.4)


def _spawn_on_street(work: Work) -> tuple[float, float]:
    """Adds a spawn place on the widest piece of pavement, else lawn, else carriageway; returns it."""
    for styles in (_FOOT, ("lawn",), ("asphalt",)):
        room = work.site.distance_m(styles)
        row, column = np.unravel_index(int(np.argmax(room)), room.shape)
        if room[row, column] > 0.6:
            x, y = work.site.point(int(row), int(column))
            radius = min(4.0, float(room[row, column]))
            yaw, sight = _longest_view(work.site, x, y)
            work.build.place("spawn", "Arrival", Pose.at(x, y, PAVEMENT_Z_M, yaw), radius)
            ahead = min(sight, _VIEW_M)
            work.site.keep_clear(x + ahead / 2 * cos(yaw), y + ahead / 2 * sin(yaw), yaw, (ahead, 2.4))
            return x, y
    return work.site.point(0, 0)


def _longest_view(site: Site, x: float, y: float) -> tuple[float, float]:
    """Returns in which direction one sees farthest between the houses from a point, radians, and how far, metres."""

    def sight(yaw: float) -> float:
        steps = range(1, round(_FAR_M))
        return next((s for s in steps if not site.is_open(x + s * cos(yaw), y + s * sin(yaw), yaw, (0.5, 1.5))), _FAR_M)

    return max(((2 * pi * n / 32, sight(2 * pi * n / 32)) for n in range(32)), key=lambda view: view[1])


def _stand_known(work: Work) -> None:
    """Stands what the map itself knows about, such as single trees and benches."""
    for spot in work.plan.spots:
        if spot.kind:
            style = work.site.style_at(*spot.position)
            z = 0.0 if style == "asphalt" else PAVEMENT_Z_M
            if style not in {"outside", "built", "asphalt"}:
                work.build.stand(spot.kind, Pose.at(*spot.position, z, work.turn()), spare_m=0.05)


def _places(work: Work, entered: set[int], names: list[str], reach: Reach) -> None:
    """Adds places at doors, along streets and on lawns that can be reached on foot."""
    for n, house in enumerate(work.plan.houses):
        if house.entrance is not None and house.use and n not in entered:
            x, y, yaw = house.entrance
            at = reach.nearest(x + 1.0 * cos(yaw), y + 1.0 * sin(yaw), 1.5)
            if at is not None:
                title = house.title or "Home"
                work.build.place(house.use, title, Pose.at(*at, PAVEMENT_Z_M, yaw + pi))
    seen: set[str] = set()
    for street, title in zip(work.plan.streets, names, strict=True):
        at = reach.nearest(*middle(beside(street.line, street.width_m / 2 + 2.1)), 6.0)
        if at is not None and title not in seen:
            seen.add(title)
            work.build.place("street", title, Pose.at(*at, PAVEMENT_Z_M), 3.0)
    for green in work.plan.greens:
        if green.public and area_m2(green.polygon) > 200:
            x, y = green.polygon.mean(0).tolist()
            at = reach.nearest(x, y, 8.0)
            if at is not None:
                work.build.place("park", green.title or "Green", Pose.at(*at, PAVEMENT_Z_M), 4.0)
