"""Ground under a point cloud: the lowest points of each cell, rid of what stands on them.

Source: Zhang et al., "A progressive morphological filter for removing nonground measurements from airborne LIDAR data",
IEEE TGRS 41(4), 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SLOPE: Final = 0.35
_FIRST_STEP_M: Final = 0.25
_GREATEST_STEP_M: Final = 2.5
_WIDEST_M: Final = 40.0
"""Things wider than this, or than two thirds of a narrow scan, are taken for ground."""
_LOW_SHARE: Final = 0.02
_MOST_CELLS: Final = 1200


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A height field: node (row, column) stands at origin + cell_m * (column, row).

    Attributes:
        heights: (H, W) metres, everywhere.
        known: (H, W) whether ground was measured there, rather than filled in.
        origin: x, y of node (0, 0).
        cell_m: Spacing.
    """

    heights: NDArray[np.float64]
    known: NDArray[np.bool_]
    origin: tuple[float, float]
    cell_m: float

    def at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns ground heights (N,) under points (N, 2), bilinearly."""
        x, y = ((xy - self.origin) / self.cell_m).T
        return np.asarray(ndimage.map_coordinates(self.heights, [y, x], order=1, mode="nearest"))

    def cells(self, xy: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns rows and columns (N,) of the nodes nearest to points (N, 2)."""
        column, row = np.round((xy - self.origin) / self.cell_m).astype(np.int64).T
        return row.clip(0, self.heights.shape[0] - 1), column.clip(0, self.heights.shape[1] - 1)


def cell_for(xyz: NDArray[np.float64]) -> float:
    """Returns a spacing that gives most cells a few points, and no more than `_MOST_CELLS` a side."""
    extent = np.ptp(xyz[:, :2], axis=0)
    typical = 2.0 * float(np.sqrt(extent.prod() / len(xyz)))
    return float(np.clip(typical, max(0.1, extent.max() / _MOST_CELLS), 4.0))


def ground_of(xyz: NDArray[np.float64], cell_m: float) -> Terrain:
    """Returns the ground under points (N, 3), metres."""
    low = np.floor(xyz[:, :2].min(0) / cell_m) * cell_m
    size = np.ceil((xyz[:, :2].max(0) - low) / cell_m).astype(np.int64) + 1
    columns, rows = np.round((xyz[:, :2] - low) / cell_m).astype(np.int64).T
    lowest = np.full((max(int(size[1]), 2), max(int(size[0]), 2)), np.inf)
    np.minimum.at(lowest, (rows, columns), xyz[:, 2])
    surface = _filled(lowest, np.isfinite(lowest))
    surface = _without_pits(surface)
    ground = _opened(surface, cell_m)
    known = np.isfinite(lowest) & (surface - ground < _FIRST_STEP_M + _SLOPE * cell_m)
    heights = ndimage.gaussian_filter(_filled(np.where(known, surface, 0.0), known), 0.7, mode="nearest")
    return Terrain(heights, known, (float(low[0]), float(low[1])), cell_m)


def _opened(surface: NDArray[np.float64], cell_m: float) -> NDArray[np.float64]:
    """Returns the surface without what rises from it, by openings with windows that grow.

    Its slope is carried on beyond its border, else the border's high side would count as risen.
    """
    widest = max(1, min(ceil(_WIDEST_M / 2 / cell_m), min(surface.shape) // 3))
    pads = [(min(widest, side - 1),) * 2 for side in surface.shape]
    ground = np.pad(surface, pads, mode="reflect", reflect_type="odd")
    window, step = 1, _FIRST_STEP_M
    while window <= widest:
        side = 2 * window + 1
        opened = ndimage.grey_opening(ground, size=(side, side), mode="nearest")
        raised = ground - opened > step
        ground = np.where(raised, opened, ground)
        step = min(_SLOPE * window * cell_m + _FIRST_STEP_M, _GREATEST_STEP_M)
        window *= 2
    (top, _), (left, _) = pads
    return np.asarray(ground[top : top + surface.shape[0], left : left + surface.shape[1]])


def _without_pits(surface: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the surface with single low outliers, such as echoes from below ground, raised to their neighbours."""
    typical = ndimage.median_filter(surface, 5, mode="nearest")
    deep = typical - surface > max(1.0, 6 * float(np.median(np.abs(surface - typical))))
    return np.where(deep & (deep.mean() < _LOW_SHARE), typical, surface)


def _filled(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns values with the nearest known one where none is known."""
    if not known.any():
        return np.zeros_like(values)
    rows, columns = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[rows, columns])
