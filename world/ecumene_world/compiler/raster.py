"""Rasterising: which nodes of a regular grid lie in polygons, boxes and cylinders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHUNK = 4_000_000
"""Candidate nodes tested at a time, to bound memory."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A grid of height × width nodes; node (iy, ix) stands at `origin + step_m * (ix, iy)`."""

    origin: tuple[float, float]
    step_m: float
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    def index(self, xy: Floats) -> Floats:
        """Returns fractional (..., 2) node numbers ix, iy of points (..., 2) in metres."""
        return np.asarray((xy - np.array(self.origin)) / self.step_m)

    def nearest(self, xy: Floats) -> tuple[Ints, Ints]:
        """Returns iy and ix of the node nearest to each point (..., 2); points beyond the grid get its border."""
        cell = np.rint(self.index(xy)).astype(np.int64)
        return cell[..., 1].clip(0, self.height - 1), cell[..., 0].clip(0, self.width - 1)

    def position(self, iy: Ints, ix: Ints) -> Floats:
        """Returns positions (..., 2) of nodes in metres."""
        return np.stack([self.origin[0] + self.step_m * ix, self.origin[1] + self.step_m * iy], -1)


@dataclass(frozen=True, slots=True)
class Patch:
    """A window of a raster: nodes `rows` × `columns`, of which `inside` (h, w) are meant."""

    rows: slice
    columns: slice
    inside: NDArray[np.bool_]

    @property
    def window(self) -> tuple[slice, slice]:
        """Index of the window in a (height, width) array."""
        return self.rows, self.columns


def polygon_patch(raster: Raster, polygon: Floats) -> Patch | None:
    """Returns the nodes inside a polygon (n, 2) by the even-odd rule, None if it covers none.

    A node exactly on an edge belongs to one side only, so polygons that share an edge neither overlap nor leave a gap.
    """
    corners = raster.index(polygon)
    low = np.ceil(corners.min(0)).astype(np.int64).clip(0)
    high = np.floor(corners.max(0)).astype(np.int64).clip(max=[raster.width - 1, raster.height - 1])
    if (high < low).any():
        return None
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    row, x = _crossings(corners, y0, y1)
    width = x1 - x0 + 1
    column = np.ceil(x).astype(np.int64).clip(x0, x1 + 1) - x0
    flips = np.bincount((row - y0) * (width + 1) + column, minlength=(y1 - y0 + 1) * (width + 1))
    parity = flips.astype(np.uint8).reshape(-1, width + 1)[:, :width].cumsum(1, dtype=np.uint8) & 1
    return Patch(slice(y0, y1 + 1), slice(x0, x1 + 1), parity.astype(bool)) if parity.any() else None


def _crossings(corners: Floats, y0: int, y1: int) -> tuple[Ints, Floats]:
    """Returns row and fractional column of every crossing of a polygon's edges with rows y0..y1."""
    after = np.roll(corners, -1, 0)
    upward = after[:, 1] >= corners[:, 1]
    start, end = np.where(upward[:, None], corners, after), np.where(upward[:, None], after, corners)
    first = np.ceil(start[:, 1]).clip(min=y0).astype(np.int64)
    count = (np.ceil(end[:, 1]).clip(max=y1 + 1).astype(np.int64) - first).clip(0)
    edge = np.repeat(np.arange(len(corners)), count)
    row = first[edge] + ramp(count)
    share = (row - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    return row, start[edge, 0] + share * (end[edge, 0] - start[edge, 0])


def ramp(count: Ints) -> Ints:
    """Returns 0..count[0]-1, 0..count[1]-1, ... joined."""
    total = int(count.sum())
    starts = np.repeat(np.cumsum(count) - count, count)
    return np.arange(total) - starts


@dataclass(frozen=True, slots=True)
class Shapes:
    """M upright solids seen from above.

    Attributes:
        centre: (M, 2) metres.
        half: (M, 2) half extents along the own axes, metres; a cylinder's radius twice.
        yaw: (M,) radians.
        round: (M,) whether it is a cylinder rather than a box.
    """

    centre: Floats
    half: Floats
    yaw: Floats
    round: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.yaw)

    @classmethod
    def segments(cls, start: Floats, end: Floats) -> Shapes:
        """Returns boxes without thickness from `start` (M, 2) to `end` (M, 2), metres."""
        along = end - start
        length = np.hypot(along[:, 0], along[:, 1])
        half = np.stack([length / 2, np.zeros(len(length))], 1)
        return cls((start + end) / 2, half, np.arctan2(along[:, 1], along[:, 0]), np.zeros(len(length), bool))

    @classmethod
    def joined(cls, parts: Sequence[Shapes]) -> Shapes:
        """Returns all solids of some tables in one, in order."""
        return cls(
            np.concatenate([np.zeros((0, 2)), *(part.centre for part in parts)]),
            np.concatenate([np.zeros((0, 2)), *(part.half for part in parts)]),
            np.concatenate([np.zeros(0), *(part.yaw for part in parts)]),
            np.concatenate([np.zeros(0, bool), *(part.round for part in parts)]),
        )

    def take(self, which: Ints | NDArray[np.bool_]) -> Shapes:
        """Returns some of the solids."""
        return Shapes(self.centre[which], self.half[which], self.yaw[which], self.round[which])

    def distance(self, which: Ints, xy: Floats) -> Floats:
        """Returns signed distances (n,) of points (n, 2) to solids `which` (n,), negative inside, metres."""
        offset = xy - self.centre[which]
        c, s = np.cos(self.yaw)[which], np.sin(self.yaw)[which]
        half = self.half[which]
        over_x = np.abs(c * offset[:, 0] + s * offset[:, 1]) - half[:, 0]
        over_y = np.abs(c * offset[:, 1] - s * offset[:, 0]) - half[:, 1]
        outside = np.hypot(over_x.clip(0), over_y.clip(0))
        box = outside + np.maximum(over_x, over_y).clip(max=0)
        return np.where(self.round[which], np.hypot(offset[:, 0], offset[:, 1]) - half[:, 0], box)


def covered(raster: Raster, shapes: Shapes, margin_m: float) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yields iy, ix and solid (n,) for every node within `margin_m` of a solid, in the order of the solids.

    Works through the solids in chunks of bounded memory.
    """
    turned = np.abs(np.cos(shapes.yaw))[:, None], np.abs(np.sin(shapes.yaw))[:, None]
    reach = np.where(shapes.round[:, None], shapes.half, turned[0] * shapes.half + turned[1] * shapes.half[:, ::-1])
    edge = np.array([raster.width - 1, raster.height - 1])
    low = np.ceil(raster.index(shapes.centre - reach - margin_m)).clip(0).astype(np.int64)
    high = np.floor(raster.index(shapes.centre + reach + margin_m)).clip(max=edge).astype(np.int64)
    size = (high - low + 1).clip(0)
    nodes = size.prod(1)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(np.cumsum(nodes) // _CHUNK)) + 1, [len(nodes)]])
    for first, end in pairwise(bounds.tolist()):
        solid = np.repeat(np.arange(first, end), nodes[first:end])
        within = ramp(nodes[first:end])
        ix = low[solid, 0] + within % size[solid, 0]
        iy = low[solid, 1] + within // size[solid, 0]
        near = shapes.distance(solid, raster.position(iy, ix)) <= margin_m
        yield iy[near], ix[near], solid[near]
