"""The drawing board: what stands where in one room, exactly, in the room's frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecumene_world.generate.proposer import Brief, Doorway, Side

TOUCH_M: Final = 0.015
"""Boxes may overlap by this much and still count as touching."""
BODY_M: Final = 0.43
"""Half the width of a way that a person and the walkable grid can make use of, nearly however the grid lies to it.

The grid's nodes are a quarter of a metre apart and hang together by their four neighbours, so what is sure is 0.37 m
along its lines and 0.42 m aslant, and clearances are exact to a few centimetres on either raster.
"""
CELL_M: Final = 0.05
"""Of the raster on which ways are looked for; distances on it are at most 0.05 m too large."""
_SPOT_M: Final = 0.15
_DOOR_DEPTH_M: Final = 1.15
_REACH_M: Final = 0.85
"""What is used must have walkable floor within this of its outline,"""
_ARM_M: Final = 1.2
"""or, where it is small, within this of its middle."""
_DOOR_M2: Final = 50.0
"""A door that can't be walked to counts as so much lost floor."""
_POCKET_M2: Final = 0.35
"""A walled-in piece of floor smaller than this is nobody's loss."""


@dataclass(frozen=True, slots=True)
class Box:
    """A turned rectangle: middle, direction of its length and half extents along and across it, metres."""

    x: float
    y: float
    yaw: float
    along: float
    across: float

    @property
    def reach(self) -> float:
        """Half the diagonal."""
        return hypot(self.along, self.across)

    def grown(self, margin_m: float) -> Box:
        """Returns the rectangle with a margin."""
        return Box(self.x, self.y, self.yaw, self.along + margin_m, self.across + margin_m)

    def extent(self) -> tuple[float, float]:
        """Returns half extents along the room's x and y."""
        c, s = abs(cos(self.yaw)), abs(sin(self.yaw))
        return c * self.along + s * self.across, s * self.along + c * self.across


def overlap(a: Box, b: Box, touch_m: float = TOUCH_M) -> bool:
    """Tells whether two rectangles overlap by more than `touch_m`, by the separating axes of both."""
    dx, dy = b.x - a.x, b.y - a.y
    if hypot(dx, dy) > a.reach + b.reach:
        return False
    turn = b.yaw - a.yaw
    c, s = abs(cos(turn)), abs(sin(turn))
    for box, other, sign in ((a, b, 1.0), (b, a, -1.0)):
        cy, sy = cos(box.yaw), sin(box.yaw)
        u, v = sign * (dx * cy + dy * sy), sign * (dy * cy - dx * sy)
        if abs(u) > box.along + c * other.along + s * other.across - touch_m:
            return False
        if abs(v) > box.across + s * other.along + c * other.across - touch_m:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Lost:
    """What of a room can't be walked to.

    Attributes:
        area_m2: Floor, a door that is cut off counting as 50 m².
        missed: How many of the things that are used.
        points: Where it comes nearest to what can be walked to; without such floor, doors, or else things.
    """

    area_m2: float
    missed: int
    points: tuple[tuple[float, float], ...]


