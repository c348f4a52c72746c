"""Things, their seats, and doors: what avatars use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ecumene_world.assets.asset import Asset
from ecumene_world.compiler.raster import Floats, Ints, Raster, Shapes, covered
from ecumene_world.compiler.rows import Rows, rotated
from ecumene_world.kinds import BY_CODE, Interaction, Motion

COARSE_M: Final = 4.0
"""Side of a coarse cell of `Layout.thing_of_cell`, metres."""
THINGS_PER_CELL: Final = 8
"""Nearest things listed for each coarse cell."""
SEATS_PER_THING: Final = 4
"""Most seats a thing can have."""
DOOR_REACH_M: Final = 1.25
"""A door is listed in `Layout.door_of_cell` up to this far from its leaf."""
DOOR_WIDTH_M: Final = 0.9
"""Width of a door that does not say how wide it is."""
KNEES_M: Final = 0.5
"""One comes to a seat from this far before it."""
_LISTED_M: Final = 6.0
"""Things further than this from the middle of a coarse cell are not listed for it."""


@dataclass(frozen=True, slots=True)
class Doors:
    """D doors.

    Attributes:
        row: (D,) node rows.
        segment: (D, 2, 2) end points of the closed leaves, metres.
        level: (D,) storeys.
        height: (D,) z of the doorsteps, metres.
    """

    row: Ints
    segment: Floats
    level: Ints
    height: Floats


@dataclass(frozen=True, slots=True)
class Seats:
    """S seats.

    Attributes:
        thing: (S,) thing indices, ascending.
        position: (S, 3) metres.
        yaw: (S,) radians.
        level: (S,) storeys.
    """

    thing: Ints
    position: Floats
    yaw: Floats
    level: Ints

    def take(self, which: NDArray[np.bool_]) -> Seats:
        """Returns some of the seats."""
        return Seats(self.thing[which], self.position[which], self.yaw[which], self.level[which])


def thing_rows(rows: Rows) -> Ints:
    """Returns (O,) the rows of all nodes that can be interacted with."""
    usable = [BY_CODE[int(code)].interaction is not Interaction.NONE for code in rows.kind]
    return np.flatnonzero(usable)


def doors_of(rows: Rows, assets: list[Asset | None]) -> Doors:
    """Returns all doors; a leaf runs along the longer side of its asset, or along +y."""
    found = np.array([row for row, code in enumerate(rows.kind) if BY_CODE[int(code)].motion is Motion.DOOR], np.int64)
    ends = [_leaf(rows, int(row), assets[row]) for row in found]
    segment = np.array(ends).reshape(-1, 2, 2)
    return Doors(found, segment, rows.level[found], rows.position[found, 2])


def door_of_cell(doors: Doors, raster: Raster, levels: int) -> NDArray[np.int16]:
    """Returns (L, H, W) the nearest door within `DOOR_REACH_M` of each node, else -1."""
    nearest = np.full((levels, *raster.shape), -1, np.int16)
    leaves = Shapes.segments(doors.segment[:, 0], doors.segment[:, 1])
    for iy, ix, door in covered(raster, leaves, DOOR_REACH_M):
        distance = leaves.distance(door, raster.position(iy, ix))
        order = np.argsort(-distance, kind="stable")
        nearest[doors.level[door[order]], iy[order], ix[order]] = door[order]
    return nearest


def seats_of(rows: Rows, things: Ints, assets: list[Asset | None]) -> Seats:
    """Returns the seats of all things, at most `SEATS_PER_THING` each."""
    entries = []
    for thing, row in enumerate(things):
        asset = assets[row]
        if asset is not None and BY_CODE[int(rows.kind[row])].interaction in (Interaction.SIT, Interaction.LIE):
            entries += [(thing, *seat.position, seat.yaw) for seat in asset.seats[:SEATS_PER_THING]]
    table = np.array(entries, np.float64).reshape(-1, 5)
    of = table[:, 0].astype(np.int64)
    at = things[of]
    position = rows.position[at] + rows.scale[at, None] * rotated(rows.rotation[at], table[:, 1:4])
    return Seats(of, position, rows.yaw[at] + table[:, 4], rows.level[at])


def seat_table(seats: Seats, things: int) -> Ints:
    """Returns (O, 4) seat indices of each thing, -1 padded."""
    table = np.full((things, SEATS_PER_THING), -1, np.int64)
    first = np.searchsorted(seats.thing, seats.thing)
    index = np.arange(len(seats.thing))
    table[seats.thing, index - first] = index
    return table


def thing_of_cell(position: Floats, level: Ints, raster: Raster, levels: int) -> NDArray[np.int32]:
    """Returns (L, h, w, 8) the nearest things of each coarse cell, nearest first, -1 padded.

    Args:
        position: (O, 2) metres.
        level: (O,) storeys.
        raster: The walkable grid; coarse cells cover it from its origin on.
        levels: L.
    """
    extent = np.array([raster.height - 1, raster.width - 1]) * raster.step_m
    height, width = (np.floor(extent / COARSE_M).astype(int) + 1).tolist()
    table = np.full((levels, height, width, THINGS_PER_CELL), -1, np.int32)
    iy, ix = np.mgrid[0:height, 0:width]
    middle = np.array(raster.origin) + COARSE_M * (np.stack([ix, iy], -1) + 0.5)
    for storey in range(levels):
        here = np.flatnonzero(level == storey)
        if len(here):
            near = cKDTree(position[here]).query(middle, k=THINGS_PER_CELL, distance_upper_bound=_LISTED_M)[1]
            table[storey] = np.append(here, -1)[near]
    return table


def _leaf(rows: Rows, row: int, asset: Asset | None) -> Floats:
    """Returns the end points (2, 2) of a door's closed leaf, metres."""
    width = rows.nodes[row].attributes.get("width_m")
    size = asset.size if asset is not None else (0.1, DOOR_WIDTH_M, 2.0)
    length = float(width) if isinstance(width, int | float) else max(size[0], size[1])
    axis = np.array([1.0, 0.0, 0.0]) if size[0] > size[1] else np.array([0.0, 1.0, 0.0])
    return rows.points(row, np.stack([-axis, axis]) * length / 2)[:, :2]
