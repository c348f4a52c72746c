"""Rooms: walls with doorways, and furniture that stands where there is room for it.

A room is a rectangle in a frame of its own: x runs inward from the front side, y to the left, z up from the floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import atan2, hypot, pi
from typing import Final, Literal

import numpy as np

from ecumene_world.generate.builder import Builder, footprint_of
from ecumene_world.graph import Node
from ecumene_world.mesh_of import asset_of
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

Side = Literal["front", "back", "left", "right"]
Params = Mapping[str, float | str]
INNER_WALL_M: Final = 0.14
DOOR_WIDTH_M: Final = 0.95
DOOR_HEIGHT_M: Final = 2.1
_GAP_M: Final = 0.06
_TRIES: Final = 24
_NONE: Final[Params] = {}


@dataclass(frozen=True, slots=True)
class Room:
    """A rectangle x0..x1, y0..y1 in a frame, metres, between the faces of its walls.

    Attributes:
        frame: World pose of the frame's origin, at the height of the floor.
        x0: Front side.
        y0: Right side.
        x1: Back side.
        y1: Left side.
    """

    frame: Pose
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def size(self) -> tuple[float, float]:
        """Extents along x and y."""
        return self.x1 - self.x0, self.y1 - self.y0

    @property
    def middle(self) -> tuple[float, float]:
        """Middle in the frame."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Corners in the world, counter-clockwise."""
        ring = ((self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1))
        return [self.world(x, y) for x, y in ring]

    def world(self, x: float, y: float) -> tuple[float, float]:
        """Returns a point of the frame in the world."""
        wx, wy, _ = self.frame.apply((x, y, 0.0))
        return wx, wy

    def pose(self, x: float, y: float, yaw: float = 0.0, z: float = 0.0) -> Pose:
        """Returns an upright pose of the frame in the world."""
        return self.frame.compose(Pose.at(x, y, z, yaw))

    def inset(self, margin_m: float) -> Room:
        """Returns the room without a margin along its walls."""
        return replace(self, x0=self.x0 + margin_m, y0=self.y0 + margin_m, x1=self.x1 - margin_m, y1=self.y1 - margin_m)


