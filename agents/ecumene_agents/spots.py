"""Spots: where at a place one can stand without standing on others, and which seats are free."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, pi, sin, sqrt
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_agents.chance import number
from ecumene_sim.things import REACH_M
from ecumene_world.grid import Surface, components, nearest, sample
from ecumene_world.kinds import Interaction
from ecumene_world.layout import Layout

TRIED: Final = 48
"""Points of a spiral tried at each place."""
ROOM_M: Final = 0.45
"""Clearance that a spot has."""
WIDEST_M: Final = 9.0
"""Spots are at most this far from the middle of their place."""
APART_M: Final = 0.8
"""How far from others' spots one chooses one's own."""
EASE_M: Final = 0.7
"""Clearance of points in the open."""
MARGIN_M: Final = 0.1
"""Seats must be this much nearer to their approach than one reaches: nobody stops at the very spot."""
SIGHT_STEP_M: Final = 0.15
"""Spacing, or less, of the points at which it is seen whether a wall is between two others."""
WALL_M: Final = 0.05
"""Who is this near something tall is in it."""
NEAR_NODES: Final = 2
"""So many nodes around a point belong to it: who leans on a wall stands where no path goes."""
_BODY_M: Final = 0.3
_GOLDEN: Final = pi * (3 - sqrt(5))

Point = tuple[float, float, float]


class Spots:
    """Spots and seats of one layout, and its places as plain lists: a tensor takes longer to read one number from.

    Attributes:
        layout: Which.
        place_name: Node name of each place.
        place_point: Its middle, m; also place_level and place_radius (m).
        seat_things: Thing index of each seat; also seat_approach (m) and seat_level.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        parts = components(layout.clearance.cpu().numpy(), layout.next_level.cpu().numpy(), _BODY_M)
        self._part = torch.from_numpy(parts).to(layout.device)
        self.place_name = [layout.names[row] for row in layout.place_row.tolist()]
        self.place_point: list[Point] = [(x, y, z) for x, y, z in layout.place_position.tolist()]
        self.place_level: list[int] = layout.place_level.tolist()
        self.place_radius: list[float] = layout.place_radius.tolist()
        self._of_place = self._spirals()
        self.seat_things = layout.seat_thing.tolist()
        self.seat_approach: list[Point] = [(x, y, z) for x, y, z in layout.seat_approach.tolist()]
        self.seat_level: list[int] = layout.thing_level[layout.seat_thing].tolist() if self.seat_things else []
        rows = [(x, y, level) for (x, y, _), level in zip(self.seat_approach, self.seat_level, strict=True)]
        self._seats = np.array(rows, np.float64).reshape(-1, 3)
        self._handy = _handy(layout)
        self._open: NDArray[np.int64] | None = None

    def standing(self, place: int, taken: Sequence[Point], seed: int, *words: object) -> Point | None:
        """Returns a point at a place for whoever the words name, apart from the points taken; None if it is full."""
        spots = self._of_place[place]
        first = int(number(seed, place, *words) * len(spots))
        return next((spot for spot in (*spots[first:], *spots[:first]) if _apart(spot, taken, APART_M)), None)

    def room(self, place: int, apart_m: float) -> int:
        """Returns how many can stand at a place at least so far apart."""
        chosen: list[Point] = []
        for spot in self._of_place[place]:
            if _apart(spot, chosen, apart_m):
                chosen.append(spot)
        return len(chosen)

    def standings(self, place: int) -> list[Point]:
        """Returns all points of a place at which one can stand, at least one."""
        return self._of_place[place]

    def in_the_open(self, share: float) -> tuple[Point, int]:
        """Returns a point with its storey from all streets and squares, or from all floors where there are none.

        Args:
            share: Which of them, 0..1 (1 excluded); each is as likely as any other.
        """
        if self._open is None:
            self._open = self._ways()
        level, iy, ix = self._open[int(share * len(self._open))].tolist()
        (x0, y0), cell_m = self.layout.origin, self.layout.cell_m
        return (x0 + cell_m * ix, y0 + cell_m * iy, float(self.layout.floor[level, iy, ix])), level

    def _ways(self) -> NDArray[np.int64]:
        """Returns (n, 3) storey, row and column of the nodes in the open, of the largest connected part."""
        layout = self.layout
        there = self._part == 1
        roomy = there & (layout.clearance >= EASE_M)
        public = roomy & ((layout.surface == Surface.STREET) | (layout.surface == Surface.SQUARE))
        chosen = next(nodes for nodes in (public, roomy, there) if bool(nodes.any()))
        return chosen.nonzero().cpu().numpy()

    def parts(self, xy: Tensor, level: Tensor) -> Tensor:
        """Returns which connected parts of the world M points, and those up to two nodes away, are in.

        Args:
            xy: (M, 2) m.
            level: (M,) storeys.

        Returns:
            (M, 25) i64, 0 in walls and off the map.
        """
        near = torch.arange(-NEAR_NODES, NEAR_NODES + 1, device=xy.device)
        cell = ((xy - xy.new_tensor(self.layout.origin)) / self.layout.cell_m).clamp(-1e6, 1e6).round().long()
        column, row = cell[:, :1, None] + near, cell[:, 1:, None] + near[:, None]
        height, width = self._part.shape[1:]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        found = self._part[level[:, None, None], row.clamp(0, height - 1), column.clamp(0, width - 1)]
        return (found * inside).flatten(1).long()

    def seats(self, near: Point, level: int, within_m: float) -> list[int]:
        """Returns the seats within reach of their approach, if that is near a point of a storey, nearest first."""
        away = np.hypot(self._seats[:, 0] - near[0], self._seats[:, 1] - near[1])
        within = np.flatnonzero((away <= within_m) & (self._seats[:, 2] == level) & self._handy)
        return [int(seat) for seat in within[np.argsort(away[within], kind="stable")]]

    def _spirals(self) -> list[list[Point]]:
        """Returns, for each place, points of a spiral over it where one can stand and walk to from its middle.

        No wall is between them and the middle, unless that is so of all.
        """
        layout = self.layout
        middle, level = layout.place_position[:, None], layout.place_level[:, None]
        radius = layout.place_radius.clamp(1.2, WIDEST_M)
        turns = [(sqrt((i + 0.5) / TRIED), i * _GOLDEN) for i in range(TRIED)]
        offsets = torch.tensor([(r * cos(a), r * sin(a)) for r, a in turns], device=layout.device)
        xy = middle[..., :2] + radius[:, None, None] * offsets
        storey = level.expand(xy.shape[:2])
        height = sample(layout, layout.floor, storey, xy)
        good = sample(layout, layout.clearance, storey, xy) >= ROOM_M
        good &= nearest(layout, self._part, storey, xy) == nearest(layout, self._part, level, middle[..., :2])
        good &= (height - middle[..., 2]).abs() < 1.5
        seen = good & _seen(layout, level, middle[..., :2], xy)
        good = torch.where(seen.any(dim=1, keepdim=True), seen, good)
        points = torch.cat((xy, height[..., None]), dim=-1)
        return [
            [(x, y, z) for x, y, z in spots[kept].tolist()] or [point]
            for spots, kept, point in zip(points, good, self.place_point, strict=True)
        ]


