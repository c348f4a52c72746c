"""What the segmenter has to beat: planes taken away, what is left joined by touching, and each piece named by its size.

Its sizes are learned: a piece is called what the three most alike pieces of the training scans mostly were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ecumene_world.importers.segment import connected, voxel_keys
from ecumene_world.learning.scans import CLASSES, Scan

FLOOR, WALL, CEILING, OTHER = (CLASSES.index(name) for name in ("floor", "wall", "ceiling", "other"))
_BIN_M: Final = 0.05
_FLAT_M: Final = 0.06
_WALL_M: Final = 0.08
_TOUCH_M: Final = 0.09
_FEWEST: Final = 12
_ANGLES: Final = 30
_NEIGHBOURS: Final = 3
_LEFT: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Pieces that were seen.

    Attributes:
        tree: Over their features.
        kind: (M,) rows of `CLASSES`.
    """

    tree: KDTree
    kind: NDArray[np.int64]


def learned_sizes(scans: Sequence[Scan]) -> Sizes:
    """Returns what pieces of labelled scans look like by size and height, and what most of their points were."""
    features, kinds = [], []
    for scan in scans:
        xyz = scan.xyz.astype(np.float64)
        left, piece = pieces(xyz, planes(xyz))
        for rows in _rows_of(left, piece):
            features.append(_features(xyz[rows]))
            kinds.append(int(np.bincount(scan.kind[rows]).argmax()))
    return Sizes(KDTree(np.array(features)), np.array(kinds, np.int64))


def labelled(xyz: NDArray[np.float64], sizes: Sizes) -> NDArray[np.int64]:
    """Returns (N,) rows of `CLASSES` for points (N, 3) in metres, floor near z = 0."""
    kind = planes(xyz)
    left, piece = pieces(xyz, kind)
    kind[kind == _LEFT] = OTHER
    for rows in _rows_of(left, piece):
        _, near = sizes.tree.query(_features(xyz[rows]), _NEIGHBOURS)
        kind[rows] = np.bincount(sizes.kind[np.atleast_1d(near)]).argmax()
    return kind


def planes(xyz: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns (N,) floor, wall and ceiling by the fullest levels and the sides of the smallest upright box; -1 else."""
    kind = np.full(len(xyz), _LEFT)
    z = xyz[:, 2]
    level = np.floor((z - z.min()) / _BIN_M).astype(np.int64)
    count = np.bincount(level)
    height = float(z.max() - z.min())
    lowest = int(count[: max(1, round(0.3 * len(count)))].argmax())
    highest = len(count) - 1 - int(count[::-1][: max(1, round(0.2 * len(count)))].argmax())
    for side in _sides(xyz[:, :2]):
        kind[side] = WALL
    if height > 1.8:
        kind[np.abs(z - z.min() - (highest + 0.5) * _BIN_M) < _FLAT_M] = CEILING
    kind[np.abs(z - z.min() - (lowest + 0.5) * _BIN_M) < _FLAT_M] = FLOOR
    return kind


def pieces(xyz: NDArray[np.float64], kind: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the rows that no plane took, and numbers that are equal for those which touch."""
    left = np.flatnonzero(kind == _LEFT)
    return left, connected(voxel_keys(xyz[left], _TOUCH_M)) if len(left) else left


def _sides(xy: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """Returns which points lie on each side of the smallest rectangle about them."""
    angles = np.arange(_ANGLES) * (pi / 2 / _ANGLES)
    some = xy[:: max(1, len(xy) // 4000)]
    along = some @ np.stack([np.cos(angles), np.sin(angles)])
    across = some @ np.stack([-np.sin(angles), np.cos(angles)])
    best = angles[int((np.ptp(along, axis=0) * np.ptp(across, axis=0)).argmin())]
    sides = []
    for turn in (best, best + pi / 2):
        value = xy @ [np.cos(turn), np.sin(turn)]
        low, high = np.quantile(value, (0.005, 0.995))
        sides += [value < low + _WALL_M, value > high - _WALL_M]
    return sides


def _rows_of(left: NDArray[np.int64], piece: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Returns the rows of each piece that has enough points."""
    if not len(left):
        return []
    order = np.argsort(piece, kind="stable")
    parts = np.split(left[order], np.flatnonzero(np.diff(piece[order])) + 1)
    return [part for part in parts if len(part) >= _FEWEST]


def _features(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = xyz.min(0), xyz.max(0)
    long, wide = sorted((high - low)[:2], reverse=True)
    size = np.log(np.maximum([long, wide, high[2] - low[2]], 0.02))
    return np.concatenate([size, [low[2], high[2]]])
