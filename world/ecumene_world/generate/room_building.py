"""Building a room: from its cell and its furniture on paper to nodes of the graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Final

import numpy as np

from ecumene_world.generate.board import BODY_M, CELL_M, Board
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.fitting import Fitted, fitted, footprint, top_of
from ecumene_world.generate.posts import posts_in
from ecumene_world.generate.procedural import Procedural
from ecumene_world.generate.proposer import FLOOR, Brief, LayoutProposer, Proposal
from ecumene_world.generate.style import Style
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_PLACES: Final = {
    "private_office": "office",
    "open_office": "office",
    "meeting_room": "meeting",
    "cafe_kitchen": "kitchen",
    "guest_room": "cafe",
    "sales": "shop",
    "museum_hall": "museum",
}
"""Roles of places for roles of rooms that are called otherwise."""
_QUIET: Final = {"hall", "bathroom", "washroom", "store_room", "archive"}
"""Rooms that are no place to go to by themselves."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for beside the plan.

    Attributes:
        tags: See `style.COMMON` and the tags of each type.
        proposer: Furnishes the rooms whose role it knows; the procedural one does the rest.
    """

    tags: tuple[str, ...] = ()
    proposer: LayoutProposer | None = None


NO_WISH: Final = Wish()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a room's nodes go.

    Attributes:
        build: Adds them.
        room: Name of the room's node.
        title: What people call it.
        frame: World pose of the room's frame, at the height of its floor.
        level: Storey.
        height_m: To the ceiling.
    """

    build: Builder
    room: str
    title: str
    frame: Pose
    level: int
    height_m: float

    def attributes(self, more: dict[str, JSON] | None = None) -> dict[str, JSON]:
        """Returns attributes with the storey, unless it is the ground floor."""
        return {**(more or {}), **({"level": self.level} if self.level else {})}

    def pose(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Pose:
        """Returns a pose of the room's frame in the world."""
        return self.frame.compose(Pose.at(x, y, z, yaw))


def furnish(spot: Spot, brief: Brief, style: Style, wish: Wish) -> Fitted:
    """Furnishes a room, gives it its place and its posts; returns what stands in it."""
    proposals = wish.proposer.propose(brief) if wish.proposer is not None else None
    if proposals is None:
        proposals = Procedural(style).propose(brief) or []
    result = fitted(brief, proposals, brief.seed)
    names = [_added(spot, result.things, thing, style) for thing in result.things]
    for thing, name in zip(result.things, names, strict=True):
        if thing.support != FLOOR:
            spot.build.graph.relate(name, "on", names[thing.support])
        if thing.faces >= 0:
            spot.build.graph.relate(name, "facing", names[thing.faces])
    _places(spot, brief, result)
    return result


def _added(spot: Spot, things: tuple[Proposal, ...], thing: Proposal, style: Style) -> str:
    """Adds one thing; returns its name."""
    attributes = dict(thing.attributes)
    params = dict(thing.params)
    z = thing.z
    if thing.support != FLOOR:
        under = things[thing.support]
        dx, dy = thing.x - under.x, thing.y - under.y
        c, s = np.cos(under.yaw), np.sin(under.yaw)
        z = under.z + top_of(under, float(c * dx + s * dy), float(c * dy - s * dx))
    if thing.kind == "wall":
        attributes["colour"] = style.palette.wall
    pose = spot.pose(round(thing.x, 3), round(thing.y, 3), round(z, 4), round(thing.yaw, 5))
    node = spot.build.add(
        thing.kind, pose, parent=spot.room, seed=thing.seed, params=params, attributes=spot.attributes(attributes)
    )
    return node.name


def _places(spot: Spot, brief: Brief, result: Fitted) -> None:
    """Adds the room's place, where there is most room to stand near its middle, and a post for each job."""
    if brief.role not in _QUIET:
        x, y, radius = _standing_room(brief, result)
        role = _PLACES.get(brief.role, brief.role)
        spot.build.place(role, spot.title, spot.pose(x, y), radius, parent=spot.room, level=spot.level)
    for post in posts_in(brief.role, result.things):
        title = f"{post.job.title()} of {spot.title}"
        pose = spot.pose(post.x, post.y, 0.0, post.yaw)
        spot.build.place(post.job, title[:100], pose, 0.8, parent=spot.room, level=spot.level)


def _standing_room(brief: Brief, result: Fitted) -> tuple[float, float, float]:
    """Returns the free point nearest to the middle of a room, and the radius of its place, metres."""
    board = Board(brief)
    board.taken += [box for thing in result.things if (box := footprint(thing)) is not None]
    free, x0, y0 = board.walkable()
    middle = (board.x0 + board.x1) / 2, (board.y0 + board.y1) / 2
    rows, columns = np.nonzero(free)
    radius = min(3.0, max(1.0, hypot(board.x1 - board.x0, board.y1 - board.y0) / 4))
    if not len(rows):
        return *middle, radius
    x, y = x0 + columns * CELL_M, y0 + rows * CELL_M
    within = (x > board.x0 + BODY_M) & (x < board.x1 - BODY_M) & (y > board.y0 + BODY_M) & (y < board.y1 - BODY_M)
    best = int(np.argmin((x - middle[0]) ** 2 + (y - middle[1]) ** 2 + 1e6 * ~within))
    return round(float(x[best]), 2), round(float(y[best]), 2), round(radius, 2)
