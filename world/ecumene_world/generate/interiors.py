"""Interiors: a building whose ground floor, and sometimes the next one, can be entered.

The building node keeps its real footprint and draws facade and roof; below it stand floors, walls, doors, stairs and
furniture. Rooms are laid out in the largest rectangle that fits inside the walls, seen from the entrance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.buildings import storey_m
from ecumene_world.assets.polygon import area_m2, cleaned, inset
from ecumene_world.generate import furniture
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.plan import House
from ecumene_world.generate.rooms import Furnisher, Opening, Room, wall
from ecumene_world.generate.site import Site
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

OUTER_WALL_M: Final = 0.3
FLOOR_Z_M: Final = 0.14
_SITE_CELL_M: Final = 0.1
_LEAST_ROOM_M: Final = 3.4
_STAIR_WIDTH_M: Final = 1.5
_STAIR_SLOPE: Final = 0.62
_DOOR_M: Final = 1.15
"""Width of the opening that a building's shell leaves at an entrance."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A building made ready to be furnished.

    Attributes:
        node: The building.
        room: The largest rectangle inside its walls; the frame's origin is the entrance, x runs inward.
        storey_m: Height of a storey.
        builder: Of the ground floor.
        inner: (P, 2) inside of the outer walls, in the room's frame.
    """

    node: Node
    room: Room
    storey_m: float
    builder: Builder
    inner: NDArray[np.float64]


def suits(house: House) -> bool:
    """Tells whether a building can be entered: a door, a simple plan and room behind the door."""
    if house.entrance is None or not 60 < area_m2(house.polygon) < 900 or house.height_m < 3.2:
        return False
    room = _room(house)
    return room is not None and min(room.size) >= _LEAST_ROOM_M * 1.6


def enter(builder: Builder, house: House, seed: int) -> Node:
    """Adds a building that can be entered, furnished for its use; `suits` must hold. Returns its place inside."""
    storeys = 2 if house.use == "museum" and house.height_m > 8 else 1
    shell = _shell(builder, house, storeys)
    rng = np.random.default_rng([seed, house.seed])
    lay_out: Callable[[Shell, House, np.random.Generator], Node] = {
        "cafe": _cafe,
        "shop": _shop,
        "museum": _museum,
        "home": _home,
        "clinic": _clinic,
        "school": _school,
    }.get(house.use, _office)
    return lay_out(shell, house, rng)


def _shell(outside: Builder, house: House, storeys: int) -> Shell:
    """Adds the building, its ground floor and its outer walls with the front door."""
    room = _room(house)
    assert room is not None and house.entrance is not None, "checked by suits"  # noqa: PT018
    plan = cleaned(house.polygon, 0.02)
    x, y = ((plan.min(0) + plan.max(0)) / 2).tolist()
    ex, ey, yaw = house.entrance
    tall = storey_m(plan - [x, y], house.height_m, house.seed)
    attributes: dict[str, JSON] = {
        "polygon": np.round(plan - [x, y], 3).tolist(),
        "height_m": round(house.height_m, 2),
        "entrances": [[round(ex - x, 3), round(ey - y, 3), round(yaw, 4)]],
        "interior": True,
        "storeys": storeys,
        "roof_z_m": round(storeys * tall - 0.1, 3),
    }
    if house.title:
        attributes["title"] = house.title
    node = outside.add("building", Pose.at(x, y), name=house.title or house.use, seed=house.seed, attributes=attributes)
    builder = _finely(outside, plan)
    builder.surface("floor", plan, FLOOR_Z_M, "floor", parent=node.name)
    _outer_walls(builder, plan, house, node.name, storeys * tall - 0.12)
    to_frame = room.frame.inverse()
    inner = np.array([to_frame.apply((px, py, 0.0))[:2] for px, py in inset(plan, OUTER_WALL_M)])
    return Shell(node, room, tall, builder, inner)


def _finely(builder: Builder, plan: NDArray[np.float64]) -> Builder:
    """Returns a builder of the same graph with a fine raster of its own over a ground plan."""
    (x0, y0), (x1, y1) = plan.min(0).tolist(), plan.max(0).tolist()
    return builder.on(Site((x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5), _SITE_CELL_M))


def _outer_walls(builder: Builder, plan: NDArray[np.float64], house: House, parent: str, height_m: float) -> None:
    """Adds a solid for each outer wall; the shell draws them."""
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
    local = np.array([back.apply((px, py, 0.0))[:2] for px, py in inset(plan, OUTER_WALL_M)])
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
        for column, height in enumerate(heights.tolist()):
            while stack and heights[stack[-1]] >= height:
                tall = int(heights[stack.pop()])
                left = stack[-1] + 1 if stack else 0
                area = tall * (column - left)
                if area and (best is None or area > best[0]):
                    best = (area, (row + 1 - tall, left, row + 1, column))
            stack.append(column)
    return best[1] if best else None


def _partition(shell: Shell, x: float, door_y: float, height_m: float) -> tuple[Room, Room]:
    """Adds a wall across the building at x with a door in it; returns the rooms before and behind it."""
    low, high = _span(shell.inner, x)
    opening = Opening(door_y - low)
    a, b = shell.room.world(x, low), shell.room.world(x, high)
    wall(shell.builder, a, b, FLOOR_Z_M, height_m=height_m, openings=[opening], parent=shell.node.name)
    half = 0.07
    return replace(shell.room, x1=x - half), replace(shell.room, x0=x + half)


def _span(inner: NDArray[np.float64], x: float) -> tuple[float, float]:
    """Returns where a line across the frame at x enters and leaves the inside about y = 0."""
    a, b = inner, np.roll(inner, -1, 0)
    crossing = (a[:, 0] <= x) != (b[:, 0] <= x)
    a, b = a[crossing], b[crossing]
    ys = np.sort(a[:, 1] + (x - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))
    below, above = ys[ys < 0], ys[ys > 0]
    return float(below.max()), float(above.min())


def _front(shell: Shell, room: Room, rng: np.random.Generator) -> Furnisher:
    """Returns a furnisher of the room behind the front door, its entrance kept clear."""
    furnisher = Furnisher(shell.builder, room, shell.node.name, 0, rng)
    furnisher.keep_clear(0.0, -0.9, 1.9, 0.9)
    return furnisher


def _cafe(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    room, kitchen = shell.room, None
    if room.size[0] > 7.5:
        door_y = room.y1 - 1.2
        room, kitchen = _partition(shell, room.x0 + max(4.5, 0.64 * room.size[0]), door_y, shell.storey_m - 0.3)
    front = _front(shell, room, rng)
    furniture.cafe(front, title=house.title)
    if kitchen is not None:
        furniture.kitchen(Furnisher(shell.builder, kitchen, shell.node.name, 0, rng))
    return _inside(front, house)


def _shop(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    room, store = shell.room, None
    if room.size[0] > 8.5:
        room, store = _partition(shell, room.x0 + 0.7 * room.size[0], room.y0 + 1.2, shell.storey_m - 0.3)
    front = _front(shell, room, rng)
    furniture.shop(front, title=house.title)
    if store is not None:
        furniture.store_room(Furnisher(shell.builder, store, shell.node.name, 0, rng))
    return _inside(front, house)


def _office(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    front = _front(shell, shell.room, rng)
    furniture.office(front, title=house.title)
    return _inside(front, house)


def _clinic(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    room, ward = shell.room, None
    if room.size[0] > 7.5:
        room, ward = _partition(shell, room.x0 + 0.5 * room.size[0], room.y0 + 1.2, shell.storey_m - 0.3)
    front = _front(shell, room, rng)
    furniture.waiting_room(front, title=house.title)
    if ward is not None:
        furniture.ward(Furnisher(shell.builder, ward, shell.node.name, 0, rng))
    return _inside(front, house)


def _school(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    front = _front(shell, shell.room, rng)
    furniture.classroom(front, title=house.title)
    return _inside(front, house)


def _home(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    room, bedroom = shell.room, None
    if room.size[0] > 7.0:
        room, bedroom = _partition(shell, room.x0 + 0.56 * room.size[0], room.y0 + 1.2, shell.storey_m - 0.3)
    front = _front(shell, room, rng)
    furniture.living_room(front)
    if bedroom is not None:
        furniture.bedroom(Furnisher(shell.builder, bedroom, shell.node.name, 0, rng))
    return _inside(front, house)


def _museum(shell: Shell, house: House, rng: np.random.Generator) -> Node:
    """Lays out a hall with stairs to a gallery above it, if the building has the height."""
    front = _front(shell, shell.room, rng)
    if shell.node.attributes["storeys"] == 2:
        _gallery(shell, house, front, rng)
    furniture.hall(front, title=house.title)
    return _inside(front, house)


def _gallery(shell: Shell, house: House, hall: Furnisher, rng: np.random.Generator) -> None:
    """Adds stairs along the left wall and a furnished storey above with a railing about the stairwell."""
    room, rise = shell.room, shell.storey_m + 0.02
    run = rise / _STAIR_SLOPE
    x1 = room.x1 - 1.4
    x0, y1 = x1 - run, room.y1
    y0, y = y1 - _STAIR_WIDTH_M, y1 - _STAIR_WIDTH_M / 2
    attributes: dict[str, JSON] = {"size": [round(run, 3), _STAIR_WIDTH_M, round(rise, 3)]}
    shell.builder.add("stairs", room.pose(x0, y), parent=shell.node.name, seed=0, attributes=attributes)
    wx, wy = room.world((x0 + x1) / 2, y)
    shell.builder.site.take(wx, wy, room.frame.yaw, (run, _STAIR_WIDTH_M + 0.1))
    hall.keep_clear(x0 - 1.4, y0, x0, y1)
    upper = replace(room, frame=room.frame.compose(Pose.at(0.0, 0.0, rise)))
    builder = _finely(shell.builder, np.array(room.corners))
    well = [(x0, y1), (x0, y0), (x1, y0), (x1, y1)]
    ring = [(room.x0, room.y0), (room.x1, room.y0), (room.x1, room.y1), well[3], well[2], well[1], well[0]]
    outline = [room.world(*corner) for corner in [*ring, (room.x0, room.y1)]]
    floor = builder.surface("floor", outline, FLOOR_Z_M + rise, "floor", parent=shell.node.name, level=1)
    shell.builder.graph.relate(floor.name, "part_of", shell.node.name)
    furnisher = Furnisher(builder, upper, shell.node.name, 1, rng)
    for a, b in ((well[0], well[1]), (well[1], well[2])):
        _railing(furnisher, a, b)
    furnisher.keep_clear(x1, y0, room.x1, y1)
    furniture.gallery(furnisher)
    furnisher.place("museum", f"Gallery of {house.title or 'the museum'}", *room.middle, radius_m=1.5)


def _railing(furnisher: Furnisher, a: tuple[float, float], b: tuple[float, float]) -> None:
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    yaw = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    pose = furnisher.room.pose((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, yaw)
    params: dict[str, float | str] = {"length_m": round(length, 2), "height_m": 1.0, "style": "iron"}
    attributes: dict[str, JSON] = {"level": furnisher.level}
    furnisher.build.site.take(*pose.position[:2], pose.yaw, (length, 0.1))
    furnisher.build.add("fence", pose, parent=furnisher.parent, params=params, attributes=attributes)


def _inside(furnisher: Furnisher, house: House) -> Node:
    """Adds the place inside, on the free spot nearest to the middle of the front room."""
    room = furnisher.room
    x, y = room.world(1.0, 0.0)
    reach = furnisher.build.site.reach(x, y)
    middle = room.world(*room.middle)
    at = reach.nearest(*middle, 12.0) or (x, y)
    pose = Pose.at(*at, FLOOR_Z_M, room.frame.yaw)
    title = house.title or house.use.title()
    return furnisher.build.place(house.use, title, pose, 1.5, parent=furnisher.parent)


def _distance(point: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    along = b - a
    share = float(np.clip((point - a) @ along / max(float(along @ along), 1e-9), 0, 1))
    return float(np.hypot(*(a + along * share - point)))
