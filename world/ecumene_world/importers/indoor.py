"""The pieces of an indoor scan: classes of points by the segmenter, and points of one class that touch as one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ecumene_models.segmenter import Segmenter, shares, thinned
from ecumene_world.importers.boxes import Box, box_of
from ecumene_world.importers.segment import connected, voxel_keys

NOTHING: Final = -1
_TOUCH_M: Final = 0.1
_FEWEST: Final = 20
"""A piece of fewer thinned points is a crumb: it goes to the piece that it touches, or is left out."""
_CRUMB_M: Final = 0.2
_WITHIN: Final = 0.6
_RIND_M: Final = 0.04
_TILE_M: Final = 18.0
_RIM_M: Final = 2.0
_BIN_M: Final = 0.05
_SHELL: Final = 3
"""Floor, wall and ceiling come first among the classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What a scan falls into.

    Attributes:
        kind: (N,) class of each point of the scan.
        piece: (N,) number of its thing, `NOTHING` on floor, walls, ceiling and crumbs.
        shares: (P, classes) mean over each thing's points of how likely they lie on what.
    """

    kind: NDArray[np.int64]
    piece: NDArray[np.int64]
    shares: NDArray[np.float64]


def floor_height(xyz: NDArray[np.float64]) -> float:
    """Returns the fullest level of the lower third, metres: a few stray points below the floor don't matter."""
    z = xyz[:, 2]
    low, high = np.quantile(z, (0.001, 0.999))
    level = np.floor((z - low) / _BIN_M).astype(np.int64)
    last = max(1, int((high - low) / _BIN_M / 3))
    count = np.bincount(level[(level >= 0) & (level < last)], minlength=last)
    middle = low + (int(count.argmax()) + 0.5) * _BIN_M
    return float(np.median(z[np.abs(z - middle) <= _BIN_M]))


def pieces_of(xyz: NDArray[np.float64], network: Segmenter) -> Pieces:
    """Returns the things of a scan (N, 3), metres, z up, floor at z = 0."""
    points = torch.from_numpy(xyz.astype(np.float32))
    rows, of = (part.numpy() for part in thinned(points, network.config.spacing_m))
    some = xyz[rows]
    likely = _tiled(some.astype(np.float32), network)
    kind = likely.argmax(1)
    piece = _merged(some, _swept(some, _touching(some, kind)))
    things = piece >= 0
    count = np.bincount(piece[things], minlength=1)
    sums = np.stack([np.bincount(piece[things], likely[things, c]) for c in range(likely.shape[1])], 1)
    mean = sums / np.maximum(count, 1)[: len(sums), None] if things.any() else np.zeros((0, likely.shape[1]))
    return Pieces(kind[of], piece[of], mean)


def _tiled(xyz: NDArray[np.float32], network: Segmenter) -> NDArray[np.float64]:
    """Returns (M, classes) shares, a wide scan tile by tile, each with a rim so that its edge sees what is around."""
    found = np.zeros((len(xyz), len(network.config.classes)))
    tile = np.floor((xyz[:, :2] - xyz[:, :2].min(0)) / _TILE_M).astype(np.int64)
    for x, y in np.unique(tile, axis=0):
        own = (tile == [x, y]).all(1)
        low = xyz[:, :2].min(0) + np.array([x, y]) * _TILE_M
        near = ((xyz[:, :2] > low - _RIM_M) & (xyz[:, :2] < low + _TILE_M + _RIM_M)).all(1)
        found[own] = shares(network, torch.from_numpy(xyz[near])).numpy()[own[near]]
    return found


def _touching(xyz: NDArray[np.float64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns (M,) numbers that are equal for points of one class that touch; -1 on floor, walls and ceiling."""
    piece = np.full(len(xyz), NOTHING)
    so_far = 0
    for one in np.unique(kind[kind >= _SHELL]):
        rows = np.flatnonzero(kind == one)
        parts = connected(voxel_keys(xyz[rows], _TOUCH_M))
        piece[rows] = parts + so_far
        so_far += int(parts.max()) + 1
    return piece


def _swept(xyz: NDArray[np.float64], piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns pieces numbered from 0 by size, crumbs given to what they touch or to nothing."""
    rows = np.flatnonzero(piece >= 0)
    if not len(rows):
        return piece
    count = np.bincount(piece[rows])
    large = count[piece[rows]] >= _FEWEST
    crumbs, kept = rows[~large], rows[large]
    out = np.full(len(piece), NOTHING)
    out[kept] = piece[kept]
    if len(crumbs) and len(kept):
        away, nearest = KDTree(xyz[kept]).query(xyz[crumbs], distance_upper_bound=_CRUMB_M)
        near = np.isfinite(away)
        out[crumbs[near]] = piece[kept[np.asarray(nearest)[near]]]
    return _by_size(out)


def _merged(xyz: NDArray[np.float64], piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns pieces of which those that lie mostly in the box of a larger one belong to it: one thing, two guesses."""
    out = piece.copy()
    rows = [np.flatnonzero(piece == number) for number in range(int(piece.max(initial=NOTHING)) + 1)]
    boxes = [box_of(xyz[which]) for which in rows]
    for number, which in enumerate(rows):
        for larger in range(number):
            if out[rows[larger][0]] == larger and _inside(xyz[which], boxes[larger]).mean() > _WITHIN:
                out[which] = larger
                break
    return _by_size(out)


def _inside(xyz: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    """Returns which points (N, 3) lie in a box or just off it."""
    c, s = np.cos(box.yaw), np.sin(box.yaw)
    away = xyz - box.centre
    local = np.stack([c * away[:, 0] + s * away[:, 1], -s * away[:, 0] + c * away[:, 1], away[:, 2]], 1)
    return np.asarray((np.abs(local) <= np.array(box.size) / 2 + _RIND_M).all(1))


def _by_size(piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns pieces numbered anew from 0, the fullest first."""
    out = piece.copy()
    numbers, of, size = np.unique(out[out >= 0], return_inverse=True, return_counts=True)
    rank = np.zeros(len(numbers), np.int64)
    rank[np.lexsort((numbers, -size))] = np.arange(len(numbers))
    out[out >= 0] = rank[of]
    return out