class Board:
    """One room's floor: what is taken, and what must stay clear."""

    def __init__(self, brief: Brief) -> None:
        self.x0, self.y0, self.x1, self.y1 = brief.bounds
        self.doors = brief.doors
        self.windowed = brief.windowed
        self.taken = [
            Box((x0 + x1) / 2, (y0 + y1) / 2, 0.0, (x1 - x0) / 2, (y1 - y0) / 2) for x0, y0, x1, y1 in brief.blocked
        ]
        self.ways: list[Box] = []
        for door in brief.doors:
            middle = _DOOR_DEPTH_M / 2
            x, y = door.x + middle * cos(door.yaw), door.y + middle * sin(door.yaw)
            self.ways.append(Box(x, y, door.yaw, middle, max(door.width_m, 0.9) / 2 + 0.05))

    def holds(self, box: Box) -> bool:
        """Tells whether a box lies inside the room."""
        ex, ey = box.extent()
        return (
            self.x0 - TOUCH_M <= box.x - ex
            and box.x + ex <= self.x1 + TOUCH_M
            and self.y0 - TOUCH_M <= box.y - ey
            and box.y + ey <= self.y1 + TOUCH_M
        )

    def fits(self, box: Box) -> bool:
        """Tells whether a box stands free, off the ways that stay clear."""
        return self.holds(box) and not any(overlap(box, other) for other in (*self.taken, *self.ways))

    def is_open(self, box: Box) -> bool:
        """Tells whether a box can be walked: inside the room, nothing on it."""
        return self.holds(box) and not any(overlap(box, other) for other in self.taken)

    def spot(self, box: Box, near: tuple[float, float], aisle_m: float) -> tuple[float, float] | None:
        """Returns where the middle of a box fits, nearest to a point; None if it fits nowhere.

        Args:
            box: Its direction and size.
            near: Where it is wanted.
            aisle_m: How far it keeps from what is taken already; walls may be nearer.
        """
        ex, ey = box.extent()
        x, y = np.meshgrid(
            np.arange(self.x0 + ex + 0.02, self.x1 - ex - 0.02, _SPOT_M),
            np.arange(self.y0 + ey + 0.02, self.y1 - ey - 0.02, _SPOT_M),
        )
        points = np.column_stack([x.ravel(), y.ravel()])
        free = np.ones(len(points), bool)
        for others, margin in ((self.taken, aisle_m), (self.ways, 0.0)):
            for other in others:
                free &= ~_overlaps(box.grown(margin), other, points)
        if not free.any():
            return None
        points = points[free]
        best = points[int(np.argmin(((points - np.array(near)) ** 2).sum(1)))]
        return float(best[0]), float(best[1])

    def spans(self, side: Side, deep_m: float, front_m: float, *, tall: bool = False) -> list[tuple[float, float]]:
        """Returns the free stretches along a side's wall, as distances from its right end seen from the room's middle.

        Args:
            side: Which wall.
            deep_m: How deep the thing is that shall stand there.
            front_m: Length of the way before it that must be open.
            tall: Whether it would hide a window.
        """
        if tall and side in self.windowed:
            return []
        low, high = (self.y0, self.y1) if side in {"front", "back"} else (self.x0, self.x1)
        blocked: list[tuple[float, float]] = []
        for boxes, depth in ((self.taken, deep_m + front_m), (self.ways, deep_m)):
            for box in boxes:
                ex, ey = box.extent()
                gap = {
                    "front": box.x - ex - self.x0,
                    "back": self.x1 - box.x - ex,
                    "right": box.y - ey - self.y0,
                    "left": self.y1 - box.y - ey,
                }[side]
                if gap < depth - TOUCH_M:
                    blocked.append((box.y - ey, box.y + ey) if side in {"front", "back"} else (box.x - ex, box.x + ex))
        free, start = [], low
        for a, b in sorted(blocked):
            if a > start + 0.05:
                free.append((start, min(a, high)))
            start = max(start, b)
        if high > start + 0.05:
            free.append((start, high))
        return free

    def walkable(self) -> tuple[NDArray[np.bool_], float, float]:
        """Returns (H, W) where the middle of a person can be, and the x, y of its first cell, door ways included."""
        margin = 0.6
        columns = round((self.x1 - self.x0 + 2 * margin) / CELL_M)
        rows = round((self.y1 - self.y0 + 2 * margin) / CELL_M)
        x = self.x0 - margin + (np.arange(columns, dtype=np.float64) + 0.5) * CELL_M
        y = self.y0 - margin + (np.arange(rows, dtype=np.float64) + 0.5) * CELL_M
        open_ = (y[:, None] > self.y0) & (y[:, None] < self.y1) & (x > self.x0) & (x < self.x1)
        for door in self.doors:
            open_ |= _inside(x, y, Box(door.x, door.y, door.yaw, 0.5, door.width_m / 2))
        for box in self.taken:
            open_ &= ~_inside(x, y, box)
        free = np.asarray(ndimage.distance_transform_edt(open_)) * CELL_M > BODY_M
        return free, float(x[0]), float(y[0])

    def lost(self, used: Iterable[tuple[int, Box]]) -> Lost:
        """Returns what of the floor, and which of the used things, can't be walked to from the first door.

        Args:
            used: Key and box of each thing that somebody must be able to walk up to.
        """
        used = tuple(used)
        free, x0, y0 = self.walkable()
        labels, count = ndimage.label(free)
        if not count:
            return Lost(float("inf"), len(used), tuple((box.x, box.y) for _, box in used))
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        main = int(np.argmax(sizes))
        at = [self._label(labels, door, x0, y0) for door in self.doors]
        if at and at[0]:
            main = at[0]
        away = np.asarray(ndimage.distance_transform_edt(labels != main)) * CELL_M
        cut_off = [door for door, label in zip(self.doors, at, strict=True) if label != main]
        missed = [box for _, box in used if not self._near(away, box, x0, y0)]
        pockets = np.flatnonzero((np.arange(len(sizes)) != main) & (sizes * CELL_M**2 > _POCKET_M2))
        points = [(x0 + column * CELL_M, y0 + row * CELL_M) for row, column in _nearest(away, labels, pockets.tolist())]
        points = points or [(door.x, door.y) for door in cut_off] or [(box.x, box.y) for box in missed]
        area = float(sizes[pockets].sum()) * CELL_M**2 + _DOOR_M2 * len(cut_off)
        return Lost(round(area, 2), len(missed), tuple(points))

    def _label(self, labels: NDArray[np.integer], door: Doorway, x0: float, y0: float) -> int:
        """Returns which connected piece of floor lies half a metre behind a door."""
        row = round((door.y + 0.5 * sin(door.yaw) - y0) / CELL_M)
        column = round((door.x + 0.5 * cos(door.yaw) - x0) / CELL_M)
        height, width = labels.shape
        return int(labels[min(max(row, 0), height - 1), min(max(column, 0), width - 1)])

    def _near(self, away: NDArray[np.float64], box: Box, x0: float, y0: float) -> bool:
        """Tells whether walkable floor lies near some point of a box's outline."""
        c, s = cos(box.yaw), sin(box.yaw)
        for u, v in ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 0.6), (1, -0.6)):
            x = box.x + u * box.along * c - v * box.across * s
            y = box.y + u * box.along * s + v * box.across * c
            row, column = round((y - y0) / CELL_M), round((x - x0) / CELL_M)
            within = 0 <= row < away.shape[0] and 0 <= column < away.shape[1]
            if within and away[row, column] < max(_REACH_M, _ARM_M - hypot(u * box.along, v * box.across)):
                return True
        return False


