"""The furnisher: arranges one room on a drawing board, piece by piece, and remembers what stands where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.generate.board import Board, Box
from ecumene_world.generate.builder import footprint_of
from ecumene_world.generate.proposer import FLOOR, Brief, Proposal, Side
from ecumene_world.generate.shapes import TAG, shape_of
from ecumene_world.generate.style import Style
from ecumene_world.graph import Node
from ecumene_world.mesh_of import asset_of
from ecumene_world.plain import JSON

Params = Mapping[str, float | str]
Attributes = Mapping[str, JSON]
SIDES: Final[tuple[Side, ...]] = ("left", "right", "back")
ROUND: Final[tuple[Side, ...]] = ("left", "right", "back", "front")
WALL_GAP_M: Final = 0.03
"""What stands against a wall stands this far from it."""
_TALL_M: Final = 1.25
_CORNER: Final = -1.0
_NONE: Final[Params] = {}
_PAINTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("table", "desk", "cabinet", "wardrobe", "bed", "bookcase", "shelf", "stool", "counter"), "wood"),
    **dict.fromkeys(("sofa", "rug"), "cloth"),
    **dict.fromkeys(("armchair",), "cloth 2"),
}


class Furnisher:
    """Furnishes one room; what finds no place is left out.

    Attributes:
        board: What is taken and what stays clear.
        items: What stands in the room so far.
        wide: Extent along y, left to right.
        deep: Extent along x, away from the door.
    """

    def __init__(self, brief: Brief, style: Style) -> None:
        self.brief = brief
        self.style = style
        self.board = Board(brief)
        self.items: list[Proposal] = []
        self.rng = np.random.default_rng([brief.seed, 17])
        self.deep, self.wide = self.board.x1 - self.board.x0, self.board.y1 - self.board.y0
        self._hung: dict[Side, list[tuple[float, float]]] = {side: [] for side in ROUND}

    @property
    def area(self) -> float:
        """Floor area, m²."""
        return self.deep * self.wide

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the room."""
        return (self.board.x0 + self.board.x1) / 2, (self.board.y0 + self.board.y1) / 2

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Returns a point by its shares of the room's depth and width, 0..1 each."""
        return self.board.x0 + u * self.deep, self.board.y0 + v * self.wide

    def chance(self, share: float) -> bool:
        """Tells, at random, yes in that share of cases."""
        return bool(self.rng.random() < share)

    def some(self, wanted: float) -> int:
        """Returns how many of something the room gets: a wanted number, made whole at random."""
        return int(wanted + self.rng.random())

    def wishes(self, tag: str) -> bool:
        """Tells whether a tag was asked for."""
        return tag in self.style.tags

    def painted(self, kind: str, params: Params, look: int) -> dict[str, float | str]:
        """Returns parameters with the style's colour and, if wished for, a learned shape; given ones win."""
        if TAG in self.style.tags:
            params = {**shape_of(kind, look), **params}
        which = _PAINTED.get(kind)
        palette = self.style.palette
        if which is None or "colour" in params:
            return dict(params)
        colour = palette.wood if which == "wood" else palette.cloth[0] if which == "cloth" else palette.cloth[1]
        return {**params, "colour": colour}

    def stand(  # noqa: PLR0913 - a thing, where it may stand and what it is
        self,
        kind: str,
        x: float,
        y: float,
        yaw: float = 0.0,
        *,
        front_m: float = 0.0,
        spare_m: float = 0.0,
        params: Params = _NONE,
        seed: int = -1,
        faces: int = -1,
        attributes: Attributes | None = None,
    ) -> int | None:
        """Stands a thing on the floor if there is room for it and a way before it; returns its index or None."""
        look = self._look(kind, seed)
        painted = self.painted(kind, params, look)
        box = box_of(kind, look, painted, x, y, yaw)
        if not self.board.fits(box.grown(spare_m)):
            return None
        if front_m:
            ahead = box.along + front_m / 2
            way = Box(box.x + ahead * cos(yaw), box.y + ahead * sin(yaw), yaw, front_m / 2, box.across)
            if not self.board.is_open(way):
                return None
            self.board.ways.append(way)
        self.board.taken.append(box)
        self.items.append(
            Proposal(kind, x, y, yaw, faces=faces, seed=look, params=painted, attributes=dict(attributes or {}))
        )
        return len(self.items) - 1

    def against(
        self,
        kind: str,
        sides: Sequence[Side] = SIDES,
        count: int = 1,
        *,
        at: float | None = None,
        front_m: float = 0.6,
        params: Params = _NONE,
        seed: int = -1,
        attributes: Attributes | None = None,
    ) -> list[int]:
        """Stands things with their backs to walls; returns their indices.

        Args:
            kind: What.
            sides: Walls to try, in order; each next thing begins with the next wall.
            count: How many.
            at: Share of the wall's length, 0..1, to be as near to as possible; -1 for its corners; random if None.
            front_m: Way kept clear before each.
            params: For the asset library.
            seed: Which variant; drawn if negative.
            attributes: Of the nodes.
        """
        found: list[int] = []
        for number in range(count):
            look = self._look(kind, seed)
            for turn in range(len(sides)):
                side = sides[(number + turn) % len(sides)]
                index = self._put(kind, side, at, front_m, params, look, attributes)
                if index is not None:
                    found.append(index)
                    break
        return found

    def row(
        self, kinds: Sequence[str], side: Side, *, start: float = 0.0, front_m: float = 0.9, seed: int = -1
    ) -> list[int]:
        """Stands things side by side along a wall, from its first free stretch that holds them all; else fewer."""
        look = self._look("row", seed)
        for count in range(len(kinds), 0, -1):
            chosen = kinds[:count]
            sizes = [footprint_of(kind, look, self.painted(kind, _NONE, look))[1] for kind in chosen]
            wide, deep = sum(size[1] for size in sizes) + 0.02 * count, max(size[0] for size in sizes)
            low, high = self._ends(side)
            for a, b in self.board.spans(side, deep + WALL_GAP_M, front_m):
                if b - a < wide:
                    continue
                at = a + min(max(start * (high - low), 0.0), b - a - wide)
                found = []
                for kind, size in zip(chosen, sizes, strict=True):
                    index = self._put_at(kind, side, at + size[1] / 2, front_m, _NONE, look, None)
                    if index is not None:
                        found.append(index)
                    at += size[1] + 0.02
                return found
        return []

    def group(  # noqa: PLR0913 - two kinds, where and how they look
        self,
        table: str,
        seat: str,
        seats: int,
        x: float,
        y: float,
        yaw: float = 0.0,
        *,
        params: Params = _NONE,
        seed: int = -1,
        gap_m: float = 0.08,
    ) -> int | None:
        """Stands a table with seats around it that face it; returns the table's index.

        Seats are spread over the table's sides by their length: a long table gets several on each.
        """
        look = self._look(table, seed)
        painted = self.painted(table, params, look)
        box = box_of(table, look, painted, x, y, yaw)
        chair = self._look(seat, seed)
        (_, _), (seat_deep, _) = footprint_of(seat, chair, self.painted(seat, _NONE, chair))
        reach = seat_deep + gap_m
        if not self.board.fits(replace(box, along=box.along + reach * 0.5, across=box.across + reach * 0.5)):
            return None
        index = self.stand(table, x, y, yaw, params=params, seed=look)
        if index is None:
            return None
        for u, v, turn in _around(box, seats, seat_deep / 2 + gap_m, desk=table == "desk"):
            sx = box.x + u * cos(yaw) - v * sin(yaw)
            sy = box.y + u * sin(yaw) + v * cos(yaw)
            self.seat(seat, sx, sy, yaw + turn, index, chair)
        return index

    def seat(self, kind: str, x: float, y: float, yaw: float, faces: int, seed: int) -> int | None:
        """Stands a seat so that the middle of its footprint is at a point, turned to a thing."""
        (mx, my), _ = footprint_of(kind, seed, self.painted(kind, _NONE, seed))
        ox, oy = x - mx * cos(yaw) + my * sin(yaw), y - mx * sin(yaw) - my * cos(yaw)
        return self.stand(kind, ox, oy, yaw, seed=seed, faces=faces)

    def upon(
        self, kind: str, support: int, dx: float = 0.0, dy: float = 0.0, *, attributes: Attributes | None = None
    ) -> int:
        """Puts a thing on top of another, off its middle by dx, dy in its frame."""
        under = self.items[support]
        x = under.x + dx * cos(under.yaw) - dy * sin(under.yaw)
        y = under.y + dx * sin(under.yaw) + dy * cos(under.yaw)
        yaw = float(self.rng.uniform(-pi, pi)) if kind in {"cup", "book", "ball"} else under.yaw
        look = self._look(kind, -1)
        self.items.append(Proposal(kind, x, y, yaw, support=support, seed=look, attributes=dict(attributes or {})))
        return len(self.items) - 1

    def hang(
        self,
        kind: str,
        side: Side,
        at: float,
        z: float,
        *,
        params: Params = _NONE,
        seed: int = -1,
        attributes: Attributes | None = None,
    ) -> int | None:
        """Hangs a thing on a wall, as near to a share of its length as there is room; None without any."""
        look = self._look(kind, seed)
        asset = asset_of(Node("thing", kind, seed=look, params=params))
        assert asset is not None, "what hangs comes from the asset library"
        wide, low = asset.size[1] + 0.1, z - asset.size[2] / 2
        blocked = [*self._hung[side], *self._tops(side, low), *self._door_spans(side)]
        start, end = self._ends(side)
        best: float | None = None
        for middle in np.linspace(start + wide / 2, end - wide / 2, 25).tolist() if end - start > wide else []:
            clear = all(middle + wide / 2 <= a or b <= middle - wide / 2 for a, b in blocked)
            wanted = start + at * (end - start)
            if clear and (best is None or abs(middle - wanted) < abs(best - wanted)):
                best = middle
        if best is None:
            return None
        self._hung[side].append((best - wide / 2, best + wide / 2))
        x, y, yaw = self._wall_point(side, best, 0.0)
        self.items.append(
            Proposal(kind, x, y, yaw, z, hung=True, seed=look, params=dict(params), attributes=dict(attributes or {}))
        )
        return len(self.items) - 1

    def rug(self, x: float, y: float, yaw: float = 0.0, *, params: Params = _NONE) -> None:
        """Lays a rug where it lies wholly in the room, unless the style does without; things may stand on it."""
        if not self.style.rugs:
            return
        look = self._look("rug", -1)
        painted = self.painted("rug", params, look)
        if self.board.holds(box_of("rug", look, painted, x, y, yaw).grown(0.05)):
            self.items.append(Proposal("rug", x, y, yaw, 0.005, seed=look, params=painted))

    def spot(
        self, along_m: float, across_m: float, near: tuple[float, float], yaw: float = 0.0, *, aisle_m: float = 0.0
    ) -> tuple[float, float] | None:
        """Returns the middle of the free rectangle nearest to a point, `aisle_m` off what stands; None without one."""
        return self.board.spot(Box(0.0, 0.0, yaw, along_m / 2, across_m / 2), near, aisle_m)

    def keep_clear(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Keeps a rectangle free of furniture."""
        self.board.ways.append(Box((x0 + x1) / 2, (y0 + y1) / 2, 0.0, abs(x1 - x0) / 2, abs(y1 - y0) / 2))

    def cells(self, step_x: float, step_y: float, margin_m: float = 0.9) -> list[tuple[float, float]]:
        """Returns the middles of an even grid of cells that fills the room but for a margin, nearest the door first."""
        xs = _even(self.board.x0 + margin_m, self.board.x1 - margin_m, step_x)
        ys = _even(self.board.y0 + margin_m, self.board.y1 - margin_m, step_y)
        return [(x, y) for x in xs for y in ys]

    def fill(self, pieces: Sequence[Callable[[float, float], object]], step_m: float, margin_m: float = 1.6) -> int:
        """Tries set pieces in turn on the cells of a grid; returns how many stood."""
        cells = self.cells(step_m, step_m, margin_m)
        share = min(1.0, 0.85 * self.style.density)
        stood = 0
        for x, y in cells:
            if self.chance(share):
                for turn in range(len(pieces)):
                    if pieces[(stood + turn) % len(pieces)](x, y) is not None:
                        stood += 1
                        break
        return stood

    def plants(self, wanted: float, sides: Sequence[Side] = ROUND) -> None:
        """Stands potted plants in corners and along walls."""
        for _ in range(self.some(wanted * self.style.plants)):
            self.against("potted_plant", sides, 1, at=_CORNER, front_m=0.0)

    def _put(
        self,
        kind: str,
        side: Side,
        at: float | None,
        front_m: float,
        params: Params,
        look: int,
        attributes: Attributes | None,
    ) -> int | None:
        """Stands one thing against one wall, as near to where it is wanted as the free stretches allow."""
        painted = self.painted(kind, params, look)
        _, (deep, wide) = footprint_of(kind, look, painted)
        asset = asset_of(Node("thing", kind, seed=look, params=painted))
        tall = asset is not None and asset.size[2] > _TALL_M
        low, high = self._ends(side)
        spans = [
            (a, b) for a, b in self.board.spans(side, deep + WALL_GAP_M, front_m, tall=tall) if b - a >= wide + 0.02
        ]
        if not spans:
            return None
        if at is None:
            span = spans[int(self.rng.integers(len(spans)))]
            middle = float(self.rng.uniform(span[0] + wide / 2, span[1] - wide / 2 + 1e-6))
            middle = _snapped(middle, span, wide)
        else:
            wanted = (low, high) if at == _CORNER else (low + at * (high - low),)
            options = [min(max(point, a + wide / 2 + 0.01), b - wide / 2 - 0.01) for a, b in spans for point in wanted]
            middle = min(options, key=lambda option: min(abs(option - point) for point in wanted))
            if at == _CORNER and len(options) > 1:
                ends = sorted(options, key=lambda option: min(abs(option - point) for point in wanted))[:2]
                middle = ends[int(self.rng.integers(2))]
        return self._put_at(kind, side, middle, front_m, params, look, attributes)

    def _put_at(
        self,
        kind: str,
        side: Side,
        middle: float,
        front_m: float,
        params: Params,
        look: int,
        attributes: Attributes | None,
    ) -> int | None:
        (mx, my), (deep, _) = footprint_of(kind, look, self.painted(kind, params, look))
        x, y, yaw = self._wall_point(side, middle, deep / 2 + WALL_GAP_M)
        ox, oy = x - mx * cos(yaw) + my * sin(yaw), y - mx * sin(yaw) - my * cos(yaw)
        return self.stand(kind, ox, oy, yaw, front_m=front_m, params=params, seed=look, attributes=attributes)

    def _ends(self, side: Side) -> tuple[float, float]:
        board = self.board
        return (board.y0, board.y1) if side in {"front", "back"} else (board.x0, board.x1)

    def _wall_point(self, side: Side, middle: float, off: float) -> tuple[float, float, float]:
        """Returns x, y and yaw of what is `off` from a wall and `middle` along it."""
        board = self.board
        return {
            "front": (board.x0 + off, middle, 0.0),
            "back": (board.x1 - off, middle, pi),
            "right": (middle, board.y0 + off, pi / 2),
            "left": (middle, board.y1 - off, -pi / 2),
        }[side]

    def _tops(self, side: Side, low_z: float) -> list[tuple[float, float]]:
        """Returns the stretches of a wall that furniture taller than a height hides."""
        found = []
        for item in self.items:
            if item.support != FLOOR or item.hung or item.kind == "rug":
                continue
            asset = asset_of(Node("thing", item.kind, seed=item.seed, params=item.params))
            if asset is None or asset.size[2] < low_z:
                continue
            box = box_of(item.kind, item.seed, item.params, item.x, item.y, item.yaw)
            ex, ey = box.extent()
            gap, along, reach = {
                "front": (box.x - ex - self.board.x0, box.y, ey),
                "back": (self.board.x1 - box.x - ex, box.y, ey),
                "right": (box.y - ey - self.board.y0, box.x, ex),
                "left": (self.board.y1 - box.y - ey, box.x, ex),
            }[side]
            if gap < 0.3:
                found.append((along - reach, along + reach))
        return found

    def _door_spans(self, side: Side) -> list[tuple[float, float]]:
        found = []
        for door in self.board.doors:
            gap = {
                "front": door.x - self.board.x0,
                "back": self.board.x1 - door.x,
                "right": door.y - self.board.y0,
                "left": self.board.y1 - door.y,
            }[side]
            if abs(gap) < 0.4:
                middle = door.y if side in {"front", "back"} else door.x
                found.append((middle - door.width_m / 2 - 0.1, middle + door.width_m / 2 + 0.1))
        return found

    def _look(self, kind: str, seed: int) -> int:
        """Returns a variant: as given, or one that all chairs of a building share."""
        if seed >= 0:
            return seed
        drawn = int(self.rng.integers(1 << 12))
        return self.style.looks if kind in {"chair", "desk", "shelf", "stool", "bookcase", "cabinet"} else drawn


def box_of(kind: str, seed: int, params: Params, x: float, y: float, yaw: float) -> Box:
    """Returns the footprint of a thing whose frame stands at a pose."""
    (mx, my), (deep, wide) = footprint_of(kind, seed, params)
    return Box(x + mx * cos(yaw) - my * sin(yaw), y + mx * sin(yaw) + my * cos(yaw), yaw, deep / 2, wide / 2)


def _around(box: Box, seats: int, off: float, *, desk: bool) -> list[tuple[float, float, float]]:
    """Returns offset along, offset across and turn of seats about a table, in its frame; a desk is sat at from +x."""
    if desk:
        return [(box.along + off, 0.0, pi), (-box.along - off, 0.0, 0.0)][:seats]
    sides = [
        (box.along + off, 1, pi, box.across),
        (-box.along - off, 1, 0.0, box.across),
        (box.across + off, 0, -pi / 2, box.along),
        (-box.across - off, 0, pi / 2, box.along),
    ]
    sides.sort(key=lambda side: -side[3])
    room = [max(1, int(2 * side[3] / 0.6)) for side in sides]
    given = [0, 0, 0, 0]
    for n in range(min(seats, sum(room))):
        pairs = (0, 1) if given[0] + given[1] < min(seats, room[0] + room[1]) else (2, 3)
        at = pairs[0] if given[pairs[0]] <= given[pairs[1]] else pairs[1]
        given[at if given[at] < room[at] else pairs[1] if at == pairs[0] else pairs[0]] += 1
        assert sum(given) == n + 1, "every seat is given a side"
    found = []
    for (offset, across, turn, half), count in zip(sides, given, strict=True):
        for n in range(count):
            along = ((n + 0.5) / count - 0.5) * 2 * half
            found.append((offset, along, turn) if across else (along, offset, turn))
    return found


def _snapped(middle: float, span: tuple[float, float], wide: float) -> float:
    """Returns a middle moved to the end of its free stretch if the gap left there would be of no use."""
    a, b = span
    if middle - wide / 2 - a < 0.45:
        return a + wide / 2 + 0.01
    if b - middle - wide / 2 < 0.45:
        return b - wide / 2 - 0.01
    return middle


def _even(low: float, high: float, step: float) -> list[float]:
    """Returns evenly spread stations from low to high, at least one if there is any room."""
    if high < low:
        return []
    count = int((high - low) / step + 1e-9) + 1
    if count == 1:
        return [(low + high) / 2]
    return [low + (high - low) * n / (count - 1) for n in range(count)]
