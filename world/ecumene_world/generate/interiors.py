"""Interiors: a building whose ground floor, and sometimes the next one, can be entered.

The building node keeps its real footprint and draws facade and roof; below it stand floors, walls, doors, stairs and
furniture. Rooms are laid out in the largest rectangle that fits inside the walls, seen from the entrance.
"""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.buildings import storey_m
from ecumene_world.assets.polygon import area_m2, cleaned, inset
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.layouts import Shell, lay_out
from ecumene_world.generate.plan import House
from ecumene_world.generate.rooms import Furnisher, Opening, Room, wall
from ecumene_world.generate.site import Site
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

OUTER_WALL_M: Final = 0.3
FLOOR_Z_M: Final = 0.14
_SITE_CELL_M: Final = 0.1
_LEAST_ROOM_M: Final = 5.4
_DOOR_M: Final = 1.15
"""Width of the opening that a building's shell leaves at an entrance."""
_FLOORS: Final = {"cafe": "parquet", "museum": "parquet", "home": "parquet", "shop": "tiles", "clinic": "tiles"}


def suits(house: House) -> bool:
    """Tells whether a building can be entered: a door, a simple plan and room behind the door."""
    if house.entrance is None or not 40 < area_m2(house.polygon) < 700 or house.height_m < 3.2:
        return False
    room = _room(house)
    return room is not None and min(room.size) >= _LEAST_ROOM_M


def enter(outside: Builder, house: House, seed: int) -> Node:
    """Adds a building that can be entered, furnished for its use; `suits` must hold.

    Returns:
        The place inside.
    """
    room = _room(house)
    assert room is not None and house.entrance is not None, "checked by suits"  # noqa: PT018
    plan = cleaned(house.polygon, 0.02)
    storeys = 2 if house.use == "museum" and house.height_m > 8 else 1
    tall = storey_m(plan, house.height_m, house.seed, style=house.style)
    node = _building(outside, house, plan, storeys, tall)
    builder = _finely(outside, plan)
    builder.surface("floor", plan, FLOOR_Z_M, _FLOORS.get(house.use, "floor"), parent=node.name)
    _outer_walls(builder, plan, house, node.name, storeys * tall - 0.12)
    to_frame = room.frame.inverse()
    shell = Shell(
        node,
        house.use,
        house.title or house.use.title(),
        room,
        tall,
        builder,
        np.array([to_frame.apply((x, y, 0.0))[:2] for x, y in inset(plan, OUTER_WALL_M).tolist()]),
        np.random.default_rng([seed, house.seed]),
        lambda corners: _finely(outside, np.array(corners)),
    )
    return _inside(lay_out(shell), shell)


def _building(outside: Builder, house: House, plan: NDArray[np.float64], storeys: int, tall: float) -> Node:
    assert house.entrance is not None, "checked by suits"
    x, y = ((plan.min(0) + plan.max(0)) / 2).tolist()
    ex, ey, yaw = house.entrance
    attributes: dict[str, JSON] = {
        "polygon": np.round(plan - [x, y], 3).tolist(),
        "height_m": round(house.height_m, 2),
        "style": house.style,
        "entrances": [[round(ex - x, 3), round(ey - y, 3), round(yaw, 4)]],
        "interior": True,
        "storeys": storeys,
        "roof_z_m": round(storeys * tall - 0.1, 3),
    }
    if house.title:
        attributes["title"] = house.title
    return outside.add("building", Pose.at(x, y), name=house.title or house.use, seed=house.seed, attributes=attributes)


def _finely(builder: Builder, plan: NDArray[np.float64]) -> Builder:
    """Returns a builder of the same graph with a fine raster of its own over a ground plan."""
    (x0, y0), (x1, y1) = plan.min(0).tolist(), plan.max(0).tolist()
    return builder.on(Site((x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5), _SITE_CELL_M))


def _outer_walls(builder: Builder, plan: NDArray[np.float64], house: House, parent: str, height_m: float) -> None:
    """Adds a solid for each outer wall, with the front door; the building draws them."""
    assert house.entrance is not None, "checked by suits"
    door = np.array(house.entrance[:2])
    middle = inset(plan, OUTER_WALL_M / 2)
    edges = list(zip(middle, np.roll(middle, -1, 0), strict=True))
    nearest = min(range(len(edges)), key=lambda n: _distance(door, *edges[n]))
    for n, (a, b) in enumerate(edges):
        along = b - a
        length = float(np.hypot(*along))
        if length < 0.05:
            continue
        at = float((door - a) @ along) / length
        openings = [Opening(at, _DOOR_M, 0.0, 2.25, title=house.title)] if n == nearest else []
        wall(
            builder,
            (float(a[0]), float(a[1])),
            (float(b[0]), float(b[1])),
            FLOOR_Z_M,
            height_m=height_m - FLOOR_Z_M,
            thickness_m=OUTER_WALL_M - 0.04,
            openings=openings,
            parent=parent,
            drawn=False,
        )


def _room(house: House) -> Room | None:
    """Returns the largest rectangle inside the walls that the front door opens into, None if there is none."""
    assert house.entrance is not None, "checked before"
    plan = cleaned(house.polygon, 0.02)
    x, y, yaw = house.entrance
    frame = Pose.at(x, y, FLOOR_Z_M, yaw + pi)
    back = frame.inverse()
    local = np.array([back.apply((px, py, 0.0))[:2] for px, py in inset(plan, OUTER_WALL_M).tolist()])
    (x0, y0), (x1, y1) = local.min(0).tolist(), local.max(0).tolist()
    raster = Site((x0, y0, x1, y1), _SITE_CELL_M)
    raster.paint(local, "floor")
    found = largest_rectangle(raster.style > 0)
    if found is None:
        return None
    top, left, bottom, right = found
    room = Room(frame, *raster.corner(top, left), *raster.corner(bottom, right))
    ahead = room.x0 < 0.7 and room.y0 < -1.0 and room.y1 > 1.0
    return room if ahead else None


def largest_rectangle(cells: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Returns top, left, bottom, right (the last two exclusive) of the largest all-true rectangle; None if none is.

    Rows are read as histograms of how far true cells reach up; a stack finds the widest bar under each height.
    """
    best: tuple[int, tuple[int, int, int, int]] | None = None
    heights = np.zeros(cells.shape[1] + 1, np.int64)
    for row in range(cells.shape[0]):
        heights[:-1] = np.where(cells[row], heights[:-1] + 1, 0)
        stack: list[int] = []
        bars = heights.tolist()
        for column, height in enumerate(bars):
            while stack and bars[stack[-1]] >= height:
                tall = bars[stack.pop()]
                left = stack[-1] + 1 if stack else 0
                area = tall * (column - left)
                if area and (best is None or area > best[0]):
                    best = (area, (row + 1 - tall, left, row + 1, column))
            stack.append(column)
    return best[1] if best else None


def _inside(furnisher: Furnisher, shell: Shell) -> Node:
    """Adds the place inside, on the free spot nearest to the middle of the front room."""
    room = furnisher.room
    x, y = room.world(1.0, 0.0)
    reach = furnisher.build.site.reach(x, y)
    at = reach.nearest(*room.world(*room.middle), 12.0) or (x, y)
    pose = Pose.at(*at, FLOOR_Z_M, room.frame.yaw)
    role = "home" if shell.use == "apartment" else shell.use
    return furnisher.build.place(role, shell.title, pose, 1.5, parent=furnisher.parent)


def _distance(point: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    along = b - a
    share = float(np.clip((point - a) @ along / max(float(along @ along), 1e-9), 0, 1))
    return float(np.hypot(*(a + along * share - point)))
