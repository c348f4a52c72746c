"""Layouts: how a building that can be entered is divided, and which room is furnished as what.

Halls (cafés, shops, museums) are one large room with one behind it; suites (homes, clinics, schools, offices) are rooms
along a corridor that leads inward from the front door.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.generate import furniture
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.rooms import INNER_WALL_M, Furnisher, Opening, Room, wall
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_CORRIDOR_M: Final = 1.9
_ROOM_M: Final = 4.8
_LEAST_ROOM_M: Final = 2.7
_DEEPEST_M: Final = 6.2
"""What lies farther from a corridor than this is walled off: other people's flats."""
_STAIR_WIDTH_M: Final = 1.5
_STAIR_SLOPE: Final = 0.62
Filler = Callable[[Furnisher], None]
_SUITES: Final[dict[str, tuple[Filler, ...]]] = {
    "home": (
        furniture.living_room,
        furniture.living_room,
        furniture.bedroom,
        furniture.dining_kitchen,
        furniture.study,
        furniture.bedroom,
    ),
    "apartment": (
        furniture.living_room,
        furniture.dining_kitchen,
        furniture.bedroom,
        furniture.study,
        furniture.bedroom,
        furniture.library_room,
    ),
    "clinic": (
        furniture.waiting_room,
        furniture.consulting_room,
        furniture.ward,
        furniture.consulting_room,
        furniture.ward,
        furniture.dining_kitchen,
    ),
    "school": (
        furniture.classroom,
        furniture.classroom,
        furniture.library_room,
        furniture.classroom,
        furniture.office,
        furniture.dining_kitchen,
    ),
    "office": (
        furniture.office,
        furniture.meeting_room,
        furniture.office,
        furniture.dining_kitchen,
        furniture.office,
        furniture.library_room,
    ),
}
"""What rooms along a corridor are furnished as: nearest the door first, right side before left."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A building made ready to be furnished.

    Attributes:
        node: The building.
        use: Role of the place inside.
        title: Its name.
        room: The largest rectangle inside its walls; the frame's origin is the entrance, x runs inward.
        storey_m: Height of a storey.
        builder: Of the ground floor.
        inner: (P, 2) inside of the outer walls, in the room's frame.
        rng: Of the building.
        upper: Makes a builder for a storey above, given the corners of its floor.
    """

    node: Node
    use: str
    title: str
    room: Room
    storey_m: float
    builder: Builder
    inner: NDArray[np.float64]
    rng: np.random.Generator
    upper: Callable[[Sequence[tuple[float, float]]], Builder]

    def furnisher(self, room: Room) -> Furnisher:
        """Returns a furnisher of a room on the ground floor."""
        return Furnisher(self.builder, room, self.node.name, 0, self.rng)

    @property
    def wall_m(self) -> float:
        """Height of inner walls."""
        return self.storey_m - 0.3


def lay_out(shell: Shell) -> Furnisher:
    """Divides and furnishes a building; returns the furnisher of the room behind the front door."""
    hall: dict[str, Callable[[Shell], Furnisher]] = {"cafe": _cafe, "shop": _shop, "museum": _museum}
    if shell.use in hall:
        return hall[shell.use](shell)
    return _suite(shell, _SUITES.get(shell.use, _SUITES["office"]))


def _cafe(shell: Shell) -> Furnisher:
    front, back = _divided(shell, 0.66, 7.0, 1.0)
    furniture.cafe(front)
    if back is not None:
        furniture.kitchen(back)
        back.place("kitchen", f"Kitchen of {shell.title}", back.room.x0 + 1.2, back.room.middle[1])
    return front


def _shop(shell: Shell) -> Furnisher:
    front, back = _divided(shell, 0.72, 8.0, 0.0)
    furniture.shop(front)
    if back is not None:
        furniture.store_room(back)
    return front


def _museum(shell: Shell) -> Furnisher:
    front = _entrance_hall(shell, shell.room)
    if shell.node.attributes["storeys"] == 2:
        _gallery(shell, front)
    furniture.exhibition(front)
    return front


def _entrance_hall(shell: Shell, room: Room) -> Furnisher:
    """Returns a furnisher of the room behind the front door, its entrance kept clear."""
    furnisher = shell.furnisher(room)
    furnisher.keep_clear(0.0, -0.9, 1.9, 0.9)
    return furnisher


def _divided(shell: Shell, share: float, least_m: float, side: float) -> tuple[Furnisher, Furnisher | None]:
    """Returns furnishers of a front and, if the building is deep enough, a back room behind a wall with a door.

    Args:
        shell: The building.
        share: Of the depth that is the front room's.
        least_m: Depth below which there is no back room.
        side: Where the door is, 0 for the right end of the wall and 1 for the left.
    """
    room = shell.room
    if room.size[0] < least_m:
        return _entrance_hall(shell, room), None
    x = room.x0 + share * room.size[0]
    low, high = _span(shell.inner, x)
    door_y = room.y0 + 1.1 + side * (room.size[1] - 2.2)
    a, b = room.world(x, low), room.world(x, high)
    half = INNER_WALL_M / 2
    front = _entrance_hall(shell, replace(room, x1=x - half))
    _wall(shell, a, b, [Opening(door_y - low)])
    return front, shell.furnisher(replace(room, x0=x + half))


