"""Interiors: a building whose ground floor, and sometimes the next one, can be entered.

The building node keeps its real footprint and draws facade and roof; below it stand rooms with floors, walls, doors,
stairs and furniture. Rooms tile the largest rectangle inside the outer walls that the front door opens into; what is
left of the footprint is walled off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.buildings import storey_m
from ecumene_world.assets.polygon import area_m2, cleaned, inset
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.floorplan import LIMIT_M, WALL_M, Cell, FloorPlan, Link, Rect, divided
from ecumene_world.generate.plan import House
from ecumene_world.generate.proposer import Brief, Doorway, Side
from ecumene_world.generate.rectangle import contains, inscribed, is_convex, rastered
from ecumene_world.generate.room_building import NO_WISH, Spot, Wish, furnish
from ecumene_world.generate.style import Style, style_of
from ecumene_world.generate.walls import Opening, wall
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

OUTER_WALL_M: Final = 0.3
FLOOR_Z_M: Final = 0.14
_LEAST_ROOM_M: Final = 5.4
_DOOR_M: Final = 1.2
"""Clear width of a front door."""
_JAMB_M: Final = 0.05
"""How much wider than the front door the way in behind it is, on each side."""
_SILL_M: Final = 0.2
"""How far floors reach under the outer walls."""
_STAIR_WIDTH_M: Final = 1.5
_STAIR_SLOPE: Final = 0.62
_LANDING_M: Final = 1.7
_FOOT_M: Final = 1.0
"""Least way from the front wall to the foot of the stairs."""
_RISE_M: Final = 0.02
"""How much higher than a storey its upper floor lies."""
_TILED: Final = {
    "kitchen",
    "bathroom",
    "washroom",
    "hall",
    "cafe_kitchen",
    "kitchenette",
    "store_room",
    "waiting",
    "consulting",
}
_NAMES: Final = {"guest_room": "guest room", "sales": "sales floor", "museum_hall": "hall"}


@dataclass(frozen=True, slots=True)
class Shell:
    """A building made ready to be divided.

    Attributes:
        build: Adds nodes.
        node: The building.
        house: Its plan.
        frame: World pose of the entrance at the height of the floor; x runs inward.
        rect: x0, y0, x1, y1 between the outer walls, in the frame.
        inner: (P, 2) faces of the outer walls, in the frame.
        storey_m: Height of a storey.
        style: Colours and density.
        wish: Tags and proposer.
        rng: Of the building.
    """

    build: Builder
    node: Node
    house: House
    frame: Pose
    rect: Rect
    inner: NDArray[np.float64]
    storey_m: float
    style: Style
    wish: Wish
    rng: np.random.Generator

    @property
    def title(self) -> str:
        """What people call the building."""
        return self.house.title or self.house.use.title()


def suits(house: House) -> bool:
    """Tells whether a building can be entered: a door, a simple plan and room behind the door."""
    if house.entrance is None or not 40 < area_m2(house.polygon) < 1300 or house.height_m < 3.2:
        return False
    rect = _rectangle(house)
    return rect is not None and min(rect[2] - rect[0], rect[3] - rect[1]) >= _LEAST_ROOM_M


def enter(outside: Builder, house: House, seed: int, wish: Wish = NO_WISH) -> Node:
    """Adds a building that can be entered, furnished for its use; `suits` must hold.

    Returns:
        The place inside.
    """
    rect = _rectangle(house)
    assert rect is not None and house.entrance is not None, "checked by suits"  # noqa: PT018
    rng = np.random.default_rng([seed, house.seed])
    style = style_of(wish.tags, int(rng.integers(1 << 30)))
    plan = cleaned(house.polygon, 0.02)
    rect = _cropped(rect, house.use)
    rooms = divided(house.use, rect, style, rng)
    tall = storey_m(plan, house.height_m, house.seed, style=house.style)
    hall = min(rooms.cells[0].x1, rect[2]) - rect[0]
    storeys = 2 if house.use == "museum" and house.height_m > 8 and hall > _least_hall_m(tall) else 1
    node = _building(outside, house, plan, storeys, tall)
    frame = _frame(house)
    _outer_walls(outside, plan, house, node.name, storeys * tall - 0.12)
    back = frame.inverse()
    inner = np.array([back.apply((x, y, 0.0))[:2] for x, y in inset(plan, OUTER_WALL_M).tolist()])
    shell = Shell(outside, node, house, frame, rect, inner, tall, style, wish, rng)
    return _divided(shell, rooms, storeys)


def _divided(shell: Shell, plan: FloorPlan, storeys: int) -> Node:
    """Builds and furnishes the inside; returns the building's place."""
    _masonry(shell)
    stairs = _stairs(shell, plan) if storeys == 2 else None
    rooms = [_room(shell, cell, index) for index, cell in enumerate(plan.cells)]
    _walls(shell, plan, rooms)
    for index, cell in enumerate(plan.cells):
        blocked = stairs if index == 0 else None
        _furnished(shell, plan, index, rooms[index], _title(shell, cell), blocked)
    if stairs is not None:
        _upper_floor(shell, stairs)
    return _entrance(shell, rooms[0])


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


