"""Walls with openings, and the doors that hang in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, hypot, pi
from typing import Final

import numpy as np

from ecumene_world.generate.builder import Builder
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

INNER_WALL_M: Final = 0.14
DOOR_WIDTH_M: Final = 0.95
DOOR_HEIGHT_M: Final = 2.1


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
    mark: bool = True,
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
        mark: Whether the builder's site is told.
    """
    length, yaw = hypot(b[0] - a[0], b[1] - a[1]), atan2(b[1] - a[1], b[0] - a[0])
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    if mark:
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
            _door(builder, node, opening, Pose.at(x, y, z, yaw - pi / 2), level, parent, mark=mark)
    return node


def _door(
    builder: Builder, wall_node: Node, opening: Opening, pose: Pose, level: int, parent: str | None, *, mark: bool
) -> None:
    """Hangs a door in its doorway and keeps both its sides clear."""
    x, y, _ = pose.position
    if mark:
        builder.site.free(x, y, pose.yaw, (0.6, opening.width_m))
        builder.site.keep_clear(x, y, pose.yaw, (2.4, opening.width_m + 0.1))
    attributes: dict[str, JSON] = {"level": level}
    if opening.title:
        attributes["title"] = opening.title
    params = {"width_m": round(opening.width_m - 0.1, 3), "height_m": round(opening.head_m - 0.06, 3)}
    node = builder.add("door", pose, parent=parent, params=params, attributes=attributes)
    builder.graph.relate(node.name, "part_of", wall_node.name)
