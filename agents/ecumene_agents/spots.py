"""Spots: where at a place one can stand without standing on others, and which seats are free."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.chance import number
from ecumene_world.grid import components, nearest, sample
from ecumene_world.layout import Layout

TRIED: Final = 48
"""Points of a spiral tried at each place."""
ROOM_M: Final = 0.45
"""Clearance that a spot has."""
WIDEST_M: Final = 9.0
"""Spots are at most this far from the middle of their place."""
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
        self._of_place: dict[int, list[Point]] = {}
        self.place_name = [layout.names[row] for row in layout.place_row.tolist()]
        self.place_point: list[Point] = [(x, y, z) for x, y, z in layout.place_position.tolist()]
        self.place_level: list[int] = layout.place_level.tolist()
        self.place_radius: list[float] = layout.place_radius.tolist()
        self.seat_things = layout.seat_thing.tolist()
        self.seat_approach: list[Point] = [(x, y, z) for x, y, z in layout.seat_approach.tolist()]
        self.seat_level: list[int] = layout.thing_level[layout.seat_thing].tolist() if self.seat_things else []
        rows = [(x, y, level) for (x, y, _), level in zip(self.seat_approach, self.seat_level, strict=True)]
        self._seats = np.array(rows, np.float64).reshape(-1, 3)

    def standing(self, place: int, seed: int, *words: object) -> Point:
        """Returns a point at a place for whoever the words name; the place's own point if there is no other."""
        spots = self._of_place.get(place)
        if spots is None:
            spots = self._of_place[place] = self._spiral(place)
        return spots[int(number(seed, place, *words) * len(spots))]

    def seats(self, near: Point, level: int, within_m: float) -> list[int]:
        """Returns the seats on a storey whose approach is near a point, nearest first."""
        away = np.hypot(self._seats[:, 0] - near[0], self._seats[:, 1] - near[1])
        within = np.flatnonzero((away <= within_m) & (self._seats[:, 2] == level))
        return [int(seat) for seat in within[np.argsort(away[within], kind="stable")]]

    def _spiral(self, place: int) -> list[Point]:
        """Returns the points of a spiral over the place where one can stand and that hang together with its middle."""
        layout = self.layout
        middle, level = layout.place_position[place], layout.place_level[place]
        radius = min(max(float(layout.place_radius[place]), 1.2), WIDEST_M)
        turns = [(radius * sqrt((i + 0.5) / TRIED), i * _GOLDEN) for i in range(TRIED)]
        offsets = torch.tensor([(r * cos(a), r * sin(a)) for r, a in turns], device=middle.device)
        xy, storey = middle[:2] + offsets, level.expand(TRIED)
        clear = sample(layout, layout.clearance, storey, xy) >= ROOM_M
        same = nearest(layout, self._part, storey, xy) == nearest(layout, self._part, level, middle[:2])
        near = (sample(layout, layout.floor, storey, xy) - middle[2]).abs() < 1.5
        good = clear & same & near
        return _points(layout, storey[good], xy[good]) or [tuple(middle.tolist())]


def _points(layout: Layout, level: Tensor, xy: Tensor) -> list[Point]:
    z = sample(layout, layout.floor, level, xy)
    return [(x, y, height) for (x, y), height in zip(xy.tolist(), z.tolist(), strict=True)]