def _frame(house: House) -> Pose:
    assert house.entrance is not None, "only houses with a door are entered"
    x, y, yaw = house.entrance
    return Pose.at(x, y, FLOOR_Z_M, yaw + pi)


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
            mark=False,
        )


def _masonry(shell: Shell) -> None:
    """Fills what lies between the outer walls and the rooms, but for the way in, where that is more than a crack."""
    x0, y0, x1, y1 = shell.rect
    if area_m2(shell.inner) - (x1 - x0) * (y1 - y0) < 1.0:
        return
    from ecumene_world.importers.geometry import library, pieces

    geo = library()
    half = _DOOR_M / 2 + _JAMB_M
    open_ = geo.box(x0, y0, x1, y1).union(geo.box(0.0, -half, max(x0, 0.0) + 0.01, half))
    rest = geo.make_valid(geo.Polygon(shell.inner)).difference(open_)
    height = (2 if shell.node.attributes["storeys"] == 2 else 1) * shell.storey_m - 0.3
    for ring in pieces(rest, 400, 0.02):
        world = np.array([shell.frame.apply((x, y, 0.0))[:2] for x, y in ring.tolist()])
        x, y = ((world.min(0) + world.max(0)) / 2).tolist()
        attributes: dict[str, JSON] = {
            "polygon": np.round(world - [x, y], 3).tolist(),
            "height_m": round(height, 3),
            "colour": shell.style.palette.wall,
        }
        pose = Pose.at(x, y, FLOOR_Z_M)
        shell.build.add("wall", pose, name="masonry", parent=shell.node.name, seed=0, attributes=attributes)


def _room(shell: Shell, cell: Cell, index: int, level: int = 0, frame: Pose | None = None) -> str:
    """Adds a room with its floor; returns its name."""
    at = shell.frame if frame is None else frame
    x, y = (cell.x0 + cell.x1) / 2, (cell.y0 + cell.y1) / 2
    half = np.array([(cell.x1 - cell.x0) / 2, (cell.y1 - cell.y0) / 2])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    attributes: dict[str, JSON] = {"polygon": np.round(corners, 3).tolist(), "title": _title(shell, cell)}
    if level:
        attributes["level"] = level
    room = shell.build.add(
        "room",
        at.compose(Pose.at(x, y)),
        name=_title(shell, cell),
        parent=shell.node.name,
        seed=0,
        attributes=attributes,
    )
    if level == 0:
        _floor(shell, cell, room.name, front=index == 0)
    return room.name


