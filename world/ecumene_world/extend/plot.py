"""Plots: where a district lies, which way it is turned, and the way that joins it to a street."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ecumene_world.compiler.raster import Floats
from ecumene_world.errors import GraphError, RequestError
from ecumene_world.extend.land import Land, bounds_of, obstructed, sampled
from ecumene_world.graph import SceneGraph
from ecumene_world.grid import Surface, components
from ecumene_world.layout import Layout

GAP_M: Final = 1.5
"""Left between a district and everything else."""
WAY_M: Final = 80.0
"""Longest way to a street."""
WIDTH_M: Final = 2.4
"""Of the way."""
_LEVEL_M: Final = 0.2
"""A district lies as high as it was drawn if its entrance is so near in height to the street."""
_ROOM_M: Final = 0.7
"""Clearance at both ends of the way."""
_DEEP_M: Final = 9.0
"""How far behind its edge a district's own ways may begin."""
_BODY_M: Final = 0.3
_PAVED: Final = (Surface.STREET, Surface.SQUARE)
_TRIES: Final = 400
_APART_M: Final = 9.0
"""Between the places that are tried: what bars the way to one often bars it to its neighbours."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where one can walk out of a district, in its own frame, metres.

    Attributes:
        landing: A point on its own ways.
        mouth: Straight ahead, outside its edge.
        z: Height of the landing.
        detour_m: How much longer a way from elsewhere may be to be as good.
    """

    landing: Point
    mouth: Point
    z: float
    detour_m: float


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a district lies; world frame, metres and radians.

    Attributes:
        centre: Its middle, and the middle of its extents in its own frame; also half of these.
        turn: How it is turned.
        z: Of its own frame's ground.
        entrance: Which of its entrances is used.
        street: Where the way ends.
        street_z: Its height.
    """

    centre: Point
    middle: Point
    half: Point
    turn: float
    z: float
    entrance: Entrance
    street: Point
    street_z: float

    def world(self, point: Point) -> Point:
        """Returns a point of the district's own frame in the world."""
        x, y = point[0] - self.middle[0], point[1] - self.middle[1]
        c, s = cos(self.turn), sin(self.turn)
        return self.centre[0] + c * x - s * y, self.centre[1] + s * x + c * y

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Lowest x, y and highest x, y, metres."""
        (x, y), (a, b) = self.centre, self.half
        across = abs(sin(self.turn)) > 0.5
        a, b = (b, a) if across else (a, b)
        return x - a, y - b, x + a, y + b


def plots(land: Land, graph: SceneGraph, layout: Layout, at: Point | None) -> Iterator[Plot]:
    """Yields plots for a district, the ones nearest to streets and to where people arrive first.

    Args:
        land: Of the world.
        graph: The district, in its own frame.
        layout: It, compiled.
        at: Where its middle is to be; None for anywhere that is free.

    Raises:
        RequestError: There is no plot, or none there; the message says why.
        GraphError: No way leads out of the district.
    """
    low, high = bounds_of(graph)
    middle, half = (low + high) / 2, (high - low) / 2
    doors = entrances(layout, low, high)
    streets = _Streets.of(land)
    if at is not None:
        _check_near(land, at)
    found = 0
    for _, turn, door, centre in _choices(land, streets, doors, middle, half, at)[:_TRIES]:
        plot = streets.plot(turn, door, centre, (middle, half))
        if plot is not None:
            found += 1
            yield plot
    if not found:
        raise RequestError(_why_none(at))


def entrances(layout: Layout, low: Floats, high: Floats) -> list[Entrance]:
    """Returns where one can walk out of a district straight over its edge, the best of each side.

    Args:
        layout: The district, compiled.
        low: Least x, y (2,) of its extents, metres.
        high: Greatest x, y (2,).

    Raises:
        GraphError: There is no such point.
    """
    parts = components(layout.clearance.numpy(), layout.next_level.numpy(), _BODY_M)
    roomy = (parts == 1) & (layout.clearance.numpy() >= _ROOM_M)
    found = [entrance for side in range(4) for entrance in _of_side(layout, roomy, low, high, side)]
    if not found:
        raise GraphError("no way leads out of it; try another seed")
    return found


def _of_side(layout: Layout, roomy: NDArray[np.bool_], low: Floats, high: Floats, side: int) -> Iterator[Entrance]:
    """Yields the entrance of a side: 0 east, 1 north, 2 west, 3 south."""
    out = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)][side], np.float64)
    along = np.array([-out[1], out[0]])
    middle, half = (low + high) / 2, (high - low) / 2
    edge, reach = middle + out * half, float(np.abs(along) @ half)
    shift = np.arange(-reach + WIDTH_M / 2, reach - WIDTH_M / 2 + 0.01, 0.5)
    depth = np.arange(0.0, _DEEP_M, 0.25)
    across = np.arange(-WIDTH_M / 2, WIDTH_M / 2 + 0.01, 0.4)
    where = edge + shift[:, None, None, None] * along - depth[None, :, None, None] * out
    lane = where + across[None, None, :, None] * along
    blocked = obstructed(layout, lane, 0.1).any(2).cumsum(1) > 0
    surface = sampled(layout, layout.surface.numpy(), where[:, :, 0], outside=0)
    stands = sampled(layout, roomy, where[:, :, 0], outside=False).astype(bool) & ~blocked
    stands &= np.isin(surface, [*map(int, _PAVED), int(Surface.LAWN), int(Surface.GROUND)])
    cost = depth[None] + 0.05 * np.abs(shift[:, None]) + 6.0 * ~np.isin(surface, [*map(int, _PAVED)])
    cost = np.where(stands, cost, np.inf)
    n, m = np.unravel_index(int(cost.argmin()), cost.shape)
    if np.isfinite(cost[n, m]):
        landing = where[n, m, 0]
        mouth = edge + shift[n] * along + 0.5 * out
        z = float(sampled(layout, layout.floor.numpy(), landing, outside=0.0))
        yield Entrance((float(landing[0]), float(landing[1])), (float(mouth[0]), float(mouth[1])), z, float(cost[n, m]))


@dataclass(frozen=True, slots=True, eq=False)
class _Streets:
    """How far it is to a street from everywhere.

    Attributes:
        land: Of the world.
        away: (H, W) metres.
        nearest: (2, H, W) iy, ix of the nearest point of a street.
        home: Where people arrive.
    """

    land: Land
    away: NDArray[np.float64]
    nearest: NDArray[np.int32]
    home: Floats

    @classmethod
    def of(cls, land: Land) -> _Streets:
        layout, raster = land.layout, land.raster
        parts = components(layout.clearance.numpy(), layout.next_level.numpy(), _BODY_M)
        home = layout.spawn_position[:, :2].double().mean(0).numpy()
        spawn = layout.spawn_position[:1, :2].double().numpy()
        same = parts == int(sampled(layout, parts, spawn, outside=0)[0])
        surface = layout.surface.numpy()
        roomy = same & (layout.clearance.numpy() >= _ROOM_M)
        kinds = next(
            (
                each
                for each in (_PAVED, (Surface.GROUND,), (Surface.LAWN,))
                if (roomy[0] & np.isin(surface[0], each)).any()
            ),
            None,
        )
        if kinds is None:
            raise RequestError("there is no street or other open ground that a way could lead to")
        iy, ix = np.mgrid[0 : raster.height, 0 : raster.width]
        street = sampled(layout, roomy & np.isin(surface, kinds), raster.position(iy, ix), outside=False).astype(bool)
        away, nearest = distance_transform_edt(~street, return_indices=True)
        return cls(land, away * raster.step_m, nearest, home)

    def plot(self, turn: int, door: Entrance, centre: Point, frame: tuple[Floats, Floats]) -> Plot | None:
        """Returns the plot for a district whose middle is there, None if something stands in its way."""
        (mx, my), (hx, hy) = frame[0].tolist(), frame[1].tolist()
        plot = Plot(centre, (mx, my), (hx, hy), turn * pi / 2, 0.0, door, (0.0, 0.0), 0.0)
        mouth = np.array(plot.world(door.mouth))
        iy, ix = self.land.raster.nearest(mouth)
        if self.away[iy, ix] > WAY_M:
            return None
        x, y = self.land.raster.position(self.nearest[0, iy, ix], self.nearest[1, iy, ix]).tolist()
        if self.land.in_the_way(_lane(mouth, np.array([x, y]))).any():
            return None
        layout = self.land.layout
        height = float(sampled(layout, layout.floor.numpy(), np.array([x, y]), outside=0.0))
        z = 0.0 if abs(height - door.z) <= _LEVEL_M else height - door.z
        return Plot(centre, (mx, my), (hx, hy), turn * pi / 2, z, door, (x, y), height)


def _choices(
    land: Land, streets: _Streets, doors: list[Entrance], middle: Floats, half: Floats, at: Point | None
) -> list[tuple[float, int, Entrance, Point]]:
    """Returns cost, quarter turns, entrance and middle of where a district could lie, the cheapest first."""
    found: list[tuple[float, int, Entrance, Point]] = []
    for turn in range(4):
        box = half if turn % 2 == 0 else half[::-1]
        lies = [] if at is None else _overlapped(land, at, box)
        if at is not None and lies and turn and not found:
            raise RequestError(_overlaps(at, lies))
        free = _free(land, box) if at is None else None
        for door in doors if not lies else ():
            offset = _turned(np.array(door.mouth) - middle, turn)
            found += _of_turn(streets, free, turn, door, offset, at)
    return sorted(found, key=lambda each: each[0])


def _of_turn(
    streets: _Streets,
    free: NDArray[np.bool_] | None,
    turn: int,
    door: Entrance,
    offset: Floats,
    at: Point | None,
) -> Iterator[tuple[float, int, Entrance, Point]]:
    raster = streets.land.raster
    centres = np.array([at]) if free is None else raster.position(*np.nonzero(free))
    iy, ix = raster.nearest(centres + offset)
    away = streets.away[iy, ix]
    cost = away + door.detour_m + 0.15 * np.hypot(*(centres - streets.home).T)
    best = np.argsort(np.where(away <= WAY_M, cost, np.inf), kind="stable")
    chosen: list[Floats] = []
    for n in best[:20_000].tolist():
        if len(chosen) >= _TRIES // 16 or away[n] > WAY_M:
            return
        if all(hypot(*(centres[n] - other)) > _APART_M for other in chosen):
            chosen.append(centres[n])
            x, y = centres[n].tolist()
            yield float(cost[n]), turn, door, (x, y)


def _free(land: Land, half: Floats) -> NDArray[np.bool_]:
    """Returns (H, W) where the middle of a free box of that size can be, every other cell of it."""
    height, width = land.raster.shape
    a, b = (np.ceil((half + GAP_M) / land.raster.step_m).astype(int) + 1).tolist()
    total = np.zeros((height + 1, width + 1), np.int64)
    total[1:, 1:] = land.taken.cumsum(0).cumsum(1)
    free = np.zeros(land.raster.shape, bool)
    if height > 2 * b and width > 2 * a:
        h, w = height - 2 * b, width - 2 * a
        filled = total[2 * b :, 2 * a :][:h, :w] - total[:h, 2 * a :][:, :w] - total[2 * b :, :w][:h] + total[:h, :w]
        free[b : b + h : 2, a : a + w : 2] = filled[::2, ::2] == 0
    return free


def _check_near(land: Land, at: Point) -> None:
    """Checks that a point lies on the land or not far beside it."""
    low = np.array(land.raster.origin)
    high = low + np.array([land.raster.width, land.raster.height]) * land.raster.step_m
    away = float(np.maximum(low - at, np.array(at) - high).max())
    if away > 0:
        far = f"at most {WAY_M:g} m from a street"
        raise RequestError(f"({at[0]:g}, {at[1]:g}) lies off limits, {away:.0f} m outside the land; it must be {far}")


def _overlapped(land: Land, at: Point, half: Floats) -> list[str]:
    """Returns the names of what lies in a box about a point, bare ground apart, what takes most of it first."""
    iy, ix = land.raster.nearest(np.array([at - half - 0.5, at + half + 0.5]))
    rows, cells = np.unique(land.owner[iy[0] : iy[1] + 1, ix[0] : ix[1] + 1], return_counts=True)
    order = rows[np.argsort(-cells, kind="stable")]
    return [land.names[row - 1] for row in order.tolist() if row]


def _overlaps(at: Point, names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    there = ", ".join(repr(name) for name in names[:3]) + rest
    return f"at ({at[0]:g}, {at[1]:g}) it would overlap {there}; choose another point, or none"


def _why_none(at: Point | None) -> str:
    if at is None:
        return f"there is no free plot for it from which an open way of at most {WAY_M:g} m leads to a street"
    where = f"({at[0]:g}, {at[1]:g})"
    return f"no open way of at most {WAY_M:g} m leads from {where} to a street; choose a point nearer to one, or none"


def _lane(start: Floats, end: Floats) -> Floats:
    """Returns points (n, 2) all over a way."""
    along = end - start
    length = float(np.hypot(*along))
    unit = along / max(length, 1e-9)
    side = np.array([-unit[1], unit[0]])
    steps = np.linspace(0.0, length, max(2, int(length / 0.25) + 1))
    across = np.linspace(-WIDTH_M / 2, WIDTH_M / 2, 7)
    return np.asarray((start + steps[:, None, None] * unit + across[None, :, None] * side).reshape(-1, 2))


def _turned(offset: Floats, turn: int) -> Floats:
    c, s = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    return np.array([c * offset[0] - s * offset[1], s * offset[0] + c * offset[1]])