def _seen(layout: Layout, level: Tensor, middle: Tensor, xy: Tensor) -> Tensor:
    """Returns (P, n) bool: nothing tall is between the middle (P, 1, 2) of a place and each of its points (P, n, 2)."""
    free = torch.ones(xy.shape[:2], dtype=torch.bool, device=xy.device)
    for share in torch.linspace(0.0, 1.0, round(WIDEST_M / SIGHT_STEP_M)).tolist():
        at = torch.lerp(middle, xy, share)
        free &= sample(layout, layout.tall_clearance, level.expand(free.shape), at) > WALL_M
    return free


def _apart(point: Point, others: Sequence[Point], least_m: float) -> bool:
    """Tells whether a point is at least so far from all others along the ground."""
    return all(hypot(point[0] - x, point[1] - y) >= least_m for x, y, _ in others)


def _handy(layout: Layout) -> NDArray[np.bool_]:
    """Returns which seats somebody at their approach can sit down on: chairs may stand far under a table."""
    away = (layout.seat_approach - layout.seat_position)[:, :2].norm(dim=1).cpu().numpy()
    kinds = layout.thing_interaction[layout.seat_thing].tolist()
    reach = np.array([REACH_M[Interaction(kind)] for kind in kinds], np.float64)
    handy: NDArray[np.bool_] = away <= reach - MARGIN_M
    return handy