def _suite(shell: Shell, fillers: Sequence[Filler]) -> Furnisher:
    """Lays a corridor with rooms on both sides; returns the corridor's furnisher."""
    room, half = shell.room, _CORRIDOR_M / 2
    right, left = room.y0 < -half - _LEAST_ROOM_M, room.y1 > half + _LEAST_ROOM_M
    corridor = replace(room, y0=-half if right else room.y0, y1=half if left else room.y1)
    furnisher = _entrance_hall(shell, corridor)
    count = max(1, round(room.size[0] / _ROOM_M))
    edges = np.linspace(room.x0, room.x1, count + 1)
    order = cycle(fillers)
    reach = half + INNER_WALL_M + _DEEPEST_M
    ends = (max(room.y0, -reach), min(room.y1, reach))
    sides = [(y, edge) for y, edge, there in ((-half, ends[0], right), (half, ends[1], left)) if there]
    rooms: list[tuple[float, Room]] = []
    for inside, outside in sides:
        offset = INNER_WALL_M / 2 if outside > inside else -INNER_WALL_M / 2
        y = inside + offset
        low, high = _span(shell.inner, y, across=False)
        doors = [Opening((a + b) / 2 - low) for a, b in pairwise(edges.tolist())]
        _wall(shell, room.world(low, y), room.world(high, y), doors)
        if abs(outside) == reach:
            beyond = outside + offset
            low, high = _span(shell.inner, beyond, across=False)
            _wall(shell, room.world(low, beyond), room.world(high, beyond), [])
        for x in edges[1:-1].tolist():
            _wall(shell, room.world(x, inside + 2 * offset), room.world(x, outside), [])
        for n in range(count):
            x0, x1 = float(edges[n]) + INNER_WALL_M / 2 * (n > 0), float(edges[n + 1]) - INNER_WALL_M / 2
            y0, y1 = sorted((inside + 2 * offset, outside))
            rooms.append((x0, replace(room, x0=x0, x1=x1, y0=y0, y1=y1)))
    for _, each in sorted(rooms, key=lambda pair: pair[0]):
        next(order)(shell.furnisher(_facing(each)))
    furniture.corridor(furnisher, shell.title)
    return furnisher


def _facing(room: Room) -> Room:
    """Returns the same rectangle in a frame whose front side is the one towards the corridor."""
    turn = np.pi / 2 if room.y0 > 0 else -np.pi / 2
    frame = room.frame.compose(Pose.at(0.0, 0.0, 0.0, turn))
    if turn > 0:
        return Room(frame, room.y0, -room.x1, room.y1, -room.x0)
    return Room(frame, -room.y1, room.x0, -room.y0, room.x1)


def _wall(shell: Shell, a: tuple[float, float], b: tuple[float, float], openings: Sequence[Opening]) -> None:
    z = shell.room.frame.position[2]
    wall(shell.builder, a, b, z, height_m=shell.wall_m, openings=openings, parent=shell.node.name)


def _span(inner: NDArray[np.float64], at: float, *, across: bool = True) -> tuple[float, float]:
    """Returns where a straight line through the inside enters and leaves it.

    Args:
        inner: (P, 2) in the room's frame.
        at: The x of a line along y if `across`, else the y of a line along x.
        across: Which way the line runs.
    """
    points = inner if across else inner[:, ::-1]
    a, b = points, np.roll(points, -1, 0)
    crossing = (a[:, 0] <= at) != (b[:, 0] <= at)
    a, b = a[crossing], b[crossing]
    cuts = np.sort(a[:, 1] + (at - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))
    widest = int(np.argmax(cuts[1::2] - cuts[0::2]))
    return float(cuts[2 * widest]), float(cuts[2 * widest + 1])


def _gallery(shell: Shell, hall: Furnisher) -> None:
    """Adds stairs along the left wall and a furnished storey above with a railing about the stairwell."""
    room, rise = shell.room, shell.storey_m + 0.02
    run = rise / _STAIR_SLOPE
    x1 = room.x1 - 1.6
    x0, y1 = x1 - run, room.y1
    y0 = y1 - _STAIR_WIDTH_M
    attributes: dict[str, JSON] = {"size": [round(run, 3), _STAIR_WIDTH_M, round(rise, 3)]}
    pose = room.pose(x0, (y0 + y1) / 2)
    shell.builder.add("stairs", pose, parent=shell.node.name, seed=0, attributes=attributes)
    wx, wy = room.world((x0 + x1) / 2, (y0 + y1) / 2)
    shell.builder.site.take(wx, wy, room.frame.yaw, (run, _STAIR_WIDTH_M + 0.1))
    hall.keep_clear(x0 - 1.6, y0, x0, y1)
    upper = replace(room, frame=room.frame.compose(Pose.at(0.0, 0.0, rise)))
    builder = shell.upper(room.corners)
    well = [(x0, y1), (x0, y0), (x1, y0), (x1, y1)]
    ring = [(room.x0, room.y0), (room.x1, room.y0), (room.x1, room.y1), *well[::-1], (room.x0, room.y1)]
    outline = [room.world(*corner) for corner in ring]
    builder.surface("floor", outline, upper.frame.position[2], "parquet", parent=shell.node.name, level=1)
    furnisher = Furnisher(builder, upper, shell.node.name, 1, shell.rng)
    for a, b in ((well[0], well[1]), (well[1], well[2])):
        _railing(furnisher, a, b)
    furnisher.keep_clear(x1, y0, room.x1, y1)
    furniture.gallery(furnisher)
    furnisher.place("museum", f"Gallery of {shell.title}", *room.middle, radius_m=1.5)


def _railing(furnisher: Furnisher, a: tuple[float, float], b: tuple[float, float]) -> None:
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    yaw = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    pose = furnisher.room.pose((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, yaw)
    params: dict[str, float | str] = {"length_m": round(length, 2), "height_m": 1.0, "style": "iron"}
    attributes: dict[str, JSON] = {"level": furnisher.level}
    furnisher.build.site.take(pose.position[0], pose.position[1], pose.yaw, (length, 0.1))
    furnisher.build.add("fence", pose, parent=furnisher.parent, params=params, attributes=attributes)