def _overlaps(box: Box, other: Box, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tells for which middles (n, 2) a box overlaps another, by the separating axes of both."""
    dx, dy = other.x - points[:, 0], other.y - points[:, 1]
    turn = other.yaw - box.yaw
    c, s = abs(cos(turn)), abs(sin(turn))
    hit = np.ones(len(points), bool)
    for one, two in ((box, other), (other, box)):
        cy, sy = cos(one.yaw), sin(one.yaw)
        hit &= np.abs(dx * cy + dy * sy) <= one.along + c * two.along + s * two.across - TOUCH_M
        hit &= np.abs(dy * cy - dx * sy) <= one.across + s * two.along + c * two.across - TOUCH_M
    return hit


def _nearest(away: NDArray[np.float64], labels: NDArray[np.integer], parts: list[int]) -> list[tuple[int, int]]:
    """Returns the cell of each of some parts of the floor that is nearest to where `away` is 0."""
    found = []
    for part in parts:
        cell = int(np.argmin(np.where(labels == part, away, np.inf)))
        found.append((cell // away.shape[1], cell % away.shape[1]))
    return found


def _inside(x: NDArray[np.floating], y: NDArray[np.floating], box: Box) -> NDArray[np.bool_]:
    """Returns (H, W) which cells lie in a box."""
    c, s = cos(box.yaw), sin(box.yaw)
    dx, dy = x - box.x, (y - box.y)[:, None]
    return np.asarray((abs(dx * c + dy * s) <= box.along) & (abs(dy * c - dx * s) <= box.across))