def _floor(shell: Shell, cell: Cell, room: str, *, front: bool) -> None:
    """Lays a room's floor, which reaches a little under the outer walls and, behind the front door, to the doorstep."""
    x0, y0, x1, y1 = shell.rect
    low_x = cell.x0 - _SILL_M * (cell.x0 <= x0)
    low_y, high_y = cell.y0 - _SILL_M * (cell.y0 <= y0), cell.y1 + _SILL_M * (cell.y1 >= y1)
    high_x = cell.x1 + _SILL_M * (cell.x1 >= x1)
    ring = [(low_x, low_y), (high_x, low_y), (high_x, high_y), (low_x, high_y)]
    if front and low_x > 0.02:
        half = _DOOR_M / 2 + _JAMB_M
        ring = [(low_x, low_y), *ring[1:], (low_x, half), (0.0, half), (0.0, -half), (low_x, -half)]
    tiled = cell.role in _TILED
    palette = shell.style.palette
    x, y = (cell.x0 + cell.x1) / 2, (cell.y0 + cell.y1) / 2
    attributes: dict[str, JSON] = {
        "polygon": np.round(np.array(ring) - [x, y], 3).tolist(),
        "style": "tiles" if tiled else "parquet",
        "colour": palette.tiles if tiled else palette.floor,
    }
    shell.build.add("floor", shell.frame.compose(Pose.at(x, y)), parent=room, seed=0, attributes=attributes)


def _walls(shell: Shell, plan: FloorPlan, rooms: list[str]) -> None:
    """Adds a wall along the common edge of every two rooms, with the doors between them."""
    for a, first in enumerate(plan.cells):
        for b in range(a + 1, len(plan.cells)):
            edge = _shared(first, plan.cells[b])
            if edge is None:
                continue
            links = [link for link in plan.links if {link.a, link.b} == {a, b}]
            start, end = (shell.frame.apply((x, y, 0.0))[:2] for x, y in edge)
            along_y = edge[0][0] == edge[1][0]
            low = edge[0][1] if along_y else edge[0][0]
            openings = [Opening(link.at - low, link.width_m, 0.0, 2.15, door=link.leaf) for link in links]
            before = len(shell.build.graph)
            built = wall(
                shell.build,
                start,
                end,
                FLOOR_Z_M,
                height_m=shell.storey_m - 0.3,
                thickness_m=WALL_M,
                openings=openings,
                parent=shell.node.name,
                colour=shell.style.palette.wall,
                mark=False,
            )
            assert len(shell.build.graph) > before, "a wall is a node"
            for relation in shell.build.graph.relations(built.name):
                if relation.relation == "part_of":
                    for room in (rooms[a], rooms[b]):
                        shell.build.graph.relate(relation.subject, "door_to", room)


def _furnished(shell: Shell, plan: FloorPlan, index: int, room: str, title: str, blocked: Rect | None) -> None:
    """Furnishes one room."""
    cell = plan.cells[index]
    half = WALL_M / 2
    x0, y0, x1, y1 = shell.rect
    inside = (
        cell.x0 + half * (cell.x0 > x0),
        cell.y0 + half * (cell.y0 > y0),
        cell.x1 - half * (cell.x1 < x1),
        cell.y1 - half * (cell.y1 < y1),
    )
    doors = [Doorway(x0, 0.0, 0.0, _DOOR_M)] if index == 0 else []
    doors += [_doorway(link, index, plan, inside) for link in plan.links if index in (link.a, link.b)]
    turn = doors[0].yaw
    windowed = [side for side in ("front", "right", "back", "left") if _looks_out(shell, inside, side)]
    brief = _turned(cell.role, inside, doors, windowed, turn, blocked)
    brief = Brief(
        brief.role,
        brief.polygon,
        shell.storey_m - 0.3,
        brief.doors,
        brief.windowed,
        brief.blocked,
        tuple(sorted(shell.style.tags)),
        int(shell.rng.integers(1 << 30)),
    )
    frame = shell.frame.compose(Pose.at(0.0, 0.0, 0.0, turn))
    furnish(Spot(shell.build, room, title, frame, 0, shell.storey_m - 0.3), brief, shell.style, shell.wish)


