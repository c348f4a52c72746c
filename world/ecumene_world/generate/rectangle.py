"""Rectangles: the largest one inside a ring of corners, and the questions that go with it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.generate.floorplan import Rect
from ecumene_world.generate.site import Site

_CELL_M: Final = 0.15


def inscribed(ring: NDArray[np.float64]) -> Rect | None:
    """Returns the largest rectangle with sides along x and y in a convex ring, near enough: ends in steps of 10 cm."""
    low, high = float(ring[:, 0].min()), float(ring[:, 0].max())
    if high - low < 1.0:
        return None
    stations = np.linspace(low + 1e-6, high - 1e-6, max(12, int((high - low) / 0.1)))
    spans = _cuts(ring, stations)
    starts = np.flatnonzero(stations < low + 0.35)
    best: tuple[float, Rect] | None = None
    for i in starts.tolist():
        bottom, top = np.maximum(spans[i, 0], spans[:, 0]), np.minimum(spans[i, 1], spans[:, 1])
        areas = np.where(stations > stations[i], (stations - stations[i]) * np.maximum(top - bottom, 0.0), 0.0)
        j = int(np.argmax(areas))
        if best is None or areas[j] > best[0] + 1e-9:
            best = float(areas[j]), (float(stations[i]), float(bottom[j]), float(stations[j]), float(top[j]))
    return best[1] if best else None


def _cuts(ring: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n, 2) where lines along y at each x (n,) enter and leave a convex ring; 0, 0 where they miss it."""
    a, b = ring[:, None], np.roll(ring, -1, 0)[:, None]
    crossing = (a[..., 0] <= x) != (b[..., 0] <= x)
    run = np.where(crossing, b[..., 0] - a[..., 0], 1.0)
    y = a[..., 1] + (x - a[..., 0]) / run * (b[..., 1] - a[..., 1])
    low = np.where(crossing, y, np.inf).min(0)
    high = np.where(crossing, y, -np.inf).max(0)
    return np.where(crossing.any(0), np.stack([low, high]), 0.0).T


def rastered(ring: NDArray[np.float64]) -> Rect | None:
    """Returns the largest rectangle with sides along x and y in any ring, to the cells of a raster."""
    (x0, y0), (x1, y1) = ring.min(0).tolist(), ring.max(0).tolist()
    raster = Site((x0, y0, x1, y1), _CELL_M)
    raster.paint(ring, "floor")
    found = largest_rectangle(raster.style > 0)
    if found is None:
        return None
    top, left, bottom, right = found
    return (*raster.corner(top, left), *raster.corner(bottom, right))


def largest_rectangle(cells: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Returns top, left, bottom, right (the last two exclusive) of the largest all-true rectangle; None if none is.

    Rows are read as histograms of how far true cells reach up; a stack finds the widest bar under each height.
    """
    best: tuple[int, tuple[int, int, int, int]] | None = None
    heights = np.zeros(cells.shape[1] + 1, np.int64)
    for row in range(cells.shape[0]):
        heights[:-1] = np.where(cells[row], heights[:-1] + 1, 0)
        stack: list[int] = []
        bars = heights.tolist()
        for column, height in enumerate(bars):
            while stack and bars[stack[-1]] >= height:
                tall = bars[stack.pop()]
                left = stack[-1] + 1 if stack else 0
                area = tall * (column - left)
                if area and (best is None or area > best[0]):
                    best = (area, (row + 1 - tall, left, row + 1, column))
            stack.append(column)
    return best[1] if best else None


def is_convex(ring: NDArray[np.float64]) -> bool:
    """Tells whether a counter-clockwise ring turns left at every corner."""
    edges = np.roll(ring, -1, 0) - ring
    after = np.roll(edges, -1, 0)
    return bool((edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0] > -1e-6).all())


def contains(ring: NDArray[np.float64], x: float, y: float) -> bool:
    """Tells whether a point lies in a ring, by counting crossings of a ray."""
    a, b = ring, np.roll(ring, -1, 0)
    crossing = (a[:, 1] <= y) != (b[:, 1] <= y)
    a, b = a[crossing], b[crossing]
    return bool(((a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])) > x).sum() % 2)