class Furnisher:
    """Furnishes one room through a builder; what finds no place is left out."""

    def __init__(self, builder: Builder, room: Room, parent: str, level: int, rng: np.random.Generator) -> None:
        self.build = builder
        self.room = room
        self.parent = parent
        self.level = level
        self.rng = rng

    def stand(
        self,
        kind: str,
        x: float,
        y: float,
        yaw: float,
        *,
        front_m: float = 0.0,
        params: Params = _NONE,
        seed: int | None = None,
        attributes: Mapping[str, JSON] | None = None,
    ) -> Node | None:
        """Stands a thing at a point of the room's frame if there is room; returns it or None."""
        return self.build.stand(
            kind,
            self.room.pose(x, y, yaw),
            on=("floor",),
            spare_m=0.01,
            front_m=front_m,
            parent=self.parent,
            seed=seed,
            params=params,
            attributes=self._levelled(attributes),
        )

    def against(
        self,
        kind: str,
        sides: Sequence[Side],
        count: int = 1,
        *,
        front_m: float = 0.6,
        params: Params = _NONE,
        at: float | None = None,
        attributes: Mapping[str, JSON] | None = None,
    ) -> list[Node]:
        """Stands things with their backs to walls; `at` is how far along the side (0..1), random if None."""
        found: list[Node] = []
        for attempt in range(_TRIES * count):
            if len(found) == count:
                break
            seed = int(self.rng.integers(1 << 16))
            (mx, _), (deep, wide) = footprint_of(kind, seed, params)
            side = sides[attempt % len(sides)]
            share = float(self.rng.random()) if at is None or attempt >= len(sides) else at
            x, y, yaw = self._along(side, share, wide, deep / 2 - mx + _GAP_M)
            node = self.stand(kind, x, y, yaw, front_m=front_m, params=params, seed=seed, attributes=attributes)
            if node is not None:
                found.append(node)
        return found

    def hang(self, kind: str, side: Side, share: float, z: float, attributes: Mapping[str, JSON] | None = None) -> Node:
        """Hangs a thing on a wall at a height; it takes no ground."""
        x, y, yaw = self._along(side, share, 1.2, 0.02)
        return self.hung(kind, self.room.pose(x, y, yaw, z), attributes)

    def hung(self, kind: str, pose: Pose, attributes: Mapping[str, JSON] | None = None) -> Node:
        """Adds a thing that hangs at a world pose."""
        return self.build.add(kind, pose, parent=self.parent, attributes=self._levelled(attributes))

    def rug(self, x: float, y: float, yaw: float = 0.0) -> Node:
        """Lays a rug; things may stand on it."""
        pose = self.room.pose(x, y, yaw, 0.005)
        return self.build.add("rug", pose, parent=self.parent, attributes=self._levelled(None))

    def group(
        self,
        table: str,
        seat: str,
        seats: int,
        x: float,
        y: float,
        yaw: float = 0.0,
        *,
        params: Params = _NONE,
        looks: tuple[int, int] | None = None,
    ) -> Node | None:
        """Stands a table with seats around it that face it; returns the table.

        Args:
            table: Kind of the table.
            seat: Kind of the seats.
            seats: How many, up to 4.
            x: Of the table's middle in the room's frame.
            y: See x.
            yaw: Of the table.
            params: Of the table.
            looks: Seeds of table and seats; drawn if None.
        """
        seeds = looks or (int(self.rng.integers(1 << 16)), int(self.rng.integers(1 << 16)))
        node = self.stand(table, x, y, yaw, params=params, seed=seeds[0])
        if node is None:
            return None
        _, (deep, wide) = footprint_of(table, node.seed, params)
        _, (seat_deep, _) = footprint_of(seat, seeds[1], _NONE)
        for turn in _seat_turns(seats, wide > 1.3 * deep, table == "desk"):
            reach = (deep if turn % 2 == 0 else wide) / 2 + seat_deep / 2 + 0.17
            angle = yaw + turn * pi / 2
            at = (x + reach * float(np.cos(angle)), y + reach * float(np.sin(angle)))
            chair = self.stand(seat, *at, angle + pi, seed=seeds[1])
            if chair is not None:
                self.build.graph.relate(chair.name, "facing", node.name)
        return node

    def grid(
        self,
        table: str,
        seat: str,
        seats: int,
        step_m: float,
        margin_m: float = 1.1,
        looks: tuple[int, int] | None = None,
    ) -> list[Node]:
        """Fills the room with groups of a table and seats at even steps."""
        area = self.room.inset(margin_m)
        spots = [(x, y) for x in _even(area.x0, area.x1, step_m) for y in _even(area.y0, area.y1, step_m)]
        found = [self.group(table, seat, seats, x, y, looks=looks) for x, y in spots]
        return [node for node in found if node is not None]

    def upon(self, kind: str, support: Node, dx: float = 0.0, dy: float = 0.0) -> Node:
        """Puts a loose thing on top of another, which becomes its parent."""
        asset = asset_of(support)
        assert asset is not None, "furniture comes from the asset library"
        top = max((c.centre[2] + c.size[2] / 2 for c in asset.colliders), default=asset.size[2])
        pose = self.build.graph.world_pose(support.name).compose(Pose.at(dx, dy, top, float(self.rng.uniform(-pi, pi))))
        node = self.build.add(kind, pose, parent=self.parent, attributes=self._levelled(None))
        self.build.graph.relate(node.name, "on", support.name)
        return node

    def keep_clear(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Keeps a rectangle of the room's frame free of furniture."""
        x, y = self.room.world((x0 + x1) / 2, (y0 + y1) / 2)
        self.build.site.keep_clear(x, y, self.room.frame.yaw, (abs(x1 - x0), abs(y1 - y0)))

    def place(self, role: str, title: str, x: float, y: float, radius_m: float = 1.2) -> Node:
        """Adds somewhere to go in the room."""
        return self.build.place(role, title, self.room.pose(x, y), radius_m, parent=self.parent, level=self.level)

    def _along(self, side: Side, share: float, wide: float, off: float) -> tuple[float, float, float]:
        """Returns x, y and yaw of something whose middle is `off` from a wall, a share of the way along it."""
        room = self.room
        if side in {"front", "back"}:
            y = room.y0 + wide / 2 + 0.05 + share * max(room.size[1] - wide - 0.1, 0.0)
            return (room.x0 + off, y, 0.0) if side == "front" else (room.x1 - off, y, pi)
        x = room.x0 + wide / 2 + 0.05 + share * max(room.size[0] - wide - 0.1, 0.0)
        return (x, room.y0 + off, pi / 2) if side == "right" else (x, room.y1 - off, -pi / 2)

    def _levelled(self, attributes: Mapping[str, JSON] | None) -> dict[str, JSON]:
        return {**(attributes or {}), **({"level": self.level} if self.level else {})}


@dataclass(frozen=True, slots=True)
class Opening:
    """A hole in a wall: where its middle is along the wall, its width, sill and head, metres; a door if `door`."""

    middle: float
    width_m: float = DOOR_WIDTH_M
    sill_m: float = 0.0
    head_m: float = DOOR_HEIGHT_M
    door: bool = True
    title: str = ""


def wall(  # noqa: PLR0913 - a wall has two ends, three extents and holes
    builder: Builder,
    a: tuple[float, float],
    b: tuple[float, float],
    z: float,
    *,
    height_m: float,
    thickness_m: float = INNER_WALL_M,
    openings: Sequence[Opening] = (),
    parent: str | None = None,
    level: int = 0,
    drawn: bool = True,
    colour: str = "",
) -> Node:
    """Adds a wall from a to b with doors in its doorways, and marks its cells; returns the wall.

    Args:
        builder: Adds the nodes.
        a: One end, world metres.
        b: The other end.
        z: Height of the floor it stands on.
        height_m: Of the wall.
        thickness_m: Of the wall, half to each side of the line.
        openings: Holes along it, measured from `a`.
        parent: Of all nodes.
        level: Storey.
        drawn: Whether it has a look of its own; the walls of a building's shell have not.
        colour: Of the plaster, as '#rrggbb'; empty for the usual.
    """
    length, yaw = hypot(b[0] - a[0], b[1] - a[1]), atan2(b[1] - a[1], b[0] - a[0])
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    builder.site.take(*middle, yaw, (length, thickness_m))
    holes = [[o.middle - o.width_m / 2, o.width_m, o.sill_m, o.head_m] for o in openings]
    attributes: dict[str, JSON] = {
        "size": [round(length, 3), round(thickness_m, 3), round(height_m, 3)],
        "level": level,
        "openings": np.round(np.array(holes).reshape(-1, 4), 3).tolist(),
    }
    if not drawn:
        attributes["drawn"] = False
    if colour:
        attributes["colour"] = colour
    node = builder.add("wall", Pose.at(*middle, z, yaw), parent=parent, seed=0, attributes=attributes)
    for opening in openings:
        x = a[0] + (b[0] - a[0]) * opening.middle / length
        y = a[1] + (b[1] - a[1]) * opening.middle / length
        if opening.door:
            _door(builder, node, opening, Pose.at(x, y, z, yaw - pi / 2), level, parent)
    return node


def _door(builder: Builder, wall_node: Node, opening: Opening, pose: Pose, level: int, parent: str | None) -> None:
    """Hangs a door in its doorway and keeps both its sides clear."""
    x, y, _ = pose.position
    builder.site.free(x, y, pose.yaw, (0.6, opening.width_m))
    builder.site.keep_clear(x, y, pose.yaw, (2.4, opening.width_m + 0.1))
    attributes: dict[str, JSON] = {"level": level}
    if opening.title:
        attributes["title"] = opening.title
    params = {"width_m": round(opening.width_m - 0.1, 3), "height_m": round(opening.head_m - 0.06, 3)}
    node = builder.add("door", pose, parent=parent, params=params, attributes=attributes)
    builder.graph.relate(node.name, "part_of", wall_node.name)


def _seat_turns(seats: int, long: bool, desk: bool) -> list[int]:
    """Returns quarter turns at which seats stand about a table: opposite first, long sides first.

    A desk is worked at from its front, +x.
    """
    if desk:
        return [0, 2][:seats]
    order = [0, 2, 1, 3] if long else [1, 3, 0, 2]
    return order[:seats]


def _even(low: float, high: float, step: float) -> list[float]:
    """Returns evenly spread stations from low to high, at least one if there is any room."""
    if high < low:
        return []
    count = int((high - low) / step) + 1
    if count == 1:
        return [(low + high) / 2]
    return [low + (high - low) * n / (count - 1) for n in range(count)]
