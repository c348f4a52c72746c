"""The building site: a raster that knows what lies where, what is taken and what must stay clear.

Everything that dresses a world asks it before it stands anywhere, so nothing overlaps and every door stays reachable.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import ceil, cos, sin
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

CELL_M: Final = 0.25
STYLES: Final = ("outside", "asphalt", "pavement", "plaza", "path", "lawn", "floor", "built")
"""What a cell is, by code; `outside` and `built` can't be walked on."""
_FINER: Final = {
    "marking": "asphalt",
    "plaza_dark": "plaza",
    "parquet": "floor",
    "tiles": "floor",
    "carpet": "floor",
    "meadow": "lawn",
    "yard": "lawn",
}
_CODE: Final = {style: code for code, style in enumerate(STYLES)}
_CODE.update({finer: _CODE[style] for finer, style in _FINER.items()})
AVATAR_RADIUS_M: Final = 0.30


class Site:
    """A raster of square cells over x0, y0, x1, y1 metres; cell (row, column) has its middle at half a cell."""

    def __init__(self, bounds: tuple[float, float, float, float], cell_m: float = CELL_M) -> None:
        self.x0, self.y0, x1, y1 = bounds
        self.cell_m = cell_m
        shape = (ceil((y1 - self.y0) / cell_m), ceil((x1 - self.x0) / cell_m))
        self.style = np.zeros(shape, np.uint8)
        self.taken = np.zeros(shape, bool)
        self.clear = np.zeros(shape, bool)

    def paint(self, polygon: ArrayLike, style: str) -> None:
        """Says what a polygon (P, 2) is made of: one of `STYLES` or a finer style that counts as one."""
        rows, columns, inside = self._filled(np.asarray(polygon, np.float64))
        self.style[rows, columns][inside] = _CODE[style]

    def style_at(self, x: float, y: float) -> str:
        """Returns the style of the cell at a point; `outside` beyond the raster."""
        row, column = self._cell(x, y)
        within = 0 <= row < self.style.shape[0] and 0 <= column < self.style.shape[1]
        return STYLES[int(self.style[row, column])] if within else "outside"

    def fits(self, x: float, y: float, yaw: float, size: Sequence[float], on: Sequence[str] = ()) -> bool:
        """Tells whether a box of that size (along and across its yaw) stands free, wholly on some styles."""
        rows, columns = self._box(x, y, yaw, size)
        height, width = self.style.shape
        if rows.min() < 0 or columns.min() < 0 or rows.max() >= height or columns.max() >= width:
            return False
        codes = [_CODE[style] for style in on] or list(range(1, len(STYLES) - 1))
        ground = np.isin(self.style[rows, columns], codes).all()
        return bool(ground and not self.taken[rows, columns].any() and not self.clear[rows, columns].any())

    def is_open(self, x: float, y: float, yaw: float, size: Sequence[float]) -> bool:
        """Tells whether a box can be walked: ground, nothing on it; it may be a way kept clear already."""
        rows, columns = self._box(x, y, yaw, size)
        height, width = self.style.shape
        if rows.min() < 0 or columns.min() < 0 or rows.max() >= height or columns.max() >= width:
            return False
        codes = self.style[rows, columns]
        ground = (codes != _CODE["outside"]) & (codes != _CODE["built"])
        return bool(ground.all() and not self.taken[rows, columns].any())

    def take(self, x: float, y: float, yaw: float, size: Sequence[float]) -> None:
        """Marks a box as taken."""
        self._mark(self.taken, *self._box(x, y, yaw, size))

    def free(self, x: float, y: float, yaw: float, size: Sequence[float]) -> None:
        """Marks a box as not taken, such as a doorway in a wall."""
        rows, columns = self._box(x, y, yaw, size)
        self.taken[rows, columns] = False

    def keep_clear(self, x: float, y: float, yaw: float, size: Sequence[float]) -> None:
        """Marks a box as a way that nothing may stand in."""
        self._mark(self.clear, *self._box(x, y, yaw, size))

    def keep_line_clear(self, line: ArrayLike, width_m: float) -> None:
        """Marks a strip about a centre line (P, 2) as a way that nothing may stand in."""
        points = np.asarray(line, np.float64)
        for a, b in pairwise(points):
            along = b - a
            length = float(np.hypot(*along))
            x, y = ((a + b) / 2).tolist()
            self.keep_clear(x, y, float(np.arctan2(along[1], along[0])), (length + width_m, width_m))

    def walkable(self) -> NDArray[np.bool_]:
        """Returns where the middle of an avatar can be (H, W)."""
        ground = (self.style != _CODE["outside"]) & (self.style != _CODE["built"]) & ~self.taken
        return np.asarray(ndimage.distance_transform_edt(ground) * self.cell_m > AVATAR_RADIUS_M + self.cell_m / 2)

    def reach(self, x: float, y: float) -> Reach:
        """Returns what can be reached from a point on foot."""
        labels, _ = ndimage.label(self.walkable())
        row, column = self._cell(x, y)
        return Reach(self, np.asarray(labels == labels[row, column]) & (labels > 0))

    def distance_m(self, styles: Sequence[str]) -> NDArray[np.float64]:
        """Returns how far each cell (H, W) is from the nearest one that is not of these styles, metres."""
        inside = np.isin(self.style, [_CODE[style] for style in styles])
        return np.asarray(ndimage.distance_transform_edt(inside) * self.cell_m)

    def point(self, row: int, column: int) -> tuple[float, float]:
        """Returns the middle of a cell, metres."""
        return self.x0 + (column + 0.5) * self.cell_m, self.y0 + (row + 0.5) * self.cell_m

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Returns the lower left corner of a cell, metres."""
        return self.x0 + column * self.cell_m, self.y0 + row * self.cell_m

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        return int(np.floor((y - self.y0) / self.cell_m)), int(np.floor((x - self.x0) / self.cell_m))

    def _box(
        self, x: float, y: float, yaw: float, size: Sequence[float]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the cells under a turned box, sampled more finely than the raster."""
        u, v = _sampled(float(size[0]), float(size[1]), self.cell_m)
        column = np.floor((x + u * cos(yaw) - v * sin(yaw) - self.x0) / self.cell_m).astype(np.int64)
        row = np.floor((y + u * sin(yaw) + v * cos(yaw) - self.y0) / self.cell_m).astype(np.int64)
        return row, column

    def _mark(self, layer: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        within = (rows >= 0) & (columns >= 0) & (rows < layer.shape[0]) & (columns < layer.shape[1])
        layer[rows[within], columns[within]] = True

    def _filled(self, polygon: NDArray[np.float64]) -> tuple[slice, slice, NDArray[np.bool_]]:
        """Returns the rows and columns about a polygon and which of their cells have their middle inside it.

        Each edge flips all cells to the right of where it crosses a row's middle line.
        """
        height, width = self.style.shape
        x = (polygon[:, 0] - self.x0) / self.cell_m - 0.5
        y = (polygon[:, 1] - self.y0) / self.cell_m - 0.5
        top, bottom = max(0, ceil(y.min())), min(height - 1, int(np.floor(y.max())))
        left, right = max(0, ceil(x.min())), min(width - 1, int(np.floor(x.max())))
        if bottom < top or right < left:
            return slice(0, 0), slice(0, 0), np.zeros((0, 0), bool)
        flips = np.zeros((bottom - top + 1, right - left + 2), np.int64)
        for xa, ya, xb, yb in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
            low, high = (ya, yb) if ya < yb else (yb, ya)
            rows = np.arange(max(top, ceil(low)), min(bottom, ceil(high) - 1) + 1)
            if len(rows):
                at = xa + (rows - ya) * (xb - xa) / (yb - ya)
                columns = np.clip(np.ceil(at).astype(np.int64), left, right + 1) - left
                np.add.at(flips, (rows - top, columns), 1)
        inside = np.cumsum(flips, axis=1)[:, :-1] % 2 == 1
        return slice(top, bottom + 1), slice(left, right + 1), inside


@lru_cache(maxsize=1024)
def _sampled(along_m: float, across_m: float, cell_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns points (n,) and (n,) of a box along and across it from its middle, closer to each other than cells."""
    along, across = (
        np.linspace(-extent / 2, extent / 2, ceil(extent / cell_m * 1.5) + 2) for extent in (along_m, across_m)
    )
    u, v = np.meshgrid(along, across)
    return u.reshape(-1), v.reshape(-1)


class Reach:
    """The cells that can be reached on foot from somewhere."""

    def __init__(self, site: Site, cells: NDArray[np.bool_]) -> None:
        self.site = site
        self.cells = cells

    def nearest(self, x: float, y: float, within_m: float = 3.0) -> tuple[float, float] | None:
        """Returns the reachable point nearest to another one, None if none lies within a distance."""
        row, column = self.site._cell(x, y)  # noqa: SLF001 - one file, one raster
        reach = ceil(within_m / self.site.cell_m)
        top, left = max(0, row - reach), max(0, column - reach)
        window = self.cells[top : row + reach + 1, left : column + reach + 1]
        rows, columns = np.nonzero(window)
        if not len(rows):
            return None
        away = (rows + top - row) ** 2 + (columns + left - column) ** 2
        best = int(np.argmin(away))
        return self.site.point(int(rows[best]) + top, int(columns[best]) + left)
