"""Segmenters: which points of a cloud belong to one thing.

`Segmenter` is what a learned model must offer to take the place of the geometric one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

GROUND: Final = 0
"""Label of ground."""
NOISE: Final = -1
"""Label of points that belong to nothing."""
_FORWARD: Final = [
    (dx, dy, dz) for dx in (-1, 0, 1) for dy in (-1, 0, 1) for dz in (-1, 0, 1) if (dx, dy, dz) > (0, 0, 0)
]


class Segmenter(Protocol):
    """Gives every point a label."""

    def segment(
        self, xyz: NDArray[np.float64], rgb: NDArray[np.uint8] | None, height_m: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Returns labels (N,): `GROUND`, `NOISE`, or 1, 2, ... for the points of one thing.

        Args:
            xyz: (N, 3) metres, z up.
            rgb: (N, 3) sRGB, None if there are no colours.
            height_m: (N,) above the ground.
        """
        ...


@dataclass(frozen=True, slots=True)
class GeometricSegmenter:
    """Connected components of occupied voxels above the ground; wide ones are cut into tiles.

    Attributes:
        voxel_m: Points in touching voxels belong together.
        ground_m: Points up to this height are ground.
        fewest: Things of fewer points are noise.
        widest_m: Things wider than this are cut into tiles of this size.
    """

    voxel_m: float = 0.5
    ground_m: float = 0.35
    fewest: int = 8
    widest_m: float = 24.0

    def segment(
        self,
        xyz: NDArray[np.float64],
        rgb: NDArray[np.uint8] | None,  # noqa: ARG002 - shape alone decides here
        height_m: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Returns labels (N,); colours are not looked at."""
        labels = np.zeros(len(xyz), np.int64)
        raised = np.flatnonzero(height_m > self.ground_m)
        if not len(raised):
            return labels
        parts = self._tiled(xyz[raised], connected(voxel_keys(xyz[raised], self.voxel_m)))
        _, parts, count = np.unique(parts, return_inverse=True, return_counts=True)
        kept = np.cumsum(count >= self.fewest)
        labels[raised] = np.where((count >= self.fewest)[parts], kept[parts], NOISE)
        return labels

    def _tiled(self, xyz: NDArray[np.float64], parts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns parts (N,) with wide ones cut up."""
        count = int(parts.max()) + 1
        low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
        np.minimum.at(low, parts, xyz[:, :2])
        np.maximum.at(high, parts, xyz[:, :2])
        wide = (high - low).max(1) > self.widest_m
        tile = np.floor((xyz[:, :2] - low[parts]) / self.widest_m).astype(np.int64)
        number = np.where(wide[parts], tile[:, 0] * 10_000 + tile[:, 1], 0)
        return np.asarray(parts * 100_000_000 + number)


def voxel_keys(xyz: NDArray[np.float64], voxel_m: float) -> NDArray[np.int64]:
    """Returns (N, 3) whole numbers: the voxel of each point, counted from the lowest corner."""
    return np.asarray(np.floor((xyz - xyz.min(0)) / voxel_m), np.int64)


def connected(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns (N,) numbers that are equal for points in voxels connected by faces, edges or corners."""
    size = keys.max(0) + 3
    flat = ((keys[:, 0] + 1) * size[1] + keys[:, 1] + 1) * size[2] + keys[:, 2] + 1
    voxels, of = np.unique(flat, return_inverse=True)
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for dx, dy, dz in _FORWARD:
        wanted = voxels + (dx * size[1] + dy) * size[2] + dz
        at = np.searchsorted(voxels, wanted).clip(0, len(voxels) - 1)
        met = np.flatnonzero(voxels[at] == wanted)
        rows.append(met)
        columns.append(at[met])
    i, j = np.concatenate(rows), np.concatenate(columns)
    links = coo_matrix((np.ones(len(i), np.int8), (i, j)), shape=(len(voxels), len(voxels)))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)[of]