def _turned(
    role: str, inside: Rect, doors: list[Doorway], windowed: list[str], turn: float, blocked: Rect | None
) -> Brief:
    """Returns a brief in the frame whose x runs in through the first door."""
    quarter = round(turn / (pi / 2)) % 4
    order: tuple[Side, ...] = ("front", "right", "back", "left")

    def rect(box: Rect) -> Rect:
        points = [_rotated(x, y, -quarter) for x in (box[0], box[2]) for y in (box[1], box[3])]
        xs, ys = zip(*points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    ways = []
    for door in doors:
        x, y = _rotated(door.x, door.y, -quarter)
        ways.append(Doorway(x, y, door.yaw - quarter * pi / 2, door.width_m))
    sides = tuple(order[(order.index(side) - quarter) % 4] for side in order if side in windowed)
    x0, y0, x1, y1 = rect(inside)
    polygon = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return Brief(role, polygon, 0.0, tuple(ways), sides, () if blocked is None else (rect(blocked),))


def _rotated(x: float, y: float, quarters: int) -> tuple[float, float]:
    """Returns a point turned counter-clockwise by quarter turns, exactly."""
    for _ in range(quarters % 4):
        x, y = -y, x
    return x, y


def _doorway(link: Link, index: int, plan: FloorPlan, inside: Rect) -> Doorway:
    """Returns a link as seen from one of its cells."""
    other = plan.cells[link.b if link.a == index else link.a]
    cell = plan.cells[index]
    x0, y0, x1, y1 = inside
    if other.x1 <= cell.x0 + 1e-6:
        return Doorway(x0, link.at, 0.0, link.width_m)
    if other.x0 >= cell.x1 - 1e-6:
        return Doorway(x1, link.at, pi, link.width_m)
    if other.y1 <= cell.y0 + 1e-6:
        return Doorway(link.at, y0, pi / 2, link.width_m)
    return Doorway(link.at, y1, -pi / 2, link.width_m)


def _looks_out(shell: Shell, inside: Rect, side: str) -> bool:
    """Tells whether a side of a room is an outer wall with something other than a house beyond it."""
    x0, y0, x1, y1 = inside
    share = np.array([0.2, 0.5, 0.8])
    ahead = {"front": (-1, 0), "back": (1, 0), "right": (0, -1), "left": (0, 1)}[side]
    edge = {"front": x0, "back": x1, "right": y0, "left": y1}[side]
    along = y0 + share * (y1 - y0) if ahead[0] else x0 + share * (x1 - x0)
    for at in along.tolist():
        px, py = (edge, at) if ahead[0] else (at, edge)
        if contains(shell.inner, px + 0.2 * ahead[0], py + 0.2 * ahead[1]):
            return False
        wx, wy, _ = shell.frame.apply((px + 1.3 * ahead[0], py + 1.3 * ahead[1], 0.0))
        if shell.build.site.style_at(wx, wy) in {"built", "outside"}:
            return False
    return True


def _least_hall_m(storey: float) -> float:
    """Returns how deep a hall must be for stairs up a storey, with room before and behind them."""
    return _FOOT_M + (storey + _RISE_M) / _STAIR_SLOPE + _LANDING_M + WALL_M / 2


def _stairs(shell: Shell, plan: FloorPlan) -> Rect:
    """Adds stairs along the left wall of the first room; returns what they take up, the way to them included."""
    hall, rise = plan.cells[0], shell.storey_m + _RISE_M
    run = rise / _STAIR_SLOPE
    x1 = min(hall.x1, shell.rect[2]) - _LANDING_M - WALL_M / 2
    x0, y1 = x1 - run, shell.rect[3]
    y0 = y1 - _STAIR_WIDTH_M
    attributes: dict[str, JSON] = {"size": [round(run, 3), _STAIR_WIDTH_M, round(rise, 3)]}
    pose = shell.frame.compose(Pose.at(x0, (y0 + y1) / 2))
    shell.build.add("stairs", pose, parent=shell.node.name, seed=0, attributes=attributes)
    return x0, y0, x1, y1


def _upper_floor(shell: Shell, stairs: Rect) -> None:
    """Adds a furnished storey above with a railing about the stairwell."""
    x0, y0, x1, y1 = shell.rect
    sx0, sy0, sx1, sy1 = stairs
    rise = shell.storey_m + _RISE_M
    frame = shell.frame.compose(Pose.at(0.0, 0.0, rise))
    cell = Cell("gallery", x0, y0, x1, y1)
    room = _room(shell, cell, 1, 1, frame)
    ring = [(x0, y0), (x1, y0), (x1, y1), (sx1, y1), (sx1, sy0), (sx0, sy0), (sx0, y1), (x0, y1)]
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    attributes: dict[str, JSON] = {
        "polygon": np.round(np.array(ring) - middle, 3).tolist(),
        "style": "parquet",
        "colour": shell.style.palette.floor,
        "level": 1,
    }
    pose = frame.compose(Pose.at(*middle.tolist()))
    shell.build.add("floor", pose, parent=room, seed=0, attributes=attributes)
    for a, b in (((sx0, sy1), (sx0, sy0)), ((sx0, sy0), (sx1, sy0))):
        _railing(shell, frame, room, a, b)
    polygon = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    landing = Doorway(sx1, (sy0 + sy1) / 2, 0.0, _STAIR_WIDTH_M - 0.2)
    brief = Brief(
        "gallery",
        polygon,
        shell.storey_m - 0.3,
        (landing,),
        (),
        ((sx0 - 0.1, sy0 - 0.1, sx1, sy1),),
        tuple(sorted(shell.style.tags)),
        int(shell.rng.integers(1 << 30)),
    )
    furnish(Spot(shell.build, room, f"Gallery of {shell.title}", frame, 1, 3.0), brief, shell.style, shell.wish)


def _railing(shell: Shell, frame: Pose, room: str, a: tuple[float, float], b: tuple[float, float]) -> None:
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    yaw = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    pose = frame.compose(Pose.at((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 0.0, yaw))
    params: dict[str, float | str] = {"length_m": round(length, 2), "height_m": 1.0, "style": "iron"}
    shell.build.add("fence", pose, parent=room, params=params, attributes={"level": 1})


def _entrance(shell: Shell, room: str) -> Node:
    """Adds the building's place behind the front door, and the way out; returns the place."""
    pose = shell.frame.compose(Pose.at(shell.rect[0] + 1.0, 0.0))
    role = "home" if shell.house.use == "apartment" else shell.house.use
    shell.build.place(
        "exit", f"Way out of {shell.title}", shell.frame.compose(Pose.at(0.9, 0.0, 0.0, pi)), 0.8, parent=room
    )
    return shell.build.place(role, shell.title, pose, 1.5, parent=room)


def _title(shell: Shell, cell: Cell) -> str:
    name = _NAMES.get(cell.role, cell.role.replace("_", " ")).capitalize()
    return f"{name} of {shell.title}"


def _cropped(rect: Rect, use: str) -> Rect:
    """Returns the part of a rectangle that a use needs, about the front door."""
    if use not in LIMIT_M:
        return rect
    deep, wide = LIMIT_M[use]
    x0, y0, x1, y1 = rect
    x1 = min(x1, x0 + deep)
    if y1 - y0 > wide:
        low = min(max(-wide / 2, y0), y1 - wide)
        y0, y1 = low, low + wide
    return x0, y0, x1, y1


@lru_cache(maxsize=512)
def _rectangle(house: House) -> Rect | None:
    """Returns the largest rectangle inside the walls that the front door opens into, in its frame; None without one."""
    if house.entrance is None:
        return None
    back = _frame(house).inverse()
    corners = inset(cleaned(house.polygon, 0.02), OUTER_WALL_M).tolist()
    local = np.array([back.apply((px, py, 0.0))[:2] for px, py in corners])
    found = inscribed(local) if is_convex(local) else rastered(local)
    if found is None:
        return None
    x0, y0, x1, y1 = (float(value) for value in np.round(found, 3))
    return (x0, y0, x1, y1) if x0 < 0.7 and y0 < -1.0 and y1 > 1.0 else None


def _shared(a: Cell, b: Cell) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Returns the ends of the common edge of two cells, None if they have none."""
    for x in ((a.x1, b.x0), (a.x0, b.x1)):
        low, high = max(a.y0, b.y0), min(a.y1, b.y1)
        if abs(x[0] - x[1]) < 1e-6 and high - low > 0.05:
            return (x[0], low), (x[0], high)
    for y in ((a.y1, b.y0), (a.y0, b.y1)):
        low, high = max(a.x0, b.x0), min(a.x1, b.x1)
        if abs(y[0] - y[1]) < 1e-6 and high - low > 0.05:
            return (low, y[0]), (high, y[0])
    return None


def _distance(point: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    along = b - a
    share = float(np.clip((point - a) @ along / max(float(along @ along), 1e-9), 0, 1))
    return float(np.hypot(*(a + along * share - point)))
